"""The daemon: the real clock, the durable journal, the watched inbox. The one place that creates threads."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version
from types import FrameType
from typing import TypeVar

import anyio
from anyio import to_thread
from loguru import logger

from qws.app import Ports, build
from qws.arming import require_armed
from qws.channels import open_channels
from qws.config import Config
from qws.edges import open_edges
from qws.errors import StoreError
from qws.gateways.files import FileLimits
from qws.home import Home
from qws.keeping import HomeKeeper
from qws.log import LogTap, stop_logging
from qws.pages import FilePages, page_language
from qws.ports import Clock
from qws.runtime.clock import SystemClock
from qws.runtime.message import Envelope
from qws.runtime.system import System, Tap
from qws.serving.exporter import Exporter, open_exporter, require_metrics
from qws.sheets import HomeSheets
from qws.store.halt_file import HaltFile
from qws.store.halt_mark import follow_mark
from qws.store.inbox import InboxFolder, folder_changes
from qws.store.journal import SqliteJournal
from qws.store.reading import Views
from qws.store.results import FileArchive
from qws.store.views import ActorRow, DaemonRow, Projector
from qws.text import describe
from qws.watch import HomeWatch, free_bytes_of

T = TypeVar("T")
_FLUSH_WAIT_S = 0.05
_HEARTBEAT_S = 2.0
_END_S = 60.0  # from a stop or a crash on: twice what draining may take


async def in_thread(call: Callable[[], T], /) -> T:
    """Run a slow call in a worker thread."""
    return await to_thread.run_sync(call)


async def serve(home: Home, config: Config) -> int:
    """Run until a signal or a crash; returns the exit code. Raises QwsError when the environment is broken."""
    require_armed(home, config)
    require_metrics(config)
    clock, asked = SystemClock(), anyio.Event()
    started_at = clock.now()  # what happens to the settings from here on is news to this daemon
    with stop_on_signals(asked.set):  # from the first moment: a stop during a long recovery is orderly too
        opening = open_channels(home, config, clock, in_thread)
        async with open_edges(home, config, clock) as edges, opening as channels:
            journal = await SqliteJournal.open(home.journal)
            try:
                projector = Projector(home.views, describe)
                await projector.catch_up(journal)
                follow_mark(home.halt_mark, home.views, clock.now())
                folder = home.root / config.inbox
                inbox = InboxFolder(folder, FileLimits().bytes_max)
                inbox.prepare()
                archive = FileArchive(home.archive, folder / "results", home.equity)
                hints, halts = partial(folder_changes, folder), HaltFile(folder, clock.now)
                keeping = HomeKeeper(home, config, journal, clock, in_thread)
                keeping.stop_when(asked.is_set)
                pages = FilePages(folder / "results", page_language(config.language))
                sheets = HomeSheets(home, config.reports, asked.is_set)
                market = edges.broker, edges.quotes, edges.calendar, edges.rules
                free = partial(free_bytes_of, home.root)
                watch = HomeWatch(edges.broker, edges.quotes, clock, in_thread, free)
                ports = Ports(
                    *market, inbox, archive, projector, in_thread, hints, keeping, halts, pages, sheets, channels,
                    watch, reconciles=True,
                )  # fmt: skip
                exporter = open_exporter(config, clock, journal)
                views = _Views(projector, clock, started_at, config.mode, exporter)
                taps: list[Tap] = [LogTap(), views.tap, *([exporter.tap] if exporter is not None else [])]
                system = build(config, ports, clock, exporter.journal if exporter is not None else journal, taps)
                if exporter is not None:
                    exporter.watch(system, Views(home.views))
                return await _live(system, views, clock, asked)
            finally:
                await journal.close()


async def _live(system: System, views: _Views, clock: Clock, asked: anyio.Event) -> int:
    async def stop_when_asked() -> None:
        await asked.wait()
        system.stop()

    async def end_at_last() -> None:
        """A share that never answers holds its thread for ever, and with it the process: it loses what a kill loses."""
        await system.stopping.wait()
        code = 0 if asked.is_set() else 3  # who asked for a stop does not want another start
        asked.set()  # threads look at it: after a crash, too, nothing slow keeps the process from ending
        await clock.sleep(_END_S)
        code = system.fatal.exit_code if system.fatal is not None else code
        try:
            logger.error(
                "{}", system.fatal or f"a folder has not answered for {_END_S:.0f} s since the end was asked for"
            )
            logger.error("ended without waiting for it, exit code {}", code)
            views.last_words(system)
            stop_logging()
        finally:
            os._exit(code)

    code = 0
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(end_at_last)
        tasks.start_soon(views.keep_flushed)
        tasks.start_soon(views.keep_heartbeat, system)
        tasks.start_soon(stop_when_asked)
        if views.exporter is not None:
            tasks.start_soon(views.exporter.keep_serving)
        try:
            code = await system.run()
        finally:
            tasks.cancel_scope.cancel()
            views.last_words(system)
    return code


class _Views:
    """Keeps the read models close behind the journal; trading never waits for them, and never ends for them."""

    def __init__(
        self, projector: Projector, clock: SystemClock, started_at: datetime, mode: str, exporter: Exporter | None
    ) -> None:
        self._projector, self._clock, self._mode, self.exporter = projector, clock, mode, exporter
        self._started = started_at
        self._queued = anyio.Event()

    def tap(self, batch: Sequence[Envelope]) -> None:
        """Queue a batch."""
        self._write(partial(self._projector.apply, batch))
        self._queued.set()

    async def keep_flushed(self) -> None:
        """Write what is queued soon after it came."""
        while True:
            await self._queued.wait()
            self._queued = anyio.Event()
            await self._clock.sleep(_FLUSH_WAIT_S)
            self._write(self._projector.flush)

    async def keep_heartbeat(self, system: System) -> None:
        """Tell commands that the daemon lives, and how its actors are."""
        while True:
            self._write(self._projector.flush)  # what a lock kept from being written when it came
            self._write(partial(self._beat, system, "running"))
            await self._clock.sleep(_HEARTBEAT_S)

    def last_words(self, system: System) -> None:
        """Leave everything written behind."""
        self._write(self._projector.flush)
        self._write(partial(self._beat, system, "stopped"))
        self._projector.close()

    def _beat(self, system: System, state: str) -> None:
        rows = [ActorRow(cell.contract.name, cell.state, len(cell.inbox), cell.handled) for cell in system.cells]
        self._projector.write_actors(rows)
        now, metrics = self._clock.now(), self.exporter.address if self.exporter is not None else ""
        row = DaemonRow(state, os.getpid(), self._started, now, version("qws"), self._mode, metrics)
        if self._projector.write_daemon(row) and self.exporter is not None:
            self.exporter.beat()

    def _write(self, call: Callable[[], None]) -> None:
        try:
            call()
        except StoreError as error:
            logger.warning("read models: {}", error)


@contextmanager
def stop_on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """First signal: stop in order. Second: the default action, at once. Works without add_signal_handler."""
    loop = asyncio.get_running_loop()
    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {signal.Signals[name]: signal.getsignal(signal.Signals[name]) for name in names}

    def ask(signum: int, frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop)

    for signum in before:
        signal.signal(signum, ask)
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
