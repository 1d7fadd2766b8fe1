"""Atomic files and the Parquet encoding of tables and times; pyarrow is imported only when it is needed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    import pyarrow as pa

SHANGHAI = ZoneInfo("Asia/Shanghai")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

# Windows refuses to replace a file that a scanner or a spreadsheet holds; about 2.5 s in all (RELIABILITY.md 1.5).
RETRY_PAUSES_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)


def pause(seconds: float) -> None:
    """Wait and block: for commands, and for a file that Windows holds for a moment; never on the loop."""
    time.sleep(seconds)


def replace_file(
    source: Path,
    destination: Path,
    *,
    rename: Callable[[Path, Path], None] = os.replace,
    pause: Callable[[float], None] = pause,
) -> None:
    """Rename over `destination`, trying again for about 2.5 s while Windows refuses; raises PermissionError at last."""
    for pause_s in RETRY_PAUSES_S:
        try:
            return rename(source, destination)
        except PermissionError:
            pause(pause_s)
    rename(source, destination)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, flushed to disk first, through a `.tmp` beside it; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    replace_file(temporary, path)


def parquet_bytes(table: pa.Table) -> bytes:
    """Encode a table as a Parquet file: the same table gives the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def read_table(path: Path) -> pa.Table:
    """Read a whole Parquet file; the file is closed again on return."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # From memory: an open handle would block the next replacement on Windows.
    return pq.ParquetFile(pa.BufferReader(path.read_bytes())).read()


def micros_of(at: datetime) -> int:
    """Count the microseconds since 1970 UTC; raises ValueError for a time without zone."""
    if at.tzinfo is None:
        raise ValueError(f"time {at} has no zone: give an aware datetime")
    return (at - EPOCH) // MICROSECOND


def instant_of(micros: int) -> datetime:
    """Turn microseconds since 1970 UTC into a time in Asia/Shanghai."""
    return (EPOCH + micros * MICROSECOND).astimezone(SHANGHAI)


def instants(moments: Iterable[datetime]) -> pa.Array:
    """Build a Parquet column of times, microseconds, zone Asia/Shanghai."""
    import pyarrow as pa

    # Through integers: pyarrow's own zone conversions need a zone database that Windows lacks.
    return pa.array([micros_of(at) for at in moments], pa.int64()).cast(pa.timestamp("us", tz="Asia/Shanghai"))
