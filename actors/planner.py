"""What must be bought and sold?"""

from __future__ import annotations

from datetime import date

from qws.domain.planner import Goal, PlanRules, plan_rebalance
from qws.domain.targets import Weight
from qws.messages import PlanDrafted, PlanRefused, SnapshotTaken, TargetAccepted
from qws.runtime.actor import Actor


class Planner(Actor):
    """Turns a target and a snapshot into a plan; a pure function of both."""

    on_crash = "halt"

    def __init__(self, rules: PlanRules) -> None:
        self._rules = rules
        self._targets: dict[tuple[str, date], tuple[tuple[Weight, ...], frozenset[str]]] = {}

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        today = msg.at.date()
        self._targets = {key: value for key, value in self._targets.items() if key[1] >= today}
        filtered = frozenset(row.code for row in msg.dropped)
        for target in msg.days:
            self._targets[msg.target_id, target.day] = target.weights, filtered

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self.recall_target_accepted(msg)

    def on_snapshot_taken(self, msg: SnapshotTaken) -> PlanDrafted | PlanRefused:
        target = self._targets.get((msg.target_id, msg.day))
        if target is None:
            text = f"no accepted target {msg.target_id} for {msg.day}"
            return PlanRefused(msg.run_id, msg.attempt, msg.preview, "unknown_target", text)
        goal = Goal(msg.run_id, msg.target_id, msg.attempt, msg.preview, *target)
        return PlanDrafted(plan_rebalance(goal, msg.snapshot, self._rules))
