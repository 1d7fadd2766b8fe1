"""What every broker and its quotes must do, continued from `test_broker`: lists, restarts, days, prices."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from tests.conformance.brokers import BOUGHT, CASH, HELD, INDEX, STOPPED, TEN, Stand
from tests.conformance.cards import CENT, Play, junk, rests
from tests.gateways.sim_rig import NEXT_DAY, at


def test_12_what_is_bought_today_is_sold_tomorrow(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await stand.order("t12a", Side.BUY, BOUGHT, 300, await stand.crossing(Side.BUY, BOUGHT))
        await stand.ended("t12a")
        price = await stand.crossing(Side.SELL, BOUGHT)
        await junk(stand, "t12b", stand.order("t12b", Side.SELL, BOUGHT, 300, price))
        stand.clock.put_to(at("10:00:00", NEXT_DAY))
        sellable = {position.code: position.sellable for position in await stand.broker.positions()}
        assert sellable == {BOUGHT: 300, HELD: 3000}
        await stand.order("t12c", Side.SELL, BOUGHT, 300, await stand.crossing(Side.SELL, BOUGHT))

        assert (await stand.ended("t12c")).status is OrderStatus.SUCCEEDED

    play(card)


def test_13_the_lists_say_what_the_events_said(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await stand.order("t13a", Side.BUY, BOUGHT, 300, await stand.crossing(Side.BUY, BOUGHT))
        await stand.order("t13b", Side.BUY, BOUGHT, 150, Decimal("10.00"))
        await rests(stand, "t13c", Side.SELL, HELD, 100)
        await stand.ended("t13a")
        await stand.ended("t13b")

        listed = {order.tag: order for order in await stand.broker.orders()}
        assert list(listed) == ["t13a", "t13b", "t13c"]
        assert {tag: stand.ear.orders(tag)[-1] for tag in listed} == listed
        assert stand.ear.trades("t13a") == list(await stand.broker.trades())
        assert len({order.order_id for order in listed.values()}) == 3

    play(card)


def test_14_orders_fills_and_money_are_there_after_a_restart(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await stand.order("t14a", Side.BUY, BOUGHT, 300, await stand.crossing(Side.BUY, BOUGHT))
        await stand.ended("t14a")
        working = await rests(stand, "t14b", Side.BUY, BOUGHT, 500)
        before = [await stand.broker.orders(), await stand.broker.trades(), await stand.broker.asset()]
        await stand.restart()
        assert [await stand.broker.orders(), await stand.broker.trades(), await stand.broker.asset()] == before
        await stand.broker.cancel(working.order_id)

        assert (await stand.ended("t14b")).status is OrderStatus.CANCELED

    play(card)


def test_15_an_order_placed_just_before_a_restart_is_known_and_trades(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await stand.order("t15", Side.BUY, BOUGHT, 300, await stand.crossing(Side.BUY, BOUGHT))
        await stand.restart()
        order = await stand.listed("t15")
        while not (order := await stand.listed("t15")).status.is_terminal:
            await stand.clock.sleep(0.02)
            assert stand.clock.now() < TEN + timedelta(seconds=60)

        assert (order.status, order.traded) == (OrderStatus.SUCCEEDED, 300)
        assert sum(fill.shares for fill in await stand.broker.trades()) == 300

    play(card)


def test_16_a_cancel_that_comes_too_late_or_for_nothing_changes_nothing(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await stand.order("t16", Side.BUY, BOUGHT, 300, await stand.crossing(Side.BUY, BOUGHT))
        ended = await stand.ended("t16")
        await stand.broker.cancel(ended.order_id)
        await stand.broker.cancel("no such order")

        assert await stand.listed("t16") == ended
        await rests(stand, "t16b", Side.SELL, HELD, 100)
        told = stand.ear.orders("t16")
        assert {replace(each, message="") for each in told[told.index(ended) :]} == {replace(ended, message="")}

    play(card)


def test_17_a_day_ends_every_order(play: Play) -> None:
    async def card(stand: Stand) -> None:
        await rests(stand, "t17", Side.BUY, BOUGHT, 500)
        stand.clock.put_to(at("10:00:00", NEXT_DAY))

        assert (await stand.broker.orders(), await stand.broker.trades()) == ((), ())
        asset = await stand.broker.asset()
        assert (asset.cash, asset.frozen) == (CASH, Decimal(0))

    play(card)


def test_18_tags_come_back_as_they_were_sent(play: Play) -> None:
    async def card(stand: Stand) -> None:
        tags = ["q1", "a" * 24, "调仓"]
        for tag in tags:
            await rests(stand, tag, Side.SELL, HELD, 100)

        assert [order.tag for order in await stand.broker.orders()] == tags

    play(card)


def test_19_closing_ends_the_stream_and_not_the_orders(play: Play) -> None:
    async def card(stand: Stand) -> None:
        order = await rests(stand, "t19", Side.BUY, BOUGHT, 500)
        listening = asyncio.create_task(stand.ear.until(lambda _: False))
        await stand.broker.close()
        listening.cancel()
        await stand.restart()

        assert await stand.listed("t19") == order

    play(card)


def test_20_quotes_and_records_tell_what_they_know_and_leave_out_the_rest(play: Play) -> None:
    async def card(stand: Stand) -> None:
        codes = [BOUGHT, STOPPED, "600099.SH"]
        quotes, records = await stand.quotes.quotes(codes), await stand.quotes.instruments(codes)

        assert set(quotes) == set(records) == {BOUGHT, STOPPED}
        quote = quotes[BOUGHT]
        asks, bids = [level.price for level in quote.asks], [level.price for level in quote.bids]
        assert (len(asks), len(bids)) == (5, 5)
        assert bids == sorted(bids, reverse=True)
        assert [*reversed(bids), *asks] == sorted([*bids, *asks])
        assert all(level.volume > 0 for level in (*quote.asks, *quote.bids))
        assert timedelta(0) <= stand.clock.now() - quote.at < timedelta(seconds=10)
        assert quotes[STOPPED].suspended
        assert records[STOPPED].suspended
        assert (records[BOUGHT].tick, records[BOUGHT].buy_min, records[BOUGHT].day) == (CENT, 100, TEN.date())
        assert await stand.quotes.quotes(()) == {}
        stand.clock.put_to(at("15:10:00"))
        assert await stand.quotes.index_close(INDEX, TEN.date()) == Decimal("3500.00")
        assert await stand.quotes.index_close("000905.SH", date(2026, 11, 18)) is None

    play(card)


def test_39_daily_bars_are_those_before_today_and_say_how_much_trades(play: Play) -> None:
    async def card(stand: Stand) -> None:
        bars = await stand.quotes.daily_bars([BOUGHT, STOPPED, "600099.SH"], 2)

        assert set(bars) <= {BOUGHT, STOPPED}
        assert [bar.day for bar in bars[BOUGHT]] == [date(2026, 11, 17), date(2026, 11, 18)]
        assert all(0 < bar.low <= bar.close <= bar.high and bar.prev_close > 0 for bar in bars[BOUGHT])
        assert all(bar.volume >= 1000 for bar in bars[BOUGHT])
        assert await stand.quotes.daily_bars((), 2) == {}

    play(card)
