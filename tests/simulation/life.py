"""One life of the process, and where it ends: at a moment, at a commit, at a call. What is dead does nothing more."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

import anyio

from qws.errors import StoreError
from qws.ports import Clock
from qws.runtime.clock import LoopClock
from qws.runtime.message import Envelope

T = TypeVar("T")
_CALL_S, _COMMIT_S = 0.003, 0.002
# Before and after the disk has a batch; it is full; before and after the broker has a call.
POINTS = ("commit_lost", "commit_kept", "disk_full", "call_before", "call_after")


@dataclass
class Life:
    """`crash` is the point at which it dies, and how often that point is passed by then."""

    crash: tuple[str, int]
    passed: Counter[str] = field(default_factory=Counter)
    died_of: str = ""
    writing: Sequence[Envelope] = ()  # what is on its way to the disk
    end: Callable[[], None] = field(default=lambda: None)  # how everything of it is torn down

    def die(self, cause: str) -> None:
        """End at once, as by kill -9: nothing that is still under way reaches the outside."""
        self.died_of = self.died_of or cause
        self.end()

    def reaches(self, point: str) -> bool:
        """Pass a point; true when it is over, here or before."""
        if not self.died_of and self._is_struck_at(point):
            self.die(point)
        return bool(self.died_of)

    async def before_call(self) -> None:
        """The way to the broker takes a moment, and may not be survived."""
        self.reaches("call_before")
        await self.go_on()
        await anyio.sleep(_CALL_S)
        await self.go_on()

    async def after_call(self) -> None:
        """The answer of the broker may find nobody there."""
        self.reaches("call_after")
        await self.go_on()

    async def before_commit(self) -> None:
        """A batch is on its way to the disk; raises StoreError when it does not get there."""
        await anyio.sleep(_COMMIT_S)
        if self.reaches("commit_lost"):
            raise StoreError("the power is gone, and so is what was not on the disk")
        if self._is_struck_at("disk_full"):
            raise StoreError("the disk is full")

    def after_commit(self) -> None:
        """A batch is on the disk; raises StoreError when nobody is there to hear of it."""
        if self.reaches("commit_kept"):
            raise StoreError("killed")

    async def offload(self, call: Callable[[], T], /) -> T:
        """Run a slow call where nobody waits for it."""
        await anyio.sleep(_CALL_S)
        await self.go_on()
        return call()

    async def go_on(self) -> None:
        """Nothing more, when it is over."""
        if self.died_of:
            await anyio.sleep_forever()

    def _is_struck_at(self, point: str) -> bool:
        self.passed[point] += 1
        return self.crash == (point, self.passed[point])


class PatientClock(LoopClock):
    """Virtual time that leaves out looking at a table in which nothing can be yet: that changes nothing."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.nothing_before: datetime | None = None
        self._poked: anyio.Event | None = None

    def poke(self) -> None:
        """There is something to see after all."""
        if self._poked is not None:
            self._poked.set()

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds, or, right after a look in vain, until there is something to see."""
        moment, self.nothing_before = self.nothing_before, None
        if moment is None:
            return await super().sleep(seconds)
        self._poked = anyio.Event()
        with anyio.move_on_after(max(seconds, (moment - self.now()).total_seconds())):
            await self._poked.wait()


class Outside:
    """What happens around the process, whether it lives or not, in order of time."""

    def __init__(self) -> None:
        self._due: list[tuple[datetime, int, Callable[[datetime], None]]] = []
        self._serial = 0
        self._poked: anyio.Event | None = None
        self.is_held = False  # a process is dead, and its loop still runs

    def at(self, when: datetime, act: Callable[[datetime], None]) -> None:
        """Let something happen at a moment."""
        self._serial += 1
        heapq.heappush(self._due, (when, self._serial, act))
        if self._poked is not None:
            self._poked.set()

    def happen(self, now: datetime) -> None:
        """Everything that is due by now; what is late knows its own time."""
        while self._due and self._due[0][0] <= now:
            when, _, act = heapq.heappop(self._due)
            act(when)

    async def go_on(self, clock: Clock) -> None:
        """Let things happen at their times while a process lives."""
        while not self.is_held:
            self._poked = anyio.Event()
            self.happen(clock.now())
            wait_s = (self._due[0][0] - clock.now()).total_seconds() if self._due else float("inf")
            with anyio.move_on_after(max(wait_s, 0)):
                await self._poked.wait()
