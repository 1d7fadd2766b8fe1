"""The journal: append first, act second. One SQLite file that the daemon alone opens (RELIABILITY.md 6.2)."""

from __future__ import annotations

import asyncio
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Self, cast

import aiosqlite

from qws.errors import StoreError
from qws.messages import EquityRecorded
from qws.ports import Offload
from qws.runtime.message import Envelope
from qws.store.chain import GENESIS, Head, Linked, Row
from qws.store.horizon import first_to_remember
from qws.store.journal_archive import Month, archived_pages, archives_of
from qws.store.journal_copy import begin_copy, write_copied
from qws.store.journal_file import (
    HEAD,
    INSERT,
    PAGE_ROWS,
    WHOLE_PAGE,
    JournalFile,
    envelope_of,
    explained,
    page_of,
    refuse_network,
    rows_of,
)

_Cell = int | str | bytes | None
_MONTHS = "SELECT month, first_id, last_id, hash, sha256 FROM archive WHERE last_id > ? ORDER BY first_id"
_FIRST_ROWS, _PAGE_CHARS = 100, 2_000_000  # rows are read by pages of such a size: plans and results are large
_DUE = """SELECT id, json_extract(body, '$.day'), json_extract(body, '$.run_id') FROM message
    WHERE kind = 'RebalanceDue' ORDER BY id"""
_ENDED = "SELECT json_extract(body, '$.run_id') FROM message WHERE kind = 'RunFinished'"
_CLOSE = """SELECT id FROM message WHERE kind = 'EquityRecorded' AND json_extract(body, '$.kind') = 'close'
    ORDER BY id DESC LIMIT 1"""
_OLD_INTENTS = "SELECT tag, message_id FROM intent WHERE message_id <= ?"


class _Rows(ABC):
    """What reads a journal's rows, with a thread or without one."""

    _path: Path | str

    @abstractmethod
    async def _fetched(self, sql: str, parameters: Sequence[str | int] = ()) -> Sequence[tuple[_Cell, ...]]:
        """All rows of a short query; raises `StoreError`."""

    async def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Everything of these message types with a number above `after`, in order; raises `StoreError`."""
        for month in await self._months(after) if kinds else ():
            for page in archived_pages(archives_of(self._path), month, kinds, after):
                for row in page:
                    yield envelope_of(row, self._path)
                await asyncio.sleep(0)  # years of history must not keep the loop from others
            after = max(after, month.last_id)
        limit = _FIRST_ROWS if kinds else 0
        while limit:
            rows = cast("Sequence[Row]", await self._fetched(*page_of(kinds, after, limit)))
            chars = sum(len(row[-1]) for row in rows) + 1
            limit = min(max(limit * _PAGE_CHARS // chars, 1), PAGE_ROWS) if len(rows) == limit else 0
            for row in rows:
                envelope = envelope_of(row, self._path)
                after = envelope.id
                yield envelope

    async def last_id(self) -> int:
        """The highest number journalled, 0 when empty."""
        return (await self.head()).id

    async def horizon(self, run_days: int) -> int:
        """The number of the first message that actors remember whatever it is, 0 for all; see `first_to_remember`."""
        due = cast("Sequence[tuple[int, str, str]]", await self._fetched(_DUE))
        ended = {str(run_id) for (run_id,) in await self._fetched(_ENDED)}
        close = cast("Sequence[tuple[int]]", await self._fetched(_CLOSE))
        newest = close[0][0] if close else await self._archived_close()
        return first_to_remember(due, ended, newest, run_days)

    async def _archived_close(self) -> int:
        """The number of the newest close in archived months, 0 for none."""
        for month in reversed(await self._months(0)):
            pages = archived_pages(archives_of(self._path), month, [EquityRecorded.__name__], 0)
            bodies = ((row[0], envelope_of(row, self._path).body) for page in pages for row in page)
            closes = [id_ for id_, body in bodies if isinstance(body, EquityRecorded) and body.kind == "close"]
            if closes:
                return closes[-1]
        return 0

    async def head(self) -> Head:
        """The end of the audit chain."""
        rows = cast("Sequence[tuple[int, bytes]]", await self._fetched(HEAD))
        return Head(*rows[0]) if rows else Head(0, GENESIS)

    async def copy(self, path: Path, offload: Offload, keep_on: Callable[[], None]) -> Head:
        """Copy the journal as it is now into a new file while appending goes on; the end of the chain in the copy.

        Rows are never changed, so those up to the last one of this moment are the journal of this moment. `keep_on` is
        called between pages and may raise. Archived months stay where they are. Raises `StoreError`.
        """
        end, months = await self.head(), await self._months(0)
        await offload(partial(begin_copy, path))
        after = max((month.last_id for month in months), default=0)
        intents = cast("Iterable[tuple[str, int]]", await self._fetched(_OLD_INTENTS, (after,)))
        await offload(partial(write_copied, path, months=months, intents=list(intents)))
        while after < end.id:
            keep_on()
            page = cast("Sequence[Linked]", await self._fetched(WHOLE_PAGE, (after,)))
            rows = [row for row in page if row[0] <= end.id]
            if not rows:
                break
            after = rows[-1][0]
            await offload(partial(write_copied, path, rows=rows))
        return end

    async def _months(self, after: int) -> list[Month]:
        return [Month(*row) for row in await self._fetched(_MONTHS, (after,))]  # type: ignore[arg-type]


class SqliteJournal(_Rows):
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

    async def _fetched(self, sql: str, parameters: Sequence[str | int] = ()) -> Sequence[tuple[_Cell, ...]]:
        with explained(self._path):
            return cast("Sequence[tuple[_Cell, ...]]", await self._connection.execute_fetchall(sql, parameters))


class InlineJournal(_Rows):
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

    async def _fetched(self, sql: str, parameters: Sequence[str | int] = ()) -> Sequence[tuple[_Cell, ...]]:
        with explained(self._path):
            return self._connection.execute(sql, parameters).fetchall()
