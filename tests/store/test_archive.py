"""The archives: what is written is read back exactly, once, and survives a crash and a spreadsheet."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.errors import StoreError
from qws.store.archive import EquityRow, MirrorStale, append_equity, read_equity, read_target, write_target
from qws.store.parquet_file import replace_file

SHANGHAI = ZoneInfo("Asia/Shanghai")
DAY = date(2026, 3, 2)
ACCEPTED = datetime(2026, 3, 2, 9, 15, 0, 123456, tzinfo=SHANGHAI)

moments = st.integers(0, 4_000_000_000_000_000).map(
    lambda micros: datetime(1970, 1, 1, 8, tzinfo=SHANGHAI) + timedelta(microseconds=micros)
)
money = st.decimals(min_value=-(10**15), max_value=10**15, places=4)
weights = st.lists(
    st.tuples(st.text("0123456789.SHZBJ", min_size=1), st.decimals(0, 1, allow_nan=False, allow_infinity=False))
)


def a_target(folder: Path, **changes: object) -> Path:
    facts: dict[str, object] = {
        "day": DAY,
        "target_id": "t1",
        "sha256": "ab" * 32,
        "file_name": "权重 3月.csv",
        "accepted_at": ACCEPTED,
        "weights": (("600000.SH", Decimal("0.10")), ("000001.SZ", Decimal("0.25"))),
    }
    return write_target(folder, **{**facts, **changes})  # type: ignore[arg-type]


def a_close(day: date = DAY, total: str = "1000000.00", **changes: object) -> EquityRow:
    at = datetime(day.year, day.month, day.day, 15, 5, tzinfo=SHANGHAI)
    row = EquityRow(day, at, "close", None, Decimal(total), Decimal("10.5"), Decimal(0), Decimal("999989.5"), None)
    return replace(row, **changes)  # type: ignore[arg-type]


def a_run(run_id: str, total: str = "1000000.00") -> EquityRow:
    return a_close(total=total, kind="run", run_id=run_id)


@given(weights=weights, accepted_at=moments, file_name=st.text())
@settings(max_examples=60, deadline=None)
def test_a_target_is_read_back_digit_for_digit(
    weights: list[tuple[str, Decimal]], accepted_at: datetime, file_name: str
) -> None:
    with TemporaryDirectory() as folder:
        path = a_target(Path(folder), weights=weights, accepted_at=accepted_at, file_name=file_name)

        target = read_target(path)

    assert [(code, str(weight)) for code, weight in target.weights] == [(code, str(w)) for code, w in weights]
    assert (target.day, target.target_id, target.sha256) == (DAY, "t1", "ab" * 32)
    assert (target.file_name, target.accepted_at) == (file_name, accepted_at)


def test_a_target_lies_under_its_year_and_names_day_and_id(tmp_path: Path) -> None:
    assert a_target(tmp_path) == tmp_path / "2026" / "2026-03-02-t1.parquet"


def test_the_same_target_gives_the_same_bytes(tmp_path: Path) -> None:
    one, other = a_target(tmp_path / "one"), a_target(tmp_path / "other")

    assert one.read_bytes() == other.read_bytes()


def test_a_parquet_reader_finds_numbers_times_and_the_hash(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.ParquetFile(pa.BufferReader(a_target(tmp_path).read_bytes())).read()

    assert table.column_names == [
        "date", "stock_code", "weight", "weight_exact", "sha256", "file_name", "accepted_at",
    ]  # fmt: skip
    assert table.column("weight").to_pylist() == [Decimal("0.1"), Decimal("0.25")]
    assert table.column("date").to_pylist() == [DAY, DAY]
    assert table.column("accepted_at").cast("int64").to_pylist()[0] == round(ACCEPTED.timestamp() * 1_000_000)
    assert table.schema.metadata[b"qws.sha256"] == b"ab" * 32


def test_writing_a_target_again_changes_nothing_and_another_content_is_refused(tmp_path: Path) -> None:
    path = a_target(tmp_path)
    before = path.read_bytes()

    assert a_target(tmp_path) == path
    with pytest.raises(StoreError, match="never rewritten"):
        a_target(tmp_path, weights=[("600000.SH", Decimal("0.11"))])

    assert path.read_bytes() == before


@pytest.mark.parametrize("target_id", ["", "../t1", "a/b", "a\\b", "a:b", "目标"])
def test_an_id_that_cannot_name_a_file_is_refused(tmp_path: Path, target_id: str) -> None:
    with pytest.raises(ValueError, match="target id"):
        a_target(tmp_path, target_id=target_id)


@pytest.mark.parametrize("weight", ["NaN", "Infinity"])
def test_a_weight_that_is_no_number_is_refused_by_code(tmp_path: Path, weight: str) -> None:
    with pytest.raises(ValueError, match=r"600000\.SH"):
        a_target(tmp_path, weights=[("600000.SH", Decimal(weight))])


def test_a_time_without_zone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no zone"):
        a_target(tmp_path, accepted_at=ACCEPTED.replace(tzinfo=None))


def test_a_temporary_file_left_by_a_crash_is_ignored(tmp_path: Path) -> None:
    append_equity(tmp_path, a_close())
    for name in ("2026.parquet.tmp", "2025.parquet.tmp", "equity.csv.tmp"):
        (tmp_path / name).write_bytes(b"half a file")

    assert append_equity(tmp_path, a_run("r1"))

    assert read_equity(tmp_path) == [a_close(), a_run("r1")]
    assert not (tmp_path / "2026.parquet.tmp").exists()


@given(money=st.tuples(money, money, money, money, st.none() | money), at=moments, run_id=st.text(min_size=1))
@settings(max_examples=60, deadline=None)
def test_an_equity_row_is_read_back_exactly_from_both_copies(
    money: tuple[Decimal, Decimal, Decimal, Decimal, Decimal | None], at: datetime, run_id: str
) -> None:
    row = EquityRow(at.date(), at, "run", run_id, *money)
    with TemporaryDirectory() as name:
        folder = Path(name)

        assert append_equity(folder, row)

        assert read_equity(folder) == [row]
        (folder / "equity.csv").unlink()
        assert read_equity(folder) == [row]


def test_a_day_closes_once_and_a_run_is_recorded_once(tmp_path: Path) -> None:
    assert append_equity(tmp_path, a_close())
    assert append_equity(tmp_path, a_run("r1"))
    assert append_equity(tmp_path, a_run("r2"))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert not append_equity(tmp_path, a_close(total="2000000.00"))
    assert not append_equity(tmp_path, a_run("r1", total="2000000.00"))

    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert {row.total_asset for row in read_equity(tmp_path)} == {Decimal(1_000_000)}


@given(days=st.lists(st.dates(date(2024, 12, 1), date(2026, 2, 1)), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_closes_in_any_order_give_one_row_a_day_sorted_in_a_file_a_year(days: list[date]) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)

        new = [append_equity(folder, a_close(day)) for day in days]

        assert sum(new) == len(set(days))
        assert [row.day for row in read_equity(folder)] == sorted(set(days))
        assert {path.stem for path in folder.glob("*.parquet")} == {str(day.year) for day in days}


def test_the_mirror_opens_in_a_spreadsheet_and_holds_no_formula(tmp_path: Path) -> None:
    for run_id in ("=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'quoted"):
        append_equity(tmp_path, a_run(run_id))

    content = (tmp_path / "equity.csv").read_bytes()
    lines = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert content.startswith(b"\xef\xbb\xbf")
    assert all(line["run_id"].startswith("'") for line in lines)
    assert {row.run_id for row in read_equity(tmp_path)} == {"=1+1", "+1", "-1", "@SUM(A1)", "\tx", "'quoted"}
    assert lines[0]["total_asset"] == "1000000.00"


@pytest.mark.parametrize(
    "spoilt",
    [b"", b"\xd6\xd0\xb9\xfa", b"day,at\n2026/3/2,15:05\n", b"PK\x03\x04"],
)
def test_a_mirror_spoilt_by_a_spreadsheet_is_not_believed_and_is_repaired(tmp_path: Path, spoilt: bytes) -> None:
    append_equity(tmp_path, a_close())
    good = (tmp_path / "equity.csv").read_bytes()
    (tmp_path / "equity.csv").write_bytes(spoilt)

    assert read_equity(tmp_path) == [a_close()]
    assert not append_equity(tmp_path, a_close())

    assert (tmp_path / "equity.csv").read_bytes() == good


def test_dates_reformatted_by_a_spreadsheet_send_the_reader_to_parquet(tmp_path: Path) -> None:
    append_equity(tmp_path, a_close())
    text = (tmp_path / "equity.csv").read_text(encoding="utf-8-sig")
    (tmp_path / "equity.csv").write_text(text.replace("2026-03-02,", "2026/3/2,"), encoding="utf-8-sig")

    assert read_equity(tmp_path) == [a_close()]


def test_a_mirror_that_cannot_be_written_does_not_lose_the_row(tmp_path: Path) -> None:
    (tmp_path / "equity.csv").mkdir()

    with pytest.raises(MirrorStale, match="close the program"):
        append_equity(tmp_path, a_close())

    assert read_equity(tmp_path) == [a_close()]
    (tmp_path / "equity.csv").rmdir()
    assert not append_equity(tmp_path, a_close())
    assert (tmp_path / "equity.csv").is_file()


def test_an_empty_folder_has_no_rows(tmp_path: Path) -> None:
    assert read_equity(tmp_path / "equity") == []


@pytest.mark.parametrize("value", ["0." + "1" * 19, "1E+30", "NaN", "Infinity"])
def test_money_that_parquet_cannot_hold_exactly_is_refused_and_nothing_is_written(tmp_path: Path, value: str) -> None:
    with pytest.raises(ValueError, match="cash"):
        append_equity(tmp_path, a_close(cash=Decimal(value)))

    assert read_equity(tmp_path) == []


@pytest.mark.parametrize(("kind", "run_id"), [("close", "r1"), ("run", None), ("run", ""), ("other", None)])
def test_a_row_without_identity_cannot_be_made(kind: str, run_id: str | None) -> None:
    with pytest.raises(ValueError, match="equity row of kind"):
        a_close(kind=kind, run_id=run_id)


def test_times_are_stored_as_instants_and_read_in_shanghai(tmp_path: Path) -> None:
    append_equity(tmp_path, a_close(at=datetime(2026, 3, 2, 7, 5, tzinfo=UTC)))

    (row,) = read_equity(tmp_path)
    assert row.at.utcoffset() == timedelta(hours=8)
    assert row.at.hour == 15


def test_a_rename_that_windows_refuses_for_a_moment_is_tried_again(tmp_path: Path) -> None:
    source, destination, pauses, refusals = tmp_path / "a.tmp", tmp_path / "a", list[float](), [True, True]
    source.write_bytes(b"new")

    def rename(one: Path, other: Path) -> None:
        if refusals:
            refusals.pop()
            raise PermissionError(13, "held by another program")
        one.replace(other)

    replace_file(source, destination, rename=rename, pause=pauses.append)

    assert destination.read_bytes() == b"new"
    assert len(pauses) == 2


def test_a_rename_that_is_always_refused_ends_within_three_seconds_of_pauses(tmp_path: Path) -> None:
    pauses: list[float] = []

    def rename(one: Path, other: Path) -> None:
        raise PermissionError(13, "held by another program")

    with pytest.raises(PermissionError):
        replace_file(tmp_path / "a.tmp", tmp_path / "a", rename=rename, pause=pauses.append)

    assert 1 < sum(pauses) < 3


def test_importing_the_archive_and_reading_equity_does_not_import_pyarrow(tmp_path: Path) -> None:
    append_equity(tmp_path, a_close())
    script = (
        "import sys; from pathlib import Path; from qws.store.archive import read_equity;"
        "rows = read_equity(Path(sys.argv[1]));"
        "print(len(rows), 'pyarrow' in sys.modules, 'pandas' in sys.modules)"
    )

    answer = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, check=True, encoding="utf-8"
    )

    assert answer.stdout.split() == ["1", "False", "False"]
