"""A small deterministic broker: nothing happens unless a test says so, and everything that can go wrong can."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from qws.domain.account import Asset, Position
from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.errors import GatewayError
from qws.messages import LinkLost
from qws.ports import BrokerEvent, LinkDown
from qws.runtime.message import Message
from tests.support.builders import a_fill, a_report, an_asset

_MARK = "nothing more has come"


@dataclass
class FakeBroker:
    """`listed` and `fills` are what its lists show, `placed` and `cancelled` what it was asked.

    `place_error` is raised by `place`; `arrives` tells whether an order then reaches the list all the same, and
    `acknowledges` whether the answer tells its id.
    `query_errors` are raised by the next calls of `orders`, one each; `account_errors` by the next of `asset`.
    """

    money: Asset = field(default_factory=lambda: an_asset("1000000"))
    holdings: tuple[Position, ...] = ()
    listed: dict[str, BrokerOrder] = field(default_factory=dict)
    fills: list[Trade] = field(default_factory=list)
    placed: list[OrderRequest] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)
    place_error: GatewayError | None = None
    cancel_error: GatewayError | None = None
    arrives: bool = True
    acknowledges: bool = False
    query_errors: list[GatewayError] = field(default_factory=list)
    account_errors: list[GatewayError] = field(default_factory=list)
    later_accounts: list[tuple[Asset, tuple[Position, ...]]] = field(default_factory=list)
    pushed: asyncio.Queue[BrokerEvent | None] = field(default_factory=asyncio.Queue)

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        self.pushed.put_nowait(None)

    async def place(self, order: OrderRequest) -> str:
        self.placed.append(order)
        report = a_report(order, OrderStatus.REPORTED)
        if self.arrives:
            self.listed[order.tag] = report
        if self.place_error is not None:
            raise self.place_error
        return report.order_id if self.acknowledges else ""

    async def cancel(self, order_id: str) -> None:
        self.cancelled.append(order_id)
        if self.cancel_error is not None:
            raise self.cancel_error

    async def asset(self) -> Asset:
        if self.account_errors:
            raise self.account_errors.pop(0)
        money = self.money
        if self.later_accounts:
            self.money, self.holdings = self.later_accounts.pop(0)
        return money

    async def positions(self) -> tuple[Position, ...]:
        return self.holdings

    async def orders(self) -> tuple[BrokerOrder, ...]:
        if self.query_errors:
            raise self.query_errors.pop(0)
        return tuple(self.listed.values())

    async def trades(self) -> tuple[Trade, ...]:
        return tuple(self.fills)

    async def events(self) -> AsyncIterator[BrokerEvent]:
        while (event := await self.pushed.get()) is not None:
            yield event

    def moves(self, order: OrderRequest, status: OrderStatus, traded: int = 0) -> BrokerOrder:
        """The lists show the order in this state; the report of it."""
        report = a_report(order, status, traded)
        self.listed[order.tag] = report
        return report

    def trades_of(self, order: OrderRequest, shares: int, number: int = 1) -> Trade:
        """The lists show a fill; the report of it."""
        fill = a_fill(order, shares, number)
        self.fills.append(fill)
        return fill


@dataclass
class FakeQuotes:
    """Quotes and records as given; `errors` are raised by the next calls, one each."""

    known: Mapping[str, Quote] = field(default_factory=dict)
    records: Mapping[str, Instrument] = field(default_factory=dict)
    index: Decimal | None = None
    bars: Mapping[str, tuple[DailyBar, ...]] = field(default_factory=dict)
    errors: list[GatewayError] = field(default_factory=list)
    asked: list[tuple[str, ...]] = field(default_factory=list)

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        self.asked.append(tuple(codes))
        if self.errors:
            raise self.errors.pop(0)
        return {code: self.known[code] for code in codes if code in self.known}

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        return {code: self.records[code] for code in codes if code in self.records}

    async def index_close(self, code: str, day: date) -> Decimal | None:
        del code, day
        if self.errors:
            raise self.errors.pop(0)
        return self.index

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        if self.errors:
            raise self.errors.pop(0)
        return {code: self.bars[code][-days:] for code in codes if code in self.bars}


async def until_quiet(broker: FakeBroker, source: AsyncIterator[Message], *events: BrokerEvent) -> list[Message]:
    """Push events and collect what a link's source tells of them."""
    for event in (*events, LinkDown(_MARK)):
        broker.pushed.put_nowait(event)
    heard: list[Message] = []
    async for message in source:
        if message == LinkLost(_MARK):
            break
        heard.append(message)
    return heard


def of_another(report: BrokerOrder, tag: str) -> BrokerOrder:
    """The same report under another remark."""
    return replace(report, tag=tag, order_id=f"id-{tag}")
