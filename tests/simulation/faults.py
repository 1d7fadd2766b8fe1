"""Broker and quotes behind a bad line. What goes wrong here is what the ports allow an adapter to do."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Never, TypeVar

from qws.domain.account import Asset, Position
from qws.domain.market import Instrument, Level, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.domain.prices import half_up
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.sim.broker import PaperBroker, PaperQuotes
from qws.gateways.sim.market import SimMarket
from qws.gateways.sim.quirks import Quirks
from qws.ports import BrokerEvent, Clock
from tests.simulation.life import Life
from tests.simulation.line import Line
from tests.simulation.weather import GHOST_S

T = TypeVar("T")
_DEADLINE_S = 5.0
_TIMES = (Decimal("0.1"), Decimal("10"), Decimal("0.94"), Decimal("1.06"))


class FaultyBroker(PaperBroker):
    """The paper broker of one life, through the line."""

    def __init__(self, line: Line, life: Life, clock: Clock) -> None:
        super().__init__(line.terminal, clock)
        self._line, self._life, self._weather, self._terminal = line, life, line.weather, line.terminal
        self._queue: deque[BrokerEvent] = deque()
        self._held_back: list[BrokerEvent] = []
        line.tell, line.wake = self._tell, self._poked.set

    async def open(self) -> None:
        """Wait until the line is there."""
        while self._line.is_down(self._clock.now()):
            await self._clock.sleep(1.0)

    async def place(self, order: OrderRequest) -> str:
        """Hand one order over; it may not arrive, arrive late, be turned down, or be answered with silence."""
        await self._reach()
        now, weather = self._clock.now(), self._weather
        self._line.watcher.on_handed(order, now)
        if weather.strikes("order_never_left"):
            await self._time_out("place")
        if weather.strikes("ghost_order"):
            self._line.others.late.add(order.tag)
            late_s = weather.between("ghost_order", 0.5, GHOST_S)
            self._line.outside.at(now + timedelta(seconds=late_s), partial(self._arrive_late, order))
            await self._time_out("place")
        if weather.strikes("reject_storm"):
            self._terminal.mood.refuses_next = True
        order_id = self._arrive(order, now)
        await self._life.after_call()
        if weather.strikes("order_slow"):
            await self._clock.sleep(weather.between("order_slow", 0.2, _DEADLINE_S))
        if weather.strikes("ack_lost"):
            await self._time_out("place")
        return self._line.shown_id(order_id, now)

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel; it may get lost, or never be confirmed."""
        await self._reach()
        now, weather, true_id = self._clock.now(), self._weather, self._line.true_id(order_id, self._clock.now())
        self._line.watcher.on_cancelled(true_id, now)
        if weather.strikes("cancel_lost"):
            await self._time_out("cancel")
        if not any(order.order_id == true_id for order in self._terminal.working()):
            weather.note("cancel_too_late")
        elif weather.strikes("cancel_unconfirmed"):
            self._line.unconfirmed.add(true_id)
            return
        self._line.unconfirmed.discard(true_id)
        self._terminal.cancel(true_id, now)
        self._poked.set()
        await self._life.after_call()

    async def asset(self) -> Asset:
        """The account's money."""
        return await self._ask("asset", self._terminal.asset)

    async def positions(self) -> tuple[Position, ...]:
        """All holdings."""
        return await self._ask("positions", self._terminal.positions)

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of today."""
        return await self._ask("orders", lambda now: tuple(map(self._line.order_shown, self._terminal.orders(now))))

    async def trades(self) -> tuple[Trade, ...]:
        """Every fill of today."""
        return await self._ask("trades", lambda now: tuple(map(self._line.trade_shown, self._terminal.trades(now))))

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Reports and fills: lost, doubled, late and out of order; and what the line itself tells."""
        while not self._is_closed:
            self._poked.clear()
            await self._life.go_on()
            for event in self._terminal.advance(self._clock.now()):
                shown = self._line.trade_shown(event) if isinstance(event, Trade) else self._line.order_shown(event)
                self._travel(shown)
            while self._queue:
                yield self._queue.popleft()
            due = self._terminal.next_due()
            wait_s = None if due is None else max((due - self._clock.now()).total_seconds(), 0.0)
            try:
                async with asyncio.timeout(wait_s):
                    await self._poked.wait()
            except TimeoutError:
                continue

    def _travel(self, event: BrokerEvent) -> None:
        """One push on its way."""
        weather, now = self._weather, self._clock.now()
        if self._line.is_down(now) or weather.strikes("push_lost"):
            return
        if weather.strikes("push_late"):
            when = now + timedelta(seconds=weather.between("push_late", 0.5, 200))
            self._line.outside.at(when, lambda _: self._line.tell(event))
            return
        if not self._held_back and weather.threatens("push_reordered"):
            self._held_back.append(event)
            return
        self._queue.append(event)
        if weather.strikes("push_doubled"):
            self._queue.append(event)
        if self._held_back:
            weather.note("push_reordered")
            self._queue.append(self._held_back.pop())

    def _tell(self, event: BrokerEvent) -> None:
        if not self._life.died_of:
            self._queue.append(event)
            self._poked.set()

    def _arrive_late(self, order: OrderRequest, when: datetime) -> None:
        self._arrive(order, when)

    def _arrive(self, order: OrderRequest, when: datetime) -> str:
        order_id = self._terminal.submit(order, when)
        self._line.spoil(order, order_id, when)
        self._poked.set()
        return order_id

    async def _reach(self) -> None:
        await self._life.before_call()
        if self._line.is_down(self._clock.now()):
            raise GatewayLost("the terminal is not connected")

    async def _time_out(self, what: str) -> Never:
        self._line.silent_until = self._clock.now() + timedelta(seconds=_DEADLINE_S)
        await self._clock.sleep(_DEADLINE_S)
        raise GatewayTimeout(f"no answer to {what} within {_DEADLINE_S:.0f} s")

    async def _ask(self, what: str, answer: Callable[[datetime], T]) -> T:
        await self._reach()
        weather = self._weather
        if self._line.is_loading(self._clock.now()):
            weather.note("query_loading")
            raise GatewayError(f"{what}: the terminal is loading")
        if weather.strikes("query_error"):
            raise GatewayError(f"{what} failed")
        if weather.strikes("query_hang"):
            await self._time_out(what)
        now = self._clock.now()
        found = self._line.seen(what, now, answer(now))
        await self._life.after_call()
        return found


class FaultyQuotes(PaperQuotes):
    """The paper quotes of one life: missing, old, shallow and dirty ones."""

    def __init__(self, market: SimMarket, clock: Clock, line: Line, life: Life, quirks: Quirks) -> None:
        super().__init__(market, market.bars, clock, quirks)
        self._line, self._life, self._weather = line, life, line.weather

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        """The five-level snapshot of each code, or what the feed makes of it."""
        await self._life.before_call()
        if self._weather.strikes("quote_error"):
            raise GatewayTimeout("quotes: no answer")
        found = await super().quotes(codes)
        bent = {code: self._bent(quote) for code, quote in found.items() if not self._weather.strikes("quote_missing")}
        await self._life.after_call()
        return bent

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        """Today's record of each code."""
        await self._life.before_call()
        return await super().instruments(codes)

    def _bent(self, quote: Quote) -> Quote:
        weather, now = self._weather, self._clock.now()
        if weather.strikes("quote_stale"):
            old = self._market.quote(quote.code, now - timedelta(seconds=weather.between("quote_stale", 16, 120)))
            quote = old if old is not None else quote
        if len(quote.bids) > 1 and weather.strikes("quote_shallow"):
            quote = replace(quote, bids=quote.bids[:1], asks=quote.asks[:1])
        if quote.bids and quote.asks and weather.strikes("quote_dirty"):
            self._line.others.dirty.add(quote.code)
            quote = replace(quote, bids=quote.asks, asks=quote.bids)
        if self._line.others.may_mislead(quote.code, now) and weather.strikes("quote_absurd"):
            self._line.others.mislead(quote.code, now)
            quote = self._absurd(quote)
        return quote

    def _absurd(self, quote: Quote) -> Quote:
        """What is seen once: other prices, of which some are within the day's limits, none at all, or another time."""
        kind = int(self._weather.between("quote_absurd", 0, len(_TIMES) + 2))
        if kind < len(_TIMES):
            return times(quote, _TIMES[kind])
        if kind == len(_TIMES):
            return replace(quote, last=None, prev_close=Decimal(0), bids=(), asks=())
        return replace(quote, at=quote.at - timedelta(days=1))


def times(quote: Quote, part: Decimal) -> Quote:
    """The quote with all prices but the previous close so many times as high."""
    bids, asks = (tuple(Level(_on_tick(each.price * part), each.volume) for each in levels) for levels in
                  (quote.bids, quote.asks))  # fmt: skip
    return replace(quote, last=_on_tick(quote.last * part) if quote.last else None, bids=bids, asks=asks)


def _on_tick(price: Decimal) -> Decimal:
    return half_up(price, Decimal("0.01"))
