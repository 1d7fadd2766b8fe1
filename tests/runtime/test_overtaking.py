"""A message that an actor lets overtake is handled before everything that waits in its inbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from qws.runtime.actor import Actor
from qws.runtime.clock import LoopClock
from qws.runtime.inbox import Inbox
from qws.runtime.message import Envelope, Message
from qws.runtime.system import System
from tests.runtime.stage import START, Asked, Told, in_virtual_time


@dataclass(frozen=True, slots=True)
class Urgent(Message):
    """Overtakes."""


class Crowd(Actor):
    """Ten at once, and half a second later something urgent."""

    on_crash = "restart"

    async def source(self) -> AsyncIterator[Asked | Urgent]:
        yield Asked(10)
        await asyncio.sleep(0.5)
        yield Urgent()


class Spreader(Actor):
    """Makes many of one."""

    on_crash = "restart"

    def on_asked(self, msg: Asked) -> Iterator[Told]:
        yield from (Told(number) for number in range(msg.number))


class Slow(Actor):
    """Takes a second for each."""

    on_crash = "halt"
    overtaking = (Urgent,)

    def __init__(self, heard: list[object]) -> None:
        self._heard = heard

    async def on_told(self, msg: Told) -> None:
        self._heard.append(msg.number)
        await asyncio.sleep(1.0)

    def on_urgent(self, msg: Urgent) -> None:
        self._heard.append("urgent")


def test_what_overtakes_is_handled_next_and_nothing_is_lost_or_turned_round() -> None:
    heard: list[object] = []

    async def life() -> int:
        system = System([Crowd, Spreader, lambda: Slow(heard)], clock=LoopClock(START))
        asyncio.get_running_loop().call_later(30.0, system.stop)
        return await system.run()

    assert in_virtual_time(life) == 0
    assert heard == [0, "urgent", *range(1, 10)]


def test_those_that_overtake_keep_their_order() -> None:
    inbox, first, second, slow = Inbox(10), an_envelope(Urgent()), an_envelope(Urgent()), an_envelope(Told(1))
    for each in (slow, first, second):
        inbox.put(each, (Urgent,))

    batch = asyncio.run(inbox.take())

    assert [id(each) for each in batch] == [id(first), id(second), id(slow)]


def an_envelope(body: Message) -> Envelope:
    return Envelope(0, 0, None, START, "somebody", body)
