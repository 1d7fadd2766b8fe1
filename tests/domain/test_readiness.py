"""What is expected of a morning: a target, a calendar, room on the disk."""

from __future__ import annotations

from datetime import date, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from qws.domain.calendar import TradingCalendar
from qws.domain.readiness import Expected, ReadinessRules, Seen, calendar_ends, problems_of, shown, without_target
from tests.support.builders import at

CALENDAR = TradingCalendar(date(2026, 1, 1), date(2026, 12, 31), frozenset({date(2026, 10, 1), date(2026, 10, 2)}))
DAYS = st.dates(date(2026, 2, 1), date(2026, 12, 1)).filter(CALENDAR.is_session)


@given(DAYS, st.sets(st.integers(1, 5)), st.booleans())
def test_a_target_is_expected_after_five_trading_days_in_a_row_that_had_one(
    day: date, missing: set[int], is_there: bool
) -> None:
    days, before = {day} if is_there else set[date](), day
    for number in range(1, 6):
        before = CALENDAR.previous_session(before)
        days |= set() if number in missing else {before}

    found = {each: bool(list(without_target(day, days, CALENDAR, each))) for each in Expected}

    assert found == {
        Expected.AUTO: not missing and not is_there,
        Expected.ALWAYS: not is_there,
        Expected.NEVER: False,
    }


@given(DAYS, st.integers(0, 12))
def test_the_calendar_is_short_when_fewer_trading_days_follow_than_must_be_known(day: date, days_min: int) -> None:
    later = [
        each for each in (day + timedelta(days=number) for number in range(1, 400)) if each <= CALENDAR.known_until
    ]
    known = sum(map(CALENDAR.is_session, later))

    assert bool(list(calendar_ends(day, CALENDAR, days_min))) == (known < days_min)


def test_names_without_quotes_are_named_and_a_full_disk_is_told() -> None:
    rules = ReadinessRules(time(9, 15), Expected.AUTO, 90.0, 5, 500)
    seen = Seen(at("09:20:00"), (), frozenset({"600000.SH", "000001.SZ"}), (), 499)

    found = {each.code: each.about for each in problems_of(seen, rules, (), moves=True)}

    assert found == {"quotes_missing": "000001.SZ, 600000.SH", "disk_low": "499 MB"}
    assert shown([f"{number}" for number in range(9)]) == "0, 1, 2, 3, 4 (+4)"
