from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from qws.domain.market import Quote, Side
from qws.domain.orders import OrderStatus
from qws.gateways.sim.market import SimMarket
from tests.gateways.sim_rig import (
    DAY,
    MILLION,
    NEXT_DAY,
    FixedBars,
    a_market,
    an_exchange,
    at,
    bar,
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
ENDLESS = 10**12  # a queue that never trades away
S = OrderStatus


def book(market: SimMarket, code: str = CODE, now: str = "10:00:00") -> Quote:
    quote = market.quote(code, at(now))
    assert quote is not None
    return quote


def a_flat_market() -> SimMarket:
    return a_market(FixedBars({CODE: flat("10.00"), "600004.SH": flat("20.00")}))


def test_an_order_is_waiting_then_reported_then_filled() -> None:
    market = a_flat_market()
    exchange = an_exchange(market, TEN)
    order_id = exchange.submit(buy(CODE, 500, "10.05", "tag7"), TEN)
    events = play(exchange, later(TEN, 1))

    assert statuses(events, order_id) == [S.WAIT_REPORTING, S.REPORTED, S.SUCCEEDED]
    (fill,) = fills(events, order_id)
    assert (fill.tag, fill.shares, fill.price) == ("tag7", 500, book(market).asks[0].price)
    assert timedelta(milliseconds=50) <= fill.at - TEN <= timedelta(milliseconds=230)


def test_an_order_trades_through_the_levels_at_their_prices_and_the_rest_waits() -> None:
    market = a_flat_market()
    asks = book(market).asks
    exchange = an_exchange(market, TEN, cash=100 * MILLION)
    wanted = asks[0].volume + asks[1].volume + 12_300
    order_id = exchange.submit(buy(CODE, wanted, asks[1].price), TEN)
    events = play(exchange, later(TEN, 2))

    assert [(fill.price, fill.shares) for fill in fills(events, order_id)] == list(asks[:2])
    assert statuses(events, order_id)[-1] is S.PART_SUCC
    resting = status_of(exchange, order_id, later(TEN, 2))
    assert resting.shares - resting.traded == 12_300


def test_a_resting_order_trades_at_its_own_price_when_a_later_book_reaches_it() -> None:
    market = a_market(FixedBars({CODE: bar("10.00", "10.50", "9.50", "10.20", "10.00")}))
    listing = market.listing(CODE, DAY)
    assert listing is not None
    assert listing.tape is not None
    price = Decimal("9.60")
    exchange = an_exchange(market, at("09:30:00"))
    order_id = exchange.submit(buy(CODE, 1000, price), at("09:30:00"))
    events = play(exchange, at("14:59:59"))

    first = listing.tape.first_trade(Side.BUY, 960, ENDLESS, 0, listing.tape.end)
    assert listing.tape.touch(first)[1] <= 960
    assert [(fill.price, fill.shares) for fill in fills(events, order_id)] == [(price, 1000)]
    waited = fills(events, order_id)[0].at - later(at("00:00:00"), market.grid.second_of(first))
    assert timedelta(0) < waited < timedelta(seconds=1)


def test_what_was_taken_from_a_level_is_gone_until_the_next_book() -> None:
    market = a_flat_market()
    best = book(market).asks[0]
    exchange = an_exchange(market, TEN, cash=100 * MILLION)
    first = exchange.submit(buy(CODE, best.volume - 200, best.price), TEN)
    second = exchange.submit(buy(CODE, 1000, best.price), TEN)
    events = play(exchange, later(TEN, 2))

    taken = sum(fill.shares for fill in fills(events, first) + fills(events, second))
    assert taken == best.volume
    events += play(exchange, later(TEN, 60))
    assert statuses(events, first)[-1] is statuses(events, second)[-1] is S.SUCCEEDED


def test_two_orders_of_one_code_share_the_depth_by_price() -> None:
    market = a_flat_market()
    best, noon = book(market, now="13:00:00").asks[0], at("11:29:59.990")
    exchange = an_exchange(market, noon, cash=100 * MILLION)
    modest = exchange.submit(buy(CODE, best.volume, best.price), noon)
    keen = exchange.submit(buy(CODE, best.volume, best.price + Decimal("0.01")), noon)
    events = play(exchange, at("13:00:02"))

    assert [fill.price for fill in fills(events, keen)] == [best.price]
    assert fills(events, modest) == []


def test_own_orders_never_trade_with_each_other() -> None:
    market = a_flat_market()
    exchange = an_exchange(market, TEN, positions=((CODE, 1000, 1000),))
    bid = book(market).bids[0].price
    exchange.submit(buy(CODE, 100, bid - Decimal("0.05")), TEN)
    exchange.submit(sell(CODE, 100, bid - Decimal("0.10")), TEN)
    events = play(exchange, later(TEN, 2))

    assert [trade.price for trade in exchange.trades(later(TEN, 2))] == [bid]
    assert len(fills(events, "0")) == 0


def test_an_order_larger_than_the_book_takes_several_snapshots() -> None:
    market = a_flat_market()
    exchange = an_exchange(market, TEN, cash=100 * MILLION)
    order_id = exchange.submit(buy(CODE, 1_000_000, "10.03"), TEN)
    events = play(exchange, later(TEN, 60))

    assert statuses(events, order_id)[-1] is S.SUCCEEDED
    assert len({fill.at for fill in fills(events, order_id)}) > 1
    assert sum(fill.shares for fill in fills(events, order_id)) == 1_000_000


def test_a_locked_name_does_not_fill_on_the_side_everybody_wants() -> None:
    bars = FixedBars(
        {CODE: bar("11.00", "11.00", "11.00", "11.00", "10.00"), "600004.SH": bar("9", "9.00", "9", "9", "10.00")}
    )
    exchange = an_exchange(a_market(bars), TEN, positions=((CODE, 500, 500), ("600004.SH", 500, 500)))
    waits = [exchange.submit(order, TEN) for order in (buy(CODE, 100, "11.00"), sell("600004.SH", 100, "9.00"))]
    trades = [exchange.submit(order, TEN) for order in (sell(CODE, 100, "11.00"), buy("600004.SH", 100, "9.00"))]
    events = play(exchange, at("14:59:00"))

    assert [statuses(events, order_id)[-1] for order_id in waits] == [S.REPORTED, S.REPORTED]
    assert [statuses(events, order_id)[-1] for order_id in trades] == [S.SUCCEEDED, S.SUCCEEDED]


@pytest.mark.parametrize(("clock", "opens"), [("09:27:00", "09:30:00"), ("12:00:00", "13:00:00")])
def test_an_order_of_the_pause_is_sent_on_when_trading_resumes(clock: str, opens: str) -> None:
    exchange = an_exchange(a_flat_market(), at(clock))
    order_id = exchange.submit(buy(CODE, 100, "10.05"), at(clock))
    exchange.cancel(order_id, later(at(clock), 1))
    waiting = play(exchange, at(opens))
    events = play(exchange, later(at(opens), 2))

    assert statuses(waiting, order_id) == [S.WAIT_REPORTING, S.WAIT_REPORTING]
    assert waiting[-1].message.startswith("CANCEL_NOT_ALLOWED")  # type: ignore[union-attr]
    assert statuses(events, order_id) == [S.REPORTED, S.SUCCEEDED]


def test_nothing_fills_at_lunch() -> None:
    exchange = an_exchange(a_flat_market(), at("11:29:59.950000"))
    order_id = exchange.submit(buy(CODE, 100, "10.05"), at("11:29:59.950000"))
    lunch = play(exchange, at("12:59:59"))

    assert fills(lunch, order_id) == []
    assert fills(play(exchange, at("13:00:01")), order_id) != []


def test_a_cancel_goes_through_its_states_and_frees_the_rest() -> None:
    market = a_flat_market()
    best = book(market).asks[0]
    exchange = an_exchange(market, TEN, cash=100 * MILLION)
    whole = exchange.submit(buy(CODE, 1000, "9.00"), TEN)
    part = exchange.submit(buy(CODE, best.volume + 100, best.price), TEN)
    events = play(exchange, later(TEN, 1))
    for order_id in (whole, part):
        exchange.cancel(order_id, later(TEN, 1))
    events += play(exchange, later(TEN, 2))

    assert statuses(events, whole)[1:] == [S.REPORTED, S.REPORTED_CANCEL, S.CANCELED]
    assert statuses(events, part)[1:] == [S.REPORTED, S.PART_SUCC, S.PARTSUCC_CANCEL, S.PART_CANCEL]
    assert exchange.asset(later(TEN, 2)).frozen == 0


def test_a_cancel_right_after_the_order_waits_for_its_acknowledgement() -> None:
    exchange = an_exchange(a_flat_market(), TEN)
    order_id = exchange.submit(buy(CODE, 1000, "9.00"), TEN)
    exchange.cancel(order_id, TEN)

    assert statuses(play(exchange, later(TEN, 1)), order_id) == [
        S.WAIT_REPORTING,
        S.REPORTED,
        S.REPORTED_CANCEL,
        S.CANCELED,
    ]


def test_an_order_may_fill_after_its_cancel_was_asked_for() -> None:
    exchange = an_exchange(a_flat_market(), TEN)
    raced = []
    for number in range(40):
        now = later(TEN, 3 * number)
        order_id = exchange.submit(buy(CODE, 100, "10.05"), now)
        exchange.cancel(order_id, later(now, 0.06))
        raced.append(statuses(play(exchange, later(now, 2)), order_id))

    assert [S.WAIT_REPORTING, S.REPORTED, S.REPORTED_CANCEL, S.SUCCEEDED] in raced
    assert [S.WAIT_REPORTING, S.REPORTED, S.REPORTED_CANCEL, S.CANCELED] in raced


@pytest.mark.parametrize("clock", ["09:21:00", "09:26:00", "14:58:00"])
def test_a_cancel_is_refused_where_the_exchange_takes_none(clock: str) -> None:
    start = at("09:16:00") if clock < "09:30" else at("14:50:00")
    exchange = an_exchange(a_flat_market(), start)
    order_id = exchange.submit(buy(CODE, 100, "9.00"), start)
    play(exchange, at(clock))
    exchange.cancel(order_id, at(clock))
    (refused,) = exchange.advance(at(clock))

    assert refused.message.startswith("CANCEL_NOT_ALLOWED")  # type: ignore[union-attr]
    assert status_of(exchange, order_id, at(clock)).status is S.REPORTED


def test_a_finished_order_cannot_be_cancelled_and_an_unknown_one_is_nothing() -> None:
    exchange = an_exchange(a_flat_market(), TEN)
    order_id = exchange.submit(buy(CODE, 100, "10.05"), TEN)
    play(exchange, later(TEN, 1))
    exchange.cancel(order_id, later(TEN, 1))
    exchange.cancel("77", later(TEN, 1))
    (refused,) = exchange.advance(later(TEN, 1))

    assert refused.message.startswith("CANCEL_NOT_ALLOWED")  # type: ignore[union-attr]
    assert status_of(exchange, order_id, later(TEN, 1)).status is S.SUCCEEDED


def test_working_orders_expire_at_the_close() -> None:
    market = a_flat_market()
    exchange = an_exchange(market, at("14:50:00"), cash=100 * MILLION)
    best = book(market, now="14:59:54").asks[0]
    whole = exchange.submit(buy(CODE, 1000, "9.00"), at("14:50:00"))
    part = exchange.submit(buy(CODE, 1_000_000, best.price), at("14:59:54"))
    events = play(exchange, at("15:00:00"))

    assert statuses(events, whole)[-1] is S.CANCELED
    assert statuses(events, part)[-1] in (S.PART_CANCEL, S.SUCCEEDED)
    assert exchange.asset(at("15:00:00")).frozen == 0
    assert exchange.next_due() is None


def test_orders_and_trades_are_those_of_today_and_ids_are_never_used_again() -> None:
    exchange = an_exchange(a_flat_market(), TEN)
    first = exchange.submit(buy(CODE, 100, "10.05"), TEN)
    (trade,) = exchange.trades(later(TEN, 1))
    tomorrow = at("10:00:00", NEXT_DAY)
    nothing = exchange.orders(tomorrow), exchange.trades(tomorrow)
    second = exchange.submit(buy(CODE, 100, "10.05"), tomorrow)
    (other,) = exchange.trades(later(tomorrow, 1))

    assert nothing == ((), ())
    assert first != second
    assert trade.trade_id != other.trade_id


def test_an_always_open_exchange_trades_at_night_and_expires_at_midnight() -> None:
    market = a_market(always_open=True)
    night = at("23:00:00", date(2026, 11, 21))
    quote = market.quote(CODE, night)
    assert quote is not None
    exchange = an_exchange(market, night)
    filled = exchange.submit(buy(CODE, 100, quote.asks[4].price), night)
    rests = exchange.submit(buy(CODE, 100, (quote.prev_close * Decimal("0.91")).quantize(Decimal("0.01"))), night)
    events = play(exchange, at("00:00:00", date(2026, 11, 22)))

    assert statuses(events, filled)[-1] is S.SUCCEEDED
    assert statuses(events, rests)[-1] is S.CANCELED
    (held,) = exchange.positions(at("00:00:01", date(2026, 11, 22)))
    assert held.sellable == 100


def test_an_exchange_without_orders_never_wants_to_be_woken() -> None:
    exchange = an_exchange(a_flat_market(), TEN, positions=((CODE, 1000, 1000),))
    exchange.advance(TEN)

    assert exchange.next_due() is None


def test_what_an_account_opens_with_cost_what_it_was_worth_then() -> None:
    exchange = an_exchange(a_flat_market(), TEN, positions=((CODE, 1000, 600),))
    (held,) = exchange.positions(TEN)
    assert held.cost_price == held.market_value / held.shares > 0

    order_id = exchange.submit(buy(CODE, 1000, "10.05"), TEN)
    (fill,) = fills(play(exchange, later(TEN, 1)), order_id)
    (held,) = exchange.positions(later(TEN, 1))
    low, high = sorted((Decimal("10.00"), fill.price + fill.fee / 1000))
    assert low <= held.cost_price <= high
