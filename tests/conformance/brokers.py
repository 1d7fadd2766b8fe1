"""The brokers that must pass the same cards. A further adapter is one more entry in `KINDS`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.gateways.sim.broker import PaperBroker, PaperQuotes
from qws.gateways.sim.exchange import SimExchange
from qws.gateways.wire.client import WireBroker, WireQuotes
from qws.gateways.wire.protocol import Address
from qws.gateways.wire.server import WireServer
from qws.ports import Broker, BrokerEvent, LinkDown, LinkUp, Quotes
from qws.runtime.clock import SystemClock, VirtualLoop
from tests.gateways.sim_rig import FixedBars, a_market, an_exchange, at, flat

# Sessions and prices of the account that every card begins with.
BOUGHT, HELD, STOPPED, INDEX = "600000.SH", "600004.SH", "600006.SH", "000001.SH"
TEN = at("10:00:00")
CASH = Decimal(5_000_000)
OPENING = ((HELD, 3000, 2000),)
_PATIENCE_S = 10.0
NOWHERE = Address("127.0.0.1", 0)


class DayClock(SystemClock):
    """Seconds of the running loop from a given moment on; can be put ahead."""

    def __init__(self, start: datetime) -> None:
        self._start, self._began = start, asyncio.get_running_loop().time()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=asyncio.get_running_loop().time() - self._began)

    def put_to(self, moment: datetime) -> None:
        """Let it be that moment now."""
        self._start += moment - self.now()


@dataclass
class Ear:
    """Hears the events of one broker in a task of its own."""

    heard: list[BrokerEvent] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, broker: Broker) -> None:
        """Until the stream ends."""
        async for event in broker.events():
            self.heard.append(event)
            self._more.set()

    async def until(self, enough: Callable[[list[BrokerEvent]], bool]) -> None:
        """Wait for news until they are enough; fails when that takes too long."""
        async with asyncio.timeout(_PATIENCE_S):
            while not enough(self.heard):
                self._more.clear()
                await self._more.wait()

    def orders(self, tag: str) -> list[BrokerOrder]:
        """What was told of an order."""
        return [event for event in self.heard if isinstance(event, BrokerOrder) and event.tag == tag]

    def trades(self, tag: str) -> list[Trade]:
        """The fills that were told of an order."""
        return [event for event in self.heard if isinstance(event, Trade) and event.tag == tag]

    def links(self) -> list[type[BrokerEvent]]:
        """What was told of the connection."""
        return [type(event) for event in self.heard if isinstance(event, LinkDown | LinkUp)]


@dataclass
class Stand:
    """A broker with an account, its market, the time, and how to begin again over the same account."""

    broker: Broker
    quotes: Quotes
    clock: DayClock
    ear: Ear
    restart: Callable[[], Awaitable[None]]

    async def order(self, tag: str, side: Side, code: str, shares: int, price: Decimal) -> None:
        """Place."""
        await self.broker.place(OrderRequest(tag, code, side, shares, price))

    async def crossing(self, side: Side, code: str) -> Decimal:
        """A price that trades at once: three levels into the book."""
        quote = (await self.quotes.quotes((code,)))[code]
        return (quote.asks if side is Side.BUY else quote.bids)[2].price

    async def resting(self, side: Side, code: str) -> Decimal:
        """A legal price that nobody meets: the limit of the day on the far side."""
        record = (await self.quotes.instruments((code,)))[code]
        limit = record.limit_down if side is Side.BUY else record.limit_up
        assert limit is not None
        return limit

    async def ended(self, tag: str) -> BrokerOrder:
        """The order's last report, once it is one."""
        await self.ear.until(lambda _: any(order.status.is_terminal for order in self.ear.orders(tag)))
        return next(order for order in self.ear.orders(tag) if order.status.is_terminal)

    async def listed(self, tag: str) -> BrokerOrder:
        """The order as the broker lists it; there is exactly one."""
        (order,) = [order for order in await self.broker.orders() if order.tag == tag]
        return order


Opened = Callable[[Path], AbstractAsyncContextManager[Stand]]


def an_account(path: Path, now: datetime) -> SimExchange:
    """The account of every card: flat prices, one suspended name, one holding of which 1000 were bought today."""
    bars = FixedBars({BOUGHT: flat("10.00"), HELD: flat("20.00"), INDEX: flat("3500.00")}, {STOPPED: Decimal("5.00")})
    return an_exchange(a_market(bars), now, cash=CASH, positions=OPENING, path=path / "exchange.sqlite")


def papers(exchange: SimExchange, clock: DayClock) -> tuple[PaperBroker, PaperQuotes]:
    """The adapters of an exchange in this process."""
    return PaperBroker(exchange, clock), PaperQuotes(exchange.market, exchange.market.bars, clock)


@asynccontextmanager
async def heard_by(broker: Broker, ear: Ear) -> AsyncIterator[None]:
    """Open and listened to."""
    await broker.open()
    listening = asyncio.create_task(ear.listen(broker))
    try:
        yield
    finally:
        await broker.close()
        await listening


@asynccontextmanager
async def served(exchange: SimExchange, clock: DayClock, address: Address = NOWHERE) -> AsyncIterator[Address]:
    """The exchange behind a socket."""
    server, found = WireServer(*papers(exchange, clock), lambda text: None), asyncio.Future[Address]()
    serving = asyncio.create_task(server.serve(address, found.set_result))
    await asyncio.wait((serving, found), return_when=asyncio.FIRST_COMPLETED)
    try:
        yield found.result()
    finally:
        server.stop()
        await serving


@asynccontextmanager
async def in_process(path: Path, clock: DayClock, ear: Ear) -> AsyncIterator[tuple[Broker, Quotes]]:
    """One life of the embedded exchange."""
    with closing(an_account(path, clock.now())) as exchange:
        broker, quotes = papers(exchange, clock)
        async with heard_by(broker, ear):
            yield broker, quotes


@asynccontextmanager
async def over_a_socket(path: Path, clock: DayClock, ear: Ear) -> AsyncIterator[tuple[Broker, Quotes]]:
    """One life of an exchange that is reached over TCP."""
    with closing(an_account(path, clock.now())) as exchange:
        async with served(exchange, clock) as address:
            broker, quotes = WireBroker(address, clock), WireQuotes(address)
            async with heard_by(broker, ear):
                yield broker, quotes
            await quotes.close()


Life = Callable[[Path, DayClock, Ear], AbstractAsyncContextManager[tuple[Broker, Quotes]]]


@asynccontextmanager
async def standing(life: Life, path: Path) -> AsyncIterator[Stand]:
    """A stand whose restart ends one life and begins the next over the same file."""
    clock = DayClock(TEN)

    async def again() -> None:
        nonlocal living
        await living.__aexit__(None, None, None)
        stand.ear = Ear()
        living = life(path, clock, stand.ear)
        stand.broker, stand.quotes = await living.__aenter__()

    ear = Ear()
    living = life(path, clock, ear)
    stand = Stand(*await living.__aenter__(), clock, ear, again)
    try:
        yield stand
    finally:
        await living.__aexit__(None, None, None)


# name -> (the loop it runs on, one life of it). The embedded exchange needs no real second.
KINDS: dict[str, tuple[Callable[[], asyncio.AbstractEventLoop], Life]] = {
    "embedded": (VirtualLoop, in_process),
    "socket": (asyncio.new_event_loop, over_a_socket),
}
