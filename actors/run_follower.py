"""What is left of a run that did not do all, and when is it tried again?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from qws.domain.rest import FOLLOW_UP, STOPS, FollowUps
from qws.domain.schedule import Schedule
from qws.messages import ControlOrdered, FollowUpDue, PlanningDue, RebalanceDue, RunFinished
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later


class RunFollower(Actor):
    """Lets the rest of a run go on after a pause, as its next attempt; whatever comes in the pause ends it instead.

    It remembers nothing over a restart: the gate takes a run that pauses for one that was cut off.
    """

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule, rules: FollowUps) -> None:
        self._clock, self._schedule, self._rules = clock, schedule, rules
        self._paused: RunFinished | None = None

    def on_run_finished(self, msg: RunFinished) -> Iterator[Later[FollowUpDue] | RunFinished]:
        if self._paused is not None and self._paused.run_id == msg.run_id:
            self._paused = None
        if msg.status == "interrupted" and msg.reason == FOLLOW_UP:
            now = self._clock.now()
            again = self._schedule.next_send(now + timedelta(seconds=self._rules.after_s))
            if again is None or again.date() != msg.day:
                is_refused = not msg.outcomes and not msg.attempt
                yield replace(msg, status="refused" if is_refused else "incomplete", reason=_left(msg))
            else:
                self._paused = msg
                yield Later((again - now).total_seconds(), FollowUpDue(msg.run_id, msg.attempt))

    def on_follow_up_due(self, msg: FollowUpDue) -> PlanningDue | None:
        paused = self._paused
        if paused is None or (msg.run_id, msg.attempt) != (paused.run_id, paused.attempt):
            return None
        self._paused = None
        return PlanningDue(paused.day, FOLLOW_UP, paused.target_id)

    def on_rebalance_due(self, msg: RebalanceDue) -> Iterator[RunFinished]:
        if self._paused is not None and self._paused.run_id != msg.run_id:
            yield self._end("superseded", "superseded", "a newer target took its place")

    def on_control_ordered(self, msg: ControlOrdered) -> Iterator[RunFinished]:
        if self._paused is not None and msg.command in STOPS:
            yield self._end("incomplete", STOPS[msg.command], "it was stopped by hand before it could go on")

    def _end(self, status: str, reason: str, text: str) -> RunFinished:
        assert self._paused is not None
        paused, self._paused = self._paused, None
        return replace(paused, status=status, reason=reason, text=text)


def _left(msg: RunFinished) -> str:
    return "not_filled" if msg.outcomes else "no_snapshot"
