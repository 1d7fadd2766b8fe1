from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.gateways.sim.market import Listing, SimMarket
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
ENDLESS = 10**12  # a queue that never trades away
S = OrderStatus


def listed(market: SimMarket) -> tuple[Listing, Tape]:
    listing = market.listing(CODE, DAY)
    assert listing is not None
    assert listing.tape is not None
    return listing, listing.tape


def when(market: SimMarket, step: int) -> datetime:
    return later(at("00:00:00"), market.grid.second_of(step))


def queues(market: SimMarket, side: Side) -> Iterator[tuple[int, int, int, int]]:
    """Steps at which a new order at the best price of its side will trade only because its queue trades away:
    (step, price in ticks, shares before it, step of its first trade)."""
    _, tape = listed(market)
    for step in range(10, 2000):
        price, before = tape.book(step).own(side)[0]
        at_once, in_turn, at_last = (
            tape.first_trade(side, price, ahead, step + 1, tape.end) for ahead in (0, before, ENDLESS)
        )
        assert at_once <= in_turn <= at_last
        if at_once < in_turn < at_last:
            yield step, price, before, in_turn


@pytest.mark.parametrize("side", list(Side))
def test_an_order_at_a_touched_price_waits_for_those_before_it(side: Side) -> None:
    market = a_market()
    listing, tape = listed(market)
    step, price, before, first = next(queues(market, side))
    start = when(market, step)
    exchange = an_exchange(market, start, cash=100 * MILLION, positions=((CODE, 900_000, 900_000),))
    order_id = exchange.submit(OrderRequest("t", CODE, side, 900_000, listing.price(price)), start)
    waiting = play(exchange, when(market, first))
    events = play(exchange, when(market, first + 1))
    (fill,) = fills(events, order_id)

    traded = sum(tape.flow(side, price, passed) for passed in range(step + 1, first + 1))
    assert fills(waiting, order_id) == []
    assert (fill.shares, fill.price) == (traded - before, listing.price(price))


def test_two_own_orders_keep_their_turn_and_share_what_trades() -> None:
    market = a_market()
    listing, tape = listed(market)
    step, price, before, first = next(queues(market, Side.BUY))
    start, surplus = when(market, step), 0
    surplus = sum(tape.flow(Side.BUY, price, passed) for passed in range(step + 1, first + 1)) - before
    exchange = an_exchange(market, start, cash=100 * MILLION)
    ids = [exchange.submit(buy(CODE, surplus - 100, listing.price(price), f"t{turn}"), start) for turn in range(2)]
    play(exchange, when(market, first + 1))

    traded = [status_of(exchange, order_id, when(market, first + 1)).traded for order_id in ids]
    assert traded == [surplus - 100, 100]


def test_the_queue_survives_a_restart(tmp_path: Path) -> None:
    market = a_market()
    listing, _ = listed(market)
    step, price, _, first = next(found for found in queues(market, Side.BUY) if found[3] > found[0] + 2)
    ends = []
    for cuts in ((), (step + 1,), (step + 1, first - 1, first)):
        path, start = tmp_path / f"{len(cuts)}.db", when(market, step)
        exchange = an_exchange(market, start, path=path, cash=100 * MILLION)
        exchange.submit(buy(CODE, 1_000_000, listing.price(price)), start)
        for cut in cuts:
            play(exchange, later(when(market, cut), 1))
            exchange.close()
            exchange = an_exchange(market, later(when(market, cut), 1), path=path)
        play(exchange, at("15:00:00"))
        ends.append((exchange.trades(at("15:00:00")), exchange.orders(at("15:00:00"))))
        exchange.close()

    assert ends[0] == ends[1] == ends[2]


@pytest.mark.parametrize(
    ("side", "source"),
    [
        (Side.BUY, bar("11.00", "11.00", "10.60", "10.80", "10.00")),
        (Side.SELL, bar("9.00", "9.40", "9.00", "9.20", "10.00")),
    ],
)
def test_an_order_at_a_locked_limit_fills_when_the_lock_opens(side: Side, source: object) -> None:
    market = a_market(FixedBars({CODE: source}))  # type: ignore[dict-item]
    listing, tape = listed(market)
    limit = tape.price(0)
    opens = next(step for step in range(tape.end) if tape.price(step) != limit)
    exchange = an_exchange(market, at("09:26:00"), positions=((CODE, 1000, 1000),))
    order_id = exchange.submit(OrderRequest("t", CODE, side, 1000, listing.price(limit)), at("09:26:00"))
    locked = play(exchange, when(market, opens))
    events = play(exchange, when(market, opens + 1))

    assert opens > 1
    assert fills(locked, order_id) == []
    assert [(fill.shares, fill.price) for fill in fills(events, order_id)] == [(1000, listing.price(limit))]


def test_a_resting_order_is_not_polled() -> None:
    market = a_market()
    listing, tape = listed(market)
    exchange = an_exchange(market, at("09:30:00"))
    order_id = exchange.submit(sell(CODE, 0, "1.00"), at("09:30:00"))
    low = exchange.submit(buy(CODE, 100, listing.price(tape.low)), at("09:30:00"))
    woken, events = 0, exchange.advance(at("09:30:00"))
    while (due := exchange.next_due()) is not None:
        events += exchange.advance(due)
        woken += 1

    assert woken < 4 * 3600 / 300 + 15
    assert statuses(events, order_id)[-1] is S.JUNK
    assert statuses(events, low)[-1] in (S.SUCCEEDED, S.CANCELED)
    assert exchange.asset(at("15:00:00")).frozen == Decimal(0)
