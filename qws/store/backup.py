"""A backup: one zip file with a manifest of SHA-256s, written aside, read back, and only then put in its place."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Literal, cast

from qws.errors import StoreError
from qws.store.chain import Head
from qws.store.parquet_file import replace_file

FORMAT = 1
MANIFEST = "manifest.json"
_CHUNK = 1 << 20
_SPARE_BYTES = 50_000_000
_WRITE: Literal["w"] = "w"  # of bytes, as everything in a zip
_PACKED = (".parquet", ".zip", ".xlsx", ".gz")  # packing these again gains nothing
_SPOILT = (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class Member:
    """What a file of a backup must be."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds: when it was made and by which version, the end of the journal's chain (`id:hash`), and every
    member by its path below the home."""

    made_at: str
    program: str
    head: str
    members: Mapping[str, Member]

    @property
    def journal_head(self) -> Head:
        """The number of the last journalled message and its hash."""
        number, _, digest = self.head.partition(":")
        return Head(int(number), bytes.fromhex(digest))


class BackupFile:
    """A backup that is being written beside its place; every call blocks, in whichever thread. Raises OSError.

    `keep_on` is called again and again and may raise.
    """

    def __init__(self, path: Path, keep_on: Callable[[], None]) -> None:
        self._path, self._part, self._keep_on = path, path.with_name(path.name + ".tmp"), keep_on
        self._members: dict[str, Member] = {}
        path.parent.mkdir(exist_ok=True)  # its own folder only: a disk that is not there must not become a folder
        self._file = self._part.open("wb")
        self._archive = zipfile.ZipFile(self._file, "w", zipfile.ZIP_DEFLATED, compresslevel=1)

    def add(self, sources: Iterable[tuple[str, Path]]) -> None:
        """Put files into it, by the names that they have there."""
        for name, source in sources:
            self._members[name] = _packed(self._archive, name, source, self._keep_on)

    def finish(self, made_at: datetime, program: str, head: Head) -> Manifest:
        """Flush it, read it back, and put it in its place. Raises StoreError when it reads otherwise than written."""
        manifest = Manifest(made_at.isoformat(timespec="seconds"), program, str(head), self._members)
        document = {"format": FORMAT, **asdict(manifest)}
        self._archive.writestr(MANIFEST, json.dumps(document, ensure_ascii=False, indent=1).encode("utf-8"))
        self._archive.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if check_backup(self._part, self._keep_on) != manifest:
            raise StoreError(f"{self._part} does not read back as it was written; check the disk")
        replace_file(self._part, self._path)
        return manifest

    def discard(self) -> None:
        """Leave nothing half written behind."""
        if not self._file.closed:
            with suppress(OSError, ValueError):
                self._archive.close()
            with suppress(OSError):  # a full disk refuses the last bytes too; it is closed all the same
                self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)


def require_room(folder: Path, journal_bytes: int) -> None:
    """Raises StoreError when the disk of `folder` has no room for twice the journal and 50 MB; OSError without one."""
    free, needed = shutil.disk_usage(folder).free, 2 * journal_bytes + _SPARE_BYTES
    if free < needed:
        text = f"{folder} has {free / 1e6:,.0f} MB free, a backup needs {needed / 1e6:,.0f} MB"
        raise StoreError(f"{text}; make room, or name a folder on another disk")


def _packed(archive: zipfile.ZipFile, name: str, source: Path, keep_on: Callable[[], None]) -> Member:
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_STORED if source.suffix in _PACKED else zipfile.ZIP_DEFLATED
    digest, size = sha256(), 0
    with source.open("rb") as original, archive.open(entry, _WRITE, force_zip64=True) as copy:
        for chunk in iter(partial(original.read, _CHUNK), b""):
            keep_on()
            copy.write(chunk)
            digest.update(chunk)
            size += len(chunk)
    return Member(digest.hexdigest(), size)


def read_manifest(path: Path) -> Manifest:
    """What a backup says it holds, without looking whether it does. Raises StoreError."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _manifest(path, archive)
    except _SPOILT as error:
        raise StoreError(f"{path} is no backup that can be read: {error}; use another one") from error


def check_backup(path: Path, keep_on: Callable[[], None]) -> Manifest:
    """Read every member and compare it with the manifest. Raises StoreError naming the first that differs."""
    return _read(path, lambda name: None, keep_on)


def unpack(path: Path, folder: Path, keep_on: Callable[[], None]) -> Manifest:
    """Write every member below `folder`, compared on the way. Raises StoreError naming the first that differs."""

    def opened(name: str) -> BinaryIO:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        return target.open("xb")

    return _read(path, opened, keep_on)


def _read(path: Path, opened: Callable[[str], BinaryIO | None], keep_on: Callable[[], None]) -> Manifest:
    try:
        with zipfile.ZipFile(path) as archive:
            manifest, found = _manifest(path, archive), set(archive.namelist()) - {MANIFEST}
            for name in sorted(found.symmetric_difference(manifest.members)):
                where = "is missing in it" if name in manifest.members else "is not in its manifest"
                raise StoreError(f"{path} is spoilt: {name} {where}; use another backup")
            for name, member in manifest.members.items():
                _read_member(path, archive, name, member, opened(name), keep_on)
    except _SPOILT as error:
        raise StoreError(f"{path} is no backup that can be read: {error}; use another one") from error
    return manifest


def _read_member(
    path: Path,
    archive: zipfile.ZipFile,
    name: str,
    member: Member,
    target: BinaryIO | None,
    keep_on: Callable[[], None],
) -> None:
    digest, size = sha256(), 0
    try:
        with archive.open(name) as content:
            for chunk in iter(partial(content.read, _CHUNK), b""):
                keep_on()
                digest.update(chunk)
                size += len(chunk)
                if target is not None:
                    target.write(chunk)
        if target is not None:
            target.flush()
            os.fsync(target.fileno())
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise StoreError(f"{path} is spoilt: {name} cannot be read ({error}); use another backup") from error
    finally:
        if target is not None:
            target.close()
    if (digest.hexdigest(), size) != (member.sha256, member.size_bytes):
        raise StoreError(f"{path} is spoilt: {name} is not what was written; use another backup")


def _manifest(path: Path, archive: zipfile.ZipFile) -> Manifest:
    try:
        document = json.loads(archive.read(MANIFEST))
        version = document.pop("format")
        if version != FORMAT:
            text = f"{path} has format {version}, this program knows {FORMAT}; install the program that wrote it"
            raise StoreError(text)
        members = {name: Member(**member) for name, member in document.pop("members").items()}
        manifest = Manifest(**document, members=members)
        manifest.journal_head  # noqa: B018 - raises ValueError for a head that is none
    except (KeyError, ValueError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise StoreError(f"{path} is no backup of qws, or spoilt: {MANIFEST} cannot be read ({error})") from error
    for name in cast("Iterable[str]", members):
        parts = PurePosixPath(name).parts
        if not parts or name.startswith("/") or ".." in parts or "\\" in name or ":" in name:
            raise StoreError(f"{path}: {name} would lie outside the home; this is no backup of qws")
    return manifest
