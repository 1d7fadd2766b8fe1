from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.account import Asset, Snapshot
from qws.domain.affordable import fit_to_cash
from qws.domain.allocator import Rounding
from qws.domain.market import Kind, Side
from qws.domain.plan import PlanRow
from qws.domain.planner import PlanRules, plan_rebalance
from qws.domain.targets import Weight
from tests.support.builders import (
    FEE,
    RULES,
    a_goal,
    a_market_of,
    a_position,
    a_quote,
    a_row,
    a_snapshot,
    an_asset,
    an_instrument,
    at,
    changed,
)
from tests.support.worlds import World, quotes, worlds


def only_row(weights: dict[str, str], snapshot: Snapshot, **changes: object) -> PlanRow:
    (row,) = plan_rebalance(a_goal(weights), snapshot, changed(RULES, **changes)).rows
    return row


def one_name(held: int, sellable: int | None = None, code: str = "600000.SH", cash: str = "0") -> Snapshot:
    quotes, instruments = a_market_of(code)
    return a_snapshot(cash, (a_position(code, held, sellable),), quotes, instruments)


@pytest.mark.parametrize(
    ("held", "sellable", "weight", "side", "shares", "reason"),
    [
        (0, 0, "0.0025", Side.BUY, 300, ""),  # 249.25 shares at ask 3: 2.49 lots down, at 10.00 a tie would go up
        (1000, 1000, "0", Side.SELL, 1000, ""),
        (1050, 1050, "0", Side.SELL, 1050, ""),  # a full exit takes the odd lot along
        (1050, 950, "0", Side.SELL, 950, "t_plus_1"),
        (1000, 0, "0", None, 0, "t_plus_1"),
        (1050, 1050, "0.010", Side.SELL, 50, ""),
        (1030, 1030, "0.011", None, 0, "min_order"),
    ],
)
def test_worked_table_of_one_name(
    held: int, sellable: int, weight: str, side: Side | None, shares: int, reason: str
) -> None:
    snapshot = one_name(held, sellable) if held else one_name(1, 1)
    total = Asset(Decimal(1_000_000), Decimal(0), Decimal(0), Decimal(1_003_000))
    positions = snapshot.positions if held else ()

    row = only_row({"600000.SH": weight}, replace(snapshot, asset=total, positions=positions))

    assert (row.side, row.shares, row.reason) == (side, shares, reason)


@pytest.mark.parametrize(("value", "wanted"), [("2500", 300), ("2499.99", 200), ("500", 100), ("499.99", 0)])
def test_target_shares_round_half_up_to_a_hundred(value: str, wanted: int) -> None:
    quotes, instruments = (a_quote("600000.SH", asks=("10.00",) * 5),), (an_instrument("600000.SH"),)
    snapshot = replace(a_snapshot("0", (), quotes, instruments), asset=an_asset(value))

    row = only_row({"600000.SH": "1"}, snapshot)

    assert row.wanted == wanted


def test_a_limit_up_holding_with_an_empty_ask_side_is_not_liquidated() -> None:
    quote = a_quote("600000.SH", "11.00", asks=(), bids=("11.00", "10.99"))
    snapshot = a_snapshot("0", (a_position("600000.SH", 1000, price="11.00"),), (quote,), (an_instrument("600000.SH"),))

    row = only_row({"600000.SH": "1"}, snapshot)

    assert (row.side, row.shares, row.wanted) == (None, 0, 1000)


def test_more_of_a_limit_up_name_is_not_bought_and_says_why() -> None:
    quote = a_quote("600000.SH", "11.00", asks=(), bids=("11.00",))
    snapshot = a_snapshot("100000", (), (quote,), (an_instrument("600000.SH"),))

    row = only_row({"600000.SH": "0.5"}, snapshot)

    assert (row.side, row.shares, row.reason) == (None, 0, "limit_up")


def test_a_holding_without_a_tick_is_not_liquidated_even_when_the_target_drops_it() -> None:
    snapshot = a_snapshot("0", (a_position("600000.SH", 1000),), (), (an_instrument("600000.SH"),))

    row = only_row({}, snapshot)

    assert (row.side, row.shares, row.wanted, row.reason) == (None, 0, 1000, "no_quote")


def test_a_preview_is_priced_on_quotes_that_stand_still_but_an_order_is_not() -> None:
    quotes, instruments = a_market_of("600000.SH")
    standing = a_snapshot("100000", (), quotes, instruments, when="11:00:00")

    plans = [
        plan_rebalance(replace(a_goal({"600000.SH": "0.5"}), preview=preview), standing, RULES)
        for preview in (True, False)
    ]

    assert [[(row.side, row.reason) for row in plan.rows] for plan in plans] == [
        [(Side.BUY, "")],
        [(None, "stale_quote")],
    ]


def test_a_holding_without_a_record_of_the_day_is_held() -> None:
    snapshot = a_snapshot("0", (a_position("600000.SH", 1000),), (a_quote("600000.SH"),), ())

    row = only_row({}, snapshot)

    assert (row.side, row.reason) == (None, "no_quote")


def test_a_rerun_on_the_same_day_buys_nothing_again_although_nothing_is_sellable() -> None:
    quotes, instruments = (a_quote("600000.SH", asks=("10.00",)),), (an_instrument("600000.SH"),)
    snapshot = a_snapshot("0", (a_position("600000.SH", 1000, sellable=0),), quotes, instruments)

    row = only_row({"600000.SH": "1"}, snapshot)

    assert (row.side, row.shares, row.reason) == (None, 0, "")


def test_star_buys_start_at_two_hundred() -> None:
    snapshot = one_name(1000, code="688001.SH", cash="1000")

    row = only_row({"688001.SH": "1"}, snapshot)

    assert (row.wanted, row.side, row.reason) == (1100, None, "min_order")


def test_a_code_that_is_wanted_on_this_day_trades_although_another_days_row_of_it_was_filtered() -> None:
    quotes, instruments = a_market_of("600000.SH")
    snapshot = a_snapshot("100000", (), quotes, instruments)

    plan = plan_rebalance(a_goal({"600000.SH": "0.5"}, filtered=["600000.SH"]), snapshot, RULES)

    assert [(row.side, row.reason) for row in plan.rows] == [(Side.BUY, "")]


def test_a_sellable_count_below_zero_sells_nothing() -> None:
    row = only_row({}, one_name(1000, -100))

    assert (row.side, row.shares, row.reason) == (None, 0, "t_plus_1")


def test_money_goes_to_the_largest_buy_first_and_who_gets_less_says_cash() -> None:
    quotes, instruments = a_market_of("600000.SH", "600004.SH", "600006.SH")
    snapshot = replace(
        a_snapshot("0", (), quotes, instruments),
        asset=Asset(Decimal("60000"), Decimal(0), Decimal(0), Decimal(100_000)),
    )

    plan = plan_rebalance(a_goal({"600000.SH": "0.2", "600004.SH": "0.5", "600006.SH": "0.01"}), snapshot, RULES)

    assert [(row.code, row.shares, row.reason) for row in plan.rows] == [
        ("600004.SH", 5000, ""),
        ("600000.SH", 900, "cash"),
        ("600006.SH", 0, "cash"),
    ]


@pytest.mark.parametrize("cash", ["0", "1000", "1005.00", "1005.01", "1010", "123456.78", "2999999"])
def test_a_buy_that_is_cut_takes_all_that_the_money_allows(cash: str) -> None:
    row = a_row("600000.SH", Side.BUY, 1_000_000)

    (fitted,) = fit_to_cash([row], Decimal(cash), FEE)

    def cost(shares: int) -> Decimal:
        return shares * row.price + FEE(row.code, Side.BUY, shares, row.price)

    assert not fitted.shares or cost(fitted.shares) <= Decimal(cash)
    assert cost(fitted.shares + row.buy_step) > Decimal(cash)
    assert fitted.reason == "cash"


def test_five_thousand_names_each_get_their_row_and_their_order() -> None:
    codes = [f"{prefix}{n:03d}.{suffix}" for prefix, suffix in (
        ("600", "SH"), ("601", "SH"), ("603", "SH"), ("000", "SZ"), ("002", "SZ"),
    ) for n in range(1000)]  # fmt: skip
    quotes, instruments = a_market_of(*codes)
    held = tuple(a_position(code, 1000) for code in codes[::2])
    snapshot = a_snapshot("50000000", held, quotes, instruments)
    goal = replace(a_goal({}), weights=tuple(Weight(code, Decimal("0.00019")) for code in codes))

    plan = plan_rebalance(goal, snapshot, RULES)

    assert len(plan.rows) == len(codes)
    assert sum(1 for row in plan.rows if row.shares) == len(codes)


def test_a_plan_says_when_and_on_which_money_it_was_made() -> None:
    plan = plan_rebalance(a_goal({}), one_name(100, cash="5"), RULES)

    assert (plan.at, plan.cash, plan.total_asset) == (at("10:00:00"), Decimal(5), Decimal(1005))


def test_a_held_fund_is_not_ours_while_files_may_not_name_funds() -> None:
    held = one_name(1000, code="511880.SH")

    assert only_row({}, held, managed=frozenset({Kind.STOCK, Kind.CDR})).reason == "not_managed"
    assert only_row({}, held).side is Side.SELL


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [("6005190", True), ("60051", True), ("贵州茅台", True), ("00700", True), ("AAPL", False), ("00700.HK", False)],
)
def test_after_a_row_that_may_be_a_mistyped_share_nothing_is_sold_for_being_absent(text: str, *, is_kept: bool) -> None:
    row = next(row for row in plan_rebalance(a_goal({}, [text]), one_name(1000), RULES).rows if row.held)

    assert (row.reason == "row_filtered", row.shares) == ((True, 0) if is_kept else (False, 1000))


def rounded(world: World, rounding: Rounding) -> PlanRules:
    return changed(world.rules, allocation=replace(world.rules.allocation, rounding=rounding))


@settings(max_examples=150, deadline=None)
@given(worlds(), st.sampled_from(Rounding))
def test_settled_shares_on_the_quotes_they_were_settled_with_are_the_same_orders(
    world: World, rounding: Rounding
) -> None:
    rules = rounded(world, rounding)
    settled = plan_rebalance(world.goal, world.snapshot, rules)

    again = plan_rebalance(world.goal, world.snapshot, rules, settled)

    assert [again.side(side) for side in Side] == [settled.side(side) for side in Side]


@settings(max_examples=150, deadline=None)
@given(worlds(), st.sampled_from(Rounding), st.sampled_from(("1", "0.5", "0")), st.data())
def test_on_other_quotes_settled_shares_are_approached_never_passed_and_paid_from_the_money_there_is(
    world: World, rounding: Rounding, part: str, drawn: st.DataObject
) -> None:
    rules = rounded(world, rounding)
    settled = plan_rebalance(replace(world.goal, preview=True), world.snapshot, rules)
    ends = {row.code: row.ends for row in settled.rows}
    moved = tuple(drawn.draw(quotes(instrument)) for instrument in world.snapshot.instruments)
    asset = replace(world.snapshot.asset, cash=world.snapshot.asset.cash * Decimal(part))

    plan = plan_rebalance(world.goal, replace(world.snapshot, quotes=moved, asset=asset), rules, settled)

    for row in plan.rows:
        assert min(row.held, ends[row.code]) <= row.ends <= max(row.held, ends[row.code]), row
        assert row.reason or row.ends == ends[row.code], row
    proceeds = sum((row.shares * row.price - row.fee for row in plan.side(Side.SELL)), Decimal(0))
    costs = sum((row.shares * row.price + row.fee for row in plan.side(Side.BUY)), Decimal(0))
    assert not costs or costs <= asset.cash + proceeds - rules.cash_reserve
