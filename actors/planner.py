"""What must be bought and sold?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from qws.domain.crosscheck import disagreements
from qws.domain.newest import in_force
from qws.domain.plan import Plan
from qws.domain.planner import Goal, PlanRules, Sizing, is_of_today, plan_rebalance
from qws.domain.rest import FOLLOW_UP, Absent, Rest, carried, rest_of
from qws.domain.targets import Weight
from qws.domain.unsettled import Unsettled
from qws.messages import (
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    PlanRefused,
    RecordDisputed,
    RunFinished,
    RunPaused,
    SnapshotTaken,
    TargetAccepted,
)
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
        self._unsettled = Unsettled()

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._targets = in_force(self._targets, msg.at.date())
        self._left = {key: rest for key, rest in self._left.items() if key in self._targets}
        filtered = frozenset(row.code for row in msg.dropped)
        for target in msg.days:
            self._targets[msg.target_id, target.day] = target.weights, filtered

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self.recall_target_accepted(msg)

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._rests.pop(msg.run_id, None)
        if (key := (msg.target_id, msg.day)) in self._targets:
            rest = self._left.get(key, Rest())  # as it is, or all of it when nothing was ever sent
            self._left[key] = carried(msg.outcomes) if msg.outcomes else rest

    def recall_run_paused(self, msg: RunPaused) -> None:
        if msg.reason == FOLLOW_UP and msg.end.outcomes:
            self._rests[msg.run_id] = rest_of(msg.end.outcomes, self._absent, msg.follow_ups - 1)

    def recall_place_order(self, msg: PlaceOrder) -> None:
        self._unsettled.intend(msg.run_id, msg.order)

    def on_place_order(self, msg: PlaceOrder) -> None:
        self._unsettled.hand_over(msg.run_id, msg.order)

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._unsettled.note(msg.order)

    on_run_finished = recall_run_finished
    on_run_paused = recall_run_paused
    on_order_updated = recall_order_updated

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
        rest = self._rests.get(msg.run_id, left)
        is_held = self._absent is Absent.HOLD
        lost = self._unsettled.lost_on(msg.day, msg.run_id) if is_held else frozenset[str]()
        fate = self._unsettled.open_on(msg.day), lost
        goal = Goal(msg.run_id, msg.target_id, msg.attempt, msg.preview, *target, rest, *fate)
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
