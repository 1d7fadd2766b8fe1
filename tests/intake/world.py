"""A real inbox folder, the real watcher and validator, and somebody who listens."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import anyio

from actors.file_watcher import FileWatcher, WatchSettings
from actors.weight_validator import WeightValidator
from qws.domain.calendar import AlwaysOpenCalendar
from qws.domain.schedule import Schedule
from qws.domain.targets import Mode, Refusal, Row, TargetRules
from qws.gateways.files import FileLimits, read_rows
from qws.messages import TargetAccepted, TargetRejected, WeightFileSettled
from qws.ports import Hints
from qws.runtime.actor import Actor
from qws.runtime.clock import SHANGHAI, LoopClock, SystemClock, VirtualLoop
from qws.runtime.message import ActorCrashed, Journal, Message
from qws.runtime.system import System
from qws.store.inbox import InboxFolder

T = TypeVar("T")

START = datetime(2026, 11, 23, 9, 0, tzinfo=SHANGHAI)
TODAY = START.date()
SCHEDULE = Schedule(AlwaysOpenCalendar(), True, time(9, 25), time(9, 30), time(14, 56), time(15, 5))
LIMITS = FileLimits()
RULES = TargetRules(allow_etf=True, allow_empty=False, row_tolerance=Decimal("0.000001"), rows_max=5000, mode=Mode.FULL)
SETTINGS = WatchSettings()


async def inline(call: Callable[[], T], /) -> T:
    return call()


async def in_thread(call: Callable[[], T], /) -> T:
    return await anyio.to_thread.run_sync(call)


def weights(*rows: tuple[str, str], day: date = TODAY) -> bytes:
    """A target file of these codes and weights."""
    lines = [f"{day},{code},{weight}\n" for code, weight in rows]
    return "".join(["date,stock_code,weight\n", *lines]).encode()


def a_target(number: int = 1) -> bytes:
    """A correct file; another number gives other bytes."""
    return weights(("600000.SH", f"0.{number:05}"))


class Listener(Actor):
    """Keeps what the intake says; a test waits here for the message it expects."""

    on_crash = "halt"

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self._news = anyio.Event()

    def on_weight_file_settled(self, msg: WeightFileSettled) -> None:
        self._hear(msg)

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self._hear(msg)

    def on_target_rejected(self, msg: TargetRejected) -> None:
        self._hear(msg)

    def on_actor_crashed(self, msg: ActorCrashed) -> None:
        self._hear(msg)

    def _hear(self, msg: Message) -> None:
        self.heard.append(msg)
        self._news.set()

    async def until(self, is_enough: Callable[[], bool], seconds: float = 10) -> None:
        with anyio.fail_after(seconds):
            while not is_enough():
                self._news = anyio.Event()
                await self._news.wait()

    async def verdicts(self, count: int = 1, seconds: float = 10) -> list[TargetAccepted | TargetRejected]:
        """Wait for that many files to be accepted or refused."""
        await self.until(lambda: len(self.judged) >= count, seconds)
        return self.judged

    @property
    def judged(self) -> list[TargetAccepted | TargetRejected]:
        return [msg for msg in self.heard if isinstance(msg, TargetAccepted | TargetRejected)]

    @property
    def crashes(self) -> list[ActorCrashed]:
        return [msg for msg in self.heard if isinstance(msg, ActorCrashed)]


class World:
    """One inbox and what was heard about it."""

    def __init__(self, root: Path, rename: Callable[[Path, Path], None] = os.replace) -> None:
        self.root = root
        self.inbox = InboxFolder(root, LIMITS.bytes_max, rename=rename)
        self.inbox.prepare()
        self.ears = Listener()
        self.clock: SystemClock = LoopClock(START)

    def drop(self, name: str, content: bytes) -> None:
        """Put a finished file into the inbox by a rename, its times as an older file has them."""
        outside = self.root.parent / f"outside-{name}"
        outside.write_bytes(content)
        os.utime(outside, (1_700_000_000, 1_700_000_000))
        outside.replace(self.root / name)

    def read(self, msg: WeightFileSettled) -> list[Row] | Refusal:
        content = self.inbox.read(msg.path, msg.sha256)
        return content if isinstance(content, Refusal) else read_rows(msg.name, content, LIMITS)

    def reason(self, name: str) -> str:
        return (self.root / "rejected" / f"{name}.reason.txt").read_text(encoding="utf-8-sig")

    def names(self, folder: str = ".") -> list[str]:
        """The files in that folder of the inbox."""
        return sorted(path.name for path in (self.root / folder).iterdir() if path.is_file())

    @asynccontextmanager
    async def running(
        self, *, hints: Hints | None = None, journal: Journal | None = None, settings: WatchSettings = SETTINGS
    ) -> AsyncIterator[None]:
        """The system runs inside; at the end it must drain and nobody may have crashed."""
        offload = inline if hints is None else in_thread
        system = System(
            [
                lambda: FileWatcher(self.inbox, self.clock, settings, offload, hints),
                lambda: WeightValidator(self.clock, SCHEDULE, RULES, self.read, offload),
                lambda: self.ears,
            ],
            clock=self.clock,
            journal=journal,
        )
        running = asyncio.ensure_future(system.run())
        try:
            yield
        finally:
            system.stop()
            with anyio.fail_after(10):
                exit_code = await running
        assert exit_code == 0
        assert self.ears.crashes == []


def live(test: Callable[[], Awaitable[None]]) -> None:
    """Run on the real loop, where time passes."""
    anyio.run(test)


def virtual(test: Callable[[], Awaitable[None]]) -> None:
    """Run in virtual time."""
    anyio.run(test, backend_options={"loop_factory": VirtualLoop})
