from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.errors import InvariantBroken, StoreError
from qws.gateways.sim.account import Account, Holding, Ticket
from qws.gateways.sim.books import Books, State, audit
from qws.gateways.sim.exchange import SimExchange
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
    flat,
    later,
    play,
    sell,
    status_of,
)

CODE = "600000.SH"
TEN = at("10:00:00")


def told(exchange: SimExchange, now: datetime) -> tuple[object, ...]:
    """All that the broker can be asked."""
    return exchange.asset(now), exchange.positions(now), exchange.orders(now), exchange.trades(now)


def a_busy_morning(exchange: SimExchange, seed: int, seconds: range) -> None:
    """Seeded orders and cancels on one name, at these seconds after 10:00."""
    for second in seconds:
        draw = random.Random(f"{seed}:{second}")
        now = later(TEN, second)
        quote = exchange.market.quote(CODE, now)
        assert quote is not None
        assert quote.last is not None
        price = quote.last + Decimal(draw.randint(-4, 4)) / 100
        shares = 100 * draw.randint(1, 3000)
        side = draw.choice(list(Side))
        if side is Side.SELL:
            held = next((one for one in exchange.positions(now) if one.code == CODE), None)
            shares = min(shares, held.sellable if held is not None else 0)
        exchange.submit(OrderRequest(f"t{second}", CODE, side, shares, price), now)
        for order in exchange.orders(now):
            if not order.status.is_terminal and draw.random() < 0.2:
                exchange.cancel(order.order_id, now)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 120))
def test_an_abandoned_account_is_found_as_it_was_left(seed: int, seconds: int) -> None:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        path, market = Path(folder) / "paper.db", a_market(seed=seed)
        positions = ((CODE, 500_000, 400_000),)
        left = an_exchange(market, TEN, path=path, cash=100 * MILLION, positions=positions)
        a_busy_morning(left, seed, range(0, seconds, 7))
        stop = later(TEN, seconds)
        before = told(left, stop)
        reopened = an_exchange(market, stop, path=path, cash=Decimal(1))

        assert told(reopened, stop) == before
        left.close()
        reopened.close()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(1, 300), max_size=4).map(sorted))
def test_restarts_change_nothing_of_what_comes_after(seed: int, cuts: list[int]) -> None:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        market, ends = a_market(seed=seed), []
        for name, stops in (("whole", []), ("cut", cuts)):
            start, path = 0, Path(folder) / f"{name}.db"
            for stop in [*stops, 301]:
                exchange = an_exchange(
                    market, later(TEN, start), path=path, cash=100 * MILLION, positions=((CODE, 500_000, 400_000),)
                )
                a_busy_morning(exchange, seed, range(start + -start % 7, stop, 7))
                start = stop
                told(exchange, later(TEN, start - 1))
                exchange.close()
            ends.append(told(an_exchange(market, at("15:00:00"), path=path), at("15:00:00")))

        assert ends[0] == ends[1]


@pytest.mark.parametrize("cut_s", [0.0, 0.03, 0.07, 0.2, 2.0, 9.0, 40.0])
def test_a_restart_at_any_moment_ends_in_the_same_place(tmp_path: Path, cut_s: float) -> None:
    def run(path: Path, *, cut: bool) -> tuple[object, ...]:
        market = a_market(seed=3)
        quote = market.quote(CODE, TEN)
        assert quote is not None
        exchange = an_exchange(market, TEN, path=path, cash=100 * MILLION, positions=((CODE, 5000, 5000),))
        wide = quote.asks[1].price
        exchange.submit(buy(CODE, 900_000, wide, "a"), TEN)
        exchange.submit(buy(CODE, 400_000, wide - Decimal("0.02"), "b"), TEN)
        exchange.submit(sell(CODE, 5000, wide + Decimal("0.02"), "c"), TEN)
        exchange.cancel(exchange.orders(TEN)[2].order_id, later(TEN, 0.01))
        play(exchange, later(TEN, cut_s))
        if cut:
            exchange.close()
            exchange = an_exchange(market, later(TEN, cut_s), path=path)
        play(exchange, at("15:00:00"))
        result = told(exchange, at("15:00:00"))
        exchange.close()
        return result

    assert run(tmp_path / "cut.db", cut=True) == run(tmp_path / "whole.db", cut=False)


def test_a_killed_process_loses_nothing_it_was_told(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.gateways.sim_rig import *\n"
        f"exchange = an_exchange(a_market(), at('10:00:00'), path=Path({str(path)!r}))\n"
        "exchange.submit(buy('600000.SH', 100, exchange.market.quote('600000.SH', at('10:00:00')).asks[0].price),"
        " at('10:00:00'))\n"
        "play(exchange, at('10:00:01'))\n"
        "exchange.submit(buy('600000.SH', 200, exchange.market.instrument('600000.SH', at('10:00:00')).limit_down),"
        " at('10:00:01'))\n"
        "print(exchange.asset(at('10:00:01')), flush=True)\n"
        "os._exit(9)\n"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=False)
    exchange = an_exchange(a_market(), at("10:00:01"), path=path)

    assert shown.returncode == 9
    assert str(exchange.asset(at("10:00:01"))) == shown.stdout.strip()
    assert [order.shares for order in exchange.orders(at("10:00:01"))] == [100, 200]
    assert [trade.shares for trade in exchange.trades(at("10:00:01"))] == [100]


def test_time_that_passed_while_nobody_looked_is_caught_up_with(tmp_path: Path) -> None:
    market = a_market(FixedBars({CODE: bar("10.00", "10.50", "9.50", "10.20", "10.00")}))
    path = tmp_path / "paper.db"
    early = an_exchange(market, at("09:30:00"), path=path)
    fills, rests = (early.submit(buy(CODE, 1000, price), at("09:30:00")) for price in ("9.60", "9.40"))
    early.advance(later(at("09:30:00"), 1))
    early.close()
    evening = an_exchange(market, at("16:00:00"), path=path)
    events = evening.advance(at("16:00:00"))

    assert status_of(evening, fills, at("16:00:00")).status is OrderStatus.SUCCEEDED
    assert status_of(evening, rests, at("16:00:00")).status is OrderStatus.CANCELED
    assert all(event.at <= at("15:00:00") for event in events)


def test_an_earlier_days_orders_trade_out_that_day_and_expire(tmp_path: Path) -> None:
    market = a_market(FixedBars({CODE: bar("10.00", "10.50", "9.50", "10.20", "10.00")}))
    path = tmp_path / "paper.db"
    early = an_exchange(market, at("09:30:00"), path=path)
    early.submit(buy(CODE, 1000, "9.60"), at("09:30:00"))
    early.submit(buy(CODE, 1000, "9.40"), at("09:30:00"))
    early.close()
    monday = at("10:00:00", NEXT_DAY + timedelta(days=3))
    reopened = an_exchange(market, monday, path=path)

    assert reopened.orders(monday) == ()
    assert [(held.shares, held.sellable) for held in reopened.positions(monday)] == [(1000, 1000)]
    assert reopened.asset(monday).frozen == 0


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6))
def test_money_changes_only_by_prices_and_fees(seed: int) -> None:
    market = a_market(seed=seed)
    start = ((CODE, 500_000, 400_000),)
    exchange = an_exchange(market, TEN, cash=20 * MILLION, positions=start)
    a_busy_morning(exchange, seed, range(0, 300, 7))
    now = later(TEN, 300)
    cash, shares = 20 * MILLION, 500_000
    for trade in exchange.trades(now):
        assert trade.fee is not None
        sign = 1 if trade.side is Side.BUY else -1
        cash -= sign * trade.shares * trade.price + trade.fee
        shares += sign * trade.shares
    asset = exchange.asset(now)

    assert exchange.trades(now) != ()
    assert asset.cash >= 0
    assert asset.cash + asset.frozen == cash
    assert asset.total == cash + shares * market.last_price(CODE, now)
    assert sum(held.shares for held in exchange.positions(now)) == shares
    for order in exchange.orders(now):
        assert order.traded == sum(trade.shares for trade in exchange.trades(now) if trade.order_id == order.order_id)
    exchange.advance(at("15:00:00"))
    assert exchange.asset(at("15:00:00")).frozen == 0


def test_broken_books_are_refused() -> None:
    ticket = Ticket(1, buy(CODE, 100, "10.00"), OrderStatus.REPORTED, TEN, TEN, "")
    with pytest.raises(InvariantBroken, match="cash"):
        Account(Decimal(10)).fill(ticket, 100, Decimal(10), Decimal(5), 100)
    short = Account(Decimal(10), {CODE: Holding(CODE, 100, 0, 100)})
    with pytest.raises(InvariantBroken, match=CODE):
        short.fill(replace(ticket, request=sell(CODE, 200, "10.00")), 200, Decimal(10), Decimal(5), 0)
    with pytest.raises(InvariantBroken, match="add up"):
        audit(State(Account(Decimal(0), {CODE: Holding(CODE, 100, 0, 50)}), DAY))


def test_a_file_that_is_no_account_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "paper.db"
    path.write_text("this is not a database, but it is long enough to look like a file", encoding="utf-8")

    with pytest.raises(StoreError, match=r"paper\.db"):
        Books(path)
    with pytest.raises(StoreError, match="absent"):
        Books(tmp_path / "absent" / "paper.db")


def test_a_file_of_an_earlier_version_is_continued(tmp_path: Path) -> None:
    path, market = tmp_path / "paper.db", a_market()
    old = an_exchange(market, TEN, path=path)
    old.submit(buy(CODE, 100, market.instrument(CODE, TEN).limit_down), TEN)  # type: ignore[union-attr,arg-type]
    before = told(old, later(TEN, 1))
    old.close()
    with closing(sqlite3.connect(path)) as file:
        for column in ("arrives", "ahead", "since"):
            file.execute(f"ALTER TABLE orders DROP COLUMN {column}")
        file.commit()
    continued = an_exchange(market, later(TEN, 1), path=path)

    assert told(continued, later(TEN, 1)) == before


def test_the_file_does_not_grow_from_day_to_day(tmp_path: Path) -> None:
    path, now = tmp_path / "paper.db", TEN
    market = a_market(FixedBars({CODE: flat("10.00")}))
    exchange = an_exchange(market, now, path=path, cash=100 * MILLION)
    sizes = []
    for _ in range(12):
        for _ in range(40):
            exchange.submit(buy(CODE, 100, "9.00"), now)
        exchange.advance(later(now, 5 * 3600))
        now += timedelta(days=1)
        exchange.advance(now)
        sizes.append(path.stat().st_size)
    exchange.close()

    assert path.stat().st_size <= 2 * max(sizes[0], 65536)
