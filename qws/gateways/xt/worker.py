"""One daemon thread on which a vendor object is built and called; every call has a deadline (XTQUANT.md H3, G2)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from qws.errors import GatewayError, GatewayLost, GatewayTimeout

T = TypeVar("T")


class Caught:
    """Keeps what a block raises: the vendor raises bare exceptions, and in its callbacks an error vanishes (H12)."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> bool:
        self.error = error if isinstance(error, Exception) else None
        return self.error is not None


def post(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> bool:
    """Let the loop run a call, from any thread; false when the loop is closed and nobody waits any more."""
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return False
    return True


class Worker(Protocol):
    """Where a vendor object lives: calls run one after another, and what hangs is given up; `reason` says why then."""

    @property
    def reason(self) -> str: ...

    async def call(self, what: str, work: Callable[[], T], deadline_s: float) -> T:
        """The result of `work`. Raises GatewayTimeout when it began and is late: what it did is unknown;
        GatewayLost when it did not begin; GatewayError with what it raised."""
        ...

    def end(self, last: Callable[[], object]) -> None:
        """Take no more calls but one last one, when it ever gets there."""
        ...


Workers = Callable[[str], Worker]


class ThreadWorker:
    """A daemon thread; a call that is late is abandoned together with it.

    What had not begun when somebody stopped waiting for it never will.
    """

    def __init__(self, name: str) -> None:
        self.reason = ""
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=_serve, args=(self._calls,), name=name, daemon=True).start()

    async def call(self, what: str, work: Callable[[], T], deadline_s: float) -> T:
        """The result of `work`, within the deadline in seconds."""
        if self.reason:
            raise GatewayLost(f"{what}: {self.reason}")
        call = _Call(work, asyncio.get_running_loop())
        self._calls.put(call.run)
        try:
            async with asyncio.timeout(deadline_s):
                await call.done.wait()
        except TimeoutError:
            if call.claim():
                raise GatewayLost(f"{what}: not begun within {deadline_s:g} s, {self._name} is busy") from None
            self.reason = f"{what} did not return within {deadline_s:g} s"
            raise GatewayTimeout(f"{self.reason}: the outcome is unknown") from None
        finally:
            call.claim()
        return call.outcome(what)

    def end(self, last: Callable[[], object]) -> None:
        """Let the thread end, with one last call when it ever gets there."""
        self._calls.put(_Call(last, asyncio.get_running_loop()).run)
        self._calls.put(None)


class _Call(Generic[T]):
    def __init__(self, work: Callable[[], T], loop: asyncio.AbstractEventLoop) -> None:
        self.done = asyncio.Event()
        self._work, self._loop = work, loop
        self._claimed = threading.Lock()
        self._result: list[T] = []
        self._error: Exception | None = None

    def claim(self) -> bool:
        """True for the first who asks, on whichever thread."""
        return self._claimed.acquire(blocking=False)

    def run(self) -> None:
        """On the worker's thread."""
        if self.claim():
            with Caught() as caught:
                self._result.append(self._work())
            self._error = caught.error
            post(self._loop, self.done.set)

    def outcome(self, what: str) -> T:
        """What the work gave, or raised, as an error of this program."""
        if isinstance(self._error, GatewayError):
            raise self._error
        if self._error is not None:
            raise GatewayError(f"{what}: {type(self._error).__name__}: {self._error}") from self._error
        return self._result[0]


def _serve(calls: SimpleQueue[Callable[[], None] | None]) -> None:
    while (run := calls.get()) is not None:
        run()
