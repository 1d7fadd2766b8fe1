"""A small cast of messages and actors, and a stage of virtual time for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, TypeVar

import anyio

from qws.runtime.actor import Actor
from qws.runtime.clock import SHANGHAI, LoopClock, VirtualLoop
from qws.runtime.message import Journal, Message
from qws.runtime.system import Limits, System, Tap

START = datetime(2026, 7, 1, 9, 0, tzinfo=SHANGHAI)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked(Message):
    """What a source brings in."""

    number: int


@dataclass(frozen=True, slots=True)
class Told(Message):
    """What an actor makes of it."""

    number: int


@dataclass(frozen=True, slots=True)
class Repeated(Message):
    """What the next actor makes of that."""

    number: int


@dataclass(frozen=True, slots=True)
class Quoted(Message):
    """A price of which only the newest counts."""

    conflated_by: ClassVar[str] = "code"
    code: str
    price: int


class Asker(Actor):
    """Asks the numbers one after the other, `every_s` apart, and notes when it was told to go on."""

    on_crash = "restart"

    def __init__(self, numbers: Iterable[int], every_s: float = 1.0, went_on: list[int] | None = None) -> None:
        self.numbers, self.every_s, self.went_on = tuple(numbers), every_s, [] if went_on is None else went_on

    async def source(self) -> AsyncIterator[Asked]:
        for number in self.numbers:
            await anyio.sleep(self.every_s)
            yield Asked(number)
            self.went_on.append(number)


class Teller(Actor):
    """Tells on what was asked."""

    on_crash = "restart"

    def on_asked(self, msg: Asked) -> Told:
        return Told(msg.number)


class Hearer(Actor):
    """Notes what it was told and when, in seconds since the start."""

    on_crash = "restart"

    def __init__(self, heard: list[tuple[float, int]]) -> None:
        self.heard = heard

    def on_told(self, msg: Told) -> None:
        self.heard.append((now_s(), msg.number))


class AskedHearer(Actor):
    """Notes what was asked."""

    on_crash = "restart"

    def __init__(self, heard: list[int]) -> None:
        self.heard = heard

    def on_asked(self, msg: Asked) -> None:
        self.heard.append(msg.number)


@dataclass(frozen=True, slots=True)
class Life:
    """How a system ended: its exit code, the virtual second, and what a deadline left in flight."""

    exit_code: int
    ended_s: float
    in_flight: int = 0


def now_s() -> float:
    """Virtual seconds since the stage was set."""
    return asyncio.get_running_loop().time()


def at(seconds: float) -> datetime:
    """The time on the stage after that many seconds."""
    return START + timedelta(seconds=seconds)


def in_virtual_time(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it on a loop whose time jumps."""
    return anyio.run(main, backend_options={"loop_factory": VirtualLoop})


def lived(
    makers: Sequence[Callable[[], Actor]],
    *,
    stop_s: float = 100.0,
    journal: Journal | None = None,
    taps: Sequence[Tap] = (),
    limits: Limits = Limits(),  # noqa: B008 - frozen
) -> Life:
    """Run a system and ask it to stop after `stop_s`."""

    async def main() -> Life:
        system = System(makers, clock=LoopClock(START), journal=journal, taps=taps, limits=limits)
        asyncio.get_running_loop().call_later(stop_s, system.stop)
        exit_code = await system.run()
        return Life(exit_code, now_s(), system._in_flight)

    return in_virtual_time(main)
