from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from qws.errors import StoreError
from qws.runtime.actor import Actor
from qws.runtime.clock import LoopClock
from qws.runtime.message import Later, Started, Stopping
from qws.runtime.system import Limits, System
from tests.runtime.stage import (
    START,
    Asked,
    AskedHearer,
    Asker,
    Hearer,
    Life,
    Teller,
    Told,
    in_virtual_time,
    lived,
    now_s,
)
from tests.support.journals import MemoryJournal


class Worker(Actor):
    """Is busy from the first question until its answer arrives."""

    on_crash = "halt"

    def __init__(self, answers: list[float]) -> None:
        self.answers, self.is_busy = answers, False

    def busy(self) -> bool:
        return self.is_busy

    def on_asked(self, msg: Asked) -> None:
        self.is_busy = True

    def on_told(self, msg: Told) -> None:
        self.answers.append(now_s())
        self.is_busy = False


class Answerer(Actor):
    """Answers from outside at second 20, whatever happens here."""

    on_crash = "halt"
    source_until = "idle"

    async def source(self) -> AsyncIterator[Told]:
        await anyio.sleep(20.0)
        yield Told(1)
        await anyio.sleep(20.0)
        yield Told(2)


def test_a_drain_waits_for_whoever_is_busy_and_answering_sources_live_until_then() -> None:
    answers: list[float] = []

    life = lived([lambda: Asker([1]), lambda: Worker(answers), Answerer], stop_s=5.0)

    assert answers == [20.0]
    assert life == Life(0, 20.0)


def test_a_drain_ends_at_its_deadline_with_exit_code_1() -> None:
    answers: list[float] = []

    life = lived([lambda: Asker([1]), lambda: Worker(answers), Answerer], stop_s=5.0, limits=Limits(drain_s=10.0))

    assert answers == []
    assert life == Life(1, 15.0)


def test_asking_sources_stop_at_once() -> None:
    heard: list[tuple[float, int]] = []

    class SlowTeller(Teller):
        async def on_asked(self, msg: Asked) -> Told:  # type: ignore[override]
            await anyio.sleep(10.0)
            return Told(msg.number)

    life = lived([lambda: Asker(range(99)), SlowTeller, lambda: Hearer(heard)], stop_s=3.5)

    assert heard == [(11.0, 0), (21.0, 1), (31.0, 2)]
    assert life == Life(0, 31.0)


def test_a_source_stopped_while_its_message_is_being_written_leaves_it_to_the_drain() -> None:
    journal, heard, went_on = MemoryJournal(commit_s=2.0), list[int](), list[int]()

    life = lived([lambda: Asker([1], 3.0, went_on), lambda: AskedHearer(heard)], journal=journal, stop_s=4.0)

    assert journal.bodies == (Started(), Asked(1), Stopping())
    assert heard == [1]
    assert went_on == []
    assert life == Life(0, 7.0)


def test_a_source_is_closed_before_the_run_returns() -> None:
    closed: list[float] = []

    class Open(Asker):
        async def source(self) -> AsyncIterator[Asked]:
            try:
                yield Asked(1)
                yield Asked(2)
                await anyio.sleep(1000)
            finally:
                closed.append(now_s())

    lived([lambda: Open([]), lambda: AskedHearer([])], stop_s=3.0)
    lived([lambda: Open([]), lambda: AskedHearer([])], stop_s=3.0, journal=MemoryJournal(commit_s=2.0))
    with pytest.raises(StoreError):
        lived(
            [lambda: Open([]), lambda: AskedHearer([])],
            journal=MemoryJournal(commit_s=0.5, broken_from=2, error=StoreError("full")),
        )

    assert closed == [3.0, 3.0, 1.0]


def test_nothing_is_published_after_the_close() -> None:
    journal = MemoryJournal()

    class Timed(Actor):
        on_crash = "halt"

        def on_started(self, msg: Started) -> list[Later[Told]]:
            return [Later(float(second), Told(second)) for second in (1, 2, 3, 4)]

    class Endless(Answerer):
        async def source(self) -> AsyncIterator[Told]:
            try:
                await anyio.sleep(1000)
            finally:
                yield Told(99)

    heard: list[tuple[float, int]] = []

    life = lived([Timed, Endless, lambda: Hearer(heard)], journal=journal, stop_s=2.5)

    assert [number for _, number in heard] == [1, 2]
    assert journal.bodies == (Started(), Told(1), Told(2), Stopping())
    assert life == Life(0, 2.5)


def test_an_actor_may_act_when_the_system_stops() -> None:
    class Farewell(Actor):
        on_crash = "halt"

        def on_stopping(self, msg: Stopping) -> Iterator[Told]:
            yield Told(0)

    heard: list[tuple[float, int]] = []

    life = lived([Farewell, lambda: Hearer(heard)], journal=MemoryJournal(commit_s=1.0), stop_s=5.0)

    assert heard == [(7.0, 0)]
    assert life == Life(0, 7.0)


def test_a_busy_actor_may_need_its_timer() -> None:
    class Waiting(Actor):
        on_crash = "halt"

        def __init__(self) -> None:
            self.is_waiting = False

        def busy(self) -> bool:
            return self.is_waiting

        def on_asked(self, msg: Asked) -> Later[Told]:
            self.is_waiting = True
            return Later(15.0, Told(msg.number))

        def on_told(self, msg: Told) -> None:
            self.is_waiting = False

    assert lived([lambda: Asker([1]), Waiting], stop_s=2.0) == Life(0, 16.0)
    assert lived([lambda: Asker([1]), Waiting], stop_s=2.0, journal=MemoryJournal(commit_s=1.0)) == Life(0, 18.0)


def test_a_handler_that_waits_is_cancelled_at_the_deadline() -> None:
    fates: list[str] = []

    class Stuck(Actor):
        on_crash = "halt"

        async def on_asked(self, msg: Asked) -> Told:
            try:
                await anyio.sleep(1000)
            except asyncio.CancelledError:
                fates.append(f"cancelled at {now_s():g}")
                raise
            return Told(1)

    life = lived([lambda: Asker([1]), Stuck, lambda: Hearer([])], stop_s=5.0)

    assert fates == ["cancelled at 35"]
    assert life == Life(1, 35.0, in_flight=1)


def test_a_commit_at_the_deadline_is_finished_whole() -> None:
    journal = MemoryJournal(commit_s=8.0)

    life = lived(
        [lambda: Asker([1], 20.0), lambda: AskedHearer([])], journal=journal, stop_s=22.0, limits=Limits(drain_s=5.0)
    )

    assert journal.bodies == (Started(), Asked(1))
    assert life == Life(1, 28.0, in_flight=2)


def test_a_crash_while_the_system_drains_is_restarted_and_journalled() -> None:
    class Slow(Actor):
        on_crash = "restart"

        async def on_asked(self, msg: Asked) -> None:
            await anyio.sleep(2.0)
            if msg.number == 0:
                raise ValueError

    journal = MemoryJournal()

    life = lived([lambda: Asker([0, 1], 0.5), Slow], journal=journal, stop_s=1.2)

    assert [type(body).__name__ for body in journal.bodies] == ["Started", "Asked", "Asked", "Stopping", "ActorCrashed"]
    assert life == Life(0, 4.5)


def test_a_crash_after_the_close_is_not_told() -> None:
    class Rude(Actor):
        on_crash = "halt"

        async def on_asked(self, msg: Asked) -> None:
            try:
                await anyio.sleep(1000)
            finally:
                raise ValueError("while it was cancelled")

    journal = MemoryJournal()

    life = lived([lambda: Asker([1]), Rude], journal=journal, stop_s=2.0)

    assert journal.bodies == (Started(), Asked(1), Stopping())
    assert life == Life(3, 32.0)


def test_a_stop_before_the_start_is_a_stop() -> None:
    async def main() -> int:
        system = System([lambda: Asker([1], 0.0), lambda: AskedHearer([])], clock=LoopClock(START))
        system.stop()
        return await system.run()

    assert in_virtual_time(main) == 0


def test_a_drain_asks_the_fresh_actor_whether_it_is_busy() -> None:
    class Flustered(Worker):
        on_crash = "restart"  # type: ignore[assignment]

        async def on_told(self, msg: Told) -> None:  # type: ignore[override]
            await anyio.sleep(5.0)
            raise ValueError

        def recall_told(self, msg: Told) -> None:
            return None

    journal = MemoryJournal(commit_s=1.0)

    life = lived([lambda: Asker([1], 10.0), lambda: Flustered([]), Answerer], journal=journal, stop_s=18.0)

    assert life == Life(0, 27.0)
