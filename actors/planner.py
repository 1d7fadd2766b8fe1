"""What must be bought and sold?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from qws.domain.crosscheck import disagreements
from qws.domain.plan import Plan
from qws.domain.planner import Goal, PlanRules, Sizing, is_of_today, plan_rebalance
from qws.domain.rest import FOLLOW_UP, KEPT, Absent, Rest, carried, rest_of
from qws.domain.targets import Weight
from qws.messages import PlanDrafted, PlanRefused, RecordDisputed, RunFinished, SnapshotTaken, TargetAccepted
from qws.runtime.actor import Actor


class Planner(Actor):
    """Turns a target and a snapshot into a plan; a pure function of both, and of the preview if that settled shares."""

    on_crash = "halt"

    def __init__(self, rules: PlanRules, sizing: Sizing, absent: Absent) -> None:
        self._rules, self._sizing, self._absent = rules, sizing, absent
        self._settled: Plan | None = None
        self._checked: dict[str, date] = {}
        self._targets: dict[tuple[str, date], tuple[tuple[Weight, ...], frozenset[str]]] = {}
        self._rests: dict[str, Rest] = {}  # of runs that are planned again
        self._left: dict[tuple[str, date], Rest] = {}  # of targets that may be carried over to the next session

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        oldest = msg.at.date() - KEPT
        self._targets = {key: value for key, value in self._targets.items() if key[1] >= oldest}
        self._left = {key: rest for key, rest in self._left.items() if key in self._targets}
        filtered = frozenset(row.code for row in msg.dropped)
        for target in msg.days:
            self._targets[msg.target_id, target.day] = target.weights, filtered

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self.recall_target_accepted(msg)

    def recall_run_finished(self, msg: RunFinished) -> None:
        key = msg.target_id, msg.day
        if msg.outcomes and key in self._targets:
            self._left[key] = carried(msg.outcomes)
        if msg.status != "interrupted":
            self._rests.pop(msg.run_id, None)
            if key in self._targets:
                self._left.setdefault(key, Rest())  # nothing of it was ever sent
        elif msg.reason == FOLLOW_UP and msg.outcomes:
            self._rests[msg.run_id] = rest_of(msg.outcomes, self._absent, msg.attempt)

    on_run_finished = recall_run_finished

    def on_snapshot_taken(self, msg: SnapshotTaken) -> Iterator[PlanDrafted | PlanRefused | RecordDisputed]:
        key, left = (msg.target_id, msg.day), Rest()
        if key not in self._targets:  # carried over from an earlier session
            key = max((each for each in self._left if each[0] == msg.target_id and each < key), default=key)
            left = self._left.get(key, left)
        target = self._targets.get(key)
        if target is None:
            text = f"no accepted target {msg.target_id} for {msg.day}"
            yield PlanRefused(msg.run_id, msg.attempt, msg.preview, "unknown_target", text)
            return
        goal = Goal(msg.run_id, msg.target_id, msg.attempt, msg.preview, *target, self._rests.get(msg.run_id, left))
        earlier, self._settled = self._settled, None
        if earlier is not None and (msg.preview or (earlier.run_id, earlier.attempt) != (msg.run_id, msg.attempt)):
            earlier = None
        plan = plan_rebalance(goal, msg.snapshot, self._rules, earlier)
        if msg.preview and self._sizing is Sizing.AT_PLAN and is_of_today(plan, msg.snapshot):
            self._settled = plan
        yield PlanDrafted(plan)
        for record in msg.snapshot.instruments:
            if self._checked.get(record.code) != record.day:
                self._checked[record.code] = record.day
                for found in disagreements(record, self._rules.book):
                    yield RecordDisputed(msg.run_id, record.code, *found)
