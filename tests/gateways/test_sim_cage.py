from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest

from qws.domain.market import Quote, Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.gateways.sim.market import SimMarket
from qws.tables import load_rules
from tests.gateways.sim_rig import (
    MILLION,
    FixedBars,
    a_market,
    an_exchange,
    at,
    bar,
    buy,
    flat,
    later,
    play,
    sell,
    status_of,
    statuses,
)

TEN = at("10:00:00")
S = OrderStatus
CAGED = ("600000.SH", "000001.SZ", "300750.SZ", "688981.SH", "920002.BJ")
STOCK = "600000.SH"
NEW = replace(bar("20.00", "23.00", "19.00", "22.00", "15.00"), listing_day=1, is_reference=True)


def outcome(market: SimMarket, order: OrderRequest, now: datetime) -> str:
    """The code an order is turned down with; empty when it is taken."""
    exchange = an_exchange(market, now, cash=1000 * MILLION, positions=((order.code, 10_000, 10_000),))
    order_id = exchange.submit(order, now)
    row = status_of(exchange, order_id, later(now, 1))
    return row.message.split(":")[0] if row.status is S.JUNK else ""


def shown(market: SimMarket, code: str, now: datetime) -> Quote:
    quote = market.quote(code, now)
    assert quote is not None
    return quote


@pytest.mark.parametrize("side", list(Side))
@pytest.mark.parametrize("price", ["3.00", "13.00"])
@pytest.mark.parametrize("code", CAGED)
def test_the_price_cage_is_the_rule_books_and_ends_on_the_tick(code: str, price: str, side: Side) -> None:
    market = a_market(FixedBars({code: flat(price)}))
    instrument = market.instrument(code, TEN)
    assert instrument is not None
    bound = load_rules().cage_bound(instrument, side, shown(market, code, TEN))
    assert bound is not None
    beyond = bound + (instrument.tick if side is Side.BUY else -instrument.tick)

    assert outcome(market, OrderRequest("t", code, side, 200, bound), TEN) == ""
    assert outcome(market, OrderRequest("t", code, side, 200, beyond), TEN) == "PRICE_CAGE"


def test_the_text_is_the_one_clients_show() -> None:
    exchange = an_exchange(a_market(FixedBars({STOCK: flat("10.00")})), TEN)
    order_id = exchange.submit(buy(STOCK, 100, "10.90"), TEN)

    message = status_of(exchange, order_id, later(TEN, 1)).message
    assert message.startswith("PRICE_CAGE: ")
    assert "超出有效申报价格范围" in message
    assert exchange.asset(later(TEN, 1)).frozen == 0


@pytest.mark.parametrize(
    ("code", "price", "now"),
    [
        ("510300.SH", "10.900", TEN),
        (STOCK, "10.90", at("09:16:00")),
        (STOCK, "10.90", at("14:58:00")),
        (STOCK, "10.90", at("10:00:00", date(2023, 4, 7))),
    ],
)
def test_there_is_no_cage_for_funds_in_auctions_and_before_its_day(code: str, price: str, now: datetime) -> None:
    market = a_market(FixedBars({STOCK: flat("10.00"), "510300.SH": flat("10.000")}))

    assert outcome(market, buy(code, 100, price), now) == ""


@pytest.mark.parametrize(("clock", "opens"), [("09:27:00", "09:30:00"), ("12:00:00", "13:00:00")])
def test_an_order_queued_at_the_broker_meets_the_cage_when_it_is_sent_on(clock: str, opens: str) -> None:
    exchange = an_exchange(a_market(FixedBars({STOCK: flat("10.00")})), at(clock), positions=((STOCK, 500, 500),))
    ids = [exchange.submit(order, at(clock)) for order in (buy(STOCK, 100, "10.90"), sell(STOCK, 500, "9.10"))]
    waiting = play(exchange, at(opens))
    events = play(exchange, later(at(opens), 1))

    for order_id in ids:
        assert statuses(waiting, order_id) == [S.WAIT_REPORTING]
        assert statuses(events, order_id) == [S.JUNK]
        assert status_of(exchange, order_id, later(at(opens), 1)).message.startswith("PRICE_CAGE")
    assert exchange.asset(later(at(opens), 1)).frozen == 0
    assert exchange.positions(later(at(opens), 1))[0].sellable == 500


@pytest.mark.parametrize(
    ("clock", "price", "code"),
    [
        ("09:16:00", "135.00", ""),
        ("09:16:00", "135.01", "NO_LIMIT_RANGE"),
        ("09:16:00", "0.01", ""),
        ("10:00:00", "30.00", "PRICE_CAGE"),
    ],
)
def test_the_first_day_of_a_stock_has_a_range_of_its_own(clock: str, price: str, code: str) -> None:
    market = a_market(FixedBars({STOCK: NEW}))

    assert outcome(market, buy(STOCK, 100, price), at(clock)) == code


@pytest.mark.parametrize("ticks", [0, 1])
@pytest.mark.parametrize("side", list(Side))
def test_the_closing_auction_of_a_first_day_is_within_a_tenth_of_the_last_trade(side: Side, ticks: int) -> None:
    market, now = a_market(FixedBars({STOCK: NEW})), at("14:58:00")
    last = shown(market, STOCK, now).last
    assert last is not None
    edge = last * (Decimal("1.1") if side is Side.BUY else Decimal("0.9"))
    cents = (edge * 100).quantize(Decimal(1), "ROUND_HALF_UP") + ticks * (1 if side is Side.BUY else -1)

    refused = outcome(market, OrderRequest("t", STOCK, side, 100, cents / 100), now)
    assert refused == ("NO_LIMIT_RANGE" if ticks else "")


@pytest.mark.parametrize(("day", "has_limits"), [(1, False), (5, False), (6, True), (None, True)])
def test_a_new_stock_has_no_limits_for_five_days(day: int | None, *, has_limits: bool) -> None:
    source = replace(flat("10.00"), listing_day=day, is_reference=True)
    record = a_market(FixedBars({STOCK: source})).instrument(STOCK, TEN)

    assert record is not None
    assert (record.limit_up is not None) is has_limits


def test_one_account_buys_only_so_much_of_a_stock_with_a_risk_warning() -> None:
    market = a_market(FixedBars({STOCK: replace(flat("2.00"), st=True)}))
    record = market.instrument(STOCK, TEN)
    assert record is not None
    cap = load_rules().st_buy_cap(record)
    assert cap is not None
    exchange = an_exchange(market, TEN, cash=1000 * MILLION, positions=((STOCK, 900_000, 900_000),))
    bought = exchange.submit(buy(STOCK, cap - 200_000, "2.04"), TEN)
    resting = exchange.submit(buy(STOCK, 200_000, "1.90"), TEN)
    refused = exchange.submit(buy(STOCK, 100, "2.00"), TEN)
    sold = exchange.submit(sell(STOCK, 900_000, "2.10"), TEN)
    exchange.cancel(resting, later(TEN, 60))
    again = exchange.submit(buy(STOCK, 100, "2.00"), later(TEN, 61))
    now = later(TEN, 62)

    assert status_of(exchange, bought, now).status is not S.JUNK
    assert status_of(exchange, refused, now).message.startswith("ST_DAILY_CAP")
    assert status_of(exchange, sold, now).status is S.REPORTED
    assert status_of(exchange, again, now).status is not S.JUNK
    beyond = exchange.submit(buy(STOCK, cap, "2.50"), now)  # refused for its price: it counts at no time
    another = exchange.submit(buy(STOCK, 100, "2.00"), now)
    assert status_of(exchange, beyond, later(now, 1)).status is S.JUNK
    assert status_of(exchange, another, later(now, 1)).status is not S.JUNK


def test_the_limits_of_a_risk_warning_and_of_an_ex_date_come_from_the_bars() -> None:
    warned = replace(flat("10.00"), st=True)
    ex_date = replace(bar("9.40", "9.60", "9.30", "9.50", "9.50"), is_reference=True)
    market = a_market(FixedBars({"600000.SH": warned, "600004.SH": ex_date}))
    june = at("10:00:00", date(2026, 6, 30))
    before = market.instrument("600000.SH", june)
    record = market.instrument("600004.SH", june)

    assert before is not None
    assert (before.st, before.limit_up) == (True, Decimal("10.50"))
    assert record is not None
    assert (record.prev_close, record.limit_up) == (Decimal("9.50"), Decimal("10.45"))


def test_a_known_reference_price_is_not_taken_for_a_corporate_action() -> None:
    source = replace(bar("5.10", "5.30", "5.00", "5.20", "10.00"), is_reference=True)
    record = a_market(FixedBars({STOCK: source})).instrument(STOCK, TEN)

    assert record is not None
    assert (record.prev_close, record.limit_up, record.limit_down) == (Decimal("10.00"), None, None)
