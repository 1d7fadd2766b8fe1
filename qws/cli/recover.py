"""`qws recover --dry-run`: what the next start would do with what a kill left behind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import click

from qws import messages as m
from qws.cli.options import echo, home_option, json_option, leave, print_json
from qws.cli.table import Column, table
from qws.config import load_config
from qws.domain.orders import BrokerOrder, OrderStatus
from qws.domain.tags import day_part, make_tag, same_day_part
from qws.errors import AlreadyRunning
from qws.home import Home
from qws.recovery import Recovery, look_ahead
from qws.runtime.clock import SystemClock
from qws.store.reading import Record
from qws.terminal_look import TerminalLook

_TERMINAL = frozenset(status.name.lower() for status in OrderStatus if status.is_terminal)
_IS_THE_START = "starting the daemon is the recovery: `qws run`; `qws recover --dry-run` shows what it would do"
_TABLES: tuple[tuple[str, str, tuple[str, ...]], ...] = (  # key of the document, heading, columns
    ("runs", "runs without a result", ("run_id", "part", "target_id", "day", "attempt", "phase", "text")),
    ("orders", "orders without an end in the journal", ("tag", "stock_code", "side", "shares", "journal", "text")),
    ("fills_not_journalled", "fills that the journal lacks", ("tag", "stock_code", "side", "shares", "price")),
    ("orders_not_journalled", "orders that the journal lacks", ("tag", "order_id", "stock_code", "side", "status")),
    ("files", "files", ("name", "where", "text")),
)


@click.command()
@click.option("--dry-run", is_flag=True, help="Only show it; nothing on the disk is changed.")
@home_option
@json_option
@click.pass_context
def recover(ctx: click.Context, home: Home, *, dry_run: bool, as_json: bool) -> None:
    """Show what the next start would do after a kill: runs, orders, files; exit 1 when a person is needed."""
    try:
        if not dry_run:
            raise AlreadyRunning(_IS_THE_START)
        config, clock = load_config(home.config_file), SystemClock()
        look = TerminalLook(home, config, clock) if config.broker.kind == "xt" else None
        found = document(look_ahead(home, config, clock.now(), look), config.link.absent_after_s)
    except AlreadyRunning as refusal:
        if as_json:
            print_json({"status": "refused", "text": str(refusal)})
        else:
            echo(f"recover: {refusal}", err=True)
        ctx.exit(2)
    if as_json:
        print_json(found)
    else:
        _show(home, found)
    leave(ctx, 1 if found["alarms"] else 0, stuck_threads=look.stuck_threads if look is not None else 0)


def document(found: Recovery, absent_after_s: float) -> dict[str, list[Record] | Record | str | bool]:
    """What `--json` prints: runs, orders, fills and files with what becomes of each, and what needs a person."""
    orders = list(_orders(found, absent_after_s))
    runs = [*_runs(found), *_new_runs(found)]
    behind = [_listed(order) for order in _journal_lacks(found)]
    news = [each.body.trade for each in found.told if isinstance(each.body, m.FillReceived)]
    fills: list[Record] = [
        {"trade_id": t.trade_id, "tag": t.tag, "stock_code": t.code, "side": str(t.side), "shares": t.shares,
         "price": float(t.price)}
        for t in news
    ]  # fmt: skip
    alarms = list(_alarms(found, orders, runs, behind))
    lists = found.lists
    return {
        "status": "needs_person" if alarms else "ready",
        "at": found.at.isoformat(),
        "halted": found.is_halted,
        "waiting": list(found.asked),
        "broker": {
            "answers": lists is not None,
            "text": found.silence,
            "orders": len(lists.orders) if lists else None,
            "trades": len(lists.trades) if lists else None,
        },
        "runs": runs,
        "orders": orders,
        "fills_not_journalled": fills,
        "orders_not_journalled": behind,
        "files": list(_files(found)),
        "alarms": alarms,
    }


def _runs(found: Recovery) -> Iterator[Record]:
    """The runs without a final result, and what becomes of each."""
    stopped = {each.body.due.run_id for each in found.told if isinstance(each.body, m.RunStopOrdered)}
    for due, phase in found.runs:
        is_cut = due.run_id in stopped
        code, text = _verdict(found, due, is_cut=is_cut)
        part = "cut" if is_cut or found.lists is None else "overtaken" if code == "superseded" else "waiting"
        yield {**_due(due), "part": part, "phase": phase, "verdict": code, "text": text}


def _new_runs(found: Recovery) -> Iterator[Record]:
    """Runs that only the next start begins: a target that had no turn yet, a file that waits."""
    known = {due.run_id for due, _ in found.runs}
    for envelope in found.told:
        match envelope.body:
            case m.RebalanceDue() as due if due.run_id not in known:
                known.add(due.run_id)
                code, text = _verdict(found, due, is_cut=False)
                yield {**_due(due), "part": "new", "phase": "", "verdict": code, "text": text}
            case _:
                pass


def _due(due: m.RebalanceDue) -> Record:
    return {"run_id": due.run_id, "target_id": due.target_id, "day": due.day.isoformat(), "attempt": due.attempt}


def _verdict(found: Recovery, due: m.RebalanceDue, *, is_cut: bool) -> tuple[str, str]:
    """What the rehearsal told of a run first: its next turn, or its end."""
    if found.lists is None:
        return "waits_for_broker", "waits for the broker: nothing is decided before its lists have been read"
    followed = "will be followed to its end and " if is_cut else "will be "
    for envelope in found.told:
        match envelope.body:
            case m.SnapshotDue(run_id=due.run_id, attempt=attempt):
                again = f"planned again as attempt {attempt}" if is_cut else f"planned as attempt {attempt}"
                return "planned", followed + again
            case m.RunFinished(run_id=due.run_id, status="superseded"):
                return "superseded", f"{followed}refused (superseded)"
            case m.RunFinished(run_id=due.run_id, status=status, reason=reason):
                return reason or status, f"ends as {reason or status}"
            case _:
                pass
    return "open", "no end is in sight: some of its orders stay without an answer"


def _orders(found: Recovery, absent_after_s: float) -> Iterator[Record]:
    """Every intent of the day, and of older days what has no end; with what the lists say of it."""
    today = day_part(found.at.date())
    listed = {order.tag: order for order in found.lists.orders} if found.lists else {}
    open_runs = {due.run_id for due, _ in found.runs}
    for row in found.orders:
        tag, is_open = str(row["tag"]), row["status"] not in _TERMINAL
        is_past = same_day_part(tag) != today
        if not row["run_id"] or (is_past and not (is_open and row["run_id"] in open_runs)):
            continue
        order = listed.get(tag)
        if is_past:
            code, text = "past_day", "of a past day: no list shows it any more, nobody can say what became of it"
        elif found.lists is None:
            code, text = "unknown", "the broker does not answer"
        elif order is not None:
            code, text = "found", f"{order.order_id} {order.status.name.lower()}, {order.traded} of {order.shares}"
        elif row["order_id"]:
            code, text = "vanished", f"the journal knows it as {row['order_id']}, the lists do not show it"
        elif not is_open:
            code, text = "written_off", f"{row['message']}; not listed"
        else:
            code, text = "not_listed", f"would be looked for {absent_after_s:g} s, then written off"
        yield {
            **{name: row[name] for name in ("tag", "run_id", "stock_code", "side", "shares", "price")},
            "journal": row["status"],
            "found": code,
            "order_id": order.order_id if order else row["order_id"],
            "status": order.status.name.lower() if order else None,
            "traded": order.traded if order else None,
            "text": text,
        }


def _journal_lacks(found: Recovery) -> Iterator[BrokerOrder]:
    """Orders of today at the broker that begin as our tags do, without an intent."""
    intents = {str(row["tag"]) for row in found.orders if row["run_id"]}
    start = _tag_start(found.at.date())
    for order in found.lists.orders if found.lists else ():
        if order.tag.startswith(start) and order.tag not in intents:
            yield order


def _tag_start(day: date) -> str:
    tag = make_tag(day, "", 0, 0)
    return tag[: tag.index(day_part(day)) + len(day_part(day))]


def _listed(order: BrokerOrder) -> Record:
    return {
        "tag": order.tag, "order_id": order.order_id, "stock_code": order.code, "side": str(order.side),
        "shares": order.shares, "traded": order.traded, "status": order.status.name.lower(),
    }  # fmt: skip


def _files(found: Recovery) -> Iterator[Record]:
    answers: dict[str, str] = {}
    for envelope in found.told:
        match envelope.body:
            case m.TargetAccepted(name=name, target_id=target_id):
                answers.setdefault(name, f"will be accepted as target {target_id}")
            case m.TargetRejected(name=name, refusals=refusals):
                answers.setdefault(name, f"will be refused: [{refusals[0].code}] {refusals[0].text}")
            case _:
                pass
    for where, names in (("claimed", found.left), ("inbox", found.dropped)):
        filed = "was answered, will be filed away" if where == "claimed" else "will be read when nobody writes it"
        for name in names:
            yield {"name": name, "where": where, "text": answers.get(name, "" if found.lists is None else filed)}


def _alarms(found: Recovery, orders: list[Record], runs: list[Record], behind: list[Record]) -> Iterator[Record]:
    """What a person should look at before the daemon starts."""
    if found.lists is None:
        yield _alarm("broker_silent", f"{found.silence}; until it answers nothing is settled and nothing is sent")
    for order in behind:
        text = (
            f"order {order['order_id']} ({order['side']} {order['shares']} {order['stock_code']}, {order['status']}) at"
            f" the broker has our tag {order['tag']} and no intent here: the journal lost writes, or a second"
            " installation trades this account; find out which before you start"
        )
        yield _alarm("journal_behind", text)
    for order in orders:
        if order["found"] in ("past_day", "vanished"):
            text = f"{order['side']} {order['shares']} {order['stock_code']} [{order['tag']}]: {order['text']}"
            yield _alarm(f"order_{order['found']}", f"{text}; compare the account with the broker's own record")
    for run in runs:
        if run["verdict"] in ("open", "unknown"):
            yield _alarm(f"run_{run['verdict']}", f"run {run['run_id']} {run['text']}")


def _alarm(code: str, text: str) -> Record:
    return {"code": code, "text": text}


def _show(home: Home, found: dict[str, list[Record] | Record | str | bool]) -> None:
    broker = found["broker"]
    assert isinstance(broker, dict)
    echo(f"no daemon runs in {home.root}; a start at {str(found['at'])[:19].replace('T', ' ')} would do this:")
    echo("trading is halted; `qws resume` allows it again" if found["halted"] else "trading is not halted")
    for asked in _records(found["waiting"]):
        echo(f"takes effect first: {asked['command']} by {asked['by']}")
    lists = f"lists {broker['orders']} orders and {broker['trades']} trades of today"
    echo(f"the broker {lists if broker['answers'] else 'does not answer: ' + str(broker['text'])}")
    for key, title, names in _TABLES:
        rows = _records(found[key])
        shown = [row for row in rows if key != "orders" or not _is_settled(row)]
        if shown:
            columns = [Column(name, ",.3f" if name == "price" else "") for name in names]
            echo(f"\n{title}\n{table(columns, [[row[name] for name in names] for row in shown])}")
        if len(shown) < len(rows):
            echo(f"\nsettled orders of the day: {len(rows) - len(shown)}")
    if not found["runs"] and not found["files"]:
        echo("\nnothing to do")
    for alarm in _records(found["alarms"]):
        echo(f"\nneeds a person: [{alarm['code']}] {alarm['text']}")


def _is_settled(order: Record) -> bool:
    is_same = order["found"] == "found" and order["status"] == order["journal"]
    return order["journal"] in _TERMINAL and (is_same or order["found"] in ("written_off", "unknown"))


def _records(part: list[Record] | Record | str | bool) -> list[Record]:
    assert isinstance(part, list)
    return part
