"""Tables that cannot be written for long: no memory without end, no waiting on the loop, nothing lost for good."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from time import monotonic

import anyio
import pytest

from qws.daemon import _live, _Views
from qws.errors import StoreError
from qws.messages import LinkLost
from qws.runtime.actor import Actor
from qws.runtime.clock import SystemClock
from qws.runtime.message import Envelope, Later, Started
from qws.runtime.system import System
from qws.store.journal import InlineJournal
from qws.store.reading import Views
from qws.store.views import _BEHIND_MAX, DaemonRow, Projector
from qws.text import describe
from tests.store.samples import a_run, at
from tests.support.journals import MemoryJournal

MANY = 5_100


def said(count: int) -> list[Envelope]:
    return [Envelope(number, number, None, at(1), "broker_link", LinkLost("x")) for number in range(1, count + 1)]


def tell_again_and_again(projector: Projector, batch: list[Envelope]) -> None:
    for _ in range(_BEHIND_MAX):
        projector.apply(batch)


class Talker(Actor):
    """Says one thing after another, then asks for the end."""

    on_crash = "halt"

    def __init__(self, asked: anyio.Event) -> None:
        self._asked, self._left = asked, MANY

    def on_started(self, msg: Started) -> LinkLost:
        return LinkLost("x")

    def on_link_lost(self, msg: LinkLost) -> LinkLost | Later[LinkLost] | None:
        self._left -= 1
        if not self._left:
            self._asked.set()
        return LinkLost("x") if self._left > 0 else None


def test_tables_that_somebody_damages_do_not_end_the_daemon(tmp_path: Path) -> None:
    async def life() -> int:
        asked, clock, path = anyio.Event(), SystemClock(), tmp_path / "views.sqlite"
        shown = _Views(Projector(path, describe), clock, clock.now(), "paper", None)
        with closing(sqlite3.connect(path)) as vandal:
            vandal.execute("DROP TABLE message")
        system = System([lambda: Talker(asked)], clock=clock, journal=MemoryJournal(), taps=[shown.tap])
        return await _live(system, shown, clock, asked)

    assert asyncio.run(life()) == 0


def test_far_behind_the_tables_give_up_and_the_next_start_completes_them(tmp_path: Path) -> None:
    path, batch = tmp_path / "views.sqlite", a_run()
    projector = Projector(path, describe)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="until qws restarts"):
            tell_again_and_again(projector, batch)
    projector.apply(batch[-1:])
    projector.flush()
    projector.close()
    assert Views(path).applied_id() == 0

    async def next_start() -> None:
        journal = await InlineJournal.open(":memory:")
        await journal.append(batch)
        again = Projector(path, describe)
        await again.catch_up(journal)
        again.close()
        await journal.close()

    asyncio.run(next_start())

    assert Views(path).applied_id() == batch[-1].id


def test_only_the_first_write_waits_for_who_holds_the_file_for_long(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, describe)
    projector.apply(said(1))
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        projector.flush()
        before = monotonic()
        for _ in range(20):
            projector.flush()
        waited_s = monotonic() - before
    projector.flush()
    projector.close()

    assert (waited_s < 1.0, Views(path).applied_id()) == (True, 1)


def test_what_a_lock_kept_from_being_written_is_written_without_any_further_message(tmp_path: Path) -> None:
    path, batch = tmp_path / "views.sqlite", said(1)

    async def life() -> int:
        shown = _Views(Projector(path, describe), SystemClock(), SystemClock().now(), "paper", None)
        system = System([], clock=SystemClock())
        async with anyio.create_task_group() as tasks:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                shown.tap(batch)
                shown._write(shown._projector.flush)
            tasks.start_soon(shown.keep_heartbeat, system)
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        return Views(path).applied_id()

    assert asyncio.run(life()) == batch[-1].id


def test_a_deleted_file_is_no_heartbeat(tmp_path: Path) -> None:
    path = tmp_path / "views.sqlite"
    projector = Projector(path, describe)
    path.rename(tmp_path / "gone.sqlite")

    with pytest.raises(StoreError, match="is gone"):
        projector.write_daemon(DaemonRow("running", 1, at(1), at(1), "0.1.0", "paper"))
    projector.close()
