from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from qws.domain.market import Quote, Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.gateways.sim.market import SimMarket
from qws.tables import load_rules
from tests.gateways.sim_rig import (
    DAY,
    MILLION,
    NEXT_DAY,
    PLAN,
    FixedBars,
    a_market,
    an_exchange,
    at,
    buy,
    fills,
    flat,
    later,
    play,
    sell,
    status_of,
    statuses,
)

CODE = "600000.SH"
TEN = at("10:00:00")
S = OrderStatus


def book(market: SimMarket, code: str = CODE, now: str = "10:00:00") -> Quote:
    quote = market.quote(code, at(now))
    assert quote is not None
    return quote


def a_flat_market() -> SimMarket:
    return a_market(FixedBars({CODE: flat("10.00"), "600004.SH": flat("20.00")}))


REJECTIONS = [
    ("NOT_SESSION", "10:00:00", buy(CODE, 100, "10.00")),
    ("UNKNOWN_CODE", "10:00:00", buy("999999.SH", 100, "10.00")),
    ("UNKNOWN_CODE", "10:00:00", buy("600999.SH", 100, "10.00")),
    ("NOT_TRADABLE_TYPE", "10:00:00", buy("000300.SH", 100, "10.00")),
    ("PHASE_CLOSED", "09:00:00", buy(CODE, 100, "10.00")),
    ("PHASE_CLOSED", "15:00:00", buy(CODE, 100, "10.00")),
    ("SUSPENDED", "10:00:00", buy("600001.SH", 100, "10.00")),
    ("BAD_TICK", "10:00:00", buy(CODE, 100, "10.001")),
    ("BAD_TICK", "10:00:00", buy(CODE, 100, "0")),
    ("QTY_MIN", "10:00:00", buy(CODE, 99, "10.00")),
    ("QTY_MIN", "10:00:00", buy("688001.SH", 199, "10.00")),
    ("QTY_MIN", "10:00:00", sell(CODE, 0, "10.00")),
    ("QTY_STEP", "10:00:00", buy(CODE, 150, "10.00")),
    ("QTY_ODD_LOT", "10:00:00", sell(CODE, 101, "10.00")),
    ("QTY_MAX", "10:00:00", buy(CODE, 1_000_100, "10.00")),
    ("QTY_MAX", "10:00:00", buy("688001.SH", 100_001, "10.00")),
    ("PRICE_LIMIT", "10:00:00", buy(CODE, 100, "11.01")),
    ("PRICE_LIMIT", "10:00:00", sell(CODE, 100, "8.99")),
    ("INSUFFICIENT_CASH", "10:00:00", buy(CODE, 100_000, "10.00")),
    ("INSUFFICIENT_SHARES", "10:00:00", sell(CODE, 300, "10.00")),
    ("INSUFFICIENT_SHARES", "10:00:00", sell("600004.SH", 100, "20.00")),
]


@pytest.mark.parametrize(("code", "clock", "order"), REJECTIONS)
def test_an_order_is_turned_down_with_its_code(code: str, clock: str, order: OrderRequest) -> None:
    bars = FixedBars(
        {CODE: flat("10.00"), "600004.SH": flat("20.00"), "688001.SH": flat("10.00")}, {"600001.SH": Decimal(10)}
    )
    now = at(clock, date(2026, 11, 21) if code == "NOT_SESSION" else DAY)
    exchange = an_exchange(a_market(bars), now, positions=((CODE, 250, 250),))
    order_id = exchange.submit(order, now)
    before = exchange.asset(now)
    events = play(exchange, later(now, 1))

    assert statuses(events, order_id) == [S.WAIT_REPORTING, S.JUNK]
    assert status_of(exchange, order_id, later(now, 1)).message.startswith(f"{code}: [COUNTER][")
    assert exchange.asset(later(now, 1)) == before
    assert before.frozen == 0


def test_an_exact_limit_price_and_a_whole_remainder_are_taken() -> None:
    auction = at("09:16:00")  # without a price cage
    exchange = an_exchange(a_flat_market(), auction, positions=((CODE, 250, 250),))
    ids = [exchange.submit(order, auction) for order in (sell(CODE, 50, "11.00"), sell(CODE, 200, "9.00"))]

    assert all(status_of(exchange, order_id, later(auction, 1)).status is S.REPORTED for order_id in ids)


def test_a_buy_freezes_its_limit_value_and_fees_until_it_ends() -> None:
    market = a_flat_market()
    exchange = an_exchange(market, TEN)
    order_id = exchange.submit(buy(CODE, 10_000, "9.50"), TEN)
    resting = exchange.asset(later(TEN, 1))
    exchange.cancel(order_id, later(TEN, 1))
    released = exchange.asset(later(TEN, 2))

    fee = load_rules().fees.fees_of(CODE, Side.BUY, DAY, Decimal(95_000), PLAN).total
    assert resting.frozen == 95_000 + fee
    assert resting.cash == MILLION - resting.frozen
    assert released.frozen == 0
    assert released.cash == MILLION


def test_the_minimum_commission_is_charged_once_per_order() -> None:
    market = a_flat_market()
    best = book(market).asks[0]
    exchange = an_exchange(market, TEN, cash=100 * MILLION)
    order_id = exchange.submit(buy(CODE, best.volume + 100, best.price + Decimal("0.02")), TEN)
    trades = fills(play(exchange, later(TEN, 1)), order_id)

    amount = sum((trade.shares * trade.price for trade in trades), Decimal(0))
    fees = sum((trade.fee for trade in trades if trade.fee is not None), Decimal(0))
    assert len(trades) == 2
    assert fees == load_rules().fees.fees_of(CODE, Side.BUY, DAY, amount, PLAN).total
    assert exchange.asset(later(TEN, 1)).cash == 100 * MILLION - amount - fees


def test_shares_bought_today_are_sold_tomorrow() -> None:
    exchange = an_exchange(a_flat_market(), TEN)
    exchange.submit(buy(CODE, 1000, "10.05"), TEN)
    bought = exchange.positions(later(TEN, 5))
    refused = exchange.submit(sell(CODE, 1000, "9.95"), later(TEN, 5))
    tomorrow = at("10:00:00", NEXT_DAY)
    sold = exchange.submit(sell(CODE, 1000, "9.95"), tomorrow)

    assert [(held.shares, held.sellable) for held in bought] == [(1000, 0)]
    assert refused != sold
    assert statuses(play(exchange, later(tomorrow, 5)), sold)[-1] is S.SUCCEEDED
    assert exchange.positions(later(tomorrow, 5)) == ()


def test_a_gold_fund_is_sold_on_the_day_it_was_bought() -> None:
    exchange = an_exchange(a_market(FixedBars({"518880.SH": flat("5.000")})), TEN)
    exchange.submit(buy("518880.SH", 1000, "5.050"), TEN)
    sold = exchange.submit(sell("518880.SH", 1000, "4.950"), later(TEN, 5))

    assert statuses(play(exchange, later(TEN, 10)), sold)[-1] is S.SUCCEEDED


def test_proceeds_buy_at_once() -> None:
    exchange = an_exchange(a_flat_market(), TEN, cash=Decimal(0), positions=((CODE, 1000, 1000),))
    refused = exchange.submit(buy("600004.SH", 400, "20.05"), TEN)
    exchange.submit(sell(CODE, 1000, "9.95"), TEN)
    play(exchange, later(TEN, 5))
    bought = exchange.submit(buy("600004.SH", 400, "20.05"), later(TEN, 5))

    assert status_of(exchange, refused, later(TEN, 9)).message.startswith("INSUFFICIENT_CASH")
    assert status_of(exchange, bought, later(TEN, 9)).status is S.SUCCEEDED


def test_a_sell_freezes_its_shares() -> None:
    exchange = an_exchange(a_flat_market(), TEN, positions=((CODE, 1000, 800),))
    exchange.submit(sell(CODE, 500, "10.90"), TEN)
    (held,) = exchange.positions(TEN)
    second = exchange.submit(sell(CODE, 400, "10.90"), TEN)

    assert (held.shares, held.sellable) == (1000, 300)
    assert status_of(exchange, second, later(TEN, 1)).message.startswith("INSUFFICIENT_SHARES")


def test_a_suspended_holding_is_valued_at_its_last_close() -> None:
    market = a_market(FixedBars({CODE: flat("10.00")}, {"600001.SH": Decimal("3.21")}))
    exchange = an_exchange(market, TEN, positions=((CODE, 100, 100), ("600001.SH", 1000, 1000)))
    asset = exchange.asset(TEN)

    assert asset.market_value == 1000 + 3210
    assert asset.total == MILLION + 4210
