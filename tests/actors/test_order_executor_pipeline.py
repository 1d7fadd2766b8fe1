"""Buys that leave as sold names become money, and never before it is certain."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from qws.domain.execution_rules import Release
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.messages import BuysOverdue, PlaceOrder, PricesDue, PricesTaken, SellsOverdue
from tests.support.builders import RUN, a_plan, a_quote, an_instrument, at
from tests.support.desk import BOTH, RULES, A, C, D, Desk, a_desk, codes, orders, ready
from tests.support.outputs import of, timers

PIPELINED = replace(RULES, release=Release.PIPELINED)


def a_pipeline() -> Desk:
    return a_desk(rules=PIPELINED)


def test_what_the_cash_pays_for_leaves_with_the_sells_and_behind_them() -> None:
    answer = a_pipeline().tell(ready(a_plan(sells={A: 1000}, buys={C: 900, D: 500}, cash="10000")))

    assert codes(answer) == [(Side.SELL, A), (Side.BUY, C)]
    assert timers(SellsOverdue, answer) == [(60.0, SellsOverdue(RUN, 0))]


def test_a_buy_leaves_with_the_fill_that_pays_for_it_while_other_sells_work() -> None:
    desk = a_pipeline()
    first, second = orders(desk.tell(ready(BOTH)))

    assert codes(desk.fill(first, 900)) == []  # 1,000 of C cost more than that brought
    assert codes(desk.fill(second, 200)) == [(Side.BUY, C)]
    assert codes(desk.fill(second, 300, 2)) == []
    assert codes(desk.fill(second, 200, 3)) == [(Side.BUY, D)]


def test_a_dear_name_is_not_overtaken_by_a_cheap_one_that_the_money_would_pay_for() -> None:
    desk = a_pipeline()
    first, _ = orders(desk.tell(ready(BOTH)))

    assert codes(desk.fill(first, 700)) == []  # enough for D, but C comes first


def test_when_the_sells_are_over_the_last_buys_are_cut_to_the_money() -> None:
    desk = a_pipeline()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.report(second, OrderStatus.PART_CANCEL, 500)
    answer = desk.fill(second, 500)

    assert [(order.code, order.shares) for order in orders(answer)] == [(C, 1000), (D, 400)]
    assert timers(BuysOverdue, answer) == [(120.0, BuysOverdue(RUN, 0))]


def test_what_open_buys_may_still_take_is_not_spent_twice() -> None:
    desk = a_pipeline()
    _, first = orders(desk.tell(ready(a_plan(sells={A: 1000}, buys={C: 500, D: 400}, cash="5010"))))

    assert first.code == C
    assert codes(desk.fill(first, 100)) == []  # 4,000 of the 4,010 that are left are for C
    assert desk.executor._book.run is not None
    assert Decimal(4000) <= desk.executor._book.run.owed < Decimal(4001)


def test_overdue_sells_are_cancelled_and_buys_that_work_are_not() -> None:
    desk = a_pipeline()
    sell, buy = orders(desk.tell(ready(a_plan(sells={A: 1000}, buys={C: 500, D: 400}, cash="6000"))))
    for order in (sell, buy):
        desk.report(order, OrderStatus.REPORTED)

    answer = desk.tell(SellsOverdue(RUN, 0))

    assert [each.tag for each in answer if hasattr(each, "order_id")] == [sell.tag]
    assert [(order.code, order.shares) for order in orders(desk.report(sell, OrderStatus.CANCELED))] == []
    assert desk.executor._book.run is not None
    assert desk.executor._book.run.reasons == {D: "cash"}


def test_buys_that_leave_late_are_priced_again_first_and_others_wait_meanwhile() -> None:
    desk = a_desk(rules=replace(PIPELINED, price_age_max_s=3.0))
    first, second = orders(desk.tell(ready(BOTH)))
    desk.clock.set("10:00:20")
    desk.whole(first)

    asked = desk.fill(second, 100)
    assert of(PricesDue, asked) == [PricesDue(RUN, 0, (C,))]
    assert desk.fill(second, 200, 2) == []
    sent = desk.tell(PricesTaken(RUN, 0, (C,), at("10:00:20"), (a_quote(C, when="10:00:20"),), (an_instrument(C),)))

    assert [each.order.code for each in of(PlaceOrder, sent)] == [C]
