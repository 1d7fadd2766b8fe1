"""Two years of a PC that is switched off and on again, and what was told of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random

from qws.config import Config
from qws.domain.schedule import Moment
from qws.home import Home
from qws.messages import EquityRecorded, RebalanceDue, RunFinished, RunMissed, TargetAccepted
from qws.paper import Paper
from qws.runtime.clock import SHANGHAI
from qws.runtime.message import Envelope
from qws.runtime.system import Tap
from qws.tables import load_calendar
from qws.virtual import KeepNothing, Stage, run_virtual

FIRST, TURN, LAST = date(2024, 1, 1), date(2025, 1, 1), date(2025, 12, 31)
CODES = ("600519.SH", "000001.SZ", "600036.SH")
OFF_TIMES = 48  # switched off so often, at any hour, for seconds or for days
PLAN_AT, LAST_ORDER_AT, EQUITY_AT = time(9, 25), time(14, 56), time(15, 10)
LONG_ENOUGH = timedelta(hours=2)  # lunch included, and what a run needs
DROPS = (time(8, 30), time(10, 10), time(10, 29, 57), time(13, 10), time(14, 50))  # of files of one day
CATCH_UP = timedelta(hours=1)  # in the second year
RUNS = (
    {"name": "late", "cron": "30 10 * * 2,4"},
    {"name": "friday", "cron": "45 14 * * fri"},
    {"name": "alpha", "at": ["13:30"], "files": "alpha*.csv"},
)


@dataclass
class Story:
    """What was told, of all lives; when the program lived."""

    attempts: Counter[tuple[str, int]] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    results: dict[date, list[RunFinished]] = field(default_factory=dict)
    closes: Counter[date] = field(default_factory=Counter)
    targets: dict[date, list[TargetAccepted]] = field(default_factory=dict)
    made: dict[Moment, list[tuple[datetime, str]]] = field(default_factory=dict)  # when, and of which target
    missed: dict[Moment, list[datetime]] = field(default_factory=dict)
    others: dict[tuple[date, str], datetime] = field(default_factory=dict)  # first runs that no moment started
    lives: list[tuple[datetime, datetime]] = field(default_factory=list)

    def hear(self, envelope: Envelope) -> None:
        match envelope.body:
            case TargetAccepted(days=days):
                for target in days:
                    self.targets.setdefault(target.day, []).append(envelope.body)
            case RebalanceDue(run_id=run_id, attempt=attempt, moment=moment):
                self.attempts[run_id, attempt] += 1
                if moment is not None:
                    self.made.setdefault(moment, []).append((envelope.at, envelope.body.target_id))
                else:
                    self.others.setdefault((envelope.body.day, envelope.body.target_id), envelope.at)
            case RunMissed(name=name, at=when):
                self.missed.setdefault(Moment(name, when), []).append(envelope.at)
            case RunFinished(day=day):
                self.ends[envelope.body.run_id] += 1
                self.results.setdefault(day, []).append(envelope.body)
            case EquityRecorded(kind="close", day=day):
                self.closes[day] += 1
            case _:
                pass

    def lived(self, since: datetime, until: datetime) -> timedelta:
        """How long the longest life was within a time."""
        parts = (min(end, until) - max(begin, since) for begin, end in self.lives)
        return max(timedelta(), *parts)

    def saw(self, moment: datetime) -> bool:
        """Whether one life had the seconds around a moment."""
        return any(
            begin < moment - timedelta(seconds=2) and end > moment + timedelta(seconds=2) for begin, end in self.lives
        )

    def next_start(self, moment: datetime) -> datetime | None:
        """When the program was started again after a moment."""
        return next((begin for begin, _ in self.lives if begin >= moment), None)


def at(day: date, when: time) -> datetime:
    return datetime.combine(day, when, SHANGHAI)


def sessions() -> list[date]:
    calendar = load_calendar()
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return [day for day in days if calendar.is_session(day)]


def moments() -> list[Moment]:
    """Every moment of the two years, as a person reads the settings."""
    found = []
    for day in sessions():
        found += [Moment("default", at(day, PLAN_AT)), Moment("alpha", at(day, time(13, 30)))]
        found += [Moment("late", at(day, time(10, 30)))] if day.weekday() in (1, 3) else []
        found += [Moment("friday", at(day, time(14, 45)))] if day.weekday() == 4 else []
    return found


def drop(home: Home, name: str, days: Sequence[date], weight: int = 3) -> None:
    """The file of so many days, as a strategy that works ahead writes it."""
    rows = [f"{day},{CODES[(number + day.day) % 3]},0.{weight + number}" for day in days for number in range(2)]
    (home.inbox / f"{name}.csv").write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")


def files() -> dict[datetime, str]:
    """When files of a day of its own come, and their names."""
    chance, found = Random("files"), dict[datetime, str]()
    for number, day in enumerate(sorted(chance.sample(sessions(), 90))):
        found[at(day, DROPS[number % len(DROPS)])] = f"{'alpha' if number % 3 else 'beta'}-{day}"
    return found


def offs() -> list[tuple[datetime, datetime]]:
    """When the PC is off: drawn, some within seconds of what is due, some for days, some over holidays."""
    chance, found = Random("offs"), list[tuple[datetime, datetime]]()
    close = (
        time(9, 24, 59),
        PLAN_AT,
        time(9, 30, 2),
        time(9, 30, 4),
        time(10, 29, 59),
        time(10, 30),
        time(13, 29, 58),
        time(13, 29, 59),
    )
    own = {when.date() for when in files() if when.time() < time(13) and chance.random() < 0.3}
    for day in sorted({*chance.sample(sessions()[1:-10], OFF_TIMES), *own}):
        when = chance.choice((*close, time(14, 44, 58), time(15, 9, 59), EQUITY_AT, None))
        begin = at(day, when) if when else at(day, time(0)) + timedelta(seconds=chance.randrange(86_400))
        length = chance.choice((2, 30, 600, 3_000, 7_200, 30_000, 200_000))
        if not found or begin > found[-1][1] + timedelta(minutes=1):
            found.append((begin, begin + timedelta(seconds=length)))
    turn = at(TURN, time(12))  # a holiday; the settings change
    return sorted([*(each for each in found if not each[0] <= turn <= each[1]), (turn, turn + timedelta(seconds=1))])


def live(home: Home, config: Config, story: Story, begin: datetime, end: datetime) -> None:
    """One life of the program, from when the PC is switched on until it is switched off."""

    def make(stop: Callable[[], None], paper: Paper) -> Tap:
        del paper
        loop = asyncio.get_running_loop()
        loop.call_later((end - begin).total_seconds(), stop)
        for when, name in files().items():
            if begin < when < end:
                loop.call_later(
                    (when - begin).total_seconds(), drop, home, name, [when.date()], len(story.lives) % 3 + 1
                )

        def tap(batch: Sequence[Envelope]) -> None:
            for envelope in batch:
                story.hear(envelope)

        return tap

    code, lived_s = run_virtual(Stage(home, config, begin, KeepNothing(), [make], in_memory=False))
    assert code == 0
    story.lives.append((begin, begin + timedelta(seconds=lived_s)))
