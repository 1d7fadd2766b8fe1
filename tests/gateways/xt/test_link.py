"""The life of a connection: what ends it, what brings it back, and what is not done in between. XTQUANT.md 4.2, 4.5."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt.client import LinkState
from qws.gateways.xt.vendor import VendorMissing
from qws.ports import LinkDown, LinkUp
from tests.conformance.brokers import heard_by
from tests.gateways.xt.xt_rig import QUICK, SHORT, Setting, Stand, a_buy, closed, opened, with_faults
from tests.xt_native import Faults


def test_a_terminal_that_says_so_is_lost_and_found_again(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.rests("q1")
        stand.terminal.die()
        assert "connection is lost" in await stand.lost()
        with pytest.raises(GatewayLost, match=r"order: the link to the terminal is \w+: "):
            await stand.rests("q2")
        stand.terminal.revive()
        await stand.back()

        assert stand.broker.state is LinkState.READY
        assert [order.order_id for order in await stand.broker.orders()] == [order_id]
        assert await stand.rests("q3")
        assert stand.ear.links() == [LinkDown, LinkUp]

    opened(tmp_path, body)


def test_a_silent_terminal_is_found_out_by_two_queries(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.terminal.die(tell=False)
        for _ in range(2):
            with pytest.raises(GatewayTimeout, match="no answer within"):
                await stand.broker.orders()
        assert "2 queries without an answer" in await stand.lost()
        stand.terminal.revive()
        await stand.back()

        assert await stand.broker.orders() == ()

    opened(tmp_path, body)


def test_a_silent_terminal_is_found_out_without_any_query_of_ours(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.terminal.die(tell=False)

        assert "queries without an answer" in await stand.lost()

    opened(tmp_path, body, Setting(pace=replace(QUICK, silence_s=0.02)))


def test_one_lost_answer_is_no_lost_connection(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        for _ in range(3):
            stand.faults.query_lost = 1
            with pytest.raises(GatewayTimeout):
                await stand.broker.orders()
            assert await stand.broker.orders() == ()

        assert stand.ear.links() == []

    opened(tmp_path, body)


def test_an_order_under_way_when_the_connection_goes_is_unknown(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.faults.response_lost = 1
        placing = asyncio.create_task(stand.broker.place(a_buy("q1")))
        querying = asyncio.create_task(stand.broker.orders())
        await stand.ear.until(lambda _: bool(stand.ear.orders("q1")))
        stand.faults.query_lost = 1
        querying = asyncio.create_task(stand.broker.trades())
        await asyncio.sleep(0)
        stand.terminal.die()
        with pytest.raises(GatewayTimeout, match="connection is lost: the outcome is unknown"):
            await placing
        with pytest.raises(GatewayLost, match="connection is lost"):
            await querying

    opened(tmp_path, body, Setting(deadlines=replace(SHORT, query_s=5.0)))


@pytest.mark.parametrize(
    ("status", "state"),
    [(3, LinkState.LOCKED), (7, LinkState.LOCKED), (8, LinkState.LOCKED), (9, LinkState.LOCKED),
     (-1, LinkState.LOCKED), (5, LinkState.CONNECTING), (1, LinkState.CONNECTING)],
)  # fmt: skip
def test_an_account_that_may_not_trade_blocks_until_it_may(tmp_path: Path, status: int, state: LinkState) -> None:
    async def body(stand: Stand) -> None:
        stand.terminal.set_status(status)
        assert f"account status {status}" in await stand.lost()
        assert stand.broker.state is state
        assert stand.broker.reason.startswith(f"account status {status}")
        with pytest.raises(GatewayLost, match=f"account status {status}"):
            await stand.rests("q1")
        sessions = len(stand.terminal.clients)
        stand.terminal.set_status(0)
        await stand.back()

        assert await stand.rests("q2")
        assert len(stand.terminal.clients) == sessions

    opened(tmp_path, body)


def test_after_the_close_an_account_is_normal(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.terminal.set_status(6)
        assert (await stand.broker.asset()).cash > 0
        assert stand.ear.links() == []

    opened(tmp_path, body)


def test_opening_waits_for_a_terminal_that_is_not_there(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        opening = asyncio.create_task(stand.broker.open())
        done, _ = await asyncio.wait([opening], timeout=0.1)
        assert not done
        assert "connect answered -1" in stand.broker.reason or stand.broker.state is LinkState.CONNECTING
        stand.terminal.revive()
        await opening

        assert stand.broker.state is LinkState.READY

    closed(tmp_path, body, Setting(is_dead=True))


@pytest.mark.parametrize("fault", ["connect_refused", "subscribe_refused"])
def test_a_refused_connection_is_tried_again_with_another_session(tmp_path: Path, fault: str) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()

        assert stand.broker.state is LinkState.READY

    closed(tmp_path, body, with_faults(**{fault: 3}))


def test_a_wrong_account_never_gets_ready_and_says_why(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        opening = asyncio.create_task(stand.broker.open())
        await asyncio.wait([opening], timeout=0.1)
        await stand.broker.close()
        await opening

        assert stand.terminal.clients == []
        assert stand.broker.state is LinkState.DOWN

    closed(tmp_path, body, Setting(account="7"))


def test_closing_ends_an_opening_that_waits(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        opening = asyncio.create_task(stand.broker.open())
        await asyncio.wait([opening], timeout=0.05)
        await stand.broker.close()
        await opening

        assert stand.broker.reason == "closed"

    closed(tmp_path, body, Setting(pace=replace(QUICK, reconnect_s=(60.0,)), is_dead=True))


def test_a_connect_that_hangs_is_left_behind_and_another_thread_connects(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()

        assert stand.broker.state is LinkState.READY
        assert stand.broker.stuck_threads == 1
        assert all(thread.daemon for thread in threading.enumerate() if thread.name == "xt trade")

    closed(tmp_path, body, with_faults(connect_hangs=1))


def test_a_stop_that_hangs_keeps_nobody_from_connecting_again(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.faults.stop_hangs = 1
        stand.terminal.die()
        await stand.lost()
        stand.terminal.revive()
        await stand.back()

        assert stand.broker.stuck_threads == 1
        assert await stand.rests("q1")

    opened(tmp_path, body)


def test_ready_waits_until_the_lists_agree(tmp_path: Path) -> None:
    """Positions that answer nothing while there is a market value are no account."""

    async def body(stand: Stand) -> None:
        opening = asyncio.create_task(stand.broker.open())
        await asyncio.wait([opening], timeout=0.2)
        assert stand.broker.state is LinkState.RECONCILING
        assert "positions: the terminal answered none" in stand.broker.reason
        stand.faults.query_empty = 0
        await opening
        assert len(await stand.broker.positions()) == 1

    closed(tmp_path, body, with_faults(query_empty=10_000, queries=("queryStockPositions",)))


def test_a_terminal_that_says_nothing_of_the_accounts_state_is_used(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        assert await stand.rests("q1")

    opened(tmp_path, body, with_faults(query_lost=1, queries=("queryAccountStatus",)))


def test_a_missing_package_is_no_reason_to_wait(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        from qws.gateways.xt.broker import XtBroker
        from qws.gateways.xt.settings import Terminal

        broker = XtBroker(Terminal("nowhere", tmp_path, "1", tmp_path / "other.lock"), stand.clock, SHORT, QUICK)
        with pytest.raises(VendorMissing, match=r"nowhere\.xttrader"):
            await broker.open()
        await broker.close()

    closed(tmp_path, body)


def test_five_losses_are_five_returns(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        for number in range(1, 6):
            stand.terminal.die()
            await stand.lost(number)
            stand.terminal.revive()
            await stand.back(number)
            assert await stand.rests(f"q{number}")

        assert len(await stand.broker.orders()) == 5

    opened(tmp_path, body, Setting(faults=Faults(), reuses_sessions=True))


def test_a_broker_may_be_opened_again(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        for number in range(2):
            async with heard_by(stand.broker, stand.ear):
                assert await stand.rests(f"q{number}")
            with pytest.raises(GatewayError, match="closed"):
                await stand.rests("late")

    closed(tmp_path, body)
