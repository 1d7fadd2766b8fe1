"""Each hazard of the vendor's layer that can reach us (XTQUANT.md section 3), by its number. H3 is with the worker,
H16 with the vendor's modules; H15 names calls that are not used."""

from __future__ import annotations

import asyncio
import gc
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from qws.domain.known_orders import KnownOrders
from qws.domain.orders import BrokerOrder, OrderStatus, Trade
from qws.domain.tags import make_tag
from qws.errors import GatewayError, GatewayTimeout
from qws.gateways.xt.client import LinkState
from qws.gateways.xt.connection import Connection
from qws.gateways.xt.pushes import Pushes
from qws.gateways.xt.rows import Row
from qws.gateways.xt.session import SessionPool
from qws.gateways.xt.settings import Terminal
from qws.gateways.xt.worker import ThreadWorker
from tests.conformance.brokers import BOUGHT
from tests.gateways.sim_rig import DAY
from tests.gateways.xt.xt_rig import SHORT, Setting, Stand, a_buy, closed, open_files, opened, with_faults
from tests.xt_native import install


def test_h1_h2_news_may_be_answered_with_queries_and_orders(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()
        placing = asyncio.create_task(stand.rests("q0"))
        async with asyncio.timeout(5):
            async for event in stand.broker.events():
                await placing
                if isinstance(event, BrokerOrder) and event.status is OrderStatus.REPORTED:
                    assert await stand.broker.orders()
                    if event.tag == "q3":
                        return
                    await stand.rests(f"q{int(event.tag[1:]) + 1}")

    closed(tmp_path, body)


def test_h4_a_number_is_no_proof_that_an_order_was_sent(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.terminal.die(tell=False)
        with pytest.raises(GatewayTimeout, match=r"no response within .* the outcome is unknown"):
            await stand.rests("q1")

    opened(tmp_path, body)


def test_h5_every_connection_has_a_session_of_its_own(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        sessions = [client.session for client in stand.terminal.clients]
        for number in range(1, 4):
            stand.terminal.die()
            await stand.lost(number)
            stand.terminal.revive()
            await stand.back(number)
            sessions += [client.session for client in stand.terminal.clients]

        assert len(sessions) == len(set(sessions)) == 4
        assert max(sessions) - min(sessions) < 16

    opened(tmp_path, body)


def test_h6_nobody_waits_for_the_callback_that_never_comes(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        assert stand.broker.state is LinkState.READY
        assert "on_connected" not in vars(Pushes)

    opened(tmp_path, body)


def test_h7_what_was_pushed_into_the_void_is_in_the_lists(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.place(a_buy("q1", 300, Decimal("10.03")))
        orders: tuple[BrokerOrder, ...] = ()
        async with asyncio.timeout(5):
            while not any(order.status is OrderStatus.SUCCEEDED for order in orders):
                orders = await stand.broker.orders()

        assert sum(trade.shares for trade in await stand.broker.trades()) == 300
        assert stand.ear.heard == []

    opened(tmp_path, body, with_faults(push_lost=1.0))


def test_h8_an_answer_that_is_quicker_than_the_call_is_not_lost(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        tags = [f"q{number}" for number in range(40)]
        ids = await asyncio.gather(*map(stand.rests, tags))

        assert {order.tag: order.order_id for order in await stand.broker.orders()} == dict(zip(tags, ids, strict=True))

    opened(tmp_path, body, Setting(latency_s=0.0))


def test_h9_each_refused_order_has_its_own_reason(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        for tag in ("q1", "q2", "q3"):
            assert await stand.rests(tag) == ""
            assert "委托失败" in (await stand.ended(tag, OrderStatus.JUNK)).message
        assert await stand.rests("q4")

        assert [order.tag for order in await stand.broker.orders() if order.order_id] == ["q4"]
        assert [len(stand.ear.orders(tag)) for tag in ("q1", "q2", "q3")] == [1, 1, 1]

    opened(tmp_path, body, with_faults(order_refused_loudly=3))


def test_h9_an_error_ends_no_wait_and_the_answer_does() -> None:
    async def body() -> None:
        heard: list[tuple[str, Row]] = []
        where = Terminal("xtquant", Path(), "1", Path())
        connection = Connection(where, SHORT, ThreadWorker, lambda kind, row: heard.append((kind, row)))
        waiting = connection._orders.expect("q2")
        connection._orders.sent("q2", 2)
        connection._told("order_error", {"seq": 1, "order_id": -1, "order_remark": "q1", "error_msg": "not yours"})
        assert not waiting.done()
        connection._told("order_error", {"seq": 2, "order_id": -1, "order_remark": "q2", "error_msg": "yours, perhaps"})
        assert not waiting.done()
        connection._told("order_response", {"seq": 2, "order_id": -1, "order_remark": "q2", "error_msg": "yours"})

        assert (await waiting)["error_msg"] == "yours"
        await connection.end()

    asyncio.run(body())


def test_h10_a_cancel_error_is_a_hint_and_the_list_tells(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.rests("q1")
        await stand.ended("q1", OrderStatus.REPORTED)
        await stand.broker.cancel(order_id)
        await stand.ended("q1", OrderStatus.CANCELED)
        await stand.broker.cancel(order_id)

        (order,) = await stand.broker.orders()
        assert order.status is OrderStatus.CANCELED
        assert await stand.rests("q2")

    opened(tmp_path, body, with_faults(cancel_refused=1))


@pytest.mark.parametrize(
    "fault", [{"push_doubled": 1.0}, {"push_shuffled": 1.0}, {"trade_first": 1.0}, {"push_late": 0.5}]
)
def test_h11_doubled_and_shuffled_news_come_to_the_same_end(tmp_path: Path, fault: dict[str, object]) -> None:
    tag = make_tag(DAY, "target", 1, 1)

    async def body(stand: Stand) -> None:
        order = a_buy(tag, 300, Decimal("10.03"))
        known = KnownOrders(10.0)
        known.intend(order, stand.clock.now() + timedelta(seconds=3), stand.clock.now())
        await stand.broker.place(order)
        await stand.ended(tag, OrderStatus.SUCCEEDED)
        await stand.ear.until(lambda _: sum({t.trade_id: t.shares for t in stand.ear.trades(tag)}.values()) == 300)
        told = [each for each in stand.ear.heard if isinstance(each, Trade)]

        *_, last = known.merge_orders(stand.ear.orders(tag), DAY)
        assert sum(trade.shares for trade in known.merge_trades(told, DAY)) == 300
        assert (last.status, last.traded) == (OrderStatus.SUCCEEDED, 300)

    opened(tmp_path, body, with_faults(**fault, late_s=0.05))


def test_h12_an_error_in_a_callback_is_counted_and_the_next_one_is_heard() -> None:
    class Broken:
        @property
        def order_id(self) -> int:
            raise ValueError("a struct of another version")

    async def body() -> None:
        heard: list[str] = []
        more = asyncio.Event()

        def hear(kind: str, row: Row) -> None:
            heard.append(kind)
            more.set()

        pushes = Pushes(asyncio.get_running_loop(), hear)
        pushes.on_stock_order(Broken())
        pushes.on_stock_trade(SimpleNamespace(order_id=7))
        await more.wait()

        assert (heard, pushes.failures) == (["trade"], 1)
        pushes.is_deaf = True
        pushes.on_disconnected()
        await asyncio.sleep(0)
        assert heard == ["trade"]

    asyncio.run(body())


def test_h13_the_main_threads_loop_is_left_alone(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        running = asyncio.get_running_loop()
        stand.terminal.die()
        await stand.lost()
        stand.terminal.revive()
        await stand.back()
        gc.collect()

        assert asyncio.get_event_loop() is running

    opened(tmp_path, body)
    gc.collect()
    asyncio.run(asyncio.sleep(0))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts descriptors where the system lists them")
def test_h14_connections_that_ended_leave_no_descriptor_behind(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        counts = []
        for _ in range(12):
            await stand.broker.open()
            counts.append(open_files())

        assert counts[-1] <= counts[2]

    closed(tmp_path, body, Setting(reuses_sessions=True))


def test_h16_an_account_that_is_no_text_is_refused_and_not_used(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        account: str = 1000000365  # type: ignore[assignment]  # what a file without quotes would give
        where = Terminal("xtquant", tmp_path, account, tmp_path / "lock")
        connection = Connection(where, SHORT, ThreadWorker, lambda kind, row: None)
        with pytest.raises(GatewayError, match="account 1000000365: "):
            await connection.begin(SessionPool(tmp_path, 1))
        await connection.end()

    closed(tmp_path, body)


def test_h17_what_reaches_the_exchange_is_what_was_meant(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.place(replace(a_buy("q1", 200, Decimal("9.95")), code=BOUGHT))

        (order,) = await stand.broker.orders()
        assert (order.shares, order.price, order.code) == (200, Decimal("9.95"), BOUGHT)

    opened(tmp_path, body)


def test_nothing_broke_inside_the_fake() -> None:
    assert install().errors == []
