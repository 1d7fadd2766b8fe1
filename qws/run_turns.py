"""Which run is on, which one waits for its end, and what becomes of one that has paused. RELIABILITY.md 6.4, 6.6."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from qws.domain.rest import AGAIN, FOLLOW_UP, STOPS
from qws.domain.schedule import Schedule
from qws.domain.trading_state import TradingState, state_after
from qws.messages import (
    HoldOverdue,
    PlanHeld,
    PlanningDue,
    PlanRefused,
    RebalanceDue,
    RunFinished,
    RunPaused,
    SendWindowDue,
)

_Told = RunFinished | RunPaused | PlanRefused | PlanHeld | HoldOverdue | SendWindowDue
HALTED = "halted", "trading is halted; after `qws resume` run it with `qws rebalance`"
OVERTAKEN = "superseded", "a newer target came before this one could start"


class RunTurns:
    """The run that is on, the newest one that waits, and why a person wants neither."""

    def __init__(self) -> None:
        self.current, self.waiting = None, None  # type: RebalanceDue | None, RebalanceDue | None
        self.ending, self.unwanted = "", ""  # why the current run is being stopped, and why the waiting one is
        self.state = TradingState.ACTIVE
        self._unanswered: dict[str, RebalanceDue | RunPaused] = {}  # an earlier life did not come to tell their end

    @property
    def is_halted(self) -> bool:
        """Whether nothing may start."""
        return self.state is TradingState.HALTED

    def is_late(self, due: RebalanceDue) -> bool:
        """Whether what was to go on finds another run in its place."""
        return due.trigger in AGAIN and (self.current or self.waiting) is not None

    def wait(self, due: RebalanceDue) -> None:
        """This is the newest run; what was unwanted before it came does not concern it, unless it only goes on."""
        self.waiting, self.unwanted = due, self.unwanted if due.trigger in AGAIN else ""

    def command(self, command: str) -> None:
        """A person ordered something."""
        self.state = state_after(self.state, command)
        if command in STOPS:
            self.ending = self.unwanted = STOPS[command]

    def recall_due(self, due: RebalanceDue) -> None:
        """An earlier life was told that this run is due."""
        self._unanswered.pop(due.run_id, None)
        overtaken = due if self.is_late(due) else self.waiting if self.current is not None else None
        if overtaken is not None:
            self._unanswered[overtaken.run_id] = overtaken
        if overtaken is not due:
            self.wait(due)
            if self.current is None:
                self._next()

    def recall_pause(self, paused: RunPaused) -> None:
        """An earlier life was told that an attempt has ended; who follows a run up remembers it, unless it is over."""
        if is_of(self.current, paused):
            if paused.reason != FOLLOW_UP or self.waiting is not None or self.ending in STOPS.values():
                self._unanswered[paused.run_id] = paused
            self._next()

    def recall_end(self, end: RunFinished) -> None:
        """The end of a run was told."""
        self._unanswered.pop(end.run_id, None)
        if is_of(self.waiting, end):
            self.waiting = None
        elif is_of(self.current, end):
            self._next()

    def answers(self, schedule: Schedule, now: datetime) -> Iterator[PlanningDue | RunFinished]:
        """What an earlier life did not come to tell, once."""
        unanswered, self._unanswered = self._unanswered, {}
        for each in unanswered.values():
            if isinstance(each, RunPaused):
                yield from self.after(each, schedule, now)
            else:
                yield unsent(each, *OVERTAKEN, now)

    def after(self, paused: RunPaused, schedule: Schedule, now: datetime) -> Iterator[PlanningDue | RunFinished]:
        """What becomes of a run that has paused: overtaken, stopped, expired, or cut and planned again."""
        if (self.current or self.waiting) is not None:
            yield paused.ended("superseded", "superseded", "a newer target took its place", now)
        elif self.ending in STOPS.values():
            yield paused.ended("refused", self.ending, "it was stopped by hand before it could go on", now)
        elif paused.reason != FOLLOW_UP:  # who follows it up knows when
            if paused.end.day != now.date() or schedule.next_send(now) is None:
                yield paused.ended("incomplete", "expired", "the day ended before it could go on", now)
            else:
                yield PlanningDue(paused.end.day, "recovery", paused)

    def _next(self) -> None:
        self.current, self.waiting, self.ending = self.waiting, None, self.unwanted


def unsent(due: RebalanceDue, reason: str, text: str, now: datetime) -> RunFinished:
    """The end of a run by an attempt of which nothing was sent: superseded, or refused."""
    status = reason if reason == "superseded" else "refused"
    return RunFinished.without_trades(due, status, reason, text, now)


def is_of(due: RebalanceDue | None, told: _Told) -> bool:
    """Whether this was told of the attempt that is due."""
    return due is not None and (told.run_id, told.attempt) == (due.run_id, due.attempt)
