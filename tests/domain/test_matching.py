from __future__ import annotations

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.market import Level, Side
from qws.domain.matching import IncomingOrder, Matched, PriceType, match_order


def levels(text: str) -> tuple[Level, ...]:
    """Levels from "10.00x100 10.01x200", best first."""
    return tuple(Level(D(part.split("x")[0]), int(part.split("x")[1])) for part in text.split())


SIX = "10.00x100 10.01x100 10.02x100 10.03x100 10.04x100 10.05x100"


def incoming(side: str, price_type: str, shares: int, price: str | None = None) -> IncomingOrder:
    return IncomingOrder(Side(side), PriceType(price_type), shares, None if price is None else D(price))


@pytest.mark.parametrize(
    ("order", "bids", "asks", "trades", "rest", "cancelled"),
    [
        (incoming("buy", "limit", 300, "10.05"), "", "10.00x500", "10.00x300", "", 0),
        (incoming("buy", "limit", 300, "9.99"), "", "10.00x500", "", "9.99x300", 0),
        (incoming("sell", "limit", 300, "9.95"), "9.96x100 9.94x100", "", "9.96x100", "9.95x200", 0),
        (incoming("buy", "limit", 150, "10.00"), "", "10.00x100 10.00x100", "10.00x100 10.00x50", "", 0),
        (incoming("sell", "limit", 100, "10.80"), "11.00x1000000", "", "11.00x100", "", 0),
        (incoming("buy", "five_level_ioc", 600), "", SIX, SIX[:-10], "", 100),
        (incoming("buy", "five_level_ioc", 300), "", "", "", "", 300),
        (incoming("buy", "five_level_to_limit", 600), "", SIX, SIX[:-10], "10.04x100", 0),
        (incoming("buy", "five_level_to_limit", 200), "9.99x100", "", "", "9.99x200", 0),
        (incoming("buy", "five_level_to_limit", 200), "", "", "", "", 200),
        (incoming("buy", "best_opposite", 300), "", "10.00x100 10.01x100", "10.00x100", "10.00x200", 0),
        (incoming("sell", "best_opposite", 300), "", "10.00x100", "", "", 300),
        (incoming("buy", "best_own", 300), "9.99x100", "10.00x100", "", "9.99x300", 0),
        (incoming("sell", "best_own", 300), "9.99x100", "", "", "", 300),
        (incoming("buy", "ioc", 700), "", SIX, SIX, "", 100),
        (incoming("buy", "fok", 600), "", SIX, SIX, "", 0),
        (incoming("buy", "fok", 601), "", SIX, "", "", 601),
        (incoming("buy", "ioc", 700, "10.01"), "", SIX, "10.00x100 10.01x100", "", 500),
    ],
)
def test_an_incoming_order_meets_the_book(
    order: IncomingOrder, bids: str, asks: str, trades: str, rest: str, cancelled: int
) -> None:
    got = match_order(order, bids=levels(bids), asks=levels(asks))

    assert got == Matched(levels(trades), levels(rest)[0] if rest else None, cancelled)


def test_orders_at_one_price_are_one_of_the_five_levels() -> None:
    got = match_order(incoming("buy", "five_level_ioc", 700), bids=(), asks=levels("10.00x100 " + SIX))

    assert (sum(trade.volume for trade in got.trades), got.cancelled) == (600, 100)


def test_a_limit_order_without_a_price_is_an_error() -> None:
    with pytest.raises(ValueError, match="needs a price"):
        match_order(incoming("buy", "limit", 100), bids=(), asks=())


@given(
    side=st.sampled_from(Side),
    price_type=st.sampled_from(PriceType),
    shares=st.integers(1, 2000),
    cents=st.integers(990, 1010),
    volumes=st.lists(st.integers(1, 5), max_size=7),
)
def test_every_share_is_traded_resting_or_cancelled(
    side: Side, price_type: PriceType, shares: int, cents: int, volumes: list[int]
) -> None:
    bids = tuple(Level(D(999 - n) / 100, lots * 100) for n, lots in enumerate(volumes))
    asks = tuple(Level(D(1000 + n) / 100, lots * 100) for n, lots in enumerate(volumes))

    got = match_order(IncomingOrder(side, price_type, shares, D(cents) / 100), bids=bids, asks=asks)

    resting = got.rest.volume if got.rest else 0
    assert sum(trade.volume for trade in got.trades) + resting + got.cancelled == shares
    assert got.rest is None or got.cancelled == 0
