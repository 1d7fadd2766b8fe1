from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.lots import is_legal_buy, is_legal_sell, largest_legal_buy, largest_legal_sell, split
from qws.domain.market import Instrument, Side
from qws.tables import load_rules

RULES = load_rules()
DAY = date(2026, 9, 1)
CODES = ("600519.SH", "300750.SZ", "688981.SH", "920002.BJ", "510300.SH", "508056.SH", "113050.SH")
instruments = st.sampled_from(CODES).map(lambda code: RULES.instrument(code, DAY, Decimal(10)))
quantities = st.integers(0, 3000)


def of(code: str) -> Instrument:
    return RULES.instrument(code, DAY, Decimal(10))


def sell_ok(least: int, step: int, sellable: int, shares: int) -> bool:
    """The rule book's own reference for the odd-lot rule."""
    if not 0 < shares <= sellable:
        return False
    if step == 1:
        return shares >= least or shares == sellable
    odd = sellable % least
    return shares % least == 0 or (odd > 0 and shares % least == odd)


def test_of_299_shares_only_whole_lots_and_the_whole_remainder_leave() -> None:
    legal = [shares for shares in range(300) if is_legal_sell(of("600519.SH"), 299, shares)]

    assert legal == [99, 100, 199, 200, 299]


@pytest.mark.parametrize(
    ("code", "legal", "refused"),
    [
        ("600519.SH", (100, 1000), (0, -100, 99, 101)),
        ("688981.SH", (200, 201, 333), (199, 100)),
        ("920002.BJ", (100, 101), (99,)),
        ("113050.SH", (10, 20), (1, 15)),
    ],
)
def test_buys_keep_to_the_minimum_and_the_step(code: str, legal: tuple[int, ...], refused: tuple[int, ...]) -> None:
    instrument = of(code)

    assert [is_legal_buy(instrument, shares) for shares in (*legal, *refused)] == [True] * len(legal) + [False] * len(
        refused
    )


@given(instrument=instruments, sellable=quantities, shares=quantities)
def test_a_sell_is_legal_exactly_when_the_reference_says_so(instrument: Instrument, sellable: int, shares: int) -> None:
    expected = sell_ok(instrument.buy_min, instrument.buy_step, sellable, shares)

    assert is_legal_sell(instrument, sellable, shares) is expected


@given(instrument=instruments, shares=st.integers(-5, 1500))
def test_the_largest_legal_buy_is_the_greatest_not_above(instrument: Instrument, shares: int) -> None:
    best = max((n for n in range(1, shares + 1) if is_legal_buy(instrument, n)), default=0)

    assert largest_legal_buy(instrument, shares) == best


@given(instrument=instruments, sellable=st.integers(0, 700), shares=st.integers(-5, 800))
def test_the_largest_legal_sell_is_the_greatest_not_above(instrument: Instrument, sellable: int, shares: int) -> None:
    least, step = instrument.buy_min, instrument.buy_step
    best = max((n for n in range(1, shares + 1) if sell_ok(least, step, sellable, n)), default=0)

    assert largest_legal_sell(instrument, sellable, shares) == best


@given(instrument=instruments, order_max=st.integers(400, 1000), wanted=st.integers(1, 5000))
def test_children_of_a_buy_are_legal_within_the_maximum_and_sum_up(
    instrument: Instrument, order_max: int, wanted: int
) -> None:
    instrument = replace(instrument, order_max=order_max)
    shares = largest_legal_buy(instrument, wanted) or instrument.buy_min
    children = split(instrument, Side.BUY, shares)

    assert sum(children) == shares
    assert all(is_legal_buy(instrument, child) and child <= order_max for child in children)


@given(
    instrument=instruments, order_max=st.integers(400, 1000), sellable=st.integers(1, 6000), wanted=st.integers(1, 6000)
)
def test_children_of_a_sell_are_legal_one_after_the_other(
    instrument: Instrument, order_max: int, sellable: int, wanted: int
) -> None:
    instrument = replace(instrument, order_max=order_max)
    shares = largest_legal_sell(instrument, sellable, wanted) or sellable
    children = split(instrument, Side.SELL, shares, sellable)
    left = sellable
    for child in children:
        assert is_legal_sell(instrument, left, child)
        assert child <= order_max
        left -= child

    assert sellable - left == shares
    assert sum(child % instrument.buy_min > 0 for child in children) <= 1 or instrument.buy_step == 1


@pytest.mark.parametrize(
    ("code", "shares", "children"),
    [
        ("300750.SZ", 700_000, (300_000, 300_000, 100_000)),
        ("688981.SH", 100_150, (99_950, 200)),
        ("688981.SH", 200_150, (100_000, 99_950, 200)),
        ("920002.BJ", 1_000_050, (999_950, 100)),
        ("600519.SH", 1_000_000, (1_000_000,)),
    ],
)
def test_a_split_is_greedy_and_leaves_no_short_tail(code: str, shares: int, children: tuple[int, ...]) -> None:
    assert split(of(code), Side.BUY, shares) == children


def test_an_illegal_order_is_not_split() -> None:
    with pytest.raises(ValueError, match="breaks the lot rules"):
        split(of("600519.SH"), Side.BUY, 150)
    with pytest.raises(ValueError, match="breaks the lot rules"):
        split(of("600519.SH"), Side.SELL, 150, 140)


def test_a_maximum_below_two_lots_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="cannot be cut"):
        split(replace(of("688981.SH"), order_max=300), Side.BUY, 350)
