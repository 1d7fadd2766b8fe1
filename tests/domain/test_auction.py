from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.auction import AuctionOrder, uncross
from qws.domain.market import Exchange, Side
from qws.domain.prices import half_up

CENT = D("0.01")
orders = st.lists(
    st.tuples(st.sampled_from(Side), st.integers(990, 1010), st.integers(1, 9)), min_size=1, max_size=14
).map(
    lambda rows: [AuctionOrder(str(n), side, D(cents) / 100, lots * 100) for n, (side, cents, lots) in enumerate(rows)]
)


def book(text: str) -> list[AuctionOrder]:
    """Orders from "10.02x100 / 10.00x100": buys, then sells, each in time order."""
    return [
        AuctionOrder(f"{side}{n}", side, D(part.split("x")[0]), int(part.split("x")[1]))
        for side, parts in zip(Side, text.split(" / "), strict=True)
        for n, part in enumerate(parts.split(", "), 1)
    ]


def price_by_reference(exchange: Exchange, given: list[AuctionOrder], reference: D) -> D | None:
    """The rule book's pseudo-code, tick by tick."""

    def volume_of(side: Side, low: D, high: D) -> int:
        return sum(o.shares for o in given if o.side is side and low <= o.price <= high)

    def bought(price: D) -> int:
        return volume_of(Side.BUY, price, D(99))

    def sold(price: D) -> int:
        return volume_of(Side.SELL, D(0), price)

    quoted = sorted({order.price for order in given})
    ticks = [quoted[0] + CENT * n for n in range(int((quoted[-1] - quoted[0]) / CENT) + 1)]
    candidates = quoted if exchange is Exchange.SH else ticks
    most = max(min(bought(p), sold(p)) for p in candidates)
    if most == 0:
        return None
    candidates = [
        p for p in candidates if min(bought(p), sold(p)) == most and bought(p + CENT) <= most and sold(p - CENT) <= most
    ]
    least = min(abs(bought(p) - sold(p)) for p in candidates)
    candidates = [p for p in candidates if abs(bought(p) - sold(p)) == least]
    if exchange is Exchange.SH:
        return half_up((candidates[0] + candidates[-1]) / 2, CENT)
    return min(candidates, key=lambda p: (abs(p - reference), p))


@pytest.mark.parametrize(
    ("text", "reference", "shanghai", "shenzhen", "volume"),
    [
        ("10.10x300, 10.05x500, 10.00x800 / 9.95x400, 10.00x600, 10.05x700", "10.00", "10.00", "10.00", 1000),
        ("10.02x100 / 10.00x100", "10.05", "10.01", "10.02", 100),
        ("10.02x100 / 10.00x100", "9.90", "10.01", "10.00", 100),
        ("10.02x100 / 10.00x100", "10.01", "10.01", "10.01", 100),
        ("10.00x100 / 10.01x100", "10.00", None, None, 0),
        ("10.05x1000, 10.02x500 / 10.00x1000", "10.00", "10.05", "10.03", 1000),
        ("10.05x1000 / 10.00x600, 10.03x400", "10.00", "10.04", "10.03", 1000),
        ("10.00x500, 9.95x500, 9.90x500 / 9.90x2000", "10.00", "9.90", "9.90", 1500),
        ("11.00x3000, 11.00x2000 / 10.50x1000, 11.00x1500", "10.00", "11.00", "11.00", 2500),
        ("10.01x100 / 10.00x100", "9.00", "10.01", "10.00", 100),
        ("10.00x200, 10.02x100 / 9.90x100, 10.02x100", "9.80", "10.02", "10.01", 100),
    ],
)
def test_the_auction_follows_the_worked_examples(
    text: str, reference: str, shanghai: str | None, shenzhen: str | None, volume: int
) -> None:
    results = [uncross(Exchange(name), book(text), CENT, D(reference)) for name in ("SH", "SZ")]

    assert [None if r.price is None else str(r.price) for r in results] == [shanghai, shenzhen]
    assert [r.volume for r in results] == [volume, volume]


def test_a_fund_is_uncrossed_on_its_own_tick() -> None:
    given_book = book("3.960x10000, 3.958x5000 / 3.955x8000, 3.958x6000")

    result = uncross(Exchange.SH, given_book, D("0.001"), D("3.957"))

    assert (str(result.price), result.volume) == ("3.958", 14000)


def test_inside_a_price_the_earlier_order_is_served_first() -> None:
    result = uncross(Exchange.SZ, book("11.00x3000, 11.00x2000 / 10.50x1000, 11.00x1500"), CENT, D("10.00"))

    assert dict(result.fills) == {"buy1": 2500, "sell1": 1000, "sell2": 1500}


@given(given_orders=orders, exchange=st.sampled_from(Exchange), reference=st.integers(980, 1020))
def test_the_price_is_the_one_of_the_reference_and_both_sides_trade_the_same(
    given_orders: list[AuctionOrder], exchange: Exchange, reference: int
) -> None:
    result = uncross(exchange, given_orders, CENT, D(reference) / 100)

    assert result.price == price_by_reference(exchange, given_orders, D(reference) / 100)
    by_side = {side: {o.order_id: o for o in given_orders if o.side is side} for side in Side}
    traded = [sum(n for name, n in result.fills if name in by_side[side]) for side in Side]
    assert traded == [result.volume, result.volume]


@given(given_orders=orders, exchange=st.sampled_from(Exchange))
def test_nobody_trades_worse_than_his_limit_or_more_than_he_asked(
    given_orders: list[AuctionOrder], exchange: Exchange
) -> None:
    result = uncross(exchange, given_orders, CENT, D("10.00"))
    known = {order.order_id: order for order in given_orders}

    for name, shares in result.fills:
        order = known[name]
        assert result.price is not None
        assert 0 < shares <= order.shares
        assert order.price >= result.price if order.side is Side.BUY else order.price <= result.price


def test_an_empty_book_does_not_trade() -> None:
    assert uncross(Exchange.SZ, [], CENT, D("10.00")).price is None
