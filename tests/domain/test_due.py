"""What is due: every moment of the schedule is served once, whatever comes in between."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.due import Due
from qws.domain.schedule import ListedRun, Moment, Schedule
from qws.domain.target_records import DayTarget
from qws.tables import load_calendar
from tests.support.builders import DAY, NEXT_DAY, at

A, B = "a" * 64, "b" * 64
CALENDAR = load_calendar()
LATE = Moment("late", at("10:30:00"))
OPENING = Moment("default", at("09:25:00"))


def a_schedule(
    *times: str, files: str = "", catch_up_s: float | None = None, waits: bool = False, always_open: bool = False
) -> Schedule:
    listed = tuple(time.fromisoformat(each) for each in times)
    runs = (ListedRun("late", lambda day: listed, files),) if times else ()
    day = time(9, 25), time(9, 30, 3), time(14, 56), time(15, 10)
    return Schedule(CALENDAR, always_open, *day, runs, waits, catch_up_s)


def a_due(schedule: Schedule, *targets: tuple[str, str, str]) -> Due:
    due = Due(schedule)
    for target_id, file, accepted in targets:
        due.accept(target_id, file, at(accepted), [DayTarget(DAY, ())])
    return due


def test_a_moment_is_due_from_its_time_on_and_once() -> None:
    due = a_due(a_schedule("10:30:00"), (A, "a.csv", "08:00:00"))
    due.start(DAY, A, 0, OPENING)

    assert due.look(at("10:29:59")) == ([], None)
    assert due.look(at("10:30:00")) == ([], LATE)
    assert due.look(at("10:30:00")) == due.look(at("14:00:00")) == ([], None)


@pytest.mark.parametrize("accepted", ["10:30:01", "12:00:00"])
def test_a_moment_that_passed_before_the_target_came_is_not_due(accepted: str) -> None:
    due = a_due(a_schedule("10:30:00", waits=True), (A, "a.csv", accepted))

    assert due.look(at("14:00:00")) == ([], None)


def test_of_several_that_were_missed_the_latest_is_made_up_for() -> None:
    due = a_due(a_schedule("10:30:00", "13:30:00"), (A, "a.csv", "08:00:00"))

    assert due.look(at("14:00:00")) == ([OPENING, LATE], Moment("late", at("13:30:00")))


@pytest.mark.parametrize(
    ("catch_up_s", "now", "is_made"),
    [
        (None, "14:55:59", True),
        (None, "14:56:00", True),
        (None, "14:56:01", False),
        (1800.0, "11:00:00", True),
        (1800.0, "11:00:01", False),
        (0.0, "10:30:30", True),
        (0.0, "10:30:31", False),
    ],
)
def test_a_run_is_made_up_for_within_its_time_only(catch_up_s: float | None, now: str, *, is_made: bool) -> None:
    due = a_due(a_schedule("10:30:00", catch_up_s=catch_up_s), (A, "a.csv", "08:00:00"))
    due.start(DAY, A, 0, OPENING)

    assert due.look(at(now)) == (([], LATE) if is_made else ([LATE], None))


def test_the_days_of_a_pc_that_was_off_are_told_when_it_is_on_again() -> None:
    due = a_due(a_schedule("10:30:00"), (A, "a.csv", "08:00:00"))

    assert due.look(at("08:00:00", NEXT_DAY)) == ([OPENING, LATE], None)


@pytest.mark.parametrize("waits", [False, True])
def test_a_target_that_came_over_lunch_and_whose_process_died_then_is_told_on_the_next_day_once(*, waits: bool) -> None:
    due = a_due(a_schedule(waits=waits), (A, "a.csv", "12:00:00"))
    drop = Moment("drop", at("12:00:00"))
    morning = at("08:30:00", NEXT_DAY)

    assert due.look(at("15:30:00")) == ([], None)  # on its own day it is started, and refused when that is over
    assert due.look(morning) == (([], None) if waits else ([drop], None))
    due.miss(drop)
    assert due.look(morning) == ([], None)


def test_a_target_that_ran_when_it_came_or_that_a_newer_one_overtook_is_not_told() -> None:
    due = a_due(a_schedule(), (A, "a.csv", "10:00:00"), (B, "b.csv", "12:00:00"))
    due.start(DAY, B, 0, None)

    assert due.look(at("08:30:00", NEXT_DAY)) == ([], None)


def test_a_close_of_a_clock_that_was_ahead_hides_no_moment() -> None:
    due = a_due(a_schedule(), (A, "a.csv", "08:00:00"))
    due.close(NEXT_DAY, at("15:10:02", NEXT_DAY))

    assert due.look(at("09:25:00")) == ([], OPENING)


def test_what_a_recorded_close_has_seen_is_not_looked_at_again() -> None:
    due = a_due(a_schedule("10:30:00"), (A, "a.csv", "08:00:00"))
    due.close(DAY, at("15:10:02"))

    assert due.look(at("08:00:00", NEXT_DAY)) == ([], None)


@pytest.mark.parametrize("times", [(), ("10:30:00",)])
def test_nothing_is_due_on_a_day_that_became_a_day_off(times: tuple[str, ...]) -> None:
    saturday = date(2026, 11, 21)
    due = Due(a_schedule(*times))
    due.accept(A, "a.csv", at("08:00:00"), [DayTarget(saturday, ())])

    assert due.look(at("12:00:00", saturday)) == ([], None)


def test_a_run_for_files_takes_the_newest_of_these() -> None:
    due = a_due(a_schedule("10:30:00", files="Alpha*.csv"), (A, "ALPHA-1.csv", "08:00:00"), (B, "beta.csv", "09:00:00"))

    assert (due.target_at(OPENING, OPENING.at), due.target_at(LATE, LATE.at)) == (B, A)


def test_a_newer_target_makes_an_older_moment_void() -> None:
    due = a_due(a_schedule("10:30:00"), (A, "a.csv", "08:00:00"), (B, "b.csv", "11:00:00"))

    assert due.target_at(LATE, at("11:00:00")) is None
    assert due.look(at("11:00:01")) == ([], None)


def test_the_run_of_the_day_is_not_made_for_a_target_that_has_run_and_further_ones_are() -> None:
    due = a_due(a_schedule("10:30:00"), (A, "a.csv", "08:00:00"))
    due.start(DAY, A, 0, None)

    assert (due.target_at(OPENING, LATE.at), due.target_at(LATE, LATE.at)) == (None, A)


def test_a_target_that_came_in_the_session_and_was_not_started_is_owed() -> None:
    due = a_due(a_schedule(), (A, "a.csv", "10:00:00"))

    assert due.is_owed(at("10:01:00"))
    assert not a_due(a_schedule(waits=True), (A, "a.csv", "10:00:00")).is_owed(at("10:01:00"))
    due.start(DAY, A, 0, None)
    assert not due.is_owed(at("10:01:00"))


def test_an_expired_target_is_started_by_nothing_and_no_older_one_comes_back() -> None:
    due = a_due(a_schedule("10:30:00"), (A, "a.csv", "08:00:00"))
    due.accept(B, "b.csv", at("08:30:00"), [DayTarget(DAY, (), expires_at=at("10:00:00"))])
    assert due.target_at(LATE, at("10:30:00")) == B  # it never ran: whoever plans it refuses it, and says so
    due.start(DAY, B, 0, OPENING)

    for now, target_id in (("09:59:59", B), ("10:00:00", None)):
        assert (due.target_of(DAY), due.target_at(LATE, at(now))) == (B, target_id)
        assert due.is_of(DAY, B, at(now)) == (target_id == B)
    assert due.look(at("11:00:00")) == ([], None)
    assert due.is_of(DAY, A, at("11:00:00"))  # by hand


def test_memory_ends_after_weeks() -> None:
    due, days = Due(a_schedule("10:30:00")), [DAY + timedelta(days=number) for number in range(300)]
    for day in days:
        due.accept(f"{day}", "a.csv", at("08:00:00", day), [DayTarget(day, ())])
        due.start(day, f"{day}", 0, Moment("late", at("10:30:00", day)))

    now = at("09:00:00", days[-1])
    assert due.startable(days[0], now) == []
    assert due.startable(days[-1], now) != []
    assert max(len(each) for each in (due._targets, due._runs, due._served)) < 20


MINUTES = st.integers(min_value=0, max_value=3 * 24 * 60)


@given(
    st.sets(st.sampled_from(["09:40:00", "10:30:00", "13:30:00", "14:50:00"])),
    st.lists(st.tuples(MINUTES, st.sampled_from(["look", "restart", "drop"])), max_size=30),
    st.sampled_from([None, 0.0, 1800.0]),
)
def test_every_moment_that_found_a_target_is_made_or_missed_once(
    times: set[str], script: list[tuple[int, str]], catch_up_s: float | None
) -> None:
    schedule = a_schedule(*sorted(times), catch_up_s=catch_up_s, waits=True)
    start, accepted = at("00:00:00"), list[tuple[str, datetime]]()
    made, missed, started = list[Moment](), list[Moment](), list[tuple[Moment, str]]()

    def life() -> Due:
        due = Due(schedule)
        for target_id, came in accepted:
            due.accept(target_id, "a.csv", came, [DayTarget(came.date(), ())])
        for number, (moment, target_id) in enumerate(started):
            due.start(moment.at.date(), target_id, number, moment)
        for moment in missed:
            due.miss(moment)
        return due

    due = life()
    for minute, what in [*sorted(script), (4 * 24 * 60, "look")]:
        now: datetime = start + timedelta(minutes=minute)
        due = life() if what == "restart" else due
        if what == "drop" and now.date() in (DAY, NEXT_DAY):
            accepted.append((f"{len(accepted):064d}", now))
            due.accept(accepted[-1][0], "a.csv", now, [DayTarget(now.date(), ())])
            continue
        late, moment = due.look(now)
        missed += late
        if moment is not None and (target_id := due.target_at(moment, now)) is not None:
            assert now <= schedule.catch_up_until(moment)
            assert target_id == max(each for each, came in accepted if came.date() == now.date())
            due.start(now.date(), target_id, len(started), moment)
            started.append((moment, target_id))
            made.append(moment)

    assert len({*made, *missed}) == len(made) + len(missed)
    for day in (DAY, NEXT_DAY):
        first = min((came for _, came in accepted if came.date() == day), default=None)
        last = max((came for _, came in accepted if came.date() == day), default=None)
        for moment in schedule.moments_of(day, start.tzinfo):
            if first is None or moment.at < first:
                assert moment not in [*made, *missed]
            elif last is not None and last <= moment.at and moment.name != "default":
                assert moment in [*made, *missed]
