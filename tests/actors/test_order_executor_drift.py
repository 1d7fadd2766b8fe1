"""The account differs from the books of a run: nothing more is bought, and what is sold goes on."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.execution_rules import ChaseRules, Release
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.messages import CancelOrder, ChaseDue, ExecutionEnded, LedgerDrift, ListsRead, PricesDue, PricesTaken
from tests.support.builders import RUN, a_plan, a_quote, an_instrument
from tests.support.desk import BOTH, RULES, A, B, C, D, Desk, a_desk, codes, end_of, orders, ready
from tests.support.outputs import of

PIPELINED = replace(RULES, release=Release.PIPELINED)
DRIFT = LedgerDrift(RUN, 0, A, Decimal(1000), Decimal(700), "manual_trade")


def reasons(desk: Desk) -> dict[str, str]:
    return {outcome.code: outcome.reason for outcome in end_of(desk).outcomes}


@pytest.mark.parametrize("explanation", ["manual_trade", "manual_order", "transfer", "dividend", "unexplained"])
def test_after_a_drift_the_sells_go_on_and_no_buy_leaves(explanation: str) -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)

    assert desk.tell(replace(DRIFT, explanation=explanation)) == []
    ended = desk.whole(second)

    assert orders(ended) == []
    assert [each.run_id for each in of(ExecutionEnded, ended)] == [RUN]
    end = end_of(desk)
    assert (end.status, {outcome.code: outcome.reason for outcome in end.outcomes}) == (
        "incomplete",
        {A: "", B: "", C: "drift", D: "drift"},
    )


@pytest.mark.parametrize("drift", [replace(DRIFT, code="", explanation="fees"), replace(DRIFT, attempt=1)])
def test_a_difference_of_fees_or_of_another_attempt_holds_nothing(drift: LedgerDrift) -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)

    assert desk.tell(drift) == []

    assert codes(desk.whole(second)) == [(Side.BUY, C), (Side.BUY, D)]


def test_a_drift_of_another_run_or_without_one_means_nothing() -> None:
    desk = a_desk()
    assert desk.tell(DRIFT) == []

    (sell,) = orders(desk.tell(ready(a_plan(sells={A: 1000}, buys={C: 500}))))
    desk.tell(replace(DRIFT, run_id="20261119-bbbbbb"))

    assert codes(desk.whole(sell)) == [(Side.BUY, C)]


def test_buys_that_work_go_on_and_those_that_wait_are_not_sent() -> None:
    desk = a_desk(rules=PIPELINED)
    sell, buy = orders(desk.tell(ready(a_plan(sells={A: 1000}, buys={C: 500, D: 400}, cash="5010"))))
    desk.report(buy, OrderStatus.REPORTED)

    assert of(CancelOrder, desk.tell(DRIFT)) == []
    assert orders(desk.whole(sell)) == []
    assert len(of(ExecutionEnded, desk.whole(buy))) == 1

    assert reasons(desk) == {A: "", C: "", D: "drift"}


def test_when_only_buys_were_left_to_send_the_run_ends_with_the_drift() -> None:
    desk = a_desk(rules=replace(RULES, price_age_max_s=3.0))
    (sell,) = orders(desk.tell(ready(a_plan(sells={A: 1000}, buys={C: 500}))))
    desk.clock.set("10:00:20")
    assert of(PricesDue, desk.whole(sell)) == [PricesDue(RUN, 0, (C,))]

    desk.tell(DRIFT)
    quote = replace(a_quote(C), at=desk.clock.now())
    answer = desk.tell(PricesTaken(RUN, 0, (C,), desk.clock.now(), (quote,), (an_instrument(C),)))

    assert orders(answer) == []
    assert len(of(ExecutionEnded, answer)) == 1
    assert reasons(desk) == {A: "", C: "drift"}


@pytest.mark.parametrize(("side", "again"), [(Side.SELL, [(Side.SELL, B)]), (Side.BUY, [])])
def test_of_orders_that_are_priced_again_sells_leave_and_buys_do_not(side: Side, again: list[tuple[Side, str]]) -> None:
    desk = a_desk(rules=replace(RULES, chase=ChaseRules(20.0, 2, Decimal("0.01"))))
    plan = a_plan(sells={B: 1000}) if side is Side.SELL else a_plan(buys={B: 1000}, cash="20000")
    (order,) = orders(desk.tell(ready(plan)))
    desk.report(order, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    desk.tell(ChaseDue(RUN, 0))
    bids, asks = (("9.90",) * 5, ("9.91",)) if side is Side.SELL else (("10.04",), ("10.05",) * 5)
    quote = replace(a_quote(B, bids=bids, asks=asks), at=desk.clock.now())
    cancelled = desk.tell(PricesTaken(RUN, 0, (B,), desk.clock.now(), (quote,), (an_instrument(B),)))
    assert [each.tag for each in of(CancelOrder, cancelled)] == [order.tag]

    desk.tell(DRIFT)
    desk.report(order, OrderStatus.CANCELED)
    answer = desk.tell(ListsRead(RUN, 0, 1))

    assert codes(answer) == again
    if side is Side.BUY:
        assert len(of(ExecutionEnded, answer)) == 1
        assert reasons(desk) == {B: "drift"}
