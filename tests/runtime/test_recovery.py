from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial

import pytest

from qws.runtime.actor import Actor
from tests.runtime.stage import Asked, AskedHearer, Asker, Hearer, Told, lived
from tests.support.journals import MemoryJournal


class Counting(Actor):
    """Counts what it was ever asked; tells only what is new in this life."""

    on_crash = "restart"

    def __init__(self, lives: list[Counting]) -> None:
        self.recalled: list[int] = []
        self.told: list[int] = []
        lives.append(self)

    def recall_asked(self, msg: Asked) -> None:
        self.recalled.append(msg.number)

    def recall_told(self, msg: Told) -> None:
        self.told.append(msg.number)

    def on_asked(self, msg: Asked) -> Told:
        return Told(len(self.recalled) + 1)


def test_a_second_life_goes_on_counting_where_the_first_ended_and_recalls() -> None:
    journal, lives, heard = MemoryJournal(), list[Counting](), list[tuple[float, int]]()

    for numbers in ([1, 2], [3], []):
        lived([partial(Asker, numbers), lambda: Counting(lives), lambda: Hearer(heard)], journal=journal)

    assert [each.id for each in journal.envelopes] == list(range(1, len(journal.envelopes) + 1))
    assert [each.recalled for each in lives] == [[], [1, 2], [1, 2, 3]]
    assert [each.told for each in lives] == [[], [1, 1], [1, 1, 3]]
    assert [number for _, number in heard] == [1, 1, 3]


def test_what_an_earlier_life_left_unhandled_is_recalled_not_handled() -> None:
    class Stopped(AskedHearer):
        on_crash = "halt"  # type: ignore[assignment]

        def on_asked(self, msg: Asked) -> None:
            raise ValueError

    class AllAtOnce(Asker):
        async def source(self) -> AsyncIterator[Asked]:
            for number in self.numbers:
                yield Asked(number)

    journal, lives, heard = MemoryJournal(), list[Counting](), list[tuple[float, int]]()

    first = lived([lambda: AllAtOnce([1, 2, 3]), lambda: Stopped([])], journal=journal)
    written = len(journal.of(Asked))
    second = lived([lambda: Asker([]), lambda: Counting(lives), lambda: Hearer(heard)], journal=journal)

    assert (first.exit_code, second.exit_code) == (3, 0)
    assert len(lives[0].recalled) == written > 0
    assert heard == []


def test_a_recall_that_raises_at_the_start_is_raised() -> None:
    class Forgetful(AskedHearer):
        def recall_asked(self, msg: Asked) -> None:
            raise LookupError("cannot remember")

    journal = MemoryJournal()

    lived([lambda: Asker([1]), lambda: Forgetful([])], journal=journal)
    with pytest.raises(LookupError, match="cannot remember"):
        lived([lambda: Asker([1]), lambda: Forgetful([])], journal=journal)

    assert len(journal.of(Asked)) == 1
