from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.market import Quote, Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.gateways.sim.bars import Bar
from qws.gateways.sim.market import SimMarket
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
CODES = (CODE, "000001.SZ", "920002.BJ")
S = OrderStatus
EARLY = at("09:16:00")
OPEN, CLOSE = Decimal("10.10"), Decimal("10.20")
DAYS_BAR = bar("10.10", "10.40", "9.90", "10.20", "10.00")
LOCKED = bar("11.00", "11.00", "11.00", "11.00", "10.00")
AUCTIONS = [("09:16:00", "09:24:59", "09:25:00", OPEN), ("14:58:00", "14:59:59", "15:00:00", CLOSE)]


def a_day(*, seed: int = 7) -> SimMarket:
    return a_market(FixedBars(dict.fromkeys(CODES, DAYS_BAR)), seed=seed)


def shown(market: SimMarket, now: datetime, code: str = CODE) -> Quote:
    quote = market.quote(code, now)
    assert quote is not None
    return quote


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(("clock", "_before", "ends", "price"), AUCTIONS)
def test_a_keener_order_fills_at_the_price_of_the_auction(
    code: str, clock: str, _before: str, ends: str, price: Decimal
) -> None:
    exchange = an_exchange(a_day(), at(clock), positions=((code, 1000, 1000),))
    ids = [exchange.submit(order, at(clock)) for order in (buy(code, 1000, "10.60"), sell(code, 1000, "9.60"))]
    events = play(exchange, at(ends))

    for order_id in ids:
        assert [(fill.shares, fill.price, fill.at) for fill in fills(events, order_id)] == [(1000, price, at(ends))]
        assert statuses(events, order_id) == [S.WAIT_REPORTING, S.REPORTED, S.SUCCEEDED]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize(("clock", "before", "ends", "price"), AUCTIONS)
def test_an_order_at_the_price_gets_what_others_leave_over(
    clock: str, before: str, ends: str, price: Decimal, seed: int
) -> None:
    market = a_day(seed=seed)
    quote = shown(market, at(before))
    left = {Side.BUY: sum(level.volume for level in quote.asks[1:]), Side.SELL: sum(v for _, v in quote.bids[1:])}
    exchange = an_exchange(market, at(clock), cash=100 * MILLION, positions=((CODE, 900_000, 900_000),))
    bought = exchange.submit(buy(CODE, 900_000, price), at(clock))
    sold = exchange.submit(sell(CODE, 900_000, price), at(clock))
    play(exchange, at(ends))

    assert min(left.values()) == 0
    assert status_of(exchange, bought, at(ends)).traded == min(left[Side.BUY], 900_000)
    assert status_of(exchange, sold, at(ends)).traded == min(left[Side.SELL], 900_000)


def test_what_the_opening_auction_leaves_goes_on_into_continuous_trading() -> None:
    exchange = an_exchange(a_day(), EARLY, cash=100 * MILLION)
    below = exchange.submit(buy(CODE, 1000, "9.95"), EARLY)
    huge = exchange.submit(buy(CODE, 1_000_000, "10.30"), EARLY)
    auction = play(exchange, at("09:29:59"))
    day = play(exchange, at("14:56:00"))

    assert fills(auction, below) == []
    assert [fill.price for fill in fills(auction, huge)] == [OPEN]
    assert 0 < fills(auction, huge)[0].shares < 1_000_000
    assert {fill.price for fill in fills(day, below)} == {Decimal("9.95")}
    assert sum(fill.shares for fill in fills(auction, huge) + fills(day, huge)) == 1_000_000


def test_what_the_closing_auction_leaves_expires() -> None:
    exchange = an_exchange(a_day(), at("14:58:00"), cash=100 * MILLION)
    below = exchange.submit(buy(CODE, 1000, "10.15"), at("14:58:00"))
    huge = exchange.submit(buy(CODE, 1_000_000, "10.50"), at("14:58:00"))
    events = play(exchange, at("15:00:00"))

    assert statuses(events, below)[-1] is S.CANCELED
    assert statuses(events, huge)[-2:] == [S.PART_SUCC, S.PART_CANCEL]
    assert exchange.asset(at("15:00:00")).frozen == 0


def test_an_order_that_reaches_the_host_after_the_uncross_has_no_part_in_it() -> None:
    now = at("09:24:59.990")
    exchange = an_exchange(a_day(), now)
    order_id = exchange.submit(buy(CODE, 100, "10.60"), now)
    pause = play(exchange, at("09:29:59"))

    assert fills(pause, order_id) == []
    assert fills(play(exchange, at("09:30:01")), order_id) != []


def test_a_cancelled_order_has_no_part_in_the_auction() -> None:
    exchange = an_exchange(a_day(), EARLY)
    order_id = exchange.submit(buy(CODE, 100, "10.60"), EARLY)
    exchange.cancel(order_id, at("09:19:00"))

    assert statuses(play(exchange, at("09:31:00")), order_id)[-1] is S.CANCELED


def test_a_locked_open_fills_sellers_only() -> None:
    exchange = an_exchange(a_market(FixedBars({CODE: LOCKED})), EARLY, positions=((CODE, 1000, 1000),))
    bought = exchange.submit(buy(CODE, 1000, "11.00"), EARLY)
    sold = exchange.submit(sell(CODE, 1000, "11.00"), EARLY)
    events = play(exchange, at("15:00:00"))

    assert [fill.at for fill in fills(events, sold)] == [at("09:25:00")]
    assert statuses(events, bought)[-1] is S.CANCELED


def test_quotes_show_the_virtual_price_before_the_open() -> None:
    market = a_day()
    quotes = [shown(market, later(at("09:15:00"), 3 * step)) for step in range(200)]
    priced = [quote for quote in quotes if quote.last is not None]

    assert len(priced) > 150
    assert len({quote.last for quote in priced}) > 1
    assert quotes[-1].last == OPEN
    for quote in priced:
        assert quote.bids[0] == quote.asks[0]
        assert quote.bids[0].price == quote.last
        assert {len(quote.bids), len(quote.asks)} in ({1}, {1, 2})
    assert all((quote.bids, quote.asks) == ((), ()) for quote in quotes if quote.last is None)
    assert [quote.at for quote in quotes] == [later(at("09:15:00"), 3 * step) for step in range(200)]


def test_quotes_of_the_closing_auction_keep_the_last_trade_and_do_not_tell_the_close() -> None:
    market = a_day()
    last = shown(market, at("14:56:59")).last
    quotes = [shown(market, later(at("14:57:00"), 3 * step)) for step in range(60)]

    assert {quote.last for quote in quotes} == {last}
    assert market.last_price(CODE, at("14:59:59")) == last
    assert quotes[-1].bids[0] == quotes[-1].asks[0]
    assert quotes[-1].bids[0].price == CLOSE
    assert shown(market, at("15:00:00")).last == CLOSE


@st.composite
def any_bar(draw: st.DrawFn) -> Bar:
    """A bar inside the limits of a previous close of 10.00, often at one of them."""
    cents = sorted(draw(st.lists(st.integers(900, 1100), min_size=4, max_size=4)))
    low, *ends, high = (Decimal(part) / 100 for part in cents)
    opened, close = draw(st.permutations(ends))
    if draw(st.booleans()):
        opened = high = Decimal(11)
    return Bar(opened, high, low, close, Decimal(10))


@settings(max_examples=50, deadline=None)
@given(any_bar(), st.integers(0, 10**6), st.sampled_from(CODES), st.integers(0, 10**6))
def test_no_order_of_ours_moves_the_price_of_an_auction(source: Bar, seed: int, code: str, draw: int) -> None:
    market = a_market(FixedBars({code: source}), seed=seed)
    chance = random.Random(draw)
    for start, end, price in (
        ("09:16:00", "09:25:00", source.open),
        ("14:58:00", "15:00:00", source.close),
    ):
        exchange = an_exchange(market, at(start), cash=1000 * MILLION, positions=((code, 5_000_000, 5_000_000),))
        for number in range(chance.randint(1, 6)):
            side, cents = chance.choice(list(Side)), chance.randint(900, 1100)
            shares = 100 * chance.randint(1, 9000)
            exchange.submit(OrderRequest(f"t{number}", code, side, shares, Decimal(cents) / 100), at(start))
        play(exchange, at(end))
        trades = exchange.trades(at(end))
        others = shown(market, later(at(end), -1), code)

        assert others.bids[0].price == others.asks[0].price == price
        assert {trade.price for trade in trades} <= {price}
        for side, levels in ((Side.BUY, others.asks), (Side.SELL, others.bids)):
            taken = sum(trade.shares for trade in trades if trade.side is side)
            assert taken <= sum(level.volume for level in levels)
        for order in exchange.orders(at(end)):
            assert order.traded == 0 or (order.price >= price if order.side is Side.BUY else order.price <= price)


def test_an_order_before_the_open_costs_a_handful_of_wake_ups() -> None:
    exchange = an_exchange(a_day(), EARLY)
    exchange.submit(buy(CODE, 100, "9.50"), EARLY)
    woken = 0
    while (due := exchange.next_due()) is not None:
        exchange.advance(due)
        woken += 1

    assert woken < 10
    assert exchange.orders(at("15:00:00"))[0].status is S.CANCELED
    assert exchange.orders(at("15:00:00"))[0].at.date() == DAY
