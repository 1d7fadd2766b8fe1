"""A run gate on its own: what it is told, what it tells, and new lives from its journal."""

from __future__ import annotations

from dataclasses import dataclass, field

from actors.run_gate import RunGate
from qws.domain.rest import FOLLOW_UP
from qws.messages import (
    ControlOrdered,
    HoldOverdue,
    LinkLost,
    LinkReady,
    PlanHeld,
    PlanRefused,
    RebalanceDue,
    RunFinished,
    RunPaused,
    SendWindowDue,
    SnapshotDue,
)
from qws.runtime.message import Message
from tests.support.builders import HandClock, a_due, a_schedule, at
from tests.support.outputs import Told, of, told

DUE = a_due()


NEWER = a_due(target_id="b" * 64)


NEWEST = a_due(target_id="c" * 64)


_NAMES = {
    RebalanceDue: "rebalance_due",
    RunFinished: "run_finished",
    RunPaused: "run_paused",
    ControlOrdered: "control_ordered",
    LinkReady: "link_ready",
    LinkLost: "link_lost",
    PlanRefused: "plan_refused",
    PlanHeld: "plan_held",
    HoldOverdue: "hold_overdue",
    SendWindowDue: "send_window_due",
}


@dataclass
class Gate:
    """A gate, its clock, and everything told to it and by it, as a journal holds it."""

    clock: HandClock
    actor: RunGate
    journal: list[Message] = field(default_factory=list)

    def tell(self, message: Message) -> list[Told]:
        self.journal.append(message)
        answer = told(getattr(self.actor, f"on_{_NAMES[type(message)]}")(message))
        self.journal += [each for each in answer if isinstance(each, Message)]
        for paused in of(RunPaused, answer):  # the system tells it to everybody, the gate included
            answer += told(self.actor.on_run_paused(paused))
        for end in of(RunFinished, answer):
            answer += told(self.actor.on_run_finished(end))
        return answer

    def reborn(self) -> Gate:
        gate = a_gate(self.clock, linked=False)
        gate.journal = list(self.journal)
        for message in self.journal:
            recall = getattr(gate.actor, f"recall_{_NAMES.get(type(message))}", None)
            if recall is not None:
                recall(message)
        return gate


def a_gate(clock: HandClock | None = None, *, linked: bool = True) -> Gate:
    clock = clock or HandClock(at("10:00:00"))
    gate = Gate(clock, RunGate(clock, a_schedule()))
    if linked:
        gate.tell(LinkReady())
    return gate


def snapshot_of(due: RebalanceDue, *, preview: bool = False) -> SnapshotDue:
    return SnapshotDue(due.run_id, due.target_id, due.day, due.attempt, preview)


def end_of(due: RebalanceDue, status: str = "completed", reason: str = "") -> RunFinished:
    return RunFinished.without_trades(due, status, reason, "", at("10:05:00"))


def pause_of(due: RebalanceDue, reason: str = FOLLOW_UP, *, was_sent: bool = True) -> RunPaused:
    """An attempt that was cut, or left something."""
    before = due.before.follow_ups if due.before is not None else 0
    return RunPaused(reason, before + (reason == FOLLOW_UP), was_sent, end_of(due, "incomplete", "not_filled"))


def ends(answer: object) -> list[tuple[str, str, str]]:
    return [(end.run_id, end.status, end.reason) for end in of(RunFinished, answer)]
