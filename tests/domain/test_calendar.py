from __future__ import annotations

from datetime import date, timedelta

import exchange_calendars
import pytest

from qws.domain.calendar import AlwaysOpenCalendar, UnknownDay
from qws.tables import load_calendar

CALENDAR = load_calendar()
DAY = timedelta(days=1)


@pytest.mark.filterwarnings("ignore:Series.values returning")  # inside exchange_calendars, with new pandas
def test_every_day_of_ten_years_agrees_with_the_shanghai_calendar_of_exchange_calendars() -> None:
    known = exchange_calendars.get_calendar("XSHG", start="2017-01-01", end="2026-12-31")
    sessions = {stamp.date() for stamp in known.sessions}
    days = [date(2017, 1, 1) + DAY * n for n in range((date(2026, 12, 31) - date(2017, 1, 1)).days + 1)]

    assert [day for day in days if CALENDAR.is_session(day) != (day in sessions)] == []
    assert len(days) == 3652


@pytest.mark.parametrize(("year", "sessions"), [(2023, 242), (2024, 242), (2025, 243), (2026, 242)])
def test_a_year_has_as_many_sessions_as_announced(year: int, sessions: int) -> None:
    days = [date(year, 1, 1) + DAY * n for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]

    assert sum(map(CALENDAR.is_session, days)) == sessions


@pytest.mark.parametrize(
    ("day", "following", "previous"),
    [
        (date(2024, 2, 8), date(2024, 2, 19), date(2024, 2, 7)),
        (date(2025, 1, 27), date(2025, 2, 5), date(2025, 1, 24)),
        (date(2026, 7, 3), date(2026, 7, 6), date(2026, 7, 2)),
        (date(2026, 10, 3), date(2026, 10, 8), date(2026, 9, 30)),
    ],
)
def test_neighbouring_sessions_skip_holidays_and_weekends(day: date, following: date, previous: date) -> None:
    assert (CALENDAR.next_session(day), CALENDAR.previous_session(day)) == (following, previous)


@pytest.mark.parametrize("day", [date(2024, 2, 4), date(2024, 2, 18), date(2025, 1, 26), date(2026, 5, 9)])
def test_a_make_up_working_weekend_is_not_a_session(day: date) -> None:
    assert not CALENDAR.is_session(day)


@pytest.mark.parametrize("day", [date(2016, 12, 30), date(2027, 1, 1), date(2027, 1, 4), date(2030, 6, 1)])
def test_an_unknown_day_is_not_guessed_and_the_text_names_the_remedy(day: date) -> None:
    with pytest.raises(UnknownDay, match=r"known_until to calendar\.toml"):
        CALENDAR.is_session(day)


def test_the_session_after_the_last_known_day_is_unknown_but_the_one_before_a_later_day_is_not() -> None:
    with pytest.raises(UnknownDay):
        CALENDAR.next_session(date(2026, 12, 31))
    assert CALENDAR.previous_session(date(2027, 1, 1)) == date(2026, 12, 31)


def test_on_the_open_calendar_every_day_is_a_session() -> None:
    saturday = date(2031, 3, 1)

    calendar = AlwaysOpenCalendar()

    assert calendar.is_session(saturday)
    assert (calendar.previous_session(saturday), calendar.next_session(saturday)) == (saturday - DAY, saturday + DAY)
