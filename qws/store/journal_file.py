"""The journal's one SQLite file: schema, opening, one transaction per batch, and what its errors mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

from qws.errors import AlreadyRunning, InvariantBroken, StoreError
from qws.runtime.message import Envelope
from qws.store.chain import GENESIS, Head, Row, linked
from qws.store.codec import decode, encode, in_shanghai

if TYPE_CHECKING:
    from collections.abc import Iterable
    from sqlite3 import _Parameters

APPLICATION = 0x51575331  # "QWS1": another program's SQLite file is not a journal
CHECK_MAX_BYTES = 200 * 1024 * 1024
PAGE_ROWS = 2_000

# The trigger makes a second intent with the same tag fail the whole batch, whoever writes it. RELIABILITY.md 6.1.
_TABLES = (
    """CREATE TABLE message (
        id INTEGER PRIMARY KEY, corr INTEGER NOT NULL, cause INTEGER, at TEXT NOT NULL,
        sender TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL)""",
    "CREATE INDEX message_kind ON message (kind)",
    """CREATE TABLE intent (
        tag TEXT PRIMARY KEY NOT NULL, message_id INTEGER NOT NULL REFERENCES message (id)) WITHOUT ROWID""",
    """CREATE TRIGGER intent_once AFTER INSERT ON message WHEN new.kind = 'PlaceOrder' BEGIN
        INSERT INTO intent VALUES (json_extract(new.body, '$.order.tag'), new.id); END""",
    f"PRAGMA application_id = {APPLICATION}",
)
# The months that were moved into files: their rows, the hash of the last one, the digest of the file.
_ARCHIVE = """CREATE TABLE archive (
    month TEXT PRIMARY KEY NOT NULL, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL, hash BLOB NOT NULL,
    sha256 TEXT NOT NULL) WITHOUT ROWID"""
INSERT = "INSERT INTO message (id, corr, cause, at, sender, kind, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
HEAD = """SELECT id, hash FROM (SELECT id, hash FROM message ORDER BY id DESC LIMIT 1)
    UNION ALL SELECT * FROM (SELECT last_id, hash FROM archive ORDER BY last_id DESC LIMIT 1) LIMIT 1"""
_COLUMNS = "SELECT id, corr, cause, at, sender, kind, body FROM message"
_WHOLE = "SELECT id, corr, cause, at, sender, kind, body, hash FROM message"
WHOLE_PAGE = f"{_WHOLE} WHERE id > ? ORDER BY id LIMIT {PAGE_ROWS}"
_MERGED_KINDS_MAX = 20  # beyond, walking the whole table is faster than merging that many index walks

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full: free space, then start again",
    sqlite3.SQLITE_READONLY: "it cannot be written: make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: the folder must exist and be writable",
    sqlite3.SQLITE_PERM: "access is denied: make the file and its folder writable",
    sqlite3.SQLITE_CORRUPT: "it is damaged: put the newest backup in its place",
    sqlite3.SQLITE_NOTADB: "it is damaged or not an SQLite file: put the newest backup in its place",
    sqlite3.SQLITE_IOERR: "the disk reports an error: check the disk, then start again",
}


class JournalFile(sqlite3.Connection):
    """The only connection to a journal; raises `StoreError` when the file is not usable as one."""

    def __init__(self, database: str) -> None:
        super().__init__(database, timeout=0, isolation_level=None)
        self._head = GENESIS
        try:
            self._prepare(database)
        except BaseException:
            self.close()
            raise

    def executemany(self, sql: str, parameters: Iterable[_Parameters], /) -> sqlite3.Cursor:
        """Insert the rows, chained, in one transaction: aiosqlite then crosses to its thread once per batch."""
        rows = linked(self._head, cast("Iterable[Row]", parameters))
        if len(rows) == 1:  # a statement of its own is a transaction, and the shortest way to one durable message
            cursor = self.execute(sql, rows[0])
            self._head = rows[0][-1]
            return cursor
        self.execute("BEGIN IMMEDIATE")
        try:
            cursor = super().executemany(sql, rows)
            self.execute("COMMIT")
        except BaseException:
            if self.in_transaction:
                self.execute("ROLLBACK")
            raise
        self._head = rows[-1][-1] if rows else self._head
        return cursor

    def _prepare(self, database: str) -> None:
        self.execute("PRAGMA locking_mode = EXCLUSIVE")
        version, application = self._number("PRAGMA user_version"), self._number("PRAGMA application_id")
        is_new = not version and not self._number("SELECT count(*) FROM sqlite_master")
        if not is_new and application != APPLICATION:
            raise StoreError(f"{database} is not a journal; choose another file")
        if version > SCHEMA:
            text = f"journal {database} has schema {version}, this program knows {SCHEMA}; install the newer program"
            raise StoreError(text)
        self.execute("PRAGMA foreign_keys = ON")
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA synchronous = FULL")
        self._check(database)
        self.execute("BEGIN IMMEDIATE")  # takes the lock that keeps every other process out until the file is closed
        for number, step in enumerate(_STEPS[version:], version + 1):
            step(self)
            self.execute(f"PRAGMA user_version = {number}")
        self.execute("COMMIT")
        self._head = head_of(self).hash

    def _check(self, database: str) -> None:
        if self._number("PRAGMA page_count") * self._number("PRAGMA page_size") > CHECK_MAX_BYTES:
            return
        (verdict,) = self.execute("PRAGMA quick_check(1)").fetchone()
        if verdict != "ok":
            remedy = _REMEDIES[sqlite3.SQLITE_CORRUPT]
            raise StoreError(f"journal {database}: {remedy} ({' '.join(verdict.split())})")

    def _number(self, sql: str) -> int:
        return int(self.execute(sql).fetchone()[0])


def _begin(file: sqlite3.Connection) -> None:
    """Schema 1: messages, and the lock on the tags of intents."""
    for statement in _TABLES:
        file.execute(statement)


def _chain(file: sqlite3.Connection) -> None:
    """Schema 2: every row has its place in the audit chain, and old months may lie in files of their own."""
    file.execute("ALTER TABLE message ADD COLUMN hash BLOB")
    file.execute(_ARCHIVE)
    head, after = GENESIS, 0
    while page := file.execute(f"{_COLUMNS} WHERE id > ? ORDER BY id LIMIT {PAGE_ROWS}", (after,)).fetchall():
        rows = linked(head, page)
        # not `executemany` of the journal, which begins a transaction of its own
        sqlite3.Connection.executemany(
            file, "UPDATE message SET hash = ? WHERE id = ?", [(row[-1], row[0]) for row in rows]
        )
        head, after = rows[-1][-1], rows[-1][0]


# Each brings a journal from the schema of its place (0: an empty file) to the next, in the one transaction of a start.
_STEPS: tuple[Callable[[sqlite3.Connection], None], ...] = (_begin, _chain)
SCHEMA = len(_STEPS)


def head_of(connection: sqlite3.Connection) -> Head:
    """The end of a journal's chain."""
    row = connection.execute(HEAD).fetchone()
    if row and not isinstance(row[1], bytes):
        raise StoreError(f"the journal's last row, {row[0]}, has no hash: put the newest backup in its place")
    return Head(*row) if row else Head(0, GENESIS)


@contextmanager
def explained(path: Path | str) -> Iterator[None]:
    """Turn what SQLite says of this file into `AlreadyRunning`, `InvariantBroken` or `StoreError` with a remedy."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise InvariantBroken(f"journal {path}: nothing of the batch was written, {error}") from error
    except (sqlite3.Error, ValueError) as error:  # a closed connection, or text that is not UTF-8
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise AlreadyRunning(f"journal {path} is open in another process; stop that one first") from error
        raise StoreError(f"journal {path}: {_REMEDIES.get(code, 'it cannot be used')} ({str(error)[:200]})") from error


def refuse_network(path: Path | str) -> None:
    """Raise `StoreError` for a path on another computer: locks and WAL are not reliable there."""
    text = str(path)
    is_local = text.startswith("\\\\?\\") and not text.upper().startswith("\\\\?\\UNC\\")
    if text.startswith("\\\\") and not is_local:
        raise StoreError(f"journal {text} is on a network share, where SQLite cannot lock; use a disk of this computer")


def rows_of(batch: Sequence[Envelope]) -> list[Row]:
    """The rows of a batch; raises `StoreError` for a message that could not be read back."""
    rows, at, text = [], None, ""
    for each in batch:
        if each.at is not at:  # what one handler emits shares one clock reading
            at, text = each.at, each.at.isoformat()
        rows.append((each.id, each.corr, each.cause, text, each.sender, type(each.body).__name__, encode(each.body)))
    return rows


def envelope_of(row: Row, path: Path | str) -> Envelope:
    """The envelope of a row; raises `StoreError` naming the message when it cannot be read."""
    id_, corr, cause, at, sender, kind, body = row
    try:
        return Envelope(id_, corr, cause, in_shanghai(datetime.fromisoformat(at)), sender, decode(kind, body))
    except (StoreError, ValueError, TypeError) as error:
        raise StoreError(f"journal {path}: message {id_}: {error}") from error


def page_of(kinds: Collection[str], after: int, limit: int) -> tuple[str, tuple[str | int, ...]]:
    """SQL and parameters for the next `limit` rows of these kinds, by id, without a sort."""
    if len(kinds) > _MERGED_KINDS_MAX:
        holes = ", ".join("?" * len(kinds))
        sql = f"{_COLUMNS} WHERE id > ? AND +kind IN ({holes}) ORDER BY id LIMIT {limit}"
        return sql, (after, *kinds)
    walks = " UNION ALL ".join([f"{_COLUMNS} WHERE kind = ? AND id > ?"] * len(kinds))
    parameters = tuple(part for kind in kinds for part in (kind, after))
    return f"{walks} ORDER BY id LIMIT {limit}", parameters
