"""Two years in virtual time, with every holiday, through a PC that is switched off and on again: each due run once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import groupby
from random import Random

import pytest

from qws.cli.home import make_home
from qws.config import Config, make_config
from qws.home import Home
from qws.messages import EquityRecorded, RebalanceDue, RunFinished
from qws.paper import Paper
from qws.runtime.clock import SHANGHAI
from qws.runtime.message import Envelope
from qws.runtime.system import Tap
from qws.tables import load_calendar
from qws.virtual import KeepNothing, Stage, run_virtual

FIRST, LAST = date(2024, 1, 1), date(2025, 12, 31)
CODES = ("600519.SH", "000001.SZ", "600036.SH")
OFF_TIMES = 60  # switched off so often, at any hour, for seconds or for days
PLAN_AT, LAST_ORDER_AT, EQUITY_AT = time(9, 25), time(14, 56), time(15, 10)
LONG_ENOUGH = timedelta(hours=2)  # lunch included, and what a run needs


@dataclass
class Story:
    """What was told, of all lives; when the program lived."""

    attempts: Counter[tuple[date, int]] = field(default_factory=Counter)
    results: dict[date, list[RunFinished]] = field(default_factory=dict)
    closes: Counter[date] = field(default_factory=Counter)
    lives: list[tuple[datetime, datetime]] = field(default_factory=list)

    def hear(self, envelope: Envelope) -> None:
        match envelope.body:
            case RebalanceDue(day=day, attempt=attempt):
                self.attempts[day, attempt] += 1
            case RunFinished(day=day):
                self.results.setdefault(day, []).append(envelope.body)
            case EquityRecorded(kind="close", day=day):
                self.closes[day] += 1
            case _:
                pass

    def lived(self, since: datetime, until: datetime) -> timedelta:
        """How long the longest life was within a time."""
        parts = (min(end, until) - max(begin, since) for begin, end in self.lives)
        return max(timedelta(), *parts)


def at(day: date, when: time) -> datetime:
    return datetime.combine(day, when, SHANGHAI)


def sessions() -> list[date]:
    calendar = load_calendar()
    days = (FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
    return [day for day in days if calendar.is_session(day)]


def drop(home: Home, days: Sequence[date]) -> None:
    """The files of so many days, as a strategy that works ahead writes them."""
    rows = [f"{day},{CODES[(number + day.day) % 3]},0.{3 + number}" for day in days for number in range(2)]
    (home.inbox / f"{days[0]}.csv").write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")


def offs() -> list[tuple[datetime, datetime]]:
    """When the PC is off: drawn, some within seconds of what is due, some for days, some over holidays."""
    chance, found = Random("offs"), list[tuple[datetime, datetime]]()
    for day in sorted(chance.sample(sessions()[1:-10], OFF_TIMES)):
        when = chance.choice(
            (time(9, 24, 59), PLAN_AT, time(9, 30, 2), time(9, 30, 4), time(15, 9, 59), EQUITY_AT, None)
        )
        begin = at(day, when) if when else at(day, time(0)) + timedelta(seconds=chance.randrange(86_400))
        length = chance.choice((2, 30, 600, 7_200, 30_000, 200_000))
        if not found or begin > found[-1][1] + timedelta(minutes=1):
            found.append((begin, begin + timedelta(seconds=length)))
    return found


def live(home: Home, config: Config, story: Story, begin: datetime, end: datetime) -> None:
    """One life of the program, from when the PC is switched on until it is switched off."""

    def make(stop: Callable[[], None], paper: Paper) -> Tap:
        del paper
        asyncio.get_running_loop().call_later((end - begin).total_seconds(), stop)

        def tap(batch: Sequence[Envelope]) -> None:
            for envelope in batch:
                story.hear(envelope)

        return tap

    code, lived_s = run_virtual(Stage(home, config, begin, KeepNothing(), [make], in_memory=False))
    assert code == 0
    story.lives.append((begin, begin + timedelta(seconds=lived_s)))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = make_home(tmp_path_factory.mktemp("two years") / "home")
    months = groupby(sessions(), key=lambda day: (day.year, day.month))
    for _, days in months:
        drop(home, list(days))
    config = make_config({"intake": {"scan_s": 3600}, "paper": {"seed": 5, "always_open": False}}, "test")
    story, begin = Story(), at(FIRST, time(0))
    for off, on in offs():
        live(home, config, story, begin, off)
        begin = on
    live(home, config, story, begin, at(LAST, time(23, 59)))
    return story


def test_every_session_on_which_the_program_lived_long_enough_has_one_run(story: Story) -> None:
    for day in sessions():
        lived = story.lived(at(day, PLAN_AT), at(day, LAST_ORDER_AT))
        if lived > LONG_ENOUGH:
            assert len(story.results.get(day, [])) == 1, f"{day}: {story.results.get(day)}"
            assert story.results[day][0].status in ("completed", "incomplete")


def test_no_day_has_two_results_and_no_attempt_is_due_twice(story: Story) -> None:
    assert {day: len(ends) for day, ends in story.results.items() if len(ends) > 1} == {}
    assert [due for due, times in story.attempts.items() if times > 1] == []
    assert sum(story.attempts.values()) > len(story.results)  # some were cut off and went on


def test_nothing_is_due_while_the_exchanges_or_the_pc_are_off(story: Story) -> None:
    assert story.results.keys() <= set(sessions())
    unseen = [day for day in sessions() if not story.lived(at(day, PLAN_AT), at(day, EQUITY_AT))]
    assert len(unseen) > 10
    missed = {day: [(end.status, end.reason) for end in story.results[day]] for day in unseen if day in story.results}
    assert {tuple(ends) for ends in missed.values()} == {(("refused", "session_over"),)}  # switched on in the evening
    assert all(story.lived(at(day, EQUITY_AT), at(day, time(23, 59))) for day in missed)


def test_every_close_that_the_program_saw_is_recorded_once(story: Story) -> None:
    seen = [day for day in sessions() if story.lived(at(day, EQUITY_AT), at(day, time(23, 59))) > timedelta(minutes=1)]

    assert set(story.closes.values()) == {1}
    assert set(seen) <= story.closes.keys() <= set(sessions())
