"""What money, records and caps do to a plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from qws.domain.allocator import Rounding, Unplaced
from qws.domain.market import Side
from qws.domain.planner import plan_rebalance
from qws.domain.risk.memory import RiskMemory
from qws.domain.risk.weights import account_insane
from tests.support.builders import (
    BOOK,
    DAY,
    PRD,
    RULES,
    a_goal,
    a_market_of,
    a_position,
    a_quote,
    a_snapshot,
    an_asset,
    an_instrument,
    an_order,
    changed,
)


def test_odd_lots_whose_sale_costs_more_than_it_brings_are_kept_when_there_is_no_cash_for_it() -> None:
    names = ("600000.SH", "600004.SH", "600006.SH")
    market = [a_quote(code, "1.99", bids=("1.98",), asks=("2.00",), prev_close="2.00") for code in names]
    records = tuple(an_instrument(code, "2.00") for code in names)
    positions = tuple(a_position(code, 1, price="1.99") for code in names)

    poor = plan_rebalance(a_goal({}), a_snapshot("4", positions, tuple(market), records), RULES)
    rich = plan_rebalance(a_goal({}), a_snapshot("100", positions, tuple(market), records), RULES)

    assert [(row.shares, row.reason) for row in poor.rows] == [(1, ""), (0, "cash"), (0, "cash")]
    assert [row.shares for row in rich.rows] == [1, 1, 1]


@pytest.mark.parametrize("rounding", Rounding)
def test_a_name_of_which_not_even_the_smallest_order_is_wanted_says_so(rounding: Rounding) -> None:
    quote = a_quote("600519.SH", "1700.00", bids=("1699",), asks=("1701",), prev_close="1700")
    snapshot = a_snapshot("100000", (), (quote,), (an_instrument("600519.SH", "1700.00"),))
    rules = changed(RULES, allocation=replace(PRD, rounding=rounding))

    (row,) = plan_rebalance(a_goal({"600519.SH": "0.45"}), snapshot, rules).rows

    assert (row.shares, row.reason) == (0, "min_order")


def test_a_record_of_another_day_is_not_traded_on() -> None:
    yesterday = BOOK.instrument("600000.SH", date(2026, 11, 18), Decimal("9.00"))
    snapshot = a_snapshot("100000", (), (a_quote("600000.SH"),), (yesterday,))

    (row,) = plan_rebalance(a_goal({"600000.SH": "0.5"}), snapshot, RULES).rows

    assert (row.shares, row.reason) == (0, "stale_record")


@pytest.mark.parametrize(("unplaced", "others"), [(Unplaced.CASH, 700_000), (Unplaced.PRO_RATA, 880_000)])
def test_what_a_cap_leaves_goes_where_the_user_says(unplaced: Unplaced, others: int) -> None:
    capped = BOOK.instrument("600001.SH", DAY, Decimal("2.00"), st=True)
    quotes = (
        a_quote("600001.SH", "2.00", bids=("2.00",), asks=("2.00",), prev_close="2.00"),
        a_quote("600002.SH", "10.00", bids=("10.00",), asks=("10.00",)),
    )
    snapshot = a_snapshot("10000000", (), quotes, (capped, an_instrument("600002.SH")))
    rules = changed(RULES, allocation=replace(PRD, rounding=Rounding.OPTIMAL, unplaced=unplaced))

    plan = plan_rebalance(a_goal({"600001.SH": "0.2", "600002.SH": "0.7"}), snapshot, rules)

    rows = {row.code: row for row in plan.rows}
    capped_row = rows["600001.SH"]
    assert (capped_row.shares, capped_row.wanted, capped_row.reason) == (500_000, 1_000_000, "st_cap")
    assert rows["600002.SH"].shares == pytest.approx(others, rel=0.15)
    assert rows["600002.SH"].reason == ""


def test_an_account_that_owes_cash_is_told_so_and_refused_and_what_unsettled_orders_may_take_is_no_debt() -> None:
    quotes, records = a_market_of("600000.SH")
    owing = a_snapshot("-5000", (a_position("600000.SH", 1000),), quotes, records)
    lost = an_order("600000.SH", Side.BUY, 1000)

    plan = plan_rebalance(a_goal({"600000.SH": "0.1"}), owing, RULES)
    tight = plan_rebalance(replace(a_goal({}), unsettled=(lost,)), replace(owing, asset=an_asset("5000")), RULES)

    assert account_insane(plan, RiskMemory().facts(DAY, None), Decimal(0)) is not None
    assert (plan.cash, tight.cash) == (Decimal(-5000), Decimal(0))
