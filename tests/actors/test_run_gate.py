from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qws.messages import (
    ControlOrdered,
    LinkLost,
    LinkReady,
    PlanRefused,
    RunStopOrdered,
    SendWindowDue,
    SnapshotDue,
)
from tests.support.builders import DAY, NEXT_DAY, HandClock, at
from tests.support.gate_rig import DUE, NEWER, NEWEST, a_gate, end_of, ends, snapshot_of
from tests.support.outputs import of, timers


def test_a_run_starts_at_once_within_the_session() -> None:
    assert a_gate().tell(DUE) == [snapshot_of(DUE)]


def test_before_the_send_window_a_preview_is_shown_and_sized_again_when_it_opens() -> None:
    gate = a_gate(HandClock(at("09:25:00")))

    answer = gate.tell(DUE)

    assert answer[-1] == snapshot_of(DUE, preview=True)
    assert timers(SendWindowDue, answer) == [(303.0, SendWindowDue(DUE.run_id, 0))]
    gate.clock.set("09:30:03")
    assert gate.tell(SendWindowDue(DUE.run_id, 0)) == [snapshot_of(DUE)]
    assert gate.tell(SendWindowDue(DUE.run_id, 0)) == []


def test_a_window_of_another_run_opens_nothing() -> None:
    gate = a_gate(HandClock(at("09:25:00")))
    gate.tell(DUE)

    assert gate.tell(SendWindowDue("other", 0)) == gate.tell(SendWindowDue(DUE.run_id, 1)) == []


def test_a_newer_target_stops_the_run_and_starts_when_it_has_settled() -> None:
    gate = a_gate()
    gate.tell(DUE)

    assert gate.tell(NEWER) == [RunStopOrdered(DUE, "superseded")]
    assert gate.tell(end_of(DUE, "superseded")) == [snapshot_of(NEWER)]
    assert gate.tell(end_of(NEWER)) == []


def test_of_many_newer_targets_only_the_newest_starts_and_the_others_are_told() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(NEWER)

    answer = gate.tell(NEWEST)

    assert ends(answer) == [(NEWER.run_id, "superseded", "superseded")]
    assert gate.tell(end_of(DUE, "superseded")) == [snapshot_of(NEWEST)]


def test_the_end_of_another_run_starts_nothing() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(NEWER)

    assert gate.tell(end_of(NEWEST)) == []
    assert gate.tell(end_of(replace(DUE, attempt=1))) == []


def test_a_run_that_waited_into_lunch_is_shown_and_sized_after_it() -> None:
    gate = a_gate(HandClock(at("11:29:00")))
    gate.tell(DUE)
    gate.tell(NEWER)
    gate.clock.set("11:31:00")

    answer = gate.tell(end_of(DUE, "superseded"))

    assert timers(SendWindowDue, answer) == [(89 * 60 + 3.0, SendWindowDue(NEWER.run_id, 0))]
    assert of(SnapshotDue, answer) == [snapshot_of(NEWER, preview=True)]


@pytest.mark.parametrize(("clock", "day"), [("14:56:00", DAY), ("10:00:00", NEXT_DAY), ("10:00:00", date(2027, 1, 4))])
def test_a_run_that_waited_beyond_its_session_is_refused(clock: str, day: date) -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(NEWER)
    gate.clock.set(clock, day)

    assert ends(gate.tell(end_of(DUE, "superseded"))) == [(NEWER.run_id, "refused", "session_over")]
    assert gate.tell(end_of(DUE)) == []


def test_a_refused_plan_ends_the_run_with_its_reason() -> None:
    gate = a_gate()
    gate.tell(DUE)

    answer = gate.tell(PlanRefused(DUE.run_id, DUE.attempt, False, "turnover", "too much"))

    assert ends(answer) == [(DUE.run_id, "refused", "turnover")]
    assert gate.tell(NEWER) == [snapshot_of(NEWER)]


def test_a_refused_preview_is_planned_again_in_the_window() -> None:
    gate = a_gate(HandClock(at("09:25:00")))
    gate.tell(DUE)

    assert gate.tell(PlanRefused(DUE.run_id, DUE.attempt, True, "no_snapshot", "")) == []
    assert gate.tell(SendWindowDue(DUE.run_id, 0)) == [snapshot_of(DUE)]
    late = PlanRefused(DUE.run_id, DUE.attempt, True, "no_snapshot", "")
    assert gate.tell(late) == []  # told when the window had opened: it still speaks of the preview


def test_for_a_run_that_is_being_stopped_the_executor_answers_not_the_refusal() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(NEWER)

    assert gate.tell(PlanRefused(DUE.run_id, DUE.attempt, False, "no_snapshot", "")) == []


def test_a_halt_stops_the_run_and_refuses_what_waits_and_what_comes() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(NEWER)

    answer = gate.tell(ControlOrdered("halt", "me"))

    assert ends(answer) == [(NEWER.run_id, "refused", "halted")]
    assert of(RunStopOrdered, answer) == [RunStopOrdered(DUE, "halted")]
    assert gate.tell(end_of(DUE, "incomplete", "halted")) == []
    assert ends(gate.tell(NEWEST)) == [(NEWEST.run_id, "refused", "halted")]


def test_a_halt_survives_a_restart_and_a_resume_ends_it() -> None:
    gate = a_gate()
    gate.tell(ControlOrdered("halt", "me"))
    again = gate.reborn()
    again.tell(LinkReady())

    assert ends(again.tell(DUE)) == [(DUE.run_id, "refused", "halted")]
    again.tell(ControlOrdered("resume", "me"))
    assert again.tell(NEWER) == [snapshot_of(NEWER)]
    third = again.reborn()
    assert of(RunStopOrdered, third.tell(LinkReady())) == [RunStopOrdered(NEWER, "interrupted")]


def test_a_cancel_stops_the_run_and_lets_the_next_one_start() -> None:
    gate = a_gate()
    gate.tell(DUE)

    assert gate.tell(ControlOrdered("cancel", "me")) == [RunStopOrdered(DUE, "cancelled")]
    gate.tell(end_of(DUE, "incomplete", "cancelled"))
    assert gate.tell(NEWER) == [snapshot_of(NEWER)]


def test_other_orders_of_a_person_do_nothing_here() -> None:
    gate = a_gate()
    gate.tell(DUE)

    assert gate.tell(ControlOrdered("rebalance", "me")) == gate.tell(ControlOrdered("resume", "me")) == []


def test_nothing_starts_before_the_broker_answers_and_then_the_newest_does() -> None:
    gate = a_gate(linked=False)

    assert gate.tell(DUE) == []
    assert ends(gate.tell(NEWER)) == [(DUE.run_id, "superseded", "superseded")]
    assert gate.tell(LinkReady()) == [snapshot_of(NEWER)]


def test_a_lost_link_lets_nothing_start_and_does_not_stop_the_run() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(LinkLost("gone"))

    assert gate.tell(LinkReady()) == []
    gate.tell(LinkLost("gone"))
    gate.tell(NEWER)
    assert gate.tell(end_of(DUE, "superseded")) == []
    assert gate.tell(LinkReady()) == [snapshot_of(NEWER)]
