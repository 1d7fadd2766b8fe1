"""A row for every order of the day, a ticket for those that may still trade."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from qws.domain.orders import OrderStatus
from qws.gateways.sim.books import Books
from tests.gateways.sim_rig import a_market, an_exchange, at, buy, later, play, statuses
from tests.gateways.test_sim_books import CODE, TEN, a_busy_morning
from tests.gateways.test_sim_exchange import a_flat_market


def test_a_refused_order_cannot_be_cancelled_and_nothing_is_said_of_it() -> None:
    exchange = an_exchange(a_flat_market(), TEN)
    order_id = exchange.submit(buy(CODE, 101, "10.05"), TEN)
    exchange.cancel(order_id, TEN)
    reports = statuses(play(exchange, later(TEN, 1)), order_id)
    exchange.cancel(order_id, later(TEN, 2))

    assert reports == [OrderStatus.WAIT_REPORTING, OrderStatus.JUNK]
    assert exchange.advance(later(TEN, 2)) == []


def test_only_orders_that_may_still_trade_have_tickets(tmp_path: Path) -> None:
    path, market = tmp_path / "paper.db", a_market()
    exchange = an_exchange(market, TEN, path=path)
    a_busy_morning(exchange, 7, range(0, 60, 2))
    now = later(TEN, 90)
    exchange.submit(buy(CODE, 100, str(exchange.market.instrument(CODE, now).limit_down)), now)  # type: ignore[union-attr]
    rows = exchange.orders(now)
    exchange.close()
    state = Books(path).load()

    assert state is not None
    for known in (exchange._state, state):
        assert tuple(known.orders.values()) == rows
        assert list(known.tickets) == [row.order_id for row in rows if not row.status.is_terminal]
    assert 0 < len(state.tickets) < len(rows)


def test_the_file_keeps_what_an_ended_order_traded_and_cost(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    exchange = an_exchange(a_market(), TEN, path=path)
    a_busy_morning(exchange, 7, range(0, 60, 2))
    exchange.advance(at("15:00:00"))
    for order in exchange.orders(at("15:00:00")):
        exchange.cancel(order.order_id, at("15:00:00"))  # too late: a refusal writes nothing
    ended = {order.order_id for order in exchange.orders(at("15:00:00")) if order.status.is_terminal}
    exchange.close()

    amounts, fees = dict.fromkeys(ended, Decimal(0)), dict.fromkeys(ended, Decimal(0))
    with closing(sqlite3.connect(path)) as file:
        for order_id, shares, price, fee in file.execute("SELECT order_id, shares, price, fee FROM trades"):
            amounts[order_id] += shares * Decimal(price)
            fees[order_id] += Decimal(fee)
        rows = file.execute("SELECT serial, amount, fee FROM orders").fetchall()

    assert any(amounts.values())
    assert {str(serial): (Decimal(amount), Decimal(fee)) for serial, amount, fee in rows} == {
        each: (amounts[each], fees[each]) for each in ended
    }
