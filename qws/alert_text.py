"""The sentences of alerts, and a message of them as a channel sends it; in English or Chinese."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from qws import messages as m
from qws.domain.alerts import TEXT_MAX, Alert, Draft, Entry, Notice, Parcel, Severity, clipped
from qws.domain.orders import BrokerOrder
from qws.domain.plan import Outcome
from qws.domain.stops import STOP_RULES
from qws.language import _, word
from qws.sentences import localised
from qws.text import describe
from qws.words import N_

_NAMES_SHOWN = 5
_FAR_OFF = Decimal("0.05")  # of total asset: a run that ends so far from its target is worth a look
_OFF = Decimal("0.005")
_SEVERITY = {Severity.NOTE: N_("info"), Severity.WARNING: N_("warning"), Severity.CRITICAL: N_("critical")}


def run_line(msg: m.RunFinished) -> str:
    """How a run ended, and the names that are left."""
    line = f"{msg.run_id}: {describe(msg)}"
    if stopped := ended_by_stops(msg):
        line += _("; sold by a stop: {names}").format(names=", ".join(stopped[:_NAMES_SHOWN]))
    if left := [each for each in msg.outcomes if each.reason and each.planned > each.filled]:
        line += _("; not traded as planned: {count} names").format(count=len(left)) + _shown(left)
    if is_far_off(msg) and (kept := [each for each in msg.outcomes if each.reason and _off(each) > _OFF]):
        kept.sort(key=_off, reverse=True)
        line += _("; not what the target says: {count} names").format(count=len(kept)) + _shown(kept)
    return line


def is_far_off(msg: m.RunFinished) -> bool:
    """Whether the account is far from the target, although all that was planned was done."""
    return msg.tracking_error is not None and msg.tracking_error > _FAR_OFF


def _off(outcome: Outcome) -> Decimal:
    return abs(outcome.wanted - outcome.achieved)


def _shown(outcomes: Sequence[Outcome]) -> str:
    return f" ({', '.join(f'{each.code} [{each.reason}]' for each in outcomes[:_NAMES_SHOWN])})"


def ended_by_stops(msg: m.RunFinished) -> list[str]:
    """The names of a run that a stop ended and that were sold, with the rule."""
    return [f"{each.code} [{each.reason}]" for each in msg.outcomes if each.reason in STOP_RULES and each.filled]


def control_line(msg: m.ControlOrdered) -> str:
    """What was ordered, and what it means."""
    meaning = {
        "halt": _("trading is halted until `qws resume`"),
        "reduce_only": _("nothing is bought until `qws resume`"),
        "resume": _("trading is allowed again"),
        "cancel": _("working orders are being cancelled, the run ends"),
    }
    return f"{meaning[msg.command]}: {msg.by}"


def settle_line(order: BrokerOrder) -> str:
    """Which order only a person can settle, and why."""
    line = _("nobody knows what became of order {tag} ({code}, {shares} shares); its name is not traded: {why}")
    return line.format(tag=order.tag, code=order.code, shares=order.shares, why=localised(order.message))


def lost_line(since: datetime, reason: str, now: datetime) -> str:
    """For how long there is no broker."""
    line = _("the broker has not been ready since {since:%H:%M:%S} ({lasts}); nothing is sent until it is")
    return line.format(since=since, lasts=_lasts(now - since)) + (f": {localised(reason)}" if reason else "")


def back_line(since: datetime, now: datetime) -> str:
    """How long there was no broker."""
    return _("the broker is ready again after {lasts}").format(lasts=_lasts(now - since))


def start_line(*, was_cut: bool) -> str:
    """That the program runs."""
    return _("started again after it was cut off (a kill, a crash, a power cut)") if was_cut else _("started")


def day_line(close: m.EquityRecorded, before: m.EquityRecorded | None, runs: Sequence[tuple[str, Decimal]]) -> str:
    """The day in one line: equity, its change, holdings, runs, fees."""
    asset, held = close.asset, sum(1 for each in close.positions if each.shares)
    line = _("{day} closed: total asset {total:,.2f}").format(day=close.day, total=asset.total)
    if before is not None and before.asset.total:
        change = asset.total - before.asset.total
        text = _(", change {change:+,.2f} ({share:+.2%}) since {day}")
        line += text.format(change=change, share=change / before.asset.total, day=before.day)
    line += _("; cash {cash:,.2f}, holdings {held}").format(cash=asset.cash, held=held)
    if not runs:
        return line + _("; no run")
    counts = Counter(status for status, _fees in runs)
    told = ", ".join(f"{word(status)} {count}" for status, count in sorted(counts.items()))
    fees = sum((each for _status, each in runs), Decimal(0))
    return line + _("; runs: {runs}; fees {fees:,.2f}").format(runs=told, fees=fees)


def raised(draft: Draft, alert_id: str, at: datetime, channels: tuple[str, ...]) -> Alert:
    """A draft as an alert of this moment; a text that is too long for a robot is cut."""
    text = " ".join(draft.text.split())
    text = text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"
    return Alert(alert_id, at, draft.severity, draft.kind, draft.key, text, channels)


def notice_of(parcel: Parcel, size_max: int, label: str, now: datetime) -> Notice:
    """A message as it leaves: the most urgent first, ids in the text. `label` says whose it is."""
    alerts = tuple(each.alert for each in parcel.entries)
    severity = max((each.severity for each in alerts), key=lambda each: each.rank)
    head = f"[qws] {_(_SEVERITY[severity])} · {label}"
    is_mixed = len({each.severity for each in alerts}) > 1
    lines = [head, *(_entry_line(each, now, names_severity=is_mixed) for each in parcel.entries)]
    lines += [_("(instead of {channel}: {error})").format(channel=name, error=error) for name, error in parcel.instead]
    if parcel.dropped:
        lines.append(
            _("({count} alerts were dropped while nothing could be sent: `qws alerts`)").format(count=parcel.dropped)
        )
    title = (
        f"{head}: {alerts[0].text}" if len(alerts) == 1 else f"{head}: " + _("{count} alerts").format(count=len(alerts))
    )
    return Notice(clipped(title, 200), clipped("\n".join(lines), size_max), severity, alerts)


def trial_notice(label: str, size_max: int, now: datetime) -> Notice:
    """What `qws notify test` sends."""
    alert = raised(Draft("test", Severity.NOTE, "test", _("a test: this channel works")), "test", now, ())
    return notice_of(Parcel("", (Entry(alert, 0, now),), (), (), 0), size_max, label, now)


def _entry_line(entry: Entry, now: datetime, *, names_severity: bool) -> str:
    alert = entry.alert
    when = f"{alert.at:%H:%M:%S}" if alert.at.date() == now.date() else f"{alert.at:%m-%d %H:%M:%S}"
    severity = f" {_(_SEVERITY[alert.severity])}" if names_severity else ""
    line = f"{when}{severity} #{alert.alert_id} {alert.text}"
    more = _(" (and {count} more like it since {since:%H:%M:%S})")
    return line + more.format(count=entry.more, since=entry.since) if entry.more else line


def _lasts(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    if seconds < 120:
        return _("{count} s").format(count=seconds)
    return _("{count} min").format(count=seconds // 60)


@describe.register
def _raised(msg: m.AlertRaised) -> str:
    alert = msg.alert
    return _("alert {id}, {severity}: {text}").format(
        id=alert.alert_id, severity=_(_SEVERITY[alert.severity]), text=alert.text
    )


@describe.register
def _settled(msg: m.AlertsSettled) -> str:
    channels = ", ".join(sorted({each for part in msg.parts for each in part.channels}))
    told = {"ids": ", ".join(msg.alert_ids), "channels": channels, "text": msg.text}
    if msg.outcome == "sent":
        return _("alerts {ids} sent by {via} (for {channels}): {text}").format(via=msg.via, **told)
    if msg.outcome == "failed":
        return _("alerts {ids} given up for {channels}: {text}").format(**told)
    return _("alerts {ids} dropped: {text}").format(**told)


@describe.register
def _channel_failed(msg: m.ChannelFailed) -> str:
    return _("channel {channel} took no message: {error}").format(channel=msg.channel, error=msg.error)


@describe.register
def _acknowledged(msg: m.AlertAcknowledged) -> str:
    return _("{by} has seen alerts {ids}").format(by=msg.by, ids=", ".join(msg.alert_ids))


@describe.register
def _outage(msg: m.OutageDue) -> str:
    return _("look again at the broker, which was not ready at {since:%H:%M:%S}").format(since=msg.since)
