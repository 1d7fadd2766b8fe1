from __future__ import annotations

from datetime import date, datetime

import pytest

from actors.market_clock import MarketClock
from qws.domain.schedule import Moment
from qws.messages import (
    ControlOrdered,
    PlanningDue,
    RebalanceDue,
    TargetWaits,
)
from tests.support.builders import DAY, NEXT_DAY, TARGET, HandClock, a_due, a_schedule, a_target, at
from tests.support.gate_rig import pause_of
from tests.support.outputs import of, timers, told

ONE = {"600000.SH": "0.5"}


OTHER = "b" * 64


def a_clock(now: str, day: date = DAY, *, always_open: bool = False) -> tuple[HandClock, MarketClock]:
    clock = HandClock(at(now, day))
    return clock, MarketClock(clock, a_schedule(always_open=always_open), carries=False)


def runs(answer: object) -> list[tuple[str, str, int, datetime]]:
    return [(due.run_id, due.trigger, due.attempt, due.send_at) for due in of(RebalanceDue, answer)]


@pytest.mark.parametrize("now", ["09:30:03", "10:00:00", "11:29:59", "13:00:03", "14:55:59"])
def test_a_target_dropped_in_session_runs_at_once(now: str) -> None:
    _, actor = a_clock(now)

    answer = told(actor.on_target_accepted(a_target(ONE)))

    assert runs(answer) == [("20261119-aaaaaa", "drop", 0, at(now))]


@pytest.mark.parametrize("now", ["09:25:00", "09:28:00", "09:30:02"])
def test_a_target_dropped_between_planning_and_sending_is_planned_at_once_and_sent_in_the_window(now: str) -> None:
    _, actor = a_clock(now)

    assert runs(actor.on_target_accepted(a_target(ONE))) == [("20261119-aaaaaa", "drop", 0, at("09:30:03"))]


def test_a_target_dropped_before_plan_time_waits_for_it_and_fires_once() -> None:
    clock, actor = a_clock("08:00:00")
    waits = told(actor.on_target_accepted(a_target(ONE)))
    clock.set("09:25:00")

    fired = [runs(actor.on_planning_due(PlanningDue(DAY, "schedule"))) for _ in range(3)]

    assert waits == [TargetWaits(TARGET, (Moment("default", at("09:25:00")),), None)]
    assert fired == [[("20261119-aaaaaa", "schedule", 0, at("09:30:03"))], [], []]


@pytest.mark.parametrize(("now", "wait_s"), [("11:30:00", 5403.0), ("12:00:00", 3603.0), ("13:00:02", 1.0)])
def test_a_target_dropped_over_lunch_fires_three_seconds_after_it(now: str, wait_s: float) -> None:
    clock, actor = a_clock(now)

    answer = told(actor.on_target_accepted(a_target(ONE)))

    assert (timers(PlanningDue, answer), runs(answer)) == ([(wait_s, PlanningDue(DAY, "drop"))], [])
    clock.set("13:00:03")
    assert runs(actor.on_planning_due(PlanningDue(DAY, "drop"))) == [("20261119-aaaaaa", "drop", 0, at("13:00:03"))]


def test_the_same_target_told_twice_fires_once() -> None:
    _, actor = a_clock("10:00:00")

    fired = [len(runs(actor.on_target_accepted(a_target(ONE)))) for _ in range(3)]

    assert fired == [1, 0, 0]


@pytest.mark.parametrize(("now", "day"), [("09:24:59", DAY), ("10:00:00", date(2026, 11, 21))])
def test_a_target_outside_the_session_fires_nothing_yet(now: str, day: date) -> None:
    _, actor = a_clock(now, day)

    assert runs(actor.on_target_accepted(a_target(ONE, days=(day,)))) == []


@pytest.mark.parametrize("now", ["14:56:00", "22:00:00"])
def test_a_target_that_was_accepted_a_moment_too_late_is_told_so_that_it_gets_a_result(now: str) -> None:
    _, actor = a_clock(now, DAY)

    assert runs(actor.on_target_accepted(a_target(ONE))) == [("20261119-aaaaaa", "drop", 0, at(now))]


def test_a_target_of_another_day_waits_for_that_day() -> None:
    clock, actor = a_clock("10:00:00")
    now = told(actor.on_target_accepted(a_target(ONE, days=(NEXT_DAY,))))
    clock.set("09:25:00", NEXT_DAY)

    assert now == [TargetWaits(TARGET, (Moment("default", at("09:25:00", NEXT_DAY)),), None)]
    assert runs(actor.on_planning_due(PlanningDue(NEXT_DAY, "schedule")))[0][0] == "20261120-aaaaaa"


def test_the_newest_target_of_the_day_wins() -> None:
    clock, actor = a_clock("08:00:00")
    for target_id in (TARGET, OTHER):
        told(actor.on_target_accepted(a_target(ONE, target_id=target_id)))
    clock.set("09:25:00")

    assert [run[0] for run in runs(actor.on_planning_due(PlanningDue(DAY, "schedule")))] == ["20261119-bbbbbb"]


def test_planning_without_a_target_or_for_another_day_fires_nothing() -> None:
    _, actor = a_clock("09:25:00")
    told(actor.on_target_accepted(a_target(ONE, days=(DAY, NEXT_DAY))))

    assert runs(actor.on_planning_due(PlanningDue(NEXT_DAY, "schedule"))) == []
    assert runs(a_clock("09:25:00")[1].on_planning_due(PlanningDue(DAY, "schedule"))) == []


def test_a_person_may_run_the_same_target_again_under_a_new_name() -> None:
    _, actor = a_clock("10:00:00")
    told(actor.on_target_accepted(a_target(ONE)))

    again = [runs(actor.on_control_ordered(ControlOrdered("rebalance", "me")))[0] for _ in range(2)]

    assert [(run[0], run[1], run[2]) for run in again] == [
        ("20261119-aaaaaa-1", "manual", 1),
        ("20261119-aaaaaa-2", "manual", 2),
    ]


@pytest.mark.parametrize("day", [date(2027, 1, 4), date(2026, 11, 21)])
def test_a_rebalance_by_hand_on_a_day_off_or_beyond_the_calendar_does_nothing(day: date) -> None:
    _, actor = a_clock("10:00:00", day)
    told(actor.on_target_accepted(a_target(ONE)))

    assert told(actor.on_control_ordered(ControlOrdered("rebalance", "me"))) == []
    assert told(actor.on_control_ordered(ControlOrdered("halt", "me"))) == []


def test_a_cut_run_goes_on_under_its_name_with_the_next_attempt() -> None:
    _, actor = a_clock("10:00:00")
    actor.recall_target_accepted(a_target(ONE))
    actor.recall_rebalance_due(a_due())

    assert runs(actor.on_planning_due(PlanningDue(DAY, "recovery", pause_of(a_due())))) == [
        ("20261119-aaaaaa", "recovery", 1, at("10:00:00"))
    ]
    assert runs(actor.on_planning_due(PlanningDue(DAY, "schedule"))) == []


def test_always_open_runs_at_any_hour() -> None:
    _, actor = a_clock("03:00:00", always_open=True)

    assert runs(actor.on_target_accepted(a_target(ONE))) == [("20261119-aaaaaa", "drop", 0, at("03:00:00"))]
