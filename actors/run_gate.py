"""Whose turn is it? One run at a time; newer targets, halts and restarts end the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from qws.domain.schedule import Schedule
from qws.messages import (
    ControlOrdered,
    LinkReady,
    PlanningDue,
    PlanRefused,
    RebalanceDue,
    RunFinished,
    RunStopOrdered,
    SendWindowDue,
    SnapshotDue,
)
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_Start = SnapshotDue | RunFinished | Later[SendWindowDue]


class RunGate(Actor):
    """Lets one run look at the market at a time; what is waiting starts when the run before it has settled."""

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule) -> None:
        self._clock, self._schedule = clock, schedule
        self._current: RebalanceDue | None = None
        self._waiting: RebalanceDue | None = None
        self._is_preview, self._is_ending, self._is_recalled, self._is_halted = False, False, False, False

    def recall_rebalance_due(self, msg: RebalanceDue) -> None:
        self._current, self._is_recalled = msg, True

    def recall_run_finished(self, msg: RunFinished) -> None:
        if self._current is not None and (msg.run_id, msg.attempt) == (self._current.run_id, self._current.attempt):
            self._current, self._is_recalled = None, False

    def recall_control_ordered(self, msg: ControlOrdered) -> None:
        if msg.command in ("halt", "resume"):
            self._is_halted = msg.command == "halt"

    def on_rebalance_due(self, msg: RebalanceDue) -> Iterator[_Start | RunStopOrdered]:
        if self._is_halted:
            yield self._refused(msg, "halted", "trading is halted; `qws resume` allows it again")
        elif self._current is None:
            yield from self._start(msg)
        else:
            if self._waiting is not None:
                yield self._refused(self._waiting, "superseded", "a newer target came before this one could start")
            self._waiting = msg
            yield self._stop(self._current, "superseded")

    def on_send_window_due(self, msg: SendWindowDue) -> SnapshotDue | None:
        due = self._current
        if due is None or not self._is_preview or (msg.run_id, msg.attempt) != (due.run_id, due.attempt):
            return None
        self._is_preview = False
        return SnapshotDue(due.run_id, due.target_id, due.day, due.attempt, self._is_preview)

    def on_plan_refused(self, msg: PlanRefused) -> Iterator[RunFinished]:
        due = self._current  # the executor answers for a run that is being stopped; a preview is planned again
        if due is not None and msg.run_id == due.run_id and not self._is_preview and not self._is_ending:
            yield self._refused(due, msg.reason, msg.text)

    def on_run_finished(self, msg: RunFinished) -> Iterator[_Start | PlanningDue]:
        if self._current is None or (msg.run_id, msg.attempt) != (self._current.run_id, self._current.attempt):
            return
        self._current, self._is_recalled = None, False
        if msg.status == "interrupted" and self._waiting is None:
            if self._schedule.next_send(self._clock.now()) is None or msg.day != self._clock.now().date():
                yield replace(msg, status="incomplete", reason="expired", text="the day ended before it could go on")
            else:
                yield PlanningDue(msg.day, "recovery")
        elif self._waiting is not None:
            due, self._waiting = self._waiting, None
            yield from self._start(due)

    def on_link_ready(self, msg: LinkReady) -> RunStopOrdered | None:
        if self._current is None or not self._is_recalled:
            return None
        self._is_recalled = False
        return self._stop(self._current, "interrupted")

    def on_control_ordered(self, msg: ControlOrdered) -> Iterator[RunStopOrdered | RunFinished]:
        self.recall_control_ordered(msg)
        if msg.command in ("halt", "cancel"):
            if self._waiting is not None:
                due, self._waiting = self._waiting, None
                yield self._refused(due, "halted", f"`qws {msg.command}` came first")
            if self._current is not None:
                yield self._stop(self._current, "halted" if msg.command == "halt" else "cancelled")

    def _start(self, due: RebalanceDue) -> Iterator[_Start]:
        self._current, self._is_ending = due, False
        wait_s = (due.send_at - self._clock.now()).total_seconds()
        self._is_preview = wait_s > 0
        if self._is_preview:
            yield Later(wait_s, SendWindowDue(due.run_id, due.attempt))
        yield SnapshotDue(due.run_id, due.target_id, due.day, due.attempt, self._is_preview)

    def _stop(self, due: RebalanceDue, reason: str) -> RunStopOrdered:
        self._is_ending = True
        return RunStopOrdered(due, reason)

    def _refused(self, due: RebalanceDue, reason: str, text: str) -> RunFinished:
        status = "superseded" if reason == "superseded" else "refused"
        return RunFinished.without_trades(due, status, reason, text, self._clock.now())
