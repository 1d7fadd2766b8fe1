"""What is left of a run that did not do all, and when is it tried again?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from qws.domain.rest import AGAIN, FOLLOW_UP, STOPS, FollowUps
from qws.domain.schedule import Schedule
from qws.messages import ControlOrdered, FollowUpDue, PlanningDue, RebalanceDue, RunFinished
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later


class RunFollower(Actor):
    """Lets the rest of a run go on after a pause, as its next attempt; whatever comes in the pause ends it instead.

    A pause does not outlive a restart: the gate takes a run that pauses for one that was cut off.
    """

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule, rules: FollowUps) -> None:
        self._clock, self._schedule, self._rules = clock, schedule, rules
        self._paused: RunFinished | None = None
        self._newest = ""  # the run that nothing has overtaken or stopped; any other one is ended by the gate

    def on_run_finished(self, msg: RunFinished) -> Iterator[Later[FollowUpDue] | RunFinished]:
        if self._paused is not None and self._paused.run_id == msg.run_id:
            self._paused = None
        if msg.status == "interrupted" and msg.reason == FOLLOW_UP and msg.run_id == self._newest:
            now = self._clock.now()
            again = self._next_send(now + timedelta(seconds=self._rules.after_s), msg.day)
            if again is None:
                yield _given_up(msg)
            else:
                self._paused = msg
                yield Later((again - now).total_seconds(), FollowUpDue(msg.run_id, msg.attempt))

    def on_follow_up_due(self, msg: FollowUpDue) -> PlanningDue | RunFinished | None:
        paused = self._paused
        if paused is None or (msg.run_id, msg.attempt) != (paused.run_id, paused.attempt):
            return None
        self._paused = None
        if self._next_send(self._clock.now(), paused.day) is None:  # the machine slept
            return _given_up(paused)
        return PlanningDue(paused.day, FOLLOW_UP, paused.target_id, paused.run_id)

    def recall_rebalance_due(self, msg: RebalanceDue) -> None:
        if msg.trigger not in AGAIN or not self._newest:  # these may come too late, and overtake none
            self._newest = msg.run_id

    def recall_control_ordered(self, msg: ControlOrdered) -> None:
        self._newest = "" if msg.command in STOPS else self._newest

    def on_rebalance_due(self, msg: RebalanceDue) -> Iterator[RunFinished]:
        self.recall_rebalance_due(msg)
        if self._paused is not None and self._paused.run_id != msg.run_id:
            yield _ended(self._paused, "superseded", "superseded", "a newer target took its place")
            self._paused = None

    def on_control_ordered(self, msg: ControlOrdered) -> Iterator[RunFinished]:
        self.recall_control_ordered(msg)
        if self._paused is not None and msg.command in STOPS:
            text = "it was stopped by hand before it could go on"
            yield _ended(self._paused, _unachieved(self._paused), STOPS[msg.command], text)
            self._paused = None

    def _next_send(self, moment: datetime, day: date) -> datetime | None:
        return self._schedule.next_send(moment) if moment.date() == day else None


def _ended(msg: RunFinished, status: str, reason: str, text: str) -> RunFinished:
    return replace(msg, status=status, reason=reason, text=text)


def _given_up(msg: RunFinished) -> RunFinished:
    return _ended(msg, _unachieved(msg), "not_filled" if msg.outcomes else "no_snapshot", msg.text)


def _unachieved(msg: RunFinished) -> str:
    """The status of a run that did not do all: refused when nothing of it was ever sent."""
    return "incomplete" if msg.outcomes or msg.attempt else "refused"
