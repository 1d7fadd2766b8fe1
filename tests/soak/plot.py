"""What is to happen in a soak of virtual days: files, outages, and when which process lives and how it ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from random import Random

from qws.runtime.clock import SHANGHAI
from qws.tables import load_calendar
from tests.soak.files import bad_file, csv_of, weights_of, workbook_of
from tests.soak.line import Outage

FIRST = date(2025, 1, 2)
_TURN = 20  # files, after which the weights are what they were
_WORKBOOK_EACH, _REFUSED_EACH = 25, 5


@dataclass(frozen=True)
class Life:
    """When a process begins and ends, and whether it is asked to stop or killed."""

    begins: datetime
    ends: datetime
    is_killed: bool


@dataclass
class Plot:
    """All of it, drawn from a seed."""

    days: list[date]
    lives: list[Life]
    outages: list[Outage]
    names: Sequence[str]
    seed: int
    good: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def files(self) -> Iterator[tuple[datetime, str, bytes]]:
        """Time, name and content of each file in turn, made when it is asked for."""
        draw, before = Random(f"{self.seed}:files"), b""
        for number, day in enumerate(self.days):
            weights, is_workbook = weights_of(self.names, number, _TURN), number % _WORKBOOK_EACH == 7
            content = workbook_of(day, weights) if is_workbook else csv_of(day, weights, number)
            name = f"w-{day}.{'xlsx' if is_workbook else 'csv'}"
            self.good.append(name)
            yield at(day, time(8, 40)), name, content
            if number % _REFUSED_EACH == 2:
                name = f"refused-{day}.csv"
                self.refused.append(name)
                yield at(day, time(11)), name, before if number % 2 else bad_file(day, number, draw)
            before = content


def at(day: date, when: time) -> datetime:
    """A time of a day in Shanghai."""
    return datetime.combine(day, when, SHANGHAI)


def plot_of(count: int, names: Sequence[str], seed: int) -> Plot:
    """So many trading days; the process ends each third to sixth day but for one long life from the half to three
    quarters, in which memory has nothing to hide behind."""
    calendar, days, draw = load_calendar(), [FIRST], Random(f"{seed}:plot")
    while len(days) < count:
        days.append(calendar.next_session(days[-1]))
    ends, number = list[tuple[datetime, bool]](), 0
    while (number := number + draw.randint(2, 5)) < count - 1:
        if number > count // 2:
            number = max(number, 3 * count // 4)
        is_killed = draw.random() < 0.6
        when = draw.choice((time(9, 30, 4), time(9, 31), time(10, 15), time(20))) if is_killed else time(16)
        ends.append((at(days[min(number, count - 2)], when), is_killed))
    begin, lives = at(days[0], time(8, 30)), []
    for end, is_killed in (*ends, (at(days[-1], time(15, 40)), False)):
        if end > begin:
            lives.append(Life(begin, end, is_killed))
            begin = end + timedelta(seconds=draw.choice((15, 120, 600)))
    assert all(one.ends < other.begins for one, other in pairwise(lives))
    cuts = (at(day, time(9, 30)) + timedelta(seconds=draw.randrange(5, 900)) for day in days if draw.random() < 0.3)
    outages = [(cut, cut + timedelta(seconds=draw.choice((3, 40, 200)))) for cut in cuts]
    return Plot(days, lives, outages, names, seed)
