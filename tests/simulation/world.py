"""One seed: an account, its days, its faults, and as many lives of the real system as it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache, partial
from random import Random

import anyio

from qws.app import Ports, build
from qws.config import Config, StopsSection, make_config
from qws.domain.calendar import TradingCalendar
from qws.domain.execution_rules import Release
from qws.domain.rest import Absent
from qws.domain.rules import RuleBook
from qws.errors import QwsError, StoreError
from qws.gateways.sim.books import Opening
from qws.gateways.sim.market import SimMarket
from qws.gateways.sim.quirks import Quirks
from qws.ports import Broker
from qws.runtime.clock import SHANGHAI, VirtualLoop
from qws.tables import load_calendar, load_rules
from tests.simulation.approvals import HELD_ABOVE, Approvals
from tests.simulation.disk import Desk, DeskPort, Diary, JournalPort, Shelf
from tests.simulation.faults import FaultyBroker, FaultyQuotes
from tests.simulation.inbox import Folder, FolderPort, Hinting
from tests.simulation.life import Life, Outside, PatientClock
from tests.simulation.line import Line
from tests.simulation.names import TraitBars
from tests.simulation.others import Others
from tests.simulation.payments import Payments
from tests.simulation.people import COMMANDS, People
from tests.simulation.terminal import Terminal
from tests.simulation.truth import Truth
from tests.simulation.weather import Weather
from tests.simulation.witness import Witness
from tests.simulation.workload import Workload

NO_CRASH = ("", 0)
_SHARE = 0.15  # of the seeds have another value of a setting
_HOLDING = (2, 7)  # of twenty seeds, these hold plans for a person
_LISTED = 5  # of twenty seeds, this one has further runs of the day
_STOPPED = (6, 13)  # of twenty seeds, these have stops
_STOPS = {"stop_loss": "0.02", "take_profit": "0.03", "trailing_atr": "1", "check_s": 60}
_RUNS = ({"name": "late", "at": ["09:45", "13:00:03"]}, {"name": "half", "cron": "*/30 10,14 * * *"})
_LIVES_MAX = 20  # planned deaths are three at most: more is a crash loop


@dataclass(frozen=True)
class Death:
    """How one life ends, and for how many seconds nobody lives then; over night where that leads past the close.

    `cause` is a point of `Life` with the number of times it is passed, or `kill` and `stop` with a moment.
    """

    cause: str
    number: int
    when: datetime | None
    pause_s: float


@cache
def tables() -> tuple[RuleBook, TradingCalendar]:
    """What is the same for all seeds."""
    return load_rules(), load_calendar()


@cache
def config_of(
    release: Release,
    absent: Absent = Absent.HOLD,
    *,
    carries: bool = False,
    holds: bool = False,
    listed: bool = False,
    stopped: bool = False,
) -> Config:
    """The configuration: as it is shipped, but for a folder that is seldom read."""
    execution = {"release": release, "absent": absent, "carry": carries}
    settings: dict[str, object] = {"intake": {"scan_s": 600}, "language": "en", "execution": execution}
    settings |= {"risk": {"turnover_max": HELD_ABOVE, "hold": ["turnover"]}} if holds else {}
    settings |= {"schedule": {"runs": _RUNS}} if listed else {}
    settings |= {"stops": _STOPS} if stopped else {}
    return make_config(settings, "simulation")


def draw_config(seed: int) -> Config:
    """What a seed sets otherwise than it is shipped."""
    draw = Random(f"{seed}:config")
    absent = Absent.AGAIN if draw.random() < _SHARE else Absent.HOLD
    release, carries = Release.STRICT if seed % 4 == 1 else Release.PIPELINED, draw.random() < _SHARE
    holds, listed, stopped = seed % 20 in _HOLDING, seed % 20 == _LISTED, seed % 20 in _STOPPED
    return config_of(release, absent, carries=carries, holds=holds, listed=listed, stopped=stopped)


def at(clock: str, day: date) -> datetime:
    """A time of day in Shanghai."""
    return datetime.combine(day, time.fromisoformat(clock), SHANGHAI)


class World:
    """Everything that outlives a process.

    Calls, pushes, quotes and files go wrong from 08:30 to 14:58 of each day; then all heals, and the day can be judged.
    """

    def __init__(
        self, seed: int, workload: Workload, weather: Weather, deaths: Sequence[Death], quirks: Quirks
    ) -> None:
        rules, calendar = tables()
        self._config = draw_config(seed)
        self.seed, self.workload, self.weather = seed, workload, weather
        self._deaths, self._quirks = list(deaths), quirks
        self.began, self.ends = at("08:30", workload.days[0]), at("15:40", workload.days[-1])
        bars = TraitBars(seed, calendar, rules, workload.traits, workload.days[0], workload.ex_dates)
        market = SimMarket(bars, rules, calendar, seed=seed, always_open=False)
        self.terminal = Terminal(market, Opening(workload.cash, workload.positions), self.began)
        self.outside, self.folder, self.desk, self.shelf = Outside(), Folder(), Desk(), Shelf()
        self.execution, self.calendar = self._config.execution, calendar
        self.others = Others()
        self.witness = Witness(self.terminal, self.others, self.execution, calendar)
        self.terminal.witness = self.witness.on_taken
        self.diary = Diary(self.witness.on_durable)
        self.line = self._make_line()
        self.blind_days: set[date] = set()  # nobody lived through their evening
        self.moved: list[tuple[datetime, Decimal]] = []  # CNY that people brought or took
        self.payments = Payments(self.terminal, self.outside, weather, workload.ex_dates)
        self.lives: list[Life] = []
        self.is_alive = False
        self.reconciles = False
        for day in workload.days:
            self.outside.at(at("08:30", day), self._turn_foul)
            self.outside.at(at("14:58", day), self._turn_fair)
        people = People(self)
        self.witness.ask = people.help
        self.witness.listeners.append(Truth(self).note)
        if self._config.risk.hold:
            approvals = Approvals(self.witness.blame)
            approvals.ask = people.answer
            self.witness.listeners.append(approvals.note)
        for deed in workload.deeds:
            self.outside.at(deed.when, partial(people.act, deed))
        self.desk.times = [deed.when for deed in workload.deeds if deed.what in COMMANDS]

    @property
    def stops(self) -> StopsSection:
        """The stops that are set."""
        return self._config.stops

    def run(self) -> None:
        """Live through all days."""
        now = self.began
        while now < self.ends and len(self.lives) < _LIVES_MAX:
            death = self._next_death(now)
            now = self._live(now, death)
            if now < self.ends:
                now = self._restart_at(now, death)
            self.outside.happen(now)
        if len(self.lives) == _LIVES_MAX:
            self.witness.blame("tripwire", "it ends again and again")
        self.terminal.advance_to(self.ends)

    def close(self) -> None:
        """Let go of the memory."""
        self.diary.close()
        self.terminal.close()

    def _next_death(self, now: datetime) -> Death | None:
        while self._deaths:
            death = self._deaths.pop(0)
            if death.when is None or death.when > now:
                return death
        return None

    def _restart_at(self, now: datetime, death: Death | None) -> datetime:
        """When somebody starts it again: before the close, or the next morning."""
        later = [day for day in self.workload.days if day > now.date()]
        again = now + timedelta(seconds=death.pause_s if death is not None else 10.0)
        latest = max(at("14:59", now.date()), now + timedelta(seconds=5))
        if again > latest and death is not None and death.pause_s > 20_000 and later:
            self.blind_days.add(now.date())
            return at("08:45", later[0])
        return min(again, latest)

    def _live(self, began: datetime, death: Death | None) -> datetime:
        """One life, until its end; when that was."""
        crash = NO_CRASH if death is None or death.when is not None else (death.cause, death.number)
        life = Life(crash)
        self.lives.append(life)
        self.is_alive = True
        ended = self._run(life, began, death)
        self.is_alive = False
        self.line.hang_up()
        self.folder.changed = None
        if life.died_of:
            self.weather.note({"commit_lost": "power_loss"}.get(life.died_of, life.died_of))
        if life.died_of == "commit_lost":
            undone = self.folder.undo_claims(self.witness.paths)
            gone = {"rename_undone": undone, "result_undone": self.shelf.lose(ended)}
            self.weather.happened.update({what: times for what, times in gone.items() if times})
        if life.died_of and self.weather.threatens("push_lost"):
            self.weather.happened["push_lost"] += self.terminal.forget_news()
        return ended

    def _run(self, life: Life, began: datetime, death: Death | None) -> datetime:
        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            return runner.run(self._act(life, began, death))

    async def _act(self, life: Life, began: datetime, death: Death | None) -> datetime:
        clock = PatientClock(began)
        self.shelf.now = clock.now
        journal = JournalPort(self.diary, life)
        system = build(self._config, self._ports(life, clock), clock, journal, ())
        with anyio.CancelScope() as scope:
            life.end = scope.cancel
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.outside.go_on, clock)
                tasks.start_soon(self._end, life, clock, death, system.stop)
                try:
                    code = await system.run()
                    await self._part()
                    # a stop that waits for answers may give up, and so may one that slept through its deadline
                    is_excused = clock.now() <= self.line.silent_until or self.others.has_gap
                    self.witness.on_exit(0 if is_excused and code == 1 else code)
                except StoreError:
                    self.weather.happened["disk_full"] += not life.died_of
                except QwsError as error:
                    self.witness.blame("tripwire", f"{type(error).__name__}: {error}")
                tasks.cancel_scope.cancel()
        return clock.now()

    async def _end(self, life: Life, clock: PatientClock, death: Death | None, stop: Callable[[], None]) -> None:
        """Kill it or stop it at its moment, and stop it when all days are over."""
        if death is not None and death.when is not None:
            await clock.sleep_until(death.when)
            if death.cause == "kill":
                return life.die("kill")
            self.weather.note("orderly_stop")
        else:
            await clock.sleep_until(self.ends)
        stop()

    def _ports(self, life: Life, clock: PatientClock) -> Ports:
        rules, calendar = tables()
        broker = self._make_broker(life, clock)
        quotes = FaultyQuotes(self.terminal.market, clock, self.line, life, self._quirks)
        inbox, hints = FolderPort(self.folder, self.weather), Hinting(self.folder, self.weather)
        desk = DeskPort(self.desk, life, clock)
        ports = Ports(broker, quotes, calendar, rules, inbox, self.shelf, desk, life.offload, hints)
        return replace(ports, reconciles=self.reconciles)

    def _make_line(self) -> Line:
        reuses_ids = self.seed % 4 == 0
        return Line(self.terminal, self.outside, self.weather, self.witness, self.others, reuses_ids=reuses_ids)

    def _make_broker(self, life: Life, clock: PatientClock) -> Broker:
        return FaultyBroker(self.line, life, clock)

    async def _part(self) -> None:
        """What a process still does at its orderly end."""

    def _turn_foul(self, when: datetime) -> None:
        self.weather.is_foul = True

    def _turn_fair(self, when: datetime) -> None:
        self.weather.is_foul = False
        self.line.repair(when)
