from __future__ import annotations

from collections.abc import AsyncIterator

import anyio
import pytest

from qws.errors import StoreError
from qws.runtime.actor import Actor
from qws.runtime.message import ActorCrashed, Started
from qws.runtime.system import Limits
from tests.runtime.stage import Asked, AskedHearer, Asker, Hearer, Life, Repeated, Told, lived
from tests.runtime.test_supervision import Adder, crashes
from tests.support.journals import MemoryJournal


def test_a_crashing_source_is_opened_again_by_a_fresh_actor() -> None:
    openings: list[int] = []

    class Fragile(Asker):
        async def source(self) -> AsyncIterator[Asked]:
            openings.append(len(self.went_on))
            yield Asked(len(openings))
            self.went_on.append(1)
            await anyio.sleep(100)
            raise ConnectionError("gone")

    journal, heard = MemoryJournal(), list[int]()

    life = lived([lambda: Fragile([]), lambda: AskedHearer(heard)], journal=journal, stop_s=350)

    assert heard == [1, 2, 3, 4]
    assert openings == [0, 0, 0, 0]
    assert crashes(journal) == [ActorCrashed("fragile", "ConnectionError: gone", None)] * 3
    assert life.exit_code == 0


def test_a_source_that_halts_leaves_its_handlers_to_the_drain() -> None:
    handled: list[int] = []

    class Link(Actor):
        on_crash = "halt"

        async def source(self) -> AsyncIterator[Asked]:
            for number in range(5):
                yield Asked(number)
            raise ConnectionError

        async def on_asked(self, msg: Asked) -> None:
            await anyio.sleep(1.0)
            handled.append(msg.number)

    assert lived([Link]) == Life(3, 5.0)
    assert handled == [0, 1, 2, 3, 4]


def test_source_and_handlers_of_a_restarted_actor_are_one_object() -> None:
    class Pair(Actor):
        on_crash = "restart"

        def __init__(self) -> None:
            self.known: set[int] = set()

        async def source(self) -> AsyncIterator[Told]:
            while True:
                await anyio.sleep(10.0)
                yield Told(len(self.known))

        def on_asked(self, msg: Asked) -> None:
            self.known.add(msg.number)
            if msg.number == 3:
                raise ValueError

    heard: list[tuple[float, int]] = []

    lived([lambda: Asker([1, 2, 3, 4, 5, 6, 7], 4.0), Pair, lambda: Hearer(heard)], stop_s=43)

    assert heard == [(10.0, 2), (22.0, 2), (32.0, 4), (42.0, 4)]


def test_messages_handled_while_a_crashed_source_is_replaced_are_not_forgotten() -> None:
    class Both(Adder):
        async def source(self) -> AsyncIterator[Repeated]:
            await anyio.sleep(2.5)
            yield Repeated(0)
            raise ConnectionError

    class Quiet(Actor):
        on_crash = "restart"

        def on_repeated(self, msg: Repeated) -> None:
            return None

    born, heard = list[Adder](), list[tuple[float, int]]()

    lived(
        [lambda: Asker(range(1, 60), 0.1), lambda: Both((), born), lambda: Hearer(heard), Quiet],
        journal=MemoryJournal(commit_s=0.7, read_s=0.01),
        limits=Limits(crashes_max=99),
    )

    assert heard[-1][1] == sum(range(1, 60))
    assert len(born) > 3


def test_a_source_that_speaks_while_the_system_fails_is_not_told_to_go_on() -> None:
    class Failing(Actor):
        on_crash = "restart"

        async def on_started(self, msg: Started) -> None:
            await anyio.sleep(1.0)
            raise StoreError("full")

    went_on: list[int] = []

    with pytest.raises(StoreError):
        lived([lambda: Asker([1], 1.0, went_on), Failing, lambda: AskedHearer([])])

    assert went_on == []
