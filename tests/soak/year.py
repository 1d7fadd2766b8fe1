"""A year of virtual days through the whole program and its real files: what it takes, and whether that grows."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from random import Random
from time import perf_counter, process_time

import anyio
import psutil

from qws import messages as m
from qws.app import Ports, build
from qws.cli.home import make_home
from qws.config import make_config
from qws.domain.alerts import Notice, Severity
from qws.errors import GatewayLost
from qws.home import Home
from qws.keeping import HomeKeeper
from qws.log import LogTap, start_logging, stop_logging
from qws.pages import FilePages
from qws.paper import open_paper
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.runtime.message import Envelope
from qws.runtime.system import System
from qws.store.inbox import InboxFolder
from qws.store.journal import InlineJournal
from qws.store.results import FileArchive
from qws.store.views import Projector
from qws.text import describe
from qws.virtual import inline
from tests.soak.files import names_of
from tests.soak.gauges import MB, bytes_below
from tests.soak.line import CutLine
from tests.soak.logs import age, virtual_logs
from tests.soak.plot import Life, Plot, plot_of
from tests.soak.verdict import Day, Seen, Start, report

_CASH = 100_000_000
_BACKUP_DAYS = 60  # the default, 7, would spend most of the soak on writing the same rows again and again
_GROUP = {"kind": "webhook", "url": "http://127.0.0.1/"}
Leak = Callable[[], object]


class Group:
    """Takes alerts and keeps none; each fiftieth is not taken."""

    name, per_minute, size_max = "group", 20, 2048

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    async def send(self, notice: Notice) -> str:
        self._seen.notices += 1
        if self._seen.notices % 50 == 0:
            raise GatewayLost("the group is not there")
        return "ok"


def settings() -> dict[str, object]:
    """A paper account that keeps the hours of the exchanges, with a group that is told of everything."""
    routes = dict.fromkeys(Severity, ("group",))
    return {
        "intake": {"scan_s": 300, "in_place_settle_ms": 50},
        "paper": {"seed": 1, "cash": _CASH, "always_open": False},
        "keep": {"backup_days": _BACKUP_DAYS},
        "notify": {"channels": {"group": _GROUP}, "routes": routes},
        "language": "en",
    }


@dataclass
class Year:
    """One home, and what was seen of it in all lives."""

    home: Home
    plot: Plot
    seen: Seen
    leak: Leak
    _due: Iterator[tuple[datetime, str, bytes]] = field(init=False)
    _next: tuple[datetime, str, bytes] | None = field(init=False)

    def __post_init__(self) -> None:
        self._due = self.plot.files()
        self._next = next(self._due)
        self._config = make_config(settings(), "soak")
        self._process, self._clock = psutil.Process(), None  # type: psutil.Process, LoopClock | None

    def run(self) -> None:
        """Live through all of it."""
        for life in self.plot.lives:
            anyio.run(self._live, life, backend_options={"loop_factory": VirtualLoop})

    async def _live(self, life: Life) -> None:
        clock, home, config = LoopClock(life.begins), self.home, self._config
        with virtual_logs(clock.now):
            age(home.logs, life.begins.date())
            start_logging(home, config.log, console=False)
            began = process_time()  # of this process: a machine may be busy
            journal = await InlineJournal.open(home.journal)
            projector = Projector(home.views, describe)
            await projector.catch_up(journal)
            paper = open_paper(config, home.root, clock, home.exchange, None)
            draw = Random(f"{self.plot.seed}:{life.begins}")
            line = CutLine(paper.exchange, clock, [each for each in self.plot.outages if each[1] > life.begins], draw)
            inbox, results = InboxFolder(home.inbox, 2**20), home.inbox / "results"
            inbox.prepare()
            ports = Ports(
                line, paper.quotes, paper.calendar, paper.rules, inbox, FileArchive(home.archive, results, home.equity),
                None, inline, None, HomeKeeper(home, config, journal, clock, inline),
                pages=FilePages(results, "en"), channels=(Group(self.seen),),
            )  # fmt: skip
            watch = Watch(self, clock, projector, began)
            system = build(config, ports, clock, journal, [LogTap(), projector.apply, watch])
            self._feed(life, clock)
            lasts_s = (life.ends - life.begins).total_seconds()
            if not life.is_killed:
                asyncio.get_running_loop().call_later(lasts_s, system.stop)
            try:
                await self._until_end(system, lasts_s, is_killed=life.is_killed)
                if not life.is_killed:
                    projector.flush()
            finally:
                projector.close()
                paper.exchange.close()
                await journal.close()
                stop_logging()
                self.seen.faults.update(line.faults)

    async def _until_end(self, system: System, lasts_s: float, *, is_killed: bool) -> None:
        code = None
        with anyio.move_on_after(lasts_s if is_killed else lasts_s + 60):
            code = await system.run()
        if not is_killed and code != 0:
            self.seen.violations.append(f"an orderly stop ended with {code}")

    def _feed(self, life: Life, clock: LoopClock) -> None:
        """Drop what came while nobody lived, then each file at its time."""
        while self._next is not None and self._next[0] < life.ends:
            when, name, content = self._next
            wait_s = (when - clock.now()).total_seconds()
            if wait_s > 86_400:  # a long life: files are made when they are due
                asyncio.get_running_loop().call_later(wait_s - 43_200, self._feed, life, clock)
                return
            asyncio.get_running_loop().call_later(max(wait_s, 0.0), (self.home.inbox / name).write_bytes, content)
            self._next = next(self._due, None)

    def measure(self, now: datetime) -> Day:
        """What is taken at the end of a day."""
        self.leak()
        age(self.home.logs, now.date())
        gc.collect()
        state = self.home.state
        return Day(
            now.date(),
            self._process.memory_info().rss / MB,
            self._process.num_fds() if hasattr(self._process, "num_fds") else self._process.num_handles(),
            self._process.num_threads(),
            bytes_below(state, "journal.sqlite"),
            self.seen.messages,
            bytes_below(state, "views.sqlite"),
            bytes_below(self.home.logs, "*"),
            len(list(self.home.logs.iterdir())),
        )


class Watch:
    """Sees every message once it is durable."""

    def __init__(self, year: Year, clock: LoopClock, projector: Projector, began: float) -> None:
        self._year, self._clock, self._projector, self._began = year, clock, projector, began

    def __call__(self, batch: Sequence[Envelope]) -> None:
        seen = self._year.seen
        seen.messages += len(batch)
        for envelope in batch:
            seen.hear(envelope.body)
            match envelope.body:
                case m.LinkReady() if self._began:
                    seen.starts.append(Start(envelope.at, envelope.id, process_time() - self._began))
                    self._began = 0.0
                case m.RunFinished():
                    self._projector.flush()
                case m.EquityRecorded(kind="close"):
                    self._projector.flush()
                    seen.days.append(self._year.measure(self._clock.now()))
                case _:
                    pass


def nothing() -> None:
    """No leak is planted."""


def soak_days(folder: Path, count: int, names: int, seed: int, leak: Leak = nothing) -> dict[str, object]:
    """Live through so many trading days; what was taken. `leak` is called each day, to see that one would be told."""
    began = perf_counter()
    year = Year(make_home(folder / "home"), plot_of(count, names_of(names), seed), Seen(), leak)
    assert all(one.ends <= other.begins for one, other in pairwise(year.plot.lives))
    year.run()
    return report(year.home, year.plot, year.seen, perf_counter() - began)
