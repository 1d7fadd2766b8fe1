"""One or more messages of every type, in plain ASCII, so that what is Chinese in a line comes from the catalogue."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from qws import messages as m
from qws.check_text import PROBLEMS, WHAT, WHY_NOT
from qws.domain.alerts import Part, Severity
from qws.domain.market import Side
from qws.domain.orders import OrderStatus, Stray
from qws.domain.readiness import Problem
from qws.domain.reconciling import Difference
from qws.domain.risk.rule import Breach
from qws.domain.schedule import Moment
from qws.domain.targets import DroppedRow, Mode, Refusal
from qws.runtime.message import ActorCrashed, Message, Started, Stopping
from tests.support import builders as b
from tests.support.alerts import an_alert

CODE = "600000.SH"
_ORDER = b.an_order(CODE)
_ASSET = b.an_asset("1000.00")
_SNAPSHOT = b.a_snapshot("1000.00")
_FULL = b.a_target({CODE: "0.5"})
_PLAN = b.a_plan(sells={CODE: 100}, buys={"000001.SZ": 200})
_DROPPED = DroppedRow(3, "430047.BJ", "not_a_share", "row 3: 430047.BJ is not a share")
_REFUSALS = tuple(Refusal("bad_date", f"row {row}: date 'x' is not a date", row) for row in (2, 3))
_END = m.RunFinished.without_trades(b.a_due(), "superseded", "superseded", "a newer target came", b.at("10:00:00"))
_TRADED = replace(_END, status="completed", reason="", text="", fees=Decimal(5), tracking_error=Decimal("0.001"))
_SHARES = Difference("shares", "qws reconcile", "1", "2", "unexplained")

MESSAGES: tuple[Message, ...] = (
    m.WeightFileSettled("w.csv", "accepted/w.csv", b.TARGET, 80),
    b.a_target({CODE: "0.5"}),
    replace(b.a_target({CODE: "0.5"}), unread=("Sheet2",)),
    b.a_target({CODE: "0.5"}, days=(b.DAY, b.NEXT_DAY), dropped=(_DROPPED,)),
    m.TargetRejected("w.csv", "rejected/w.csv", b.TARGET, b.at("09:00:00"), _REFUSALS[:1]),
    m.TargetRejected("w.csv", "rejected/w.csv", b.TARGET, b.at("09:00:00"), _REFUSALS),
    m.SessionPhaseChanged(b.DAY, "continuous", b.at("09:30:00")),
    m.PlanningDue(b.DAY, "drop"),
    m.PlanningDue(b.DAY, "schedule", moment=Moment("alpha", b.at("10:30:00"))),
    m.TargetWaits(b.TARGET, (Moment("alpha", b.at("10:30:00")),), None),
    m.TargetWaits(b.TARGET, tuple(Moment("alpha", b.at("10:30:00")) for _ in range(7)), b.DAY),
    m.TargetWaits(b.TARGET, (), b.DAY),
    m.RunMissed(b.DAY, "default", b.at("09:25:00")),
    b.a_due(),
    replace(b.a_due(), moment=Moment("alpha", b.at("10:30:00"))),
    m.ControlOrdered("rebalance", "cli", target_id=b.TARGET),
    m.PlanningDue(b.DAY, "exit"),
    m.StopTriggered(b.DAY, b.at("10:00:00"), CODE, "stop_loss", Decimal("9.2000"), Decimal("9.15"), 300, 200),
    m.EquityDue(b.DAY),
    m.ControlOrdered("halt", "cli"),
    m.BackupDue("b.zip", "cli", 7),
    m.BackupEnded(b.at("15:10:05"), "b.zip", 7, "12 files", ""),
    m.BackupEnded(b.at("15:10:05"), "b.zip", 7, "", "E28"),
    m.SnapshotDue(b.RUN, b.TARGET, b.DAY, 0, preview=True),
    m.SnapshotDue(b.RUN, b.TARGET, b.DAY, 0, preview=False),
    m.SnapshotTaken(b.RUN, b.TARGET, b.DAY, 0, False, _SNAPSHOT),
    replace(_FULL, days=(replace(_FULL.days[0], mode=Mode.DELTA, expires_at=b.at("14:00:00")),)),
    m.WeightsFixed(b.RUN, b.TARGET, b.DAY, _FULL.days[0].weights),
    m.PlanDrafted(_PLAN),
    m.PlanRefused(b.RUN, 0, False, "turnover", "buys and sells are 3.0 of total asset"),
    m.PlanHeld(b.RUN, 0, False, (Breach("turnover", Decimal(3), Decimal(2), "of total asset", "too much"),)),
    m.HoldOverdue(b.RUN, 0),
    m.ControlOrdered("approve", "cli", b.RUN),
    m.PlanReady(_PLAN),
    m.PlanReady(replace(_PLAN, preview=True)),
    m.SendWindowDue(b.RUN, 0),
    m.RunStopOrdered(b.a_due(), "halted"),
    m.PlaceOrder(b.RUN, _ORDER, b.at("10:00:03")),
    m.CancelOrder(b.RUN, _ORDER.tag, "77"),
    *(m.OrderUpdated(b.a_report(_ORDER, status, 100)) for status in OrderStatus),
    m.OrderUpdated(b.a_report(_ORDER, OrderStatus.JUNK, message="E42")),
    m.FillReceived(b.a_fill(_ORDER, 100)),
    m.FillReceived(b.a_fill(_ORDER, 100, fee=None)),
    m.FillReceived(replace(b.a_fill(_ORDER, 100), side=Side.SELL)),
    m.SweepDue(),
    m.LinkLost("no answer"),
    m.LinkReady(),
    m.ChaseDue(b.RUN, 0),
    m.ListsDue(b.RUN, 0, 1),
    m.ListsRead(b.RUN, 0, 1),
    m.FollowUpDue(b.RUN, 0),
    m.OrderUpdated(b.a_report(_ORDER, OrderStatus.JUNK, order_id="", message="not sent: halted")),
    m.OrderUpdated(b.a_report(_ORDER, OrderStatus.JUNK, order_id="", message="never arrived")),
    m.SellsOverdue(b.RUN, 0),
    m.BuysOverdue(b.RUN, 0),
    m.ExecutionEnded(b.RUN, b.DAY, (CODE,)),
    m.FillsReconciled(b.RUN, _SNAPSHOT),
    m.PricesDue(b.RUN, 0, (CODE,)),
    m.PricesTaken(b.RUN, 0, (CODE,), b.at("10:00:05"), (b.a_quote(CODE),), (b.an_instrument(CODE),)),
    m.AccountDue(b.RUN, 0),
    m.LedgerDrift(b.RUN, 0, CODE, Decimal(100), Decimal(200), "manual_trade"),
    m.LedgerDrift(b.RUN, 0, "", Decimal("1000.00"), Decimal("900.00"), "transfer"),
    m.StrayOrderSeen(Stray(b.a_report(b.an_order(), OrderStatus.REPORTED), "duplicate")),
    m.OrderSettled(b.an_order().tag, "7", "me@here"),
    m.OrderSettled(b.an_order().tag, "", "me@here"),
    m.RecordDisputed(b.RUN, CODE, "tick", "0.01", "0.001"),
    m.RunPaused("follow_up", 1, was_sent=True, end=_TRADED),
    m.RunPaused("interrupted", 0, was_sent=False, end=_END),
    _END,
    _TRADED,
    m.EquityRecorded(b.DAY, b.at("15:10:00"), "close", "", _ASSET, (), None),
    m.EquityRecorded(b.DAY, b.at("15:10:00"), "close", "", _ASSET, (), None, Decimal(500)),
    m.EquityRecorded(b.DAY, b.at("15:10:00"), "close", "", _ASSET, (), None, Decimal(-500)),
    m.OutageDue(b.at("10:00:00")),
    *(m.AlertRaised(an_alert(1, each)) for each in Severity),
    m.AlertsSettled((Part(("1-1", "1-2"), ("a",)),), "a", "sent", "250 ok", b.at("10:00:00")),
    m.AlertsSettled((Part(("1-1",), ("a",)),), "", "failed", "x", b.at("10:00:00")),
    m.AlertsSettled((Part(("1-1",), ()),), "", "dropped", "x", b.at("10:00:00")),
    m.ChannelFailed("a", "HTTP 500", b.at("10:00:00")),
    m.ReadinessChecked(b.DAY, b.at("09:15:00"), (), (), True),
    m.ReadinessChecked(
        b.DAY,
        b.at("09:15:00"),
        tuple(Problem(code, "qws resume, calendar.toml") for code in PROBLEMS),
        ("halted",),
        False,
    ),
    m.DayReconciled(b.DAY, b.at("15:30:00"), "", (), 3, 4, b.DAY),
    m.DayReconciled(b.DAY, b.at("15:30:00"), "", (), 3, 4, None),
    m.DayReconciled(b.DAY, b.at("15:30:00"), "E7", (), 0, 0, None),
    *(m.DayReconciled(b.DAY, b.at("15:30:00"), why, (), 0, 0, None) for why in WHY_NOT),
    *(
        m.DayReconciled(b.DAY, b.at("15:30:00"), "", (Difference(what, CODE, "1", "2", why),), 3, 4, b.DAY)
        for what in WHAT
        for why in ("unexplained", "transfer", "missed_days")
    ),
    m.DayReconciled(
        b.DAY, b.at("15:30:00"), "", (Difference("shares", "qws reconcile", "1", "2", "unexplained"),) * 7, 3, 4, b.DAY
    ),
    m.AlertAcknowledged(("1-1",), "me@here"),
    Started(),
    Stopping(),
    ActorCrashed("planner", "ValueError: x", 7),
)
