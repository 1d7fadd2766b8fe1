"""A journal of every earlier schema becomes one of today at its first start, and loses nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from qws.domain.orders import OrderStatus
from qws.errors import InvariantBroken, StoreError
from qws.runtime.message import Envelope
from qws.store import journal_file
from qws.store.chain import GENESIS, Walk, linked
from qws.store.codec import MESSAGE_TYPES
from qws.store.journal import InlineJournal
from qws.store.journal_copy import walk_journal
from qws.store.journal_file import PAGE_ROWS, SCHEMA, JournalFile, rows_of
from tests.store.samples import a_run, intent, logged, report

# The statements with which version 0.1.0 made a journal, kept as they were.
SCHEMA_1 = """
CREATE TABLE message (
        id INTEGER PRIMARY KEY, corr INTEGER NOT NULL, cause INTEGER, at TEXT NOT NULL,
        sender TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX message_kind ON message (kind);
CREATE TABLE intent (
        tag TEXT PRIMARY KEY NOT NULL, message_id INTEGER NOT NULL REFERENCES message (id)) WITHOUT ROWID;
CREATE TRIGGER intent_once AFTER INSERT ON message WHEN new.kind = 'PlaceOrder' BEGIN
        INSERT INTO intent VALUES (json_extract(new.body, '$.order.tag'), new.id); END;
PRAGMA application_id = 1364677425;
PRAGMA user_version = 1;
"""
EARLIER = {1: SCHEMA_1}
MANY = [*a_run(), *logged(*[report("q1a", OrderStatus.REPORTED)] * (PAGE_ROWS * 2), start=20)]


def of_schema(path: Path, version: int, batch: list[Envelope]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute("PRAGMA journal_mode = WAL")
        journal.executescript(EARLIER[version])
        journal.execute("BEGIN")
        journal.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", rows_of(batch))
        journal.execute("COMMIT")


def everything(path: Path) -> list[Envelope]:
    async def body() -> list[Envelope]:
        journal = await InlineJournal.open(path)
        try:
            return [envelope async for envelope in journal.read(tuple(MESSAGE_TYPES))]
        finally:
            await journal.close()

    return asyncio.run(body())


def schema_of(path: Path) -> tuple[int, int, list[str]]:
    with closing(sqlite3.connect(path)) as journal:
        (version,), (application,) = (
            journal.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")
        )
        tables = [f"{name}: {journal.execute(f'PRAGMA table_info({name})').fetchall()}" for name in TABLES]
        others = journal.execute("SELECT name, sql FROM sqlite_master WHERE type <> 'table' ORDER BY name").fetchall()
    return version, application, [*tables, *map(str, others)]


TABLES = ("message", "intent", "archive")


def test_a_fixture_stands_for_every_earlier_schema() -> None:
    assert list(EARLIER) == list(range(1, SCHEMA))


@pytest.mark.parametrize("version", EARLIER)
def test_an_old_journal_is_brought_up_to_date_and_says_the_same(tmp_path: Path, version: int) -> None:
    old, new = tmp_path / "old.sqlite", tmp_path / "new.sqlite"
    of_schema(old, version, MANY)
    JournalFile(str(new)).close()

    assert everything(old) == MANY
    assert schema_of(old) == schema_of(new)
    walk = walk_journal(old, Walk(), keep_on=lambda: None)
    assert (walk.problem, walk.rows) == ("", len(MANY))
    assert walk.head.hash == linked(GENESIS, rows_of(MANY))[-1][-1]


@pytest.mark.parametrize("version", EARLIER)
def test_an_empty_old_journal_works_on(tmp_path: Path, version: int) -> None:
    of_schema(tmp_path / "old.sqlite", version, [])

    assert everything(tmp_path / "old.sqlite") == []


@pytest.mark.parametrize("version", EARLIER)
def test_tags_that_were_used_before_stay_used(tmp_path: Path, version: int) -> None:
    of_schema(tmp_path / "old.sqlite", version, a_run())

    async def body() -> None:
        journal = await InlineJournal.open(tmp_path / "old.sqlite")
        try:
            with pytest.raises(InvariantBroken, match=r"intent\.tag"):
                await journal.append(logged(intent("q1a"), start=100))
        finally:
            await journal.close()

    asyncio.run(body())


@pytest.mark.parametrize("version", EARLIER)
def test_a_step_that_breaks_off_leaves_the_old_journal(
    tmp_path: Path, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(file: sqlite3.Connection) -> None:
        journal_file._chain(file)
        raise sqlite3.OperationalError("disk is full")

    of_schema(tmp_path / "old.sqlite", version, a_run())
    with monkeypatch.context() as patched:
        patched.setattr(journal_file, "_STEPS", (*journal_file._STEPS[:-1], full_disk))
        with pytest.raises(StoreError, match="disk is full"):
            everything(tmp_path / "old.sqlite")

    with closing(sqlite3.connect(tmp_path / "old.sqlite")) as journal:
        assert journal.execute("PRAGMA user_version").fetchone() == (version,)
        assert len(journal.execute("SELECT * FROM message").fetchone()) == 7
    assert everything(tmp_path / "old.sqlite") == a_run()


def test_an_audit_of_an_old_journal_says_that_it_has_no_chain_yet(tmp_path: Path) -> None:
    of_schema(tmp_path / "old.sqlite", 1, a_run())

    with pytest.raises(StoreError, match="without a chain; start `qws run` once"):
        walk_journal(tmp_path / "old.sqlite", Walk(), keep_on=lambda: None)
