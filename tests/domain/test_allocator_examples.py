from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal as D
from itertools import product

import pytest

from qws.domain.allocator import Budget, Rounding, Unplaced, allocate
from qws.domain.candidate import Candidate
from qws.domain.lots import is_legal_buy, is_legal_sell
from qws.domain.market import Side
from tests.support.accounts import CODES, OPTIMAL, a_name, judged, outlay
from tests.support.builders import FEE


def brute_force(names: Sequence[Candidate], budget: Budget) -> D:
    """The least of error and fees over every choice of legal trades around the targets."""
    choices = []
    for each in names:
        ideal = int(each.weight * budget.total / each.mark)
        ends = {each.held, 0, *range(max(0, ideal // 100 - 6) * 100, ideal // 100 * 100 + 201, 100)}
        if each.buy_step == 1:
            ends.update((each.held + each.buy_min, ideal))
        towards = 1 if ideal >= each.held else -1
        least = ideal - 2 * each.buy_min
        trades = {end - each.held for end in ends if end >= least and (end - each.held) * towards >= 0}
        choices.append(
            [
                trade
                for trade in trades
                if trade == 0
                or (trade > 0 and is_legal_buy(each, trade))
                or (trade < 0 and is_legal_sell(each, each.sellable, -trade))
            ]
        )
    payable = [
        judged(names, budget, trades)
        for trades in product(*choices)
        if sum((outlay(each, trade) for each, trade in zip(names, trades, strict=True)), D(0)) <= budget.cash
    ]
    return min(payable)


def test_small_accounts_come_within_two_percent_of_brute_force() -> None:
    chance = random.Random(20221220)
    ratios, lost = [], []
    for _ in range(400):
        parts = [(chance.choice(("600", "000", "688")), chance.randint(1, 50)) for _ in range(chance.choice((2, 3)))]
        whole = sum(part for _, part in parts)
        names = [
            a_name(
                f"{prefix}{number:03d}.{'SZ' if prefix == '000' else 'SH'}",
                str((D(part) / whole).quantize(D("0.000001"), "ROUND_DOWN")),
                str(D(chance.randint(300, 12_000)) / 100),
                chance.choice((0, 100 * chance.randint(2, 6))),
            )
            for number, (prefix, part) in enumerate(parts)
        ]
        cash = D(chance.randint(20_000, 200_000))
        budget = Budget(cash, cash + sum((each.held * each.mark for each in names), D(0)), D(0))
        found = judged(names, budget, [got.trade for got in allocate(names, budget, OPTIMAL, FEE)])
        best = brute_force(names, budget)
        ratios.append(found / best)
        lost.append((found - best) / budget.total)

    assert sum(ratio <= D("1.02") for ratio in ratios) >= 0.97 * len(ratios)
    assert max(lost) < D("0.02")


def test_the_last_lot_goes_where_it_covers_most_per_yuan() -> None:
    names = [a_name("600000.SH", "0.5", "10.00"), a_name("600001.SH", "0.5", "11.00")]
    budget = Budget(D(10_000), D(10_000), D(0))

    assert [got.trade for got in allocate(names, budget, OPTIMAL, FEE)] == [500, 400]


def test_a_costly_lot_is_bought_when_it_is_worth_what_the_others_give_up() -> None:
    names = [a_name("600519.SH", "0.45", "1700.00"), *(a_name(f"60000{n}.SH", "0.055", "10.00") for n in range(10))]
    budget = Budget(D(300_000), D(300_000), D(0))

    assert allocate(names, budget, OPTIMAL, FEE)[0].trade == 100


def test_no_name_is_rounded_up_beyond_the_heaviest_weight_allowed() -> None:
    names = [a_name("600000.SH", "0.3", "420.00"), a_name("600001.SH", "0.2", "10.00")]
    budget = Budget(D(100_000), D(100_000), D(0))

    assert allocate(names, budget, OPTIMAL, FEE)[0] == (100, 100, "")
    assert allocate(names, budget, replace(OPTIMAL, weight_max=D("0.4")), FEE)[0] == (0, 0, "")


def test_a_name_inside_the_drift_band_is_left_alone_but_an_exit_is_not() -> None:
    names = [a_name("600000.SH", "0.50", held=4700), a_name("600001.SH", "0", held=100), a_name("600002.SH", "0.4")]
    budget = Budget(D(52_000), D(100_000), D(0))
    found = allocate(names, budget, replace(OPTIMAL, drift_band=D("0.05")), FEE)

    assert found[0] == (5000, 0, "drift_band")
    assert found[1] == (0, -100, "")
    assert found[2].trade == 4000


@pytest.mark.parametrize("rounding", Rounding)
def test_weight_that_cannot_be_placed_stays_cash_or_goes_to_the_others(rounding: Rounding) -> None:
    names = [
        a_name("600000.SH", "0.5", no_buy="limit_up"),
        a_name("600001.SH", "0.3", spread="0"),
        a_name("600002.SH", "0.2", spread="0"),
    ]
    budget = Budget(D(1_000_000), D(1_000_000), D(0))
    choice = replace(OPTIMAL, rounding=rounding)

    as_cash = allocate(names, budget, choice, FEE)
    raised = allocate(names, budget, replace(choice, unplaced=Unplaced.PRO_RATA), FEE)
    capped = allocate(names, budget, replace(choice, unplaced=Unplaced.PRO_RATA, weight_max=D("0.4")), FEE)

    assert as_cash[0] == (50_000, 0, "limit_up")
    assert [got.trade for got in as_cash[1:]] == [30_000, 20_000]
    assert [got.wanted for got in raised[1:]] == pytest.approx([60_000, 40_000], abs=100)
    assert [got.wanted for got in capped[1:]] == [40_000, 40_000]


def test_a_fee_ceiling_is_never_below_the_fees_of_the_orders() -> None:
    chance = random.Random(5)
    for _ in range(3000):
        code, side = chance.choice(CODES), chance.choice(list(Side))
        price = D(chance.randint(1, 200_000)) / 100
        children = [chance.randint(1, 5000) for _ in range(chance.choice((1, 1, 2, 3)))]
        paid = sum((FEE(code, side, child, price) for child in children), D(0))
        ceiling = FEE.ceiling(code, side, 10_000).of(int(sum(children) * price * 10_000), len(children))
        assert paid <= D(ceiling) / 10_000 <= paid + D("0.05") * len(children) + 5 * (len(children) - 1)
