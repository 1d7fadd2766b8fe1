"""Execution quality against a table worked by hand, and the story that it is gathered from."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.domain.quality import Arrival, Part, Work, quality_of
from qws.domain.story import Gathering
from tests.support.builders import a_fill, a_plan, a_quote, an_order, at

SENT = at("10:00:00")


def part(shares: int, price: str, seconds: int, fee: str | None) -> Part:
    return Part(shares, Decimal(price), SENT + timedelta(seconds=seconds), None if fee is None else Decimal(fee))


def arrival(bid: str | None, ask: str | None, last: str | None) -> Arrival:
    return Arrival(*(None if price is None else Decimal(price) for price in (bid, ask, last)))


BUY = Work(
    "600000.SH", Side.BUY, 1000, Decimal("10.05"), arrival("9.99", "10.01", "10.00"), SENT,
    (part(600, "10.01", 1, "3"), part(400, "10.02", 4, "2")),
)  # fmt: skip
SELL = Work(
    "000001.SZ", Side.SELL, 500, Decimal("19.90"), arrival("19.98", "20.02", "19.99"), SENT,
    (part(300, "19.98", 10, "10"),),
)  # fmt: skip


def test_a_buy_and_a_sell_worked_by_hand() -> None:
    assert BUY.average == Decimal("10.014")
    assert BUY.cost_against(BUY.arrival.mid) == 14
    assert BUY.slippage_bp(BUY.arrival.mid) == 14
    assert SELL.slippage_bp(SELL.arrival.mid) == 10
    assert SELL.cost_against(SELL.arrival.last) == 3

    both = quality_of([BUY, SELL])

    assert (both.names, both.planned, both.traded, both.fees) == (2, 20_000, 16_008, 15)
    assert both.fill_ratio == pytest.approx(0.8)
    assert both.slippage_mid_bp == pytest.approx((14 + 6) / 16_000 * 1e4)
    assert both.slippage_last_bp == pytest.approx((14 + 3) / (10_000 + 5_997) * 1e4)
    assert both.spread_bp == pytest.approx((10 + 6) / 16_000 * 1e4)
    assert both.fees_bp == pytest.approx(15 / 16_008 * 1e4)
    assert both.cost_bp == pytest.approx(12.5 + 15 / 16_008 * 1e4)
    assert (both.fill_s, both.fill_s_max) == (7, 10)


def test_a_better_price_is_a_negative_cost_on_both_sides() -> None:
    cheap = replace(BUY, parts=(part(100, "9.98", 1, "5"),))
    dear = replace(SELL, parts=(part(100, "20.05", 1, "5"),))

    assert cheap.slippage_bp(cheap.arrival.mid) == -20
    assert dear.slippage_bp(dear.arrival.mid) == -25


def test_what_nobody_knows_is_nothing_and_not_zero() -> None:
    locked = replace(BUY, arrival=arrival("10.00", None, "10.00"), sent_at=None)
    blind = replace(SELL, arrival=arrival(None, None, None), parts=(part(300, "19.98", 10, None),))
    idle = replace(BUY, parts=())

    assert (locked.slippage_bp(locked.arrival.mid), locked.fill_s) == (None, None)
    assert locked.slippage_bp(locked.arrival.last) == 14
    assert quality_of([blind]).fees is None
    assert quality_of([blind], Decimal(12)).fees_bp == pytest.approx(12 / 5994 * 1e4)
    assert (quality_of([blind]).slippage_mid_bp, quality_of([blind]).fill_ratio) == (None, pytest.approx(0.6))
    assert (quality_of([idle]).fill_ratio, quality_of([idle]).slippage_mid_bp, quality_of([]).fill_ratio) == (
        0,
        None,
        None,
    )


@given(st.lists(st.tuples(st.integers(1, 50), st.integers(900, 1100)), min_size=1, max_size=8))
def test_slippage_of_all_fills_lies_between_that_of_the_best_and_the_worst(fills: list[tuple[int, int]]) -> None:
    parts = tuple(part(lots * 100, str(Decimal(cents) / 100), 1, "5") for lots, cents in fills)
    whole = replace(BUY, parts=parts).slippage_bp(Decimal(10))
    each = [bp for one in parts if (bp := replace(BUY, parts=(one,)).slippage_bp(Decimal(10))) is not None]

    assert whole is not None
    assert min(each) <= whole + Decimal("1e-18")
    assert whole <= max(each) + Decimal("1e-18")


def test_a_story_takes_the_first_look_the_first_plan_and_each_fill_once() -> None:
    order = an_order(shares=1000)
    first, later = a_quote(order.code), a_quote(order.code, bids=("10.49",), asks=("10.51",))
    gathering = Gathering()
    for _ in range(2):  # told again, as after a restart
        gathering.look([first])
        gathering.plan(a_plan(buys={order.code: 1000}))
        gathering.sent(order.code, Side.BUY, at("10:00:00"))
        gathering.fill(a_fill(order, 400, fee=None))
        gathering.look([later])
        gathering.plan(a_plan(buys={order.code: 600}, attempt=1))
        gathering.sent(order.code, Side.BUY, at("10:01:00"))
        gathering.fill(a_fill(order, 600, 2, when=at("10:01:05")))
        gathering.fill(a_fill(order, 400))

    (work,) = gathering.story().works

    assert (work.planned, work.filled, work.fees, work.fill_s) == (1000, 1000, 10, 65.0)
    assert work.arrival == Arrival.of(first)
