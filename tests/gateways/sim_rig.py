"""Builders for the tests of the simulated exchange."""

from __future__ import annotations

import sqlite3
import weakref
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

from qws.domain.calendar import AlwaysOpenCalendar
from qws.domain.fees import FeePlan
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.gateways.sim.agenda import Latency
from qws.gateways.sim.bars import Bar, Bars, GeneratedBars
from qws.gateways.sim.books import Books, Opening
from qws.gateways.sim.exchange import Event, SimExchange
from qws.gateways.sim.market import SHANGHAI, SimMarket
from qws.tables import load_calendar, load_rules

DAY = date(2026, 11, 19)
NEXT_DAY = date(2026, 11, 20)
PLAN = FeePlan(Decimal("0.00025"), Decimal(5), commission_includes_exchange_fees=True)
MILLION = Decimal(1_000_000)


def at(clock: str, day: date = DAY) -> datetime:
    """A time of day in Shanghai."""
    return datetime.combine(day, time.fromisoformat(clock), SHANGHAI)


def bar(opened: str, high: str, low: str, close: str, prev_close: str) -> Bar:
    """A bar from texts."""
    return Bar(Decimal(opened), Decimal(high), Decimal(low), Decimal(close), Decimal(prev_close))


def flat(price: str) -> Bar:
    """A day on which the price does not move."""
    return bar(price, price, price, price, price)


@dataclass
class FixedBars:
    """The same bar every day for each code; a code with only a last close is suspended."""

    bars: dict[str, Bar]
    closes: dict[str, Decimal] = field(default_factory=dict)

    def is_known(self, code: str) -> bool:
        return code in self.bars or code in self.closes

    def bar(self, code: str, day: date) -> Bar | None:
        del day
        return self.bars.get(code)

    def last_close(self, code: str, day: date) -> Decimal | None:
        del day
        return self.bars[code].prev_close if code in self.bars else self.closes.get(code)

    def codes(self, day: date) -> tuple[str, ...]:
        del day
        return tuple(sorted(self.bars))


def a_market(bars: Bars | None = None, *, seed: int = 7, always_open: bool = False) -> SimMarket:
    """A market on generated prices unless bars are given."""
    calendar = AlwaysOpenCalendar() if always_open else load_calendar()
    source = GeneratedBars(seed, calendar) if bars is None else bars
    return SimMarket(source, load_rules(), calendar, seed=seed, always_open=always_open)


def an_exchange(
    market: SimMarket,
    now: datetime,
    *,
    cash: Decimal = MILLION,
    positions: tuple[tuple[str, int, int], ...] = (),
    path: Path | None = None,
) -> SimExchange:
    """An exchange with one account; a second one on the same path continues it."""
    books = Books(path)
    exchange = SimExchange(market, books, PLAN, Opening(cash, positions), now, Latency())
    weakref.finalize(exchange, let_go, books)
    return exchange


def let_go(books: Books) -> None:
    """Close books that nobody uses any more; the collector may run in any thread, which SQLite does not like."""
    with suppress(sqlite3.ProgrammingError):
        books.close()


def buy(code: str, shares: int, price: Decimal | str, tag: str = "b") -> OrderRequest:
    """A limit buy."""
    return OrderRequest(tag, code, Side.BUY, shares, Decimal(price))


def sell(code: str, shares: int, price: Decimal | str, tag: str = "s") -> OrderRequest:
    """A limit sell."""
    return OrderRequest(tag, code, Side.SELL, shares, Decimal(price))


def play(exchange: SimExchange, until: datetime) -> list[Event]:
    """Wake the exchange whenever it asks to be, up to a time; all events in order."""
    events: list[Event] = []
    while (due := exchange.next_due()) is not None and due <= until:
        events += exchange.advance(due)
    return events + exchange.advance(until)


def statuses(events: list[Event], order_id: str) -> list[OrderStatus]:
    """The states an order went through."""
    return [event.status for event in events if isinstance(event, BrokerOrder) and event.order_id == order_id]


def fills(events: list[Event], order_id: str) -> list[Trade]:
    """The fills of an order."""
    return [event for event in events if isinstance(event, Trade) and event.order_id == order_id]


def status_of(exchange: SimExchange, order_id: str, now: datetime) -> BrokerOrder:
    """An order as the broker lists it."""
    return next(order for order in exchange.orders(now) if order.order_id == order_id)


def later(now: datetime, seconds: float) -> datetime:
    """Some seconds after a time."""
    return now + timedelta(seconds=seconds)
