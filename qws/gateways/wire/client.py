"""The ports `Broker` and `Quotes` of an exchange that is a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from itertools import chain, repeat
from typing import TypeVar

import anyio
from loguru import logger

from qws.domain.account import Asset, Position
from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.errors import GatewayError, GatewayLost
from qws.gateways.wire import protocol as wire
from qws.gateways.wire.channel import Channel, dial
from qws.gateways.wire.protocol import Address, Call, Role
from qws.ports import BrokerEvent, Clock, LinkDown, LinkUp

A = TypeVar("A")
R = TypeVar("R")
_NEWS_MAX = 100_000
_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
_LAST_PAUSE_S = 10.0


class WireBroker:
    """A `Broker` at `address`. Calls are sent once, have a deadline, and raise while there is no connection.

    A lost connection is told as LinkDown, sought again with growing pauses whether or not anybody listens, and told as
    LinkUp: events of the time between are lost, the lists are not. The exchange lets one client trade.
    """

    def __init__(
        self, address: Address, clock: Clock, *, role: Role = "trade", deadline_s: float = wire.DEADLINE_S
    ) -> None:
        self._address, self._clock, self._role, self._deadline_s = address, clock, role, deadline_s
        self._channel: Channel | None = None
        self._news: asyncio.Queue[BrokerEvent | None] = asyncio.Queue()  # None: closed
        self._pausing: anyio.CancelScope | None = None
        self._seeking: asyncio.Task[None] | None = None
        self._is_closed = False

    async def open(self) -> None:
        """Connect; waits for as long as the exchange cannot be reached or lets somebody else trade."""
        await self.close()
        self._is_closed, self._news = False, asyncio.Queue()
        await self._connect(chain((0.0,), _PAUSES_S, repeat(_LAST_PAUSE_S)))

    async def close(self) -> None:
        """Let go of the connection and end the stream of events; working orders go on living at the exchange."""
        self._is_closed = True
        if self._pausing is not None:
            self._pausing.cancel()
        self._news.put_nowait(None)
        if self._channel is not None:
            self._channel.lost = None
            self._channel.end("closed")
            self._channel = None

    async def place(self, order: OrderRequest) -> str:
        """Hand one order over; it is on the exchange's disk when this returns."""
        return await self._ask(wire.PLACE, order)

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel."""
        await self._ask(wire.CANCEL, order_id)

    async def asset(self) -> Asset:
        """The account's money now."""
        return await self._ask(wire.ASSET, None)

    async def positions(self) -> tuple[Position, ...]:
        """All holdings with shares > 0."""
        return await self._ask(wire.POSITIONS, None)

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of today."""
        return await self._ask(wire.ORDERS, None)

    async def trades(self) -> tuple[Trade, ...]:
        """Every fill of today."""
        return await self._ask(wire.TRADES, None)

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Order reports, fills and link changes, as they come, until `close`. One consumer at a time."""
        while (event := await self._news.get()) is not None:
            yield event

    async def _ask(self, call: Call[A, R], ask: A) -> R:
        if self._channel is None:
            raise GatewayLost(f"{call.word}: there is no connection to the exchange at {self._address}")
        return await self._channel.call(call, ask)

    async def _connect(self, pauses_s: Iterable[float]) -> None:
        told = ""
        for pause_s in pauses_s:
            with anyio.CancelScope() as self._pausing:
                await self._clock.sleep(pause_s)
            if self._is_closed:
                return
            try:
                channel = await dial(self._address, self._role, self._deadline_s, self._hear)
            except GatewayError as error:
                if str(error) != told:
                    told = str(error)
                    logger.warning("waiting for the exchange: {}", told)
                continue
            if self._is_closed:
                return channel.end("closed")
            if not channel.reason:
                self._channel, channel.lost = channel, self._lose
                return logger.info("connected to the exchange at {}", self._address)

    def _hear(self, event: BrokerOrder | Trade) -> None:
        if self._news.qsize() < _NEWS_MAX:
            self._news.put_nowait(event)
        elif self._channel is not None:  # nobody listens: what was lost is read from the lists after LinkUp
            while not self._news.empty():
                self._news.get_nowait()
            self._channel.end(f"{_NEWS_MAX} events of the exchange at {self._address} waited for too long")

    def _lose(self, reason: str) -> None:
        self._channel = None
        self._news.put_nowait(LinkDown(reason))
        self._seeking = asyncio.get_running_loop().create_task(self._seek())

    async def _seek(self) -> None:
        await self._connect(chain(_PAUSES_S, repeat(_LAST_PAUSE_S)))
        if not self._is_closed:
            self._news.put_nowait(LinkUp())


class WireQuotes:
    """`Quotes` at `address`, over a connection that is made when it is needed. Every call has a deadline."""

    def __init__(self, address: Address, *, deadline_s: float = wire.DEADLINE_S) -> None:
        self._address, self._deadline_s = address, deadline_s
        self._channel: Channel | None = None
        self._dialling = asyncio.Lock()

    async def close(self) -> None:
        """Let go of the connection; the next call makes a new one."""
        if self._channel is not None:
            self._channel.end("closed")

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        """The five-level snapshot of each known code."""
        return await self._ask(wire.QUOTES, tuple(codes))

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        """Today's record of each known code."""
        return await self._ask(wire.INSTRUMENTS, tuple(codes))

    async def index_close(self, code: str, day: date) -> Decimal | None:
        """The closing level of an index on `day`, or None where there is none."""
        return await self._ask(wire.INDEX_CLOSE, (code, day))

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        """The sessions before today of each known code."""
        return await self._ask(wire.DAILY_BARS, (tuple(codes), days))

    async def _ask(self, call: Call[A, R], ask: A) -> R:
        async with self._dialling:
            if self._channel is None or self._channel.reason:
                self._channel = await dial(self._address, "read", self._deadline_s, lambda event: None)
        return await self._channel.call(call, ask)
