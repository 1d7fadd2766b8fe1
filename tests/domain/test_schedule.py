from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.calendar import UnknownDay
from qws.domain.schedule import Event
from qws.tables import load_calendar
from tests.support.builders import DAY, NEXT_DAY, a_schedule, at

SCHEDULE, OPEN = a_schedule(), a_schedule(always_open=True)
HOLIDAY, SATURDAY, AFTER_HOLIDAY = date(2026, 10, 5), date(2026, 11, 21), date(2026, 10, 8)
LAST_DAY = date(2026, 12, 31)
MINUTES = [datetime.combine(DAY, time(minute // 60, minute % 60), at("00:00").tzinfo) for minute in range(24 * 60)]
moments = st.builds(
    lambda day, clock: datetime.combine(day, clock, MINUTES[0].tzinfo),
    st.dates(date(2026, 9, 1), date(2026, 12, 30)),
    st.times(),
)


def phases_of_a_day() -> list[tuple[str, str]]:
    """The first minute of each stretch of one phase."""
    found: list[tuple[str, str]] = []
    for moment in MINUTES:
        phase = SCHEDULE.phase_at(moment)
        if not found or found[-1][1] != phase:
            found.append((f"{moment:%H:%M}", phase))
    return found


def test_every_minute_of_a_session_day_is_in_its_phase() -> None:
    assert phases_of_a_day() == [
        ("00:00", "pre_open"),
        ("09:15", "open_call_cancellable"),
        ("09:20", "open_call_locked"),
        ("09:25", "open_pause"),
        ("09:30", "continuous"),
        ("11:30", "lunch"),
        ("13:00", "continuous"),
        ("14:57", "close_call"),
        ("15:00", "closed"),
    ]


def test_every_minute_of_a_session_day_knows_when_an_order_may_leave() -> None:
    for moment in MINUTES:
        opens = SCHEDULE.next_send(moment)
        clock = moment.time()
        if clock < time(9, 31):
            assert opens == at("09:30:03")
        elif time(11, 30) <= clock < time(13, 1):
            assert opens == at("13:00:03")
        elif clock < time(14, 56):
            assert opens == moment
        else:
            assert opens is None


@pytest.mark.parametrize("day", [HOLIDAY, SATURDAY])
def test_nothing_is_sent_on_a_day_off_and_its_phase_is_holiday(day: date) -> None:
    for hour in range(24):
        moment = at(f"{hour:02d}:30:00", day)
        assert SCHEDULE.next_send(moment) is None
        assert SCHEDULE.phase_at(moment) == "holiday"


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (at("08:00:00"), DAY),
        (at("14:55:59"), DAY),
        (at("14:56:00"), NEXT_DAY),
        (at("23:59:59"), NEXT_DAY),
        (at("10:00:00", SATURDAY), date(2026, 11, 23)),
        (at("10:00:00", date(2026, 10, 1)), AFTER_HOLIDAY),
        (at("15:00:00", date(2026, 9, 30)), AFTER_HOLIDAY),
    ],
)
def test_a_target_is_meant_for_the_day_on_which_it_can_still_trade(moment: datetime, day: date) -> None:
    assert SCHEDULE.effective_day(moment) == day


@pytest.mark.parametrize(
    ("now", "trading_s", "wait_s"),
    [
        ("10:00:00", 300, 300),
        ("11:29:00", 30, 30),
        ("11:29:00", 60, 60),
        ("11:29:00", 300, 300 + 5403),
        ("11:30:00", 10, 5403 + 10),
        ("12:00:00", 10, 3603 + 10),
        ("13:00:02", 10, 11),
        ("13:00:03", 10, 10),
        ("14:55:00", 300, 60),
        ("14:56:00", 300, 0),
        ("14:59:00", 300, 0),
    ],
)
def test_waiting_counts_trading_time_over_lunch_and_ends_with_the_last_order(
    now: str, trading_s: float, wait_s: float
) -> None:
    assert SCHEDULE.wait_s(at(now), trading_s) == wait_s


@pytest.mark.parametrize(
    ("now", "pause_s"), [("10:00:00", 5), ("11:29:58", 5 + 5403), ("12:59:00", 68), ("14:55:58", 5), ("14:58:00", 5)]
)
def test_an_answer_is_not_expected_over_lunch_but_after_the_last_order(now: str, pause_s: float) -> None:
    assert SCHEDULE.pause_s(at(now), 5) == pause_s


@given(moments)
def test_events_come_in_order_on_session_days_only_each_day_alike(moment: datetime) -> None:
    events = list(takewhile(lambda event: event.at.date() < LAST_DAY, _known(moment)))[:40]

    calendar = load_calendar()
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert all(event.at > moment and calendar.is_session(event.at.date()) for event in events)
    whole = [event.what for event in events if event.at.date() == calendar.next_session(moment.date())]
    if len(whole) == 10:
        assert (whole.count("run"), whole.count("equity"), whole.count("continuous")) == (1, 1, 2)


def test_a_session_day_has_ten_events_and_a_day_off_none() -> None:
    events = list(takewhile(lambda event: event.at.date() <= AFTER_HOLIDAY, _known(at("23:00:00", date(2026, 9, 30)))))

    assert {event.at.date() for event in events} == {AFTER_HOLIDAY}
    assert [(f"{event.at:%H:%M}", event.what) for event in events] == [
        ("09:15", "open_call_cancellable"),
        ("09:20", "open_call_locked"),
        ("09:25", "open_pause"),
        ("09:25", "run"),
        ("09:30", "continuous"),
        ("11:30", "lunch"),
        ("13:00", "continuous"),
        ("14:57", "close_call"),
        ("15:00", "closed"),
        ("15:10", "equity"),
    ]


def test_beyond_the_calendar_every_question_says_unknown() -> None:
    evening, beyond = at("16:00:00", LAST_DAY), at("10:00:00", date(2027, 1, 4))

    with pytest.raises(UnknownDay):
        list(SCHEDULE.events_after(evening))
    for question in (SCHEDULE.next_send, SCHEDULE.phase_at, SCHEDULE.effective_day):
        with pytest.raises(UnknownDay):
            question(beyond)
    with pytest.raises(UnknownDay):
        SCHEDULE.effective_day(evening)


@given(moments)
def test_on_an_always_open_market_every_moment_trades(moment: datetime) -> None:
    assert OPEN.phase_at(moment) == "continuous"
    assert OPEN.next_send(moment) == moment
    assert OPEN.effective_day(moment) == moment.date()
    assert OPEN.wait_s(moment, 12.5) == OPEN.pause_s(moment, 12.5) == 12.5


def test_an_always_open_day_begins_at_midnight_runs_and_records_once() -> None:
    events = takewhile(lambda event: event.at.date() == NEXT_DAY, OPEN.events_after(at("23:59:59")))

    assert [(f"{event.at:%H:%M}", event.what) for event in events] == [
        ("00:00", "continuous"),
        ("09:25", "run"),
        ("15:10", "equity"),
    ]


def _known(moment: datetime) -> Iterator[Event]:
    try:
        yield from SCHEDULE.events_after(moment)
    except UnknownDay:
        return


def test_a_wait_never_reaches_past_the_last_order_time() -> None:
    last = at("14:56:00")

    for moment in MINUTES[9 * 60 + 30 : 14 * 60 + 56]:
        assert moment + timedelta(seconds=SCHEDULE.wait_s(moment, 100_000)) == last
