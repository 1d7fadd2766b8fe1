"""Cancels leave one at a time, twice at most, and with a pause after a failure. XTQUANT.md 4.1, H10."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from qws.errors import GatewayLost, GatewayTimeout
from qws.gateways.xt.cancels import CancelQueue
from tests.gateways.wire_rig import HurriedClock

PAUSE_S = 2.1
Send = Callable[[str], Awaitable[bool]]


def asked(send: Send, *order_ids: str, then: Callable[[CancelQueue], object] = lambda queue: None) -> list[float]:
    """Let a queue send some cancels; the pauses it made."""

    async def body() -> list[float]:
        clock = HurriedClock()
        queue = CancelQueue(send, clock, PAUSE_S)
        for order_id in order_ids:
            queue.ask(order_id)
        then(queue)
        if queue._task is not None:
            await queue._task
        await queue.end(1.0)
        return clock.slept

    return asyncio.run(body())


def test_each_is_sent_once_in_order_one_after_another() -> None:
    sent: list[str] = []
    under_way = 0

    async def send(order_id: str) -> bool:
        nonlocal under_way
        under_way += 1
        assert under_way == 1
        await asyncio.sleep(0)
        under_way -= 1
        sent.append(order_id)
        return True

    assert asked(send, "1", "2", "1", "3") == []
    assert sent == ["1", "2", "3"]


def test_a_failed_one_is_tried_twice_and_everybody_waits() -> None:
    sent: list[str] = []

    async def send(order_id: str) -> bool:
        sent.append(order_id)
        return order_id != "1"

    slept = asked(send, "1", "2")

    assert sent == ["1", "2", "1"]
    assert len(slept) == 1
    assert PAUSE_S - 0.5 < slept[0] <= PAUSE_S


def test_no_answer_is_a_failure() -> None:
    sent: list[str] = []

    async def send(order_id: str) -> bool:
        sent.append(order_id)
        raise GatewayTimeout("no response")

    assert len(asked(send, "1")) == 1
    assert sent == ["1", "1"]


def test_without_a_connection_the_rest_is_dropped() -> None:
    sent: list[str] = []

    async def send(order_id: str) -> bool:
        sent.append(order_id)
        raise GatewayLost("down")

    assert asked(send, "1", "2") == []
    assert sent == ["1"]


def test_an_error_that_is_told_later_makes_a_pause_too() -> None:
    async def send(order_id: str) -> bool:
        return True

    assert len(asked(send, "1", then=lambda queue: queue.pause())) == 1


def test_the_end_sends_what_waits_but_sits_out_no_pause() -> None:
    sent: list[str] = []

    async def body() -> None:
        paused = asyncio.Event()

        class Clock(HurriedClock):
            async def sleep(self, seconds: float) -> None:
                paused.set()
                await asyncio.Event().wait()

        async def send(order_id: str) -> bool:
            await asyncio.sleep(0)
            sent.append(order_id)
            return order_id != "2"

        queue = CancelQueue(send, Clock(), PAUSE_S)
        queue.ask("1")
        await queue.end(5.0)
        assert sent == ["1"]
        queue.ask("2")
        queue.ask("3")
        await paused.wait()
        await queue.end(5.0)

    asyncio.run(body())
    assert sent == ["1", "2"]
