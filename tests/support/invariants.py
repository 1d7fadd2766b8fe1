"""What must hold of a trading day whatever happened on it (RELIABILITY.md section 4)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    FillReceived,
    LedgerDrift,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    RebalanceDue,
    RunFinished,
    RunPaused,
)
from tests.support.builders import at
from tests.support.trading_day import TradingDay

EVENING = "18:00:00"


def check(day: TradingDay) -> None:
    """Every invariant of a day that is over."""
    orders_are_handed_over_once_and_after_their_intent(day)
    fills_are_told_once_and_explain_the_holdings(day)
    the_broker_refused_nothing(day)
    every_run_and_the_day_have_one_end(day)
    nothing_leaves_under_a_halt(day)
    no_order_leaves_beside_an_open_one_and_buys_spend_certain_money(day)


def orders_are_handed_over_once_and_after_their_intent(day: TradingDay) -> None:
    handed = [order.tag for order in day.handed]
    assert len(handed) == len(set(handed))
    assert set(handed) <= {place.order.tag for place in day.told(PlaceOrder)}


def fills_are_told_once_and_explain_the_holdings(day: TradingDay) -> None:
    fills = [told.trade for told in day.told(FillReceived)]
    assert len({(fill.code, fill.order_id, fill.trade_id) for fill in fills}) == len(fills)
    moved: Counter[str] = Counter({code: shares for code, shares, _ in day.positions})
    for fill in fills:
        moved[fill.code] += fill.shares if fill.side is Side.BUY else -fill.shares
    assert day.held(EVENING) == {code: shares for code, shares in moved.items() if shares}
    assert day.told(LedgerDrift) == []


def the_broker_refused_nothing(day: TradingDay) -> None:
    rows: tuple[BrokerOrder, ...] = day.exchange.orders(at(EVENING, day.day))
    assert [row.message for row in rows if row.status is OrderStatus.JUNK] == []
    assert day.exchange.asset(at(EVENING, day.day)).cash >= 0


def every_run_and_the_day_have_one_end(day: TradingDay) -> None:
    ended = {(end.run_id, end.attempt) for end in day.told(RunFinished)}
    ended |= {(pause.run_id, pause.attempt) for pause in day.told(RunPaused)}
    assert ended == {(due.run_id, due.attempt) for due in day.told(RebalanceDue)}
    assert Counter(end.run_id for end in day.told(RunFinished)) == Counter({run_id for run_id, _ in ended})
    assert [record.day for record in day.told(EquityRecorded) if record.kind == "close"] == [day.day]


def nothing_leaves_under_a_halt(day: TradingDay) -> None:
    halted_at: datetime | None = None
    for envelope in day.journal.envelopes:
        match envelope.body:
            case ControlOrdered(command="halt"):
                halted_at = envelope.at
            case ControlOrdered(command="resume"):
                halted_at = None
            case PlaceOrder():
                assert halted_at is None or envelope.at <= halted_at


def no_order_leaves_beside_an_open_one_and_buys_spend_certain_money(day: TradingDay) -> None:
    """I1, I4: of one name one run at a time has orders open; buys leave within cash and what recorded fills brought."""
    open_orders: dict[str, tuple[str, OrderRequest]] = {}
    ended: set[str] = set()
    filled: Counter[str] = Counter()
    money: dict[str, Decimal] = {}
    for body in day.journal.bodies:
        match body:
            case PlanReady(plan=plan):
                money[f"{plan.run_id}:{plan.attempt}"] = plan.cash
            case OrderUpdated():
                (ended.add if body.order.status.is_terminal else ended.discard)(body.order.tag)
            case FillReceived(trade=trade) if trade.tag in open_orders:
                amount = trade.shares * trade.price
                money[open_orders[trade.tag][0]] += amount if trade.side is Side.SELL else -amount
                filled[trade.tag] += trade.shares
            case PlaceOrder():
                run = f"{body.run_id}:{body.order.tag[13]}"  # the attempt
                working = {tag: each for tag, each in open_orders.items() if tag not in ended}
                assert all(other.code != body.order.code or other_run == run for other_run, other in working.values())
                open_orders[body.order.tag] = working[body.order.tag] = run, body.order
                owed = sum(
                    (order.shares - filled[tag]) * order.price
                    for tag, (other_run, order) in working.items()
                    if order.side is Side.BUY and other_run == run
                )
                assert body.order.side is Side.SELL or owed <= money[run]
