"""Facts that may be an alert by themselves: who listens to all of them decides in one place."""

from __future__ import annotations

from collections.abc import Iterator

from qws import messages as m
from qws.runtime.actor import Actor
from qws.runtime.message import ActorCrashed, Message

Raised = Iterator[m.AlertRaised]


class FactListener(Actor):
    """Hands every fact to `heard`."""

    def heard(self, message: Message) -> Raised:
        """The alerts of one fact."""
        raise NotImplementedError

    def on_run_finished(self, msg: m.RunFinished) -> Raised:
        return self.heard(msg)

    def on_equity_recorded(self, msg: m.EquityRecorded) -> Raised:
        return self.heard(msg)

    def on_target_accepted(self, msg: m.TargetAccepted) -> Raised:
        return self.heard(msg)

    def on_target_waits(self, msg: m.TargetWaits) -> Raised:
        return self.heard(msg)

    def on_run_missed(self, msg: m.RunMissed) -> Raised:
        return self.heard(msg)

    def on_target_rejected(self, msg: m.TargetRejected) -> Raised:
        return self.heard(msg)

    def on_plan_held(self, msg: m.PlanHeld) -> Raised:
        return self.heard(msg)

    def on_control_ordered(self, msg: m.ControlOrdered) -> Raised:
        return self.heard(msg)

    def on_stray_order_seen(self, msg: m.StrayOrderSeen) -> Raised:
        return self.heard(msg)

    def on_order_updated(self, msg: m.OrderUpdated) -> Raised:
        return self.heard(msg)

    def on_ledger_drift(self, msg: m.LedgerDrift) -> Raised:
        return self.heard(msg)

    def on_record_disputed(self, msg: m.RecordDisputed) -> Raised:
        return self.heard(msg)

    def on_day_reconciled(self, msg: m.DayReconciled) -> Raised:
        return self.heard(msg)

    def on_actor_crashed(self, msg: ActorCrashed) -> Raised:
        return self.heard(msg)
