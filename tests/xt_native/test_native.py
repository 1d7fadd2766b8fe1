"""The vendor's own `xttrader`, unmodified, trades over the fake native layer."""

from __future__ import annotations

import queue
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.gateways.sim_rig import DAY, NEXT_DAY, at
from tests.xt_native import Native, SimTerminal, ThreadClock, install
from tests.xt_native.rig import (
    ACCOUNT,
    BOUGHT,
    CASH,
    HELD,
    PATIENCE_S,
    Heard,
    a_terminal,
    a_trader,
    attached,
    ended,
    response,
    trading,
)
from tests.xt_native.structs import XtCancelError, XtOrder, XtOrderError, XtTrade

BUY, SELL, FIX_PRICE = 23, 24, 11


@pytest.fixture
def terminal() -> SimTerminal:
    return a_terminal()


@pytest.fixture
def native(terminal: SimTerminal) -> Iterator[Native]:
    with attached(terminal) as installed:
        yield installed
        assert installed.errors == []


def test_installing_twice_is_installing_once_and_skips_the_vendors_start_up(native: Native) -> None:
    package = sys.modules["xtquant"]

    assert install() is native
    assert not hasattr(package, "check_for_update")
    assert sys.modules["xtquant.xtpythonclient"] is package.__dict__["xtpythonclient"]
    assert Path(str(native.module("xttrader").__file__)).parent == Path(package.__path__[0])


def test_a_new_account_answers_every_query(native: Native) -> None:
    with trading(native, Heard()) as (trader, account):
        asset = trader.query_stock_asset(account)
        (held,) = trader.query_stock_positions(account)

        assert asset is not None
        assert asset.cash == pytest.approx(float(CASH))
        assert asset.total_asset == pytest.approx(asset.cash + asset.frozen_cash + asset.market_value)
        assert (held.stock_code, held.volume, held.can_use_volume, held.on_road_volume) == (HELD, 3000, 2000, 1000)
        assert (trader.query_stock_orders(account), trader.query_stock_trades(account)) == ([], [])
        (status,) = trader.query_account_status()
        (known,) = trader.query_account_infos()
        assert (getattr(status, "status", None), getattr(status, "m_strAccountID", None)) == (0, ACCOUNT)
        assert getattr(known, "account_id", None) == ACCOUNT


def test_an_order_is_answered_pushed_filled_and_listed(native: Native) -> None:
    heard = Heard()
    with trading(native, heard) as (trader, account):
        seq = trader.order_stock_async(account, BOUGHT, BUY, 300, FIX_PRICE, 10.02, "qws", "q1tag")
        told = response(heard.awaited("on_order_stock_async_response"))
        heard.until(ended(56))
        pushes, trades = heard.of(XtOrder), heard.of(XtTrade)

        assert (told.seq, told.order_remark, told.error_msg) == (seq, "q1tag", "")
        assert [push.order_status for push in pushes] == [49, 50, 56]
        assert {push.order_id for push in pushes} | {trade.order_id for trade in trades} == {told.order_id}
        assert [bool(push.order_sysid) for push in pushes] == [False, True, True]
        assert (pushes[-1].order_type, pushes[-1].direction, pushes[-1].offset_flag) == (BUY, 48, 48)
        assert (pushes[-1].price_type, pushes[-1].strategy_name, pushes[-1].order_remark) == (50, "qws", "q1tag")
        assert sum(trade.traded_volume for trade in trades) == pushes[-1].traded_volume == 300
        assert pushes[-1].traded_price == pytest.approx(trades[0].traded_price)
        when = datetime.fromtimestamp(trades[0].traded_time, ZoneInfo("Asia/Shanghai"))
        assert (when.date(), when.hour) == (DAY, 10)
        (listed,) = trader.query_stock_orders(account)
        assert (listed.order_id, listed.order_status, listed.m_nTradedVolume) == (told.order_id, 56, 300)
        assert [row.traded_id for row in trader.query_stock_trades(account)] == [trade.traded_id for trade in trades]
        assert trader.query_stock_orders(account, cancelable_only=True) == []


def test_a_synchronous_order_gives_the_id_and_a_cancel_ends_the_order(native: Native) -> None:
    heard = Heard()
    with trading(native, heard) as (trader, account):
        order_id = trader.order_stock(account, BOUGHT, BUY, 1000, FIX_PRICE, 9.81, "qws", "q1rest")
        heard.until(ended(50))
        asset = trader.query_stock_asset(account)
        assert asset is not None
        assert asset.frozen_cash > 9810
        assert [row.order_id for row in trader.query_stock_orders(account, cancelable_only=True)] == [order_id]

        seq = trader.cancel_order_stock_async(account, order_id)
        told = response(heard.awaited("on_cancel_order_stock_async_response"))
        heard.until(ended(54))

        assert (told.seq, told.cancel_result, told.order_id) == (seq, 0, order_id)
        assert trader.cancel_order_stock(account, order_id) == -1
        assert trader.cancel_order_stock(account, 77) == -2
        assert isinstance(heard.awaited("on_cancel_error"), XtCancelError)


def test_a_holding_that_was_sold_out_stays_as_a_row_of_nothing(native: Native, terminal: SimTerminal) -> None:
    heard = Heard()
    assert isinstance(terminal.clock, ThreadClock)
    terminal.clock.put_to(at("10:00:00", NEXT_DAY))
    with trading(native, heard) as (trader, account):
        trader.order_stock(account, HELD, SELL, 3000, FIX_PRICE, 19.9, "qws", "q1sell")
        heard.until(ended(56))
        (row,) = trader.query_stock_positions(account)

        assert (row.stock_code, row.volume, row.can_use_volume, row.market_value) == (HELD, 0, 0, 0.0)
        assert {(push.offset_flag, push.direction) for push in heard.of(XtOrder)} == {(49, 48)}


def test_a_working_sell_freezes_shares(native: Native) -> None:
    heard = Heard()
    with trading(native, heard) as (trader, account):
        trader.order_stock(account, HELD, SELL, 500, FIX_PRICE, 22.0, "qws", "q1sell")
        heard.until(ended(50))
        (row,) = trader.query_stock_positions(account)

        assert (row.volume, row.can_use_volume, row.frozen_volume, row.on_road_volume) == (3000, 1500, 500, 1000)


def test_what_the_counter_turns_down_is_junk_and_an_order_error(native: Native) -> None:
    heard = Heard()
    with trading(native, heard) as (trader, account):
        order_id = trader.order_stock(account, HELD, SELL, 2500, FIX_PRICE, 20.0, "qws", "q1many")
        heard.until(ended(57))
        error = heard.awaited("on_order_error")

        assert isinstance(error, XtOrderError)
        assert (error.order_id, error.error_id, error.order_remark) == (order_id, 260201, "q1many")
        assert error.seq > 0
        assert "可用股份不足" in error.error_msg
        assert heard.of(XtOrder)[-1].order_sysid == ""


def test_an_unknown_price_type_is_refused_with_an_order_id_of_minus_one_and_nothing_else(native: Native) -> None:
    heard = Heard()
    with trading(native, heard) as (trader, account):
        assert trader.order_stock(account, BOUGHT, BUY, 100, 0, 10.0, "qws", "q1") == -1
        assert trader.query_stock_orders(account) == []
        assert heard.is_silent()


def test_asynchronous_queries_call_back(native: Native) -> None:
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()
    with trading(native, Heard()) as (trader, account):
        trader.query_stock_orders_async(account, answers.put)
        trader.query_stock_asset_async(account, answers.put)

        assert answers.get(timeout=PATIENCE_S) == []
        assert getattr(answers.get(timeout=PATIENCE_S), "cash", None) == pytest.approx(float(CASH))


def test_a_session_id_is_used_once(native: Native, terminal: SimTerminal) -> None:
    heard = Heard()
    with trading(native, heard, session=3) as (trader, _):
        assert trader.connect() == -1
    again = a_trader(native, 3, heard)
    again.start()
    assert again.connect() == -1
    terminal.forget_sessions()
    assert again.connect() == 0
    again.stop()
    again.loop.close()


def test_death_is_told_and_a_new_object_with_a_new_id_connects_after_the_revival(
    native: Native, terminal: SimTerminal
) -> None:
    heard, later = Heard(), Heard()
    with trading(native, heard, session=1) as (trader, account):
        order_id = trader.order_stock(account, BOUGHT, BUY, 100, FIX_PRICE, 9.81, "qws", "q1rest")
        heard.until(ended(50))
        terminal.die()
        heard.awaited("on_disconnected")
        assert trader.order_stock_async(account, BOUGHT, BUY, 100, FIX_PRICE, 9.81, "qws", "q1lost") > 0
        terminal.revive()
        assert trader.connect() == -1
        with trading(native, later, session=2) as (newer, same):
            assert [row.order_id for row in newer.query_stock_orders(same)] == [order_id]
        assert heard.is_silent()


def test_only_who_subscribed_hears_and_everybody_who_did(native: Native) -> None:
    deaf, heard, other = Heard(), Heard(), Heard()
    silent = a_trader(native, 9, deaf)
    silent.start()
    assert silent.connect() == 0
    with trading(native, other, session=2), trading(native, heard) as (trader, account):
        trader.order_stock(account, BOUGHT, BUY, 100, FIX_PRICE, 10.02, "qws", "q1")
        heard.until(ended(56))
        other.until(ended(56))
    silent.stop()
    silent.loop.close()

    assert deaf.is_silent()


def test_account_status_is_pushed_as_the_vendors_own_class(native: Native, terminal: SimTerminal) -> None:
    heard = Heard()
    with trading(native, heard):
        terminal.set_status(5)
        told = heard.awaited("on_account_status")

    assert type(told).__module__ == "xtquant.xttype"
    assert getattr(told, "status", None) == 5


def test_members_have_types_and_two_names(native: Native) -> None:
    layer = native.module("xtpythonclient")
    request = layer.OrderStockReq()
    request.m_nOrderType = BUY

    assert request.order_type == BUY
    for name, wrong in (
        ("m_nOrderType", 23.0),
        ("m_nOrderVolume", None),
        ("m_strOrderRemark", None),
        ("m_dPrice", "1"),
    ):
        with pytest.raises(TypeError):
            setattr(request, name, wrong)
    with pytest.raises(AttributeError):
        request.m_nNothing = 1


def test_every_binder_the_vendor_binds_exists_and_no_other(native: Native) -> None:
    client = native.module("xtpythonclient").XtQuantAsyncClient

    assert len([name for name in dir(client) if name.startswith("bindOn") and name.endswith("Callback")]) == 44
    assert not hasattr(client, "bindOnQueryComPositionRespCallback")
