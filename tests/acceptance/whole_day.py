"""Whole days of the whole program in virtual time: files, commands, outages and ends of the process at their times."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import TypeVar

import anyio

from qws.app import Ports, build
from qws.cli.home import make_home
from qws.config import make_config
from qws.domain.orders import OrderStatus
from qws.errors import StoreError
from qws.gateways.sim.exchange import SimExchange
from qws.home import Home
from qws.messages import (
    OrderUpdated,
    PlaceOrder,
    RebalanceDue,
    RunFinished,
    TargetAccepted,
)
from qws.paper import open_paper
from qws.ports import BrokerEvent, Channel, LinkDown, LinkUp
from qws.runtime.clock import SHANGHAI, LoopClock, VirtualLoop
from qws.runtime.message import Envelope, Message
from qws.runtime.system import System
from qws.store.inbox import InboxFolder
from qws.store.journal import InlineJournal
from qws.virtual import KeepNothing, inline
from qws.watch import HomeWatch
from tests.support.unreachable import UnreachableBroker

M = TypeVar("M", bound=Message)
DAY = date(2026, 11, 19)
# More than the books show at once: what is sold takes half a minute.
HELD = {"600036.SH": 6_000_000, "000001.SZ": 3_000_000}


def at(clock: str) -> datetime:
    """A time of the day, or of another one where its date stands before it."""
    day, _, moment = clock.rpartition(" ")
    return datetime.combine(date.fromisoformat(day) if day else DAY, time.fromisoformat(moment), SHANGHAI)


@dataclass(frozen=True)
class Asked:
    """A row of the control table."""

    id: int
    command: str
    argument: str = ""
    by: str = "me"


@dataclass
class Desk:
    """What a person orders, and when."""

    clock: LoopClock
    orders: list[tuple[datetime, Asked]]

    def unanswered(self) -> list[Asked]:
        return [asked for when, asked in self.orders if when <= self.clock.now()]

    def answer(self, id_: int, text: str, at: datetime) -> bool:
        self.orders[:] = [each for each in self.orders if each[1].id != id_]
        return True


class Line(UnreachableBroker):
    """The paper broker, which cannot be reached between two moments."""

    def __init__(self, exchange: SimExchange, clock: LoopClock, outage: tuple[datetime, datetime] | None) -> None:
        super().__init__(exchange, clock)
        self._loop_clock, self._outage = clock, outage

    async def events(self) -> AsyncIterator[BrokerEvent]:
        heard: asyncio.Queue[BrokerEvent] = asyncio.Queue()

        async def hear() -> None:
            async for event in super(Line, self).events():
                if not self._is_out():
                    heard.put_nowait(event)

        for moment, event in zip(self._outage or (), (LinkDown("the terminal is gone"), LinkUp()), strict=False):
            wait_s = (moment - self._loop_clock.now()).total_seconds()
            asyncio.get_running_loop().call_later(wait_s, heard.put_nowait, event)
        hearing = asyncio.create_task(hear())
        try:
            while True:
                yield await heard.get()
        finally:
            hearing.cancel()

    def _is_out(self) -> bool:
        return self._outage is not None and self._outage[0] <= self._loop_clock.now() < self._outage[1]


class FailingJournal(InlineJournal):
    """Loses what is written from a moment on, as when the power goes."""

    fails_at: datetime | None = None

    async def append(self, batch: Sequence[Envelope]) -> None:
        if self.fails_at is not None and batch[-1].at >= self.fails_at:
            raise StoreError("the power is gone")
        await super().append(batch)


@dataclass
class Day:
    """One home and one account; files and commands come at their times, to whichever life there is."""

    home: Home
    orders: list[tuple[str, str]] = field(default_factory=list)
    outage: tuple[str, str] | None = None
    told: list[Envelope] = field(default_factory=list)
    files: list[tuple[datetime, str, bytes]] = field(default_factory=list)
    execution: dict[str, object] = field(default_factory=dict)
    risk: dict[str, object] = field(default_factory=dict)
    stops: dict[str, object] = field(default_factory=dict)
    paper: dict[str, object] = field(default_factory=dict)
    scan_s: float = 1.0
    notify: dict[str, object] = field(default_factory=dict)
    channels: Callable[[LoopClock], tuple[Channel, ...] | None] = lambda clock: None
    checks: dict[str, object] = field(default_factory=dict)
    free_bytes: Callable[[], int] | None = None  # with it, the morning is checked
    reconciles: bool = False

    def drop(self, clock: str, name: str, weights: dict[str, str], note: str = "", day: date | None = None) -> None:
        rows = [f"{at(clock).date() if day is None else day},{code},{weight}{note}" for code, weight in weights.items()]
        self.files.append((at(clock), name, "\n".join(["date,stock_code,weight" + note, *rows, ""]).encode()))

    def live(self, began: str, ended: str, how: str = "kill") -> int | None:
        """One life; its exit code when it was asked to stop."""
        return anyio.run(self._live, at(began), at(ended), how, backend_options={"loop_factory": VirtualLoop})

    async def _live(self, began: datetime, ended: datetime, how: str) -> int | None:
        clock, home, loop = LoopClock(began), self.home, asyncio.get_running_loop()
        account = {"seed": 5, "cash": 1_000_000, "positions": "p.csv", **self.paper}
        intake = {"scan_s": self.scan_s, "in_place_settle_ms": 50}
        sections = {
            "intake": intake, "paper": account, "execution": self.execution, "risk": self.risk, "notify": self.notify,
            "checks": self.checks,
            "stops": self.stops,
        }  # fmt: skip
        config = make_config(sections, "test")
        paper = open_paper(config, home.root, clock, home.exchange, None)
        journal = await FailingJournal.open(home.journal)
        journal.fails_at = ended if how == "power" else None
        inbox = InboxFolder(home.inbox, 2**20)
        inbox.prepare()
        for when, name, content in self.files:
            if began <= when < ended:
                loop.call_later((when - began).total_seconds(), (home.inbox / name).write_bytes, content)
        desk = Desk(clock, [(at(when), Asked(id_, *word.split(" "))) for id_, (when, word) in enumerate(self.orders)])
        desk.orders = [each for each in desk.orders if began <= each[0] < ended]
        line = Line(paper.exchange, clock, (at(self.outage[0]), at(self.outage[1])) if self.outage else None)
        watch = HomeWatch(line, paper.quotes, clock, inline, self.free_bytes) if self.free_bytes else None
        ports = Ports(
            line,
            paper.quotes,
            paper.calendar,
            paper.rules,
            inbox,
            KeepNothing(),
            desk if desk.orders else None,
            inline,
            None,
            channels=self.channels(clock),
            watch=watch,
            reconciles=self.reconciles,
        )
        system: System = build(config, ports, clock, journal, [self.told.extend])
        lasts_s, code = (ended - began).total_seconds(), None
        if how == "stop":
            loop.call_later(lasts_s, system.stop)
        try:
            with anyio.move_on_after(lasts_s if how == "kill" else lasts_s + 60), suppress(StoreError):
                code = await system.run()
        finally:
            paper.exchange.close()
            await journal.close()
        return code

    def of(self, kind: type[M]) -> list[M]:
        return [each.body for each in self.told if isinstance(each.body, kind)]

    def ends(self) -> list[tuple[str, str, str]]:
        """File, status and reason of every final result."""
        names = {target.target_id: target.name for target in self.of(TargetAccepted)}
        return [(names.get(end.target_id, ""), end.status, end.reason) for end in self.of(RunFinished)]

    def sent(self, since: str, until: str) -> list[str]:
        """Tags of the orders that were decided in this time."""
        span = at(since), at(until)
        return [e.body.order.tag for e in self.told if isinstance(e.body, PlaceOrder) and span[0] < e.at < span[1]]

    def check(self) -> dict[str, int]:
        """No order twice, none without its intent, none still at work, one final result for every run; the holdings."""
        with closing(sqlite3.connect(self.home.exchange)) as books:
            rows = books.execute("SELECT tag, status, traded FROM orders").fetchall()
            held = dict(books.execute("SELECT code, shares FROM holdings WHERE shares > 0"))
        tags = [tag for tag, _, _ in rows]
        assert len(tags) == len(set(tags))
        assert set(tags) <= {place.order.tag for place in self.of(PlaceOrder)}
        assert all(OrderStatus(status).is_terminal for _, status, _ in rows)
        known = {update.order.tag: (update.order.status, update.order.traded) for update in self.of(OrderUpdated)}
        assert {tag: (status, traded) for tag, status, traded in rows} == {tag: known[tag] for tag in tags}
        runs = [due.run_id for due in self.of(RebalanceDue)]
        assert len(self.ends()) == len(set(runs)) == len({end.run_id for end in self.of(RunFinished)})
        return held


def a_day(folder: Path) -> Day:
    """A new home whose account holds more than can be sold at once."""
    home = make_home(folder / "home")
    rows = [f"{code},{shares}" for code, shares in HELD.items()]
    (home.root / "p.csv").write_text("\n".join(["stock_code,shares", *rows, ""]), encoding="utf-8")
    return Day(home)
