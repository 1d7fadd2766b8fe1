"""May this plan be executed?"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from qws.domain.risk.judge import judge
from qws.domain.risk.memory import RiskMemory
from qws.domain.risk.rule import Rule
from qws.messages import (
    CancelOrder,
    ControlOrdered,
    EquityRecorded,
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    PlanHeld,
    PlanReady,
    PlanRefused,
    RunFinished,
    SnapshotTaken,
)
from qws.runtime.actor import Actor


class RiskGuard(Actor):
    """Asks every rule: a plan is refused, cut, held for a person's approval, or passes; the rule's code is the reason.

    What a person approved holds for that run. Nothing but a `PlanReady` of this actor is ever sent.
    """

    on_crash = "halt"

    def __init__(self, rules: Collection[Rule], holds: Collection[str]) -> None:
        self._rules, self._holds = rules, holds
        self._memory = RiskMemory()
        self._seen: SnapshotTaken | None = None

    def recall_place_order(self, msg: PlaceOrder) -> None:
        self._memory.count(msg.order.tag)
        self._memory.out.intend(msg.run_id, msg.order)

    def recall_cancel_order(self, msg: CancelOrder) -> None:
        self._memory.count(msg.tag)

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._memory.out.note(msg.order)

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            self._memory.worth.close(msg.asset.total, msg.flow)
        else:
            self._memory.worth.now = msg.asset.total

    def recall_plan_drafted(self, msg: PlanDrafted) -> None:
        self._memory.worth.now = msg.plan.total_asset

    def recall_control_ordered(self, msg: ControlOrdered) -> None:
        self._memory.command(msg.command, msg.run_id)

    def recall_plan_held(self, msg: PlanHeld) -> None:
        self._memory.ask(msg.run_id, msg.breaches)

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._memory.end(msg.run_id)

    on_place_order = recall_place_order
    on_cancel_order = recall_cancel_order
    on_order_updated = recall_order_updated
    on_equity_recorded = recall_equity_recorded
    on_control_ordered = recall_control_ordered
    on_run_finished = recall_run_finished

    def on_snapshot_taken(self, msg: SnapshotTaken) -> None:
        self._seen = msg

    def on_plan_drafted(self, msg: PlanDrafted) -> Iterator[PlanReady | PlanRefused | PlanHeld | ControlOrdered]:
        self.recall_plan_drafted(msg)
        plan, seen = msg.plan, self._seen
        of_it = seen.snapshot if seen is not None and seen.run_id == plan.run_id else None
        facts, approved = self._memory.facts(plan.at.date(), of_it), self._memory.approved(plan.run_id)
        verdict = judge(plan, facts, self._rules, self._holds, approved)
        of_run = plan.run_id, plan.attempt, plan.preview
        if refused := verdict.refused:
            yield PlanRefused(*of_run, refused.rule, refused.text)
            if verdict.halts and not plan.preview:
                yield ControlOrdered("halt", f"risk_guard: {refused.rule}")
        elif verdict.held:
            self._memory.ask(plan.run_id, verdict.held)
            yield PlanHeld(*of_run, verdict.held)
        else:
            yield PlanReady(verdict.plan)
