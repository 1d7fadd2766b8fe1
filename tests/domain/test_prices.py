from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.domain.prices import CageRule, cage_base, cage_bound, ceil_tick, floor_tick, half_up, is_on_tick

ticks = st.sampled_from([D("0.01"), D("0.001"), D("0.005")])
values = st.decimals(min_value=D("0.0001"), max_value=D(100_000), places=6)
prices = st.integers(1, 500_000).map(lambda cents: D(cents) / 100)
cages = st.builds(CageRule, rate=st.sampled_from([D("0.02"), D("0.05")]), ticks=st.sampled_from([0, 10]))
MAIN, STAR, BEIJING = CageRule(D("0.02"), 10), CageRule(D("0.02"), 0), CageRule(D("0.05"), 10)
CENT = D("0.01")


@given(value=values, tick=ticks)
def test_rounding_lands_on_the_tick_within_half_a_tick(value: D, tick: D) -> None:
    down, near, up = floor_tick(value, tick), half_up(value, tick), ceil_tick(value, tick)

    assert all(price % tick == 0 for price in (down, near, up))
    assert down <= value <= up
    assert near in (down, up)
    assert -tick / 2 < near - value <= tick / 2


def test_a_tie_goes_up_and_keeps_the_decimals_of_the_tick() -> None:
    assert [str(half_up(D(text), CENT)) for text in ("11.055", "11.0549", "5", "500")] == [
        "11.06",
        "11.05",
        "5.00",
        "500.00",
    ]


@pytest.mark.parametrize(("price", "on"), [("10.01", True), ("10.015", False), ("0", False), ("-0.01", False)])
def test_a_quotable_price_is_positive_and_on_the_tick(price: str, on: bool) -> None:
    assert is_on_tick(D(price), CENT) is on


@pytest.mark.parametrize(
    ("rule", "side", "base", "bound"),
    [
        (MAIN, "buy", "10.00", "10.20"),
        (MAIN, "buy", "3.00", "3.10"),
        (MAIN, "buy", "10.25", "10.46"),
        (MAIN, "sell", "3.00", "2.90"),
        (MAIN, "sell", "11.40", "11.17"),
        (MAIN, "buy", "4.00", "4.10"),
        (STAR, "buy", "3.00", "3.06"),
        (STAR, "sell", "50.05", "49.05"),
        (BEIJING, "buy", "1.50", "1.60"),
        (MAIN, "buy", "7.77", "7.93"),
        (STAR, "buy", "0.20", "0.21"),
        (STAR, "sell", "0.20", "0.19"),
        (MAIN, "sell", "0.05", "0.01"),
    ],
)
def test_the_cage_follows_the_worked_examples(rule: CageRule, side: str, base: str, bound: str) -> None:
    assert cage_bound(rule, Side(side), D(base), CENT) == D(bound)


@given(rule=cages, base=prices)
def test_the_cage_leaves_at_least_one_tick_of_room_on_either_side(rule: CageRule, base: D) -> None:
    cap, floor = cage_bound(rule, Side.BUY, base, CENT), cage_bound(rule, Side.SELL, base, CENT)

    assert cap >= base + CENT
    assert CENT <= floor <= max(base - CENT, CENT)
    assert cap % CENT == floor % CENT == 0


@pytest.mark.parametrize(
    ("bid", "ask", "last", "buy", "sell"),
    [
        ("9.99", "10.00", "9.98", "10.00", "9.99"),
        ("9.99", None, "9.98", "9.99", "9.99"),
        (None, "10.00", "9.98", "10.00", "10.00"),
        ("0", "0", "9.98", "9.98", "9.98"),
        (None, None, None, "9.50", "9.50"),
    ],
)
def test_the_cage_base_walks_down_the_ladder(
    bid: str | None, ask: str | None, last: str | None, buy: str, sell: str
) -> None:
    book = {name: None if text is None else D(text) for name, text in (("bid", bid), ("ask", ask), ("last", last))}
    bases = [cage_base(side, **book, prev_close=D("9.50")) for side in (Side.BUY, Side.SELL)]

    assert bases == [D(buy), D(sell)]


def test_a_cage_without_any_price_is_an_error() -> None:
    with pytest.raises(ValueError, match="no price"):
        cage_base(Side.BUY, bid=None, ask=None, last=None, prev_close=D(0))
