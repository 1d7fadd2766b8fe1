"""A halt that waits for the next start, kept beside the read models: they may be damaged or gone by then."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path

from qws.domain.trading_state import STATE_OF
from qws.store.parquet_file import write_atomically
from qws.store.reading import Views, ask


def leave_mark(mark: Path, by: str) -> None:
    """Remember that this person ordered a halt that no daemon has taken; on a full disk the stored row must do."""
    with suppress(OSError):
        write_atomically(mark, by.encode())


def remove_mark(mark: Path) -> None:
    """The order was taken, or a later one ends it; a mark that somebody holds halts once more, which is safe."""
    with suppress(OSError):
        mark.unlink(missing_ok=True)


def follow_mark(mark: Path, views: Path, at: datetime) -> None:
    """Order the halt again when the read models have lost it: before the daemon reads orders. Raises StoreError."""
    try:
        by = mark.read_bytes().decode(errors="replace")
    except FileNotFoundError:
        return
    except OSError:  # it is there, and somebody holds it
        by = ""
    if not any(row["command"] in STATE_OF for row in Views(views).waiting()):
        ask(views, "halt", "", by or "stored", at)
    remove_mark(mark)
