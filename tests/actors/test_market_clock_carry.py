"""What was left of a target at the end of its day: planned once more on the next session, and by hand."""

from __future__ import annotations

from datetime import date

import pytest

from actors.market_clock import MarketClock
from qws.domain.tags import ATTEMPT_MAX
from qws.messages import ControlOrdered, PlanningDue, RebalanceDue, RunFinished
from tests.actors.test_market_clock import ONE, OTHER, a_clock, runs
from tests.support.builders import DAY, NEXT_DAY, TARGET, HandClock, a_due, a_schedule, a_target, at
from tests.support.gate_rig import pause_of
from tests.support.outputs import of, told


def the_end(
    status: str = "incomplete", reason: str = "not_filled", *, day: date = DAY, target_id: str = TARGET
) -> RunFinished:
    return RunFinished.without_trades(a_due(day=day, target_id=target_id), status, reason, "", at("10:05:00", day))


def a_carrier(
    *ends: RunFinished, days: tuple[date, ...] = (DAY,), carries: bool = True
) -> tuple[HandClock, MarketClock]:
    """A clock that heard of a target, and of the ends of its runs."""
    clock = HandClock(at("10:05:00", days[0]))
    actor = MarketClock(clock, a_schedule(), carries=carries)
    actor.recall_target_accepted(a_target(ONE, days=days))
    for end in ends:
        actor.recall_run_finished(end)
    return clock, actor


def planned(clock: HandClock, actor: MarketClock, day: date, trigger: str = "schedule") -> object:
    clock.set("09:25:00", day)
    return runs(actor.on_planning_due(PlanningDue(day, trigger)))


MONDAY = date(2026, 11, 23)
CARRIED = [("20261120-aaaaaa", "carry", 0, at("09:30:03", NEXT_DAY))]


@pytest.mark.parametrize("reason", ["not_filled", "session_over", "expired"])
def test_what_was_left_is_planned_on_the_next_session_once(reason: str) -> None:
    clock, actor = a_carrier(the_end("incomplete", reason))

    assert planned(clock, actor, NEXT_DAY) == CARRIED
    assert planned(clock, actor, NEXT_DAY) == []
    told(actor.on_run_finished(the_end("incomplete", "not_filled", day=NEXT_DAY)))
    assert planned(clock, actor, NEXT_DAY) == planned(clock, actor, MONDAY) == []


def test_what_was_left_before_a_holiday_is_planned_after_it() -> None:
    last, first = date(2026, 9, 30), date(2026, 10, 8)
    clock, actor = a_carrier(the_end(day=last), days=(last,))

    assert planned(clock, actor, date(2026, 10, 1)) == []
    assert planned(clock, actor, first) == [("20261008-aaaaaa", "carry", 0, at("09:30:03", first))]


def test_a_session_that_nobody_used_is_not_made_up_for() -> None:
    clock, actor = a_carrier(the_end())

    assert planned(clock, actor, MONDAY) == []


@pytest.mark.parametrize("carries", [False, True])
@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("completed", ""),
        ("incomplete", "halted"),
        ("incomplete", "cancelled"),
        ("incomplete", "unknown"),
        ("incomplete", "no_snapshot"),
        ("superseded", "superseded"),
        ("refused", "turnover"),
        ("refused", "not_filled"),
    ],
)
def test_what_was_done_stopped_refused_or_not_accounted_for_is_not_carried(
    status: str, reason: str, *, carries: bool
) -> None:
    clock, actor = a_carrier(the_end(status, reason), carries=carries)

    assert planned(clock, actor, NEXT_DAY) == []


def test_nothing_is_carried_unless_that_was_asked_for() -> None:
    assert planned(*a_carrier(the_end(), carries=False), NEXT_DAY) == []


@pytest.mark.parametrize(("status", "reason"), [("completed", ""), ("incomplete", "halted"), ("refused", "halted")])
def test_the_last_end_of_the_day_decides(status: str, reason: str) -> None:
    assert planned(*a_carrier(the_end(), the_end(status, reason)), NEXT_DAY) == []
    assert planned(*a_carrier(the_end(status, reason), the_end()), NEXT_DAY) == CARRIED


def test_only_the_newest_target_of_a_day_is_carried() -> None:
    clock, actor = a_carrier(the_end("superseded", "superseded"))
    actor.recall_target_accepted(a_target(ONE, target_id=OTHER))
    actor.recall_run_finished(the_end())  # of the older one
    assert planned(clock, actor, NEXT_DAY) == []

    told(actor.on_run_finished(the_end(target_id=OTHER)))

    assert planned(clock, actor, NEXT_DAY) == [("20261120-bbbbbb", "carry", 0, at("09:30:03", NEXT_DAY))]


@pytest.mark.parametrize("dropped", ["09:00:00", "10:00:00"])
def test_a_target_of_the_day_itself_wins_over_what_was_carried(dropped: str) -> None:
    clock, actor = a_carrier(the_end())
    is_early = dropped < "09:25:00"
    clock.set(dropped, NEXT_DAY)
    if not is_early:
        assert planned(clock, actor, NEXT_DAY) == CARRIED
        clock.set(dropped, NEXT_DAY)

    own = runs(actor.on_target_accepted(a_target(ONE, days=(NEXT_DAY,), target_id=OTHER)))

    own += runs(actor.on_planning_due(PlanningDue(NEXT_DAY, "schedule"))) if is_early else []
    assert [(run[0], run[1]) for run in own] == [("20261120-bbbbbb", "schedule" if is_early else "drop")]
    assert planned(clock, actor, NEXT_DAY) == []


def test_a_rebalance_by_hand_on_the_day_of_what_was_carried_plans_that_anew_and_carries_it_no_further() -> None:
    clock, actor = a_carrier(the_end())
    assert planned(clock, actor, NEXT_DAY) == CARRIED
    clock.set("10:00:00", NEXT_DAY)

    again = runs(actor.on_control_ordered(ControlOrdered("rebalance", "me")))

    assert again == [("20261120-aaaaaa-1", "manual", 1, at("10:00:00", NEXT_DAY))]
    told(actor.on_run_finished(the_end(day=NEXT_DAY)))
    assert planned(clock, actor, MONDAY) == []


def test_a_rebalance_by_hand_on_a_day_without_a_target_and_with_nothing_carried_does_nothing() -> None:
    clock, actor = a_carrier(the_end("completed", ""))
    clock.set("10:00:00", NEXT_DAY)

    assert runs(actor.on_control_ordered(ControlOrdered("rebalance", "me"))) == []


def test_a_target_that_was_tried_too_often_ends_incomplete_once_it_had_traded() -> None:
    _, actor = a_clock("10:00:00")
    actor.recall_target_accepted(a_target(ONE))
    actor.recall_rebalance_due(a_due(attempt=ATTEMPT_MAX))

    for was_sent, status in ((True, "incomplete"), (False, "refused")):
        before = pause_of(a_due(attempt=ATTEMPT_MAX), was_sent=was_sent)
        (end,) = of(RunFinished, actor.on_planning_due(PlanningDue(DAY, "follow_up", before)))
        assert (end.run_id, end.status, end.reason) == (before.run_id, status, "attempts")


def test_a_file_with_weights_for_the_next_session_carries_nothing_into_it() -> None:
    clock, actor = a_carrier(the_end(), days=(DAY, NEXT_DAY))

    assert planned(clock, actor, NEXT_DAY) == [("20261120-aaaaaa", "schedule", 0, at("09:30:03", NEXT_DAY))]


@pytest.mark.parametrize("trigger", ["follow_up", "recovery"])
def test_what_was_carried_goes_on_as_its_next_attempt(trigger: str) -> None:
    clock, actor = a_carrier(the_end())
    planned(clock, actor, NEXT_DAY)
    clock.set("10:00:00")

    before = pause_of(a_due(day=NEXT_DAY))
    (due,) = told(actor.on_planning_due(PlanningDue(NEXT_DAY, trigger, before)))
    answer = runs([due])

    assert isinstance(due, RebalanceDue)
    assert due.before == before

    assert answer == [("20261120-aaaaaa", trigger, 1, at("10:00:00", NEXT_DAY))]


def test_where_the_calendar_ends_nothing_is_carried() -> None:
    last = date(2026, 12, 31)
    clock, actor = a_carrier(the_end(day=last), days=(last,))

    assert planned(clock, actor, date(2027, 1, 4)) == []


@pytest.mark.parametrize("is_recalled", [False, True])
def test_what_is_left_is_not_carried_when_a_newer_target_of_the_day_came_after_it_and_never_ran(
    *, is_recalled: bool
) -> None:
    clock, actor = a_carrier(the_end())
    newer = a_target(ONE, target_id=OTHER, when="14:00:00")
    actor.recall_target_accepted(newer) if is_recalled else told(actor.on_target_accepted(newer))

    assert planned(clock, actor, NEXT_DAY) == []


def test_a_target_of_a_later_day_leaves_what_was_carried_alone() -> None:
    clock, actor = a_carrier(the_end())
    actor.recall_target_accepted(a_target(ONE, days=(MONDAY,), target_id=OTHER))

    assert planned(clock, actor, NEXT_DAY) == CARRIED


def test_a_rebalance_after_the_last_order_time_leaves_what_is_to_be_carried_alone() -> None:
    assert planned(*a_carrier(the_end(), the_end("refused", "session_over")), NEXT_DAY) == CARRIED
    assert planned(*a_carrier(the_end("refused", "session_over")), NEXT_DAY) == []


def test_what_was_left_is_planned_at_once_when_that_is_told_after_the_first_run_of_the_next_day() -> None:
    clock, actor = a_carrier()
    clock.set("10:00:00", NEXT_DAY)

    (due,) = of(PlanningDue, actor.on_run_finished(the_end("incomplete", "expired")))

    assert runs(actor.on_planning_due(due)) == [("20261120-aaaaaa", "carry", 0, at("10:00:00", NEXT_DAY))]
    assert told(actor.on_run_finished(the_end(day=NEXT_DAY))) == []
