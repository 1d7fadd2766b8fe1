"""A run that paused when the program ended: the next life goes on with it, or tells what had ended it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qws.domain.rest import FOLLOW_UP
from qws.messages import ControlOrdered, RunFinished
from qws.runtime.message import Message, Started
from tests.actors.test_run_follower import GO_ON, TIMER, paused, unfinished
from tests.support.gate_rig import DUE, NEWER, end_of, ends
from tests.support.outputs import of


@pytest.mark.parametrize("killed_at", [(), (TIMER,), (TIMER, GO_ON)])
def test_a_restart_in_the_pause_goes_on_at_once(killed_at: tuple[Message, ...]) -> None:
    rig = paused().reborn(*killed_at)

    assert rig.tell(Started()) == [GO_ON]
    assert rig.tell(TIMER) == rig.tell(Started()) == []


def test_a_restart_when_the_day_is_over_ends_the_run_that_paused() -> None:
    rig = paused()
    rig.clock.set("14:58:00")

    assert of(RunFinished, rig.reborn().tell(Started())) == [unfinished().end]


def test_a_restart_after_the_next_attempt_began_is_none_of_its_business() -> None:
    rig = paused()
    rig.tell(TIMER)

    assert rig.reborn(replace(DUE, attempt=1, trigger=FOLLOW_UP, before=unfinished())).tell(Started()) == []
    assert rig.reborn(end_of(DUE, "incomplete", "halted")).tell(Started()) == []


@pytest.mark.parametrize(
    ("message", "status", "reason"),
    [
        (NEWER, "superseded", "superseded"),
        (ControlOrdered("halt", "me"), "incomplete", "halted"),
        (ControlOrdered("cancel", "me"), "incomplete", "cancelled"),
    ],
)
def test_what_ended_a_pause_is_told_by_the_next_life_when_this_one_was_killed(
    message: Message, status: str, reason: str
) -> None:
    again = paused().reborn(message)

    assert ends(again.tell(Started())) == [(DUE.run_id, status, reason)]
    assert again.reborn().tell(Started()) == []
