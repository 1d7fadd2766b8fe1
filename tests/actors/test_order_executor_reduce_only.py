"""While trading only reduces a run buys nothing more; and no second sees more orders than the limit."""

from __future__ import annotations

from dataclasses import replace

from qws.domain.handover import Handover
from qws.domain.market import Side
from qws.domain.trading_state import TradingState
from qws.messages import CancelOrder, ControlOrdered, PlaceOrder, SendWindowDue
from tests.support.builders import RUN, a_plan, a_schedule, an_order, at
from tests.support.desk import BOTH, RULES, A, B, C, D, a_desk, codes, end_of, orders, ready
from tests.support.outputs import of, timers

REDUCE = ControlOrdered("reduce_only", "me")


def test_in_the_middle_of_a_run_the_sells_go_on_and_no_buy_leaves() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)

    assert of(CancelOrder, desk.tell(REDUCE)) == []
    assert orders(desk.whole(second)) == []

    assert {outcome.code: outcome.reason for outcome in end_of(desk).outcomes} == {
        A: "", B: "", C: "reduce_only", D: "reduce_only",
    }  # fmt: skip


def test_a_plan_that_passed_before_buys_nothing_either_and_a_resume_allows_the_next_one() -> None:
    desk = a_desk()
    desk.tell(REDUCE)
    assert codes(desk.tell(ready(BOTH))) == [(Side.SELL, A), (Side.SELL, B)]

    other = a_desk()
    other.tell(REDUCE)
    other.tell(ControlOrdered("resume", "me"))
    assert codes(other.tell(ready(a_plan(buys={C: 100}, cash="10000")))) == [(Side.BUY, C)]


def test_a_buy_that_waits_for_the_broker_is_not_handed_over_and_a_sell_is() -> None:
    handover, now = Handover(a_schedule()), at("10:00:00")
    handover.state = TradingState.REDUCE_ONLY

    assert handover.obstacle(an_order(A, Side.BUY), now, now) == "reduce_only"
    assert handover.obstacle(an_order(A, Side.SELL), now, now) == ""


def test_what_exceeds_the_orders_of_a_second_leaves_in_the_next() -> None:
    desk = a_desk(rules=replace(RULES, second_orders_max=2))

    answer = desk.tell(ready(a_plan(sells={A: 100, B: 100, C: 100})))

    assert codes(answer) == [(Side.SELL, A), (Side.SELL, B)]
    assert timers(SendWindowDue, answer) == [(1.0, SendWindowDue(RUN, 0))]
    desk.clock.set("10:00:01")
    assert [each.order.code for each in of(PlaceOrder, desk.tell(SendWindowDue(RUN, 0)))] == [C]
