"""What each message changes in the read models: message in, rows out. Pure, so live and rebuilt tables are equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import singledispatch

from qws.domain.account import Asset, Position
from qws.domain.market import Quote
from qws.domain.orders import OrderStatus
from qws.domain.plan import Plan
from qws.domain.trading_state import STATE_OF, TradingState
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    FillReceived,
    FillsReconciled,
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    PlanHeld,
    PlanReady,
    PlanRefused,
    RebalanceDue,
    RunFinished,
    RunPaused,
    SnapshotDue,
    SnapshotTaken,
)
from qws.runtime.message import Message
from qws.store.codec import in_shanghai

Value = str | int | None
Statement = tuple[str, Sequence[Sequence[Value]]]


@singledispatch
def changes(body: Message, at: str, id_: int) -> Iterator[Statement]:
    """The statements that bring the tables up to date with one message; most messages change none."""
    yield from ()


@changes.register
def _control_ordered(body: ControlOrdered, at: str, id_: int) -> Iterator[Statement]:
    if body.command in STATE_OF:
        state = list(TradingState).index(STATE_OF[body.command])
        yield "UPDATE meta SET since = ? WHERE halted != ?", [(id_, state)]
        yield "UPDATE meta SET halted = ?", [(state,)]
    if body.command in ("approve", "reject"):
        sql = "UPDATE run SET status = 'planning', reason = '', text = '' WHERE run_id = ? AND status = 'held'"
        yield sql, [(body.run_id,)]


@changes.register
def _rebalance_due(body: RebalanceDue, at: str, id_: int) -> Iterator[Statement]:
    yield _started(body.run_id, body.target_id, body.day, body.attempt, at)
    yield "UPDATE run SET trigger = ?, status = 'planning' WHERE run_id = ?", [(body.trigger, body.run_id)]


@changes.register
def _snapshot_due(body: SnapshotDue, at: str, id_: int) -> Iterator[Statement]:
    yield _started(body.run_id, body.target_id, body.day, body.attempt, at)


@changes.register
def _snapshot_taken(body: SnapshotTaken, at: str, id_: int) -> Iterator[Statement]:
    yield from _holdings(body.snapshot.asset, body.snapshot.positions, body.snapshot.at)
    if not body.preview:  # the first look of a run is what its fills are measured against
        rows = [(body.run_id, quote.code, time_text(quote.at), *_best(quote)) for quote in body.snapshot.quotes]
        yield "INSERT OR IGNORE INTO arrival VALUES (?, ?, ?, ?, ?, ?)", rows


def _best(quote: Quote) -> tuple[str | None, ...]:
    bid, ask = (levels[0].price if levels else None for levels in (quote.bids, quote.asks))
    return _money(bid), _money(ask), _money(quote.last)


@changes.register
def _plan_drafted(body: PlanDrafted, at: str, id_: int) -> Iterator[Statement]:
    yield from _plan(body.plan)


@changes.register
def _plan_ready(body: PlanReady, at: str, id_: int) -> Iterator[Statement]:
    yield from _plan(body.plan)
    if not body.plan.preview:
        yield "UPDATE run SET status = 'running' WHERE run_id = ?", [(body.plan.run_id,)]


@changes.register
def _plan_refused(body: PlanRefused, at: str, id_: int) -> Iterator[Statement]:
    sql = "UPDATE run SET status = 'refused', reason = ?, text = ? WHERE run_id = ?"
    yield sql, [(body.reason, body.text, body.run_id)]


@changes.register
def _plan_held(body: PlanHeld, at: str, id_: int) -> Iterator[Statement]:
    texts = "; ".join(f"[{each.rule}] {each.text}" for each in body.breaches)
    sql = "UPDATE run SET status = 'held', reason = ?, text = ? WHERE run_id = ?"
    yield sql, [(body.breaches[0].rule, texts, body.run_id)]


@changes.register
def _place_order(body: PlaceOrder, at: str, id_: int) -> Iterator[Statement]:
    order = body.order
    row = (order.tag, body.run_id, "", order.code, str(order.side), order.shares, str(order.price), 0)
    yield _insert("orders", 12), [(*row, _status(OrderStatus.UNREPORTED), "", at, id_)]


@changes.register
def _order_updated(body: OrderUpdated, at: str, id_: int) -> Iterator[Statement]:
    order = body.order
    sql = """INSERT INTO orders VALUES (?, '', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (tag) DO UPDATE SET
        order_id = excluded.order_id, filled = max(filled, excluded.filled), status = excluded.status,
        message = excluded.message, time = excluded.time"""
    row = (order.tag, order.order_id, order.code, str(order.side), order.shares, str(order.price), order.traded)
    yield sql, [(*row, _status(order.status), order.message, time_text(order.at), id_)]


@changes.register
def _fill_received(body: FillReceived, at: str, id_: int) -> Iterator[Statement]:
    trade = body.trade
    sql = """INSERT INTO fill VALUES (?, ?, ?, ?, coalesce((SELECT run_id FROM orders WHERE tag = ?), ''),
        ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (day, stock_code, trade_id) DO UPDATE SET fee = excluded.fee"""
    name = (trade.trade_id, time_text(trade.at)[:10], trade.order_id, trade.tag, trade.tag, trade.code)
    yield sql, [(*name, str(trade.side), trade.shares, str(trade.price), _money(trade.fee), time_text(trade.at), id_)]
    known = "UPDATE orders SET filled = max(filled, (SELECT sum(shares) FROM fill WHERE tag = ?)) WHERE tag = ?"
    yield known, [(trade.tag, trade.tag)]


@changes.register
def _fills_reconciled(body: FillsReconciled, at: str, id_: int) -> Iterator[Statement]:
    yield from _holdings(body.snapshot.asset, body.snapshot.positions, body.snapshot.at)


@changes.register
def _run_paused(body: RunPaused, at: str, id_: int) -> Iterator[Statement]:
    """How a run stands; it works on."""
    yield from _run_finished(body.end, at, id_)
    sql = "UPDATE run SET status = 'paused', reason = ?, finished_at = NULL WHERE run_id = ?"
    yield sql, [(body.reason, body.run_id)]


@changes.register
def _run_finished(body: RunFinished, at: str, id_: int) -> Iterator[Statement]:
    yield _started(body.run_id, body.target_id, body.day, body.attempt, at)
    sql = """UPDATE run SET status = ?, reason = ?, text = ?, finished_at = ?,
        tracking_error = ?,
        fees = coalesce((SELECT CASE WHEN count(*) = count(fee) AND count(*) > 0 THEN printf('%.2f', sum(fee)) END
            FROM fill WHERE fill.run_id = run.run_id), ?),
        total_asset = coalesce(?, total_asset), cash = coalesce(?, cash) WHERE run_id = ?"""
    asset = (_money(body.asset.total), _money(body.asset.cash)) if body.asset else (None, None)
    ends = (body.status, body.reason, body.text, time_text(body.at), _money(body.tracking_error), _money(body.fees))
    yield sql, [(*ends, *asset, body.run_id)]
    yield "DELETE FROM outcome WHERE run_id = ?", [(body.run_id,)]
    yield (
        _insert("outcome", 8),
        [
            (body.run_id, idx, each.code, _money(each.wanted), _money(each.achieved), each.planned, each.filled,
             each.reason)
            for idx, each in enumerate(body.outcomes)
        ],
    )  # fmt: skip
    if body.asset:
        yield from _holdings(body.asset, body.positions, body.at)


@changes.register
def _equity_recorded(body: EquityRecorded, at: str, id_: int) -> Iterator[Statement]:
    row = (
        body.day.isoformat(),
        body.kind,
        body.run_id,
        time_text(body.at),
        *_asset(body.asset),
        _money(body.benchmark),
        _money(body.flow),
    )
    yield _insert("equity", 10), [row]
    yield from _holdings(body.asset, body.positions, body.at)


def _started(run_id: str, target_id: str, day: date, attempt: int, at: str) -> Statement:
    """The run exists from its first message on; a later attempt keeps its start."""
    sql = """INSERT INTO run (run_id, target_id, file, sha256, day, attempt, status, started_at)
        VALUES (?, ?, (SELECT file FROM target WHERE target_id = ?), (SELECT sha256 FROM target WHERE target_id = ?),
        ?, ?, 'planning', ?) ON CONFLICT (run_id) DO UPDATE SET attempt = excluded.attempt"""
    return sql, [(run_id, target_id, target_id, target_id, day.isoformat(), attempt, at)]


def _plan(plan: Plan) -> Iterator[Statement]:
    yield "DELETE FROM plan_row WHERE run_id = ? AND attempt = ?", [(plan.run_id, plan.attempt)]
    rows = [
        (plan.run_id, plan.attempt, idx, row.code, None if row.side is None else str(row.side), row.shares,
         str(row.price), row.price_from, str(row.weight), row.held, row.sellable, row.wanted, str(row.fee), row.reason)
        for idx, row in enumerate(plan.rows)
    ]  # fmt: skip
    yield _insert("plan_row", 14), rows
    money = (str(plan.total_asset), str(plan.cash), plan.attempt, plan.run_id)
    yield "UPDATE run SET total_asset = ?, cash = ?, attempt = ? WHERE run_id = ?", [money]


def _holdings(asset: Asset, positions: Iterable[Position], at: datetime) -> Iterator[Statement]:
    yield "DELETE FROM account", [()]
    yield _insert("account", 5), [(*_asset(asset), time_text(at))]
    yield "DELETE FROM position", [()]
    held = [each for each in positions if each.shares]
    rows = [(each.code, each.shares, each.sellable, str(each.market_value), str(each.cost_price)) for each in held]
    yield _insert("position", 5), rows


def _asset(asset: Asset) -> tuple[str, str, str, str]:
    return str(asset.total), str(asset.cash), str(asset.frozen), str(asset.market_value)


def _insert(table: str, columns: int) -> str:
    return f"INSERT OR REPLACE INTO {table} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - names of this file


def _status(status: OrderStatus) -> str:
    return status.name.lower()


def _money(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def time_text(moment: datetime) -> str:
    """ISO text in Asia/Shanghai, as every table of the read models has it."""
    return in_shanghai(moment).isoformat()
