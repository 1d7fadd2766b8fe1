"""What becomes of a run after an attempt that did not do all: a pause, another attempt, or what overtook it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.execution import INTERRUPTED
from qws.domain.plan import Outcome
from qws.domain.rest import FOLLOW_UP
from qws.messages import ControlOrdered, LinkReady, PlanningDue, PlanRefused, RunFinished, RunPaused
from qws.runtime.message import Message
from tests.support.gate_rig import DUE, NEWER, a_gate, end_of, ends, pause_of, snapshot_of
from tests.support.outputs import of

TRADED = (Outcome("600000.SH", Decimal("0.5"), Decimal("0.1"), 1000, 200, "not_filled"),)


def test_without_a_snapshot_a_run_pauses_to_be_followed_up() -> None:
    gate = a_gate()
    gate.tell(DUE)

    answer = gate.tell(PlanRefused(DUE.run_id, 0, False, "no_snapshot", "the account does not add up"))

    (paused,) = answer  # who follows it up knows when
    assert isinstance(paused, RunPaused)
    assert (paused.reason, paused.follow_ups, paused.was_sent) == (FOLLOW_UP, 1, False)
    assert (paused.end.status, paused.end.reason) == ("refused", "no_snapshot")
    again = replace(DUE, attempt=1, trigger=FOLLOW_UP, before=paused)
    assert gate.tell(again) == [snapshot_of(again)]


@pytest.mark.parametrize("trigger", [FOLLOW_UP, "recovery"])
def test_only_follow_ups_count_as_follow_ups(trigger: str) -> None:
    before = pause_of(DUE, INTERRUPTED if trigger == "recovery" else FOLLOW_UP)
    gate, again = a_gate(), replace(DUE, attempt=4, trigger=trigger, before=before)
    gate.tell(again)

    (paused,) = of(RunPaused, gate.tell(PlanRefused(DUE.run_id, 4, False, "no_snapshot", "")))

    assert paused.follow_ups == 1 + (trigger == FOLLOW_UP)


@pytest.mark.parametrize(("was_sent", "status"), [(True, "incomplete"), (False, "refused")])
@pytest.mark.parametrize("reason", ["turnover", "no_snapshot"])
def test_a_last_attempt_that_is_refused_does_not_undo_what_earlier_ones_did(
    reason: str, status: str, *, was_sent: bool
) -> None:
    before = pause_of(DUE, was_sent=was_sent)
    before = replace(before, end=replace(before.end, outcomes=TRADED, fees=Decimal(7)))
    gate, again = a_gate(), replace(DUE, attempt=1, trigger=FOLLOW_UP, before=before)
    gate.tell(again)

    (told,) = gate.tell(PlanRefused(DUE.run_id, 1, False, reason, "why"))

    end = told.end if isinstance(told, RunPaused) else told
    assert isinstance(end, RunFinished)
    assert (end.attempt, end.status, end.reason, end.text) == (1, status, reason, "why")
    assert (end.outcomes, end.fees) == (TRADED, Decimal(7))


def test_for_another_reason_a_refused_plan_ends_the_run() -> None:
    gate = a_gate()
    gate.tell(DUE)

    assert ends(gate.tell(PlanRefused(DUE.run_id, 0, False, "turnover", ""))) == [(DUE.run_id, "refused", "turnover")]


@pytest.mark.parametrize("trigger", [FOLLOW_UP, "recovery"])
def test_what_goes_on_too_late_is_told_superseded_and_disturbs_nothing_newer(trigger: str) -> None:
    gate, late = a_gate(), replace(DUE, attempt=1, trigger=trigger)
    gate.tell(NEWER)

    assert ends(gate.tell(late)) == [(DUE.run_id, "superseded", "superseded")]
    assert gate.tell(end_of(NEWER)) == []


@pytest.mark.parametrize("trigger", [FOLLOW_UP, "recovery"])
def test_what_goes_on_does_not_take_the_place_of_a_newer_target_that_waits_for_the_broker(trigger: str) -> None:
    gate = a_gate(linked=False)
    gate.tell(NEWER)

    answer = gate.tell(replace(DUE, attempt=1, trigger=trigger))

    assert ends(answer) == [(DUE.run_id, "superseded", "superseded")]
    assert gate.tell(LinkReady()) == [snapshot_of(NEWER)]


def test_what_goes_on_waits_for_the_broker_and_a_newer_target_takes_its_place_there() -> None:
    gate, again = a_gate(linked=False), replace(DUE, attempt=1, trigger=FOLLOW_UP)

    assert gate.tell(again) == []
    assert ends(gate.tell(NEWER)) == [(DUE.run_id, "superseded", "superseded")]
    assert gate.tell(LinkReady()) == [snapshot_of(NEWER)]


@pytest.mark.parametrize(("was_sent", "status"), [(True, "incomplete"), (False, "refused")])
def test_what_would_go_on_under_a_halt_ends_refused_or_incomplete_when_it_had_traded(
    status: str, *, was_sent: bool
) -> None:
    gate, again = a_gate(), replace(DUE, attempt=1, trigger=FOLLOW_UP, before=pause_of(DUE, was_sent=was_sent))
    gate.tell(ControlOrdered("halt", "me"))

    assert ends(gate.tell(again)) == [(DUE.run_id, status, "halted")]


OVERTAKERS: list[tuple[Message, str, str]] = [
    (NEWER, "superseded", "superseded"),
    (ControlOrdered("halt", "me"), "incomplete", "halted"),
    (ControlOrdered("cancel", "me"), "incomplete", "cancelled"),
]


@pytest.mark.parametrize(("before", "status", "reason"), OVERTAKERS)
@pytest.mark.parametrize("why", [FOLLOW_UP, INTERRUPTED])
def test_what_overtook_a_run_before_its_pause_is_told_by_the_next_life_when_this_one_was_killed(
    before: Message, status: str, reason: str, why: str
) -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(before)
    gate.journal.append(pause_of(DUE, why))

    answer = gate.reborn().tell(LinkReady())

    assert ends(answer) == [(DUE.run_id, status, reason)]
    assert of(PlanningDue, answer) == []


@pytest.mark.parametrize(("before", "status", "reason"), OVERTAKERS)
def test_an_attempt_that_would_be_followed_up_ends_when_its_run_was_overtaken_or_stopped(
    before: Message, status: str, reason: str
) -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(before)

    assert ends(gate.tell(pause_of(DUE))) == [(DUE.run_id, status, reason)]


def test_a_newer_target_starts_at_once_while_another_run_pauses() -> None:
    gate = a_gate()
    gate.tell(DUE)

    assert gate.tell(pause_of(DUE)) == []
    assert gate.tell(NEWER) == [snapshot_of(NEWER)]
