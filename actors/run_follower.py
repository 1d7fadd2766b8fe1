"""What is left of a run that did not do all, and when is it tried again?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from qws.domain.rest import AGAIN, FOLLOW_UP, STOPS, FollowUps
from qws.domain.schedule import Schedule
from qws.messages import ControlOrdered, FollowUpDue, PlanningDue, RebalanceDue, RunFinished, RunPaused
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later, Started

_SUPERSEDED = "superseded", "superseded", "a newer target took its place"


class RunFollower(Actor):
    """Lets the rest of a run go on after a pause, as its next attempt; whatever comes in the pause ends it instead.

    After a restart a run that paused goes on at once.
    """

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule, rules: FollowUps) -> None:
        self._clock, self._schedule, self._rules = clock, schedule, rules
        self._paused: RunPaused | None = None
        self._over: tuple[str, str, str] | None = None  # what the pause ended with: status, reason, text
        self._newest = ""  # the run that nothing has overtaken or stopped; any other one is ended by the gate

    def recall_rebalance_due(self, msg: RebalanceDue) -> None:
        if msg.trigger not in AGAIN or not self._newest:  # these may come too late, and overtake none
            self._newest = msg.run_id
        if self._paused is not None and self._paused.run_id == msg.run_id:
            self._paused = None
        self._over = self._over or _SUPERSEDED

    def recall_control_ordered(self, msg: ControlOrdered) -> None:
        if msg.command in STOPS:
            self._newest = ""
            text = "it was stopped by hand before it could go on"
            self._over = self._over or ("refused", STOPS[msg.command], text)

    def recall_run_paused(self, msg: RunPaused) -> None:
        if msg.reason == FOLLOW_UP and msg.run_id == self._newest:
            self._paused, self._over = msg, None

    def recall_run_finished(self, msg: RunFinished) -> None:
        if self._paused is not None and self._paused.run_id == msg.run_id:
            self._paused = None

    on_run_finished = recall_run_finished

    def on_started(self, msg: Started) -> Iterator[PlanningDue | RunFinished]:
        yield from self._end_pause()
        yield from self._go_on()

    def on_rebalance_due(self, msg: RebalanceDue) -> Iterator[RunFinished]:
        self.recall_rebalance_due(msg)
        yield from self._end_pause()

    def on_control_ordered(self, msg: ControlOrdered) -> Iterator[RunFinished]:
        self.recall_control_ordered(msg)
        yield from self._end_pause()

    def on_run_paused(self, msg: RunPaused) -> Iterator[Later[FollowUpDue] | RunFinished]:
        self.recall_run_paused(msg)
        if self._paused is msg:
            now = self._clock.now()
            again = self._next_send(msg, now + timedelta(seconds=self._rules.after_s))
            if again is None:
                self._paused = None
                yield msg.end
            else:
                yield Later((again - now).total_seconds(), FollowUpDue(msg.run_id, msg.attempt))

    def on_follow_up_due(self, msg: FollowUpDue) -> Iterator[PlanningDue | RunFinished]:
        if self._paused is not None and (msg.run_id, msg.attempt) == (self._paused.run_id, self._paused.attempt):
            yield from self._go_on()

    def _end_pause(self) -> Iterator[RunFinished]:
        if self._paused is not None and self._over is not None:
            paused, self._paused = self._paused, None
            yield paused.ended(*self._over, self._clock.now())

    def _go_on(self) -> Iterator[PlanningDue | RunFinished]:
        if self._paused is not None:
            paused, self._paused = self._paused, None
            has_time = self._next_send(paused, self._clock.now()) is not None  # the machine may have slept
            yield PlanningDue(paused.end.day, FOLLOW_UP, paused) if has_time else paused.end

    def _next_send(self, paused: RunPaused, moment: datetime) -> datetime | None:
        """When a follow-up may be sent from this moment on; None when its day is over, or there were enough of them."""
        is_over = moment.date() != paused.end.day or paused.follow_ups > self._rules.times
        return None if is_over else self._schedule.next_send(moment)
