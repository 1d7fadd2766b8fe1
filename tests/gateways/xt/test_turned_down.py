"""Orders that the terminal turns down: an answer says so, an error hints at it, a row tells it. XTQUANT.md 4.1."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest

from qws.domain.orders import BrokerOrder, OrderStatus
from qws.domain.tags import make_tag
from qws.errors import GatewayError
from tests.conformance.brokers import TEN
from tests.gateways.xt.xt_rig import Stand, opened, with_faults

TAGS = [make_tag(TEN.date(), "abcdefabcdef", 0, number) for number in range(2)]


def test_a_refusal_without_an_id_is_final_told_once_and_listed(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        assert await stand.rests("q1") == ""
        order = await stand.ended("q1", OrderStatus.JUNK)

        assert (order.order_id, order.traded, order.message) == ("", 0, "turned down: 下单失败")
        assert await stand.broker.orders() == (order,)
        assert await stand.rests("q2")
        assert [each.tag for each in await stand.broker.orders()] == ["q2", "q1"]
        assert stand.ear.orders("q1") == [order]

    opened(tmp_path, body, with_faults(order_refused=1))


def test_an_error_after_an_id_is_final_once_three_lists_over_half_a_minute_lack_the_order(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.rests("q1")
        looks = list[tuple[BrokerOrder, ...]]()
        async with asyncio.timeout(5):
            while len(looks) < 2:  # before the error is heard an empty list is no list
                with suppress(GatewayError):
                    looks.append(await stand.broker.orders())
        for _ in range(3):
            stand.clock.put_to(stand.clock.now() + timedelta(seconds=11))
            looks.append(await stand.broker.orders())
        (order,) = looks.pop()

        assert looks == [(), (), (), ()]
        assert (order.order_id, order.status, order.traded) == (order_id, OrderStatus.JUNK, 0)
        assert order.message == "turned down: [COUNTER][260200] 可用资金不足"
        assert await stand.rests("q2")

    opened(tmp_path, body, with_faults(order_unlisted=1))


@pytest.mark.parametrize(
    ("remark", "number"), [("gridbot", -1), ("", 777_777), ("q11xwhb0bf00", -1), ("q11xwhb0bf0000r2", -1)]
)
def test_errors_of_other_orders_under_numbers_to_come_answer_nothing(tmp_path: Path, remark: str, number: int) -> None:
    async def body(stand: Stand) -> None:
        for seq in range(1, 60):
            stand.told("order_error", seq=seq, order_remark=remark, order_id=number, error_msg="not yours")
        order_id = await stand.rests("q1")
        (order,) = await stand.broker.orders()

        assert (order.order_id, order.tag, order.status.is_terminal) == (order_id, "q1", False)

    opened(tmp_path, body)


def test_an_error_and_a_list_that_is_short_for_a_moment_bury_no_order(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.rests("q1")
        await stand.rests("q2")
        stand.told("order_error", seq=0, order_remark="q1", order_id=-1, error_msg="of an older one")
        stand.faults.query_empty, stand.faults.queries = 1, ("queryStockOrders",)
        with pytest.raises(GatewayError, match="answered none"):
            await stand.broker.orders()
        for _ in range(5):
            stand.clock.put_to(stand.clock.now() + timedelta(seconds=11))
            ended = {order.tag: order.status.is_terminal for order in await stand.broker.orders()}
            assert ended == {"q1": False, "q2": False}
        await stand.broker.cancel(order_id)
        await stand.ended("q1", OrderStatus.CANCELED)

    opened(tmp_path, body)


def test_an_errors_id_gives_no_order_another_name(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.rests(TAGS[0])
        other = await stand.rests(TAGS[1], 200)
        stand.told("order_error", seq=0, order_remark=TAGS[0], order_id=int(other), error_msg="whose?")

        names = {order.order_id: order.tag for order in await stand.broker.orders()}
        assert names[other] == TAGS[1]

    opened(tmp_path, body)


def test_a_junked_order_is_told_with_its_reason(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        order_id = await stand.rests("q1")
        order = await stand.ended("q1", OrderStatus.JUNK)

        assert order.order_id == order_id
        assert order.message

    opened(tmp_path, body, with_faults(order_junked=1))
