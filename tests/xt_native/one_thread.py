"""The fake native layer and the vendor's Python on the loop's own thread: no thread, no waiting, virtual time.

    agenda = Agenda()
    terminal = SimTerminal(open_counter, market, calendar, LoopClock(start), lanes=agenda.lane)
    native.attach(terminal)
    with on_one_thread(native) as traders:  # the vendor's class, its executors replaced
        broker = XtBroker(..., workers=InlineWorker)
        ...
        traders.drop()                      # the process is gone: nothing was stopped, nothing is heard any more

A call of the vendor that would never return raises `Hangs`, which `InlineWorker` turns into a late call.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from itertools import count
from typing import Any, TypeVar

from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt.worker import Caught
from tests.xt_native.install import Native
from tests.xt_native.lane import Lane, Work

T = TypeVar("T")
_RESOLUTION_S = 1e-6


class Hangs(BaseException):
    """Raised instead of blocking for ever: on one thread nobody could end that."""


class Agenda:
    """What the fake has to do, on whichever loop is running; what a loop left undone is gone with it."""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, LoopLane, Work]] = []
        self._numbers = count()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._timer: asyncio.TimerHandle | None = None

    def lane(self, name: str, errors: list[BaseException]) -> Lane:
        """A lane of this agenda; all of them are one thread."""
        del name
        return LoopLane(self, errors)

    def put(self, lane: LoopLane, work: Work, after_s: float) -> None:
        """Do something after so many seconds of the running loop."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop, self._timer = loop, None
            self._waiting.clear()
        heapq.heappush(self._waiting, (loop.time() + after_s, next(self._numbers), lane, work))
        self._arm(loop)

    def catch_up(self) -> None:
        """Do what is due."""
        loop = asyncio.get_running_loop()
        while self._waiting and self._waiting[0][0] <= loop.time() + _RESOLUTION_S:
            _, _, lane, work = heapq.heappop(self._waiting)
            lane.do(work)
        self._arm(loop)

    def _arm(self, loop: asyncio.AbstractEventLoop) -> None:
        due = self._waiting[0][0] if self._waiting else None
        if self._timer is not None and self._timer.when() != due:
            self._timer.cancel()
            self._timer = None
        if self._timer is None and due is not None:
            self._timer = loop.call_at(due, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self.catch_up()


class LoopLane:
    """A `Lane` of an agenda."""

    def __init__(self, agenda: Agenda, errors: list[BaseException]) -> None:
        self._agenda, self._errors, self._is_ended = agenda, errors, False

    def start(self) -> None:
        """There is nothing to start."""

    def put(self, work: Work, after_s: float = 0.0) -> None:
        if not self._is_ended:
            self._agenda.put(self, work, after_s)

    def do(self, work: Work) -> None:
        """Its turn has come."""
        if not self._is_ended:
            try:
                work()
            except Exception as error:  # noqa: BLE001 - as native code does
                self._errors.append(error)

    def end(self) -> None:
        self._is_ended = True

    def is_here(self) -> bool:
        return True

    def catch_up(self) -> None:
        self._agenda.catch_up()

    def hang(self, until: threading.Event) -> None:
        raise Hangs

    def be_awaited(self, *, is_answered: bool) -> None:
        if not is_answered:
            raise Hangs
        self._agenda.catch_up()


class InlineExecutor(Executor):
    """Does at once what it is given; what that raises stays in the future, where the vendor never looks (H12)."""

    def submit(self, fn: Callable[..., T], /, *given: Any, **named: Any) -> Future[T]:
        future: Future[T] = Future()
        try:
            future.set_result(fn(*given, **named))
        except Exception as error:  # noqa: BLE001 - as an executor does
            future.set_exception(error)
        return future


class InlineWorker:
    """A `Worker` without a thread: a call takes no time, and one that hangs takes all that it was given."""

    def __init__(self, name: str) -> None:
        self.reason = ""
        self._name, self._is_hanging, self._is_ended = name, False, False

    async def call(self, what: str, work: Callable[[], T], deadline_s: float) -> T:
        if self.reason:
            raise GatewayLost(f"{what}: {self.reason}")
        is_busy = self._is_hanging or self._is_ended
        await asyncio.sleep(deadline_s if is_busy else 0)
        if is_busy or self._is_hanging or self._is_ended:
            raise GatewayLost(f"{what}: not begun within {deadline_s:g} s, {self._name} is busy")
        try:
            return work()
        except GatewayError:
            raise
        except Exception as error:
            raise GatewayError(f"{what}: {type(error).__name__}: {error}") from error
        except Hangs:
            self._is_hanging = True
        await asyncio.sleep(deadline_s)
        self.reason = f"{what} did not return within {deadline_s:g} s"
        raise GatewayTimeout(f"{self.reason}: the outcome is unknown")

    def end(self, last: Callable[[], object]) -> None:
        self._is_ended = True
        if not self._is_hanging:
            with Caught():
                last()


class Traders:
    """The vendor's trader objects that were made on this thread."""

    def __init__(self) -> None:
        self.made: list[Any] = []

    def drop(self) -> None:
        """Let go of them as the end of a process does."""
        for trader in self.made:
            trader.async_client.vanish()
            trader.loop.close()
        self.made.clear()


@contextmanager
def on_one_thread(native: Native) -> Iterator[Traders]:
    """The vendor's trader with executors that have no thread, for as long as the block lasts."""
    xttrader: Any = native.module("xttrader")
    real, traders = xttrader.XtQuantTrader, Traders()

    def make(self: Any, *given: Any) -> None:
        loop = asyncio.get_running_loop()
        real.__init__(self, *given)
        asyncio.set_event_loop(loop)  # the vendor made its own loop this thread's
        traders.made.append(self)

    def start(self: Any) -> None:
        real.start(self)
        for pool in (self.executor, self.relaxed_resp_executor):
            pool.shutdown()
        self.executor = self.resp_executor = self.relaxed_resp_executor = InlineExecutor()

    xttrader.XtQuantTrader = type("Trader", (real,), {"__init__": make, "start": start})
    try:
        yield traders
    finally:
        xttrader.XtQuantTrader = real
        traders.drop()
