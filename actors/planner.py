"""What must be bought and sold?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from math import inf

from qws.domain.crosscheck import disagreements
from qws.domain.plan import Plan
from qws.domain.planner import Goal, PlanRules, Sizing, is_of_today, plan_rebalance
from qws.domain.rest import FOLLOW_UP, KEPT, Absent, Rest, carried, rest_of
from qws.domain.target_modes import changed_weights, without_value
from qws.domain.targets import DayTarget, Mode, Weight
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
    WeightsFixed,
)
from qws.runtime.actor import Actor

_Planned = WeightsFixed | PlanDrafted | PlanRefused | RecordDisputed


class Planner(Actor):
    """Turns a target and a snapshot into a plan; a pure function of both, and of the preview if that settled shares."""

    on_crash = "halt"

    def __init__(self, rules: PlanRules, sizing: Sizing, absent: Absent) -> None:
        self._rules, self._sizing, self._absent = rules, sizing, absent
        self._settled: Plan | None = None
        self._checked: dict[str, date] = {}
        self._targets: dict[tuple[str, date], tuple[DayTarget, frozenset[str]]] = {}
        self._fixed: dict[tuple[str, date], tuple[Weight, ...]] = {}  # what the changes of a delta lead to
        self._begun: set[str] = set()  # runs of which an order left, or was to
        self._rests: dict[str, Rest] = {}  # of runs that are planned again
        self._left: dict[tuple[str, date], Rest] = {}  # of targets that may be carried over to the next session
        self._unsettled = Unsettled()

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        oldest = msg.at.date() - KEPT
        self._targets = {key: value for key, value in self._targets.items() if key[1] >= oldest}
        self._left = {key: rest for key, rest in self._left.items() if key in self._targets}
        self._fixed = {key: weights for key, weights in self._fixed.items() if key in self._targets}
        filtered = frozenset(row.code for row in msg.dropped)
        for target in msg.days:
            self._targets[msg.target_id, target.day] = target, filtered

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self.recall_target_accepted(msg)

    def recall_weights_fixed(self, msg: WeightsFixed) -> None:
        self._fixed[msg.target_id, msg.day] = msg.weights

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._begun.discard(msg.run_id)
        self._rests.pop(msg.run_id, None)
        if (key := (msg.target_id, msg.day)) in self._targets:
            rest = self._left.get(key, Rest())  # as it is, or all of it when nothing was ever sent
            self._left[key] = carried(msg.outcomes) if msg.outcomes else rest

    def recall_run_paused(self, msg: RunPaused) -> None:
        if msg.reason == FOLLOW_UP and msg.end.outcomes:
            self._rests[msg.run_id] = rest_of(msg.end.outcomes, self._absent, msg.follow_ups - 1)

    def recall_place_order(self, msg: PlaceOrder) -> None:
        self._begun.add(msg.run_id)
        self._unsettled.intend(msg.run_id, msg.order)

    def on_place_order(self, msg: PlaceOrder) -> None:
        self._begun.add(msg.run_id)
        self._unsettled.hand_over(msg.run_id, msg.order)

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._unsettled.note(msg.order)

    on_weights_fixed = recall_weights_fixed
    on_run_finished = recall_run_finished
    on_run_paused = recall_run_paused
    on_order_updated = recall_order_updated

    def on_snapshot_taken(self, msg: SnapshotTaken) -> Iterator[_Planned]:
        key, left = (msg.target_id, msg.day), Rest()
        if key not in self._targets:  # carried over from an earlier session
            key = max((each for each in self._left if each[0] == msg.target_id and each < key), default=key)
            left = self._left.get(key, left)
        accepted = self._targets.get(key)
        age_max_s = inf if msg.preview else self._rules.quote_age_max_s
        why_not = _why_not(accepted, msg, age_max_s, is_begun=msg.run_id in self._begun, is_fixed=key in self._fixed)
        if why_not:
            yield PlanRefused(msg.run_id, msg.attempt, msg.preview, *why_not)
            return
        assert accepted is not None
        target, filtered = accepted
        weights = self._fixed.get(key, target.weights)
        if target.mode is Mode.DELTA and key not in self._fixed:
            weights = changed_weights(target.weights, msg.snapshot, age_max_s)
            if not msg.preview:  # whatever is sent from now on, and however often, leads to these
                fixed = WeightsFixed(msg.run_id, *key, weights)
                self.recall_weights_fixed(fixed)
                yield fixed
        rest = self._rests.get(msg.run_id, left)
        is_held = self._absent is Absent.HOLD
        lost = self._unsettled.lost_on(msg.day, msg.run_id) if is_held else frozenset[str]()
        fate = self._unsettled.open_on(msg.day), lost
        whose = msg.run_id, msg.target_id, msg.attempt, msg.preview
        goal = Goal(*whose, weights, filtered, rest, *fate, target.mode)
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


def _why_not(
    accepted: tuple[DayTarget, frozenset[str]] | None,
    msg: SnapshotTaken,
    age_max_s: float,
    *,
    is_begun: bool,
    is_fixed: bool,
) -> tuple[str, str] | None:
    """Why nothing of a target may be planned, as a code and a sentence; a run that has begun outlives its expiry."""
    if accepted is None:
        return "unknown_target", f"no accepted target {msg.target_id} for {msg.day}"
    target, _ = accepted
    if target.is_expired(msg.snapshot.at) and not is_begun:
        return "expired_target", f"the target expired at {target.expires_at:%Y-%m-%d %H:%M}: drop a new file"
    codes = without_value(target.weights, msg.snapshot, age_max_s) if target.mode is Mode.DELTA and not is_fixed else []
    if codes:
        text = f"nobody can tell what {', '.join(codes)} weigh, so there is nothing to change: `qws rebalance` later"
        return "no_quote", text
    return None
