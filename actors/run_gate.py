"""Whose turn is it? One run at a time; newer targets, halts and restarts end the one before it."""

from __future__ import annotations

from collections.abc import Iterator

from qws import messages as m
from qws.domain.rest import FOLLOW_UP, STOPS
from qws.domain.schedule import Schedule
from qws.ports import Clock
from qws.run_turns import HALTED, OVERTAKEN, RunTurns, is_of, unsent
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_Start = m.SnapshotDue | m.RunFinished | Later[m.SendWindowDue]
_GoesOn = m.RunFinished | m.PlanningDue


class RunGate(Actor):
    """Lets one run look at the market at a time; what is waiting starts when the run before it has settled."""

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule) -> None:
        self._clock, self._schedule = clock, schedule
        self._turns, self._is_linked, self._is_preview, self._is_recalled = RunTurns(), False, False, False
        self._held: m.RebalanceDue | None = None  # a person is asked about its plan

    def recall_rebalance_due(self, msg: m.RebalanceDue) -> None:
        self._turns.recall_due(msg)
        self._is_recalled = True

    def recall_run_paused(self, msg: m.RunPaused) -> None:
        self._turns.recall_pause(msg)

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        self._turns.recall_end(msg)

    def recall_control_ordered(self, msg: m.ControlOrdered) -> None:
        self._turns.command(msg.command)

    def on_rebalance_due(self, msg: m.RebalanceDue) -> Iterator[_Start | m.RunStopOrdered]:
        turns = self._turns
        if turns.is_halted or turns.is_late(msg):
            yield self._unsent(msg, *(HALTED if turns.is_halted else OVERTAKEN))
            return
        if turns.waiting is not None:
            yield self._unsent(turns.waiting, *OVERTAKEN)
        turns.wait(msg)
        if turns.current is None:
            yield from self._start_waiting()
        else:
            yield self._stop(turns.current, "superseded")

    def on_send_window_due(self, msg: m.SendWindowDue) -> m.SnapshotDue | None:
        due = self._turns.current
        if due is None or not self._is_preview or not is_of(due, msg):
            return None
        self._is_preview, self._held = False, None
        return m.SnapshotDue(due.run_id, due.target_id, due.day, due.attempt, self._is_preview)

    def on_plan_refused(self, msg: m.PlanRefused) -> Iterator[m.RunFinished | m.RunPaused]:
        due = self._turns.current  # the executor answers for a run that is being stopped; a preview is planned again
        if due is not None and is_of(due, msg) and not msg.preview and not self._turns.ending:
            end = self._unsent(due, msg.reason, msg.text)
            yield m.RunPaused.without_trades(due, FOLLOW_UP, end) if msg.reason == "no_snapshot" else end

    def on_run_paused(self, msg: m.RunPaused) -> Iterator[_Start | _GoesOn]:
        if is_of(self._turns.current, msg):
            self._turns.current, self._is_recalled = None, False
            yield from self._turns.after(msg, self._schedule, self._clock.now())
            yield from self._start_waiting()

    def on_run_finished(self, msg: m.RunFinished) -> Iterator[_Start]:
        if is_of(self._turns.current, msg):
            self._turns.current, self._is_recalled = None, False
            yield from self._start_waiting()

    def on_link_lost(self, msg: m.LinkLost) -> None:
        self._is_linked = False

    def on_link_ready(self, msg: m.LinkReady) -> Iterator[_Start | _GoesOn | m.RunStopOrdered]:
        turns, was_recalled, self._is_recalled, self._is_linked = self._turns, self._is_recalled, False, True
        yield from turns.answers(self._schedule, self._clock.now())
        if turns.current is None:
            yield from self._start_waiting()
        elif was_recalled:
            yield self._stop(turns.current, turns.ending or ("superseded" if turns.waiting else "interrupted"))

    def on_control_ordered(self, msg: m.ControlOrdered) -> Iterator[_Start | m.RunStopOrdered]:
        self.recall_control_ordered(msg)
        yield from self._drop_unwanted()
        if msg.command in STOPS and self._turns.current is not None:
            yield self._stop(self._turns.current, STOPS[msg.command])
        elif msg.command in ("approve", "reject") and (due := self._waits_for_a_person()) and due.run_id == msg.run_id:
            self._held = None
            if msg.command == "reject":
                yield self._unsent(due, "declined", f"{msg.by} rejected the plan")
            elif not self._is_preview:  # that is planned again anyway; a plan is never sent as it was held
                yield from self._begin(due)

    def on_plan_held(self, msg: m.PlanHeld) -> Later[m.HoldOverdue] | None:
        due = self._turns.current
        if due is None or not is_of(due, msg) or self._turns.ending or msg.preview is not self._is_preview:
            return None
        self._held, left_s = due, self._schedule.left_s(self._clock.now())
        return None if msg.preview else Later(left_s, m.HoldOverdue(msg.run_id, msg.attempt))

    def on_hold_overdue(self, msg: m.HoldOverdue) -> Iterator[m.RunFinished]:
        if (due := self._waits_for_a_person()) is not None and is_of(due, msg):
            self._held = None
            yield self._unsent(due, "not_approved", "nobody approved the plan before the day's last order time")

    def _drop_unwanted(self) -> Iterator[m.RunFinished]:
        turns = self._turns
        reason = "halted" if turns.is_halted else turns.unwanted
        if turns.waiting is not None and reason:
            due, turns.waiting = turns.waiting, None
            yield self._unsent(due, reason, "trading was stopped by hand before it could start")

    def _start_waiting(self) -> Iterator[_Start]:
        """Begin the run that waits, unless the broker does not answer; what cannot be sent yet is only shown."""
        yield from self._drop_unwanted()
        turns, due = self._turns, self._turns.waiting
        if due is not None and self._is_linked:
            turns.waiting, turns.ending = None, ""
            yield from self._begin(due)

    def _begin(self, due: m.RebalanceDue) -> Iterator[_Start]:
        now = self._clock.now()
        opens_at = self._schedule.next_send(now) if due.day == now.date() else None
        if opens_at is None:
            yield self._unsent(due, "session_over", "the day's last order time passed before it could start")
            return
        self._turns.current = due
        self._is_preview = (wait_s := (max(due.send_at, opens_at) - now).total_seconds()) > 0
        if self._is_preview:
            yield Later(wait_s, m.SendWindowDue(due.run_id, due.attempt))
        yield m.SnapshotDue(due.run_id, due.target_id, due.day, due.attempt, self._is_preview)

    def _waits_for_a_person(self) -> m.RebalanceDue | None:
        """The run whose plan is held, unless it is being stopped; the executor answers for that."""
        return self._held if self._held is self._turns.current and not self._turns.ending else None

    def _stop(self, due: m.RebalanceDue, reason: str) -> m.RunStopOrdered:
        self._turns.ending = reason
        return m.RunStopOrdered(due, reason)

    def _unsent(self, due: m.RebalanceDue, reason: str, text: str) -> m.RunFinished:
        return unsent(due, reason, text, self._clock.now())
