"""What a weight file would trade now: the daemon's own actors, called by hand, and nothing is sent."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from actors.planner import Planner
from actors.risk_guard import RiskGuard
from actors.snapshotter import Snapshotter
from qws.app import plan_rules, schedule_of, target_rules, volume_days
from qws.config import Config
from qws.domain.calendar import UnknownDay
from qws.domain.plan import Plan
from qws.domain.targets import DroppedRow, Mode, ParsedTarget, Refusal, parse_target, unless_expired
from qws.edges import Edges
from qws.gateways.files import FileLimits, read_rows
from qws.messages import PlanDrafted, PlanHeld, PlanReady, PlanRefused, SnapshotDue, SnapshotTaken, TargetAccepted
from qws.paper import open_paper, tables
from qws.ports import Calendar, Clock
from qws.terminal_look import TerminalLook


@dataclass(frozen=True, slots=True)
class Preview:
    """A plan that nobody sends, for the first day of the file; `refusals` are the hard limits that would refuse it, or
    where `is_held` the rules it would wait for a person to allow."""

    day: date
    plan: Plan
    dropped: tuple[DroppedRow, ...]
    refusals: tuple[Refusal, ...]
    mode: Mode
    is_held: bool = False


@dataclass(frozen=True, slots=True)
class FrozenClock:
    """A clock that stands still: a preview is of one moment."""

    moment: datetime

    def now(self) -> datetime:
        """The moment."""
        return self.moment

    async def sleep(self, seconds: float) -> None:
        """Do not wait: nothing changes."""

    async def sleep_until(self, when: datetime) -> None:
        """Do not wait: nothing changes."""


def preview(file: Path, config: Config, root: Path, books: Path | None, now: datetime) -> Preview | tuple[Refusal, ...]:
    """Plan `file` for the account in `books`, or a new one, as of `now`; refusals when it is no target.

    Raises ConfigError for a broken price file. `books` is copied, never written.
    """
    target = read_target(file, config, tables(config, root / "config")[1], now)
    if not isinstance(target, TargetAccepted):
        return target
    with _copied(books) as copy:
        paper = open_paper(config, root, FrozenClock(now), copy, root / "config")
        try:
            edges = Edges(paper.rules, paper.calendar, paper.broker, paper.quotes)
            return asyncio.run(_planned(target, config, edges, FrozenClock(now)))
        finally:
            paper.exchange.close()


def preview_at_terminal(file: Path, look: TerminalLook) -> Preview | tuple[Refusal, ...]:
    """Plan `file` for the account of a terminal's home as it is now; refusals when it is no target.

    Raises AlreadyRunning while somebody trades the account, and GatewayError when the terminal is not ready.
    """
    calendar = tables(look.config, look.home.config_folder)[1]
    target = read_target(file, look.config, calendar, look.clock.now())
    if not isinstance(target, TargetAccepted):  # which needs no terminal
        return target
    with _copied(look.home.shadow) as copy:
        return asyncio.run(_looked(file, look, copy))


async def _looked(file: Path, look: TerminalLook, shadow: Path | None) -> Preview | tuple[Refusal, ...]:
    async with look.ports(shadow) as edges:
        target = read_target(file, look.config, edges.calendar, look.clock.now())
        return await _planned(target, look.config, edges, look.clock) if isinstance(target, TargetAccepted) else target


def read_target(file: Path, config: Config, calendar: Calendar, now: datetime) -> TargetAccepted | tuple[Refusal, ...]:
    """Read a weight file as the daemon would at `now`."""
    content, limits = file.read_bytes(), FileLimits()
    rows = read_rows(file.name, content, limits)
    if isinstance(rows, Refusal):
        return (rows,)
    try:
        day = schedule_of(config, calendar).effective_day(now)
    except UnknownDay as unknown:
        return (Refusal("unknown_calendar", str(unknown)),)
    rules = target_rules(config, limits)
    parsed = unless_expired(parse_target(rows, today=day, calendar=calendar, rules=rules), now)
    if not isinstance(parsed, ParsedTarget):
        return parsed
    digest = sha256(content).hexdigest()
    return TargetAccepted(digest[:12], file.name, str(file), digest, now, parsed.days, parsed.dropped, parsed.unread)


async def _planned(target: TargetAccepted, config: Config, edges: Edges, clock: Clock) -> Preview | tuple[Refusal, ...]:
    snapshotter = Snapshotter(edges.broker, edges.quotes, clock, volume_days(config))
    planner, guard = (
        Planner(plan_rules(config, edges.rules), config.plan.sizing, config.execution.absent),
        RiskGuard(config.risk.rules(), config.risk.hold),
    )
    for actor in (snapshotter, planner):
        actor.on_target_accepted(target)
    day, mode = target.days[0].day, target.days[0].mode
    taken = await snapshotter.on_snapshot_due(SnapshotDue("preview", target.target_id, day, 0, preview=True))
    drafted = next(planner.on_snapshot_taken(_as_of_quotes(taken))) if isinstance(taken, SnapshotTaken) else taken
    if isinstance(taken, SnapshotTaken):
        guard.on_snapshot_taken(taken)
    judged = next(guard.on_plan_drafted(drafted)) if isinstance(drafted, PlanDrafted) else drafted
    match drafted, judged:
        case PlanDrafted(), PlanRefused():
            return Preview(day, drafted.plan, target.dropped, (Refusal(judged.reason, judged.text),), mode)
        case PlanDrafted(), PlanHeld():
            broken = tuple(Refusal(each.rule, each.text) for each in judged.breaches)
            return Preview(day, drafted.plan, target.dropped, broken, mode, is_held=True)
        case PlanDrafted(), PlanReady():
            return Preview(day, judged.plan, target.dropped, (), mode)
    assert isinstance(judged, PlanRefused)
    return (Refusal(judged.reason, judged.text),)


def _as_of_quotes(taken: SnapshotTaken) -> SnapshotTaken:
    """Outside the session the newest quotes are old; a preview is made as of them, and says so."""
    newest = max((quote.at for quote in taken.snapshot.quotes), default=taken.snapshot.at)
    return replace(taken, snapshot=replace(taken.snapshot, at=min(newest, taken.snapshot.at)))


@contextmanager
def _copied(books: Path | None) -> Iterator[Path | None]:
    """A copy of the paper account that may be read while the daemon writes the original."""
    if books is None or not books.exists():
        yield None
        return
    with TemporaryDirectory(prefix="qws-plan-") as folder:
        copy = Path(folder) / "exchange.sqlite"
        uri = f"{books.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        yield copy
