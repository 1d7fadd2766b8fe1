from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal as D
from itertools import product
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.allocator import (
    Allocation,
    AllocationRules,
    Budget,
    Candidate,
    Rounding,
    Unplaced,
    allocate,
    target_values,
    tracking_error,
)
from qws.domain.lots import is_legal_buy, is_legal_sell, split
from qws.domain.market import Side
from qws.domain.planner import plan_rebalance
from qws.domain.pricing import NoPrice, hold_reason, limit_price, mark_price
from tests.support.builders import FEE
from tests.support.worlds import World, worlds

REASONS = {
    "", "limit_up", "limit_down", "suspended", "no_quote", "stale_quote", "t_plus_1", "lot", "min_order", "cash",
    "cost", "protected", "not_managed", "row_filtered", "drift_band",
}  # fmt: skip
PLAIN = AllocationRules(Rounding.OPTIMAL, Unplaced.CASH, D(0), D(0), None)
Account = tuple[list[Candidate], Budget]
many = settings(max_examples=200, deadline=None)


def a_name(
    code: str, weight: str, price: str = "10.00", held: int = 0, sellable: int | None = None, *,
    spread: str = "0.01", no_buy: str = "", no_sell: str = "",
) -> Candidate:  # fmt: skip
    mark, half = D(price), D(spread)
    lots = {"688": (200, 1, 100_000), "920": (100, 1, 1_000_000), "113": (10, 10, 1_000_000)}
    can_sell = held if sellable is None else sellable
    return Candidate(
        code, D(weight), held, can_sell, mark, mark + half, mark - half, no_buy, no_sell,
        *lots.get(code[:3], (100, 100, 1_000_000)),
    )  # fmt: skip


CODES = [f"{prefix}{n:03d}.{suffix}" for n in range(4) for prefix, suffix in (
    ("600", "SH"), ("688", "SH"), ("920", "BJ"), ("300", "SZ"), ("113", "SH"))]  # fmt: skip


def an_account(rows: list[tuple[str, int, int, int, int]], cash: int, whole: int, reserve: int) -> Account:
    """Any account: holdings of any size, blocked sides, T+1, more or less cash than needed."""
    total = max(1, sum(part for _, part, *_ in rows)) * whole
    names = []
    for code, part, price, held, flags in rows:
        no_sell = ("", "", "", "", "limit_down", "protected")[flags % 6]
        names.append(
            a_name(
                code,
                str((D(part) / total).quantize(D("0.000001"), "ROUND_DOWN")),
                str(D(price) / 100),
                held // 100 * 100 if flags % 3 else held,
                (held // 100 * 100, held // 200 * 100, 0)[max(0, flags // 8 % 6 - 3)] if flags % 3 else held,
                spread=str(D(flags // 64 % 6) / 100),
                no_buy=no_sell if no_sell == "protected" else ("", "", "", "limit_up")[flags // 512 % 4],
                no_sell=no_sell,
            )
        )
    worth = sum((each.held * each.mark for each in names), D(0))
    return names, Budget(D(cash) / 100, D(cash) / 100 + worth or D(1), D(reserve))


accounts = st.builds(
    an_account,
    st.lists(
        st.tuples(
            st.sampled_from(CODES),
            st.integers(0, 50),
            st.integers(101, 20_000),
            st.one_of(st.just(0), st.integers(0, 3000)),
            st.integers(0, 2047),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda row: row[0],
    ),
    st.integers(0, 30_000_000),
    st.sampled_from((1, 1, 2)),
    st.sampled_from((0, 0, 0, 700)),
)
rules = st.builds(
    AllocationRules,
    st.sampled_from(Rounding),
    st.sampled_from(Unplaced),
    st.sampled_from((D(0), D(0), D("0.01"), D("0.1"))),
    st.sampled_from((D(0), D(0), D(1000), D(20_000))),
    st.sampled_from((None, None, D("0.3"))),
)


def trades(names: Sequence[Candidate], answer: Allocation) -> Iterator[tuple[Candidate, int]]:
    for each, got in zip(names, answer.allotments, strict=True):
        yield each, got.shares if got.side is Side.BUY else -got.shares


def outlay(each: Candidate, trade: int) -> D:
    """What a signed trade takes from the cash, order by order."""
    if not trade:
        return D(0)
    side, price = (Side.BUY, each.buy_price) if trade > 0 else (Side.SELL, each.sell_price)
    return trade * price + sum(
        (FEE(each.code, side, child, price) for child in split(each, side, abs(trade), each.sellable)), D(0)
    )


def after_fills(names: Sequence[Candidate], budget: Budget, answer: Allocation) -> Account:
    """The account when everything filled; what was bought cannot be sold today. The total stays the agreed one."""
    held = [
        replace(each, held=each.held + trade, sellable=each.sellable + min(trade, 0))
        for each, trade in trades(names, answer)
    ]
    return held, replace(budget, cash=answer.cash_left)


@many
@given(accounts, rules)
def test_no_more_is_spent_than_cash_and_net_proceeds_less_the_reserve(
    account: Account, choice: AllocationRules
) -> None:
    names, budget = account
    answer = allocate(names, budget, choice, FEE)

    left = budget.cash - sum((outlay(each, trade) for each, trade in trades(names, answer)), D(0))
    assert answer.cash_left == left
    assert left >= budget.reserve or not any(trade > 0 for _, trade in trades(names, answer))


@many
@given(accounts, rules)
def test_every_trade_is_legal_and_on_a_side_that_trades(account: Account, choice: AllocationRules) -> None:
    names, budget = account
    answer = allocate(names, budget, choice, FEE)

    for each, trade in trades(names, answer):
        assert trade <= 0 or (is_legal_buy(each, trade) and not each.no_buy)
        assert trade >= 0 or (is_legal_sell(each, each.sellable, -trade) and not each.no_sell)
        price = each.buy_price if trade > 0 else each.sell_price
        assert not trade or abs(trade) * price >= choice.trade_min


@many
@given(accounts, rules)
def test_whoever_ends_off_the_target_has_a_reason(account: Account, choice: AllocationRules) -> None:
    names, budget = account
    answer = allocate(names, budget, choice, FEE)

    for (each, trade), got in zip(trades(names, answer), answer.allotments, strict=True):
        assert got.code == each.code
        assert got.reason in REASONS
        is_held = bool(each.no_buy and each.no_sell)
        assert (got.reason == "") == (got.wanted == each.held + trade) or is_held
        if is_held:
            assert (got.wanted, got.reason) == (each.held, each.no_sell)
        elif choice.rounding is Rounding.OPTIMAL and not got.reason:
            assert abs(got.value / each.mark - each.held - trade) < each.buy_step


@many
@given(accounts, rules)
def test_trades_go_towards_the_target_and_at_most_a_step_beyond_it(account: Account, choice: AllocationRules) -> None:
    names, budget = account
    answer = allocate(names, budget, replace(choice, rounding=Rounding.OPTIMAL), FEE)

    for (each, trade), got in zip(trades(names, answer), answer.allotments, strict=True):
        gap = got.value / each.mark - each.held
        assert trade * gap >= 0
        smallest = max(D(each.buy_min), choice.trade_min / each.buy_price) + each.buy_step
        assert trade <= max(gap, D(0)) + smallest


@many
@given(accounts, rules)
def test_an_exit_takes_everything_that_can_be_sold(account: Account, choice: AllocationRules) -> None:
    names, budget = account
    names = [replace(each, weight=D(0)) for each in names]
    answer = allocate(names, budget, replace(choice, trade_min=D(0)), FEE)

    for each, trade in trades(names, answer):
        assert trade == (0 if each.no_sell else -each.sellable)


@many
@given(accounts, rules, st.integers(0, 5))
def test_the_order_of_the_names_makes_no_difference(account: Account, choice: AllocationRules, seed: int) -> None:
    names, budget = account
    mixed = random.Random(seed).sample(names, len(names))

    first, second = allocate(names, budget, choice, FEE), allocate(mixed, budget, choice, FEE)
    assert {each.code: each for each in first.allotments} == {each.code: each for each in second.allotments}


@settings(max_examples=400, deadline=None)
@given(accounts, rules)
def test_planning_again_after_all_fills_trades_nothing(account: Account, choice: AllocationRules) -> None:
    names, budget = account
    choice = replace(choice, unplaced=Unplaced.CASH)
    held, left = after_fills(names, budget, allocate(names, budget, choice, FEE))

    again = allocate(held, left, choice, FEE)

    assert [got for got in again.allotments if got.shares] == []


@many
@given(accounts)
def test_optimal_is_never_worse_than_the_simple_rules(account: Account) -> None:
    names, budget = account
    errors = {each: allocate(names, budget, replace(PLAIN, rounding=each), FEE).error_after for each in Rounding}

    few = D(60) / budget.total
    assert errors[Rounding.OPTIMAL] <= min(errors.values()) * D("1.02") + few
