"""What may go wrong between an executor and the world at the worst moment: early timers, old answers, late fills."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from qws.domain.execution_rules import ChaseRules, Release
from qws.domain.orders import OrderStatus
from qws.messages import (
    BuysOverdue,
    CancelOrder,
    ChaseDue,
    LedgerDrift,
    ListsRead,
    PricesDue,
    PricesTaken,
    RunFinished,
    SellsOverdue,
    SendWindowDue,
)
from tests.support.builders import RUN, a_plan, a_quote, an_instrument, at
from tests.support.desk import RULES, A, B, C, D, Desk, a_desk, closed, orders, ready
from tests.support.outputs import Told, of, timers

CHASING = replace(RULES, chase=ChaseRules(20.0, 2, Decimal("0.02")), price_age_max_s=3.0, release=Release.PIPELINED)


def prices(desk: Desk, *codes: str, ask: str = "10.03") -> list[Told]:
    now = desk.clock.now()
    quotes = tuple(replace(a_quote(code, asks=(ask,) * 3), at=now) for code in codes)
    return desk.tell(PricesTaken(RUN, 0, codes, now, quotes, tuple(map(an_instrument, codes))))


def test_a_timer_that_comes_a_moment_early_asks_for_another_one() -> None:
    desk = a_desk(at("11:30:00"))
    waits = desk.tell(ready(a_plan(buys={C: 1000}, cash="20000", when=at("11:29:59"))))
    assert len(timers(SendWindowDue, waits)) == 1
    desk.clock.time = at("13:00:02.990")

    early = desk.tell(SendWindowDue(RUN, 0))

    assert orders(early) == []
    assert [seconds <= 0.02 for seconds, _ in timers(SendWindowDue, early)] == [True]
    desk.clock.time = at("13:00:03")
    assert [order.code for order in orders(desk.tell(SendWindowDue(RUN, 0)))] == [C]


def test_an_order_that_is_seen_late_is_cancelled_three_times_before_it_is_given_up() -> None:
    desk = a_desk()
    (buy,) = orders(desk.tell(ready(a_plan(buys={C: 1000}, cash="20000"))))
    for _ in range(3):
        assert of(CancelOrder, desk.tell(BuysOverdue(RUN, 0))) == []
    desk.report(buy, OrderStatus.REPORTED)

    cancels = [len(of(CancelOrder, desk.tell(BuysOverdue(RUN, 0)))) for _ in range(4)]

    assert cancels == [1, 1, 1, 0]


def test_an_answer_to_an_older_question_drops_nothing() -> None:
    desk = a_desk(rules=CHASING)
    (sell,) = orders(desk.tell(ready(a_plan(sells={A: 1000}, buys={C: 500, D: 400}))))
    desk.report(sell, OrderStatus.REPORTED)
    desk.clock.set("10:01:00")
    assert of(PricesDue, desk.tell(ChaseDue(RUN, 0))) == [PricesDue(RUN, 0, (A,))]
    desk.tell(SellsOverdue(RUN, 0))
    assert of(PricesDue, desk.whole(sell)) == [PricesDue(RUN, 0, (C, D))]

    assert orders(prices(desk, A)) == []

    assert [order.code for order in orders(prices(desk, C, D))] == [C, D]


def test_a_fill_that_is_told_after_the_last_look_is_taken_off_what_waits_to_be_sent_again() -> None:
    desk = a_desk(rules=CHASING)
    (buy,) = orders(desk.tell(ready(a_plan(buys={B: 1000}, cash="20000"))))
    desk.report(buy, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    desk.tell(ChaseDue(RUN, 0))
    prices(desk, B, ask="10.05")
    desk.report(buy, OrderStatus.CANCELED)
    desk.clock.set("10:00:24")
    assert of(PricesDue, desk.tell(ListsRead(RUN, 0, 1))) == [PricesDue(RUN, 0, (B,))]
    desk.fill(buy, 300)

    (again,) = orders(prices(desk, B, ask="10.06"))

    assert again.shares == 700


def test_a_look_that_is_over_releases_nothing_of_a_later_one() -> None:
    desk = a_desk(rules=CHASING)
    first, second = orders(desk.tell(ready(a_plan(buys={B: 1000, C: 1000}, cash="40000"))))
    for order in (first, second):
        desk.report(order, OrderStatus.REPORTED)
    desk.clock.set("10:00:20")
    desk.tell(ChaseDue(RUN, 0))
    prices(desk, B, C, ask="10.05")
    desk.report(first, OrderStatus.CANCELED)
    desk.tell(ListsRead(RUN, 0, 1))
    desk.report(second, OrderStatus.CANCELED)

    told = desk.tell(ListsRead(RUN, 0, 1))

    assert [order.code for order in orders(told)] == []


def test_a_run_whose_account_drifted_is_not_followed_up_even_when_nothing_waited_to_be_bought() -> None:
    desk = a_desk(rules=replace(CHASING, price_age_max_s=86_400.0))
    (buy,) = orders(desk.tell(ready(a_plan(buys={C: 1000}, cash="20000"))))
    desk.report(buy, OrderStatus.REPORTED)
    desk.tell(LedgerDrift(RUN, 0, "", Decimal(20_000), Decimal(5_000), "unexplained"))
    desk.tell(BuysOverdue(RUN, 0))
    desk.report(buy, OrderStatus.CANCELED)

    end = closed(desk)

    assert isinstance(end, RunFinished)
    assert (end.status, end.reason) == ("incomplete", "not_filled")
