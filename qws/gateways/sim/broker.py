"""The simulated exchange behind the ports `Broker` and `Quotes`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from datetime import date
from decimal import Decimal

from qws.domain.account import Asset, Position
from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.gateways.sim.bars import Bars
from qws.gateways.sim.exchange import SimExchange
from qws.gateways.sim.history import daily_bars
from qws.gateways.sim.market import SimMarket
from qws.gateways.sim.quirks import PERFECT, Quirks, seen_quote
from qws.ports import BrokerEvent, Clock


class PaperBroker:
    """A `Broker` that trades on a `SimExchange`; it sleeps until the exchange has something to say, and never polls."""

    def __init__(self, exchange: SimExchange, clock: Clock) -> None:
        self._exchange, self._clock = exchange, clock
        self._poked = asyncio.Event()
        self._is_closed = False

    async def open(self) -> None:
        """Be ready at once; what happened since the account was last used comes as events."""
        self._is_closed = False

    async def close(self) -> None:
        """End the stream of events; working orders go on living in the account's file."""
        self._is_closed = True
        self._poked.set()

    async def place(self, order: OrderRequest) -> str:
        """Hand one order over; it is on disk when this returns."""
        order_id = self._exchange.submit(order, self._clock.now())
        self._poked.set()
        return order_id

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel."""
        self._exchange.cancel(order_id, self._clock.now())
        self._poked.set()

    async def asset(self) -> Asset:
        """The account's money now."""
        return self._exchange.asset(self._clock.now())

    async def positions(self) -> tuple[Position, ...]:
        """All holdings with shares > 0."""
        return self._exchange.positions(self._clock.now())

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of today."""
        return self._exchange.orders(self._clock.now())

    async def trades(self) -> tuple[Trade, ...]:
        """Every fill of today."""
        return self._exchange.trades(self._clock.now())

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Order reports and fills, as they come, until `close`. One consumer at a time."""
        while not self._is_closed:
            self._poked.clear()
            for event in self._exchange.advance(self._clock.now()):
                yield event
            due = self._exchange.next_due()
            wait_s = None if due is None else max((due - self._clock.now()).total_seconds(), 0.0)
            try:
                async with asyncio.timeout(wait_s):
                    await self._poked.wait()
            except TimeoutError:
                continue


class PaperQuotes:
    """`Quotes` of a `SimMarket`; index closes come from `indexes`, which may be another source of bars.

    `quirks` are the faults of the feed, none unless they are asked for.
    """

    def __init__(self, market: SimMarket, indexes: Bars, clock: Clock, quirks: Quirks = PERFECT) -> None:
        self._market, self._indexes, self._clock, self._quirks = market, indexes, clock, quirks

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        """The five-level snapshot of each known code."""
        now = self._clock.now()
        found = ((code, seen_quote(self._market, self._quirks, code, now)) for code in codes)
        return {code: quote for code, quote in found if quote is not None}

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        """Today's record of each known code."""
        now = self._clock.now()
        found = ((code, self._market.instrument(code, now)) for code in codes)
        return {code: instrument for code, instrument in found if instrument is not None}

    async def index_close(self, code: str, day: date) -> Decimal | None:
        """The closing level of an index on `day`, or None where there is none."""
        bar = self._indexes.bar(code, day)
        return None if bar is None else bar.close

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        """The sessions before today of each known code."""
        today = self._clock.now().date()
        found = ((code, daily_bars(self._market, code, today, days)) for code in codes)
        return {code: bars for code, bars in found if bars}
