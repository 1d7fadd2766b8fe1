"""The same ring of four in three shapes, our actors, asyncio queues, pykka: one sends bursts, three pass them on."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import anyio
import pykka

from qws.runtime.actor import Actor
from qws.runtime.clock import SystemClock
from qws.runtime.message import Message, Started
from qws.runtime.system import System


@dataclass(frozen=True, slots=True)
class Sent(Message):
    """From the first to the second."""

    number: int


@dataclass(frozen=True, slots=True)
class Passed(Message):
    """From the second to the third."""

    number: int


@dataclass(frozen=True, slots=True)
class Arrived(Message):
    """From the third to the fourth."""

    number: int


@dataclass(frozen=True, slots=True)
class Answered(Message):
    """From the fourth back to the first, once a burst."""

    number: int


SENT, PASSED, ARRIVED, ANSWERED = Sent(0), Passed(0), Arrived(0), Answered(0)


class First(Actor):
    """Sends a burst, and the next one when it is answered."""

    on_crash = "halt"

    def __init__(self, bursts: int, size: int) -> None:
        self.left, self.burst = bursts, (SENT,) * size
        self.done = anyio.Event()

    def on_started(self, msg: Started) -> tuple[Sent, ...]:
        return self.burst

    def on_answered(self, msg: Answered) -> tuple[Sent, ...] | None:
        self.left -= 1
        if self.left:
            return self.burst
        self.done.set()
        return None


class Second(Actor):
    on_crash = "halt"

    def on_sent(self, msg: Sent) -> Passed:
        return PASSED


class Third(Actor):
    on_crash = "halt"

    def on_passed(self, msg: Passed) -> Arrived:
        return ARRIVED


class Fourth(Actor):
    on_crash = "halt"

    def __init__(self, size: int) -> None:
        self.size = self.left = size

    def on_arrived(self, msg: Arrived) -> Answered | None:
        self.left -= 1
        if self.left:
            return None
        self.left = self.size
        return ANSWERED


def per_second(bursts: int, size: int, seconds: float) -> float:
    """Messages delivered per second: three for each of a burst, and its answer."""
    return bursts * (3 * size + 1) / seconds


def actors(bursts: int, size: int) -> float:
    """Our runtime without a journal."""

    async def main() -> float:
        first = First(bursts, size)
        system = System([lambda: first, Second, Third, lambda: Fourth(size)], clock=SystemClock())
        async with anyio.create_task_group() as tasks:
            begin = perf_counter()
            tasks.start_soon(system.run)
            await first.done.wait()
            seconds = perf_counter() - begin
            system.stop()
        return per_second(bursts, size, seconds)

    return anyio.run(main)


def bare_queues(bursts: int, size: int) -> float:
    """Four tasks and four asyncio queues, nothing else."""

    async def main() -> float:
        queues: list[asyncio.Queue[Message]] = [asyncio.Queue(1024) for _ in range(4)]

        async def first() -> None:
            for _ in range(bursts):
                for _ in range(size):
                    await queues[1].put(SENT)
                await queues[0].get()

        async def passing(number: int, message: Message) -> None:
            while True:
                await queues[number].get()
                await queues[number + 1].put(message)

        async def fourth() -> None:
            while True:
                for _ in range(size):
                    await queues[3].get()
                await queues[0].put(ANSWERED)

        rest = [asyncio.create_task(each) for each in (passing(1, PASSED), passing(2, ARRIVED), fourth())]
        begin = perf_counter()
        await first()
        seconds = perf_counter() - begin
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)
        return per_second(bursts, size, seconds)

    return anyio.run(main)


class _Station(pykka.ThreadingActor):
    use_daemon_thread = True

    def __init__(self, message: Message, every: int) -> None:
        super().__init__()
        self.message, self.every, self.count = message, every, 0
        self.follower: pykka.ActorRef[_Station] | None = None

    def on_receive(self, message: object) -> None:
        if isinstance(message, pykka.ActorRef):
            self.follower = message
            return
        self.count += 1
        if self.count % self.every == 0 and self.follower is not None:
            self.follower.tell(self.message)


class _Origin(pykka.ThreadingActor):
    use_daemon_thread = True

    def __init__(self, bursts: int, size: int, done: threading.Event) -> None:
        super().__init__()
        self.left, self.size, self.done = bursts, size, done
        self.follower: pykka.ActorRef[_Station] | None = None

    def on_receive(self, message: object) -> None:
        if isinstance(message, pykka.ActorRef):
            self.follower = message
        else:
            self.left -= 1
        if not self.left:
            self.done.set()
        elif self.follower is not None:
            for _ in range(self.size):
                self.follower.tell(SENT)


def pykka_chain(bursts: int, size: int) -> float:
    """Four pykka actors, each on its thread."""
    done = threading.Event()
    first = _Origin.start(bursts, size, done)
    rest = [_Station.start(PASSED, 1), _Station.start(ARRIVED, 1), _Station.start(ANSWERED, size)]
    for ref, follower in zip(rest, [*rest[1:], first], strict=True):
        ref.ask(follower)
    begin = perf_counter()
    first.tell(rest[0])
    done.wait(60)
    seconds = perf_counter() - begin
    for ref in (first, *rest):
        ref.stop()
    return per_second(bursts, size, seconds)


@dataclass(frozen=True, slots=True)
class Stamped(Message):
    """When it was sent, in seconds of the performance counter."""

    at: float


@dataclass(frozen=True, slots=True)
class Returned(Message):
    """When it was sent back, in seconds of the performance counter."""

    at: float


class Near(Actor):
    on_crash = "halt"

    def __init__(self, rounds: int) -> None:
        self.left, self.hops_us, self.done = rounds, [0.0], anyio.Event()

    def on_started(self, msg: Started) -> Stamped:
        return Stamped(perf_counter())

    def on_returned(self, msg: Returned) -> Iterator[Stamped]:
        self.hops_us.append((perf_counter() - msg.at) * 1e6)
        self.left -= 1
        if self.left:
            yield Stamped(perf_counter())
        else:
            self.done.set()


class Far(Actor):
    on_crash = "halt"

    def on_stamped(self, msg: Stamped) -> Returned:
        return Returned(perf_counter())


def hops_us(rounds: int) -> list[float]:
    """Microseconds from a handler's message to the next actor's handler, one message under way at a time."""

    async def main() -> list[float]:
        near = Near(rounds)
        system = System([lambda: near, Far], clock=SystemClock())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(system.run)
            await near.done.wait()
            system.stop()
        return near.hops_us[1:]

    return anyio.run(main)
