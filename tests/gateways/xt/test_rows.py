"""What the vendor's rows mean, row by row."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from qws.domain.account import Asset
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.gateways.xt import rows
from qws.gateways.xt.rows import BadRow, Row
from qws.masking import hide
from tests.gateways.sim_rig import at

NOON = at("12:00:00")
ORDER: Row = {
    "account_id": "1", "stock_code": "600000.SH", "order_id": 77, "order_time": int(NOON.timestamp()),
    "order_type": 24, "order_volume": 300, "price": 8.950000000000001, "traded_volume": 100,
    "order_status": 55, "status_msg": "", "order_remark": "q1abc",
}  # fmt: skip
TRADE: Row = {
    "account_id": "1", "stock_code": "600000.SH", "order_id": 77, "order_type": 23, "traded_id": "9001",
    "traded_time": int(NOON.timestamp()), "traded_price": 10.030000000000001, "traded_volume": 100,
    "order_remark": "", "commission": 5.000000000000001,
}  # fmt: skip


def a_position(code: str = "600000.SH", volume: float = 300, usable: int = 200, value: float = 3000.0) -> Row:
    return {"stock_code": code, "volume": volume, "can_use_volume": usable, "market_value": value, "avg_price": 9.5}


@contextmanager
def warnings() -> Iterator[list[str]]:
    """What is warned of, by a program that was never warned before."""
    told = list[str]()
    rows._warn_once.cache_clear()
    sink = logger.add(lambda record: told.append(str(record)), level="WARNING", format="{message}")
    try:
        yield told
    finally:
        logger.remove(sink)


def test_an_order_row_becomes_exact() -> None:
    order = rows.order_of(ORDER, NOON)

    assert order is not None
    assert (order.order_id, order.tag, order.side) == ("77", "q1abc", Side.SELL)
    assert (order.shares, order.traded, str(order.price)) == (300, 100, "8.950")
    assert (order.status, order.at) == (OrderStatus.PART_SUCC, NOON)


@pytest.mark.parametrize("status", [*OrderStatus])
def test_only_four_statuses_end_an_order(status: OrderStatus) -> None:
    order = rows.order_of({**ORDER, "order_status": int(status)}, NOON)

    assert order is not None
    assert order.status.is_terminal == (int(status) in {53, 54, 56, 57})


@pytest.mark.parametrize("status", [0, 58, 254, -1, None, "56x", math.nan])
def test_a_status_that_the_table_does_not_have_is_unknown(status: object) -> None:
    order = rows.order_of({**ORDER, "order_status": status}, NOON)

    assert order is not None
    assert order.status is OrderStatus.UNKNOWN


@pytest.mark.parametrize("order_id", [-1, 0, None])
def test_an_order_without_a_positive_id_has_none(order_id: object) -> None:
    order = rows.order_of({**ORDER, "order_id": order_id}, NOON)

    assert order is not None
    assert order.order_id == ""


def test_an_order_without_a_time_is_of_now() -> None:
    order = rows.order_of({**ORDER, "order_time": 0}, NOON + timedelta(minutes=1))

    assert order is not None
    assert order.at == NOON + timedelta(minutes=1)


def test_milliseconds_are_told_from_seconds() -> None:
    order = rows.order_of({**ORDER, "order_time": int(NOON.timestamp() * 1000)}, NOON)

    assert order is not None
    assert order.at == NOON


@pytest.mark.parametrize("code", ["204001.SH", "131810.SZ", "730001.SH", "787001.SH", "00700.HK", "", "IF2612.IF"])
def test_what_is_no_share_fund_or_bond_is_not_seen(code: str) -> None:
    held, foreign = rows.positions_of([a_position(code), a_position()])

    assert rows.order_of({**ORDER, "stock_code": code}, NOON) is None
    assert rows.trade_of({**TRADE, "stock_code": code}) is None
    assert [each.code for each in held] == ["600000.SH"]
    assert foreign == 3000


@pytest.mark.parametrize("order_type", [0, 27, 28, 48, None])
def test_what_is_neither_a_buy_nor_a_sell_is_not_seen(order_type: object) -> None:
    assert rows.order_of({**ORDER, "order_type": order_type}, NOON) is None
    assert rows.trade_of({**TRADE, "order_type": order_type}) is None


@pytest.mark.parametrize(
    "wrong",
    [{"order_volume": -1}, {"order_volume": 100.7}, {"traded_volume": -100}, {"price": math.nan}, {"price": None},
     {"price": math.inf}, {"price": "8.95"}, {"order_time": -5}, {"order_time": 10**30}, {"order_id": 7.5}],
)  # fmt: skip
def test_an_order_row_that_means_nothing_is_refused(wrong: Row) -> None:
    with pytest.raises(BadRow):
        rows.order_of({**ORDER, **wrong}, NOON)


@pytest.mark.parametrize(
    "wrong", [{"traded_volume": 100.5}, {"traded_price": 0.0}, {"traded_price": 1e308},
              {"traded_time": 0}, {"traded_time": None}, {"traded_price": math.nan}],
)  # fmt: skip
def test_a_trade_row_that_means_nothing_is_refused(wrong: Row) -> None:
    with pytest.raises(BadRow):
        rows.trade_of({**TRADE, **wrong})


def test_a_trade_row_of_no_shares_is_no_fill_and_no_news() -> None:
    with warnings() as told:
        assert rows.trade_of({**TRADE, "traded_volume": 0, "traded_price": 0.0}) is None

    assert told == []


def test_a_fill_below_zero_is_left_out_and_told_once() -> None:
    odd = [{**TRADE, "traded_volume": -100, "traded_id": name} for name in ("odd 1", "odd 2")]
    with warnings() as told:
        assert [rows.trade_of(each) for each in odd * 3] == [None] * 6

    assert [each for each in told if "odd 1" in each and "-100 shares" in each] == told[:1]
    assert len(told) == 2


@pytest.mark.parametrize(
    ("kind", "offset", "is_told"), [(23, 49, True), (24, 48, True), (23, 48, False), (24, 0, False)]
)
def test_the_order_type_tells_the_side_and_what_contradicts_it_is_told(kind: int, offset: int, is_told: bool) -> None:
    row = {**ORDER, "order_type": kind, "offset_flag": offset, "order_id": 1000 + kind}
    with warnings() as told:
        orders = [rows.order_of(row, NOON) for _ in range(2)]

    assert [each.side for each in orders if each] == [Side.BUY if kind == 23 else Side.SELL] * 2
    assert len(told) == is_told


def test_what_is_said_of_a_row_does_not_tell_the_account() -> None:
    with pytest.raises(BadRow) as told:
        rows.order_of({**ORDER, "account_id": "1000000365", "order_volume": 1.5}, NOON)

    assert "1000000365" not in str(told.value)


def test_a_trade_row_becomes_exact() -> None:
    trade = rows.trade_of(TRADE)

    assert trade is not None
    assert (trade.trade_id, trade.order_id, trade.side, trade.shares) == ("9001", "77", Side.BUY, 100)
    assert (trade.price, trade.fee, trade.at) == (Decimal("10.03"), Decimal(5), NOON)


@pytest.mark.parametrize("commission", [0.0, None, -1.0])
def test_a_fee_that_is_not_told_is_unknown(commission: object) -> None:
    trade = rows.trade_of({**TRADE, "commission": commission})

    assert trade is not None
    assert trade.fee is None


def test_two_fills_without_ids_are_told_apart_by_what_they_are() -> None:
    first, second = (rows.trade_of({**TRADE, "traded_id": "", "traded_volume": shares}) for shares in (100, 200))

    assert first is not None
    assert second is not None
    assert first.trade_id != second.trade_id


def test_rows_of_zero_and_below_are_no_holdings_and_two_shareholder_accounts_are_one() -> None:
    told = [a_position(volume=0), a_position("600004.SH", -100), a_position("600006.SH", 100, 500, 700.0)]
    for cost, both in ((12.5, "11.5000"), (0.0, "0"), (-12.5, "0")):
        other = {**a_position("600006.SH", 200, 0, 1400.0), "avg_price": cost}
        held, foreign = rows.positions_of([*told, other])
        (only,) = held
        assert only.cost_price == Decimal(both)  # 100 at 9.50; of what is not known nothing is compared

    assert (only.code, only.shares, only.sellable) == ("600006.SH", 300, 100)
    assert only.market_value == 2100
    assert foreign == 0


@pytest.mark.parametrize(
    ("told", "counted"),
    [({"market_value": math.nan}, 0), ({"volume": 10.5}, 3000), ({"volume": -1}, 0), ({"market_value": None}, 0)],
)
def test_a_holding_of_others_that_cannot_be_read_bars_nobody(told: Row, counted: int) -> None:
    held, foreign = rows.positions_of([{**a_position("00700.HK"), **told}, a_position()])

    assert [each.code for each in held] == ["600000.SH"]
    assert foreign == counted


@pytest.mark.parametrize("wrong", [{"market_value": math.nan}, {"volume": 10.5}, {"market_value": None}])
def test_a_holding_that_means_nothing_is_refused(wrong: Row) -> None:
    with pytest.raises(BadRow):
        rows.positions_of([{**a_position(), **wrong}])


def test_a_cost_that_is_no_number_is_not_known() -> None:
    told = [{**a_position(), "avg_price": math.inf, "open_price": 9.25}, {**a_position("600004.SH"), "avg_price": None}]
    held, _ = rows.positions_of(told)

    assert [each.cost_price for each in held] == [Decimal("9.25"), 0]


def test_no_answer_and_zeros_are_no_account() -> None:
    zeros: Row = {"cash": 0.0, "frozen_cash": 0.0, "market_value": 0.0, "total_asset": 0.0}
    for told in (None, zeros, {**zeros, "cash": math.nan}):
        with pytest.raises(BadRow):
            rows.asset_of(told)

    assert rows.asset_of({**zeros, "cash": 0.1 + 0.2, "total_asset": 0.3}).cash == Decimal("0.30")


@pytest.mark.parametrize(("told", "managed"), [(135_000, 35_000), (35_000, 35_000)])
def test_foreign_value_is_taken_out_where_the_terminal_counts_it_in(told: int, managed: int) -> None:
    asset = Asset(Decimal(10), Decimal(0), Decimal(told), Decimal(10 + told))

    found = rows.without_foreign(asset, Decimal(35_100), Decimal(100_000))

    assert found.market_value == managed
    assert found.total == managed + 10


def test_members_that_a_version_lacks_are_none_and_objects_are_left_out() -> None:
    struct = SimpleNamespace(order_id=7, account_id="1", price=object())

    assert rows.copied(struct, rows.ORDER_RESPONSE) == dict.fromkeys(rows.ORDER_RESPONSE) | {
        "order_id": 7,
        "account_id": "1",
    }
    assert rows.copied(struct, ("price",)) == {"price": None}
    assert rows.copied(SimpleNamespace(a=np.int64(7), b=np.float32(0.5)), ("a", "b")) == {"a": 7, "b": 0.5}


def test_rows_of_other_accounts_are_left_out() -> None:
    told: list[Row] = [{"account_id": "1"}, {"account_id": "2"}, {"account_id": None}, {}]

    assert list(rows.of_account(told, "1")) == [told[0], told[2], told[3]]
    assert rows.is_of({"account_id": 1}, "1")


@given(st.integers(1, 10**7), st.sampled_from([0.0, 1e-15, -1e-15]))
def test_a_dirty_price_is_the_price_that_was_meant(thousandths: int, dirt: float) -> None:
    price = Decimal(thousandths) / 1000

    assert rows.exact(float(price) * (1 + dirt), Decimal("0.001")) == price


@pytest.mark.parametrize(
    ("status", "is_normal", "is_coming"),
    [(-1, False, False), (0, True, False), (1, False, True), (2, False, True), (3, False, False), (4, False, True),
     (5, False, True), (6, True, False), (7, False, False), (8, False, False), (9, False, False), (42, False, False)],
)  # fmt: skip
def test_an_account_may_trade_in_two_states_only(status: int, *, is_normal: bool, is_coming: bool) -> None:
    assert rows.is_normal(status) == is_normal
    assert rows.is_coming(status) == is_coming


def test_times_are_of_shanghai_wherever_the_program_runs() -> None:
    order = rows.order_of(ORDER, NOON)

    assert order is not None
    assert order.at.tzinfo is rows.SHANGHAI
    assert order.at == datetime.fromtimestamp(NOON.timestamp(), rows.SHANGHAI)


def test_the_terminals_own_words_never_hold_the_accounts_id() -> None:
    hide("1000000365")
    order = rows.order_of({**ORDER, "status_msg": "2____11____1000000365____49____ 资金不足"}, NOON)

    assert order is not None
    assert order.message == "2____11____****0365____49____ 资金不足"
