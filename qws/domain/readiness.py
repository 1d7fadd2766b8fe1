"""Can today's target be traded? What is looked at before the open, and what is wrong with it; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Protocol

from qws.domain.calendar import UnknownDay
from qws.domain.market import Quote
from qws.domain.target_records import DayTarget

_HABIT = 5  # trading days in a row with a target make the next one expected
_AHEAD_MAX = timedelta(seconds=3)  # of the market's own clock, which may be rounded up
_NAMES_SHOWN = 5


class Expected(StrEnum):
    """Whether a trading day without a target is a problem: after five days in a row that had one, always, never."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class ReadinessRules:
    """When to look, what to expect, the oldest newest quote, trading days that must be known, megabytes of disk."""

    ready_at: time
    target_expected: Expected
    quote_age_max_s: float
    calendar_days_min: int
    disk_free_min_mb: int


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps today's target from being traded: a stable code, and what the sentence names."""

    code: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one look found. `faults` are problems of looking itself; `codes` should have quotes."""

    at: datetime
    faults: tuple[Problem, ...]
    codes: frozenset[str]
    quotes: tuple[Quote, ...]
    disk_free_mb: int | None


class Sessions(Protocol):
    """What is needed of a calendar; all raise `UnknownDay`."""

    def next_session(self, day: date) -> date:
        """The first trading day after `day`."""
        ...

    def previous_session(self, day: date) -> date:
        """The last trading day before `day`."""
        ...


def problems_of(seen: Seen, rules: ReadinessRules, before: Iterable[Problem], *, moves: bool) -> Iterator[Problem]:
    """What is wrong with the account, the quotes, the computer's clock and its disk.

    Old quotes are one while the market `moves`; else those that stood still `before` still do.
    """
    yield from seen.faults
    if not any(each.code == "quotes_unreadable" for each in seen.faults):
        found = tuple(_of_quotes(seen, rules))
        yield from (each for each in found if moves or each.code != "quotes_old")
        yield from (each for each in before if not moves and each.code == "quotes_old")
    if seen.disk_free_mb is not None and seen.disk_free_mb < rules.disk_free_min_mb:
        yield Problem("disk_low", f"{seen.disk_free_mb} MB")


def _of_quotes(seen: Seen, rules: ReadinessRules) -> Iterator[Problem]:
    missing = sorted(seen.codes - {each.code for each in seen.quotes})
    if missing:
        yield Problem("quotes_missing", shown(missing))
    times = [each.at for each in seen.quotes if not each.suspended]
    if not times:
        return
    age = seen.at - max(times)
    if age < -_AHEAD_MAX:
        yield Problem("clock_slow", f"{-age.total_seconds():.0f} s")
    elif age > timedelta(seconds=rules.quote_age_max_s):
        yield Problem("quotes_old", f"{max(times):%Y-%m-%d %H:%M:%S}")


def without_target(day: date, days: Collection[date], calendar: Sessions, expected: Expected) -> Iterator[Problem]:
    """No target of today where one is expected; `days` are those of which a target was accepted."""
    if day in days or expected is Expected.NEVER:
        return
    if expected is Expected.AUTO:
        before = day
        for _ in range(_HABIT):
            try:
                before = calendar.previous_session(before)
            except UnknownDay:
                return
            if before not in days:
                return
    yield Problem("target_missing", str(day))


def expires_before(opens_at: datetime, target: DayTarget) -> Iterator[Problem]:
    """The target of today is good no longer when its first order could leave."""
    if target.is_expired(opens_at):
        yield Problem("target_expired", f"{target.expires_at:%Y-%m-%d %H:%M}")


def calendar_ends(day: date, calendar: Sessions, days_min: int) -> Iterator[Problem]:
    """Too few of the coming trading days are known."""
    last = day
    for _ in range(days_min):
        try:
            last = calendar.next_session(last)
        except UnknownDay:
            yield Problem("calendar_short", str(last))
            return


def lost_before(day: date, run_id: str, run_day: date, calendar: Sessions) -> Iterator[Problem]:
    """The last trading day ended with orders of which nobody knows what they traded."""
    try:
        if run_id and run_day == calendar.previous_session(day):
            yield Problem("orders_unknown", run_id)
    except UnknownDay:
        return


def shown(names: Sequence[str]) -> str:
    """Some names, and how many more there are."""
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (f" (+{more})" if more > 0 else "")


def codes_of(problems: Iterable[Problem]) -> frozenset[str]:
    """Which problems these are, whatever they are about."""
    return frozenset(each.code for each in problems)
