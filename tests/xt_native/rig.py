"""What tests of the native layer need: a terminal over a simulated exchange, and traders that leave nothing behind."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Protocol, TypeVar, cast

from qws.domain.calendar import AlwaysOpenCalendar
from qws.ports import Calendar
from qws.tables import load_calendar
from tests.gateways.sim_rig import FixedBars, a_market, an_exchange, at, flat
from tests.xt_native import Faults, Native, SimTerminal, ThreadClock, install
from tests.xt_native.structs import XtAsset, XtOrder, XtPosition, XtTrade

T = TypeVar("T")
ACCOUNT = "1000000365"
BOUGHT, HELD, STOPPED, INDEX = "600000.SH", "600004.SH", "600006.SH", "000001.SH"
CASH = Decimal(5_000_000)
TEN = at("10:00:00")
PATIENCE_S = 5.0


def a_terminal(
    faults: Faults | None = None,
    *,
    path: Path | None = None,
    start: datetime = TEN,
    always_open: bool = False,
    reuses_sessions: bool = False,
) -> SimTerminal:
    """A terminal whose account holds 3000 shares, 1000 of them bought today; prices are flat, one name is suspended."""
    bars = FixedBars({BOUGHT: flat("10.00"), HELD: flat("20.00"), INDEX: flat("3500.00")}, {STOPPED: Decimal("5.00")})
    market, clock = a_market(bars, always_open=always_open), ThreadClock(start)
    calendar: Calendar = AlwaysOpenCalendar() if always_open else load_calendar()
    return SimTerminal(
        lambda: an_exchange(market, clock.now(), cash=CASH, positions=((HELD, 3000, 2000),), path=path),
        market,
        calendar,
        clock,
        account_id=ACCOUNT,
        faults=faults,
        reuses_sessions=reuses_sessions,
    )


@contextmanager
def attached(terminal: SimTerminal) -> Iterator[Native]:
    """The native layer with a terminal, closed in the end."""
    native = install()
    native.attach(terminal)
    try:
        yield native
    finally:
        native.detach()


class Loop(Protocol):
    def close(self) -> None: ...


class Trader(Protocol):
    """The part of the vendor's trader that tests call."""

    loop: Loop

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def connect(self) -> int: ...
    def subscribe(self, account: object) -> int: ...
    def order_stock(
        self, account: object, code: str, kind: int, volume: int, price_type: int, price: float, name: str, remark: str
    ) -> int: ...
    def order_stock_async(
        self, account: object, code: str, kind: int, volume: int, price_type: int, price: float, name: str, remark: str
    ) -> int: ...
    def cancel_order_stock(self, account: object, order_id: int) -> int: ...
    def cancel_order_stock_async(self, account: object, order_id: int) -> int: ...
    def query_stock_asset(self, account: object) -> XtAsset | None: ...
    def query_stock_orders(self, account: object, cancelable_only: bool = False) -> list[XtOrder]: ...
    def query_stock_trades(self, account: object) -> list[XtTrade]: ...
    def query_stock_positions(self, account: object) -> list[XtPosition]: ...
    def query_account_status(self) -> Sequence[object]: ...
    def query_account_infos(self) -> Sequence[object]: ...
    def query_stock_orders_async(self, account: object, callback: Callable[[list[XtOrder]], None]) -> int: ...
    def query_stock_asset_async(self, account: object, callback: Callable[[XtAsset | None], None]) -> None: ...


@dataclass
class Heard:
    """A vendor callback object that notes (name, what came) and lets a test wait for more."""

    notes: list[tuple[str, object]] = field(default_factory=list)
    _news: queue.SimpleQueue[tuple[str, object]] = field(default_factory=queue.SimpleQueue)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if not name.startswith("on_"):
            raise AttributeError(name)
        return lambda *given: self._news.put((name, given[0] if given else None))

    def until(self, enough: Callable[[object], bool]) -> None:
        """Wait for news until one is enough; fails when that takes too long."""
        while True:
            self.notes.append(self._news.get(timeout=PATIENCE_S))
            if enough(self.notes[-1][1]):
                return

    def awaited(self, name: str) -> object:
        """What comes with the next callback of a name."""
        while True:
            self.notes.append(self._news.get(timeout=PATIENCE_S))
            if self.notes[-1][0] == name:
                return self.notes[-1][1]

    def is_silent(self) -> bool:
        """Whether nothing more has come."""
        return self._news.empty()

    def of(self, kind: type[T]) -> list[T]:
        """Everything of a kind that was noted."""
        return [told for _, told in self.notes if isinstance(told, kind)]


class Response(Protocol):
    """The vendor's responses to orders and cancels."""

    seq: int
    order_id: int
    order_remark: str
    error_msg: str
    cancel_result: int


def response(told: object) -> Response:
    """What came with a response callback."""
    return cast(Response, told)


def a_trader(native: Native, session: int, heard: Heard) -> Trader:
    """The vendor's trader, built where it does not touch the main thread's loop (XTQUANT.md H13)."""

    class Guarded(native.module("xttrader").XtQuantTrader):  # type: ignore[misc]
        oldloop = None

        def __del__(self) -> None:
            """Leave the loops alone."""

    with ThreadPoolExecutor(1) as aside:
        return cast(Trader, aside.submit(Guarded, "C:/国金/userdata_mini", session, heard).result(PATIENCE_S))


@contextmanager
def trading(native: Native, heard: Heard, session: int = 1) -> Iterator[tuple[Trader, object]]:
    """A trader that is connected and subscribed, and its account."""
    trader = a_trader(native, session, heard)
    account = native.module("xttype").StockAccount(ACCOUNT)
    trader.start()
    try:
        assert trader.connect() == 0
        assert trader.subscribe(account) == 0
        yield trader, account
    finally:
        trader.stop()
        trader.loop.close()


def ended(status: int) -> Callable[[object], bool]:
    """Whether a note is an order push of that status."""
    return lambda told: isinstance(told, XtOrder) and told.order_status == status
