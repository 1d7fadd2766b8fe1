"""A subset or a delta trades its own names, and leaves all others as they are."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.config_risk import RiskSection
from qws.domain.account import Position, Snapshot
from qws.domain.allocator import Unplaced
from qws.domain.market import Side
from qws.domain.plan import PlanRow
from qws.domain.planner import plan_rebalance
from qws.domain.report import planned_errors
from qws.domain.risk.judge import judge
from qws.domain.risk.memory import RiskMemory
from qws.domain.target_modes import LEFT_ALONE, changed_weights, weight_of, without_value
from qws.domain.targets import Mode, Weight
from tests.support.builders import DAY, RULES, a_goal, a_market_of, a_position, a_snapshot, changed
from tests.support.worlds import World, worlds

A, B, C = "600000.SH", "600004.SH", "600006.SH"
AGE_S = RULES.quote_age_max_s
many = settings(max_examples=100, deadline=None)


def holding(**shares: int) -> Snapshot:
    quotes, instruments = a_market_of(A, B, C)
    names = {"a": A, "b": B, "c": C}
    held = tuple(a_position(names[name], count) for name, count in shares.items())
    return a_snapshot("50000", held, quotes, instruments)


def test_what_a_subset_does_not_list_is_left_alone_and_weighs_what_it_weighs() -> None:
    seen = holding(a=2000, b=3000)
    plan = plan_rebalance(a_goal({A: "0", C: "0.1"}, mode=Mode.SUBSET), seen, RULES)

    rows = {row.code: row for row in plan.rows}
    assert (rows[A].side, rows[C].side, rows[B].side) == (Side.SELL, Side.BUY, None)
    assert (rows[B].reason, rows[B].weight, rows[B].wanted) == (LEFT_ALONE, Decimal("0.3"), 3000)
    _, after = planned_errors(plan)
    assert after < Decimal("0.01")


def test_a_full_target_of_the_same_rows_sells_it() -> None:
    plan = plan_rebalance(a_goal({A: "0", C: "0.1"}), holding(a=2000, b=3000), RULES)

    assert {row.code for row in plan.side(Side.SELL)} == {A, B}


def test_changes_start_from_what_is_held_and_end_at_nothing_at_the_lowest() -> None:
    changes = (Weight(A, Decimal("0.05")), Weight(B, Decimal("-0.9")), Weight(C, Decimal("0.1")))

    found = changed_weights(changes, holding(a=2000, b=3000), AGE_S)

    assert found == (Weight(A, Decimal("0.25")), Weight(B, Decimal(0)), Weight(C, Decimal("0.1")))


def test_a_change_of_nothing_leaves_its_name_alone_with_its_odd_lot() -> None:
    assert changed_weights((Weight(A, Decimal(0)),), holding(a=2037), AGE_S) == ()


def test_an_account_worth_nothing_has_no_weights_and_nothing_is_divided_by_it() -> None:
    empty = a_snapshot("0")

    assert changed_weights((Weight(A, Decimal("0.1")), Weight(B, Decimal("-0.1"))), empty, AGE_S) == (
        Weight(A, Decimal("0.1")),
        Weight(B, Decimal(0)),
    )


def test_a_holding_without_a_quote_weighs_what_the_broker_says_or_nobody_knows() -> None:
    held = a_position(A, 1000)
    seen = replace(holding(), positions=(held,), quotes=())
    unknown = replace(seen, positions=(replace(held, market_value=Decimal(0)),))
    changes = (Weight(A, Decimal("0.1")), Weight(B, Decimal("0.1")))

    assert weight_of(held, None, Decimal(100_000)) == Decimal("0.1")
    assert without_value(changes, seen, AGE_S) == []
    assert without_value(changes, unknown, AGE_S) == [A]


def test_an_old_quote_does_not_say_what_a_holding_weighs_and_that_of_a_halted_name_does() -> None:
    seen = holding(a=2000)
    (quote, *others) = seen.quotes
    old = replace(quote, last=quote.prev_close / 2, at=quote.at - timedelta(seconds=AGE_S + 1))
    changes = (Weight(A, Decimal("0.1")),)
    (fresh,), (stale,), (halted,) = (
        changed_weights(changes, replace(seen, quotes=(each, *others)), AGE_S)
        for each in (quote, old, replace(quote, at=old.at, suspended=True))
    )
    worthless = replace(seen, quotes=(old,), positions=(replace(seen.positions[0], market_value=Decimal(0)),))

    assert fresh == stale == halted
    assert without_value(changes, worthless, AGE_S) == [A]


def test_limits_on_what_a_target_wants_do_not_count_what_it_leaves_alone() -> None:
    plan = plan_rebalance(a_goal({C: "0.5"}, mode=Mode.SUBSET), holding(a=6000, b=3000), RULES)
    limits = RiskSection(weight_max=Decimal("0.6")).rules()
    verdict = judge(plan, RiskMemory().facts(DAY, None), limits, (), {})

    assert sum(row.weight for row in plan.rows) > 1
    assert verdict.refused is None


@many
@given(worlds(), st.sampled_from(Unplaced))
def test_only_listed_names_trade_and_never_for_more_than_there_is(world: World, unplaced: Unplaced) -> None:
    rules = changed(world.rules, allocation=replace(world.rules.allocation, unplaced=unplaced))
    plan = plan_rebalance(replace(world.goal, mode=Mode.SUBSET), world.snapshot, rules)

    listed = {weight.code for weight in world.goal.weights}
    sells, buys = plan.side(Side.SELL), plan.side(Side.BUY)
    assert {row.code for row in (*sells, *buys)} <= listed
    proceeds = sum((row.shares * row.price - row.fee for row in sells), Decimal(0))
    spent = sum((row.shares * row.price + row.fee for row in buys), Decimal(0))
    assert not buys or spent <= world.snapshot.asset.cash + proceeds - rules.cash_reserve
    for row in plan.rows:
        if row.reason == LEFT_ALONE:
            assert row.code not in listed
            assert (row.side, row.ends) == (None, row.held)
    assert {row.code for row in plan.rows} >= {each.code for each in world.snapshot.positions}


CHANGES = st.dictionaries(st.sampled_from((A, B, C)), st.decimals(-1, 1, places=3), min_size=1)


@many
@given(CHANGES, st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_once_fixed_the_changes_are_done_however_often_the_rest_is_planned(
    changes: dict[str, Decimal], a: int, b: int, c: int
) -> None:
    seen = holding(a=a * 100, b=b * 100, c=c * 100)
    wanted = changed_weights(tuple(Weight(code, each) for code, each in changes.items()), seen, AGE_S)
    goal = a_goal({each.code: str(each.weight) for each in wanted}, mode=Mode.DELTA)
    first = plan_rebalance(goal, seen, RULES)

    again = plan_rebalance(goal, traded(seen, first.rows), RULES)

    moved = {row.code: abs(row.shares) for row in again.rows if row.shares}
    assert sum(moved.values()) * 10 <= seen.asset.total / 20  # what prices beyond the mark left over; never the change
    for row in again.rows:
        before = next(each for each in first.rows if each.code == row.code)
        assert abs(row.ends - before.ends) <= max(200, before.shares // 20)


def traded(seen: Snapshot, plan: tuple[PlanRow, ...]) -> Snapshot:
    """The account when a plan has filled at its marks, without fees."""
    held = tuple(Position(row.code, row.ends, row.ends, row.ends * row.mark) for row in plan if row.ends)
    value = sum((each.market_value for each in held), Decimal(0))
    asset = replace(seen.asset, cash=seen.asset.total - value, market_value=value)
    return replace(seen, positions=held, asset=asset)


@pytest.mark.parametrize("mode", list(Mode))
def test_a_filtered_row_keeps_its_holding_in_every_mode(mode: Mode) -> None:
    plan = plan_rebalance(a_goal({A: "0.1"}, filtered=(B,), mode=mode), holding(a=1000, b=3000), RULES)

    assert {row.code: row.reason for row in plan.rows if row.code == B} == {B: "row_filtered"}
