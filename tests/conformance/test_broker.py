"""What every broker must do, card by card, whichever adapter is behind the port: the life of an order."""

from __future__ import annotations

from decimal import Decimal

import pytest

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderStatus, Trade
from tests.conformance.brokers import BOUGHT, CASH, HELD, INDEX, OPENING, STOPPED, Stand
from tests.conformance.cards import CENT, Play, adds_up, junk, rests


def test_01_a_new_account_holds_what_it_was_opened_with(play: Play) -> None:
    async def card(stand: Stand) -> None:
        (held,) = await stand.broker.positions()

        assert (held.code, held.shares, held.sellable) == OPENING[0]
        assert (await stand.broker.asset()).cash == CASH
        assert (await stand.broker.orders(), await stand.broker.trades()) == ((), ())
        await adds_up(stand)

    play(card)


def test_02_a_crossing_buy_is_reported_filled_and_ends(play: Play) -> None:
    async def card(stand: Stand) -> None:
        price = await stand.crossing(Side.BUY, BOUGHT)
        await stand.order("t02", Side.BUY, BOUGHT, 300, price)
        order = await stand.ended("t02")
        fills = stand.ear.trades("t02")

        assert (order.status, order.traded, order.price) == (OrderStatus.SUCCEEDED, 300, price)
        assert sum(fill.shares for fill in fills) == 300
        assert all(fill.price <= price and fill.order_id == order.order_id for fill in fills)
        held = {position.code: position.shares for position in await stand.broker.positions()}
        assert held[BOUGHT] == 300
        await adds_up(stand)

    play(card)


def test_03_a_crossing_sell_turns_shares_into_money(play: Play) -> None:
    async def card(stand: Stand) -> None:
        price = await stand.crossing(Side.SELL, HELD)
        await stand.order("t03", Side.SELL, HELD, 2000, price)
        order = await stand.ended("t03")
        (held,) = await stand.broker.positions()

        assert (order.status, order.traded) == (OrderStatus.SUCCEEDED, 2000)
        assert (held.shares, held.sellable) == (1000, 0)
        assert all(fill.price >= price for fill in stand.ear.trades("t03"))
        await adds_up(stand)

    play(card)


def test_04_cash_moves_by_the_amounts_and_the_fees_of_the_fills(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await stand.order("t04b", Side.BUY, BOUGHT, 1000, await stand.crossing(Side.BUY, BOUGHT))
        await stand.order("t04s", Side.SELL, HELD, 1000, await stand.crossing(Side.SELL, HELD))
        await stand.ended("t04b")
        await stand.ended("t04s")
        cash, fills = (await stand.broker.asset()).cash, await stand.broker.trades()

        assert all(fill.fee is not None and fill.fee > 0 for fill in fills)
        moved = sum((fill.shares * fill.price * (1 if fill.side is Side.SELL else -1) for fill in fills), Decimal(0))
        assert cash == CASH + moved - sum((fill.fee or Decimal(0) for fill in fills), Decimal(0))

    play(card)


def test_05_reports_come_in_the_order_of_what_happened(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await stand.order("t05", Side.BUY, BOUGHT, 300, await stand.crossing(Side.BUY, BOUGHT))
        await stand.ended("t05")
        told = stand.ear.orders("t05")

        assert [order.status for order in told] == sorted(order.status for order in told)
        assert [order.at for order in told] == sorted(order.at for order in told)
        assert [order.traded for order in told] == sorted(order.traded for order in told)
        assert len({order.order_id for order in told}) == 1
        first_fill = next(place for place, event in enumerate(stand.ear.heard) if isinstance(event, Trade))
        assert isinstance(stand.ear.heard[0], BrokerOrder)
        assert stand.ear.heard.index(told[-1]) > first_fill

    play(card)


def test_06_a_working_buy_freezes_money_until_it_is_cancelled(play: Play) -> None:
    async def card(stand: Stand) -> None:
        order = await rests(stand, "t06", Side.BUY, BOUGHT, 1000)
        asset = await stand.broker.asset()
        assert asset.frozen >= 1000 * order.price
        assert asset.cash + asset.frozen == CASH
        await adds_up(stand)
        await stand.broker.cancel(order.order_id)
        ended = await stand.ended("t06")
        asset = await stand.broker.asset()

        assert (ended.status, ended.traded) == (OrderStatus.CANCELED, 0)
        assert (asset.cash, asset.frozen) == (CASH, Decimal(0))

    play(card)


def test_07_a_working_sell_takes_its_shares_off_what_is_sellable(play: Play) -> None:
    async def card(stand: Stand) -> None:
        order = await rests(stand, "t07", Side.SELL, HELD, 1500)
        (held,) = await stand.broker.positions()
        assert (held.shares, held.sellable) == (3000, 500)
        await stand.broker.cancel(order.order_id)
        await stand.ended("t07")
        (held,) = await stand.broker.positions()

        assert (held.shares, held.sellable) == (3000, 2000)

    play(card)


def test_08_an_order_larger_than_the_book_fills_in_part_and_can_be_cancelled(play: Play) -> None:
    async def card(stand: Stand) -> None:
        quote = (await stand.quotes.quotes((BOUGHT,)))[BOUGHT]
        price, shown = quote.asks[0].price, quote.asks[0].volume
        shares = min(shown * 3, int(CASH / price) - 1000) // 100 * 100
        assert shares > shown
        await stand.order("t08", Side.BUY, BOUGHT, shares, price)
        await stand.ear.until(lambda _: bool(stand.ear.trades("t08")))
        order = await stand.listed("t08")
        assert order.status is OrderStatus.PART_SUCC
        assert 0 < order.traded < shares
        await stand.broker.cancel(order.order_id)
        ended = await stand.ended("t08")

        assert ended.status is OrderStatus.PART_CANCEL
        assert 0 < ended.traded == sum(fill.shares for fill in await stand.broker.trades()) < shares
        assert (await stand.broker.asset()).frozen == 0
        await adds_up(stand)

    play(card)


def test_09_a_buy_beyond_the_money_is_turned_down(play: Play) -> None:
    async def card(stand: Stand) -> None:
        price = await stand.resting(Side.BUY, BOUGHT)
        shares = int(CASH / price) // 100 * 100  # affordable without fees only
        blocked = await rests(stand, "t09a", Side.BUY, BOUGHT, shares - 100)
        assert blocked.status is OrderStatus.REPORTED
        await junk(stand, "t09b", stand.order("t09b", Side.BUY, BOUGHT, 200, price))

    play(card)


def test_10_a_sell_beyond_what_is_sellable_is_turned_down(play: Play) -> None:
    async def card(stand: Stand) -> None:
        price = await stand.resting(Side.SELL, HELD)
        await junk(stand, "t10a", stand.order("t10a", Side.SELL, HELD, 2100, price))
        await junk(stand, "t10b", stand.order("t10b", Side.SELL, BOUGHT, 100, Decimal("10.00")))

    play(card)


@pytest.mark.parametrize("what", ["odd_lot", "nothing", "off_tick", "above_limit", "suspended", "unknown", "index"])
def test_11_an_illegal_order_is_turned_down_with_a_reason(play: Play, what: str) -> None:
    async def card(stand: Stand) -> None:
        price = await stand.resting(Side.BUY, BOUGHT)
        code, shares, price = {
            "odd_lot": (BOUGHT, 150, price),
            "nothing": (BOUGHT, 0, price),
            "off_tick": (BOUGHT, 100, price + CENT / 2),
            "above_limit": (BOUGHT, 100, await stand.resting(Side.SELL, BOUGHT) + CENT),
            "suspended": (STOPPED, 100, Decimal("5.00")),
            "unknown": ("600099.SH", 100, price),
            "index": (INDEX, 100, Decimal("3500.00")),
        }[what]
        order = await junk(stand, "t11", stand.order("t11", Side.BUY, code, shares, price))

        assert (order.code, order.shares, order.price) == (code, shares, price)

    play(card)
