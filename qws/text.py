"""What people read: every message as one line. Messages carry codes; sentences are made here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import singledispatch
from types import MappingProxyType

from qws import messages as m
from qws.domain.known_orders import NOT_SENT, is_turned_down
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderStatus
from qws.domain.target_records import DroppedRow, Mode
from qws.language import _, translated, word
from qws.runtime.message import ActorCrashed, Message, Started, Stopping
from qws.sentences import localised, reasoned
from qws.words import N_, ORDER_STATUS

# Messages whose sentence says nothing of their content.
_PLAIN: Mapping[type[Message], str] = MappingProxyType(
    {
        m.SendWindowDue: N_("orders may be sent from now on"),
        m.WeightsFixed: N_("the changes that the target asks for are fixed as weights"),
        m.SweepDue: N_("read the broker's lists"),
        m.ListsDue: N_("look once more for fills of what was cancelled"),
        m.ListsRead: N_("what was cancelled has ended; the rest may be sent again"),
        m.ChaseDue: N_("look for orders that rest"),
        m.FollowUpDue: N_("what is left is planned again"),
        m.HoldOverdue: N_("the time to approve the plan is over"),
        m.LinkReady: N_("broker ready"),
        m.SellsOverdue: N_("the time for the sells is over"),
        m.BuysOverdue: N_("the time for the buys is over"),
        m.ExecutionEnded: N_("every order has come to its end"),
        m.AccountDue: N_("compare our books with the account"),
        m.BackupDue: N_("a backup is asked for"),
        Started: N_("started"),
        Stopping: N_("stopping"),
    }
)
_ROWS_SHOWN = 5


@singledispatch
def describe(message: Message) -> str:
    """One line about a message, without its number and time. A type without a sentence is a bug that a test finds."""
    sentence = _PLAIN.get(type(message))
    return type(message).__name__ if sentence is None else translated(sentence)


@describe.register
def _settled(msg: m.WeightFileSettled) -> str:
    return _("file {name} is complete ({size} bytes, sha256 {sha})").format(
        name=msg.name, size=msg.size_bytes, sha=msg.sha256[:12]
    )


@describe.register
def _accepted(msg: m.TargetAccepted) -> str:
    days = ", ".join(
        _("{day} ({count} names)").format(day=target.day, count=len(target.weights)) for target in msg.days
    )
    line = _("target {id} accepted from {name}: {days}").format(id=msg.target_id, name=msg.name, days=days)
    if (first := msg.days[0]).mode is not Mode.FULL:
        line += _(", mode {mode}").format(mode=word(first.mode))
    if first.expires_at is not None:
        line += _(", expires {at:%Y-%m-%d %H:%M}").format(at=first.expires_at)
    shown = [_filtered(row) for row in msg.dropped[:_ROWS_SHOWN]] + ["..."] * (len(msg.dropped) > _ROWS_SHOWN)
    told = _("; rows filtered: {count}").format(count=len(msg.dropped)) + f" ({', '.join(shown)})"
    line += told if msg.dropped else ""
    names = ", ".join([*map(repr, msg.unread[:_ROWS_SHOWN])] + ["..."] * (len(msg.unread) > _ROWS_SHOWN))
    return line + (_("; sheets that were not read: {names}").format(names=names) if msg.unread else "")


def _filtered(row: DroppedRow) -> str:
    parts = _("row {number}").format(number=row.row), row.code, f"[{row.reason}]"
    return " ".join(part for part in parts if part)


@describe.register
def _rejected(msg: m.TargetRejected) -> str:
    first = msg.refusals[0]
    line = _("file {name} rejected: [{code}] {text}").format(name=msg.name, code=first.code, text=localised(first.text))
    return line + (_(" (and {count} more)").format(count=len(msg.refusals) - 1) if len(msg.refusals) > 1 else "")


@describe.register
def _phase(msg: m.SessionPhaseChanged) -> str:
    return _("{day}: market phase {phase}").format(day=msg.day, phase=word(msg.phase))


@describe.register
@describe.register
def _stopped(msg: m.StopTriggered) -> str:
    line = _("{code} is to be sold [{rule}]: {price} is beyond {level}; {sellable} of {shares} shares may be sold")
    return line.format(
        code=msg.code, rule=msg.rule, price=msg.price, level=msg.level, sellable=msg.sellable, shares=msg.shares
    )


@describe.register
def _equity_due(msg: m.EquityDue) -> str:
    return _("{day}: equity record is due").format(day=msg.day)


@describe.register
def _control(msg: m.ControlOrdered) -> str:
    what = f"{word(msg.command)} {msg.run_id or msg.target_id[:12]}".rstrip()
    return _("command by {by}: {command}").format(by=msg.by, command=what)


@describe.register
def _backup(msg: m.BackupEnded) -> str:
    line = _("no backup was made: {text}") if msg.problem else _("backup: {text}")
    return line.format(text=localised(msg.problem or msg.text))


@describe.register
def _snapshot_due(msg: m.SnapshotDue) -> str:
    return _("look at account and market (preview)") if msg.preview else _("look at account and market")


@describe.register
def _snapshot(msg: m.SnapshotTaken) -> str:
    asset = msg.snapshot.asset
    return _("total {total:,.2f}, cash {cash:,.2f}, positions {positions}, quotes {quotes}").format(
        total=asset.total, cash=asset.cash, positions=len(msg.snapshot.positions), quotes=len(msg.snapshot.quotes)
    )


def _plan_counts(msg: m.PlanDrafted | m.PlanReady) -> dict[str, int]:
    sells, buys = msg.plan.side(Side.SELL), msg.plan.side(Side.BUY)
    held = sum(1 for row in msg.plan.rows if row.side is None and row.reason)
    return {"sells": len(sells), "buys": len(buys), "held": held}


@describe.register
def _disputed(msg: m.RecordDisputed) -> str:
    return _("{code}: {field} is {record} in the record of the day, {table} in our tables; the record holds").format(
        code=msg.code, field=msg.field, record=msg.record, table=msg.table
    )


@describe.register
def _drafted(msg: m.PlanDrafted) -> str:
    return _("plan drafted: sells {sells}, buys {buys}, held with a reason {held}").format(**_plan_counts(msg))


@describe.register
def _refused(msg: m.PlanRefused) -> str:
    return _("plan refused: [{code}] {text}").format(code=msg.reason, text=localised(msg.text))


@describe.register
def _held(msg: m.PlanHeld) -> str:
    line = _("the plan waits until somebody approves or rejects {run}: {rules}")
    rules = "; ".join(f"[{each.rule}] {localised(each.text)}" for each in msg.breaches)
    return line.format(run=msg.run_id, rules=rules)


@describe.register
def _ready(msg: m.PlanReady) -> str:
    text = (
        _("plan previewed: sells {sells}, buys {buys}")
        if msg.plan.preview
        else _("plan ready: sells {sells}, buys {buys}")
    )
    return text.format(**_plan_counts(msg))


@describe.register
def _prices_due(msg: m.PricesDue) -> str:
    return _("read the quotes of {count} names again").format(count=len(msg.codes))


@describe.register
def _prices(msg: m.PricesTaken) -> str:
    return _("{count} quotes read again").format(count=len(msg.quotes))


@describe.register
def _stop(msg: m.RunStopOrdered) -> str:
    return _("end run {run}: [{reason}]").format(run=msg.due.run_id, reason=msg.reason)


def _side(side: Side) -> str:
    return _("buy") if side is Side.BUY else _("sell")


@describe.register
def _place(msg: m.PlaceOrder) -> str:
    order = msg.order
    return _("{side} {shares} {code} @ {price} [{tag}]").format(
        side=_side(order.side), shares=order.shares, code=order.code, price=order.price, tag=order.tag
    )


@describe.register
def _cancel(msg: m.CancelOrder) -> str:
    return _("cancel order {id} [{tag}]").format(id=msg.order_id, tag=msg.tag)


def _status(order: BrokerOrder) -> str:
    if order.status is OrderStatus.JUNK and not is_turned_down(order):
        return _("not handed over") if order.message.startswith(NOT_SENT) else _("it never arrived")
    return translated(ORDER_STATUS[order.status])


@describe.register
def _order(msg: m.OrderUpdated) -> str:
    order = msg.order
    line = _("order {id} {side} {code}: {status}, {traded} of {shares} shares").format(
        id=order.order_id or order.tag,
        side=_side(order.side),
        code=order.code,
        status=_status(order),
        traded=order.traded,
        shares=order.shares,
    )
    return f"{line}: {localised(order.message)}" if order.message else line


@describe.register
def _fill(msg: m.FillReceived) -> str:
    trade = msg.trade
    line = _("filled: {side} {shares} {code} @ {price}").format(
        side=_side(trade.side), shares=trade.shares, code=trade.code, price=trade.price
    )
    return line if trade.fee is None else line + _(", fee {fee}").format(fee=trade.fee)


@describe.register
def _stray(msg: m.StrayOrderSeen) -> str:
    return _("the broker has order {id} [{tag}], which {why} [{code}]; it is cancelled").format(
        id=msg.stray.order.order_id, tag=msg.stray.order.tag, why=word(msg.stray.reason), code=msg.stray.reason
    )


@describe.register
def _order_settled(msg: m.OrderSettled) -> str:
    if msg.order_id:
        return _("{by} says that order {tag} is the broker's {id}").format(by=msg.by, tag=msg.tag, id=msg.order_id)
    return _("{by} says that order {tag} never arrived").format(by=msg.by, tag=msg.tag)


@describe.register
def _lost(msg: m.LinkLost) -> str:
    return _("broker lost: {reason}").format(reason=localised(msg.reason))


@describe.register
def _reconciled(msg: m.FillsReconciled) -> str:
    asset = msg.snapshot.asset
    return _("account read after the run: total {total:,.2f}, cash {cash:,.2f}").format(
        total=asset.total, cash=asset.cash
    )


@describe.register
def _drift(msg: m.LedgerDrift) -> str:
    text = (
        _("drift of {code}: our books say {ours:,.0f} shares, the broker {theirs:,.0f}; {why} [{code_of_why}]")
        if msg.code
        else _("drift of money: our books say {ours:,.2f}, the broker {theirs:,.2f}; {why} [{code_of_why}]")
    )
    why = {"code": msg.code, "why": word(msg.explanation), "code_of_why": msg.explanation}
    return text.format(ours=msg.ours, theirs=msg.theirs, **why)


@describe.register
def _finished(msg: m.RunFinished) -> str:
    line = _("run {status}").format(status=word(msg.status))
    if msg.tracking_error is not None:
        line += _(", tracking error {error:.3%}, fees {fees:,.2f}").format(error=msg.tracking_error, fees=msg.fees)
    return line + (f" {reasoned(msg.reason, msg.text)}" if msg.reason else "")


@describe.register
def _paused(msg: m.RunPaused) -> str:
    line = _("attempt {attempt} ended, the run may go on ({why})")
    return line.format(attempt=msg.attempt, why=word(msg.reason)) + f" {reasoned(msg.reason, msg.end.text)}"


@describe.register
def _equity(msg: m.EquityRecorded) -> str:
    line = _("equity {day} ({kind}): {total:,.2f}").format(day=msg.day, kind=word(msg.kind), total=msg.asset.total)
    if not msg.flow:
        return line
    text = _(", deposited {flow:,.2f}") if msg.flow > 0 else _(", withdrawn {flow:,.2f}")
    return line + text.format(flow=abs(msg.flow))


@describe.register
def _crashed(msg: ActorCrashed) -> str:
    return _("actor {actor} crashed: {error}").format(actor=msg.actor, error=localised(msg.error))


from qws import alert_text as alert_text  # noqa: E402 - the sentences of alerts, made of what stands above
from qws import check_text as check_text  # noqa: E402 - and those of the day's checks
from qws import schedule_text as schedule_text  # noqa: E402 - and those of what is due
