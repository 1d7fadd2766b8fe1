from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.market import Quote, Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.gateways.sim.bars import Bar
from qws.gateways.sim.market import Listing, SimMarket, second_of_day
from qws.gateways.sim.tape import Tape
from tests.gateways.sim_rig import (
    DAY,
    MILLION,
    FixedBars,
    a_market,
    an_exchange,
    at,
    bar,
    buy,
    fills,
    later,
    play,
    sell,
    status_of,
    statuses,
)

CODE = "600000.SH"
S = OrderStatus
WILD = replace(bar("20.00", "27.00", "19.00", "26.50", "15.00"), listing_day=1, is_reference=True)
WILDER = replace(bar("20.00", "34.00", "19.00", "30.00", "15.00"), listing_day=1, is_reference=True)
BOTH_WAYS = replace(bar("20.00", "27.00", "13.00", "18.00", "15.00"), listing_day=2, is_reference=True)


def a_day(source: Bar, *, seed: int = 7) -> tuple[SimMarket, Listing, Tape]:
    market = a_market(FixedBars({CODE: source}), seed=seed)
    listing = market.listing(CODE, DAY)
    assert listing is not None
    assert listing.tape is not None
    return market, listing, listing.tape


def when(market: SimMarket, step: int) -> datetime:
    return later(at("00:00:00"), market.grid.second_of(step))


def shown(market: SimMarket, now: datetime) -> Quote:
    quote = market.quote(CODE, now)
    assert quote is not None
    return quote


@pytest.mark.parametrize(("source", "count"), [(WILD, 1), (WILDER, 2), (BOTH_WAYS, 2)])
def test_each_level_halts_for_ten_minutes_of_trading_once(source: Bar, count: int) -> None:
    market, listing, tape = a_day(source)

    assert len(tape.halts) == count
    for start, stop in tape.halts:
        move = abs(listing.price(tape.price(start)) / source.open - 1)
        assert move >= Decimal("0.3")
        trading = (when(market, stop) - when(market, start)) - (
            timedelta(minutes=90) if when(market, start) < at("11:30:00") <= when(market, stop) else timedelta(0)
        )
        assert trading == timedelta(minutes=10)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([WILD, WILDER, BOTH_WAYS]))
def test_a_halted_day_keeps_its_bar(seed: int, source: Bar) -> None:
    market, listing, tape = a_day(source, seed=seed)
    path = [listing.price(tape.price(step)) for step in range(market.grid.steps + 1)]

    assert tape.halts
    assert (path[0], max(path), min(path), path[-1]) == (source.open, source.high, source.low, source.close)
    for start, stop in tape.halts:
        assert len(set(path[start:stop])) == 1
        assert stop <= tape.end


def test_a_stock_with_limits_and_a_market_that_is_always_open_never_halt() -> None:
    _, _, limited = a_day(bar("9.10", "11.00", "9.00", "10.90", "10.00"))
    always = a_market(FixedBars({CODE: WILD}), always_open=True).listing(CODE, DAY)

    assert limited.halts == ()
    assert always is not None
    assert always.tape is not None
    assert always.tape.halts == ()


def test_a_halt_shows_no_book_and_takes_orders_and_cancels() -> None:
    market, listing, tape = a_day(WILD)
    start, stop = tape.halts[0]
    now = later(when(market, start), 60)
    last = listing.price(tape.price(start))
    exchange = an_exchange(market, now)
    low, high = last * Decimal("0.95"), last * Decimal("1.05")
    prices = [price.quantize(Decimal("0.01")) for price in (low, high)]
    cancelled, fills_later = (exchange.submit(buy(CODE, 1000, price), now) for price in prices)
    quote = shown(market, later(now, 1))
    waiting = play(exchange, later(now, 5))
    exchange.cancel(cancelled, later(now, 5))
    halted = play(exchange, later(when(market, stop), -1))
    events = play(exchange, when(market, stop))

    assert (quote.last, quote.bids, quote.asks, quote.suspended) == (last, (), (), True)
    assert statuses(waiting, fills_later) == [S.WAIT_REPORTING, S.REPORTED]
    assert statuses(halted, cancelled) == [S.REPORTED_CANCEL, S.CANCELED]
    resumed = [(fill.price, fill.at) for fill in fills(events, fills_later)]
    assert resumed == [(listing.price(tape.price(stop)), when(market, stop))]
    assert shown(market, when(market, stop)).bids != ()


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_halt_takes_prices_within_a_tenth_of_the_last_trade(beyond: int) -> None:
    market, listing, tape = a_day(WILD)
    now = later(when(market, tape.halts[0].start), 60)
    last = listing.price(tape.price(tape.halts[0].start))
    edge = (last * 110).quantize(Decimal(1), "ROUND_HALF_UP") / 100 + Decimal(beyond) / 100
    exchange = an_exchange(market, now)
    order_id = exchange.submit(buy(CODE, 100, edge), now)

    row = status_of(exchange, order_id, later(now, 1))
    assert row.message.startswith("NO_LIMIT_RANGE") is bool(beyond)


def test_an_order_that_rests_through_a_halt_does_not_trade_in_it() -> None:
    market, listing, tape = a_day(WILD)
    start, stop = tape.halts[0]
    before = later(when(market, start), -1)
    second = second_of_day(before)
    exchange = an_exchange(market, before, positions=((CODE, 1000, 1000),))
    price = listing.price(tape.price(listing.step_at(second)) + 20)
    order_id = exchange.submit(sell(CODE, 1000, price), before)
    events = play(exchange, later(when(market, stop), -1))

    assert all(fill.at < when(market, start) for fill in fills(events, order_id))
    assert fills(play(exchange, at("15:00:00")), order_id) != [] or fills(events, order_id) != []


@pytest.mark.parametrize("offset_s", [1, 300, 599, 600, 601, 700])
def test_a_restart_in_a_halt_ends_in_the_same_place(tmp_path: Path, offset_s: int) -> None:
    market, listing, tape = a_day(WILDER)
    start = when(market, tape.halts[0].start)
    ends = []
    for name in ("whole", "cut"):
        path = tmp_path / f"{name}.db"
        exchange = an_exchange(market, start, path=path, cash=100 * MILLION, positions=((CODE, 9000, 9000),))
        last = tape.price(tape.halts[0].start)
        for number, (side, ticks) in enumerate(((Side.BUY, 9), (Side.BUY, -9), (Side.SELL, 0), (Side.BUY, 1))):
            now = later(start, 1 + number)
            order = OrderRequest(f"t{number}", CODE, side, 9000, listing.price(last + ticks))
            exchange.submit(order, now)
        play(exchange, later(start, 5))
        if name == "cut":
            stop = later(start, 5 + offset_s)
            play(exchange, stop)
            exchange.close()
            exchange = an_exchange(market, stop, path=path)
        play(exchange, at("15:00:00"))
        ends.append((exchange.trades(at("15:00:00")), exchange.orders(at("15:00:00"))))
        exchange.close()

    assert ends[0] == ends[1]
    assert ends[0][0] != ()
