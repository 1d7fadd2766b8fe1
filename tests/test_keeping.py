"""A backup that is made while messages are journalled holds one moment, whole; the home made of it trades nothing."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

import anyio
import pytest
from anyio import to_thread

from qws.arming import arm_home
from qws.cli.home import make_home
from qws.config import Config, load_config, make_config
from qws.errors import StoreError
from qws.home import Home
from qws.keeping import BackupStopped, HomeKeeper, heads_of, restore
from qws.messages import LinkReady
from qws.preview import FrozenClock
from qws.runtime.message import Envelope
from qws.store.backup import read_manifest
from qws.store.chain import Head, Walk
from qws.store.codec import MESSAGE_TYPES
from qws.store.journal import InlineJournal, SqliteJournal
from qws.store.journal_compact import compact
from qws.store.journal_copy import walk_journal
from qws.store.reading import Views
from tests.store.samples import OPEN, a_run, intent, logged
from tests.store.test_compact import three_months

T = TypeVar("T")
CLOCK = FrozenClock(OPEN)


async def in_thread(call: Callable[[], T], /) -> T:
    return await to_thread.run_sync(call)


def everything(path: Path) -> list[Envelope]:
    async def body() -> list[Envelope]:
        journal = await InlineJournal.open(path)
        try:
            return [each async for each in journal.read(tuple(MESSAGE_TYPES))]
        finally:
            await journal.close()

    return asyncio.run(body())


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home")
    files = ("accepted/w.csv", "x"), ("results/w.json", "{}"), ("rejected/b.csv", "y"), ("late.csv", "z")
    for name, content in files:
        (home.inbox / name).parent.mkdir(exist_ok=True)
        (home.inbox / name).write_text(content, encoding="utf-8")
    arm_home(home, load_config(home.config_file), OPEN, "me")
    return home


def config_of(home: Home, **keep: object) -> Config:
    return make_config({"keep": keep}, "test")


def backed_up(home: Home, path: str = "", batch: list[Envelope] | None = None, **keep: object) -> str:
    async def body() -> str:
        journal = await SqliteJournal.open(home.journal)
        try:
            await journal.append(a_run() if batch is None else batch)
            return await HomeKeeper(home, config_of(home, **keep), journal, CLOCK, in_thread).back_up(path)
        finally:
            await journal.close()

    return anyio.run(body)


def test_backups_under_load_each_hold_the_journal_of_one_moment(home: Home, tmp_path: Path) -> None:
    heads: list[Head] = []

    async def body() -> None:
        journal = await SqliteJournal.open(home.journal)
        await journal.append(a_run())
        last, is_over = a_run()[-1].id, False

        async def write() -> None:
            nonlocal last
            while not is_over:
                number = last + 1
                batch = [LinkReady(), intent(f"t{number}"), LinkReady()]
                await journal.append(logged(*batch, start=number))
                last += len(batch)

        keeper = HomeKeeper(home, config_of(home), journal, CLOCK, in_thread)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(write)
            for number in range(3):
                before = await journal.last_id()
                await keeper.back_up(str(tmp_path / f"{number}.zip"))
                heads.append(read_manifest(tmp_path / f"{number}.zip").journal_head)
                assert before <= heads[-1].id < await journal.last_id()
            is_over = True
        await journal.close()

    anyio.run(body)

    written = everything(home.journal)
    for number, head in enumerate(heads):
        manifest, problem = restore(tmp_path / f"{number}.zip", tmp_path / f"there-{number}", CLOCK)
        there = Home(tmp_path / f"there-{number}")
        walk = walk_journal(there.journal, Walk(), keep_on=lambda: None)
        assert (problem, walk.problem, walk.head) == ("", "", head)
        assert manifest.journal_head == head
        assert everything(there.journal) == written[: head.id]
        with closing(sqlite3.connect(there.journal)) as journal:
            tags = journal.execute("SELECT count(*) FROM intent WHERE message_id <= ?", (head.id,)).fetchone()
        assert tags == (sum(type(each.body).__name__ == "PlaceOrder" for each in written[: head.id]),)
    assert walk_journal(home.journal, Walk(heads_of(tmp_path)), keep_on=lambda: None).problem == ""


def test_a_restored_home_is_whole_halted_and_not_armed_and_knows_its_runs(home: Home, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.exchange)) as books:
        books.execute("PRAGMA journal_mode = WAL")
        books.execute("CREATE TABLE held (code TEXT)")
        books.execute("INSERT INTO held VALUES ('600519.SH')")
        books.commit()
        backed_up(home, str(tmp_path / "b.zip"))
    restore(tmp_path / "b.zip", tmp_path / "there", CLOCK)

    there = Home(tmp_path / "there")
    assert everything(there.journal) == a_run()
    assert not there.armed.exists()
    assert home.armed.exists()
    (waiting,) = Views(there.views).waiting()
    assert (waiting["command"], waiting["by"]) == ("halt", "restore of b.zip")
    assert there.halt_mark.read_text(encoding="utf-8") == "restore of b.zip"
    assert [run["run_id"] for run in Views(there.views).runs()] == ["R1"]
    assert there.config_file.read_bytes() == home.config_file.read_bytes()
    with closing(sqlite3.connect(there.exchange)) as books:
        assert books.execute("SELECT code FROM held").fetchall() == [("600519.SH",)]
    filed = [path.relative_to(there.inbox).as_posix() for path in sorted(there.inbox.rglob("*")) if path.is_file()]
    assert filed == ["accepted/w.csv", "rejected/b.csv", "results/w.json"]
    assert not (tmp_path / "there.part").exists()
    assert not (home.state / "backup.part").exists()


def test_archived_months_come_along_and_tags_stay_used(home: Home, tmp_path: Path) -> None:
    backed_up(home, str(tmp_path / "first.zip"), three_months())
    compact(home.journal, "2026-11", walk_journal(home.journal, Walk(), keep_on=lambda: None))
    backed_up(home, str(tmp_path / "b.zip"), logged(LinkReady(), start=58))

    restore(tmp_path / "b.zip", tmp_path / "there", CLOCK)

    there = Home(tmp_path / "there")
    assert everything(there.journal) == [*three_months(), *logged(LinkReady(), start=58)]
    assert walk_journal(there.journal, Walk(heads_of(tmp_path)), keep_on=lambda: None).problem == ""
    with closing(sqlite3.connect(there.journal)) as journal:
        tags = [tag for (tag,) in journal.execute("SELECT tag FROM intent ORDER BY tag")]
    assert tags == ["q0a", "q1a", "q2a"]


def test_nothing_is_overwritten(home: Home, tmp_path: Path) -> None:
    backed_up(home, str(tmp_path / "b.zip"))

    with pytest.raises(StoreError, match="not empty: a home is never overwritten"):
        restore(tmp_path / "b.zip", home.root, CLOCK)
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match="never overwritten"):
        restore(tmp_path / "b.zip", tmp_path / "file", CLOCK)
    (tmp_path / "there.part").mkdir()
    (tmp_path / "there.part" / "mine").write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match=r"there\.part exists already"):
        restore(tmp_path / "b.zip", tmp_path / "there", CLOCK)
    assert (tmp_path / "there.part" / "mine").read_text(encoding="utf-8") == "x"
    (tmp_path / "empty").mkdir()
    restore(tmp_path / "b.zip", tmp_path / "empty", CLOCK)
    assert Home(tmp_path / "empty").journal.exists()


def test_a_backup_whose_journal_ends_elsewhere_than_it_says_is_refused(home: Home, tmp_path: Path) -> None:
    backed_up(home, str(tmp_path / "b.zip"))
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    members["manifest.json"] = json.dumps({**json.loads(members["manifest.json"]), "head": f"19:{'0' * 64}"}).encode()
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)

    with pytest.raises(StoreError, match="the manifest says 19:0000"):
        restore(tmp_path / "b.zip", tmp_path / "there", CLOCK)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "home"]


def test_a_journal_that_was_altered_before_is_restored_and_told(home: Home, tmp_path: Path) -> None:
    backed_up(home, str(tmp_path / "first.zip"))
    with closing(sqlite3.connect(home.journal, isolation_level=None)) as journal:
        journal.execute("UPDATE message SET sender = 'x' WHERE id = 4")
    backed_up(home, str(tmp_path / "b.zip"), logged(LinkReady(), start=20))

    _, problem = restore(tmp_path / "b.zip", tmp_path / "there", CLOCK)

    assert problem.startswith("row 4 (RebalanceDue")


def test_a_stop_ends_a_backup_and_leaves_nothing(home: Home, tmp_path: Path) -> None:
    async def body() -> None:
        journal = await SqliteJournal.open(home.journal)
        try:
            await journal.append(a_run())
            for calls in (0, 1, 4):
                left = iter(range(calls))
                keeper = HomeKeeper(home, config_of(home), journal, CLOCK, in_thread)
                keeper.stop_when(lambda left=left: next(left, None) is None)  # type: ignore[misc]
                with pytest.raises(BackupStopped):
                    await keeper.back_up(str(tmp_path / "b.zip"))
        finally:
            await journal.close()

    anyio.run(body)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["home"]
    assert not (home.state / "backup.part").exists()


def test_what_a_kill_left_half_done_is_cleared_away(home: Home, tmp_path: Path) -> None:
    work, folder = home.state / "backup.part", home.root / "backups"
    for each in (work, folder):
        each.mkdir(parents=True)
        (each / "journal.sqlite").write_bytes(b"half")
    for name in ("auto-2026-08-25.zip.tmp", "qws-2026-08-25-101010.zip.tmp", "a-persons.zip.tmp"):
        (folder / name).write_bytes(b"half")

    backed_up(home)
    restore(folder / "auto-2026-09-01.zip", tmp_path / "there", CLOCK)

    left = {"auto-2026-09-01.zip", "a-persons.zip.tmp", "journal.sqlite"}
    assert {path.name for path in folder.iterdir()} == left
    assert everything(Home(tmp_path / "there").journal) == a_run()


def test_the_oldest_automatic_backups_go_and_a_persons_stay(home: Home) -> None:
    folder = home.root / "backups"
    folder.mkdir()
    for day in range(1, 9):
        (folder / f"auto-2026-08-{day:02d}.zip").write_bytes(b"old")
    (folder / "qws-2026-08-01-101010.zip").write_bytes(b"mine")

    backed_up(home, backups=3)

    kept = ["auto-2026-08-07.zip", "auto-2026-08-08.zip", "auto-2026-09-01.zip", "qws-2026-08-01-101010.zip"]
    assert sorted(path.name for path in folder.iterdir()) == kept


def test_a_disk_that_is_not_there_is_an_error_and_not_a_new_folder(home: Home, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="unplugged"):
        backed_up(home, backup_folder=str(tmp_path / "unplugged" / "backups"))

    assert not (tmp_path / "unplugged").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a disk that is always full is a thing of Linux")
def test_a_backup_that_fills_the_disk_leaves_nothing_there(home: Home, tmp_path: Path) -> None:
    (tmp_path / "b.zip.tmp").symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"):
        backed_up(home, str(tmp_path / "b.zip"))

    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert not (home.state / "backup.part").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a file with a hole in it takes no room, but there it does")
def test_without_room_for_it_no_backup_is_begun_and_what_was_left_half_done_is_gone(home: Home, tmp_path: Path) -> None:
    work = home.state / "backup.part"
    work.mkdir()

    async def body() -> None:
        journal = await SqliteJournal.open(tmp_path / "other.sqlite")
        try:
            with home.journal.open("wb") as large:
                large.truncate(shutil.disk_usage(home.state).free)
            with pytest.raises(StoreError, match="MB free, a backup needs"):
                await HomeKeeper(home, config_of(home), journal, CLOCK, in_thread).back_up("")
        finally:
            await journal.close()

    anyio.run(body)

    assert not work.exists()
    assert not (home.root / "backups").exists()
