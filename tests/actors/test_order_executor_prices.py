"""Quotes that are too old to send by are read again; what cannot be priced then is not sent."""

from __future__ import annotations

from dataclasses import replace

from qws.domain.orders import OrderStatus
from qws.domain.report import residual
from qws.messages import ExecutionEnded, PricesDue, PricesTaken, RunStopOrdered
from tests.support.builders import RUN, a_plan, a_quote, an_instrument, at
from tests.support.desk import DUE, RULES, A, B, C, a_desk, orders, ready
from tests.support.outputs import of

FRESH = replace(RULES, price_age_max_s=3.0)
LATE = at("10:00:20")


def test_buys_are_priced_again_when_the_sells_took_long_and_a_name_without_a_quote_is_not_sent() -> None:
    desk = a_desk(rules=FRESH)
    (sell,) = orders(desk.tell(ready(a_plan(sells={A: 1000}, buys={B: 1000, C: 500}, cash="10000"))))
    desk.clock.set("10:00:20")
    desk.report(sell, OrderStatus.SUCCEEDED, 1000)

    asked = desk.fill(sell, 1000)
    assert of(PricesDue, asked) == [PricesDue(RUN, 0, (B, C))]
    assert orders(asked) == []
    assert orders(desk.tell(PricesTaken(RUN, 1, (B, C), LATE, (), ()))) == []  # of another attempt

    dearer = a_quote(B, "10.50", bids=("10.49",), asks=("10.51", "10.52", "10.53"), when="10:00:20")
    sent = orders(desk.tell(PricesTaken(RUN, 0, (B, C), LATE, (dearer,), (an_instrument(B), an_instrument(C)))))

    assert [(order.code, order.shares, str(order.price)) for order in sent] == [(B, 1000, "10.53")]


def test_a_plan_that_is_sent_at_once_needs_no_second_look() -> None:
    desk = a_desk(rules=FRESH)

    answer = desk.tell(ready(a_plan(buys={B: 1000}, cash="20000")))

    assert of(PricesDue, answer) == []
    assert len(orders(answer)) == 1


def test_while_prices_are_read_nothing_else_is_asked_or_sent_and_a_stop_ends_the_run() -> None:
    desk = a_desk(at("10:00:20"), rules=FRESH)
    answer = desk.tell(ready(a_plan(buys={B: 1000}, cash="20000", when=at("10:00:00"))))
    assert of(PricesDue, answer) == [PricesDue(RUN, 0, (B,))]

    stopped = desk.tell(RunStopOrdered(DUE, "halted"))
    late = desk.tell(PricesTaken(RUN, 0, (B,), LATE, (a_quote(B, when="10:00:20"),), (an_instrument(B),)))

    assert [each.run_id for each in of(ExecutionEnded, stopped)] == [RUN]
    assert orders(late) == []


def test_when_no_name_can_be_priced_the_run_ends_with_the_reason() -> None:
    desk = a_desk(at("10:00:20"), rules=FRESH)
    desk.tell(ready(a_plan(buys={B: 1000}, cash="20000", when=at("10:00:00"))))

    answer = desk.tell(PricesTaken(RUN, 0, (B,), LATE, (), ()))

    assert len(of(ExecutionEnded, answer)) == 1
    run = desk.executor._book.run
    assert run is not None
    assert [residual(run, row) for row in run.plan.rows] == ["no_quote"]
