"""Orders that do not fill: cancelled, seen to have ended, and sent again at a price of now, within bounds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.execution_rules import ChaseRules
from qws.domain.orders import OrderRequest, OrderStatus
from qws.domain.report import residual
from qws.messages import (
    BuysOverdue,
    CancelOrder,
    ChaseDue,
    LinkLost,
    ListsDue,
    ListsRead,
    PricesDue,
    PricesTaken,
    RunStopOrdered,
    SellsOverdue,
)
from tests.support.builders import RUN, a_plan, a_quote, an_instrument
from tests.support.desk import DUE, RULES, A, B, C, Desk, a_desk, orders, ready
from tests.support.outputs import Told, of, timers

CHASING = replace(RULES, chase=ChaseRules(20.0, 2, Decimal("0.01")))


def a_resting_buy(cash: str = "20000", shares: int = 1000) -> tuple[Desk, OrderRequest]:
    """A buy of B at 10.00 that has rested for 20 s."""
    desk = a_desk(rules=CHASING)
    answer = desk.tell(ready(a_plan(buys={B: shares}, cash=cash)))
    assert timers(ChaseDue, answer) == [(20.0, ChaseDue(RUN, 0))]
    (order,) = orders(answer)
    desk.report(order, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    return desk, order


def prices(desk: Desk, ask: str) -> list[Told]:
    now = desk.clock.now()
    quote = replace(a_quote(B, "10.00", bids=("9.99",), asks=(ask, ask, ask)), at=now)
    return desk.tell(PricesTaken(RUN, 0, (B,), now, (quote,), (an_instrument(B),)))


def test_an_order_that_rests_is_cancelled_when_a_price_of_now_is_better_and_sent_again_when_its_end_is_sure() -> None:
    desk, order = a_resting_buy()
    desk.fill(order, 300)
    desk.report(order, OrderStatus.PART_SUCC, 300)

    asked = desk.tell(ChaseDue(RUN, 0))
    assert of(PricesDue, asked) == [PricesDue(RUN, 0, (B,))]
    assert timers(ChaseDue, asked) == [(20.0, ChaseDue(RUN, 0))]
    cancelled = prices(desk, "10.05")
    assert [each.tag for each in of(CancelOrder, cancelled)] == [order.tag]
    assert orders(cancelled) == []

    ended = desk.report(order, OrderStatus.PART_CANCEL, 300)
    assert orders(ended) == []
    assert timers(ListsDue, ended) == [(2.0, ListsDue(RUN, 0, 1))]
    (again,) = orders(desk.tell(ListsRead(RUN, 0, 1)))

    assert (again.shares, again.price) == (700, Decimal("10.05"))
    assert again.tag != order.tag


def test_a_rest_is_sent_at_the_price_that_is_read_when_it_leaves() -> None:
    desk = a_desk(rules=replace(CHASING, price_age_max_s=3.0))
    (order,) = orders(desk.tell(ready(a_plan(buys={B: 1000}, cash="20000"))))
    desk.report(order, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    desk.tell(ChaseDue(RUN, 0))
    prices(desk, "10.05")
    desk.report(order, OrderStatus.CANCELED)
    desk.clock.set("10:00:24")

    assert of(PricesDue, desk.tell(ListsRead(RUN, 0, 1))) == [PricesDue(RUN, 0, (B,))]
    (again,) = orders(prices(desk, "10.07"))

    assert (again.shares, again.price) == (1000, Decimal("10.07"))


def test_a_fill_that_comes_after_the_cancel_is_taken_off_the_rest() -> None:
    desk, order = a_resting_buy()
    desk.tell(ChaseDue(RUN, 0))
    prices(desk, "10.05")
    desk.report(order, OrderStatus.PART_CANCEL, 400)
    assert orders(desk.tell(ListsRead(RUN, 0, 1))) == []  # 400 traded shares have not been told

    assert timers(ListsDue, desk.fill(order, 400)) == [(2.0, ListsDue(RUN, 0, 1))]

    assert [each.shares for each in orders(desk.tell(ListsRead(RUN, 0, 1)))] == [600]


@pytest.mark.parametrize("ask", ["10.00", "9.98"])
def test_an_order_whose_price_would_not_be_better_is_left_where_it_rests(ask: str) -> None:
    desk, _ = a_resting_buy()
    desk.tell(ChaseDue(RUN, 0))

    assert of(CancelOrder, prices(desk, ask)) == []


def test_an_order_at_the_limit_is_left_and_its_name_says_so_in_the_end() -> None:
    desk, order = a_resting_buy()
    desk.tell(ChaseDue(RUN, 0))
    sealed = replace(a_quote(B, "10.00", bids=("10.00",), asks=()), at=desk.clock.now())
    record = replace(an_instrument(B), limit_up=Decimal("10.00"))

    assert of(CancelOrder, desk.tell(PricesTaken(RUN, 0, (B,), desk.clock.now(), (sealed,), (record,)))) == []

    desk.tell(BuysOverdue(RUN, 0))
    desk.report(order, OrderStatus.CANCELED)
    run = desk.executor._book.run
    assert run is not None
    assert [residual(run, row) for row in run.plan.rows] == ["at_limit"]


def test_the_slippage_budget_counts_from_the_first_price_and_an_order_at_its_end_is_left() -> None:
    desk = a_desk(rules=replace(CHASING, price_age_max_s=3.0))
    (order,) = orders(desk.tell(ready(a_plan(buys={B: 1000}, cash="20000"))))
    desk.report(order, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    desk.tell(ChaseDue(RUN, 0))
    assert of(CancelOrder, prices(desk, "10.15"))
    desk.report(order, OrderStatus.CANCELED)
    (again,) = orders(desk.tell(ListsRead(RUN, 0, 1)))
    assert again.price == Decimal("10.10")
    desk.report(again, OrderStatus.REPORTED)
    desk.clock.set("10:00:40")
    desk.tell(ChaseDue(RUN, 0))

    assert of(CancelOrder, prices(desk, "10.18")) == []
    desk.tell(BuysOverdue(RUN, 0))
    desk.report(again, OrderStatus.CANCELED)
    run = desk.executor._book.run
    assert run is not None
    assert [residual(run, row) for row in run.plan.rows] == ["slippage"]


def test_a_name_is_chased_only_so_often() -> None:
    desk, order = a_resting_buy()
    for look, ask in enumerate(("10.02", "10.04"), 1):
        desk.tell(ChaseDue(RUN, 0))
        assert of(CancelOrder, prices(desk, ask))
        desk.report(order, OrderStatus.CANCELED)
        (order,) = orders(desk.tell(ListsRead(RUN, 0, look)))
        desk.report(order, OrderStatus.REPORTED)
        desk.clock.set("10:00:40" if ask == "10.02" else "10:01:00")

    assert of(PricesDue, desk.tell(ChaseDue(RUN, 0))) == []


def test_an_order_that_nobody_confirmed_is_not_chased() -> None:
    desk = a_desk(rules=CHASING)
    desk.tell(ready(a_plan(buys={B: 1000}, cash="20000")))
    desk.clock.set("10:00:20")

    assert of(PricesDue, desk.tell(ChaseDue(RUN, 0))) == []


def test_sells_are_chased_downwards_and_their_buys_wait_for_the_rest() -> None:
    desk = a_desk(rules=CHASING)
    (sell,) = orders(desk.tell(ready(a_plan(sells={B: 1000}, buys={C: 500}))))
    desk.report(sell, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    desk.tell(ChaseDue(RUN, 0))
    quote = replace(a_quote(B, "9.95", bids=("9.94",) * 5, asks=("9.96",)), at=desk.clock.now())

    answer = desk.tell(PricesTaken(RUN, 0, (B,), desk.clock.now(), (quote,), (an_instrument(B),)))
    assert [each.tag for each in of(CancelOrder, answer)] == [sell.tag]
    assert orders(desk.report(sell, OrderStatus.CANCELED)) == []
    (again,) = orders(desk.tell(ListsRead(RUN, 0, 1)))

    assert (again.code, again.shares) == (B, 1000)
    assert [order.code for order in orders(desk.whole(again))] == [C]


@pytest.mark.parametrize("end", [SellsOverdue(RUN, 0), RunStopOrdered(DUE, "halted")])
def test_after_the_deadline_or_a_stop_nothing_is_sent_again(end: SellsOverdue | RunStopOrdered) -> None:
    desk = a_desk(rules=CHASING)
    (sell,) = orders(desk.tell(ready(a_plan(sells={B: 1000}))))
    desk.report(sell, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    desk.tell(ChaseDue(RUN, 0))
    quote = replace(a_quote(B, "9.95", bids=("9.94",) * 5), at=desk.clock.now())
    desk.tell(PricesTaken(RUN, 0, (B,), desk.clock.now(), (quote,), (an_instrument(B),)))
    desk.tell(end)

    answer = [*desk.report(sell, OrderStatus.CANCELED), *desk.tell(ListsRead(RUN, 0, 1))]

    assert orders(answer) == []


def test_while_the_link_is_lost_or_no_order_may_leave_nothing_is_chased() -> None:
    desk, _ = a_resting_buy()
    desk.clock.set("11:40:00")
    assert of(PricesDue, desk.tell(ChaseDue(RUN, 0))) == []

    desk.clock.set("13:30:00")
    desk.tell(LinkLost("gone"))
    assert of(PricesDue, desk.tell(ChaseDue(RUN, 0))) == []


def test_orders_that_waited_too_long_to_be_handed_over_are_priced_again_and_fewer_leave_at_once() -> None:
    desk = a_desk(rules=replace(CHASING, price_age_max_s=3.0))
    first, second, third = orders(desk.tell(ready(a_plan(sells={A: 1000, B: 1000, C: 1000}))))
    desk.report(first, OrderStatus.REPORTED)
    desk.clock.set("10:00:05")

    asked = [
        of(PricesDue, desk.report(late, OrderStatus.JUNK, order_id="", message="not sent: stale_price"))
        for late in (second, third)
    ]
    assert asked == [[], [PricesDue(RUN, 0, (B,))]]
    quotes = tuple(replace(a_quote(code), at=desk.clock.now()) for code in (B, C))
    sent = desk.tell(PricesTaken(RUN, 0, (B,), desk.clock.now(), quotes, (an_instrument(B), an_instrument(C))))

    (again,) = orders(sent)  # one was taken in time, so one leaves now
    assert (again.code, again.shares) == (B, 1000)
    assert of(PricesDue, desk.report(again, OrderStatus.REPORTED)) == [PricesDue(RUN, 0, (C,))]
