"""What every journal must do, the one with a thread and the one without."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from qws.errors import AlreadyRunning, InvariantBroken, StoreError
from qws.messages import LinkLost, LinkReady
from qws.runtime.message import Envelope, Journal
from qws.store.codec import MESSAGE_TYPES
from qws.store.journal import InlineJournal, SqliteJournal
from qws.store.journal_file import PAGE_ROWS, SCHEMA, refuse_network
from tests.store.samples import a_run, intent, logged

pytestmark = pytest.mark.parametrize("kind", [SqliteJournal, InlineJournal])
Kind = type[SqliteJournal] | type[InlineJournal]

CHILD = """
import asyncio, sys
from pathlib import Path
from qws.store.journal import InlineJournal, SqliteJournal
from tests.store.samples import a_run
async def main():
    journal = await {kind}.open(Path({path!r}))
    await journal.append(a_run())
    print("ready", flush=True)
    sys.stdin.read()
asyncio.run(main())
"""


async def everything(journal: Journal, kinds: Collection[str] = tuple(MESSAGE_TYPES), after: int = 0) -> list[Envelope]:
    return [envelope async for envelope in journal.read(kinds, after)]


@asynccontextmanager
async def opened(kind: Kind, path: Path) -> AsyncIterator[SqliteJournal | InlineJournal]:
    journal = await kind.open(path)
    try:
        yield journal
    finally:
        await journal.close()


async def written(kind: Kind, path: Path, batch: list[Envelope]) -> None:
    async with opened(kind, path) as journal:
        await journal.append(batch)


async def reopened(kind: Kind, path: Path) -> list[Envelope]:
    async with opened(kind, path) as journal:
        return await everything(journal)


def keeping(kind: Kind, path: Path) -> subprocess.Popen[str]:
    """Another process that has a run journalled and the file open."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(kind=kind.__name__, path=str(path))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[2],
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def test_what_is_appended_reads_back_in_order_after_reopening(kind: Kind, tmp_path: Path) -> None:
    asyncio.run(written(kind, tmp_path / "j.sqlite", a_run()))

    assert asyncio.run(reopened(kind, tmp_path / "j.sqlite")) == a_run()


def test_reading_picks_kinds_and_numbers(kind: Kind, tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(kind, tmp_path / "j.sqlite") as journal:
            assert await journal.last_id() == 0
            await journal.append(a_run())
            expected = [each for each in a_run() if type(each.body).__name__ in {"FillReceived", "OrderUpdated"}]

            assert await everything(journal, ["OrderUpdated", "FillReceived"]) == expected
            assert await everything(journal, ["FillReceived", "OrderUpdated"], expected[1].id) == expected[2:]
            assert await everything(journal, []) == []
            assert await everything(journal, ["PlanRefused"]) == []
            assert await journal.last_id() == a_run()[-1].id

    asyncio.run(body())


def test_reading_goes_on_over_pages_while_the_journal_grows(kind: Kind, tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(kind, tmp_path / "j.sqlite") as journal:
            bodies = [LinkReady() if id_ % 3 else LinkLost(str(id_)) for id_ in range(PAGE_ROWS * 2)]
            batch = logged(*bodies)
            await journal.append(batch)
            for kinds in (["LinkReady", "LinkLost"], tuple(MESSAGE_TYPES)):
                seen = [envelope async for envelope in journal.read(kinds)]
                assert seen == batch
            reading = journal.read(["LinkReady", "LinkLost"])
            first = await anext(reading)
            late = logged(LinkReady(), start=len(batch) + 1)
            await journal.append(late)
            assert [first, *[envelope async for envelope in reading]] == batch + late

    asyncio.run(body())


def test_an_intent_with_a_used_tag_fails_with_its_whole_batch(kind: Kind, tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(kind, tmp_path / "j.sqlite") as journal:
            first = logged(intent("q1a"))
            await journal.append(first)
            for batch in (
                logged(intent("q1b"), intent("q1a"), start=2),
                logged(intent("q1a", "R2"), start=2),
                logged(intent("q1c"), intent("q1c"), start=2),
            ):
                with pytest.raises(InvariantBroken, match=r"intent\.tag"):
                    await journal.append(batch)
            assert await everything(journal) == first
            second = logged(intent("q1b"), start=2)
            await journal.append(second)
            assert await everything(journal) == first + second

    asyncio.run(body())


def test_a_number_is_used_once(kind: Kind, tmp_path: Path) -> None:
    asyncio.run(written(kind, tmp_path / "j.sqlite", logged(LinkReady())))
    with pytest.raises(InvariantBroken, match=r"message\.id"):
        asyncio.run(written(kind, tmp_path / "j.sqlite", [*logged(LinkLost("late"), start=2), *logged(LinkReady())]))
    assert asyncio.run(reopened(kind, tmp_path / "j.sqlite")) == logged(LinkReady())


def test_a_message_that_could_not_be_read_back_fails_with_its_whole_batch(kind: Kind, tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(kind, tmp_path / "j.sqlite") as journal:
            with pytest.raises(StoreError, match="LinkLost"):
                await journal.append(logged(LinkReady(), LinkLost("\ud800")))
            assert await journal.last_id() == 0

    asyncio.run(body())


def test_a_full_disk_writes_nothing_and_spoils_nothing(kind: Kind, tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(kind, tmp_path / "j.sqlite") as journal:
            await journal.append(a_run())
            await limited(journal, "PRAGMA max_page_count = 1")  # SQLite raises it to what the file has already
            flood = logged(*[LinkLost("x" * 500)] * 500, start=100)
            with pytest.raises(StoreError, match=r"disk is full.*free space"):
                await journal.append(flood)
            assert await everything(journal) == a_run()
            await limited(journal, "PRAGMA max_page_count = 100000")
            await journal.append(flood)
        assert await reopened(kind, tmp_path / "j.sqlite") == a_run() + flood

    asyncio.run(body())


def test_a_file_that_cannot_be_written_says_so(kind: Kind, tmp_path: Path) -> None:
    async def body() -> None:
        async with opened(kind, tmp_path / "j.sqlite") as journal:
            await journal.append(a_run())
            await limited(journal, "PRAGMA query_only = ON")  # permissions do not bind an administrator
            with pytest.raises(StoreError, match="writable"):
                await journal.append(logged(LinkReady(), LinkReady(), start=100))
            with pytest.raises(StoreError, match="writable"):
                await journal.append(logged(LinkReady(), start=100))
            assert await everything(journal) == a_run()

    asyncio.run(body())


async def limited(journal: SqliteJournal | InlineJournal, pragma: str) -> None:
    if isinstance(journal, SqliteJournal):
        await journal._connection.execute_fetchall(pragma)
    else:
        journal._connection.execute(pragma).fetchall()


def test_a_missing_folder_says_so(kind: Kind, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="folder must exist"):
        asyncio.run(written(kind, tmp_path / "nowhere" / "j.sqlite", []))


def test_a_closed_journal_refuses(kind: Kind, tmp_path: Path) -> None:
    async def body() -> None:
        journal = await kind.open(tmp_path / "j.sqlite")
        await journal.close()
        with pytest.raises(StoreError, match=r"j\.sqlite"):
            await journal.append(logged(LinkReady()))

    asyncio.run(body())


def test_a_newer_schema_is_refused_and_left_alone(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    asyncio.run(written(kind, path, a_run()))
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match=f"schema {SCHEMA + 1}.*knows {SCHEMA};"):
        asyncio.run(reopened(kind, path))
    assert path.read_bytes() == before


def test_another_programs_file_is_refused_and_left_alone(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    before = path.read_bytes()

    with pytest.raises(StoreError, match="not a journal"):
        asyncio.run(reopened(kind, path))
    assert path.read_bytes() == before


def test_damage_is_refused_and_never_read_as_something_else(kind: Kind, tmp_path: Path) -> None:
    path = tmp_path / "j.sqlite"
    batch = [*a_run(), *logged(*[LinkLost("x" * 300)] * 60, start=100)]
    asyncio.run(written(kind, path, batch))
    sound = path.read_bytes()
    chance = Random("damage")
    refusals = []
    for number in range(40):
        copy = tmp_path / f"damaged-{number}.sqlite"
        spoilt = bytearray(sound)
        for _ in range(8):
            place = chance.randrange(len(spoilt))
            spoilt[place] ^= chance.randrange(1, 256)
        copy.write_bytes(spoilt)
        try:
            assert len(asyncio.run(reopened(kind, copy))) <= len(batch)
        except StoreError as error:
            refusals.append(str(error))
    assert len(refusals) > 10
    assert all(str(tmp_path) in refusal for refusal in refusals)


@pytest.mark.parametrize("cut", [0, 100, 5000])
def test_a_file_that_lost_its_start_or_its_end_is_refused(kind: Kind, tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j.sqlite"
    asyncio.run(written(kind, path, a_run()))
    sound = path.read_bytes()
    path.write_bytes(bytes(100) + sound[100:] if cut == 0 else sound[:-cut])

    with pytest.raises(StoreError, match=r"damaged|cannot be read"):
        asyncio.run(reopened(kind, path))


def test_what_was_appended_survives_a_process_that_never_closed(kind: Kind, tmp_path: Path) -> None:
    """The files at the moment of a crash: the write-ahead log still holds everything."""

    async def body() -> None:
        async with opened(kind, tmp_path / "j.sqlite") as journal:
            await journal.append(a_run())
            for suffix in ("", "-wal"):
                shutil.copyfile(tmp_path / f"j.sqlite{suffix}", tmp_path / f"crashed.sqlite{suffix}")
        assert await reopened(kind, tmp_path / "crashed.sqlite") == a_run()

    asyncio.run(body())


def test_a_second_process_is_kept_out_until_the_first_is_killed(kind: Kind, tmp_path: Path) -> None:
    child = keeping(kind, tmp_path / "j.sqlite")
    try:
        with pytest.raises(AlreadyRunning, match="another process"):
            asyncio.run(reopened(kind, tmp_path / "j.sqlite"))
        os.kill(child.pid, getattr(signal, "SIGKILL", signal.SIGTERM))
        child.wait()
        assert asyncio.run(reopened(kind, tmp_path / "j.sqlite")) == a_run()
    finally:
        child.kill()
        child.communicate()


def test_a_share_of_another_computer_is_refused(kind: Kind) -> None:
    for path in ("\\\\server\\share\\j.sqlite", "\\\\?\\UNC\\server\\share\\j.sqlite"):
        with pytest.raises(StoreError, match="network share"):
            asyncio.run(written(kind, Path(path), []))
    refuse_network("\\\\?\\C:\\qws\\state\\journal.sqlite")
    refuse_network("C:\\qws\\state\\journal.sqlite")
