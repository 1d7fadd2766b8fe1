"""When everything has stopped: the exchange's own books against the journal, and the folders against both."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from sqlite3 import connect
from typing import Any

from qws.domain.orders import OrderStatus
from qws.domain.tags import is_ours
from qws.home import Home
from tests.acceptance.living import FINAL, journalled
from tests.acceptance.program import qws
from tests.crashes.workload import OPENING, Files

TERMINAL = {status.value for status in OrderStatus if status.is_terminal}
_NEVER_ARRIVED = (OrderStatus.JUNK.value, "")


@dataclass(slots=True)
class Judgement:
    """What the books say; `violations` is empty when everything holds."""

    files: int = 0
    files_with_one_final_result: int = 0
    orders: int = 0
    fills: int = 0
    intents: int = 0
    never_arrived: int = 0
    duplicates: int = 0
    lost_intents: int = 0
    runs_cut: int = 0
    runs_cut_twice: int = 0
    attempts_max: int = 0
    copies: int = 0
    results: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


def judge(home: Home, files: Files) -> Judgement:
    """Read both books and say what does not hold."""
    found = Judgement(files=len(files.names), copies=len(files.copies))
    intents = _orders_against_intents(home, found)
    _fills_agree(home, found, intents)
    _positions_follow(home, found)
    _each_file_has_one_result(home, files, found)
    _cut_runs_can_be_traced(home, found)
    return found


def _books(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with closing(connect(home.exchange)) as connection:
        return connection.execute(sql).fetchall()


def _orders_against_intents(home: Home, found: Judgement) -> set[str]:
    """No tag twice, nothing without an intent before it, every intent with its end; the tags of all intents."""
    blame = found.violations.append
    with closing(connect(home.journal)) as connection:
        sql = "SELECT at, body FROM message WHERE kind = 'PlaceOrder' ORDER BY id"
        intended = [(at, json.loads(body)["order"]) for at, body in connection.execute(sql)]
    written = {order["tag"]: (datetime.fromisoformat(at), order) for at, order in intended}
    known = {body["order"]["tag"]: body["order"] for body in journalled(home, "OrderUpdated")}
    theirs = _books(home, "SELECT tag, code, side, shares, at, traded, status FROM orders")
    times = Counter(tag for tag, *_ in theirs)
    found.intents, found.orders = len(intended), len(theirs)
    found.duplicates = sum(number - 1 for number in times.values()) + len(intended) - len(written)
    for tag, code, _side, shares, at, traded, status in theirs:
        if not is_ours(tag) or tag not in written:
            blame(f"{tag} is at the exchange and no intent was journalled")
            continue
        when, order = written[tag]
        if when > datetime.fromisoformat(at) or (order["code"], order["shares"]) != (code, shares):
            blame(f"{tag} {code} {shares} of {at}, its intent was {order} at {when}")
        mine = known.get(tag)
        if mine is None or (mine["status"], mine["traded"]) != (status, traded) or status not in TERMINAL:
            found.lost_intents += 1
            blame(f"{tag}: the exchange says status {status}, traded {traded}, the journal {mine}")
        if status == OrderStatus.JUNK:
            blame(f"{tag} was refused by the exchange")
    for tag in written.keys() - times.keys():
        mine = known.get(tag)
        found.never_arrived += 1
        if mine is None or (mine["status"], mine["order_id"]) != _NEVER_ARRIVED:
            found.lost_intents += 1
            blame(f"{tag} is not at the exchange, the journal says {mine}")
    if found.duplicates:
        blame(f"sent twice: {[tag for tag, number in times.items() if number > 1]}")
    return set(written)


def _fills_agree(home: Home, found: Judgement, intents: set[str]) -> None:
    theirs = Counter(_books(home, "SELECT trade_id, tag, code, side, shares FROM trades"))
    told = [body["trade"] for body in journalled(home, "FillReceived")]
    mine = Counter((each["trade_id"], each["tag"], each["code"], each["side"], each["shares"]) for each in told)
    found.fills = theirs.total()
    if mine != theirs:
        found.violations.append(f"only the exchange: {theirs - mine}; only the journal: {mine - theirs}")
    if strangers := {tag for _, tag, *_ in mine} - intents:
        found.violations.append(f"fills without intent: {strangers}")


def _positions_follow(home: Home, found: Judgement) -> None:
    expected = Counter(OPENING)
    for code, side, shares in _books(home, "SELECT code, side, shares FROM trades"):
        expected[code] += shares if side == "buy" else -shares
    held = {code: shares for code, shares in _books(home, "SELECT code, shares FROM holdings") if shares}
    wanted = {code: shares for code, shares in expected.items() if shares}
    if held != wanted:
        found.violations.append(
            f"held {sorted(held.items() - wanted.items())}, {sorted(wanted.items() - held.items())}"
        )


def _each_file_has_one_result(home: Home, files: Files, found: Judgement) -> None:
    """Accepted once, one final result in the journal and one beside the file; copies are refused once each."""
    blame, inbox = found.violations.append, home.inbox
    accepted: defaultdict[str, list[str]] = defaultdict(list)
    for body in journalled(home, "TargetAccepted"):
        accepted[body["name"]].append(body["target_id"])
    ends = list(journalled(home, "RunFinished"))
    final = Counter(body["target_id"] for body in ends)
    found.results = Counter(f"{body['status']} {body['reason']}".strip() for body in ends)
    for name in files.names:
        targets, on_file = accepted[name], list((inbox / "results").glob(f"{name}.*.result.json"))
        if [final[target] for target in targets] != [1] or len(on_file) != 1:
            blame(f"{name}: targets {targets}, results {[final[each] for each in targets]}, on file {len(on_file)}")
            found.violations += _story(home, targets)
        elif json.loads(on_file[0].read_text(encoding="utf-8"))["status"] not in FINAL:
            blame(f"{name}: {on_file[0].name} tells no final result")
        else:
            found.files_with_one_final_result += 1
    rejected = Counter(body["name"] for body in journalled(home, "TargetRejected"))
    if rejected != Counter(files.copies):
        blame(f"refused {rejected}, copies were {files.copies}")
    filed = sorted(path.name for path in (inbox / "accepted").iterdir())
    receipts = sorted(path.name.removesuffix(".reason.txt") for path in (inbox / "rejected").glob("*.reason.txt"))
    if filed != files.names or receipts != files.copies:
        blame(f"filed as accepted {filed}, receipts {receipts}")
    left = [path.name for folder in (inbox, inbox / ".claimed") for path in folder.iterdir() if path.is_file()]
    if left:
        blame(f"left over: {left}")


def _story(home: Home, targets: list[str]) -> list[str]:
    """What was journalled of the turns of these targets, around them the starts of the daemon's lives."""
    kinds = "'PlanningDue', 'RebalanceDue', 'RunStopOrdered', 'RunPaused', 'RunFinished', 'LinkReady'"
    with closing(connect(home.journal)) as connection:
        sql = f"SELECT id, cause, at, kind, body FROM message WHERE kind IN ({kinds}) ORDER BY id"
        rows = connection.execute(sql).fetchall()
    theirs = [index for index, row in enumerate(rows) if any(target in row[-1] for target in targets)]
    span = rows[max(min(theirs, default=0) - 2, 0) : max(theirs, default=0) + 3]
    return [f"  #{number}<-#{cause} {at} {kind} {body[:200]}" for number, cause, at, kind, body in span]


def _cut_runs_can_be_traced(home: Home, found: Judgement) -> None:
    """What was planned more than once; the one cut most often is traced, with all its attempts."""
    attempts = Counter(body["run_id"] for body in journalled(home, "RebalanceDue"))
    if len({(body["run_id"], body["attempt"]) for body in journalled(home, "RebalanceDue")}) != attempts.total():
        found.violations.append("an attempt began twice")
    found.runs_cut = sum(number > 1 for number in attempts.values())
    found.runs_cut_twice = sum(number > 2 for number in attempts.values())
    ((run_id, found.attempts_max),) = attempts.most_common(1)
    told = qws("trace", run_id, "--home", home.root)
    kinds = Counter(told.out.split())
    is_told = kinds["RunFinished"] == 1 and kinds["RunPaused"] >= found.attempts_max - 1
    if told.code != 0 or kinds["RebalanceDue"] != found.attempts_max or not is_told:
        found.violations.append(f"trace {run_id} exits {told.code}, {found.attempts_max} attempts: {told.out[:2000]}")
