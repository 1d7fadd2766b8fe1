from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from qws.domain.execution import INTERRUPTED
from qws.messages import (
    ControlOrdered,
    LinkReady,
    PlanningDue,
    RunStopOrdered,
)
from tests.support.builders import DAY, NEXT_DAY
from tests.support.gate_rig import DUE, NEWER, a_gate, end_of, ends, pause_of, snapshot_of


def test_a_run_that_a_restart_cut_is_stopped_once_and_planned_again() -> None:
    gate = a_gate()
    gate.tell(DUE)
    again = gate.reborn()

    assert again.tell(LinkReady()) == [RunStopOrdered(DUE, INTERRUPTED)]
    assert again.tell(LinkReady()) == []
    assert again.tell(pause_of(DUE, INTERRUPTED)) == [PlanningDue(DAY, "recovery", pause_of(DUE, INTERRUPTED))]
    recovery = replace(DUE, attempt=1, trigger="recovery")
    assert again.tell(recovery) == [snapshot_of(recovery)]


def test_a_run_that_ended_before_the_restart_is_not_planned_again() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(end_of(DUE))

    assert gate.reborn().tell(LinkReady()) == []


def test_a_cut_run_that_could_not_go_on_before_a_second_restart_goes_on_after_it() -> None:
    gate = a_gate()
    gate.tell(DUE)
    again = gate.reborn()
    again.tell(LinkReady())
    again.tell(pause_of(DUE, INTERRUPTED))
    third = again.reborn()

    assert third.tell(LinkReady()) == [PlanningDue(DAY, "recovery", pause_of(DUE, INTERRUPTED))]
    assert third.tell(LinkReady()) == []


def test_a_recovery_replaces_the_run_it_recovers_also_in_memory() -> None:
    gate = a_gate()
    gate.tell(DUE)
    again = gate.reborn()
    again.tell(LinkReady())
    again.tell(pause_of(DUE, INTERRUPTED))
    again.tell(replace(DUE, attempt=1))
    again.tell(end_of(replace(DUE, attempt=1)))

    assert again.reborn().tell(LinkReady()) == []


@pytest.mark.parametrize(("clock", "day"), [("14:56:00", DAY), ("08:50:00", NEXT_DAY), ("08:50:00", date(2027, 1, 4))])
def test_a_cut_run_whose_session_is_over_expires(clock: str, day: date) -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.clock.set(clock, day)
    again = gate.reborn()
    again.tell(LinkReady())

    assert ends(again.tell(pause_of(DUE, INTERRUPTED))) == [(DUE.run_id, "incomplete", "expired")]
    assert again.reborn().tell(LinkReady()) == []


def test_a_cut_run_with_orders_unaccounted_for_is_not_planned_again() -> None:
    gate = a_gate()
    gate.tell(DUE)
    again = gate.reborn()
    again.tell(LinkReady())

    assert again.tell(end_of(DUE, "incomplete", "unknown")) == []


@pytest.mark.parametrize(("command", "reason"), [("cancel", "cancelled"), ("halt", "halted")])
def test_what_a_person_stopped_is_not_revived_by_a_restart(command: str, reason: str) -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(ControlOrdered(command, "me"))
    again = gate.reborn()

    assert again.tell(LinkReady()) == [RunStopOrdered(DUE, reason)]
    assert ends(again.tell(pause_of(DUE, INTERRUPTED))) == [(DUE.run_id, "incomplete", reason)]


def test_a_restart_amid_superseding_settles_the_old_run_first_and_then_starts_the_new_one() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(NEWER)
    again = gate.reborn()

    assert again.tell(LinkReady()) == [RunStopOrdered(DUE, "superseded")]
    answer = again.tell(pause_of(DUE, INTERRUPTED))
    assert ends(answer) == [(DUE.run_id, "superseded", "superseded")]
    assert answer[1:] == [snapshot_of(NEWER)]


def test_a_run_that_was_overtaken_while_it_waited_is_told_so_by_the_next_life() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(NEWER)
    newest = replace(NEWER, run_id="20261119-cccccc", target_id="c" * 64)
    gate.journal.append(newest)  # the kill came before its answer

    answer = gate.reborn().tell(LinkReady())

    assert ends(answer) == [(NEWER.run_id, "superseded", "superseded")]
    assert answer[1:] == [RunStopOrdered(DUE, "superseded")]


def test_a_recovery_that_comes_after_a_newer_target_does_not_stop_it_and_is_told_once() -> None:
    gate = a_gate()
    gate.tell(DUE)
    again = gate.reborn()
    again.tell(LinkReady())
    again.tell(pause_of(DUE, INTERRUPTED))
    assert again.tell(NEWER) == [snapshot_of(NEWER)]
    recovery = replace(DUE, attempt=1, trigger="recovery")

    assert ends(again.tell(recovery)) == [(DUE.run_id, "superseded", "superseded")]
    last = again.reborn()
    assert last.tell(LinkReady()) == [RunStopOrdered(NEWER, INTERRUPTED)]


def test_a_refusal_under_halt_does_not_make_a_restart_forget_the_run_that_still_works() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(ControlOrdered("halt", "me"))
    gate.tell(NEWER)

    assert gate.reborn().tell(LinkReady()) == [RunStopOrdered(DUE, "halted")]


def test_a_target_that_comes_before_the_link_waits_for_the_cut_run() -> None:
    gate = a_gate()
    gate.tell(DUE)
    again = gate.reborn()

    assert again.tell(NEWER) == [RunStopOrdered(DUE, "superseded")]
    assert again.tell(end_of(DUE, "superseded")) == []
    assert again.tell(LinkReady()) == [snapshot_of(NEWER)]


def test_a_restart_in_the_pause_is_left_to_who_follows_the_run_up() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(pause_of(DUE))
    again = gate.reborn()

    assert again.tell(LinkReady()) == []
    follow_up = replace(DUE, attempt=1, trigger="follow_up", before=pause_of(DUE))
    assert again.tell(follow_up) == [snapshot_of(follow_up)]
    assert again.reborn().tell(LinkReady()) == [RunStopOrdered(follow_up, INTERRUPTED)]


def test_what_comes_too_late_does_not_make_the_next_life_forget_the_newest_target() -> None:
    gate = a_gate(linked=False)
    gate.tell(DUE)
    first = gate.reborn()
    first.tell(NEWER)
    first.journal.append(replace(DUE, run_id="late", attempt=1, trigger="recovery"))  # killed before its answer
    again = first.reborn()

    assert ends(again.tell(LinkReady())) == [("late", "superseded", "superseded")]
    assert again.tell(end_of(DUE, "superseded")) == [snapshot_of(NEWER)]


@pytest.mark.parametrize("status", ["superseded", "incomplete"])
def test_a_pause_that_ended_before_the_restart_is_over(status: str) -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(pause_of(DUE))
    gate.tell(end_of(DUE, status, "cancelled"))

    assert gate.reborn().tell(LinkReady()) == []


def test_a_newer_target_that_started_in_the_pause_is_what_a_restart_goes_on_with() -> None:
    gate = a_gate()
    gate.tell(DUE)
    gate.tell(pause_of(DUE))
    gate.tell(NEWER)
    gate.journal.append(end_of(DUE, "superseded", "superseded"))  # told by who followed it

    again = gate.reborn()

    assert again.tell(LinkReady()) == [RunStopOrdered(NEWER, INTERRUPTED)]
    cut = pause_of(NEWER, INTERRUPTED)
    assert again.tell(cut) == [PlanningDue(DAY, "recovery", cut)]
