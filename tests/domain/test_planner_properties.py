from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

from hypothesis import given, settings

from qws.domain.account import Asset, Position
from qws.domain.lots import is_legal_buy, is_legal_sell
from qws.domain.market import Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.planner import plan_rebalance
from qws.domain.prices import is_on_tick
from tests.support.worlds import World, worlds

T = TypeVar("T")


many = settings(max_examples=150, deadline=None)


UNMANAGED = ("508000.SH", "113050.SH", "180101.SZ", "900901.SH")


def plan_of(world: World) -> Plan:
    return plan_rebalance(world.goal, world.snapshot, world.rules)


def shuffled(rows: tuple[T, ...]) -> tuple[T, ...]:
    return tuple(random.Random(7).sample(rows, len(rows)))


def amount(rows: tuple[PlanRow, ...]) -> Decimal:
    return sum((row.shares * row.price for row in rows), Decimal(0))


def fees(rows: tuple[PlanRow, ...]) -> Decimal:
    return sum((row.fee for row in rows), Decimal(0))


@many
@given(worlds())
def test_buys_and_their_fees_never_exceed_cash_and_net_proceeds_less_the_reserve(world: World) -> None:
    plan = plan_of(world)

    sells, buys = plan.side(Side.SELL), plan.side(Side.BUY)
    means = world.snapshot.asset.cash + amount(sells) - fees(sells) - world.rules.cash_reserve
    assert not buys or amount(buys) + fees(buys) <= means


@many
@given(worlds())
def test_every_order_is_legal_on_the_tick_inside_the_limits_and_the_cage(world: World) -> None:
    plan = plan_of(world)

    for row in (*plan.side(Side.SELL), *plan.side(Side.BUY)):
        assert row.side is not None
        instrument, quote = world.instrument(row.code), world.quote(row.code)
        cage = world.rules.book.cage_bound(instrument, row.side, quote)
        assert is_on_tick(row.price, instrument.tick)
        assert instrument.limit_down is not None
        assert instrument.limit_up is not None
        assert instrument.limit_down <= row.price <= instrument.limit_up
        assert cage is None or (row.price <= cage if row.side is Side.BUY else row.price >= cage)
        assert sum(row.children) == row.shares
        left = row.sellable
        for child in row.children:
            legal = is_legal_buy(instrument, child) if row.side is Side.BUY else is_legal_sell(instrument, left, child)
            assert legal, (row, child)
            assert child <= instrument.order_max
            left -= child


@many
@given(worlds())
def test_no_more_is_sold_than_is_sellable_and_no_more_bought_than_wanted(world: World) -> None:
    plan = plan_of(world)

    for row in plan.side(Side.SELL):
        position = world.position(row.code)
        assert position is not None
        assert row.shares <= min(position.sellable, position.shares - row.wanted)
    for row in plan.side(Side.BUY):
        assert row.shares <= row.wanted - row.held


@many
@given(worlds())
def test_every_name_has_one_row_and_whatever_falls_short_has_a_reason(world: World) -> None:
    plan = plan_of(world)

    names = {weight.code for weight in world.goal.weights} | {each.code for each in world.snapshot.positions}
    assert sorted(row.code for row in plan.rows) == sorted(names)
    for row in plan.rows:
        assert bool(row.shares) == (row.side is not None)
        assert row.reason or row.shares == abs(row.wanted - row.held)
        assert not (row.reason and row.shares == abs(row.wanted - row.held) and row.shares)


@many
@given(worlds())
def test_what_cannot_be_priced_or_must_not_be_touched_is_held_and_says_so(world: World) -> None:
    plan = plan_of(world)

    quotes = {quote.code: quote for quote in world.snapshot.quotes}
    wanted = {weight.code for weight in world.goal.weights}
    for row in plan.rows:
        quote = quotes.get(row.code)
        is_stale = quote is not None and (world.snapshot.at - quote.at).total_seconds() > world.rules.quote_age_max_s
        is_suspended = world.instrument(row.code).suspended or (quote is not None and quote.suspended)
        is_filtered = row.code in world.goal.filtered and row.code not in wanted
        if (
            row.code in world.rules.protected or row.code in UNMANAGED or is_filtered
            or quote is None or is_suspended or is_stale
        ):  # fmt: skip
            assert (row.side, row.shares, row.wanted) == (None, 0, row.held)
            assert row.reason in (
                "protected", "not_managed", "row_filtered", "no_quote", "suspended", "stale_quote",
            )  # fmt: skip


@many
@given(worlds())
def test_planning_again_after_all_fills_with_the_same_total_sends_nothing(world: World) -> None:
    plan = plan_of(world)
    held = {each.code: each for each in world.snapshot.positions}
    cash = world.snapshot.asset.cash
    for row in (*plan.side(Side.SELL), *plan.side(Side.BUY)):
        old = held.get(row.code, Position(row.code, 0, 0, Decimal(0)))
        sign = 1 if row.side is Side.BUY else -1
        sellable = old.sellable if row.side is Side.BUY else old.sellable - row.shares
        shares = old.shares + sign * row.shares
        held[row.code] = Position(row.code, shares, sellable, shares * row.mark)
        cash -= sign * row.shares * row.price + row.fee
    positions = tuple(each for each in held.values() if each.shares)
    asset = Asset(cash, Decimal(0), Decimal(0), world.snapshot.asset.total)

    again = plan_rebalance(world.goal, replace(world.snapshot, asset=asset, positions=positions), world.rules)

    assert [row for row in again.rows if row.shares] == []


@many
@given(worlds())
def test_the_plan_does_not_depend_on_the_order_of_what_it_is_made_from(world: World) -> None:
    snapshot, goal = world.snapshot, world.goal
    other = replace(
        snapshot,
        positions=shuffled(snapshot.positions),
        quotes=shuffled(snapshot.quotes),
        instruments=shuffled(snapshot.instruments),
    )

    plan = plan_rebalance(replace(goal, weights=shuffled(goal.weights)), other, world.rules)

    assert plan == plan_of(world)
