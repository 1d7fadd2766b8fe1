from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.messages import (
    BuysOverdue,
    CancelOrder,
    ExecutionEnded,
    LinkLost,
    LinkReady,
    OrderUpdated,
    PlaceOrder,
    SellsOverdue,
    SendWindowDue,
)
from tests.support.builders import (
    DAY,
    NEXT_DAY,
    RUN,
    TARGET,
    a_plan,
    a_report,
    at,
)
from tests.support.desk import BOTH, A, B, C, D, a_desk, codes, end_of, orders, ready
from tests.support.outputs import of, timers, told


def test_sells_go_first_and_alone_with_a_deadline() -> None:
    answer = a_desk().tell(ready(BOTH))

    assert codes(answer) == [(Side.SELL, A), (Side.SELL, B)]
    assert timers(SellsOverdue, answer) == [(60.0, SellsOverdue(RUN, 0))]


def test_buys_wait_for_the_last_sell_and_every_fill_of_it() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))

    assert codes(desk.whole(first)) == []
    assert codes(desk.report(second, OrderStatus.SUCCEEDED, 1000)) == []
    answer = desk.fill(second, 1000)

    assert codes(answer) == [(Side.BUY, C), (Side.BUY, D)]
    assert timers(BuysOverdue, answer) == [(120.0, BuysOverdue(RUN, 0))]


def test_buys_are_cut_to_the_money_the_sells_brought() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)

    answer = desk.report(second, OrderStatus.CANCELED)

    assert [(order.code, order.shares) for order in orders(answer)] == [(C, 900)]


def test_a_plan_without_sells_buys_at_once_and_one_without_orders_ends_at_once() -> None:
    assert codes(a_desk().tell(ready(a_plan(buys={C: 100}, cash="5000")))) == [(Side.BUY, C)]
    assert told(a_desk().tell(ready(a_plan()))) == [ExecutionEnded(RUN, DAY, ())]


def test_overdue_sells_are_cancelled_and_buys_wait_until_the_cancels_are_confirmed() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.report(second, OrderStatus.PART_SUCC, 300)
    desk.fill(second, 300)

    answer = desk.tell(SellsOverdue(RUN, 0))

    assert of(CancelOrder, answer) == [CancelOrder(RUN, second.tag, f"id-{second.tag}")]
    assert orders(answer) == []
    assert timers(SellsOverdue, answer) == [(5.0, SellsOverdue(RUN, 0))]
    assert orders(desk.report(second, OrderStatus.PARTSUCC_CANCEL, 300)) == []
    assert codes(desk.report(second, OrderStatus.PART_CANCEL, 300)) == [(Side.BUY, C), (Side.BUY, D)]


def test_a_sell_that_never_answers_is_given_up_after_three_cancels_and_buys_go_on_without_its_money() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.report(second, OrderStatus.REPORTED)

    answers = [desk.tell(SellsOverdue(RUN, 0)) for _ in range(4)]

    assert [len(of(CancelOrder, answer)) for answer in answers] == [1, 1, 1, 0]
    assert [(order.code, order.shares) for order in orders(answers[3])] == [(C, 900)]
    assert told(desk.tell(SellsOverdue(RUN, 0))) == []


def test_an_order_that_was_never_confirmed_is_not_cancelled_and_holds_the_run_until_it_is_settled() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    answers = [desk.tell(SellsOverdue(RUN, 0)) for _ in range(9)]

    assert [of(CancelOrder, answer) + of(PlaceOrder, answer) for answer in answers] == [[]] * 9
    assert all(timers(SellsOverdue, answer) for answer in answers)
    absent = a_report(second, OrderStatus.JUNK, order_id="", message="never arrived")
    assert codes(desk.tell(OrderUpdated(absent))) == [(Side.BUY, C)]


def test_a_timer_of_another_run_or_phase_means_nothing() -> None:
    desk = a_desk()
    desk.tell(ready(BOTH))

    for timer in (SellsOverdue("other", 0), SellsOverdue(RUN, 1), BuysOverdue(RUN, 0)):
        assert desk.tell(timer) == []


def test_a_stray_timer_after_the_end_starts_no_rounds() -> None:
    desk = a_desk()
    (order,) = orders(desk.tell(ready(a_plan(buys={C: 100}, cash="5000"))))
    desk.whole(order)

    assert desk.tell(BuysOverdue(RUN, 0)) == []


def test_a_completed_run_says_so_with_fees_and_what_is_held() -> None:
    desk = a_desk()
    (order,) = orders(desk.tell(ready(a_plan(buys={C: 100}, cash="5000"))))
    answer = desk.whole(order)
    end = end_of(desk)

    assert of(ExecutionEnded, answer) == [ExecutionEnded(RUN, DAY, (C,))]
    assert (end.run_id, end.target_id, end.day, end.attempt) == (RUN, TARGET, DAY, 0)
    assert (end.status, end.reason, end.fees) == ("completed", "", Decimal(5))
    assert not desk.executor.busy()


def test_an_incomplete_run_says_why() -> None:
    desk = a_desk()
    (order,) = orders(desk.tell(ready(a_plan(buys={C: 100}, cash="5000"))))
    desk.report(order, OrderStatus.JUNK)
    end = end_of(desk)

    assert (end.status, end.reason, end.outcomes[0].reason) == ("incomplete", "not_filled", "rejected")


def test_buys_do_not_leave_over_lunch_and_go_at_its_end() -> None:
    desk = a_desk(at("11:29:50"))
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.clock.set("11:45:00")

    waits = desk.whole(second)

    assert orders(waits) == []
    assert {seconds for seconds, _ in timers(SendWindowDue, waits)} == {75 * 60 + 3.0}
    desk.clock.set("13:00:03")
    assert codes(desk.tell(SendWindowDue(RUN, 0))) == [(Side.BUY, C), (Side.BUY, D)]


def test_a_cancel_before_lunch_is_not_repeated_before_its_end() -> None:
    desk = a_desk(at("11:29:58"))
    first, _ = orders(desk.tell(ready(BOTH)))
    desk.report(first, OrderStatus.REPORTED)

    answer = desk.tell(SellsOverdue(RUN, 0))

    assert timers(SellsOverdue, answer) == [(5 + 5403.0, SellsOverdue(RUN, 0))]


def test_after_the_last_order_time_no_buys_leave_and_the_run_says_the_session_is_over() -> None:
    desk = a_desk(at("14:55:00"))
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.clock.set("14:56:00")

    answer = desk.whole(second)

    assert orders(answer) == []
    assert of(ExecutionEnded, answer)
    assert (end_of(desk).status, desk.executor.busy()) == ("incomplete", False)


def test_buys_that_are_done_after_the_last_order_time_are_complete_all_the_same() -> None:
    desk = a_desk(at("14:55:59"))
    (order,) = orders(desk.tell(ready(a_plan(buys={C: 100}, cash="5000"))))
    desk.clock.set("14:56:30")
    desk.whole(order)

    assert end_of(desk).status == "completed"


@pytest.mark.parametrize("day", [NEXT_DAY, date(2027, 1, 4)])
def test_a_run_that_is_still_open_on_another_day_sends_nothing_more(day: date) -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.tell(LinkLost("terminal closed"))
    desk.clock.set("09:40:00", day)

    answer = [*desk.tell(LinkReady()), *desk.tell(SellsOverdue(RUN, 0))]

    assert orders(answer) == []
    assert of(ExecutionEnded, answer)
    end = end_of(desk)
    assert (end.status, end.reason) == ("incomplete", "unknown")
    assert [outcome.reason for outcome in end.outcomes if outcome.code == second.code] == ["unknown"]


def test_while_the_link_is_lost_nothing_is_sent_and_it_goes_on_when_it_is_ready() -> None:
    desk = a_desk(linked=False)
    assert desk.tell(ready(BOTH)) == []

    assert codes(desk.tell(LinkReady())) == [(Side.SELL, A), (Side.SELL, B)]


def test_while_the_link_is_lost_no_cancel_round_is_lost() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.report(second, OrderStatus.REPORTED)
    desk.tell(LinkLost("gone"))

    assert desk.tell(SellsOverdue(RUN, 0)) == []
    answers = [desk.tell(LinkReady()), *(desk.tell(SellsOverdue(RUN, 0)) for _ in range(3))]

    assert [len(of(CancelOrder, answer)) for answer in answers] == [1, 1, 1, 0]
