"""Whatever is done to a journal's rows behind the program's back, the chain names the first that is not as it was."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.errors import InvariantBroken
from qws.messages import LinkLost, LinkReady
from qws.runtime.message import Envelope
from qws.store.chain import GENESIS, Head, Walk, linked
from qws.store.journal import InlineJournal
from qws.store.journal_copy import walk_journal
from qws.store.journal_file import rows_of
from tests.store.samples import a_run, intent, logged


def nothing() -> None:
    return


def written(path: Path, *batches: list[Envelope]) -> Head:
    async def body() -> Head:
        journal = await InlineJournal.open(path)
        try:
            for batch in batches:
                await journal.append(batch)
            return await journal.head()
        finally:
            await journal.close()

    return asyncio.run(body())


def altered(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        assert journal.executescript(sql)


def walked(path: Path, heads: dict[int, tuple[bytes, str]] | None = None) -> Walk:
    return walk_journal(path, Walk(heads or {}), keep_on=nothing)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_a_journal_as_it_was_written_is_sound_over_batches_and_lives(path: Path) -> None:
    head = written(path, a_run()[:5], a_run()[5:6])
    last = written(path, a_run()[6:])

    walk = walked(path, {head.id: (head.hash, "a note")})

    assert (walk.problem, walk.rows, walk.head) == ("", len(a_run()), last)


def test_one_batch_or_many_give_the_same_chain(tmp_path: Path) -> None:
    at_once = written(tmp_path / "a.sqlite", a_run())

    assert written(tmp_path / "b.sqlite", *([each] for each in a_run())) == at_once
    assert at_once.hash == linked(GENESIS, rows_of(a_run()))[-1][-1]


def test_a_batch_that_failed_leaves_no_trace_in_the_chain(path: Path) -> None:
    async def body() -> None:
        journal = await InlineJournal.open(path)
        await journal.append(logged(intent("q1a")))
        for bad in (logged(LinkReady(), intent("q1a"), start=2), logged(intent("q1a"), start=2)):
            with pytest.raises(InvariantBroken):
                await journal.append(bad)
        await journal.append(logged(LinkReady(), LinkReady(), start=2))
        await journal.close()

    asyncio.run(body())

    assert (walked(path).problem, walked(path).rows) == ("", 3)


COPY = "INSERT INTO message SELECT {}, corr, cause, at, sender, kind, body, hash FROM message WHERE id = 1"
SWAP = """UPDATE message SET id = -1 WHERE id = 7; UPDATE message SET id = 7 WHERE id = 8;
    UPDATE message SET id = 8 WHERE id = -1;"""
SWAP_CONTENT = """CREATE TEMP TABLE kept AS SELECT * FROM message WHERE id IN (7, 8);
    DELETE FROM message WHERE id IN (7, 8);
    INSERT INTO message SELECT 15 - id, corr, cause, at, sender, kind, body, hash FROM kept;"""


@pytest.mark.parametrize(
    ("sql", "first_bad"),
    [
        ("UPDATE message SET body = replace(body, '40', '41') WHERE id = 12", "row 12 (FillReceived"),
        ("UPDATE message SET at = '2026-09-01T09:30:12+08:00' WHERE id = 11", "row 11 ("),
        ("UPDATE message SET sender = 'other' WHERE id = 2", "row 2 (TargetAccepted"),
        ("UPDATE message SET kind = 'PlanReady' WHERE id = 7", "row 7 (PlanReady"),
        ("UPDATE message SET cause = NULL WHERE id = 4", "row 4 (RebalanceDue"),
        ("UPDATE message SET cause = 'None' WHERE id = 1", "row 1 ("),
        ("UPDATE message SET corr = corr + 1 WHERE id = 19", "row 19 ("),
        ("UPDATE message SET hash = zeroblob(32) WHERE id = 5", "row 5 ("),
        ("UPDATE message SET hash = NULL WHERE id = 5", "row 5 ("),
        ("UPDATE message SET body = CAST(x'ff' AS TEXT) WHERE id = 6", "row 6 ("),
        ("UPDATE message SET body = CAST(body AS BLOB) WHERE id = 6", "row 6 ("),
        (
            "DELETE FROM message WHERE id = 12",
            "row 13 (FillReceived, 2026-09-01T09:30:13): row 12 is missing",
        ),
        ("DELETE FROM message WHERE id BETWEEN 3 AND 5", "rows 3 to 5 are missing before it"),
        ("DELETE FROM message WHERE id = 1", "row 1 is missing before it"),
        (SWAP, "row 7 ("),
        (SWAP_CONTENT, "row 7 ("),
        (
            COPY.format(0),
            "row 0 (",
        ),
        (
            COPY.format(-5),
            "row -5",
        ),
        (
            COPY.format(20),
            "row 20 (",
        ),
    ],
)
def test_what_was_altered_removed_moved_or_added_is_named(path: Path, sql: str, first_bad: str) -> None:
    written(path, a_run())
    altered(path, sql)

    assert first_bad in walked(path).problem


@pytest.mark.parametrize("cut", [1, 4])
def test_an_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere(path: Path, cut: int) -> None:
    head = written(path, a_run())
    altered(path, f"DELETE FROM message WHERE id > {head.id - cut}")

    assert walked(path).problem == ""
    assert "missing at the end: a backup has them" in walked(path, {head.id: (head.hash, "a backup")}).problem


def test_a_chain_that_was_made_anew_is_found_by_a_head_kept_elsewhere(path: Path, tmp_path: Path) -> None:
    head = written(path, a_run())
    forged = [LinkLost("forged") if each.id == 9 else each.body for each in a_run()]
    written(tmp_path / "forged.sqlite", logged(*forged))

    assert walked(tmp_path / "forged.sqlite").problem == ""
    assert "a backup has another hash" in walked(tmp_path / "forged.sqlite", {head.id: (head.hash, "a backup")}).problem


ROWS = linked(GENESIS, rows_of(a_run()))


@given(st.permutations(range(len(ROWS))), st.sets(st.integers(0, len(ROWS) - 1)))
def test_any_order_and_any_choice_of_rows_but_a_beginning_is_found(order: list[int], gone: set[int]) -> None:
    kept = [number for number in order if number not in gone]
    is_beginning = kept == list(range(len(kept)))
    walk = Walk()

    walk.take(ROWS[number] for number in kept)

    assert bool(walk.problem) is not is_beginning
    assert walk.rows == next((at for at, number in enumerate(kept) if at != number), len(kept))


@given(st.integers(0, len(ROWS) - 1), st.integers(0, 7), st.integers(0, 400), st.integers(1, 255))
def test_any_changed_byte_of_any_column_is_found(number: int, column: int, place: int, flip: int) -> None:
    row: list[object] = list(ROWS[number])
    match row[column]:
        case bytes() as content:
            spot = place % len(content)
            row[column] = content[:spot] + bytes([content[spot] ^ flip]) + content[spot + 1 :]
        case str() as text:
            spot = place % len(text)
            row[column] = text[:spot] + chr(ord(text[spot]) ^ flip) + text[spot + 1 :]
        case int() as count:
            row[column] = count + flip
        case _:
            row[column] = flip
    changed: Callable[[int], object] = lambda at: tuple(row) if at == number else ROWS[at]  # noqa: E731
    walk = Walk()

    walk.take(changed(at) for at in range(len(ROWS)))  # type: ignore[misc]

    assert walk.problem
    assert walk.rows == number
