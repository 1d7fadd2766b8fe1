"""Everybody hears of a stop at once, whatever a source is at: an executor sends nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator

import anyio

from qws.runtime.actor import Actor
from qws.runtime.clock import LoopClock
from qws.runtime.message import Stopping
from qws.runtime.system import System
from tests.runtime.stage import START, Told, in_virtual_time


class AtAShare(Actor):
    """Its question to a share is answered when somebody lets it; until then it cannot be cancelled."""

    on_crash = "halt"

    def __init__(self, answer: anyio.Event) -> None:
        self._answer = answer

    async def source(self) -> AsyncIterator[Told]:
        with anyio.CancelScope(shield=True):
            await self._answer.wait()
        await anyio.lowlevel.checkpoint()
        yield Told(1)


class Sender(Actor):
    """Would go on sending until it hears of the stop; then the share answers."""

    on_crash = "halt"

    def __init__(self, answer: anyio.Event, heard: list[object]) -> None:
        self._answer, self._heard = answer, heard

    def on_told(self, msg: Told) -> None:
        self._heard.append(msg)

    def on_stopping(self, msg: Stopping) -> None:
        self._heard.append("stopping")
        self._answer.set()


def test_a_stop_is_told_although_a_source_waits_for_what_never_answers() -> None:
    heard: list[object] = []

    async def life() -> int | None:
        answer = anyio.Event()
        system = System([lambda: AtAShare(answer), lambda: Sender(answer, heard)], clock=LoopClock(START))
        with anyio.move_on_after(3600):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stop_soon, system)
                return await system.run()
        return None

    async def stop_soon(system: System) -> None:
        await anyio.sleep(1)
        system.stop()

    assert in_virtual_time(life) == 0
    assert heard == ["stopping"]  # what the share said then came too late
