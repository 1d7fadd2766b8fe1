"""A broker at a terminal that can be made to fail: the vendor's own Python over the fake native layer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.settings import Deadlines, Pace, Terminal
from qws.ports import LinkDown, LinkUp
from qws.tables import load_calendar, load_rules
from tests.conformance.brokers import ACCOUNT, BOUGHT, TEN, DayClock, Ear, an_account, heard_by, the_market
from tests.xt_native import Faults, SimTerminal, install

TEN_YUAN = Decimal("10.00")
QUICK = Pace(
    order_gap_s=0.0, query_gap_s=0.0, cancel_pause_s=0.05, reconnect_s=(0.01, 0.02), look_again_s=0.01, silence_s=30.0
)
SHORT = Deadlines(import_s=60.0, connect_s=1.0, stop_s=0.5, call_s=2.0, query_s=0.5, quote_s=1.0)


@dataclass
class Setting:
    """What is unusual about a stand."""

    faults: Faults = field(default_factory=Faults)
    pace: Pace = QUICK
    deadlines: Deadlines = SHORT
    latency_s: float = 0.001
    reuses_sessions: bool = False
    account: str = ACCOUNT
    is_dead: bool = False


@dataclass
class Stand:
    """A broker, its quotes, and the terminal behind both."""

    broker: XtBroker
    quotes: XtQuotes
    line: QuoteLine
    terminal: SimTerminal
    clock: DayClock
    ear: Ear = field(default_factory=Ear)

    @property
    def faults(self) -> Faults:
        """The terminal's."""
        return self.terminal.faults

    def told(self, kind: str, **row: object) -> None:
        """Let the terminal say something."""
        connection = self.broker._link._connection
        assert connection is not None
        connection._told(kind, {"account_id": ACCOUNT, **row})

    async def rests(self, tag: str, shares: int = 100) -> str:
        """Place a buy far below the market; its id."""
        return await self.broker.place(a_buy(tag, shares, Decimal("9.10")))

    async def ended(self, tag: str, status: OrderStatus) -> BrokerOrder:
        """Wait until an order is told to be in that state."""
        await self.ear.until(lambda _: any(order.status is status for order in self.ear.orders(tag)))
        return next(order for order in self.ear.orders(tag) if order.status is status)

    async def lost(self, times: int = 1) -> str:
        """Wait until the connection was lost so many times; why."""
        await self.ear.until(lambda _: len(self._of(LinkDown)) >= times)
        return self._of(LinkDown)[times - 1].reason

    async def back(self, times: int = 1) -> None:
        """Wait until the connection came back so many times."""
        await self.ear.until(lambda _: self.ear.links().count(LinkUp) >= times)

    def _of(self, kind: type[LinkDown]) -> list[LinkDown]:
        return [event for event in self.ear.heard if isinstance(event, kind)]


Body = Callable[[Stand], Coroutine[object, object, None]]


def a_buy(tag: str, shares: int = 100, price: Decimal = TEN_YUAN, code: str = BOUGHT) -> OrderRequest:
    """A limit buy."""
    return OrderRequest(tag, code, Side.BUY, shares, price)


def a_stand(path: Path, setting: Setting) -> Stand:
    """A stand that is not opened yet, and attached."""
    clock, market, native = DayClock(TEN), the_market(), install()
    terminal = SimTerminal(
        lambda: an_account(path, clock.now(), market),
        market,
        load_calendar(),
        clock,
        account_id=ACCOUNT,
        faults=setting.faults,
        latency_s=setting.latency_s,
        reuses_sessions=setting.reuses_sessions,
    )
    native.attach(terminal)
    if setting.is_dead:
        terminal.die()
    line = QuoteLine("xtquant", setting.deadlines)
    where = Terminal("xtquant", path, setting.account, path / "xt.lock")
    broker = XtBroker(where, clock, setting.deadlines, setting.pace)
    return Stand(broker, XtQuotes(line, load_rules(), clock), line, terminal, clock)


def closed(path: Path, body: Body, setting: Setting | None = None) -> None:
    """Play with a stand that nobody has opened."""

    async def run() -> None:
        stand = a_stand(path, setting or Setting())
        try:
            await body(stand)
        finally:
            stand.terminal.closed.set()
            await stand.broker.close()
            stand.line.close()
            install().detach()

    asyncio.run(run())


def opened(path: Path, body: Body, setting: Setting | None = None) -> None:
    """Play with a stand that is open and listened to."""

    async def run(stand: Stand) -> None:
        async with heard_by(stand.broker, stand.ear):
            await body(stand)

    closed(path, run, setting)


def with_faults(**faults: object) -> Setting:
    """A setting in which these go wrong from the beginning."""
    return Setting(faults=replace(Faults(), **faults))  # type: ignore[arg-type]


def open_files() -> int:
    """Descriptors of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))
