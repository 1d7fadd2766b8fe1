"""What the broker says when a terminal answers late, wrongly or not at all."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qws.domain.account import does_not_add_up
from qws.domain.market import Side
from qws.domain.orders import OrderStatus, Trade
from qws.errors import AlreadyRunning, GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt.client import LinkState
from qws.gateways.xt.session import AccountLock
from qws.gateways.xt.settings import Pace
from tests.conformance.brokers import BOUGHT, CASH, HELD, heard_by
from tests.gateways.sim_rig import at, sell
from tests.gateways.xt.xt_rig import QUICK, SHORT, Setting, Stand, a_buy, closed, opened, with_faults
from tests.xt_native import FOREIGN_ROWS, Faults


def test_place_gives_the_orders_id(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.rests("q1")
        (order,) = await stand.broker.orders()

        assert order.order_id == order_id
        assert order.tag == "q1"

    opened(tmp_path, body)


def test_an_order_that_never_arrived_is_unknown_and_not_sent_again(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        with pytest.raises(GatewayTimeout, match="outcome is unknown"):
            await stand.rests("q1")

        assert await stand.broker.orders() == ()
        assert stand.broker.state is LinkState.READY

    opened(tmp_path, body, with_faults(order_lost=1))


def test_a_lost_response_is_unknown_and_the_list_settles_it(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        with pytest.raises(GatewayTimeout, match="outcome is unknown"):
            await stand.rests("q1")

        (order,) = await stand.broker.orders()
        assert (order.tag, order.status) == ("q1", OrderStatus.REPORTED)
        await stand.broker.cancel(order.order_id)
        await stand.ended("q1", OrderStatus.CANCELED)

    opened(tmp_path, body, with_faults(response_lost=1))


@pytest.mark.parametrize("remark_bytes", [12, 0])
def test_remarks_that_are_cut_or_emptied_still_name_the_order(tmp_path: Path, remark_bytes: int) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.broker.place(a_buy("q1abcdefghijkl01", 300, Decimal("10.03")))
        await stand.ended("q1abcdefghijkl01", OrderStatus.SUCCEEDED)
        fills = await stand.broker.trades()

        assert {fill.tag for fill in fills} == {"q1abcdefghijkl01"}
        assert {fill.order_id for fill in fills} == {order_id}
        (order,) = await stand.broker.orders()
        assert order.tag == "q1abcdefghijkl01"

    opened(tmp_path, body, with_faults(remark_bytes=remark_bytes))


@pytest.mark.parametrize("remark_bytes", [12, 0])
def test_without_response_and_with_a_spoilt_remark_the_order_is_matched(tmp_path: Path, remark_bytes: int) -> None:
    async def body(stand: Stand) -> None:
        with pytest.raises(GatewayTimeout):
            await stand.rests("q1abcdefghijkl01", 400)

        (order,) = await stand.broker.orders()
        assert order.tag == "q1abcdefghijkl01"

    opened(tmp_path, body, with_faults(remark_bytes=remark_bytes, response_lost=1))


def test_fills_of_another_life_are_joined_by_the_order_list(tmp_path: Path) -> None:
    """Trades may lack the remark that their order has."""

    async def body(stand: Stand) -> None:
        await stand.broker.place(a_buy("q1", 300, Decimal("10.03")))
        await stand.ended("q1", OrderStatus.SUCCEEDED)

    async def again(stand: Stand) -> None:
        assert {fill.tag for fill in await stand.broker.trades()} == {"q1"}

    opened(tmp_path, body)
    opened(tmp_path, again)


@pytest.mark.parametrize("what", ["asset", "positions"])
def test_no_answer_about_the_account_is_an_error_and_never_nothing(tmp_path: Path, what: str) -> None:
    async def body(stand: Stand) -> None:
        stand.faults.queries = ("queryStockAsset",) if what == "asset" else ("queryStockPositions",)
        stand.faults.query_empty = 1
        with pytest.raises(GatewayError, match="the terminal answered"):
            await getattr(stand.broker, what)()

        assert await stand.broker.positions()
        assert (await stand.broker.asset()).cash == CASH

    opened(tmp_path, body)


@pytest.mark.parametrize("what", ["orders", "trades"])
def test_an_empty_list_after_something_was_seen_is_no_list(tmp_path: Path, what: str) -> None:
    async def body(stand: Stand) -> None:
        assert await getattr(stand.broker, what)() == ()
        await stand.broker.place(a_buy("q1", 300, Decimal("10.03")))
        await stand.ended("q1", OrderStatus.SUCCEEDED)
        stand.faults.queries = (f"queryStock{what.title()}",)
        stand.faults.query_empty = 1
        with pytest.raises(GatewayError, match="some were seen today"):
            await getattr(stand.broker, what)()

        assert await getattr(stand.broker, what)()

    opened(tmp_path, body)


def test_an_account_that_was_sold_out_is_flat(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.clock.put_to(at("10:00:00") + timedelta(days=1))
        await stand.broker.place(sell(HELD, 3000, "19.90", "q1"))
        await stand.ended("q1", OrderStatus.SUCCEEDED)

        assert await stand.broker.positions() == ()

    opened(tmp_path, body)


def test_what_is_not_ours_to_manage_is_in_no_number(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        positions, asset = await stand.broker.positions(), await stand.broker.asset()

        assert {position.code for position in positions} == {HELD}
        assert does_not_add_up(asset, positions) == ""
        assert asset.total == asset.cash + asset.frozen + asset.market_value

    opened(tmp_path, body, with_faults(foreign_rows=FOREIGN_ROWS))


def test_rows_of_nonsense_spoil_no_list(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.rests("q1")

        assert [order.tag for order in await stand.broker.orders()] == ["q1"]
        assert await stand.broker.trades() == ()
        assert len(await stand.broker.positions()) == 1

    opened(tmp_path, body, with_faults(junk_row=True))


def test_fills_of_other_days_are_not_told(tmp_path: Path) -> None:
    old = Trade("1", "77", "q1old", BOUGHT, Side.BUY, 100, Decimal(10), at("10:00:00") - timedelta(days=1))

    async def body(stand: Stand) -> None:
        await stand.broker.place(a_buy("q1", 300, Decimal("10.03")))
        await stand.ended("q1", OrderStatus.SUCCEEDED)

        assert stand.ear.trades("q1")
        assert stand.ear.trades("q1old") == []

    opened(tmp_path, body, with_faults(replay=(old,)))


def test_cancels_are_tried_twice_and_the_account_goes_on(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        first, second = await stand.rests("q1"), await stand.rests("q2")
        stand.faults.cancel_refused = 1
        await stand.broker.cancel(first)
        await stand.broker.cancel(second)

        await stand.ended("q2", OrderStatus.CANCELED)
        await stand.ended("q1", OrderStatus.CANCELED)

    opened(tmp_path, body)


def test_a_lost_cancel_is_asked_for_again(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.rests("q1")
        await stand.broker.cancel(order_id)

        await stand.ended("q1", OrderStatus.CANCELED)

    opened(tmp_path, body, with_faults(cancel_lost=1))


def test_closing_sends_the_cancels_that_wait(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        async with heard_by(stand.broker, stand.ear):
            ids = [await stand.rests(f"q{number}") for number in range(5)]
            await stand.ended("q4", OrderStatus.REPORTED)
            for order_id in ids:
                await stand.broker.cancel(order_id)
        await stand.broker.open()
        async with asyncio.timeout(5):
            while {order.status for order in await stand.broker.orders()} != {OrderStatus.CANCELED}:
                assert stand.broker.state is LinkState.READY

    closed(tmp_path, body, Setting(deadlines=replace(SHORT, stop_s=5.0)))


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    lock = AccountLock(tmp_path / "xt.lock")
    lock.acquire()

    async def body(stand: Stand) -> None:
        with pytest.raises(AlreadyRunning):
            await stand.broker.open()
        lock.release()
        await stand.broker.open()
        assert stand.broker.state is LinkState.READY

    closed(tmp_path, body)


def test_before_it_is_open_nothing_is_sent(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        for call in (stand.broker.place(a_buy("q1")), stand.broker.cancel("1"), stand.broker.asset()):
            with pytest.raises(GatewayLost, match="the link to the terminal is down"):
                await call

    closed(tmp_path, body)


def test_orders_and_queries_keep_their_distance(tmp_path: Path) -> None:
    gap_s = 0.05

    async def body(stand: Stand) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(stand.rests(f"q{number}") for number in range(4)))
        assert loop.time() - began >= 3 * gap_s
        began = loop.time()
        await asyncio.gather(*(stand.broker.orders() for _ in range(4)))
        assert loop.time() - began >= 3 * gap_s

    pace = Pace(gap_s, gap_s, QUICK.cancel_pause_s, QUICK.reconnect_s, QUICK.look_again_s, QUICK.silence_s)
    opened(tmp_path, body, Setting(Faults(), pace))
