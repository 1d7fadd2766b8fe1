"""Times of a day out of five cron fields. The parser is loaded only where somebody wrote one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

_FIELDS = 5
_NAMES = re.compile(r"[a-z]+")
_DAYS = frozenset({"mon", "tue", "wed", "thu", "fri", "sat", "sun", "l"})
_MONTHS = frozenset({"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"})
_EXAMPLE = 'write minute, hour, day of month, month, day of week, for example "30 14 * * fri"'
_YEAR = 2026


def cron_times(expression: str) -> tuple[time, ...]:
    """Every time of day that the first two fields name, in order. Raises ValueError naming the remedy."""
    from croniter import croniter

    fields = expression.lower().split()
    if len(fields) != _FIELDS:
        raise ValueError(f"{len(fields)} fields instead of {_FIELDS}; {_EXAMPLE}")
    if strange := sorted(set(_NAMES.findall(expression.lower())) - _DAYS - _MONTHS):
        raise ValueError(f"{strange[0]!r} means nothing here; {_EXAMPLE}")
    try:
        (minutes, hours, *_), _ = croniter.expand(" ".join(fields))
        croniter(" ".join(fields), datetime(_YEAR, 1, 1)).get_next(datetime)  # noqa: DTZ001 - on some day, somewhere
    except ValueError as error:
        raise ValueError(f"{error}; {_EXAMPLE}") from error
    return tuple(time(hour, minute) for hour in _numbers(hours, 24) for minute in _numbers(minutes, 60))


def cron_times_of(expression: str, day: date) -> list[time]:
    """The times of one day at which an expression fires, in order."""
    from croniter import croniter

    midnight = datetime.combine(day, time())  # naive: Shanghai has no summer time
    fires = croniter(expression.lower(), midnight - timedelta(microseconds=1))
    found: list[time] = []
    while (at := fires.get_next(datetime)).date() == day:
        found.append(at.time())
    return found


def _numbers(field: list[int | str], count: int) -> Iterator[int]:
    if "*" in field:
        yield from range(count)
    else:
        yield from (int(each) for each in field)
