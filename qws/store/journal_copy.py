"""A journal's snapshot in a file of its own, row by row and byte for byte, hashes included; and walks along a file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from qws.errors import StoreError
from qws.store.chain import Linked, Walk
from qws.store.journal_archive import Month, archive_problem, archived_rows_linked, archives_of
from qws.store.journal_file import APPLICATION, INSERT, SCHEMA, WHOLE_PAGE, JournalFile, explained

_LOWEST_ID = -(2**63)
_MONTHS = "SELECT month, first_id, last_id, hash, sha256 FROM archive ORDER BY first_id"


def begin_copy(path: Path) -> None:
    """Make an empty journal; what a kill left there is overwritten. Raises `StoreError`."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    with explained(path):
        JournalFile(str(path)).close()


def write_copied(
    path: Path,
    *,
    rows: Sequence[Linked] = (),
    months: Iterable[Month] = (),
    intents: Iterable[tuple[str, int]] = (),
) -> None:
    """Add rows as they are; blocks. Nothing is flushed: a copy that a power cut spoils was not finished."""
    with explained(path), closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")
        copy.execute("BEGIN IMMEDIATE")
        copy.executemany(INSERT, rows)
        copy.executemany("INSERT INTO archive VALUES (?, ?, ?, ?, ?)", months)
        copy.executemany("INSERT INTO intent VALUES (?, ?)", intents)
        copy.execute("COMMIT")


def walk_journal(path: Path, walk: Walk, *, archives: Path | None = None, keep_on: Callable[[], None]) -> Walk:
    """Follow the chain of a journal that no other process has open, through its archived months into its rows; blocks.

    Raises `StoreError` when the file is no journal of this version; what was altered is the walk's `problem`.
    """
    with _read_only(path) as journal:
        folder = archives or archives_of(path)
        for month in map(Month._make, journal.execute(_MONTHS).fetchall()):
            keep_on()
            walk.problem = walk.problem or archive_problem(folder, month)
            if walk.problem or not walk.take(archived_rows_linked(folder, month)):
                return walk
        for page in _pages(journal):
            keep_on()
            if not walk.take(page):
                return walk
    walk.end()
    return walk


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    with explained(path), closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.text_factory = _text
        (version,), (application,) = (
            journal.execute(f"PRAGMA {name}").fetchone() for name in ("user_version", "application_id")
        )
        if application != APPLICATION:
            raise StoreError(f"{path} is not a journal; choose another file")
        if version > SCHEMA:
            text = f"journal {path} has schema {version}, this program knows {SCHEMA}; install the newer program"
            raise StoreError(text)
        if version < SCHEMA:
            raise StoreError(f"journal {path} has schema {version}, without a chain; start `qws run` once to renew it")
        yield journal


def _pages(journal: sqlite3.Connection) -> Iterator[list[tuple[object, ...]]]:
    after = _LOWEST_ID  # a row that somebody put in front of all others is found too
    while page := journal.execute(WHOLE_PAGE, (after,)).fetchall():
        yield page
        after = page[-1][0]


def _text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")
