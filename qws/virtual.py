"""A home in virtual time: the real actors over the paper exchange. For demo, replay and tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import anyio

from actors.archivist import Archive, Note
from actors.result_writer import Pages
from qws.app import Ports, build
from qws.config import Config
from qws.home import Home
from qws.messages import EquityRecorded, RunFinished, TargetAccepted
from qws.paper import Paper, open_paper
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.runtime.message import Envelope
from qws.runtime.system import System, Tap
from qws.store.inbox import InboxFolder
from qws.store.journal import InlineJournal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Stage:
    """What a virtual run is given: folders, settings, when it starts, where files for keeping go, what to watch."""

    home: Home
    config: Config
    start: datetime
    archive: Archive
    taps: Sequence[Callable[[Callable[[], None], Paper], Tap]]
    in_memory: bool
    pages: Pages | None = None


class KeepNothing:
    """An archive for runs of which only the story is wanted."""

    def write_target(self, target: TargetAccepted) -> None:
        """Forget."""

    def write_result(self, target: TargetAccepted | None, result: RunFinished, notes: Sequence[Note]) -> None:
        """Forget."""

    def append_equity(self, record: EquityRecorded) -> None:
        """Forget."""


class NoJournal:
    """A journal for runs that are never started again: it remembers nothing, so memory does not grow with days."""

    async def append(self, batch: Sequence[Envelope]) -> None:
        """Forget."""

    async def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Nothing."""
        for nothing in tuple[Envelope]():
            yield nothing

    async def last_id(self) -> int:
        """Nothing was kept."""
        return 0

    async def horizon(self, run_days: int) -> int:
        """Nothing to remember."""
        return 0

    async def close(self) -> None:
        """Nothing is open."""


async def inline(call: Callable[[], T], /) -> T:
    """Run a slow call on the loop: virtual time stands still meanwhile."""
    return call()


def run_virtual(stage: Stage) -> tuple[int, float]:
    """Run until a tap stops the system; the exit code and the virtual seconds that passed."""
    return anyio.run(_run, stage, backend_options={"loop_factory": VirtualLoop})


async def _run(stage: Stage) -> tuple[int, float]:
    home, clock = stage.home, LoopClock(stage.start)
    books: Path | None = None if stage.in_memory else home.exchange
    paper = open_paper(stage.config, home.root, clock, books, home.config_folder)
    journal = NoJournal() if stage.in_memory else await InlineJournal.open(home.journal)
    inbox = InboxFolder(home.inbox, 2 * 1024 * 1024)
    inbox.prepare()
    market = paper.broker, paper.quotes, paper.calendar, paper.rules
    ports = Ports(*market, inbox, stage.archive, None, inline, None, pages=stage.pages)
    taps = [make(lambda: system.stop(), paper) for make in stage.taps]
    system: System = build(stage.config, ports, clock, journal, taps)
    try:
        code = await system.run()
    finally:
        paper.exchange.close()
        with suppress(OSError):
            await journal.close()
    return code, (clock.now() - stage.start).total_seconds()
