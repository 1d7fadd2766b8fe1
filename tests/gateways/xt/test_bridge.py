"""A bridge: another package of the vendor's shape, which calls back inside the call, knows less, and may hang."""

from __future__ import annotations

import asyncio
import importlib
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.client import LinkState
from qws.gateways.xt.settings import Terminal
from qws.ports import LinkDown, LinkUp
from tests.conformance.brokers import TEN, DayClock, Ear, heard_by
from tests.gateways.xt.xt_rig import QUICK, SHORT, a_buy

XTTRADER = """
from types import SimpleNamespace as Row
from . import state
class XtQuantTraderCallback: ...
class XtQuantTrader:
    def __init__(self, path, session, callback=None):
        self.callback, self.session = callback, session
        state.traders.append(self)
    def start(self): ...
    def stop(self): ...
    def connect(self): return 0
    def subscribe(self, account): return 0
    def order_stock_async(self, account, code, kind, volume, price_type, price, strategy, remark):
        return state.order(self, Row(stock_code=code, order_type=kind, order_volume=volume, price=price,
            order_remark=remark, order_time=state.now, order_status=50, traded_volume=0))
    def cancel_order_stock_async(self, account, order_id): raise RuntimeError('no cancels here')
    def query_account_status_async(self, callback): callback(None)
    def query_stock_asset_async(self, account, callback): callback(state.asset)
    def query_stock_positions_async(self, account, callback): callback(state.positions)
    def query_stock_orders_async(self, account, callback): callback(state.orders)
    def query_stock_trades_async(self, account, callback): callback(state.trades)
"""
STATE = """
import threading
from types import SimpleNamespace as Row
traders, orders, trades, positions, now = [], [], [], [], 0
asset = Row(cash=1000.0, frozen_cash=0.0, market_value=0.0, total_asset=1000.0)
hook = threading.Event()
def take(trader, row):
    row.order_id = 100 + len(orders)
    orders.append(row)
    trader.callback.on_stock_order(row)
    seq = len(orders)
    trader.callback.on_order_stock_async_response(Row(order_id=row.order_id, order_remark=row.order_remark, seq=seq))
    return seq
order = take
"""


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What the bridge answers."""
    folder = tmp_path / "xtshim"
    folder.mkdir()
    files = {
        "__init__": "",
        "xttrader": XTTRADER,
        "state": STATE,
        "xttype": "class StockAccount:\n    def __init__(self, account_id): ...\n",
        "xtconstant": "STOCK_BUY, STOCK_SELL, FIX_PRICE = 23, 24, 11\n",
    }
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    found: Any = importlib.import_module("xtshim.state")
    found.now = int(TEN.timestamp())
    yield found
    found.hook.set()
    for name in [name for name in sys.modules if name.split(".")[0] == "xtshim"]:
        del sys.modules[name]


Body = Callable[[XtBroker, Ear, DayClock], Coroutine[object, object, None]]


def bridged(path: Path, body: Body) -> None:
    async def run() -> None:
        clock, ear = DayClock(TEN), Ear()
        deadlines = replace(SHORT, call_s=0.2)
        broker = XtBroker(Terminal("xtshim", path, "1", path / "xt.lock"), clock, deadlines, QUICK)
        async with heard_by(broker, ear):
            await body(broker, ear, clock)

    asyncio.run(run())


def test_orders_work_when_everything_is_answered_inside_the_call(tmp_path: Path, state: Any) -> None:
    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        assert await broker.place(a_buy("q1")) == "100"
        (order,) = await broker.orders()

        assert (order.tag, order.order_id) == ("q1", "100")
        assert [each.order_id for each in ear.orders("q1")] == ["100"]
        assert (await broker.asset()).cash == 1000
        assert await broker.positions() == ()

    bridged(tmp_path, body)


def test_an_order_call_that_hangs_ends_the_connection_and_is_unknown(tmp_path: Path, state: Any) -> None:
    def hang(trader: object, row: object) -> int:
        state.hook.wait()
        return 7

    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        state.order = hang
        with pytest.raises(GatewayTimeout, match=r"order q1 did not return within .* unknown"):
            await broker.place(a_buy("q1"))
        state.order = state.take
        await ear.until(lambda _: LinkUp in ear.links())

        assert ear.links() == [LinkDown, LinkUp]
        assert broker.stuck_threads == 1
        assert len({trader.session for trader in state.traders}) == 2
        assert await broker.place(a_buy("q2")) == "100"

    bridged(tmp_path, body)


def test_a_number_below_one_is_an_error(tmp_path: Path, state: Any) -> None:
    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        state.order = lambda trader, row: -1
        with pytest.raises(GatewayError, match="order q1: the terminal answered -1"):
            await broker.place(a_buy("q1"))

    bridged(tmp_path, body)


def test_a_cancel_that_raises_is_tried_twice_and_hurts_nobody(tmp_path: Path, state: Any) -> None:
    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        await broker.cancel(await broker.place(a_buy("q1")))
        await broker.cancel("no such order")

        assert await broker.place(a_buy("q2"))

    bridged(tmp_path, body)


@pytest.mark.parametrize("answer", ["orders", "trades", "positions", "asset"])
def test_no_answer_at_all_is_an_error(tmp_path: Path, state: Any, answer: str) -> None:
    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        setattr(state, answer, None)
        with pytest.raises(GatewayError, match="the terminal answered nothing"):
            await getattr(broker, answer)()

    bridged(tmp_path, body)


def test_an_answer_that_cannot_be_read_is_no_answer(tmp_path: Path, state: Any) -> None:
    class Unreadable:
        def __iter__(self) -> Iterator[object]:
            raise ValueError("a list of another version")

    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        state.orders = Unreadable()
        with pytest.raises(GatewayTimeout, match="orders: no answer"):
            await broker.orders()

    bridged(tmp_path, body)


def test_ready_waits_for_lists_that_agree(tmp_path: Path, state: Any) -> None:
    bought = {"stock_code": "600000.SH", "order_id": 5, "order_type": 23, "traded_volume": 100}
    fill = state.Row(**bought, traded_id="1", traded_time=state.now, traded_price=10.0)
    order = state.Row(**bought, order_volume=100, price=10.0, order_status=56)

    async def run() -> None:
        broker = XtBroker(Terminal("xtshim", tmp_path, "1", tmp_path / "xt.lock"), DayClock(TEN), SHORT, QUICK)
        opening = asyncio.create_task(broker.open())

        async def says(part: str) -> None:
            async with asyncio.timeout(5):
                while part not in broker.reason:
                    await asyncio.wait([opening], timeout=0.005)
            assert broker.state is LinkState.RECONCILING

        state.trades.append(fill)
        await says("order 5 has fills of 100 shares that the order list does not show")
        fill.traded_volume = 50
        state.orders.append(order)
        await says("order 5 has 100 shares traded, the trade list shows 50")
        fill.traded_volume = 100
        await opening
        assert broker.state is LinkState.READY
        await broker.close()

    asyncio.run(run())


def test_pushes_of_nonsense_and_of_other_accounts_are_survived(tmp_path: Path, state: Any) -> None:
    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        push = state.traders[0].callback
        push.on_stock_order(state.Row(order_type=23, stock_code="600000.SH", order_volume=-1))
        push.on_stock_trade(state.Row(order_type=23, stock_code="600000.SH", traded_volume=0.5))
        push.on_account_status(state.Row(account_id="another", status=3))
        push.on_account_status(state.Row(account_id="1", status=0.5))
        push.on_cancel_error(state.Row(order_id=1, error_msg="too late"))
        push.on_cancel_order_stock_async_response(state.Row(order_id=1, cancel_result=0, seq=99))

        assert await broker.place(a_buy("q1"))
        assert ear.links() == []

    bridged(tmp_path, body)


def test_news_that_nobody_hears_end_the_connection_before_they_fill_the_memory(
    tmp_path: Path, state: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qws.gateways.xt.broker._NEWS_MAX", 3)

    async def run() -> None:
        broker = XtBroker(Terminal("xtshim", tmp_path, "1", tmp_path / "xt.lock"), DayClock(TEN), SHORT, QUICK)
        await broker.open()
        row = state.Row(stock_code="600000.SH", order_id=5, order_type=23, order_volume=1, price=1.0, order_status=50)
        state.orders.append(row)
        for _ in range(4):
            state.traders[0].callback.on_stock_order(row)
        with pytest.raises(GatewayLost, match="3 events waited"):
            await broker.asset()
        events = broker.events()
        down, up = await anext(events), await anext(events)
        await broker.close()

        assert down == LinkDown("3 events waited for too long")
        assert up == LinkUp()
        assert [event async for event in events] == []

    asyncio.run(run())


def test_closing_while_it_is_lost_ends_the_stream(tmp_path: Path, state: Any) -> None:
    async def body(broker: XtBroker, ear: Ear, clock: DayClock) -> None:
        state.asset = None
        state.traders[0].callback.on_disconnected()
        await ear.until(lambda _: ear.links() == [LinkDown])

    bridged(tmp_path, body)
    assert threading.active_count() < 50
