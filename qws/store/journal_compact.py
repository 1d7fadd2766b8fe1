"""Old months of a journal become files, each read back and compared before its rows leave the journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, cast

from qws.errors import StoreError
from qws.store.chain import Linked, Walk
from qws.store.journal_archive import Month, archive_problem, archived_rows_linked, archives_of, write_month
from qws.store.journal_file import WHOLE_PAGE, JournalFile, explained

_DELETE = "DELETE FROM message WHERE id BETWEEN ? AND ?"


class Span(NamedTuple):
    """The rows of one month that are still in the journal."""

    month: str
    first_id: int
    last_id: int


def compact(path: Path, before: str, walk: Walk) -> list[Month]:
    """Move every month before `before` (`2026-11`) out of the journal; blocks. Nobody else has the journal open.

    `walk` has followed the whole chain and found it sound. A kill at any moment leaves every row where it was, or in
    its file. Raises `StoreError`; then the rows of that month are still in the journal.
    """
    if walk.problem:
        raise StoreError(f"{path}: {walk.problem}; nothing is moved out of a journal that was altered")
    moved = []
    with explained(path), closing(JournalFile(str(path))) as journal:
        journal.execute("PRAGMA foreign_keys = OFF")  # tags stay for ever, so that none is used twice
        for span in list(_spans(journal, before)):
            month = write_month(archives_of(path), span.month, _rows(journal, span))
            _compare(archives_of(path), journal, span, month)
            journal.execute("BEGIN IMMEDIATE")
            journal.execute("INSERT INTO archive VALUES (?, ?, ?, ?, ?)", month)
            journal.execute(_DELETE, (span.first_id, span.last_id))
            journal.execute("COMMIT")
            moved.append(month)
        if moved:
            journal.execute("VACUUM")
            journal.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return moved


def _spans(journal: sqlite3.Connection, before: str) -> Iterator[Span]:
    """Whole months from the front; a clock that went back leaves a row in the month of those around it."""
    (archived,) = journal.execute("SELECT coalesce(max(month), '') FROM archive").fetchone()
    month, first, last = archived, 0, 0
    for id_, at in journal.execute("SELECT id, substr(at, 1, 7) FROM message ORDER BY id"):
        if at > month:
            if month > archived:
                yield Span(month, first, last)
                first = 0
            if at >= before:
                return
            month = at
        first, last = first or id_, id_
    if month > archived:
        yield Span(month, first, last)


def _rows(journal: sqlite3.Connection, span: Span) -> Iterator[list[Linked]]:
    after = span.first_id - 1
    while after < span.last_id:
        page = cast("list[Linked]", journal.execute(WHOLE_PAGE, (after,)).fetchall())
        after = page[-1][0]
        yield [row for row in page if row[0] <= span.last_id]


def _compare(folder: Path, journal: sqlite3.Connection, span: Span, month: Month) -> None:
    """What the file holds, read from the disk again, is what the journal holds, row for row."""
    if why := archive_problem(folder, month):
        raise StoreError(why)
    ours = (row for page in _rows(journal, span) for row in page)
    for mine, filed in zip(ours, archived_rows_linked(folder, month), strict=True):
        if mine != filed:
            raise StoreError(
                f"{folder}: {span.month} does not read back as it was written, row {mine[0]}; check the disk"
            )
