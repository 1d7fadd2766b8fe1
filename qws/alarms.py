"""What deserves an alert: message in, draft out. Pure; the sentences are made in the language of this process."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from functools import singledispatch

from qws import alert_text as text
from qws import messages as m
from qws.check_text import unready_line
from qws.domain.alerts import Draft, Severity
from qws.domain.calendar import UnknownDay
from qws.domain.known_orders import ASK
from qws.domain.orders import OrderStatus
from qws.domain.schedule import Schedule
from qws.runtime.message import ActorCrashed, Message
from qws.text import describe

_NOTE, _WARNING, _CRITICAL = Severity
_NO_TRADING = ("holiday", "pre_open", "closed")  # phases in which nobody misses a broker
_NO_TRADE = ("link_down", "account_unreadable", "account_mismatch", "quotes_unreadable", "quotes_old", "disk_low")
_BY_COMMAND = {"halt": _CRITICAL, "reduce_only": _WARNING, "resume": _NOTE, "cancel": _WARNING}
_BY_STATUS = {"completed": _NOTE, "superseded": _NOTE, "incomplete": _WARNING, "refused": _WARNING}


@singledispatch
def draft_of(message: Message) -> Draft | None:
    """The alert that one message deserves by itself; most deserve none."""
    return None


@draft_of.register
def _finished(msg: m.RunFinished) -> Draft:
    severity = _CRITICAL if msg.reason == "unknown" else _BY_STATUS.get(msg.status, _WARNING)
    if severity is _NOTE and (text.ended_by_stops(msg) or text.is_far_off(msg)):
        severity = _WARNING
    return Draft(f"run_{msg.status}", severity, f"run:{msg.run_id}", text.run_line(msg))


@draft_of.register
def _accepted(msg: m.TargetAccepted) -> Draft | None:
    return Draft("rows_filtered", _WARNING, "rows_filtered", describe(msg)) if msg.dropped else None


@draft_of.register
def _rejected(msg: m.TargetRejected) -> Draft:
    is_receipt = all(each.code == "duplicate" for each in msg.refusals)
    return Draft("file_rejected", _NOTE if is_receipt else _WARNING, "file_rejected", describe(msg))


@draft_of.register
def _idle(msg: m.TargetWaits) -> Draft | None:
    return Draft("no_run_left", _WARNING, f"idle:{msg.target_id}", describe(msg)) if msg.idle is not None else None


@draft_of.register
def _missed(msg: m.RunMissed) -> Draft:
    return Draft("run_missed", _WARNING, f"missed:{msg.day}:{msg.name}:{msg.at:%H%M%S}", describe(msg))


@draft_of.register
def _held(msg: m.PlanHeld) -> Draft:
    return Draft("plan_held", _CRITICAL, f"held:{msg.run_id}", describe(msg))


@draft_of.register
def _control(msg: m.ControlOrdered) -> Draft | None:
    severity = _BY_COMMAND.get(msg.command)
    if severity is None:
        return None  # of one key are those that follow each other, so that none is folded into another
    key = "cancel" if msg.command == "cancel" else "trading"
    return Draft(msg.command, severity, key, text.control_line(msg))


@draft_of.register
def _stray(msg: m.StrayOrderSeen) -> Draft:
    return Draft("stray_order", _CRITICAL, "stray_order", describe(msg))


@draft_of.register
def _order(msg: m.OrderUpdated) -> Draft | None:
    order = msg.order
    if order.status is not OrderStatus.UNKNOWN or not order.message.startswith(ASK):
        return None
    return Draft("order_unsettled", _CRITICAL, f"order:{order.tag}", text.settle_line(order))


@draft_of.register
def _drift(msg: m.LedgerDrift) -> Draft:
    severity = _NOTE if msg.explanation in ("fees", "dividend") else _WARNING
    return Draft("drift", severity, f"drift:{msg.explanation}", describe(msg))


@draft_of.register
def _disputed(msg: m.RecordDisputed) -> Draft:
    return Draft("record_disputed", _NOTE, "record_disputed", describe(msg))


@draft_of.register
def _phase(msg: m.SessionPhaseChanged) -> Draft | None:
    return Draft("calendar_ends", _CRITICAL, "calendar_ends", describe(msg)) if msg.phase == "unknown" else None


@draft_of.register
def _reconciled(msg: m.DayReconciled) -> Draft | None:
    is_odd = msg.problem or msg.unexplained
    return Draft("day_differs", _WARNING, f"reconciled:{msg.day}", describe(msg)) if is_odd else None


@draft_of.register
def _crashed(msg: ActorCrashed) -> Draft:
    return Draft("actor_crashed", _CRITICAL, f"crash:{msg.actor}", describe(msg))


class Alarms:
    """What deserves an alert beside the messages themselves: outages of the link, the day's summary, starts."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._close: m.EquityRecorded | None = None
        self._runs: dict[str, tuple[str, Decimal]] = {}  # status and fees by run, since the last close

    def heard(self, message: Message) -> Draft | None:
        """The alert that a message deserves after those before it."""
        if isinstance(message, m.RunFinished):
            self._runs[message.run_id] = message.status, message.fees
        if isinstance(message, m.EquityRecorded):
            return self._summary(message) if message.kind == "close" else None
        return draft_of(message)

    def unready(self, msg: m.ReadinessChecked) -> Iterator[Draft]:
        """One alert for each problem that is new, of a key of its own, and one when nothing is wrong any more."""
        for problem in msg.problems:
            if problem.code in msg.new:
                severity = _CRITICAL if problem.code in _NO_TRADE else _WARNING
                yield Draft(problem.code, severity, f"ready:{problem.code}", unready_line(msg, problem))
        if msg.is_mended and not msg.problems:
            yield Draft("ready", _NOTE, "ready", describe(msg))

    def lost(self, since: datetime, reason: str, now: datetime) -> Draft:
        """The link has been lost for too long: urgent while the exchanges trade."""
        is_urgent = self.is_trading(now)
        line = text.lost_line(since, reason, now)
        kind = "link_lost" if is_urgent else "link_lost_at_rest"
        return Draft(kind, _CRITICAL if is_urgent else _NOTE, "link_lost", line)

    def back(self, since: datetime, now: datetime) -> Draft:
        """The link is there again."""
        return Draft("link_back", _NOTE, "link_back", text.back_line(since, now))

    def started(self, *, was_cut: bool) -> Draft:
        """The program runs; it was cut off before, or not."""
        kind, severity = ("restarted", _WARNING) if was_cut else ("started", _NOTE)
        return Draft(kind, severity, kind, text.start_line(was_cut=was_cut))

    def is_trading(self, now: datetime) -> bool:
        """Whether orders are possible at this moment, auctions and lunch included."""
        try:
            return self._schedule.phase_at(now) not in _NO_TRADING
        except UnknownDay:
            return False

    def _summary(self, close: m.EquityRecorded) -> Draft | None:
        before, self._close = self._close, close
        if before is not None and before.day == close.day:
            return None
        runs, self._runs = list(self._runs.values()), {}
        return Draft("day_closed", _NOTE, f"day:{close.day}", text.day_line(close, before, runs))
