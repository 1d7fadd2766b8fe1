"""Answers find their requests, however they come. XTQUANT.md H8, H9."""

from __future__ import annotations

import asyncio

import pytest

from qws.errors import GatewayTimeout
from qws.gateways.xt.replies import Replies


def test_an_answer_may_come_before_its_number_is_known() -> None:
    async def body() -> None:
        replies = Replies()
        answer = replies.expect("a")
        assert replies.heard(5, "", {"order_id": 7}) == ""
        assert not answer.done()
        replies.sent("a", 5)

        assert await answer == {"order_id": 7}

    asyncio.run(body())


def test_a_remark_that_came_back_whole_is_enough() -> None:
    async def body() -> None:
        replies = Replies()
        answer = replies.expect("a")

        assert replies.heard(5, "a", {"order_id": 7}) == "a"
        assert await answer == {"order_id": 7}

    asyncio.run(body())


def test_the_number_outranks_the_remark() -> None:
    async def body() -> None:
        replies = Replies()
        first, second = replies.expect("a"), replies.expect("b")
        replies.sent("a", 1)
        replies.sent("b", 2)

        assert replies.heard(2, "a", {"order_id": 8}) == "b"
        assert not first.done()
        assert await second == {"order_id": 8}

    asyncio.run(body())


def test_doubled_and_late_answers_change_nothing_and_are_still_named() -> None:
    async def body() -> None:
        replies = Replies()
        answer = replies.expect("a")
        replies.sent("a", 1)
        replies.heard(1, "", {"order_id": 7})
        assert replies.heard(1, "", {"order_id": 8}) == "a"
        assert await answer == {"order_id": 7}
        replies.forget("a")

        assert replies.heard(1, "", {"order_id": 7}) == "a"
        assert replies.is_waiting(1, "a") == ""

    asyncio.run(body())


def test_a_lost_connection_leaves_the_outcome_unknown() -> None:
    async def body() -> None:
        replies = Replies()
        answer = replies.expect("a")
        assert replies.is_waiting(0, "a") == "a"
        replies.fail("gone")
        replies.fail("gone again")
        with pytest.raises(GatewayTimeout, match="gone: the outcome is unknown"):
            await answer
        replies.forget("a")

    asyncio.run(body())
