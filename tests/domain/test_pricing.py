from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.legaliser import CageMargin, Context
from qws.domain.market import Instrument, Quote, Side
from qws.domain.prices import is_on_tick
from qws.domain.pricing import NoPrice, Price, hold_reason, limit_price, mark_price
from tests.support.builders import BOOK, a_quote, an_instrument, at
from tests.support.worlds import CODES, instruments, quotes

CODE = "600000.SH"
NO_MARGIN = CageMargin(86_400.0, Decimal(0))


def a_context(quote: Quote, instrument: Instrument) -> Context:
    return Context(BOOK, at("10:00:00"), instrument, quote, sellable=1000, bought_today=0, margin=NO_MARGIN)


ASKS = ("10.01", "10.02", "10.03", "10.04", "10.05")


def priced(side: Side, quote: Quote, level: int, instrument: Instrument | None = None) -> tuple[str, str]:
    found = limit_price(side, level, a_context(quote, instrument or an_instrument(quote.code)))
    return (str(found.value), found.origin) if isinstance(found, Price) else ("", found.reason)


@pytest.mark.parametrize(
    ("side", "level", "quote", "price", "origin"),
    [
        (Side.BUY, 3, a_quote(CODE), "10.03", "ask3"),
        (Side.SELL, 5, a_quote(CODE), "9.95", "bid5"),
        (Side.BUY, 3, a_quote(CODE, asks=("10.01",)), "10.01", "ask1"),
        (Side.SELL, 5, a_quote(CODE, bids=("9.99", "9.90")), "9.90", "bid2"),
        (Side.BUY, 3, a_quote(CODE, asks=("10.00", "10.10", "10.50")), "10.20", "ask3>cage"),
        (Side.SELL, 5, a_quote(CODE, bids=("10.00", "9.50")), "9.80", "bid2>cage"),
        (Side.BUY, 1, a_quote(CODE, "9.95", asks=(), bids=("9.94",)), "9.95", "last"),
        (Side.SELL, 1, a_quote(CODE, "9.95", bids=()), "9.95", "last"),
        (Side.BUY, 1, a_quote(CODE, None, asks=(), bids=()), "10.00", "prev_close"),
        (Side.BUY, 1, a_quote(CODE, "11.00", asks=(), bids=("11.00",)), "", "limit_up"),
        (Side.SELL, 1, a_quote(CODE, "9.00", asks=("9.00",), bids=()), "", "limit_down"),
        (Side.SELL, 5, a_quote(CODE, "11.00", asks=(), bids=("11.00", "10.99")), "10.99", "bid2"),
        (Side.BUY, 3, a_quote(CODE, "9.00", asks=("9.00", "9.01", "9.02"), bids=()), "9.02", "ask3"),
        (Side.BUY, 3, a_quote(CODE, "10.99", asks=("11.00",), bids=("10.99",)), "11.00", "ask1"),
    ],
)
def test_worked_table_of_prices(side: Side, level: int, quote: Quote, price: str, origin: str) -> None:
    assert priced(side, quote, level) == (price, origin)


@pytest.mark.parametrize(("side", "price"), [(Side.BUY, "9.00"), (Side.SELL, "11.00")])
def test_a_fallback_of_another_day_is_brought_inside_the_limits(side: Side, price: str) -> None:
    unadjusted = "5.00" if side is Side.BUY else "20.00"
    quote = a_quote(CODE, None, asks=(), bids=(), prev_close=unadjusted)

    assert priced(side, quote, 1) == (price, "prev_close>limit")


def test_a_name_without_daily_limits_is_never_called_locked() -> None:
    free = replace(an_instrument(CODE), limit_up=None, limit_down=None)
    quote = a_quote(CODE, "30.00", asks=(), bids=())

    assert priced(Side.BUY, quote, 3, free) == ("30.00", "last")


@given(st.data(), st.sampled_from(CODES), st.sampled_from(Side), st.integers(1, 5))
def test_a_price_is_on_the_tick_inside_the_limits_and_never_worse_than_the_cage(
    drawn: st.DataObject, code: str, side: Side, level: int
) -> None:
    instrument = drawn.draw(instruments(code))
    quote = drawn.draw(quotes(instrument))

    found = limit_price(side, level, a_context(quote, instrument))

    if quote.suspended or instrument.suspended:
        assert isinstance(found, NoPrice)
        return
    if isinstance(found, NoPrice):
        own_side = quote.asks if side is Side.BUY else quote.bids
        locked_at = instrument.limit_up if side is Side.BUY else instrument.limit_down
        assert not own_side
        assert mark_price(quote) == locked_at
        return
    assert is_on_tick(found.value, instrument.tick)
    assert instrument.limit_down is not None
    assert instrument.limit_up is not None
    assert instrument.limit_down <= found.value <= instrument.limit_up
    cage = BOOK.cage_bound(instrument, side, quote)
    assert cage is None or (found.value <= cage if side is Side.BUY else found.value >= cage)


@pytest.mark.parametrize(
    ("quote", "instrument", "reason"),
    [
        (a_quote(CODE), an_instrument(CODE), ""),
        (None, an_instrument(CODE), "no_quote"),
        (a_quote(CODE), None, "no_quote"),
        (a_quote(CODE, None, prev_close="0"), an_instrument(CODE), "no_quote"),
        (a_quote(CODE, "0"), an_instrument(CODE), ""),
        (a_quote(CODE, suspended=True), an_instrument(CODE), "suspended"),
        (a_quote(CODE), an_instrument(CODE, suspended=True), "suspended"),
        (a_quote(CODE, when="09:59:45"), an_instrument(CODE), ""),
        (a_quote(CODE, when="09:59:44"), an_instrument(CODE), "stale_quote"),
    ],
)
def test_a_name_is_held_while_it_cannot_be_priced(
    quote: Quote | None, instrument: Instrument | None, reason: str
) -> None:
    assert hold_reason(quote, instrument, at("10:00:00"), 15.0) == reason


def test_a_name_is_worth_its_last_trade_or_else_its_previous_close() -> None:
    assert mark_price(a_quote(CODE, "10.50")) == Decimal("10.50")
    assert mark_price(a_quote(CODE, None)) == mark_price(a_quote(CODE, "0")) == Decimal("10.00")
