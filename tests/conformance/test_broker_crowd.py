"""What every broker must do, continued from `test_broker_days`: crowds of orders, other hands, the unit of a book."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from tests.conformance.brokers import BOUGHT, HELD, TEN, Stand, the_market
from tests.conformance.cards import Play, adds_up

LOT = 100


def test_36_two_orders_right_behind_each_other_have_ids_and_tags_of_their_own(play: Play) -> None:
    async def card(stand: Stand) -> None:
        tags, price = ["t36a", "t36b"], await stand.resting(Side.BUY, BOUGHT)
        told = await asyncio.gather(*(stand.order(tag, Side.BUY, BOUGHT, 300, price) for tag in tags))
        for tag in tags:
            await stand.ear.until(lambda _, tag=tag: bool(stand.ear.orders(tag)))  # type: ignore[misc]
        listed = {order.tag: order.order_id for order in await stand.broker.orders()}

        assert listed == dict(zip(tags, told, strict=True))
        assert len(set(told)) == 2
        assert all(order.order_id == listed[tag] for tag in tags for order in stand.ear.orders(tag))
        await stand.broker.cancel(listed["t36a"])
        assert (await stand.ended("t36a")).status is OrderStatus.CANCELED
        assert not (await stand.listed("t36b")).status.is_terminal

    play(card)


def test_37_what_somebody_else_orders_is_listed_with_its_fills(play: Play) -> None:
    async def card(stand: Stand) -> None:
        price = await stand.crossing(Side.SELL, HELD)
        assert stand.by_hand is not None
        stand.by_hand(OrderRequest("手工", HELD, Side.SELL, 200, price))
        stand.by_hand(OrderRequest("", BOUGHT, Side.BUY, 100, await stand.resting(Side.BUY, BOUGHT)))
        settled, orders = [OrderStatus.SUCCEEDED, OrderStatus.REPORTED], await stand.broker.orders()
        while [order.status for order in orders] != settled:
            await stand.clock.sleep(0.02)
            orders = await stand.broker.orders()
            assert stand.clock.now() < TEN + timedelta(seconds=60)

        assert [(order.tag, order.code, order.traded) for order in orders] == [("手工", HELD, 200), ("", BOUGHT, 0)]
        fills = await stand.broker.trades()
        assert {(fill.tag, fill.order_id) for fill in fills} == {("手工", orders[0].order_id)}
        assert sum(fill.shares for fill in fills) == 200
        await adds_up(stand)

    play(card)


def test_38_the_book_is_told_in_shares(play: Play) -> None:
    async def card(stand: Stand) -> None:
        quote = (await stand.quotes.quotes((BOUGHT,)))[BOUGHT]
        book = the_market().quote(BOUGHT, quote.at)
        assert book is not None

        for told, true in ((quote.asks, book.asks), (quote.bids, book.bids)):
            assert [level.price for level in told] == [level.price for level in true]
            assert all(abs(mine.volume - theirs.volume) < LOT for mine, theirs in zip(told, true, strict=True))
            assert sum(level.volume for level in true) > 10 * LOT

    play(card)
