from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal as D

from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.allocator import AllocationRules, Rounding, Unplaced, allocate, target_values
from qws.domain.lots import is_legal_buy, is_legal_sell
from tests.support.accounts import CODES, OPTIMAL, TRIFLE, Account, accounts, an_account, judged, left_of, rules
from tests.support.builders import FEE

many = settings(max_examples=200, deadline=None)


@many
@given(accounts, rules)
def test_optimal_never_spends_more_than_cash_and_net_proceeds_less_the_reserve(
    account: Account, choice: AllocationRules
) -> None:
    names, budget = account
    found = allocate(names, budget, replace(choice, rounding=Rounding.OPTIMAL), FEE)

    is_buying = any(got.trade > 0 for got in found)
    assert not is_buying or left_of(names, budget, found) >= budget.reserve


@many
@given(accounts, rules)
def test_every_trade_is_legal_and_on_a_side_that_trades(account: Account, choice: AllocationRules) -> None:
    names, budget = account

    for each, got in zip(names, allocate(names, budget, choice, FEE), strict=True):
        assert got.trade <= 0 or (is_legal_buy(each, got.trade) and not each.no_buy)
        assert got.trade >= 0 or (is_legal_sell(each, each.sellable, -got.trade) and not each.no_sell)


@many
@given(accounts, rules)
def test_whoever_ends_off_the_target_has_a_reason(account: Account, choice: AllocationRules) -> None:
    names, budget = account

    for each, got in zip(names, allocate(names, budget, choice, FEE), strict=True):
        assert (got.reason == "") == (got.wanted == each.held + got.trade) or (each.no_buy and each.no_sell)
        if each.no_buy and each.no_sell:
            assert got == (each.held, 0, each.no_sell)


@many
@given(accounts, rules)
def test_trades_go_towards_the_target_and_at_most_a_few_smallest_orders_beyond_it(
    account: Account, choice: AllocationRules
) -> None:
    names, budget = account
    choice = replace(choice, rounding=Rounding.OPTIMAL)
    values = target_values(names, budget.total, choice)

    for each, value, got in zip(names, values, allocate(names, budget, choice, FEE), strict=True):
        gap = value / each.mark - each.held
        assert got.trade * gap >= 0
        assert abs(got.trade) <= abs(gap) + (each.buy_min if got.trade > 0 else 3 * each.buy_min)


@many
@given(accounts, rules)
def test_an_exit_takes_everything_that_can_be_sold(account: Account, choice: AllocationRules) -> None:
    names, budget = account
    names = [replace(each, weight=D(0)) for each in names]

    for each, got in zip(names, allocate(names, budget, choice, FEE), strict=True):
        assert got.trade == (0 if each.no_sell else -each.sellable)


@many
@given(accounts, rules, st.integers(0, 5))
def test_the_order_of_the_names_makes_no_difference(account: Account, choice: AllocationRules, seed: int) -> None:
    names, budget = account
    mixed = random.Random(seed).sample(names, len(names))

    first = dict(zip([each.code for each in names], allocate(names, budget, choice, FEE), strict=True))
    second = dict(zip([each.code for each in mixed], allocate(mixed, budget, choice, FEE), strict=True))
    assert first == second


@settings(max_examples=400, deadline=None)
@given(accounts, rules)
def test_planning_again_after_all_fills_trades_nothing(account: Account, choice: AllocationRules) -> None:
    names, budget = account
    choice = replace(choice, unplaced=Unplaced.CASH, rounding=Rounding.OPTIMAL)
    found = allocate(names, budget, choice, FEE)
    held = [
        replace(each, held=each.held + got.trade, sellable=each.sellable + min(got.trade, 0))
        for each, got in zip(names, found, strict=True)
    ]

    again = allocate(held, replace(budget, cash=left_of(names, budget, found)), choice, FEE)

    assert [got.trade for got in again if got.trade] == []


def test_optimal_is_as_good_as_the_simple_rules_that_can_be_paid() -> None:
    lost = []
    for seed in range(1500):
        chance = random.Random(seed)
        rows = [
            (code, chance.randint(0, 50), chance.randint(101, 9000), chance.choice((0, 0, 300, 1234)), 0)
            for code in chance.sample(CODES, chance.randint(1, 8))
        ]
        names, budget = an_account(rows, chance.randint(2_000_000, 50_000_000), chance.choice((1, 2)), 0)
        found = {each: allocate(names, budget, replace(OPTIMAL, rounding=each), FEE) for each in Rounding}
        best = judged(names, budget, [got.trade for got in found[Rounding.OPTIMAL]])
        for simple in (Rounding.PRD, Rounding.FLOOR):
            if left_of(names, budget, found[simple]) >= budget.reserve:
                worse = judged(names, budget, [got.trade for got in found[simple]])
                lost.append((best - worse) / budget.total)

    assert len(lost) > 1500
    assert sum(each > TRIFLE for each in lost) < 0.005 * len(lost)
    assert max(lost) < D("0.02")
