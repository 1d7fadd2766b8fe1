"""The brokers that must pass the same cards. A further adapter is one more entry in `KINDS`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

from qws.conformance import stand as seat
from qws.conformance.stand import Ear
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest
from qws.edges import opening_of
from qws.gateways.sim.books import Books
from qws.gateways.sim.broker import PaperBroker, PaperQuotes
from qws.gateways.sim.exchange import SimExchange
from qws.gateways.sim.market import SimMarket
from qws.gateways.sim.shadow import ShadowBroker
from qws.gateways.wire.client import WireBroker, WireQuotes
from qws.gateways.wire.protocol import Address
from qws.gateways.wire.server import WireServer
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.settings import Deadlines, Pace, Terminal
from qws.ports import Broker, Quotes
from qws.runtime.clock import SystemClock, VirtualLoop
from qws.tables import load_calendar, load_rules
from tests.gateways.sim_rig import PLAN, FixedBars, a_market, an_exchange, at, flat
from tests.xt_native import SimTerminal, install

# Sessions and prices of the account that every card begins with.
BOUGHT, HELD, STOPPED, INDEX = "600000.SH", "600004.SH", "600006.SH", "000001.SH"
TEN = at("10:00:00")
CASH = Decimal(5_000_000)
OPENING = ((HELD, 3000, 2000),)
NOWHERE = Address("127.0.0.1", 0)
ACCOUNT = "1000000365"
AT_ONCE = Pace(order_gap_s=0.0, query_gap_s=0.0)

Hand = Callable[[OrderRequest], object]
Ports = tuple[Broker, Quotes, Hand | None]


class DayClock(SystemClock):
    """Seconds of the running loop from a given moment on; can be put ahead."""

    def __init__(self, start: datetime) -> None:
        self._start, self._loop = start, asyncio.get_running_loop()
        self._began = self._loop.time()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._loop.time() - self._began)

    def put_to(self, moment: datetime) -> None:
        """Let it be that moment now."""
        self._start += moment - self.now()


@dataclass(kw_only=True)
class Stand(seat.Stand):
    """A stand whose market, time and other traders obey: `by_hand` orders at the exchange, past the broker, where that
    is possible."""

    clock: DayClock
    by_hand: Hand | None

    async def order(self, tag: str, side: Side, code: str, shares: int, price: Decimal) -> str:
        """Place; what the answer says."""
        return await self.broker.place(OrderRequest(tag, code, side, shares, price))

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


def the_market() -> SimMarket:
    """The market of every card: flat prices, one suspended name."""
    bars = FixedBars({BOUGHT: flat("10.00"), HELD: flat("20.00"), INDEX: flat("3500.00")}, {STOPPED: Decimal("5.00")})
    return a_market(bars)


def an_account(path: Path, now: datetime, market: SimMarket | None = None) -> SimExchange:
    """The account of every card: one holding, of which 1000 were bought today."""
    file = path / "exchange.sqlite"
    return an_exchange(market or the_market(), now, cash=CASH, positions=OPENING, path=file)


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
async def in_process(path: Path, clock: DayClock, ear: Ear) -> AsyncIterator[Ports]:
    """One life of the embedded exchange."""
    with closing(an_account(path, clock.now())) as exchange:
        broker, quotes = papers(exchange, clock)
        async with heard_by(broker, ear):
            yield broker, quotes, lambda order: exchange.submit(order, clock.now())


@asynccontextmanager
async def over_a_socket(path: Path, clock: DayClock, ear: Ear) -> AsyncIterator[Ports]:
    """One life of an exchange that is reached over TCP."""
    with closing(an_account(path, clock.now())) as exchange:
        async with served(exchange, clock) as address:
            broker, quotes = WireBroker(address, clock), WireQuotes(address)
            async with heard_by(broker, ear):
                yield broker, quotes, lambda order: exchange.submit(order, clock.now())
            await quotes.close()


def at_the_terminal(path: Path, clock: DayClock) -> tuple[SimTerminal, XtBroker, QuoteLine]:
    """A terminal over the exchange's books, and our side of it; `install().detach()` ends it."""
    market = the_market()
    terminal = SimTerminal(
        lambda: an_account(path, clock.now(), market), market, load_calendar(), clock, account_id=ACCOUNT
    )
    install().attach(terminal)
    where = Terminal("xtquant", path, ACCOUNT, path / "xt.lock")
    return terminal, XtBroker(where, clock, Deadlines(), AT_ONCE), QuoteLine("xtquant", Deadlines())


@asynccontextmanager
async def over_the_vendor(path: Path, clock: DayClock, ear: Ear) -> AsyncIterator[Ports]:
    """One life of a terminal that is reached through the vendor's own Python."""
    terminal, broker, line = at_the_terminal(path, clock)
    try:
        async with heard_by(broker, ear):
            quotes = XtQuotes(line, load_rules(), clock)
            yield broker, quotes, lambda order: terminal.ask(lambda: terminal._desk._counter.submit(order, clock.now()))
    finally:
        line.close()
        install().detach()


@asynccontextmanager
async def on_paper_at_live_prices(path: Path, clock: DayClock, ear: Ear) -> AsyncIterator[Ports]:
    """One life of an account on paper that began as the terminal's and trades with the terminal's quotes."""
    terminal, live, line = at_the_terminal(path, clock)
    quotes, books = XtQuotes(line, load_rules(), clock), Books(path / "shadow.sqlite")
    market = load_rules(), load_calendar(), PLAN
    broker = ShadowBroker(books, quotes, market, clock, partial(opening_of, live))
    try:
        async with heard_by(broker, ear):
            yield broker, quotes, None
        assert terminal.ask(lambda: terminal._desk._counter.orders(clock.now())) == ()
    finally:
        books.close()
        line.close()
        install().detach()


Life = Callable[[Path, DayClock, Ear], AbstractAsyncContextManager[Ports]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of broker: the loop it runs on, and one life of it."""

    loop: Callable[[], asyncio.AbstractEventLoop]
    life: Life


@asynccontextmanager
async def standing(kind: Kind, path: Path) -> AsyncIterator[Stand]:
    """A stand whose restart ends one life and begins the next over the same file."""
    clock, ear = DayClock(TEN), Ear()
    living = kind.life(path, clock, ear)

    async def again() -> None:
        nonlocal living
        await living.__aexit__(None, None, None)
        stand.ear = Ear()
        living = kind.life(path, clock, stand.ear)
        stand.broker, stand.quotes, stand.by_hand = await living.__aenter__()

    broker, quotes, by_hand = await living.__aenter__()
    stand = Stand(
        broker=broker,
        quotes=quotes,
        calendar=load_calendar(),
        clock=clock,
        ear=ear,
        restart=again,
        codes=(BOUGHT, HELD, STOPPED),
        index=INDEX,
        by_hand=by_hand,
    )
    try:
        yield stand
    finally:
        await living.__aexit__(None, None, None)


# The embedded exchange needs no real second.
KINDS = {
    "embedded": Kind(VirtualLoop, in_process),
    "socket": Kind(asyncio.new_event_loop, over_a_socket),
    "xt": Kind(asyncio.new_event_loop, over_the_vendor),
    "shadow": Kind(asyncio.new_event_loop, on_paper_at_live_prices),
}

# Cards that cannot be played on a kind of broker, and why. Every other card is.
LEFT_OUT = {
    ("shadow", 37): "nobody else can order in an account on paper: it is in our own books, and has one door",
}
