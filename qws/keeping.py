"""Backups of a home and their return: what is in them, how they are made beside a daemon, what a restored home is."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, suppress
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

from loguru import logger

from qws.config import Config
from qws.errors import QwsError, StoreError
from qws.home import Home
from qws.ports import Clock, Offload
from qws.store.backup import BackupFile, Manifest, read_manifest, require_room, unpack
from qws.store.chain import Walk
from qws.store.halt_mark import leave_mark
from qws.store.journal import InlineJournal, SqliteJournal
from qws.store.journal_copy import walk_journal
from qws.store.parquet_file import replace_file, write_atomically
from qws.store.reading import ask
from qws.store.views import Projector
from qws.text import describe

_JOURNAL = "state/journal.sqlite"
_BOOKS = ("exchange.sqlite", "shadow.sqlite")  # the accounts on paper: there nobody else remembers
_FILED = ("accepted", "rejected", "results")
_MIRROR = "equity.csv"
_RESTORED = "restored.json"  # beside the archived months, so that backups of a restored home know of it
_LOCKED_S = 5.0
_HALF_WRITTEN = ("auto-????-??-??.zip.tmp", "qws-????-??-??-??????.zip.tmp")  # by names that only we give
# Not in a backup: armed.json (a person arms a home), views and equity.csv (made of the rest), logs, waiting files.


class BackupStopped(QwsError):
    """Raised when the process ends before the backup does; nothing of it is left."""


def nothing() -> None:
    """Nobody asks to stop."""


class HomeKeeper:
    """Makes backups of a home while its journal is open; every slow step goes through `offload`."""

    def __init__(
        self, home: Home, config: Config, journal: SqliteJournal | InlineJournal, clock: Clock, offload: Offload
    ) -> None:
        self._home, self._config, self._journal, self._clock, self._offload = home, config, journal, clock, offload
        self._is_stopped: Callable[[], bool] = lambda: False

    def stop_when(self, is_stopped: Callable[[], bool]) -> None:
        """Give up as soon as this is so."""
        self._is_stopped = is_stopped

    async def back_up(self, path: str) -> str:
        """Write a backup to `path`, or an automatic one for "", of which the oldest are removed; says what was written.

        Raises OSError and QwsError.
        """
        now, folder = self._clock.now(), backup_folder(self._home, self._config)
        out = Path(path) if path else folder / f"auto-{now:%Y-%m-%d}.zip"
        work, file = self._home.state / "backup.part", None
        await self._offload(partial(self._make_room, work, folder, out))
        try:
            file = await self._offload(partial(BackupFile, out, self._keep_on))
            # The journal comes last: what else is in the backup, it knows of. An order that the paper account has and
            # the journal lacks would be a stranger's, and an archived target that it lacks could not come again.
            await self._offload(partial(self._add_all_but_the_journal, file, work))
            copy = work / "journal.sqlite"
            head = await self._journal.copy(copy, self._offload, self._keep_on)
            await self._offload(partial(file.add, [(_JOURNAL, copy)]))
            manifest = await self._offload(partial(file.finish, now, version("qws"), head))
        finally:
            try:
                if file is not None:
                    await self._offload(file.discard)
            finally:
                await self._offload(partial(shutil.rmtree, work, ignore_errors=True))
        if not path:
            await self._offload(partial(_prune, folder, self._config.keep.backups))
        return f"{out}: {summary(manifest)}"

    def _make_room(self, work: Path, folder: Path, out: Path) -> None:
        shutil.rmtree(work, ignore_errors=True)
        _remove(path for pattern in _HALF_WRITTEN for path in folder.glob(pattern))
        size = self._home.journal.stat().st_size
        # The copy lies in the state folder first; the backup's own folder, but none above it, may still be missing.
        for place in (self._home.state, out.parent if out.parent.exists() else out.parent.parent):
            require_room(place, size)

    def _add_all_but_the_journal(self, file: BackupFile, work: Path) -> None:
        work.mkdir(parents=True)
        file.add(_copied_books(self._home, work))
        file.add(_members_of(self._home, self._config))

    def _keep_on(self) -> None:
        if self._is_stopped():
            raise BackupStopped("the program was stopped before the backup was complete; nothing of it was kept")


def backup_folder(home: Home, config: Config) -> Path:
    """Where backups go that are given no name."""
    return home.root / config.keep.backup_folder


def summary(manifest: Manifest) -> str:
    """One line about a backup."""
    size = sum(member.size_bytes for member in manifest.members.values())
    return f"{len(manifest.members)} files, {size / 1e6:,.1f} MB, {manifest.journal_head.id:,} messages, read back"


def _members_of(home: Home, config: Config) -> Iterator[tuple[str, Path]]:
    """The files of a home that are copied as they are, by their names in a backup; each is only ever replaced whole."""
    inbox = home.root / config.inbox
    folders = [home.config_folder, home.journal_archive, home.archive, home.equity]
    if inbox.is_relative_to(home.root):
        folders += [inbox / name for name in _FILED]
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".tmp" and path != home.equity / _MIRROR:
                yield path.relative_to(home.root).as_posix(), path


def restore(backup: Path, folder: Path, clock: Clock) -> tuple[Manifest, str]:
    """Make `folder`, which is absent or empty, the home of a backup: not armed, and halted before anything trades.

    Everything is written and checked beside it first. Also tells what is wrong with the journal's chain, "" for
    nothing: then it was altered before the backup. Raises StoreError and OSError; then nothing is left.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StoreError(f"{folder} is not empty: a home is never overwritten; name a new folder")
    part = folder.with_name(f"{folder.name}.part")
    try:
        part.mkdir(parents=True)
    except FileExistsError as error:
        text = f"{part} exists already, a restore that was cut off may have left it; remove it or name another folder"
        raise StoreError(text) from error
    try:
        manifest = unpack(backup, part, nothing)
        home = Home(part)
        for each in (home.inbox, home.state, home.logs):
            each.mkdir(parents=True, exist_ok=True)
        asyncio.run(_build_views(home))
        walk = walk_journal(home.journal, Walk(), keep_on=nothing)
        if not walk.problem and walk.head != manifest.journal_head:
            raise StoreError(f"{backup}: the journal in it ends at {walk.head}, the manifest says {manifest.head}")
        by = f"restore of {backup.name}"
        ask(home.views, "halt", "", by, clock.now())
        leave_mark(home.halt_mark, by)
        _note_restored(home, manifest.journal_head.id, clock)
        if folder.exists():
            folder.rmdir()
        replace_file(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return manifest, walk.problem


async def _build_views(home: Home) -> None:
    journal = await InlineJournal.open(home.journal)
    projector = Projector(home.views, describe)
    try:
        await projector.catch_up(journal)
    finally:
        projector.close()
        await journal.close()


def heads_of(folder: Path, home: Home | None = None) -> dict[int, tuple[bytes, str]]:
    """What the backups in a folder remember of the chain, for `Walk.heads`; one that cannot be read says nothing.

    A restored home wrote nothing of what earlier backups have beyond the one that it was made of.
    """
    heads: dict[int, tuple[bytes, str]] = {}
    branches = _branches(home) if home is not None else []
    for path in sorted(folder.glob("*.zip")):
        with suppress(StoreError):
            manifest = read_manifest(path)
            head, made_at = manifest.journal_head, datetime.fromisoformat(manifest.made_at)
            if not any(head.id > last_id and made_at <= at for last_id, at in branches):
                heads[head.id] = head.hash, str(path)
    heads.pop(0, None)
    return heads


def _branches(home: Home) -> list[tuple[int, datetime]]:
    """Where this home was made of a backup: the last row that it had then, and when; oldest first."""
    path = home.journal_archive / _RESTORED
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [(int(last_id), datetime.fromisoformat(at)) for last_id, at in rows]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise StoreError(f"{path} is spoilt ({error}); put it back from a backup") from error


def _note_restored(home: Home, last_id: int, clock: Clock) -> None:
    rows = [[id_, at.isoformat()] for id_, at in [*_branches(home), (last_id, clock.now())]]
    home.journal_archive.mkdir(exist_ok=True)
    write_atomically(home.journal_archive / _RESTORED, json.dumps(rows).encode("utf-8"))


def _copied_books(home: Home, work: Path) -> list[tuple[str, Path]]:
    """Snapshots of the paper accounts, by SQLite's online backup: their owner goes on writing."""
    copies = []
    for name in _BOOKS:
        original, copy = home.state / name, work / name
        if not original.exists():
            continue
        try:
            address = f"{original.resolve().as_uri()}?mode=ro"
            with (
                closing(sqlite3.connect(address, uri=True, timeout=_LOCKED_S)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        except sqlite3.Error as error:
            raise StoreError(f"{original} cannot be copied: {error}") from error
        copies.append((f"state/{name}", copy))
    return copies


def _prune(folder: Path, kept: int) -> None:
    """Remove the oldest automatic backups beyond `kept`."""
    _remove(sorted(folder.glob("auto-*.zip"))[:-kept])


def _remove(paths: Iterable[Path]) -> None:
    for old in paths:
        try:
            old.unlink()
        except OSError as error:  # Windows: somebody reads it; the next backup tries again
            logger.warning("old backup {} stays: {}", old, error)
