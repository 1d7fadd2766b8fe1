from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from qws.errors import AlreadyRunning, InvariantBroken, QwsError, StoreError, WiringError
from qws.runtime.actor import Actor
from qws.runtime.clock import LoopClock
from qws.runtime.message import ActorCrashed, Envelope, Later, Message, Started, Stopping
from qws.runtime.system import System
from tests.runtime.stage import (
    START,
    Asked,
    AskedHearer,
    Asker,
    Hearer,
    Repeated,
    Teller,
    Told,
    at,
    in_virtual_time,
    lived,
    now_s,
)
from tests.support.journals import MemoryJournal


class Burst(Actor):
    """Tells ten times at the start."""

    on_crash = "restart"

    def on_started(self, msg: Started) -> Iterator[Told]:
        for number in range(10):
            yield Told(number)


class BreaksHalfWay(Teller):
    def on_asked(self, msg: Asked) -> Iterator[Told]:  # type: ignore[override]
        yield Told(1)
        raise ValueError("half-way")


class Undeclaring(Teller):
    def on_asked(self, msg: Asked) -> Iterator[Told]:  # type: ignore[override]
        yield Told(1)
        yield Asked(2)  # type: ignore[misc]


class LaterTeller(Teller):
    def on_asked(self, msg: Asked) -> Later[Told]:  # type: ignore[override]
        return Later(3600.0, Told(msg.number))


class Repeater(Actor):
    on_crash = "restart"

    def on_told(self, msg: Told) -> Repeated:
        return Repeated(msg.number)


class RepeatedHearer(Actor):
    on_crash = "restart"

    def on_repeated(self, msg: Repeated) -> None:
        return None


def test_a_handler_that_raises_half_way_emits_nothing() -> None:
    journal, heard = MemoryJournal(), list[tuple[float, int]]()

    lived([lambda: Asker([1]), BreaksHalfWay, lambda: Hearer(heard)], journal=journal)

    assert [type(body) for body in journal.bodies] == [Started, Asked, ActorCrashed, Stopping]
    assert heard == []


@pytest.mark.parametrize("has_journal", [True, False])
def test_an_undeclared_emission_ends_the_system(has_journal: bool) -> None:
    journal, heard = MemoryJournal() if has_journal else None, list[tuple[float, int]]()

    with pytest.raises(WiringError, match="undeclaring emits Asked without declaring it"):
        lived([lambda: Asker([1, 2]), Undeclaring, lambda: Hearer(heard)], journal=journal)

    if journal is not None:
        assert [type(body) for body in journal.bodies] == [Started, Asked]
        assert heard == []


def test_nothing_is_delivered_before_it_is_durable() -> None:
    journal, heard = MemoryJournal(commit_s=0.5), list[tuple[float, int]]()

    lived([lambda: Asker([1]), Teller, lambda: Hearer(heard)], journal=journal)

    assert heard == [(1.0 + 0.5 + 0.5, 1)]
    assert [envelope.at for envelope in journal.of(Told)] == [at(1.5)]


@pytest.mark.parametrize("error", [StoreError("the disk is full"), InvariantBroken("twice"), AlreadyRunning("locked")])
def test_a_journal_that_fails_ends_the_run_and_nothing_is_delivered(error: QwsError) -> None:
    journal, heard, went_on = MemoryJournal(broken_from=3, error=error), list[tuple[float, int]](), list[int]()

    with pytest.raises(type(error), match=str(error)):
        lived([lambda: Asker([1, 2], went_on=went_on), Teller, lambda: Hearer(heard)], journal=journal)

    assert [type(body) for body in journal.bodies] == [Started, Asked]
    assert heard == []
    assert went_on == [1]


def test_a_source_is_not_told_to_go_on_when_its_message_was_lost() -> None:
    journal, went_on = MemoryJournal(broken_from=2, error=StoreError("full")), list[int]()

    with pytest.raises(StoreError):
        lived([lambda: Asker([1], 0.0, went_on), lambda: AskedHearer([])], journal=journal)

    assert went_on == []


def test_a_journal_that_fails_during_the_drain_ends_it_at_once() -> None:
    journal = MemoryJournal(commit_s=1.0, broken_from=3, error=StoreError("full"))

    async def main() -> float:
        system = System([lambda: Asker([1], 2.0), lambda: AskedHearer([])], clock=LoopClock(START), journal=journal)
        asyncio.get_running_loop().call_later(2.5, system.stop)
        with pytest.raises(StoreError):
            await system.run()
        return now_s()

    assert in_virtual_time(main) == 4.0


def test_messages_are_delivered_in_the_order_of_the_journal() -> None:
    journal, heard = MemoryJournal(commit_s=0.1), list[tuple[float, int]]()

    lived([lambda: Asker(range(100, 130), 0.03), Teller, Burst, lambda: Hearer(heard)], journal=journal)

    assert [number for _, number in heard] == [e.body.number for e in journal.of(Told) if isinstance(e.body, Told)]
    assert len(heard) == 40


def test_what_waits_for_the_disk_goes_into_one_transaction() -> None:
    journal = MemoryJournal(commit_s=1.0)

    lived([Burst, lambda: Hearer([])], journal=journal)

    assert [len(batch) for batch in journal.batches] == [1, 10, 1]


def test_effects_know_their_cause_and_sources_are_roots() -> None:
    journal = MemoryJournal()

    lived([lambda: Asker([7]), LaterTeller, Repeater, RepeatedHearer], journal=journal, stop_s=9000)

    started, asked, told, repeated, stopping = journal.envelopes
    assert [(each.corr, each.cause) for each in (started, asked, stopping)] == [(1, None), (2, None), (5, None)]
    assert (told.corr, told.cause, told.sender, told.at) == (asked.id, asked.id, "later_teller", at(3601))
    assert (repeated.corr, repeated.cause, repeated.sender) == (asked.id, told.id, "repeater")
    assert [each.sender for each in (started, asked, stopping)] == ["system", "asker", "system"]


def test_a_message_for_later_arrives_in_order_on_the_virtual_clock() -> None:
    class Countdown(Actor):
        on_crash = "halt"

        def on_started(self, msg: Started) -> list[Later[Told]]:
            return [Later(delay_s, Told(int(delay_s))) for delay_s in (7200.0, 3600.0, 0.0, -5.0, 3600.0)]

    heard: list[tuple[float, int]] = []

    lived([Countdown, lambda: Hearer(heard)], stop_s=10_000)

    assert heard == [(0.0, 0), (0.0, -5), (3600.0, 3600), (3600.0, 3600), (7200.0, 7200)]


def test_taps_see_every_batch_in_order_after_it_is_durable_and_before_it_is_delivered() -> None:
    journal, heard = MemoryJournal(commit_s=0.1), list[tuple[float, int]]()
    seen: list[Envelope] = []

    def first(batch: Sequence[Envelope]) -> None:
        assert tuple(batch) == journal.batches[-1]
        assert not {e.body for e in batch} & {Told(number) for _, number in heard}
        seen.extend(batch)

    def second(batch: Sequence[Envelope]) -> None:
        assert seen[-len(batch) :] == list(batch)

    lived([lambda: Asker(range(20), 0.03), Teller, lambda: Hearer(heard)], journal=journal, taps=[first, second])

    assert tuple(seen) == journal.envelopes
    assert len(heard) == 20


def test_a_tap_works_without_a_journal() -> None:
    seen: list[Message] = []

    lived([lambda: Asker([1]), lambda: AskedHearer([])], taps=[lambda batch: seen.extend(each.body for each in batch)])

    assert seen == [Started(), Asked(1), Stopping()]


def test_a_tap_that_raises_ends_the_run_and_its_batch_is_not_delivered() -> None:
    heard: list[int] = []

    def tap(batch: Sequence[Envelope]) -> None:
        if batch[0].body == Asked(2):
            raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as crash:
        lived([lambda: Asker([1, 2, 3]), lambda: AskedHearer(heard)], taps=[tap])

    assert crash.group_contains(ZeroDivisionError)
    assert heard == [1]


def test_a_source_goes_on_when_its_message_is_durable() -> None:
    journal, durable = MemoryJournal(commit_s=1.0), list[bool]()

    class Patient(Actor):
        on_crash = "restart"

        async def source(self) -> AsyncIterator[Asked]:
            for number in range(3):
                yield Asked(number)
                durable.append(Asked(number) in journal.bodies)

    lived([Patient, lambda: AskedHearer([])], journal=journal)

    assert durable == [True, True, True]
