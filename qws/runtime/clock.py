"""The one place that reads the time, and the loop on which time is virtual."""

from __future__ import annotations

import asyncio
import selectors
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import anyio

SHANGHAI = ZoneInfo("Asia/Shanghai")


class SystemClock:
    """The real clock, in Asia/Shanghai."""

    _look_again_s = 30.0  # PCs suspend and networks adjust clocks: a long wait is never one sleep

    def now(self) -> datetime:
        """The time in Asia/Shanghai, zone included."""
        return datetime.now(SHANGHAI)

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of loop time."""
        await anyio.sleep(seconds)

    async def sleep_until(self, when: datetime) -> None:
        """Wait until this clock shows `when`; return at once when it is past, and early when it was set back."""
        before = self.now()  # a minute less is an adjustment, which a longer wait makes up for
        while before - timedelta(minutes=1) < (now := self.now()) < when:
            before = now
            await self.sleep(min((when - now).total_seconds(), self._look_again_s))


class LoopClock(SystemClock):
    """A clock that shows `start` plus the time of the running loop: with `VirtualLoop`, virtual time."""

    def __init__(self, start: datetime) -> None:
        self._start, self._look_again_s = start, float("inf")

    def now(self) -> datetime:
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop whose time jumps to the next timer when every task waits; on it nothing waits for a thread."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Jump(self))
        self._clock_resolution = 1e-6  # the default one vanishes in floats from 2**24 s on: every timer would hang

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self.now


class _Jump(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(5.0 if timeout is None else 0)  # None: only the outside can wake us now
        if not ready and timeout is None:
            raise RuntimeError("the simulation is stuck: every task waits and no timer is set")
        self._loop.now += 0 if ready else max(timeout or 0, 0)
        return ready
