"""Closed months of the journal as Parquet files: every row with its place in the audit chain, readable in ten years."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, cast

from qws.errors import StoreError
from qws.store.chain import Linked, Row
from qws.store.parquet_file import write_atomically

if TYPE_CHECKING:
    import pyarrow as pa

COLUMNS = ("id", "corr", "cause", "at", "sender", "kind", "body", "hash")
_GROUP_ROWS = 2_000  # read at once: a few milliseconds
_CHUNK = 1 << 20


class Month(NamedTuple):
    """One archived month: its rows, the hash of the last of them, the SHA-256 of its file."""

    month: str
    first_id: int
    last_id: int
    hash: bytes
    sha256: str


def archives_of(journal: Path | str) -> Path:
    """Where the archived months of a journal lie."""
    return Path(journal).parent / "journal"


def file_of(folder: Path, month: str) -> Path:
    """The file of a month, `2026-11`."""
    return folder / f"{month}.parquet"


def write_month(folder: Path, month: str, groups: Iterable[Sequence[Linked]]) -> Month:
    """Write the rows of a month, in order, as one file; atomic, and the same rows give the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    types = (pa.int64(), pa.int64(), pa.int64(), *[pa.string()] * 4, pa.binary(32))
    schema = pa.schema(list(zip(COLUMNS, types, strict=True)))
    sink, first, last = pa.BufferOutputStream(), 0, (0, b"")
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for rows in groups:
            columns = [pa.array(cells, kind) for cells, kind in zip(zip(*rows, strict=True), types, strict=True)]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=_GROUP_ROWS)
            first, last = first or rows[0][0], (rows[-1][0], rows[-1][-1])
    content: bytes = sink.getvalue().to_pybytes()
    write_atomically(file_of(folder, month), content)
    return Month(month, first, last[0], last[1], sha256(content).hexdigest())


def archive_problem(folder: Path, month: Month) -> str:
    """Why the file of a month is not the one that was written; empty when it is."""
    path = file_of(folder, month.month)
    try:
        with path.open("rb") as file:
            digest = sha256()
            for chunk in iter(partial(file.read, _CHUNK), b""):
                digest.update(chunk)
    except OSError as error:
        return f"{path}: {error.strerror}; it holds rows {month.first_id} to {month.last_id}, put it back from a backup"
    if digest.hexdigest() != month.sha256:
        return f"{path}: it is not what was written; put it back from a backup"
    return ""


def archived_pages(folder: Path, month: Month, kinds: Collection[str], after: int) -> Iterator[list[Row]]:
    """The rows of these message types above `after`, in order; raises `StoreError` for a missing or spoilt file."""
    for group in _groups(folder, month, kinds):
        yield [row[:-1] for row in group if row[0] > after]


def archived_rows_linked(folder: Path, month: Month) -> Iterator[Linked]:
    """Every row of a month with its hash, in order; raises as `archived_pages` does."""
    for group in _groups(folder, month, ()):
        yield from group


def _groups(folder: Path, month: Month, kinds: Collection[str]) -> Iterator[list[Linked]]:
    """The rows of these kinds, by row groups of a month; all for none."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    path = file_of(folder, month.month)
    try:
        with pq.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                if not kinds or set(kinds).intersection(file.read_row_group(number, ["kind"]).column(0).to_pylist()):
                    rows = file.read_row_group(number, list(COLUMNS))
                    if kinds:  # most rows of a month are of runs that are over, which nobody recalls
                        rows = rows.filter(pc.is_in(rows.column("kind"), pa.array(sorted(kinds))))
                    yield cast("list[Linked]", list(zip(*map(_cells, rows.columns), strict=True)))
    except (pa.ArrowException, OSError) as error:
        text = f"{path}, with rows {month.first_id} to {month.last_id} of the journal, cannot be read"
        raise StoreError(f"{text}: {error}; put it back from a backup") from error


def _cells(column: pa.ChunkedArray) -> list[object]:
    cells: list[object] = column.to_pylist()
    return cells
