"""The journal: append first, act second. One SQLite file that the daemon alone opens (RELIABILITY.md 6.2)."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Collection, Sequence
from pathlib import Path
from typing import Self, cast

import aiosqlite

from qws.errors import StoreError
from qws.runtime.message import Envelope
from qws.store.journal_file import (
    INSERT,
    LAST_ID,
    PAGE_ROWS,
    JournalFile,
    Row,
    envelope_of,
    explained,
    page_of,
    refuse_network,
    rows_of,
)


class SqliteJournal:
    """The journal of a real process: WAL, synchronous FULL, exclusive; aiosqlite's thread waits for the disk."""

    def __init__(self, path: Path, connection: aiosqlite.Connection) -> None:
        self._path, self._connection = path, connection

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open or create; raises `AlreadyRunning` when another process has it, `StoreError` when it is not usable."""
        refuse_network(path)
        failures: list[Exception] = []

        def opened(database: str, **_: object) -> sqlite3.Connection:
            try:
                return JournalFile(database)
            except (sqlite3.Error, ValueError, StoreError) as error:  # aiosqlite would not end its thread in order
                failures.append(error)
                return sqlite3.Connection(":memory:")

        connection = await aiosqlite.connect(path, factory=opened)
        if failures:
            await connection.close()
            with explained(path):
                raise failures[0]
        return cls(path, connection)

    async def close(self) -> None:
        """Let go of the file; everything appended is in it."""
        with explained(self._path):
            await self._connection.close()

    async def append(self, batch: Sequence[Envelope]) -> None:
        """Commit the batch in one transaction, all or nothing.

        Raises `StoreError` when it cannot be kept, `InvariantBroken` when an intent's tag or a number is used twice.
        """
        rows = rows_of(batch)
        with explained(self._path):
            await self._connection.executemany(INSERT, rows)

    async def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Everything of these message types with a number above `after`, in order; raises `StoreError`."""
        count = PAGE_ROWS if kinds else 0
        while count == PAGE_ROWS:
            with explained(self._path):
                rows = cast("list[Row]", await self._connection.execute_fetchall(*page_of(kinds, after)))
            count = len(rows)
            for row in rows:
                envelope = envelope_of(row, self._path)
                after = envelope.id
                yield envelope

    async def last_id(self) -> int:
        """The highest number journalled, 0 when empty."""
        with explained(self._path):
            ((last,),) = await self._connection.execute_fetchall(LAST_ID)
        return int(last)


class InlineJournal:
    """The same file without a thread, for virtual time: threads take none. `:memory:` keeps nothing."""

    def __init__(self, path: Path | str, connection: JournalFile) -> None:
        self._path, self._connection = path, connection

    @classmethod
    async def open(cls, path: Path | str) -> Self:
        """Open or create, as `SqliteJournal.open` does."""
        refuse_network(path)
        with explained(path):
            return cls(path, JournalFile(str(path)))

    async def close(self) -> None:
        """Let go of the file."""
        with explained(self._path):
            self._connection.close()

    async def append(self, batch: Sequence[Envelope]) -> None:
        """Commit the batch in one transaction, as `SqliteJournal.append` does."""
        rows = rows_of(batch)
        with explained(self._path):
            self._connection.executemany(INSERT, rows)

    async def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Everything of these message types with a number above `after`, in order; raises `StoreError`."""
        count = PAGE_ROWS if kinds else 0
        while count == PAGE_ROWS:
            with explained(self._path):
                rows = self._connection.execute(*page_of(kinds, after)).fetchall()
            count = len(rows)
            for row in rows:
                envelope = envelope_of(row, self._path)
                after = envelope.id
                yield envelope

    async def last_id(self) -> int:
        """The highest number journalled, 0 when empty."""
        with explained(self._path):
            return int(self._connection.execute(LAST_ID).fetchone()[0])
