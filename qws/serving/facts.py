"""What happened, counted from the journal's messages as they become durable: a tap that neither waits nor decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import singledispatchmethod

from qws import messages as m
from qws.domain.account import Asset
from qws.domain.known_orders import is_turned_down
from qws.domain.orders import OrderStatus
from qws.domain.trading_state import TradingState, state_after
from qws.runtime.message import ActorCrashed, Envelope, Message, Stopping
from qws.store.reading import Views

_ENDED = frozenset(each.name.lower() for each in OrderStatus if each.is_terminal)


@dataclass(slots=True)
class Facts:
    """Counters since the start of the process, and the newest state of what the messages tell."""

    started_at: datetime
    trading: TradingState = TradingState.ACTIVE
    messages: Counter[str] = field(default_factory=Counter)
    placed: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    working: set[str] = field(default_factory=set)
    fills: Counter[str] = field(default_factory=Counter)
    runs: Counter[str] = field(default_factory=Counter)
    run_id: str = ""
    files: Counter[str] = field(default_factory=Counter)
    crashes: Counter[str] = field(default_factory=Counter)
    alerts: dict[str, str] = field(default_factory=dict)
    asset: Asset | None = None
    snapshot_at: datetime | None = None
    phase: str = ""
    is_linked: bool = False
    unlinked_since: datetime | None = None
    is_stopping: bool = False

    def recall(self, views: Views) -> None:
        """What earlier processes left: trading's state, unacknowledged alerts, the account, an open run, its orders."""
        self.trading = views.trading()
        self.alerts = {str(each["alert_id"]): str(each["severity"]) for each in views.alerts(everything=False)}
        if account := views.account():
            names = ("cash", "frozen_cash", "market_value", "total_asset")
            self.asset = Asset(*(Decimal(str(account[name])) for name in names))
            self.snapshot_at = datetime.fromisoformat(str(account["at"]))
        if (run := views.last_run()) and run["finished_at"] is None:
            self.run_id = str(run["run_id"])
            orders = views.orders(self.run_id)
            self.working = {str(each["tag"]) for each in orders if str(each["status"]) not in _ENDED}

    def tap(self, batch: Sequence[Envelope]) -> None:
        """Count a durable batch."""
        for envelope in batch:
            self.messages[type(envelope.body).__name__] += 1
            self._note(envelope.body, envelope.at)

    @singledispatchmethod
    def _note(self, body: Message, at: datetime) -> None:
        """Most messages are only counted."""

    @_note.register
    def _accepted(self, body: m.TargetAccepted, at: datetime) -> None:
        self.files["accepted"] += 1

    @_note.register
    def _refused(self, body: m.TargetRejected, at: datetime) -> None:
        self.files["rejected"] += 1

    @_note.register
    def _control(self, body: m.ControlOrdered, at: datetime) -> None:
        self.trading = state_after(self.trading, body.command)

    @_note.register
    def _phase(self, body: m.SessionPhaseChanged, at: datetime) -> None:
        self.phase = body.phase

    @_note.register
    def _due(self, body: m.RebalanceDue, at: datetime) -> None:
        self.run_id = body.run_id

    @_note.register
    def _snapshot(self, body: m.SnapshotTaken, at: datetime) -> None:
        self.asset, self.snapshot_at = body.snapshot.asset, body.snapshot.at

    @_note.register
    def _reconciled(self, body: m.FillsReconciled, at: datetime) -> None:
        self.asset, self.snapshot_at = body.snapshot.asset, body.snapshot.at

    @_note.register
    def _equity(self, body: m.EquityRecorded, at: datetime) -> None:
        self.asset = body.asset

    @_note.register
    def _place(self, body: m.PlaceOrder, at: datetime) -> None:
        self.placed[str(body.order.side)] += 1
        self.working.add(body.order.tag)

    @_note.register
    def _order(self, body: m.OrderUpdated, at: datetime) -> None:
        order = body.order
        if not order.status.is_terminal:
            self.working.add(order.tag)
        elif order.tag in self.working:  # the first time that it is told
            self.working.discard(order.tag)
            self.ended[OrderStatus(order.status).name.lower()] += 1
            self.rejected += is_turned_down(order)

    @_note.register
    def _fill(self, body: m.FillReceived, at: datetime) -> None:
        self.fills[str(body.trade.side)] += 1

    @_note.register
    def _finished(self, body: m.RunFinished, at: datetime) -> None:
        self.runs[body.status] += 1
        self.run_id = "" if body.run_id == self.run_id else self.run_id

    @_note.register
    def _ready(self, body: m.LinkReady, at: datetime) -> None:
        self.is_linked, self.unlinked_since = True, None

    @_note.register
    def _lost(self, body: m.LinkLost, at: datetime) -> None:
        self.is_linked, self.unlinked_since = False, self.unlinked_since or at

    @_note.register
    def _alert(self, body: m.AlertRaised, at: datetime) -> None:
        self.alerts[body.alert.alert_id] = str(body.alert.severity)

    @_note.register
    def _acknowledged(self, body: m.AlertAcknowledged, at: datetime) -> None:
        for each in body.alert_ids:
            self.alerts.pop(each, None)

    @_note.register
    def _crashed(self, body: ActorCrashed, at: datetime) -> None:
        self.crashes[body.actor] += 1

    @_note.register
    def _stopping(self, body: Stopping, at: datetime) -> None:
        self.is_stopping = True
