"""A plan that waits for a person: nothing starts in its place but what always may, and nothing of it is sent before."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from qws.domain.risk.rule import Breach
from qws.messages import ControlOrdered, HoldOverdue, LinkReady, PlanHeld, RunStopOrdered, SendWindowDue, SnapshotDue
from qws.runtime.message import Later
from tests.support.builders import DAY, NEXT_DAY, HandClock, at
from tests.support.gate_rig import DUE, NEWER, Gate, a_gate, end_of, ends, snapshot_of
from tests.support.outputs import of, timers

RUN = DUE.run_id
BREACH = Breach("turnover", Decimal(3), Decimal(2), "of total asset", "too much")
APPROVE, REJECT = ControlOrdered("approve", "me", RUN), ControlOrdered("reject", "me", RUN)


def held(*, preview: bool = False) -> PlanHeld:
    return PlanHeld(RUN, DUE.attempt, preview, (BREACH,))


def a_held_gate(clock: str = "10:00:00") -> Gate:
    gate = a_gate(HandClock(at(clock)))
    gate.tell(DUE)
    gate.tell(held())
    return gate


def test_an_approved_plan_is_made_again_at_prices_of_now() -> None:
    gate = a_held_gate()

    assert gate.tell(APPROVE) == [snapshot_of(DUE)]
    assert gate.tell(APPROVE) == []


def test_a_plan_that_is_held_again_after_its_approval_waits_again() -> None:
    gate = a_held_gate()
    gate.tell(APPROVE)
    gate.tell(held())

    assert gate.tell(APPROVE) == [snapshot_of(DUE)]


def test_a_rejected_plan_ends_its_run_and_the_next_one_starts() -> None:
    gate = a_held_gate()

    assert ends(gate.tell(REJECT)) == [(RUN, "refused", "declined")]
    assert gate.tell(APPROVE) == []
    assert gate.tell(NEWER) == [snapshot_of(NEWER)]


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_an_answer_for_another_run_or_for_one_that_is_not_held_means_nothing(command: str) -> None:
    gate = a_gate()
    gate.tell(DUE)
    assert gate.tell(ControlOrdered(command, "me", RUN)) == []
    gate.tell(held())

    assert gate.tell(ControlOrdered(command, "me", "20261119-bbbbbb")) == []


def test_nobody_answers_until_the_last_order_time() -> None:
    gate = a_gate()
    gate.tell(DUE)

    assert gate.tell(held()) == [Later(4 * 3600 + 56 * 60.0, HoldOverdue(RUN, 0))]
    assert ends(gate.tell(HoldOverdue(RUN, 0))) == [(RUN, "refused", "not_approved")]
    assert gate.tell(HoldOverdue(RUN, 0)) == gate.tell(APPROVE) == []


def test_the_end_of_the_wait_means_nothing_once_the_plan_was_approved() -> None:
    gate = a_held_gate()
    gate.tell(APPROVE)

    assert gate.tell(HoldOverdue(RUN, 0)) == []


@pytest.mark.parametrize("command", ["halt", "cancel"])
def test_a_halt_ends_a_held_run_and_no_approval_comes_after_it(command: str) -> None:
    gate = a_held_gate()

    (stop,) = of(RunStopOrdered, gate.tell(ControlOrdered(command, "me")))

    assert stop.due == DUE
    assert gate.tell(APPROVE) == gate.tell(REJECT) == gate.tell(HoldOverdue(RUN, 0)) == []


def test_a_newer_target_supersedes_a_held_one() -> None:
    gate = a_held_gate()

    assert gate.tell(NEWER) == [RunStopOrdered(DUE, "superseded")]
    assert gate.tell(APPROVE) == gate.tell(held()) == []
    assert gate.tell(end_of(DUE, "superseded")) == [snapshot_of(NEWER)]


def test_a_restart_ends_the_attempt_and_the_run_asks_again() -> None:
    gate = a_held_gate().reborn()

    assert gate.tell(LinkReady()) == [RunStopOrdered(DUE, "interrupted")]
    assert gate.tell(APPROVE) == []


def test_a_held_preview_is_told_and_planned_again_in_the_window_whether_approved_or_not() -> None:
    for answers in ([], [APPROVE]):
        gate = a_gate(HandClock(at("09:25:00")))
        gate.tell(DUE)
        assert gate.tell(held(preview=True)) == []
        for answer in answers:
            assert gate.tell(answer) == []
        gate.clock.set("09:30:03")
        assert gate.tell(SendWindowDue(RUN, 0)) == [snapshot_of(DUE)]
        assert gate.tell(held(preview=True)) == gate.tell(APPROVE) == []  # told late: it speaks of the preview


def test_a_held_preview_may_be_rejected() -> None:
    gate = a_gate(HandClock(at("09:25:00")))
    gate.tell(DUE)
    gate.tell(held(preview=True))

    assert ends(gate.tell(REJECT)) == [(RUN, "refused", "declined")]
    assert gate.tell(SendWindowDue(RUN, 0)) == []


def test_an_approval_over_lunch_is_shown_and_sized_after_it() -> None:
    gate = a_held_gate("11:29:00")
    gate.clock.set("11:45:00")

    answer = gate.tell(APPROVE)

    assert of(SnapshotDue, answer) == [snapshot_of(DUE, preview=True)]
    assert timers(SendWindowDue, answer) == [(75 * 60 + 3.0, SendWindowDue(RUN, 0))]


@pytest.mark.parametrize(("clock", "day"), [("14:56:00", DAY), ("10:00:00", NEXT_DAY)])
def test_an_approval_that_comes_too_late_sends_nothing(clock: str, day: date) -> None:
    gate = a_held_gate()
    gate.clock.set(clock, day)

    assert ends(gate.tell(APPROVE)) == [(RUN, "refused", "session_over")]
    assert gate.tell(APPROVE) == []
