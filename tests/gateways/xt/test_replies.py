"""Answers find their requests, however they come. XTQUANT.md H8, H9."""

from __future__ import annotations

import asyncio

import pytest

from qws.errors import GatewayTimeout
from qws.gateways.xt.replies import Replies


def test_an_answer_may_come_before_its_number_is_known() -> None:
    async def body() -> None:
        replies = Replies(str.isalpha)
        answer = replies.expect("a")
        assert replies.heard(5, "", {"order_id": 7}) == ""
        assert not answer.done()
        replies.sent("a", 5)

        assert await answer == {"order_id": 7}

    asyncio.run(body())


def test_a_remark_that_came_back_whole_is_enough() -> None:
    async def body() -> None:
        replies = Replies(str.isalpha)
        answer = replies.expect("a")

        assert replies.heard(5, "a", {"order_id": 7}) == "a"
        assert await answer == {"order_id": 7}

    asyncio.run(body())


def test_what_bears_the_number_of_one_request_and_the_key_of_another_answers_neither() -> None:
    async def body() -> None:
        replies = Replies(str.isalpha)
        first, second = replies.expect("a"), replies.expect("b")
        replies.sent("a", 1)
        replies.sent("b", 2)

        assert replies.heard(2, "a", {"order_id": 8}) == ""
        assert replies.heard(2, "stale", {"order_id": 9}) == ""
        assert not first.done()
        assert not second.done()

    asyncio.run(body())


def test_an_answer_of_another_life_under_a_number_that_comes_again_answers_nothing() -> None:
    async def body() -> None:
        replies = Replies(str.isalpha)
        answer = replies.expect("a")
        replies.heard(1, "stale", {"order_id": 8})
        replies.sent("a", 1)
        assert not answer.done()

        assert replies.heard(1, "a", {"order_id": 9}) == "a"
        assert await answer == {"order_id": 9}

    asyncio.run(body())


@pytest.mark.parametrize("rest", ["", "q-1"])
def test_a_key_that_was_cut_or_rewritten_leaves_the_number(rest: str) -> None:
    async def body() -> None:
        replies = Replies(str.isalpha)
        answer = replies.expect("a")
        replies.sent("a", 1)

        assert replies.heard(1, rest, {"order_id": 9}) == "a"
        assert await answer == {"order_id": 9}

    asyncio.run(body())


def test_doubled_and_late_answers_change_nothing_and_are_still_named() -> None:
    async def body() -> None:
        replies = Replies(str.isalpha)
        answer = replies.expect("a")
        replies.sent("a", 1)
        replies.heard(1, "", {"order_id": 7})
        assert replies.heard(1, "", {"order_id": 8}) == "a"
        assert await answer == {"order_id": 7}
        replies.forget("a")

        assert replies.heard(1, "", {"order_id": 7}) == "a"

    asyncio.run(body())


def test_a_lost_connection_leaves_the_outcome_unknown() -> None:
    async def body() -> None:
        replies = Replies(str.isalpha)
        answer = replies.expect("a")
        replies.fail("gone")
        replies.fail("gone again")
        with pytest.raises(GatewayTimeout, match="gone: the outcome is unknown"):
            await answer
        replies.forget("a")

    asyncio.run(body())


def test_of_requests_without_end_only_the_newest_are_known() -> None:
    async def body() -> None:
        replies = Replies(str.isdecimal)
        for number in range(1, 20_011):
            replies.expect(str(number))
            replies.sent(str(number), number)
            replies.forget(str(number))

        assert replies.key_of(10, "") == ""
        assert (replies.key_of(11, ""), replies.key_of(20_010, "")) == ("11", "20010")

    asyncio.run(body())
