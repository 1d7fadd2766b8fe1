"""Months that moved into files are read, audited and remembered as if they had stayed."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from qws.errors import InvariantBroken, StoreError
from qws.messages import EquityRecorded, LinkReady, RunFinished
from qws.runtime.message import Envelope, Message
from qws.store import journal_compact
from qws.store.chain import Head, Walk
from qws.store.codec import MESSAGE_TYPES
from qws.store.journal import InlineJournal
from qws.store.journal_archive import Month
from qws.store.journal_compact import compact
from qws.store.journal_copy import walk_journal
from qws.store.views import Projector
from tests.store.samples import a_run, intent, logged
from tests.support.builders import DAY, a_due, an_asset

MONTH = timedelta(days=31)


def three_months() -> list[Envelope]:
    """A run in September, its like in October and in November, with tags of their own; 57 rows."""
    batch: list[Envelope] = []
    for number in range(3):
        for each in a_run():
            far = len(a_run()) * number
            body = intent(f"q{number}a") if each.id == 9 else each.body
            cause = None if each.cause is None else each.cause + far
            batch.append(Envelope(each.id + far, each.corr + far, cause, each.at + MONTH * number, each.sender, body))
    return batch


def written(path: Path, batch: Iterable[Envelope]) -> Head:
    async def body() -> Head:
        journal = await InlineJournal.open(path)
        try:
            await journal.append(list(batch))
            return await journal.head()
        finally:
            await journal.close()

    return asyncio.run(body())


def read(path: Path, kinds: Iterable[str] = MESSAGE_TYPES, after: int = 0) -> tuple[list[Envelope], int]:
    async def body() -> tuple[list[Envelope], int]:
        journal = await InlineJournal.open(path)
        try:
            return [each async for each in journal.read(tuple(kinds), after)], await journal.last_id()
        finally:
            await journal.close()

    return asyncio.run(body())


def walked(path: Path) -> Walk:
    return walk_journal(path, Walk(), keep_on=lambda: None)


def moved(path: Path, before: str) -> list[Month]:
    return compact(path, before, walked(path))


def rows_left(path: Path) -> list[int]:
    with closing(sqlite3.connect(path)) as journal:
        return [id_ for (id_,) in journal.execute("SELECT id FROM message ORDER BY id")]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


def test_closed_months_leave_and_everything_reads_as_before(path: Path) -> None:
    head = written(path, three_months())

    months = moved(path, "2026-11")

    assert [(each.month, each.first_id, each.last_id) for each in months] == [("2026-09", 1, 19), ("2026-10", 20, 38)]
    assert rows_left(path) == list(range(39, 58))
    assert read(path) == (three_months(), 57)
    for kinds in (["FillReceived"], ["FillReceived", "RunFinished", "PlaceOrder"], ["PlanRefused"], []):
        for after in (0, 12, 19, 25, 38, 45, 57):
            expected = [each for each in three_months() if type(each.body).__name__ in kinds and each.id > after]
            assert read(path, kinds, after)[0] == expected
    assert (walked(path).problem, walked(path).rows, walked(path).head) == ("", 57, head)


def test_the_chain_goes_on_over_the_boundary_also_when_nothing_is_left(path: Path) -> None:
    written(path, three_months())
    moved(path, "2027-01")
    assert rows_left(path) == []
    assert read(path)[1] == 57

    late = replace(logged(LinkReady(), start=58)[0], at=a_run()[0].at + MONTH * 5)
    head = written(path, [late])

    assert read(path)[0] == [*three_months(), late]
    assert (walked(path).problem, walked(path).rows, walked(path).head) == ("", 58, head)
    assert moved(path, "2027-01") == []


def test_month_by_month_gives_the_same_files_as_all_at_once(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other" / "journal.sqlite"
    other.parent.mkdir()
    for each in (path, other):
        written(each, three_months())
    at_once = moved(path, "2027-01")

    assert [month for before in ("2026-10", "2026-11", "2026-12") for month in moved(other, before)] == at_once


def test_a_tag_of_an_archived_month_is_never_used_again(path: Path) -> None:
    written(path, three_months())
    moved(path, "2026-11")

    with pytest.raises(InvariantBroken, match=r"intent\.tag"):
        written(path, logged(intent("q0a"), start=58))


def test_read_models_are_rebuilt_from_the_archive_too(path: Path, tmp_path: Path) -> None:
    def rebuilt(name: str) -> list[str]:
        async def body() -> None:
            journal, projector = await InlineJournal.open(path), Projector(tmp_path / name, str)
            await projector.catch_up(journal)
            projector.close()
            await journal.close()

        asyncio.run(body())
        with closing(sqlite3.connect(tmp_path / name)) as views:
            return list(views.iterdump())

    written(path, three_months())
    before = rebuilt("before.sqlite")
    moved(path, "2026-11")

    assert rebuilt("after.sqlite") == before


def test_a_kill_between_the_file_and_the_journal_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    head = written(path, three_months())
    with monkeypatch.context() as patched:
        patched.setattr(journal_compact, "_compare", killed)
        with pytest.raises(KeyboardInterrupt):
            moved(path, "2026-11")
    assert (path.parent / "journal" / "2026-09.parquet").exists()
    assert rows_left(path) == list(range(1, 58))

    assert len(moved(path, "2026-11")) == 2
    assert (walked(path).problem, walked(path).head) == ("", head)


def test_a_file_that_reads_back_otherwise_keeps_the_rows_in_the_journal(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path, three_months())
    with monkeypatch.context() as patched:
        rows = journal_compact.archived_rows_linked
        patched.setattr(
            journal_compact,
            "archived_rows_linked",
            lambda folder, month: ((*row[:6], row[6].replace("40", "41"), row[7]) for row in rows(folder, month)),
        )
        with pytest.raises(StoreError, match="does not read back"):
            moved(path, "2026-11")

    assert rows_left(path) == list(range(1, 58))


def test_a_journal_that_was_altered_is_not_compacted(path: Path) -> None:
    written(path, three_months())
    with closing(sqlite3.connect(path, isolation_level=None)) as journal:
        journal.execute("UPDATE message SET sender = 'x' WHERE id = 30")

    with pytest.raises(StoreError, match=r"row 30 .*nothing is moved"):
        moved(path, "2026-11")
    assert not (path.parent / "journal").exists()


def test_a_clock_that_went_back_overwrites_no_archived_month(path: Path) -> None:
    written(path, three_months())
    moved(path, "2026-11")
    early = [replace(each, id=each.id + 57, at=a_run()[0].at) for each in logged(LinkReady(), LinkReady())]
    written(path, early)

    assert [each.month for each in moved(path, "2027-01")] == ["2026-11"]
    assert read(path)[0] == [*three_months(), *early]
    assert walked(path).problem == ""


def test_a_missing_or_altered_file_is_named(path: Path) -> None:
    written(path, three_months())
    moved(path, "2026-11")
    file = path.parent / "journal" / "2026-09.parquet"
    content = file.read_bytes()

    file.write_bytes(content[:-40] + b"x" + content[-39:])
    assert f"{file}: it is not what was written" in walked(path).problem
    file.unlink()
    assert str(file) in walked(path).problem
    with pytest.raises(StoreError, match=r"2026-09\.parquet.*rows 1 to 19.*put it back from a backup"):
        read(path)
    shutil.copyfile(path.parent / "journal" / "2026-10.parquet", file)
    assert str(file) in walked(path).problem
    file.write_bytes(content)
    assert walked(path).problem == ""


def test_a_close_of_a_month_that_moved_is_still_what_fills_are_counted_from(path: Path) -> None:
    began = a_run()[0].at
    close = EquityRecorded(began.date(), began, "close", "", an_asset("1"), (), None)
    bodies: list[tuple[Message, timedelta]] = [(LinkReady(), timedelta(0)), (close, timedelta(0)), (LinkReady(), MONTH)]
    for number in range(3):
        due = a_due(day=DAY + timedelta(days=number))
        bodies += [(due, MONTH * 2), (RunFinished.without_trades(due, "completed", "", "", began), MONTH * 2)]
    batch = [Envelope(id_, id_, None, began + late, "t", body) for id_, (body, late) in enumerate(bodies, 1)]
    written(path, batch)

    async def horizon() -> int:
        journal = await InlineJournal.open(path)
        try:
            return await journal.horizon(2)
        finally:
            await journal.close()

    assert asyncio.run(horizon()) == 2
    assert len(moved(path, "2026-11")) == 2
    assert asyncio.run(horizon()) == 2
