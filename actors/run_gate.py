"""Whose turn is it? One run at a time; newer targets, halts and restarts end the one before it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from qws import messages as m
from qws.domain.rest import AGAIN, FOLLOW_UP, STOPS, FollowUps
from qws.domain.schedule import Schedule
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_Start = m.SnapshotDue | m.RunFinished | Later[m.SendWindowDue]
_HALTED = "halted", "trading is halted; after `qws resume` run it with `qws rebalance`"
_OVERTAKEN = "superseded", "a newer target came before this one could start"


class RunGate(Actor):
    """Lets one run look at the market at a time; what is waiting starts when the run before it has settled."""

    on_crash = "halt"

    def __init__(self, clock: Clock, schedule: Schedule, follow_ups: FollowUps) -> None:
        self._clock, self._schedule, self._follow_ups = clock, schedule, follow_ups
        self._current, self._waiting = None, None  # type: m.RebalanceDue | None, m.RebalanceDue | None
        self._ending, self._unwanted = "", ""  # why the current run is being stopped, and why the waiting one is
        self._overtaken: list[m.RebalanceDue] = []  # in an earlier life, and never told so
        self._is_linked, self._is_halted, self._is_preview, self._is_recalled = False, False, False, False

    def recall_rebalance_due(self, msg: m.RebalanceDue) -> None:
        self._unwanted = self._unwanted if msg.trigger in AGAIN else ""
        if self._current is None or self._current.run_id == msg.run_id:  # a cut run goes on under its name
            self._current, self._ending, self._is_recalled = msg, "", True
        else:
            self._overtaken += [self._waiting] if self._waiting is not None else []
            self._waiting = msg

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        is_cut = msg.status == "interrupted"
        self._overtaken = [due for due in self._overtaken if is_cut or due.run_id != msg.run_id]
        if _is_of(self._waiting, msg):
            self._waiting = None
        elif _is_of(self._current, msg) and (not is_cut or self._waiting is not None):
            self._overtaken += [self._current] if self._current is not None and is_cut else []
            self._current, self._waiting, self._ending = self._waiting, None, ""

    def recall_control_ordered(self, msg: m.ControlOrdered) -> None:
        if msg.command in ("halt", "resume"):
            self._is_halted = msg.command == "halt"
        if msg.command in STOPS:
            self._ending = self._unwanted = STOPS[msg.command]

    def on_rebalance_due(self, msg: m.RebalanceDue) -> Iterator[_Start | m.RunStopOrdered]:
        is_late = msg.trigger in AGAIN and (self._current or self._waiting) is not None
        if self._is_halted or is_late:
            yield self._refused(msg, *(_HALTED if self._is_halted else _OVERTAKEN))
            return
        if self._waiting is not None:
            yield self._refused(self._waiting, *_OVERTAKEN)
        self._waiting, self._unwanted = msg, self._unwanted if msg.trigger in AGAIN else ""
        if self._current is None:
            yield from self._start_waiting()
        else:
            yield self._stop(self._current, "superseded")

    def on_send_window_due(self, msg: m.SendWindowDue) -> m.SnapshotDue | None:
        due = self._current
        if due is None or not self._is_preview or not _is_of(due, msg):
            return None
        self._is_preview = False
        return m.SnapshotDue(due.run_id, due.target_id, due.day, due.attempt, self._is_preview)

    def on_plan_refused(self, msg: m.PlanRefused) -> Iterator[m.RunFinished]:
        due = self._current  # the executor answers for a run that is being stopped; a preview is planned again
        if due is not None and _is_of(due, msg) and not msg.preview and not self._ending:
            is_early = msg.reason == "no_snapshot" and due.attempt < self._follow_ups.times
            ends = ("interrupted", FOLLOW_UP) if is_early else ("refused", msg.reason)
            yield m.RunFinished.without_trades(due, *ends, msg.text, self._clock.now())

    def on_run_finished(self, msg: m.RunFinished) -> Iterator[_Start | m.PlanningDue]:
        if not _is_of(self._current, msg):
            return
        ending, self._current, self._is_recalled, is_cut = self._ending, None, False, msg.status == "interrupted"
        if self._waiting is not None:
            if is_cut:
                yield replace(msg, status="superseded", reason="superseded", text="a newer target took its place")
            yield from self._start_waiting()
        elif is_cut and ending in STOPS.values():
            yield replace(msg, status="incomplete", reason=ending, text="it was stopped by hand before a restart")
        elif is_cut and msg.reason != FOLLOW_UP:  # who follows it up knows when
            now = self._clock.now()
            if msg.day != now.date() or self._schedule.next_send(now) is None:
                yield replace(msg, status="incomplete", reason="expired", text="the day ended before it could go on")
            else:
                yield m.PlanningDue(msg.day, "recovery", msg.target_id, msg.run_id)

    def on_link_lost(self, msg: m.LinkLost) -> None:
        self._is_linked = False

    def on_link_ready(self, msg: m.LinkReady) -> Iterator[_Start | m.RunStopOrdered]:
        was_recalled, self._is_recalled, self._is_linked = self._is_recalled, False, True
        overtaken, self._overtaken = self._overtaken, []
        yield from (self._refused(due, *_OVERTAKEN) for due in overtaken)
        if self._current is None:
            yield from self._start_waiting()
        elif was_recalled:
            yield self._stop(self._current, self._ending or ("superseded" if self._waiting else "interrupted"))

    def on_control_ordered(self, msg: m.ControlOrdered) -> Iterator[m.RunStopOrdered | m.RunFinished]:
        self.recall_control_ordered(msg)
        yield from self._drop_unwanted()
        if msg.command in STOPS and self._current is not None:
            yield self._stop(self._current, STOPS[msg.command])

    def _drop_unwanted(self) -> Iterator[m.RunFinished]:
        reason = "halted" if self._is_halted else self._unwanted
        if self._waiting is not None and reason:
            due, self._waiting = self._waiting, None
            yield self._refused(due, reason, "trading was stopped by hand before it could start")

    def _start_waiting(self) -> Iterator[_Start]:
        """Begin the run that waits, unless the broker does not answer; what cannot be sent yet is only shown."""
        yield from self._drop_unwanted()
        due, now = self._waiting, self._clock.now()
        if due is None or not self._is_linked:
            return
        self._waiting, self._ending = None, ""
        opens_at = self._schedule.next_send(now) if due.day == now.date() else None
        if opens_at is None:
            yield self._refused(due, "session_over", "the day's last order time passed before it could start")
            return
        self._current = due
        self._is_preview = (wait_s := (max(due.send_at, opens_at) - now).total_seconds()) > 0
        if self._is_preview:
            yield Later(wait_s, m.SendWindowDue(due.run_id, due.attempt))
        yield m.SnapshotDue(due.run_id, due.target_id, due.day, due.attempt, self._is_preview)

    def _stop(self, due: m.RebalanceDue, reason: str) -> m.RunStopOrdered:
        self._ending = reason
        return m.RunStopOrdered(due, reason)

    def _refused(self, due: m.RebalanceDue, reason: str, text: str) -> m.RunFinished:
        status = "superseded" if reason == "superseded" else "refused"
        return m.RunFinished.without_trades(due, status, reason, text, self._clock.now())


def _is_of(due: m.RebalanceDue | None, told: m.RunFinished | m.PlanRefused | m.SendWindowDue) -> bool:
    return due is not None and (told.run_id, told.attempt) == (due.run_id, due.attempt)
