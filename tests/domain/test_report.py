from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from qws.domain.account import Asset, Position, Snapshot
from qws.domain.execution import Execution
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.domain.plan import Outcome
from qws.domain.report import ending_of, outcomes_of, tracking_error
from tests.support.builders import (
    FEE,
    a_fill,
    a_plan,
    a_position,
    a_quote,
    a_report,
    a_snapshot,
    at,
    leave,
)
from tests.support.desk import RULES as EXECUTION

SELL, BUY = "600000.SH", "600004.SH"
fractions = st.decimals(0, 1, places=4)


def a_run() -> Execution:
    plan = a_plan(sells={SELL: 500}, buys={BUY: 400}, cash="0")
    rows = (replace(plan.rows[0], weight=Decimal("0.5")), replace(plan.rows[1], weight=Decimal("0.4")))
    return Execution(replace(plan, rows=rows), EXECUTION, FEE)


def test_outcomes_tell_achieved_weights_fills_and_why_the_rest_is_missing() -> None:
    run = a_run()
    (sell,) = leave(run)
    run.on_order(a_report(sell, OrderStatus.SUCCEEDED, 500))
    run.on_fill(a_fill(sell, 500))
    (buy,) = leave(run)
    run.on_order(a_report(buy, OrderStatus.PART_CANCEL, 100))
    run.on_fill(a_fill(buy, 100))
    positions = (a_position(SELL, 500), a_position(BUY, 100), a_position("000001.SZ", 200))
    end = a_snapshot("2000", positions, (a_quote(SELL), a_quote(BUY)))

    assert outcomes_of(run, end) == (
        Outcome(SELL, Decimal("0.5"), Decimal("0.5"), 500, 500, ""),
        Outcome(BUY, Decimal("0.4"), Decimal("0.1"), 400, 100, "not_filled"),
        Outcome("000001.SZ", Decimal(0), Decimal("0.2"), 0, 0, "not_planned"),
    )
    assert tracking_error(outcomes_of(run, end)) == Decimal("0.3")
    assert ending_of(run, end)[1][4:8] == ("incomplete", "not_filled", "", at("10:00:00"))


def test_a_buy_that_never_left_says_so() -> None:
    run = a_run()

    outcomes = outcomes_of(run, a_snapshot("10000", (), ()))

    assert [outcome.reason for outcome in outcomes] == ["not_sent", "not_sent"]


def test_an_order_that_nobody_knows_of_is_unknown_and_a_refused_one_rejected() -> None:
    plan = a_plan(sells={SELL: 500, "600006.SH": 300}, cash="0")
    run = Execution(plan, EXECUTION, FEE)
    refused = leave(run)[1]
    run.on_order(a_report(refused, OrderStatus.JUNK, message="no"))

    outcomes = outcomes_of(run, a_snapshot("10000", (), ()))

    assert [outcome.reason for outcome in outcomes] == ["unknown", "rejected"]


def test_an_account_worth_nothing_is_reported_without_dividing_by_it() -> None:
    worthless = Position("000001.SZ", 100, 100, Decimal(0))
    end = Snapshot(at("10:00:00"), Asset(*[Decimal(0)] * 4), (worthless,), (), ())

    outcomes = outcomes_of(a_run(), end)

    assert {outcome.achieved for outcome in outcomes} == {Decimal(0)}


def test_the_quote_values_a_holding_and_the_brokers_value_fills_a_gap() -> None:
    positions = (a_position(SELL, 100, price="5.00"), a_position(BUY, 100, price="5.00"))
    end = a_snapshot("0", positions, (a_quote(SELL),))

    achieved = [outcome.achieved for outcome in outcomes_of(a_run(), end)]

    assert achieved == [Decimal(1000) / Decimal(1500), Decimal(500) / Decimal(1500)]


@given(st.lists(st.tuples(fractions, fractions), max_size=6))
def test_the_tracking_error_is_zero_only_when_every_weight_is_met(pairs: list[tuple[Decimal, Decimal]]) -> None:
    outcomes = tuple(Outcome(str(n), wanted, got, 0, 0, "") for n, (wanted, got) in enumerate(pairs))

    error = tracking_error(outcomes)

    assert error >= 0
    assert (error == 0) == all(wanted == got for wanted, got in pairs)
    assert error == tracking_error(tuple(reversed(outcomes)))


def test_all_in_cash_instead_of_all_in_stock_is_an_error_of_one() -> None:
    assert tracking_error((Outcome(SELL, Decimal(1), Decimal(0), 100, 0, "not_filled"),)) == 1


def test_the_side_of_a_row_does_not_change_what_is_filled() -> None:
    run = a_run()
    (sell,) = leave(run)
    run.on_fill(a_fill(sell, 200))

    assert (run.filled(SELL), run.filled(BUY), sell.side) == (200, 0, Side.SELL)
