"""What commands read: the daemon's read models, without waiting for it and without importing what it needs.

Standard library only: `qws status` must answer in the time it takes to start Python. Money becomes a JSON number here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from qws.domain.trading_state import TradingState
from qws.errors import StoreError
from qws.store.views_schema import VERSION

Record = dict[str, object]

_WAIT_S = 2.0  # for a writer's short transaction
_MONEY = frozenset(
    {"price", "fee", "fees", "value", "weight", "wanted", "achieved", "tracking_error", "bid", "ask", "last"}
    | {"total_asset", "cash", "frozen_cash", "market_value", "benchmark", "flow", "cost"}
)
_JSON = frozenset({"days", "dropped", "refusals", "told", "body", "differences"})

_RUNS = """SELECT run_id, file, sha256, status, started_at, finished_at, target_id, day, attempt, trigger, reason, text,
    total_asset, cash, fees, tracking_error FROM run"""
_ORDERS = """SELECT order_id, stock_code, side, shares, price, filled, status, time, tag, run_id, message FROM orders"""
_FILLS = """SELECT order_id, stock_code, side, shares, price, fee, time, trade_id, tag, run_id FROM fill"""
_ALERTS = """SELECT alert_id, at, severity, kind, key, text, acknowledged_by, acknowledged_at,
    (SELECT json_group_array(json_object('channel', channel, 'via', via, 'outcome', outcome, 'text', text, 'at', at))
        FROM (SELECT * FROM alert_told WHERE alert_told.alert_id = alert.alert_id ORDER BY at, channel)) AS told
    FROM alert"""
_EQUITY = """SELECT day, at, kind, run_id, total_asset, cash, frozen_cash, market_value, benchmark, flow
    FROM equity ORDER BY at, day, kind, run_id"""
# Of the newest 30 files: each is read as JSON. SQLite tells the day in Shanghai quicker than Python imports its clock.
_WAITING = """SELECT newest.day, file, newest.target_id, accepted_at, at AS starts_at, name AS run FROM (
        SELECT json_extract(each.value, '$.day') AS day, file, target_id, accepted_at, max(message_id),
            julianday(json_extract(each.value, '$.expires_at')) AS expires
        FROM (SELECT * FROM target ORDER BY message_id DESC LIMIT 30) AS target, json_each(days) AS each
        GROUP BY day) AS newest
    LEFT JOIN waits ON waits.target_id = newest.target_id AND waits.day = newest.day
    WHERE newest.day >= date('now', '+8 hours') AND coalesce(expires > julianday('now'), 1)
    AND NOT EXISTS (SELECT 1 FROM run WHERE run.target_id = newest.target_id AND run.day = newest.day)
    ORDER BY newest.day"""
_PLAN = """SELECT stock_code, side, shares, price, price_from, weight, held, sellable, wanted, fee, reason, attempt
    FROM plan_row WHERE run_id = ? AND attempt = (SELECT max(attempt) FROM plan_row WHERE run_id = ?) ORDER BY idx"""

# The run's own messages, what led to its start and to its target, and what they caused without naming a run. Meanwhile
# processes ended and began, the broker was lost and found, a person ordered something: each explains what follows it.
_TRACE = """WITH RECURSIVE
    own (id) AS (SELECT id FROM message WHERE run_id = :run AND run_id <> ''),
    root (id) AS (
        SELECT id FROM message WHERE run_id = :run AND kind = 'RebalanceDue'
        UNION SELECT message_id FROM target WHERE target_id = (SELECT target_id FROM run WHERE run_id = :run)),
    above (id, cause, far) AS (
        SELECT id, cause, 0 FROM message WHERE id IN (SELECT id FROM root)
        UNION ALL SELECT m.id, m.cause, far + 1 FROM message m JOIN above ON m.id = above.cause
        WHERE m.run_id IN ('', :run) AND far < 20)
    SELECT id, corr, cause, parent, at, sender, kind, run_id, line FROM message WHERE id IN (
        SELECT id FROM own UNION SELECT id FROM above
        UNION SELECT m.id FROM message m JOIN own ON m.cause = own.id WHERE m.run_id = '' AND m.kind <> 'SweepDue'
        UNION SELECT id FROM message
            WHERE kind IN ('Started', 'Stopping', 'LinkLost', 'LinkReady', 'ControlOrdered')
            AND id BETWEEN (SELECT min(id) FROM own) AND (SELECT max(id) FROM own))
    ORDER BY id"""


class Views:
    """Read-only access to the read models; every result is empty while no daemon has written any."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def runs(self) -> list[Record]:
        """Every run, oldest first; `finished_at` is None while it works."""
        return self._read(f"{_RUNS} ORDER BY started_at, rowid")

    def last_run(self) -> Record:
        """The newest run."""
        return self._first(f"{_RUNS} ORDER BY started_at DESC, rowid DESC LIMIT 1")

    def plan(self, run_id: str) -> list[Record]:
        """The rows of the run's newest plan, in the order in which they are sent."""
        return self._read(_PLAN, run_id, run_id)

    def orders(self, run_id: str | None = None) -> list[Record]:
        """Orders in the order of their intents; `order_id` is "" until the broker gave one."""
        return self._of_run(_ORDERS, run_id, "message_id, tag")

    def fills(self, run_id: str | None = None) -> list[Record]:
        """Fills as they were received; `fee` is None where it is not yet known."""
        return self._of_run(_FILLS, run_id, "message_id")

    def arrivals(self, run_id: str | None = None) -> list[Record]:
        """Best bid, best ask and last price of every name when its run first looked at the market."""
        return self._of_run("SELECT run_id, code, at, bid, ask, last FROM arrival", run_id, "run_id, code")

    def plans(self, run_id: str | None = None) -> list[Record]:
        """What every attempt of a run planned to trade, oldest first."""
        sql = "SELECT run_id, attempt, stock_code, side, shares, price FROM plan_row"
        return self._of_run(sql, run_id, "run_id, attempt, idx")

    def intents(self, run_id: str | None = None) -> list[Record]:
        """When the order of each tag was decided, oldest first."""
        sql = """SELECT run_id, stock_code, side, tag, at AS sent_at FROM (SELECT o.run_id, o.stock_code, o.side, o.tag,
            o.message_id, m.at FROM orders o JOIN message m ON m.id = o.message_id)"""
        return self._of_run(sql, run_id, "sent_at")

    def outcomes(self, run_id: str) -> list[Record]:
        """What became of every name of a finished run."""
        sql = "SELECT code, wanted, achieved, planned, filled, reason FROM outcome WHERE run_id = ? ORDER BY idx"
        return self._read(sql, run_id)

    def positions(self) -> dict[str, Record]:
        """What the account held when it was last looked at, by code."""
        rows = self._read("SELECT code, shares, sellable, value FROM position ORDER BY code")
        return {str(row.pop("code")): row for row in rows}

    def account(self) -> Record:
        """The account's money when it was last looked at, in CNY."""
        return self._first("SELECT total_asset, cash, frozen_cash, market_value, at FROM account")

    def equity(self) -> list[Record]:
        """Every recorded worth of the account, oldest first."""
        return self._read(_EQUITY)

    def targets(self) -> list[Record]:
        """Accepted files, oldest first, with their weights and dropped rows."""
        return self._read("SELECT target_id, file, sha256, accepted_at, days, dropped FROM target ORDER BY message_id")

    def targets_of(self, day: str) -> list[Record]:
        """Accepted files that have weights for a day and have not expired, oldest first."""
        sql = """SELECT target_id, file FROM target WHERE EXISTS (
            SELECT 1 FROM json_each(days) AS each WHERE json_extract(each.value, '$.day') = ?
            AND coalesce(julianday(json_extract(each.value, '$.expires_at')) > julianday('now'), 1))
            ORDER BY message_id"""
        return self._read(sql, day)

    def rejected(self) -> list[Record]:
        """Refused files, oldest first, with every reason."""
        return self._read("SELECT file, sha256, at, refusals FROM rejected ORDER BY id")

    def alerts(self, *, everything: bool) -> list[Record]:
        """Alerts that nobody has acknowledged, or all, oldest first; `told` says which channel took each."""
        return self._read(f"{_ALERTS} {'' if everything else 'WHERE acknowledged_at IS NULL'} ORDER BY message_id")

    def unseen(self) -> dict[str, int]:
        """How many alerts wait for somebody to acknowledge them, by severity."""
        rows = self._read(
            "SELECT severity, count(*) AS count FROM alert WHERE acknowledged_at IS NULL GROUP BY severity"
        )
        return {str(row["severity"]): int(str(row["count"])) for row in rows}

    def actors(self) -> list[Record]:
        """State, waiting and handled messages of every actor at the last heartbeat."""
        return self._read("SELECT name, state, inbox, handled FROM actor ORDER BY name")

    def daemon(self) -> Record:
        """What the daemon last said of itself; whether it lives is the lock's answer (`qws.store.lock.is_held`)."""
        return self._first("SELECT state, pid, started_at, heartbeat_at, version, mode, metrics FROM daemon")

    def silent_s(self) -> float | None:
        """Seconds since the daemon's last heartbeat, None before the first; SQLite reads the time, quicker than us."""
        row = self._first("SELECT (julianday('now') - julianday(heartbeat_at)) * 86400.0 AS silent_s FROM daemon")
        return float(str(row["silent_s"])) if row else None

    def applied_id(self) -> int:
        """The number of the newest message that is in these tables, 0 for none."""
        return int(str(self._first("SELECT applied_id FROM meta").get("applied_id", 0)))

    def is_halted(self) -> bool:
        """Whether the newest halt, reduce-only or resume that the daemon accepted was a halt."""
        return self.trading() is TradingState.HALTED

    def trading(self) -> TradingState:
        """Whether trading goes on, only reduces, or is halted."""
        return list(TradingState)[int(str(self._first("SELECT halted FROM meta").get("halted", 0)))]

    def held(self) -> list[Record]:
        """Runs whose plan waits for a person, with the rules that it breaks."""
        return self._read(f"{_RUNS} WHERE status = 'held' ORDER BY started_at, rowid")

    def limited_at(self) -> str | None:
        """When a person's order began that is in force, a halt or reduce-only; None while everything may trade."""
        row = self._first("SELECT at FROM message WHERE id = (SELECT since FROM meta WHERE halted != 0)")
        return str(row["at"]) if row else None

    def targets_waiting(self) -> list[Record]:
        """The newest accepted target of each day from today on that has no run yet, by day; of the newest 30 files.

        `starts_at` is the moment of the schedule at which it starts, None when none of its day is left.
        """
        return self._read(_WAITING)

    def missed(self) -> list[Record]:
        """Runs of the schedule that were missed in the last week, oldest first."""
        sql = "SELECT day, name, at FROM missed WHERE day >= date('now', '+8 hours', '-7 days') ORDER BY at, name"
        return self._read(sql)

    def waiting(self) -> list[Record]:
        """Orders of other processes that the daemon has not yet taken, oldest first."""
        return self._read("SELECT command, argument, by, asked_at FROM control WHERE answer IS NULL ORDER BY id")

    def reconciled(self, day: str = "") -> Record:
        """How the newest day, or this one, compared with the broker's lists; nothing when it was not."""
        sql = "SELECT * FROM reconciled WHERE day = coalesce(nullif(?, ''), (SELECT max(day) FROM reconciled))"
        return self._first(sql, day)

    def last_told(self, kind: str) -> Record:
        """When a message of this type was last told and its line, nothing when not among the newest 50,000."""
        sql = """SELECT at, line AS text FROM message WHERE id > (SELECT max(id) - 50000 FROM message) AND kind = ?
            ORDER BY id DESC LIMIT 1"""
        return self._first(sql, kind)

    def trace(self, run_id: str) -> list[Record]:
        """The messages of a run, in order; `depth` counts the listed messages above each one.

        Every attempt begins at the depth of the first. Between the first message and the last, starts and stops of
        the process are listed too: a `Started` without a `Stopping` before it tells that the process was cut off.
        """
        rows = self._read(_TRACE, {"run": run_id})
        depths: dict[object, int] = {}
        begins: int | None = None
        for row in rows:
            depth = depths.get(row["parent"], -1) + 1
            if row["kind"] == "RebalanceDue":
                begins = depth = depth if begins is None else begins
            row["depth"] = depths[row["id"]] = depth
        return rows

    def _of_run(self, sql: str, run_id: str | None, order: str) -> list[Record]:
        if run_id is None:
            return self._read(f"{sql} ORDER BY {order}")
        return self._read(f"{sql} WHERE run_id = ? ORDER BY {order}", run_id)

    def _first(self, sql: str, *parameters: str) -> Record:
        return next(iter(self._read(sql, *parameters)), {})

    def _read(self, sql: str, *parameters: str | Mapping[str, str]) -> list[Record]:
        if not self._path.exists():
            return []
        named = parameters[0] if parameters and isinstance(parameters[0], Mapping) else parameters
        with _opened(self._path, "ro") as connection:
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
            if version == 0:
                return []
            if version != VERSION:
                text = f"{self._path} was written by another version of this program; restart `qws run` to renew it"
                raise StoreError(text)
            cursor = connection.execute(sql, named)
            names = [column[0] for column in cursor.description]
            return [_record(names, row) for row in cursor]


def ask(path: Path, command: str, argument: str, by: str, at: datetime) -> int:
    """Leave an order for the daemon in the control table; the number is for `answer_of`. Raises `StoreError`."""
    sql = "INSERT INTO control (command, argument, by, asked_at) VALUES (?, ?, ?, ?)"
    with _opened(path, "rw") as connection:
        return connection.execute(sql, (command, argument, by, at.isoformat())).lastrowid or 0


def answer_of(path: Path, id_: int) -> str | None:
    """What the daemon answered, None while it has not. Raises `StoreError`."""
    with _opened(path, "ro") as connection:
        row = connection.execute("SELECT answer FROM control WHERE id = ?", (id_,)).fetchone()
    return None if row is None or row[0] is None else str(row[0])


def withdraw(path: Path, id_: int) -> None:
    """Take back an order that the daemon has not answered, so that it does not fire later. Raises `StoreError`."""
    with _opened(path, "rw") as connection:
        connection.execute("UPDATE control SET answer = 'withdrawn' WHERE id = ? AND answer IS NULL", (id_,))


@contextmanager
def _opened(path: Path, mode: str) -> Iterator[sqlite3.Connection]:
    """A short connection; `ro` neither writes nor checkpoints, so that the daemon stays the only one that does."""
    try:
        address = f"{path.resolve().as_uri()}?mode={mode}"
        with closing(sqlite3.connect(address, uri=True, timeout=_WAIT_S, isolation_level=None)) as connection:
            yield connection
    except (sqlite3.Error, UnicodeDecodeError) as error:
        remedy = "start `qws run` in this home; it renews what is damaged"
        raise StoreError(f"{path} cannot be used ({error}): {remedy}") from error


def _record(names: Sequence[str], row: Sequence[str | int | None]) -> Record:
    record: Record = {}
    for name, value in zip(names, row, strict=True):
        if not isinstance(value, str):
            record[name] = value
        elif name in _JSON:
            record[name] = json.loads(value)
        else:
            record[name] = float(value) if name in _MONEY else value
    return record
