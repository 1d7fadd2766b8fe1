"""Each fault of the fake native layer does what it says, seen through the vendor's own `xttrader`."""

from __future__ import annotations

import queue
from dataclasses import fields
from pathlib import Path

import pytest

from tests.gateways.sim_rig import at
from tests.xt_native import FOREIGN_ROWS, Faults, ThreadClock
from tests.xt_native.rig import (
    BOUGHT,
    HELD,
    PATIENCE_S,
    Heard,
    Trader,
    a_terminal,
    attached,
    ended,
    response,
    trading,
)
from tests.xt_native.structs import XtOrder, XtOrderError, XtTrade

BUY, FIX_PRICE = 23, 11
TAG = "q1abcdefghijklmnopqrstuvwxyz0123"


def sent(trader: Trader, account: object, price: float = 10.02, remark: str = TAG) -> int:
    """The seq of a buy that trades at once."""
    return trader.order_stock_async(account, BOUGHT, BUY, 300, FIX_PRICE, price, "qws", remark)


def orders_now(trader: Trader, account: object) -> list[XtOrder]:
    """The order list, asked for with a deadline."""
    answers: queue.SimpleQueue[list[XtOrder]] = queue.SimpleQueue()
    trader.query_stock_orders_async(account, answers.put)
    return answers.get(timeout=PATIENCE_S)


def test_no_fault_is_on_unless_asked_for() -> None:
    chances = [each.name for each in fields(Faults) if each.type == "Chance"]

    assert len(chances) > 10
    assert not any(Faults().strikes(name) for name in chances)


def test_a_count_strikes_that_often_and_a_probability_by_its_seed() -> None:
    counted, seeded, same = Faults(push_lost=2), Faults(push_lost=0.5), Faults(push_lost=0.5)

    assert [counted.strikes("push_lost") for _ in range(4)] == [True, True, False, False]
    drawn = [seeded.strikes("push_lost") for _ in range(40)]
    assert drawn == [same.strikes("push_lost") for _ in range(40)]
    assert 8 < sum(drawn) < 32


def test_a_lost_response_leaves_an_order_that_lives(tmp_path: Path) -> None:
    heard = Heard()
    terminal = a_terminal(Faults(response_lost=1), path=tmp_path / "x.sqlite")
    with attached(terminal) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        heard.until(ended(56))

        assert "on_order_stock_async_response" not in [name for name, _ in heard.notes]
        assert len(orders_now(trader, account)) == 1


def test_a_late_response_comes_after_the_fill() -> None:
    heard = Heard()
    with (
        attached(a_terminal(Faults(response_late=1, late_s=0.4))) as native,
        trading(native, heard) as (trader, account),
    ):
        seq = sent(trader, account)
        told = response(heard.awaited("on_order_stock_async_response"))

        assert told.seq == seq
        assert heard.of(XtOrder)[-1].order_status == 56


def test_a_lost_order_leaves_nothing_and_the_next_one_is_taken() -> None:
    heard = Heard()
    with attached(a_terminal(Faults(order_lost=1))) as native, trading(native, heard) as (trader, account):
        assert sent(trader, account) > 0
        second = sent(trader, account)

        assert response(heard.awaited("on_order_stock_async_response")).seq == second
        assert len(orders_now(trader, account)) == 1


@pytest.mark.parametrize(("fault", "errors"), [("order_refused", 0), ("order_refused_loudly", 1)])
def test_a_refused_order_answers_minus_one_with_and_without_an_order_error(fault: str, errors: int) -> None:
    heard = Heard()
    faults = Faults()
    setattr(faults, fault, 1)
    with attached(a_terminal(faults)) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        told = response(heard.awaited("on_order_stock_async_response"))
        second = sent(trader, account)
        heard.until(ended(56))

        assert (told.order_id, bool(told.error_msg)) == (-1, True)
        assert [error.order_id for error in heard.of(XtOrderError)] == [-1] * errors
        assert [row.order_status for row in orders_now(trader, account)] == [56]
        assert second > told.seq


def test_an_order_may_be_accepted_and_then_be_junk() -> None:
    heard = Heard()
    with attached(a_terminal(Faults(order_junked=1))) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        told = response(heard.awaited("on_order_stock_async_response"))
        error = heard.awaited("on_order_error")

        assert isinstance(error, XtOrderError)
        assert error.order_id == told.order_id > 0
        assert [push.order_status for push in heard.of(XtOrder)] == [49, 50, 57]
        assert [(row.order_id, row.order_status) for row in orders_now(trader, account)] == [(told.order_id, 57)]
        assert trader.cancel_order_stock(account, told.order_id) == -1


def test_pushes_are_lost_and_doubled() -> None:
    heard, twice = Heard(), Heard()
    with attached(a_terminal(Faults(push_lost=1))) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        heard.until(ended(56))
    with attached(a_terminal(Faults(push_doubled=1.0))) as native, trading(native, twice) as (trader, account):
        sent(trader, account)
        twice.until(ended(56))
        twice.until(ended(56))

    assert [push.order_status for push in heard.of(XtOrder)] == [50, 56]
    assert [push.order_status for push in twice.of(XtOrder)] == [49, 49, 50, 50, 56, 56]
    assert len(twice.of(XtTrade)) == 2 * len({trade.traded_id for trade in twice.of(XtTrade)})


def test_a_trade_may_come_before_every_push_of_its_order() -> None:
    heard = Heard()
    with attached(a_terminal(Faults(trade_first=1, late_s=0.5))) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        heard.until(ended(56))

        names = [name for name, _ in heard.notes if name in ("on_stock_order", "on_stock_trade")]
        assert names[0] == "on_stock_trade"
        assert [push.order_status for push in heard.of(XtOrder)] == [49, 50, 56]


def test_a_lost_query_is_never_answered_and_an_empty_one_has_no_rows() -> None:
    answers: queue.SimpleQueue[object] = queue.SimpleQueue()
    faults = Faults(query_lost=1, query_empty=1, queries=("queryStockAsset",))
    with attached(a_terminal(faults)) as native, trading(native, Heard()) as (trader, account):
        trader.query_stock_asset_async(account, lambda asset: answers.put(("lost", asset)))
        trader.query_stock_asset_async(account, lambda asset: answers.put(("empty", asset)))

        assert answers.get(timeout=PATIENCE_S) == ("empty", None)
        assert trader.query_stock_asset(account) is not None
        assert len(trader.query_stock_positions(account)) == 1


def test_the_asset_may_lag_behind_the_fills() -> None:
    heard = Heard()
    faults = Faults(asset_lag_s=60.0)
    terminal = a_terminal(faults)
    with attached(terminal) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        heard.until(ended(56))
        held = {row.stock_code: row.volume for row in trader.query_stock_positions(account)}
        late = trader.query_stock_asset(account)
        assert isinstance(terminal.clock, ThreadClock)
        terminal.clock.put_to(at("10:02:00"))
        asset = trader.query_stock_asset(account)

        assert held == {HELD: 3000}
        assert asset is not None
        assert late is not None
        assert late.frozen_cash > 3000 > asset.frozen_cash
        assert asset.market_value == pytest.approx(late.market_value + 3000)
        assert {row.volume for row in trader.query_stock_positions(account)} == {3000, 300}


def test_lists_may_hold_nonsense_and_rows_that_are_no_shares() -> None:
    faults = Faults(junk_row=True, foreign_rows=FOREIGN_ROWS)
    with attached(a_terminal(faults)) as native, trading(native, Heard()) as (trader, account):
        rows = trader.query_stock_positions(account)
        asset = trader.query_stock_asset(account)

        assert {row.code for row in FOREIGN_ROWS} < {row.stock_code for row in rows}
        assert [row.volume for row in rows if not row.stock_code] == [-100]
        assert asset is not None
        assert asset.market_value == pytest.approx(sum(row.market_value for row in rows if row.stock_code))
        assert [row.order_status for row in orders_now(trader, account)] == [255]


@pytest.mark.parametrize(("limit", "shown"), [(24, TAG[:24]), (0, ""), (None, TAG)])
def test_remarks_come_back_cut_or_emptied(limit: int | None, shown: str) -> None:
    heard = Heard()
    with attached(a_terminal(Faults(remark_bytes=limit))) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        heard.until(ended(56))

        assert {push.order_remark for push in heard.of(XtOrder)} == {shown}
        assert {trade.order_remark for trade in heard.of(XtTrade)} == {shown}


def test_pushes_come_late_and_in_any_order() -> None:
    heard = Heard()
    faults = Faults(push_late=1, push_shuffled=1.0, late_s=0.4)
    with attached(a_terminal(faults)) as native, trading(native, heard) as (trader, account):
        sent(trader, account)
        heard.until(ended(49))

        assert {push.order_status for push in heard.of(XtOrder)} == {49, 50, 56}
        assert heard.of(XtOrder)[-1].order_status == 49


def test_a_lost_cancel_and_a_late_query() -> None:
    heard = Heard()
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    faults = Faults(cancel_lost=1, query_late=1, late_s=0.3)
    with attached(a_terminal(faults)) as native, trading(native, heard) as (trader, account):
        order_id = trader.order_stock(account, BOUGHT, BUY, 100, FIX_PRICE, 9.81, "qws", TAG)
        trader.cancel_order_stock_async(account, order_id)
        second = trader.cancel_order_stock_async(account, order_id)
        assert response(heard.awaited("on_cancel_order_stock_async_response")).seq == second
        trader.query_stock_orders_async(account, lambda rows: answers.put("late"))
        trader.query_stock_orders_async(account, lambda rows: answers.put("in time"))

        assert [answers.get(timeout=PATIENCE_S) for _ in range(2)] == ["in time", "late"]
