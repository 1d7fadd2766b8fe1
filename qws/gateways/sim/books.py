"""The paper account's memory: one SQLite file, one transaction per call, committed before anybody hears of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.errors import InvariantBroken, StoreError
from qws.gateways.sim.account import Account, Holding, Ticket

_SCHEMA = """
CREATE TABLE IF NOT EXISTS account (one INTEGER PRIMARY KEY CHECK (one = 1), day TEXT, serial INTEGER, cash TEXT);
CREATE TABLE IF NOT EXISTS holdings (
  code TEXT PRIMARY KEY, shares INTEGER, bought INTEGER, opened INTEGER, cost TEXT);
CREATE TABLE IF NOT EXISTS orders (
  serial INTEGER PRIMARY KEY, day TEXT, tag TEXT, code TEXT, side TEXT, shares INTEGER, price TEXT, status INTEGER,
  at TEXT, due TEXT, verdict TEXT, message TEXT, traded INTEGER, amount TEXT, fee TEXT, fee_bound TEXT,
  arriving INTEGER, cancel_asked INTEGER, arrives TEXT, ahead INTEGER DEFAULT 0, since INTEGER DEFAULT -1);
CREATE TABLE IF NOT EXISTS trades (
  trade_id TEXT PRIMARY KEY, day TEXT, order_id TEXT, tag TEXT, code TEXT, side TEXT, shares INTEGER, price TEXT,
  at TEXT, fee TEXT);
"""


@dataclass(slots=True)
class State:
    """Everything of one day that a restart must find again. By order id: the newest report of every order, in the
    order of entry, and the tickets of those that may still trade (a day may have thousands that ended)."""

    account: Account
    day: date
    serial: int = 1_000_000
    orders: dict[str, BrokerOrder] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)

    def report(self, ticket: Ticket) -> BrokerOrder:
        """The row of an order as it is told from now on."""
        row = self.orders[ticket.order_id] = ticket.report()
        return row

    def begin(self, day: date) -> None:
        """A new day with new lists: what was bought may be sold, yesterday's orders are gone."""
        self.day, self.orders, self.tickets, self.trades = day, {}, {}, []
        held = [holding for holding in self.account.holdings.values() if holding.shares]
        self.account.holdings = {one.code: Holding(one.code, one.shares, 0, one.shares, one.cost) for one in held}


@dataclass(frozen=True, slots=True)
class Opening:
    """What a new account starts with: CNY, (code, shares, of these sellable today), and average costs, CNY a share."""

    cash: Decimal
    positions: tuple[tuple[str, int, int], ...]
    costs: tuple[tuple[str, Decimal], ...] = ()  # a code that is not here cost nothing, and no stop looks at its cost


def opened(opening: Opening, day: date) -> State:
    """The state of a new account on its first day."""
    account, costs = Account(opening.cash), dict(opening.costs)
    for code, shares, sellable in opening.positions:
        cost = shares * costs.get(code, Decimal(0))
        account.holdings[code] = Holding(code, shares, shares - sellable, shares, cost)
        account.check(code)
    return State(account, day)


def audit(state: State) -> None:
    """Raise InvariantBroken where the day's fills do not explain the day's change of a position."""
    fills: dict[str, int] = {}
    for trade in state.trades:
        signed = trade.shares if trade.side is Side.BUY else -trade.shares
        fills[trade.code] = fills.get(trade.code, 0) + signed
    for code, held in state.account.holdings.items():
        if held.shares != held.opened + fills.get(code, 0):
            raise InvariantBroken(f"paper account: {held} does not add up with fills of {fills.get(code, 0)}")


class Books:
    """The file. `path` None keeps everything in memory. Raises StoreError when it cannot be read or written."""

    def __init__(self, path: Path | None) -> None:
        try:
            self._db = sqlite3.connect(":memory:" if path is None else str(path), isolation_level=None)
        except sqlite3.Error as error:
            raise StoreError(f"paper account file {path}: {error}") from error
        try:
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.execute("PRAGMA cache_size=-256")  # KiB: rows are written at the end, and read only at a start
            self._db.executescript(_SCHEMA)
            known = {row[1] for row in self._db.execute("PRAGMA table_info(orders)")}
            for column in ("arrives TEXT", "ahead INTEGER DEFAULT 0", "since INTEGER DEFAULT -1"):
                if column.split()[0] not in known:  # a file of an earlier version
                    self._db.execute(f"ALTER TABLE orders ADD COLUMN {column}")
        except sqlite3.Error as error:
            self._db.close()
            raise StoreError(f"paper account file {path}: {error}") from error

    def load(self) -> State | None:
        """What the file holds of its newest day, working orders reserved again; None for a new file."""
        try:
            return self._load()
        except sqlite3.Error as error:
            raise StoreError(f"paper account: {error}") from error

    def _load(self) -> State | None:
        row = self._db.execute("SELECT day, serial, cash FROM account").fetchone()
        if row is None:
            return None
        state = State(Account(Decimal(row[2])), date.fromisoformat(row[0]), row[1])
        for code, shares, bought, opened_with, cost in self._db.execute("SELECT * FROM holdings ORDER BY code"):
            state.account.holdings[code] = Holding(code, shares, bought, opened_with, Decimal(cost))
        for ticket in map(_ticket, self._db.execute("SELECT * FROM orders WHERE day = ? ORDER BY serial", (row[0],))):
            state.report(ticket)
            if not ticket.status.is_terminal:
                state.tickets[ticket.order_id] = ticket
                if not ticket.verdict:
                    state.account.reserve(ticket)
        query = "SELECT trade_id, order_id, tag, code, side, shares, price, at, fee FROM trades WHERE day = ?"
        for found in self._db.execute(query + " ORDER BY rowid", (row[0],)):
            state.trades.append(_trade(found))
        return state

    def save(self, state: State, tickets: Iterable[Ticket], codes: Iterable[str], trades: Iterable[Trade]) -> None:
        """Commit the account and whatever changed with it: these tickets, holdings and new trades.

        Tickets of orders that have ended are let go of.
        """
        day, tickets = state.day.isoformat(), list(tickets)
        holdings = [held for code in codes if (held := state.account.holdings.get(code)) is not None]
        try:
            self._db.execute("BEGIN")
            self._db.execute(
                "INSERT OR REPLACE INTO account VALUES (1, ?, ?, ?)", (day, state.serial, str(state.account.cash))
            )
            self._db.executemany(
                "INSERT OR REPLACE INTO holdings VALUES (?,?,?,?,?)", [_holding_row(held) for held in holdings]
            )
            self._db.executemany(
                f"INSERT OR REPLACE INTO orders VALUES ({','.join('?' * 21)})",  # noqa: S608 - placeholders only
                [_row(ticket, day) for ticket in tickets],
            )
            self._db.executemany(
                "INSERT INTO trades VALUES (?,?,?,?,?,?,?,?,?,?)", [_trade_row(trade, day) for trade in trades]
            )
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"paper account: {error}") from error
        for ticket in tickets:
            if ticket.status.is_terminal:
                state.tickets.pop(ticket.order_id, None)

    def turn(self, state: State) -> None:
        """Begin `state.day`: write all holdings and forget orders and trades older than the day before it."""
        day = state.day.isoformat()
        try:
            last = self._db.execute("SELECT max(day) FROM orders WHERE day < ?", (day,)).fetchone()[0]
            self._db.execute("BEGIN")
            self._db.execute("DELETE FROM holdings")
            self._db.execute("DELETE FROM orders WHERE day < ?", (last or day,))
            self._db.execute("DELETE FROM trades WHERE day < ?", (last or day,))
            self._db.executemany(
                "INSERT INTO holdings VALUES (?,?,?,?,?)", map(_holding_row, state.account.holdings.values())
            )
            self._db.execute(
                "INSERT OR REPLACE INTO account VALUES (1, ?, ?, ?)", (day, state.serial, str(state.account.cash))
            )
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            raise StoreError(f"paper account: {error}") from error

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()


def _row(ticket: Ticket, day: str) -> tuple[object, ...]:
    ask = ticket.request
    return (
        ticket.serial, day, ask.tag, ask.code, ask.side.value, ask.shares, str(ask.price), int(ticket.status),
        ticket.at.isoformat(), ticket.due.isoformat(), ticket.verdict, ticket.message, ticket.traded,
        str(ticket.amount), str(ticket.fee), str(ticket.fee_bound), ticket.arriving, ticket.cancel_asked,
        ticket.arrives.isoformat() if ticket.arriving and ticket.arrives is not None else None,
        ticket.ahead, ticket.since,
    )  # fmt: skip


def _ticket(row: tuple[object, ...]) -> Ticket:
    serial, _, tag, code, side, shares, price, status, at, due, verdict, message, traded, amount, fee, bound, *flags = (
        row
    )
    return Ticket(
        int(str(serial)),
        OrderRequest(str(tag), str(code), Side(str(side)), int(str(shares)), Decimal(str(price))),
        OrderStatus(int(str(status))),
        datetime.fromisoformat(str(at)),
        datetime.fromisoformat(str(due)),
        str(verdict),
        str(message),
        int(str(traded)),
        Decimal(str(amount)),
        Decimal(str(fee)),
        Decimal(str(bound)),
        bool(flags[0]),
        bool(flags[1]),
        None if flags[2] is None else datetime.fromisoformat(str(flags[2])),
        int(str(flags[3])),
        int(str(flags[4])),
    )


def _trade(row: tuple[object, ...]) -> Trade:
    trade_id, order_id, tag, code, side, shares, price, at, fee = (str(value) for value in row)
    return Trade(
        trade_id, order_id, tag, code, Side(side), int(shares), Decimal(price), datetime.fromisoformat(at), Decimal(fee)
    )


def _holding_row(held: Holding) -> tuple[object, ...]:
    return held.code, held.shares, held.bought, held.opened, str(held.cost)


def _trade_row(trade: Trade, day: str) -> tuple[object, ...]:
    return (
        trade.trade_id, day, trade.order_id, trade.tag, trade.code, trade.side.value, trade.shares, str(trade.price),
        trade.at.isoformat(), str(trade.fee),
    )  # fmt: skip
