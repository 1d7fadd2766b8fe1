"""What is not of this account, or of another day, does not keep this account from trading."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from qws.gateways.xt.client import LinkState
from tests.conformance.brokers import ACCOUNT, BOUGHT, TEN
from tests.gateways.xt.xt_rig import Stand, closed, opened
from tests.xt_native.answers import Answers
from tests.xt_native.structs import QueryStockOrdersReq, QueryStockTradesReq, Struct, XtOrder, XtTrade, filled

NOW_S, EVENING_S = int(TEN.timestamp()), int((TEN - timedelta(hours=13)).timestamp())


def an_order(account: str, order_time: int) -> XtOrder:
    return filled(
        XtOrder,
        account_id=account,
        stock_code=BOUGHT,
        order_id=900,
        order_time=order_time,
        order_type=23,
        order_volume=100,
        price=10.0,
        traded_volume=100,
        order_status=56,
    )


def a_trade(account: str) -> XtTrade:
    return filled(
        XtTrade,
        account_id=account,
        stock_code=BOUGHT,
        order_id=900,
        order_type=23,
        traded_id="z",
        traded_time=NOW_S,
        traded_price=10.0,
        traded_volume=100,
    )


def test_pushes_of_another_account_are_not_heard(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        (client,) = stand.terminal.clients
        client.deliver("StockOrder", an_order("8888", NOW_S))
        client.deliver("StockTrade", a_trade("8888"))
        await stand.rests("q1")  # told after them

        assert len(await stand.broker.orders()) == 1
        assert await stand.broker.trades() == ()
        assert not [event for event in stand.ear.heard if getattr(event, "order_id", "") == "900"]

    opened(tmp_path, body)


class Evening(Answers):
    """Lists an order of yesterday evening that somebody placed, and its fill of today."""

    def rows(self, request: Struct) -> Sequence[Struct]:
        match request:
            case QueryStockOrdersReq():
                return [*super().rows(request), an_order(ACCOUNT, EVENING_S)]
            case QueryStockTradesReq():
                return [*super().rows(request), a_trade(ACCOUNT)]
        return super().rows(request)


def test_a_fill_of_an_order_of_yesterday_evening_does_not_bar_the_account(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        desk = stand.terminal._desk
        desk._answers = Evening(desk._room, desk._counter, desk._rows)
        async with asyncio.timeout(5):
            await stand.broker.open()

        assert stand.broker.state is LinkState.READY
        assert await stand.broker.orders() == ()
        assert len(await stand.broker.trades()) == 1

    closed(tmp_path, body)
