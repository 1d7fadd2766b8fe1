"""What may be wrong with the connection to a terminal, seen through the vendor's own `xttrader`."""

from __future__ import annotations

import queue
import threading
from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.market import Side
from qws.domain.orders import Trade
from tests.gateways.sim_rig import at
from tests.xt_native import Faults
from tests.xt_native.rig import (
    ACCOUNT,
    BOUGHT,
    PATIENCE_S,
    Heard,
    a_terminal,
    a_trader,
    attached,
    trading,
)
from tests.xt_native.structs import XtTrade

BUY, FIX_PRICE = 23, 11
TAG = "q1abcdefghijklmnopqrstuvwxyz0123"


def test_a_stale_queue_file_replays_fills_of_another_day() -> None:
    heard = Heard()
    old = Trade("1", "5", TAG, BOUGHT, Side.BUY, 100, Decimal("9.9"), at("14:00:00").replace(day=10))
    replay = (old, replace(old, trade_id="2"))
    with attached(a_terminal(Faults(replay=replay))) as native, trading(native, heard):
        heard.awaited("on_stock_trade")
        heard.awaited("on_stock_trade")

    assert [trade.traded_time for trade in heard.of(XtTrade)] == [int(old.at.timestamp())] * 2


def test_connecting_subscribing_and_cancelling_may_be_refused() -> None:
    heard = Heard()
    with attached(a_terminal(Faults(connect_refused=1, subscribe_refused=1, cancel_refused=1))) as native:
        trader = a_trader(native, 1, heard)
        account = native.module("xttype").StockAccount(ACCOUNT)
        trader.start()
        assert [trader.connect(), trader.connect()] == [-1, 0]
        assert [trader.subscribe(account), trader.subscribe(account)] == [-1, 0]
        order_id = trader.order_stock(account, BOUGHT, BUY, 100, FIX_PRICE, 9.81, "qws", TAG)
        assert [trader.cancel_order_stock(account, order_id) for _ in range(2)] == [-1, 0]
        trader.stop()
        trader.loop.close()


def test_what_hangs_hangs_until_the_terminal_is_closed() -> None:
    results: queue.SimpleQueue[int] = queue.SimpleQueue()
    terminal = a_terminal(Faults(connect_hangs=1))
    with attached(terminal) as native:
        trader = a_trader(native, 1, Heard())
        trader.start()
        hanging = threading.Thread(target=lambda: results.put(trader.connect()), daemon=True)
        hanging.start()
        while terminal.faults.connect_hangs:
            terminal.ask(lambda: None)
        assert results.empty()
    assert results.get(timeout=PATIENCE_S) == -1
    trader.stop()
    trader.loop.close()


def test_stopping_and_quotes_may_hang_as_well() -> None:
    results: queue.SimpleQueue[str] = queue.SimpleQueue()
    terminal = a_terminal(Faults(stop_hangs=1, quotes_hang=1))
    with attached(terminal) as native:
        xtdata, trader = native.module("xtdata"), a_trader(native, 1, Heard())
        trader.start()

        def ask() -> None:
            with pytest.raises(ConnectionError):
                xtdata.get_full_tick([BOUGHT])
            results.put("quotes")

        def stop() -> None:
            trader.stop()
            results.put("stop")

        waiting = [threading.Thread(target=each, daemon=True) for each in (ask, stop)]
        for each in waiting:
            each.start()
        while terminal.faults.stop_hangs or terminal.faults.quotes_hang:
            terminal.ask(lambda: None)
        assert results.empty()
        terminal.close()
    assert {results.get(timeout=PATIENCE_S) for _ in waiting} == {"quotes", "stop"}
    trader.loop.close()


def test_a_push_before_the_vendors_layer_is_ready_is_lost_in_the_native_thread() -> None:
    with attached(a_terminal(Faults(early_push=1))) as native, trading(native, Heard()) as (trader, account):
        (lost,) = native.errors

        assert isinstance(lost, AttributeError)
        assert trader.query_stock_asset(account) is not None


def test_a_terminal_may_give_session_ids_back() -> None:
    terminal = a_terminal(reuses_sessions=True)
    with attached(terminal) as native:
        for _ in range(3):
            with trading(native, Heard(), session=4) as (trader, account):
                assert trader.query_stock_asset(account) is not None


def test_a_death_that_nobody_is_told_of_leaves_only_silence() -> None:
    heard = Heard()
    terminal = a_terminal()
    with attached(terminal) as native, trading(native, heard) as (trader, account):
        terminal.die(tell=False)
        assert trader.order_stock_async(account, BOUGHT, BUY, 100, FIX_PRICE, 10.02, "qws", TAG) > 0
        terminal.revive()
        with trading(native, Heard(), session=2) as (newer, same):
            assert newer.query_stock_orders(same) == []
        assert heard.is_silent()
