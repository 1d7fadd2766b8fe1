from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from actors.control_desk import ControlDesk
from qws.messages import BackupDue, BackupEnded, ControlOrdered
from tests.support.builders import HandClock, at


@dataclass(frozen=True)
class Row:
    """One order of a person."""

    id: int
    command: str
    by: str
    argument: str = ""


@dataclass
class Table:
    """A control table in memory; another program holds it for so many answers."""

    rows: list[Row]
    answers: dict[int, str] = field(default_factory=dict)
    locked: int = 0

    def unanswered(self) -> list[Row]:
        return [row for row in self.rows if row.id not in self.answers]

    def answer(self, id_: int, text: str, at: datetime) -> bool:
        self.locked -= 1
        if self.locked < 0:
            self.answers[id_] = text
        return self.locked < 0


def heard(table: Table, clock: HandClock, count: int) -> list[ControlOrdered]:
    async def listen() -> list[ControlOrdered]:
        source = ControlDesk(table, clock, 0.15).source()
        return [await anext(source) for _ in range(count)]

    return asyncio.run(listen())


def test_orders_become_messages_in_order_and_are_answered_after_they_are_durable() -> None:
    table = Table([Row(1, "halt", "me"), Row(2, "resume", "you")])

    messages = heard(table, HandClock(at("10:00:00")), 2)

    assert messages == [ControlOrdered("halt", "me"), ControlOrdered("resume", "you")]
    assert table.answers == {1: "accepted"}  # the second is answered when the source is asked to go on


def test_an_order_that_comes_later_is_seen_at_the_next_look() -> None:
    table = Table([Row(1, "halt", "me")])
    clock = HandClock(at("10:00:00"))

    class Late(HandClock):
        async def sleep(self, seconds: float) -> None:
            table.rows.append(Row(2, "cancel", "me"))
            await super().sleep(seconds)

    late = Late(clock.now())

    assert [message.command for message in heard(table, late, 2)] == ["halt", "cancel"]
    assert (late.now() - clock.now()).total_seconds() == 0.15


def test_an_order_that_was_not_answered_before_a_restart_is_told_again() -> None:
    table = Table([Row(1, "halt", "me")])

    first, second = (heard(table, HandClock(at("10:00:00")), 1) for _ in range(2))

    assert first == second == [ControlOrdered("halt", "me")]


def test_an_answer_that_a_lock_kept_out_is_given_later_and_the_order_is_told_once() -> None:
    table = Table([Row(1, "halt", "me")], locked=3)
    clock = HandClock(at("10:00:00"))

    class Later(HandClock):
        async def sleep(self, seconds: float) -> None:
            if table.answers:
                table.rows.append(Row(2, "resume", "me"))
            await super().sleep(seconds)

    assert [message.command for message in heard(table, Later(clock.now()), 2)] == ["halt", "resume"]
    assert (table.answers, table.locked) == ({1: "accepted"}, -1)


def test_the_answer_of_a_backup_that_a_lock_kept_out_is_given_at_the_next_look() -> None:
    table = Table([Row(1, "backup", "me", "/b.zip")])
    clock = HandClock(at("10:00:00"))

    async def listen() -> None:
        desk = ControlDesk(table, clock, 0.15)
        source = desk.source()
        await anext(source)
        table.locked = 1
        desk.on_backup_ended(BackupEnded(clock.now(), "/b.zip", 1, "12 files", ""))
        assert table.answers == {}
        table.rows.append(Row(2, "halt", "me"))
        assert await anext(source) == ControlOrdered("halt", "me")

    asyncio.run(listen())

    assert table.answers == {1: "accepted: 12 files"}


def test_without_a_table_the_desk_says_nothing() -> None:
    async def listen() -> list[ControlOrdered]:
        return [message async for message in ControlDesk(None, HandClock(at("10:00:00")), 0.15).source()]

    assert asyncio.run(listen()) == []


@pytest.mark.parametrize(("problem", "answer"), [("", "accepted: 12 files"), ("disk full", "disk full")])
def test_a_backup_is_asked_for_once_and_answered_when_it_is_there(problem: str, answer: str) -> None:
    table = Table([Row(1, "backup", "me", "/b.zip"), Row(2, "halt", "me")])
    clock, heard_of = HandClock(at("10:00:00")), []

    async def listen() -> None:
        desk = ControlDesk(table, clock, 0.15)
        source = desk.source()
        heard_of.append(await anext(source))
        heard_of.append(await anext(source))
        table.rows.append(Row(3, "resume", "me"))
        heard_of.append(await anext(source))
        assert 1 not in table.answers
        desk.on_backup_ended(BackupEnded(clock.now(), "auto.zip", 0, "3 files", ""))
        assert 1 not in table.answers
        desk.on_backup_ended(BackupEnded(clock.now(), "/b.zip", 1, "" if problem else "12 files", problem))

    asyncio.run(listen())

    assert heard_of == [BackupDue("/b.zip", "me", 1), ControlOrdered("halt", "me"), ControlOrdered("resume", "me")]
    assert table.answers == {1: answer, 2: "accepted"}


def test_an_answer_to_a_held_plan_names_its_run() -> None:
    table = Table([Row(1, "approve", "me", "20261119-aaaaaa")])

    assert heard(table, HandClock(at("10:00:00")), 1) == [ControlOrdered("approve", "me", "20261119-aaaaaa")]
