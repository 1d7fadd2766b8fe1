"""What must hold of a trading day whatever happened on it (RELIABILITY.md section 4)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    FillReceived,
    OrderUpdated,
    PlaceOrder,
    PositionDrift,
    RebalanceDue,
    RunFinished,
    SellsOverdue,
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
    no_order_leaves_beside_an_open_one_and_buys_wait_for_sells(day)


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
    assert day.fault_rate or day.told(PositionDrift) == []


def the_broker_refused_nothing(day: TradingDay) -> None:
    rows: tuple[BrokerOrder, ...] = day.exchange.orders(at(EVENING, day.day))
    assert [row.message for row in rows if row.status is OrderStatus.JUNK] == []
    assert day.exchange.asset(at(EVENING, day.day)).cash >= 0


def every_run_and_the_day_have_one_end(day: TradingDay) -> None:
    ended = {(end.run_id, end.attempt) for end in day.told(RunFinished)}
    assert ended == {(due.run_id, due.attempt) for due in day.told(RebalanceDue)}
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


def no_order_leaves_beside_an_open_one_and_buys_wait_for_sells(day: TradingDay) -> None:
    open_orders: dict[str, tuple[str, OrderRequest]] = {}
    ended: set[str] = set()
    overdue: set[str] = set()
    for body in day.journal.bodies:
        match body:
            case SellsOverdue():
                overdue.add(body.run_id)
            case OrderUpdated():
                (ended.add if body.order.status.is_terminal else ended.discard)(body.order.tag)
            case PlaceOrder():
                run = f"{body.run_id}:{body.order.tag[13]}"  # the attempt
                working = {tag: each for tag, each in open_orders.items() if tag not in ended}
                for other_run, other in working.values():
                    assert other.code != body.order.code or other_run == run
                    is_late_buy = body.order.side is Side.BUY and other.side is Side.SELL and other_run == run
                    assert not is_late_buy or body.run_id in overdue
                open_orders[body.order.tag] = run, body.order
