"""A journal that cannot be written: a full disk, a file or folder without the right to write."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from qws.home import Home
from tests.acceptance.living import exchange_tags
from tests.crashes.lives import Plant

_ROOM_BYTES = 8_000


def disk_full(plant: Plant) -> None:
    """No file may grow much beyond the logs, so the journal's WAL, anew after an orderly stop, finds no room."""
    if sys.platform == "win32":
        return
    sizes = [path.stat().st_size for path in plant.home.logs.iterdir()]
    plant.files.drop_next()
    plant.refused_life("disk full", partial(_let_files_grow_to, max(sizes) + _ROOM_BYTES), ("disk",))
    plant.files.count_cut()


def read_only(plant: Plant) -> None:
    """Nothing may be ordered by a daemon that cannot write down what it does."""
    if not plant.files.unanswered():
        plant.files.drop_next()
    before = exchange_tags(plant.home)
    with _unwritable(plant.home):
        plant.refused_life("read-only", None, ("writable", "journal.sqlite"))
    after = exchange_tags(plant.home)
    if after != before:
        plant.tally.violations.append(f"read-only: {len(after) - len(before)} orders without a journal")


@contextmanager
def _unwritable(home: Home) -> Iterator[None]:
    """Take away the right to write; who has every right finds a folder where the WAL must be."""
    wal = home.journal.with_name(f"{home.journal.name}-wal")
    if sys.platform == "win32" or os.geteuid() != 0:
        there = [path for path in (home.journal, wal) if path.exists()]
        for path in there:
            path.chmod(0o444)
        yield
        for path in there:
            path.chmod(0o644)
        return
    aside = wal.with_name("aside")
    if wal.exists():
        wal.rename(aside)
    wal.mkdir()
    yield
    wal.rmdir()
    if aside.exists():
        aside.rename(wal)


def _let_files_grow_to(limit_bytes: int) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
