from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import anyio
import pytest

from qws.errors import StoreError
from qws.runtime.actor import Actor
from qws.runtime.message import ActorCrashed, Message
from qws.runtime.system import Limits
from tests.runtime.stage import Asked, AskedHearer, Asker, Hearer, Life, Repeated, Told, lived
from tests.support.journals import MemoryJournal


class Adder(Actor):
    """Sums what it was asked and tells the sum; crashes on `poison`, and recalls the sum."""

    on_crash = "restart"

    def __init__(self, poison: tuple[int, ...] = (), born: list[Adder] | None = None) -> None:
        self.sum, self.poison, self.said = 0, poison, 0
        if born is not None:
            born.append(self)

    def recall_asked(self, msg: Asked) -> None:
        self.sum += msg.number

    def recall_told(self, msg: Told) -> None:
        self.said += 1

    def on_asked(self, msg: Asked) -> Told:
        self.sum += msg.number
        if msg.number in self.poison:
            raise ValueError(f"poison {msg.number}")
        self.said += 1
        return Told(self.sum)


class Halting(Adder):
    on_crash = "halt"  # type: ignore[assignment]


class Crowd(Asker):
    """Asks everything at once."""

    async def source(self) -> AsyncIterator[Asked]:
        async with anyio.create_task_group():
            for number in self.numbers:
                yield Asked(number)


class Fan(Actor):
    """Turns one message into many at once."""

    on_crash = "restart"

    def on_repeated(self, msg: Repeated) -> Iterator[Asked]:
        yield from (Asked(number) for number in range(1, msg.number + 1))


class Once(Actor):
    on_crash = "restart"

    def __init__(self, number: int) -> None:
        self.number = number

    async def source(self) -> AsyncIterator[Repeated]:
        yield Repeated(self.number)


def crashes(journal: MemoryJournal) -> list[Message]:
    return [envelope.body for envelope in journal.of(ActorCrashed)]


def test_a_restart_gives_a_fresh_actor_that_recalls() -> None:
    journal, heard, born = MemoryJournal(), list[tuple[float, int]](), list[Adder]()

    life = lived([lambda: Asker([1, 2, 3]), lambda: Adder((2,), born), lambda: Hearer(heard)], journal=journal)

    assert life == Life(0, 100.0)
    assert heard == [(1.0, 1), (3.0, 6)]
    assert [each.sum for each in born] == [3, 6]
    assert crashes(journal) == [ActorCrashed("adder", "ValueError: poison 2", journal.of(Asked)[1].id)]
    assert journal.of(ActorCrashed)[0].cause == journal.of(Asked)[1].id


@pytest.mark.parametrize("commit_s", [0.0, 0.01, 5.0])
def test_what_waits_at_a_crash_is_handled_once_and_recalled_never(commit_s: float) -> None:
    journal, heard, born = MemoryJournal(commit_s=commit_s), list[tuple[float, int]](), list[Adder]()

    lived(
        [lambda: Once(9), Fan, lambda: Adder((2, 7), born), lambda: Hearer(heard)],
        journal=journal,
        limits=Limits(crashes_max=5),
    )

    assert [number for _, number in heard] == [1, 6, 10, 15, 21, 36, 45]
    assert [each.said for each in born] == [1, 5, 7]


def test_the_fresh_actor_remembers_the_last_words_of_the_old_one() -> None:
    class Proud(Adder):
        def on_asked(self, msg: Asked) -> Told:
            told = super().on_asked(msg)
            assert self.said == msg.number - (msg.number > 2)
            return told

    journal = MemoryJournal(commit_s=0.5)

    life = lived([lambda: Once(6), Fan, lambda: Proud((2,)), lambda: Hearer([])], journal=journal)

    assert life.exit_code == 0
    assert len(crashes(journal)) == 1


def test_poison_is_never_retried() -> None:
    tried: Counter[int] = Counter()

    class Careful(Actor):
        on_crash = "restart"

        def on_asked(self, msg: Asked) -> None:
            tried[msg.number] += 1
            if msg.number % 10 == 0:
                raise ValueError

    lived([lambda: Asker(range(40), 30.0), Careful], stop_s=3000)

    assert tried == Counter(range(40))


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_crash_storm_halts(has_journal: bool) -> None:
    journal, heard = MemoryJournal() if has_journal else None, list[tuple[float, int]]()

    life = lived(
        [lambda: Asker(range(1, 9), 25.0), lambda: Adder((2, 3, 4, 5)), lambda: Hearer(heard)],
        journal=journal,
        stop_s=1000,
    )

    assert life == Life(3, 100.0)
    assert heard == [(25.0, 1)]


def test_crashes_far_apart_are_no_storm() -> None:
    life = lived([lambda: Asker(range(9), 31.0), lambda: Adder(tuple(range(9))), lambda: Hearer([])], stop_s=900)

    assert life == Life(0, 900.0)


@pytest.mark.parametrize("has_journal", [True, False])
def test_a_halt_drains_the_others_and_exits_with_3(has_journal: bool) -> None:
    class SlowHearer(Hearer):
        async def on_told(self, msg: Told) -> None:  # type: ignore[override]
            await anyio.sleep(2.0)
            self.heard.append((0.0, msg.number))

    journal, heard, other = MemoryJournal() if has_journal else None, list[tuple[float, int]](), list[int]()

    life = lived(
        [lambda: Once(6), Fan, lambda: Halting((4,)), lambda: SlowHearer(heard), lambda: AskedHearer(other)],
        journal=journal,
    )

    assert life == Life(3, 6.0)
    assert heard == [(0.0, 1), (0.0, 3), (0.0, 6)]
    assert other == [1, 2, 3, 4, 5, 6]
    if journal is not None:
        assert len(journal.of(Asked)) == 6


def test_a_halted_actor_is_not_waited_for() -> None:
    class Busy(Halting):
        def busy(self) -> bool:
            return True

    assert lived([lambda: Asker([1, 2, 3]), lambda: Busy((3,)), lambda: Hearer([])]) == Life(3, 3.0)


def test_a_recall_that_raises_is_a_crash_and_ends_in_a_storm() -> None:
    class Forgetful(Adder):
        def recall_asked(self, msg: Asked) -> None:
            raise LookupError("cannot remember")

    journal = MemoryJournal()

    life = lived([lambda: Asker([1, 2, 3]), lambda: Forgetful((2,)), lambda: Hearer([])], journal=journal)

    assert life == Life(3, 2.0)
    poison = journal.of(Asked)[1].id
    assert crashes(journal) == [
        ActorCrashed("forgetful", "ValueError: poison 2", poison),
        ActorCrashed("forgetful", "LookupError: cannot remember", None),
        ActorCrashed("forgetful", "LookupError: cannot remember", None),
    ]


def test_a_maker_that_raises_is_a_crash() -> None:
    made: list[Adder] = []

    def make() -> Adder:
        if len(made) == 1:
            made.append(Adder())
            raise OSError("no longer there")
        return Adder((2,), made)

    life = lived([lambda: Asker([1, 2, 3]), make, lambda: Hearer([])])

    assert life == Life(0, 100.0)
    assert len(made) == 3


def test_a_store_that_fails_in_a_handler_is_not_answered_with_a_restart() -> None:
    class Keeper(AskedHearer):
        def on_asked(self, msg: Asked) -> None:
            raise StoreError("no room")

    with pytest.raises(StoreError, match="no room"):
        lived([lambda: Asker([1]), lambda: Keeper([])])
