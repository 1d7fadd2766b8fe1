"""The stricter of two calendars holds, in whatever zone the computer is. XTQUANT.md H18."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from qws.domain.calendar import TradingCalendar, UnknownDay
from qws.errors import GatewayError
from qws.gateways.xt.calendar import merged
from qws.tables import load_calendar

TABLES = load_calendar()
FIRST, TODAY = date(2026, 1, 5), date(2026, 11, 19)
HOLIDAYS = frozenset(day for day in TABLES.closed if day.year == 2026)


def sessions(first: date = FIRST, last: date = TODAY) -> frozenset[date]:
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return frozenset(day for day in days if TABLES.is_session(day))


def test_calendars_that_agree_change_nothing() -> None:
    calendar, differences = merged(TABLES, sessions(), HOLIDAYS)

    assert differences == ()
    assert calendar == TABLES


@pytest.mark.parametrize("day", [date(2026, 11, 18), date(2026, 12, 14)])
def test_a_day_that_only_the_terminal_closes_is_closed(day: date) -> None:
    assert TABLES.is_session(day)
    calendar, differences = merged(TABLES, sessions() - {day}, HOLIDAYS | {day})

    assert differences == (day,)
    assert not calendar.is_session(day)


def test_a_day_that_only_the_tables_close_is_closed() -> None:
    closed = next(day for day in sorted(HOLIDAYS) if FIRST < day < TODAY and day.weekday() < 5)
    calendar, differences = merged(TABLES, sessions() | {closed}, HOLIDAYS - {closed})

    assert differences == (closed,)
    assert not calendar.is_session(closed)


def test_the_terminal_knows_a_year_longer_when_it_has_that_years_holidays() -> None:
    year = TABLES.known_until.year + 1
    known = frozenset(date(year, 5, day) for day in range(1, 15))
    calendar, _ = merged(TABLES, sessions(), HOLIDAYS | known)

    assert calendar.known_until == date(year, 12, 31)
    assert not calendar.is_session(date(year, 5, 3))
    assert calendar.is_session(date(year, 6, 1))


def test_a_single_day_of_the_next_year_is_not_that_years_calendar() -> None:
    year = TABLES.known_until.year + 1
    calendar, _ = merged(TABLES, sessions(), HOLIDAYS | {date(year, 1, 1)})

    with pytest.raises(UnknownDay):
        calendar.is_session(date(year, 2, 8))


def test_without_holidays_only_the_list_says_something() -> None:
    short = TradingCalendar(FIRST, date(2026, 6, 30), TABLES.closed)
    calendar, differences = merged(short, sessions(), frozenset())

    assert differences == ()
    assert calendar.known_until == TODAY


def test_a_terminal_without_a_calendar_is_not_believed() -> None:
    with pytest.raises(GatewayError, match="no trading days"):
        merged(TABLES, frozenset(), HOLIDAYS)
    with pytest.raises(GatewayError, match=r"differs from the tables on \d+ days from 2026-0"):
        merged(TABLES, frozenset(sorted(sessions())[::2]), HOLIDAYS)
