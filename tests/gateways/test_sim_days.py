"""Whole days with orders in every phase: money, shares and restarts."""

from __future__ import annotations

import random
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.gateways.sim.exchange import SimExchange
from tests.gateways.sim_rig import MILLION, FixedBars, a_market, an_exchange, at, bar, buy, play, sell

CODE = "600000.SH"
EARLY = at("09:16:00")
DAYS_BAR = bar("10.10", "10.40", "9.90", "10.20", "10.00")


def told(exchange: SimExchange, now: datetime) -> tuple[object, ...]:
    return exchange.asset(now), exchange.positions(now), exchange.orders(now), exchange.trades(now)


MOMENTS = [
    *("09:15:30", "09:17:00", "09:21:00", "09:24:59.960", "09:26:00", "09:30:10", "09:45:00"),
    *("11:29:59.970", "12:10:00", "13:00:10", "14:56:59.970", "14:58:00", "14:59:59.950"),
]


def a_whole_day(exchange: SimExchange, seed: int, moments: list[str]) -> None:
    """Seeded orders and cancels in every phase of the day."""
    for clock in moments:
        now, draw = at(clock), random.Random(f"{seed}:{clock}")
        for number in range(3):
            quote = exchange.market.quote(CODE, now)
            assert quote is not None
            price = (quote.last or quote.prev_close) + Decimal(draw.randint(-8, 8)) / 100
            side, shares = draw.choice(list(Side)), 100 * draw.randint(1, 4000)
            if side is Side.SELL:
                held = next((one for one in exchange.positions(now) if one.code == CODE), None)
                shares = min(shares, held.sellable if held is not None else 0)
            exchange.submit(OrderRequest(f"{clock}/{number}", CODE, side, shares, price), now)
        for order in exchange.orders(now):
            if not order.status.is_terminal and draw.random() < 0.2:
                exchange.cancel(order.order_id, now)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_money_and_shares_are_explained_by_fills_through_every_phase(seed: int) -> None:
    market = a_market(seed=seed)
    exchange = an_exchange(market, at("09:14:00"), cash=50 * MILLION, positions=((CODE, 500_000, 400_000),))
    a_whole_day(exchange, seed, MOMENTS)
    cash, shares, now = 50 * MILLION, 500_000, at("15:00:01")
    for trade in exchange.trades(now):
        assert trade.fee is not None
        sign = 1 if trade.side is Side.BUY else -1
        cash -= sign * trade.shares * trade.price + trade.fee
        shares += sign * trade.shares
    asset = exchange.asset(now)

    assert asset.cash == cash
    assert asset.frozen == 0
    assert sum(held.shares for held in exchange.positions(now)) == shares
    assert asset.total == cash + shares * market.last_price(CODE, now)
    for order in exchange.orders(now):
        assert order.status.is_terminal
        assert order.traded == sum(one.shares for one in exchange.trades(now) if one.order_id == order.order_id)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.lists(st.integers(0, len(MOMENTS)), min_size=1, max_size=4).map(sorted))
def test_restarts_in_any_phase_change_nothing(seed: int, cuts: list[int]) -> None:
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        market, ends = a_market(seed=seed), []
        for name, stops in (("whole", []), ("cut", cuts)):
            done, path = 0, Path(folder) / f"{name}.db"
            for stop in [*stops, len(MOMENTS)]:
                now = at(MOMENTS[done - 1]) if done else at("09:14:00")
                exchange = an_exchange(market, now, path=path, cash=50 * MILLION, positions=((CODE, 500_000, 400_000),))
                a_whole_day(exchange, seed, MOMENTS[done:stop])
                done = max(done, stop)
                exchange.close()
            ends.append(told(an_exchange(market, at("15:00:01"), path=path), at("15:00:01")))

        assert ends[0] == ends[1]


@pytest.mark.parametrize(
    "clock", ["09:20:00", "09:24:59.990", "09:25:00", "09:25:01", "09:29:00", "14:58:30", "15:00:00"]
)
def test_a_restart_around_an_auction_ends_in_the_same_place(tmp_path: Path, clock: str) -> None:
    def run(path: Path, *, cut: bool) -> tuple[object, ...]:
        market, start = a_market(FixedBars({CODE: DAYS_BAR})), EARLY
        exchange = an_exchange(market, start, path=path, cash=100 * MILLION, positions=((CODE, 9000, 9000),))
        exchange.submit(buy(CODE, 1_000_000, "10.12"), start)
        exchange.submit(buy(CODE, 50_000, DAYS_BAR.open), start)
        exchange.submit(sell(CODE, 9000, "10.30"), start)
        play(exchange, at(clock))
        if cut:
            exchange.close()
            exchange = an_exchange(market, at(clock), path=path)
        play(exchange, at("15:00:00"))
        result = told(exchange, at("15:00:00"))
        exchange.close()
        return result

    assert run(tmp_path / "cut.db", cut=True) == run(tmp_path / "whole.db", cut=False)
