"""What the planner remembers of ends: the rest of a run that goes on, and of a target that is carried over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from actors.planner import Planner
from qws.domain.account import Position
from qws.domain.execution import INTERRUPTED
from qws.domain.plan import Outcome, Plan
from qws.domain.planner import Sizing
from qws.domain.rest import FOLLOW_UP, KEPT, Absent
from qws.messages import PlanDrafted, PlanRefused, RunFinished, RunPaused, SnapshotTaken, TargetAccepted
from qws.runtime.message import Message
from tests.support.builders import (
    BOOK,
    DAY,
    NEXT_DAY,
    RULES,
    RUN,
    TARGET,
    a_due,
    a_position,
    a_quote,
    a_snapshot,
    a_target,
    at,
)

A, B, C = "600000.SH", "600004.SH", "600006.SH"
WEIGHTS = {A: "0.3", B: "0.2"}
MONDAY = date(2026, 11, 23)
ALL = {A, B, C}


def a_planner(*days: date, recalled: tuple[Message, ...] = ()) -> Planner:
    """A planner with a target for these days, and what it recalls after that."""
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.recall_target_accepted(a_target(WEIGHTS, days=days or (DAY,)))
    for message in recalled:
        if isinstance(message, RunFinished):
            planner.recall_run_finished(message)
        elif isinstance(message, RunPaused):
            planner.recall_run_paused(message)
        elif isinstance(message, TargetAccepted):
            planner.recall_target_accepted(message)
    return planner


def the_end(
    status: str, reason: str, *reasons: str, day: date = DAY, attempt: int = 0, target_id: str = TARGET
) -> RunFinished:
    """The end of an attempt, with what became of A, B and C, or without when nothing was sent."""
    due = a_due(day=day, attempt=attempt, target_id=target_id)
    end = RunFinished.without_trades(due, status, reason, "", at("10:00:00", day))
    known = dict(zip((A, B, C), reasons, strict=False))
    outcomes = (Outcome(code, Decimal("0.1"), Decimal(0), 0, 0, why) for code, why in known.items())
    return replace(end, outcomes=tuple(outcomes))


def pause(reason: str, end: RunFinished) -> RunPaused:
    return RunPaused(reason, int(reason == FOLLOW_UP), True, end)


def looked(day: date = DAY, *, attempt: int = 0, run_id: str = RUN, target_id: str = TARGET) -> SnapshotTaken:
    """An account with cash and C, in which A, B and C can be traded."""
    now = at("10:00:00", day)
    held: tuple[Position, ...] = (a_position(C, 1000),)
    quotes = tuple(replace(a_quote(code), at=now) for code in (A, B, C))
    records = tuple(BOOK.instrument(code, day, Decimal(10)) for code in (A, B, C))
    snapshot = replace(a_snapshot("100000", held, quotes, records), at=now)
    return SnapshotTaken(run_id, target_id, day, attempt, False, snapshot)


def answer_of(planner: Planner, snapshot: SnapshotTaken) -> Plan | str:
    """The plan, or the code of the refusal."""
    answer = next(planner.on_snapshot_taken(snapshot))
    assert isinstance(answer, PlanDrafted | PlanRefused)
    return answer.plan if isinstance(answer, PlanDrafted) else answer.reason


def traded(planner: Planner, snapshot: SnapshotTaken) -> set[str]:
    plan = answer_of(planner, snapshot)
    assert isinstance(plan, Plan)
    return {row.code for row in plan.rows if row.shares}


LEFT = pause(FOLLOW_UP, the_end("incomplete", "not_filled", "not_filled", "limit_up", ""))
CUT = pause(INTERRUPTED, the_end("incomplete", INTERRUPTED))
DONE = the_end("completed", "", "", "", "", attempt=1)
NOT_FILLED = the_end("incomplete", "not_filled", "not_filled", "", "limit_down", attempt=1)


@pytest.mark.parametrize("recalled", [False, True])
def test_the_next_attempt_trades_only_the_rest_and_says_of_the_others_what_became_of_them(*, recalled: bool) -> None:
    planner = a_planner(recalled=(LEFT,) if recalled else ())
    if not recalled:
        planner.on_run_paused(LEFT)

    plan = answer_of(planner, looked(attempt=1))

    assert isinstance(plan, Plan)
    assert {row.code: row.reason for row in plan.rows if not row.shares} == {B: "limit_up", C: ""}
    assert [row.code for row in plan.rows if row.shares] == [A]


def test_a_cut_in_the_pause_or_in_the_next_attempt_does_not_make_more_of_the_rest() -> None:
    again = pause(INTERRUPTED, replace(CUT.end, attempt=1))

    assert traded(a_planner(recalled=(LEFT, CUT)), looked(attempt=1)) == {A}
    assert traded(a_planner(recalled=(LEFT, CUT, again)), looked(attempt=2)) == {A}


def test_an_attempt_that_was_only_cut_or_never_saw_the_account_goes_on_with_all_of_it() -> None:
    assert traded(a_planner(recalled=(CUT,)), looked(attempt=1)) == ALL
    assert traded(a_planner(recalled=(pause(FOLLOW_UP, the_end("refused", "no_snapshot")),)), looked(attempt=1)) == ALL


def test_the_newest_rest_counts() -> None:
    second = pause(FOLLOW_UP, the_end("incomplete", "not_filled", "", "not_filled", "", attempt=1))

    assert traded(a_planner(recalled=(LEFT, second)), looked(attempt=2)) == {B}


def test_a_run_of_its_own_trades_all_whatever_another_run_of_the_target_left() -> None:
    assert traded(a_planner(recalled=(LEFT,)), looked(run_id=f"{RUN}-1", attempt=1)) == ALL
    assert traded(a_planner(recalled=(LEFT, DONE)), looked(run_id=f"{RUN}-2", attempt=2)) == ALL


@pytest.mark.parametrize("end", [NOT_FILLED, replace(NOT_FILLED, reason="expired")])
def test_on_the_next_day_what_a_target_left_is_planned_again_and_nothing_else(end: RunFinished) -> None:
    run = "20261120-aaaaaa"

    for day in (NEXT_DAY, MONDAY):
        assert traded(a_planner(recalled=(LEFT, end)), looked(day, run_id=run)) == {A, C}


def test_what_was_carried_over_is_followed_up_in_its_turn() -> None:
    run = "20261120-aaaaaa"
    second = pause(FOLLOW_UP, the_end("incomplete", "not_filled", "", "", "not_filled", day=NEXT_DAY))
    carried = a_planner(recalled=(NOT_FILLED, second))

    assert second.run_id == run
    assert traded(carried, looked(NEXT_DAY, run_id=run, attempt=1)) == {C}
    assert traded(carried, looked(MONDAY, run_id="20261123-aaaaaa")) == {A, C}  # its own day's end is what is carried


def test_a_target_that_left_nothing_trades_nothing_on_another_day() -> None:
    assert traded(a_planner(recalled=(DONE,)), looked(NEXT_DAY)) == set()


def test_a_target_with_orders_that_nobody_accounted_for_does_not_carry_these() -> None:
    end = the_end("incomplete", "not_filled", "unknown", "not_filled", "")

    assert traded(a_planner(recalled=(end,)), looked(NEXT_DAY)) == {B}


def test_an_end_without_outcomes_does_not_make_a_rest_smaller_or_larger() -> None:
    expired = the_end("incomplete", "expired")

    assert traded(a_planner(recalled=(CUT, expired)), looked(NEXT_DAY)) == ALL  # nothing was ever sent
    halted = the_end("refused", "halted")  # by a second run of the target
    assert traded(a_planner(recalled=(NOT_FILLED, halted)), looked(NEXT_DAY)) == {A, C}


@pytest.mark.parametrize("days", [(DAY,), (NEXT_DAY,), (MONDAY,)])
def test_a_target_without_weights_for_the_day_and_nothing_left_is_refused(days: tuple[date, ...]) -> None:
    other = the_end("incomplete", "not_filled", "not_filled", day=DAY, target_id="b" * 64)
    day = DAY if days != (DAY,) else NEXT_DAY

    assert answer_of(a_planner(*days, recalled=(other,)), looked(day)) == "unknown_target"


def test_of_a_file_for_several_days_each_day_carries_its_own_rest() -> None:
    friday = the_end("incomplete", "not_filled", "not_filled", "", "", day=DAY)
    monday = the_end("incomplete", "not_filled", "", "not_filled", "", day=MONDAY)
    planner = a_planner(DAY, MONDAY, recalled=(friday, monday))

    assert traded(planner, looked(NEXT_DAY)) == {A}
    assert traded(planner, looked(MONDAY, run_id="20261123-aaaaaa", attempt=1)) == ALL
    assert traded(planner, looked(date(2026, 11, 24))) == {B}


@pytest.mark.parametrize(("days", "is_known"), [(KEPT.days, True), (KEPT.days + 1, False)])
def test_a_rest_is_remembered_over_the_longest_holiday_and_then_forgotten(days: int, *, is_known: bool) -> None:
    later = DAY + timedelta(days=days)
    other = replace(a_target({C: "0.1"}, days=(later,), target_id="b" * 64), at=at("08:00:00", later))

    answer = answer_of(a_planner(recalled=(NOT_FILLED, other)), looked(later))

    assert (answer != "unknown_target") is is_known
