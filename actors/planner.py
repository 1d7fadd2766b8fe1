"""What must be bought and sold?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from math import inf

from qws.domain.caps import as_held
from qws.domain.crosscheck import disagreements
from qws.domain.plan import STOPS_ONLY, Plan
from qws.domain.planner import Goal, PlanRules, Sizing, is_of_today, plan_rebalance
from qws.domain.rest import FOLLOW_UP, STOP, Absent, Rest, rest_of
from qws.domain.risk.losses import ScaleDown, Worth, caps_of
from qws.domain.stops import Stopped
from qws.domain.target_book import TargetBook, Wanted
from qws.domain.targets import DayTarget
from qws.domain.unsettled import Unsettled
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    PlanRefused,
    RebalanceDue,
    RecordDisputed,
    RunFinished,
    RunPaused,
    SnapshotTaken,
    StopTriggered,
    StrayOrderSeen,
    TargetAccepted,
    WeightsFixed,
)
from qws.runtime.actor import Actor

_Planned = WeightsFixed | PlanDrafted | PlanRefused | RecordDisputed


class Planner(Actor):
    """Turns a target and a snapshot into a plan; a pure function of both, and of the preview if that settled shares."""

    on_crash = "halt"

    def __init__(self, rules: PlanRules, sizing: Sizing, absent: Absent, scale: ScaleDown | None = None) -> None:
        self._rules, self._sizing, self._absent, self._scale = rules, sizing, absent, scale
        self._stopped, self._worth = Stopped(), Worth()
        self._settled: Plan | None = None
        self._checked: dict[str, date] = {}
        self._book = TargetBook()
        self._unsettled = Unsettled()

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._book.accept(msg.target_id, msg.at.date(), msg.days, frozenset(row.code for row in msg.dropped))
        self._stopped.note_target(msg.days)

    def recall_weights_fixed(self, msg: WeightsFixed) -> None:
        self._book.fix(msg.target_id, msg.day, msg.weights)

    def recall_rebalance_due(self, msg: RebalanceDue) -> None:
        if msg.trigger == STOP:
            self._unsettled.go_on(msg.day, msg.run_id)
            self._book.go_on(msg.run_id, msg.target_id)

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._book.end(msg.run_id, msg.target_id, msg.day, msg.outcomes)

    def recall_run_paused(self, msg: RunPaused) -> None:
        if msg.reason == FOLLOW_UP and msg.end.outcomes:
            self._book.pause(msg.run_id, rest_of(msg.end.outcomes, self._absent, msg.follow_ups - 1))

    def recall_place_order(self, msg: PlaceOrder) -> None:
        self._book.begin(msg.run_id)
        self._unsettled.intend(msg.run_id, msg.order)

    def on_place_order(self, msg: PlaceOrder) -> None:
        self._book.begin(msg.run_id)
        self._unsettled.hand_over(msg.run_id, msg.order)

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._unsettled.note(msg.order)

    def recall_stray_order_seen(self, msg: StrayOrderSeen) -> None:
        self._book.stray(msg.stray.order.tag)

    def recall_stop_triggered(self, msg: StopTriggered) -> None:
        self._stopped.stop(msg.code, msg.rule, msg.day)

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            self._worth.close(msg.asset.total, msg.flow)
        self._worth.now = msg.asset.total

    def recall_control_ordered(self, msg: ControlOrdered) -> None:
        if msg.command == "resume":
            self._worth.begin_anew()

    def recall_plan_drafted(self, msg: PlanDrafted) -> None:
        self._worth.now = msg.plan.total_asset

    on_target_accepted = recall_target_accepted
    on_weights_fixed = recall_weights_fixed
    on_stop_triggered = recall_stop_triggered
    on_equity_recorded = recall_equity_recorded
    on_control_ordered = recall_control_ordered
    on_rebalance_due = recall_rebalance_due
    on_run_finished = recall_run_finished
    on_run_paused = recall_run_paused
    on_order_updated = recall_order_updated
    on_stray_order_seen = recall_stray_order_seen

    def on_snapshot_taken(self, msg: SnapshotTaken) -> Iterator[_Planned]:
        exits, total = self._stopped.on(msg.day), msg.snapshot.asset.total
        caps = caps_of(None if msg.target_id == STOPS_ONLY else self._scale, self._worth, total, exits)
        wanted = self._book.wanted(msg.run_id, msg.target_id, msg.day)
        if msg.target_id == STOPS_ONLY:
            own = DayTarget(msg.day, as_held(msg.snapshot, caps))
            wanted = Wanted(STOPS_ONLY, msg.day, own, frozenset(), Rest(frozenset(caps.exits)))
        if wanted is None:
            text = f"no accepted target {msg.target_id} for {msg.day}"
            yield PlanRefused(msg.run_id, msg.attempt, msg.preview, "unknown_target", text)
            return
        age_max_s = inf if msg.preview else self._rules.quote_age_max_s
        unsettled = self._unsettled.open_on(msg.day)
        if why_not := self._book.why_not(wanted, msg.run_id, msg.snapshot, unsettled, age_max_s):
            yield PlanRefused(msg.run_id, msg.attempt, msg.preview, *why_not)
            return
        weights = wanted.weights(msg.snapshot, age_max_s)
        if wanted.is_fixed_by(msg.snapshot) and not msg.preview:  # whatever is sent from now on leads to these
            fixed = WeightsFixed(msg.run_id, msg.target_id, wanted.day, weights)
            self.recall_weights_fixed(fixed)
            yield fixed
        is_held = self._absent is Absent.HOLD
        lost = self._unsettled.lost_on(msg.day, msg.run_id) if is_held else frozenset[str]()
        whose = msg.run_id, msg.target_id, msg.attempt, msg.preview
        goal = Goal(*whose, weights, wanted.filtered, wanted.rest, unsettled, lost, wanted.target.mode, caps)
        earlier, self._settled = self._settled, None
        if earlier is not None and (msg.preview or (earlier.run_id, earlier.attempt) != (msg.run_id, msg.attempt)):
            earlier = None
        plan = plan_rebalance(goal, msg.snapshot, self._rules, earlier)
        if msg.preview and self._sizing is Sizing.AT_PLAN and is_of_today(plan, msg.snapshot):
            self._settled = plan
        self._worth.now = plan.total_asset
        yield PlanDrafted(plan)
        for record in msg.snapshot.instruments:
            if self._checked.get(record.code) != record.day:
                self._checked[record.code] = record.day
                for found in disagreements(record, self._rules.book):
                    yield RecordDisputed(msg.run_id, record.code, *found)
