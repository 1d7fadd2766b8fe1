"""The inbox folder: what lies there, taking it out atomically, filing it away. RELIABILITY.md 1.5 and 3.D."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from qws.domain.drops import READ_SUFFIXES, Claimed, Drop, Look, is_cut, is_ignored, name_refusal, renamed_here
from qws.domain.targets import Refusal
from qws.sentences import localised
from qws.store.lease import is_being_written
from qws.store.parquet_file import replace_file, write_atomically

_CLAIM_PREFIX = re.compile(r"\d{8}T\d{12}-\d+-")
_SYMLINK = Refusal("symlink", "this is a link and links are never followed; put the file itself here")
_NOT_A_FILE = Refusal("not_a_file", "this is a folder or a device, not a file; put the file itself here")
_UNSUPPORTED = Refusal("unsupported_file", "only .csv, .xlsx and .xls files are read; save the file as one of them")
_TAIL_BYTES = 256
_DEBOUNCE_MS, _STEP_MS = 50, 15  # a shorter step finds changes sooner and costs more of an idle CPU
_CHANGED = Refusal(
    "changed_while_read", "the file changed while it was being read; write it as .tmp first, then rename it"
)


class InboxFolder:
    """`root` with `accepted`, `rejected`, `results` and `.claimed` in it; all on one disk, so every move is a rename.

    Of a file only the first `bytes_max` + 1 bytes are ever read. Nothing is followed, neither links nor names.
    """

    def __init__(self, root: Path, bytes_max: int, *, rename: Callable[[Path, Path], None] = os.replace) -> None:
        self._root, self._bytes_max, self._rename = root, bytes_max, rename
        self._accepted, self._rejected, self._claimed = root / "accepted", root / "rejected", root / ".claimed"
        self._claims = count(1)

    def prepare(self) -> None:
        """Make the folders. Raises `OSError` where that is impossible."""
        for folder in (self._accepted, self._rejected, self._root / "results", self._claimed):
            folder.mkdir(parents=True, exist_ok=True)

    def scan(self) -> list[Drop] | None:
        """Every entry that deserves an answer, or None while the folder cannot be reached."""
        try:
            with os.scandir(self._root) as entries:
                names = [entry.name for entry in entries if not is_ignored(entry.name)]
        except OSError:
            return None
        return [drop for name in names if (drop := self._drop(name)) is not None]

    def look(self, path: Path) -> Look | None:
        """Size, times and identity of what lies there, links not followed; None when it is gone."""
        try:
            found = path.lstat()
        except OSError:
            return None
        return _look(found)

    def is_cut(self, drop: Drop) -> bool:
        """Whether a text file ends within a line, so that more of it may come; true where that cannot be seen."""
        path = self._root / drop.name
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return False
            with path.open("rb") as file:
                file.seek(max(os.fstat(file.fileno()).st_size - _TAIL_BYTES, 0))
                return is_cut(file.read(_TAIL_BYTES))
        except OSError:
            return True

    def claim(self, drop: Drop, at: datetime) -> Claimed | None:
        """Take the file out of the folder, or None when somebody writes, holds, changed or removed it.

        One that cannot be read stays where it lies. The name that a file gets holds `at` and a number, so that no two
        claims ever share a path.
        """
        source = self._root / drop.name
        target = self._claimed / f"{at:%Y%m%dT%H%M%S%f}-{next(self._claims):06}-{drop.name}"
        if is_being_written(source) or self.look(source) != drop.look:
            return None
        try:
            with source.open("rb") as file:
                file.read(1)  # what can be renamed and not read would be gone without an answer
            self._claimed.mkdir(exist_ok=True)
            self._rename(source, target)
        except OSError:  # Windows: 5, 32 and 33 while a writer, a scanner or Excel holds it
            return None
        taken = self.look(target)
        if taken is not None and (taken.inode, taken.size_bytes, taken.mtime_ns) != (
            drop.look.inode,
            drop.look.size_bytes,
            drop.look.mtime_ns,
        ):
            self._put_back(target, source)
            return None
        return self._hashed(drop.name, target)

    def leftovers(self) -> list[Claimed]:
        """What was claimed in an earlier life and not filed away, in the order of the claims."""
        try:
            paths = sorted(self._claimed.iterdir())
        except OSError:
            return []
        found = (self._hashed(_CLAIM_PREFIX.sub("", path.name, count=1), path) for path in paths)
        return [claimed for claimed in found if claimed is not None]

    def read(self, path: str, sha256: str) -> bytes | Refusal:
        """The bytes of a claimed file, or why they are not the ones that were claimed; never more than `bytes_max`."""
        claimed = self._claimed / Path(path).name
        try:
            size, content = self._head(claimed)
        except OSError as error:
            return Refusal("unreadable_file", f"the file cannot be read ({error.strerror}); drop it again")
        if size > self._bytes_max:
            return Refusal("file_too_large", f"the file has {size} bytes; at most {self._bytes_max} are read")
        return content if hashlib.sha256(content).hexdigest() == sha256 else _CHANGED

    def accept(self, path: str, name: str) -> None:
        """File a claimed file under `accepted`, numbered where taken; again does nothing. Raises OSError."""
        claimed = self._claimed / Path(path).name
        if self.look(claimed) is not None:
            self._accepted.mkdir(exist_ok=True)
            target = next(free for free in _names(self._accepted, name) if self.look(free) is None)
            replace_file(claimed, target, rename=self._rename)

    def reject(self, path: str, name: str, reason: str) -> None:
        """File a claimed file under `rejected`, its reason beside it; again does nothing. Raises OSError.

        With an empty path only the reason is written: the thing stays where it is.
        """
        claimed = self._claimed / Path(path).name if path else None
        if claimed is not None and self.look(claimed) is None:
            return
        self._rejected.mkdir(exist_ok=True)
        text = localised(reason).replace("\n", "\r\n").encode("utf-8-sig")  # Notepad needs both to show Chinese lines
        for target in _names(self._rejected, name):
            beside = target.with_name(f"{target.name}.reason.txt")
            if self.look(target) is None and (self.look(beside) is None or beside.read_bytes() == text):
                break
        write_atomically(beside, text)
        if claimed is not None:
            replace_file(claimed, target, rename=self._rename)

    def _drop(self, name: str) -> Drop | None:
        try:
            found = (self._root / name).lstat()
        except OSError:
            return None
        is_read = name.lower().endswith(READ_SUFFIXES)
        if stat.S_ISREG(found.st_mode):
            refusal = _UNSUPPORTED if not is_read else name_refusal(name)
        elif not is_read:
            return None
        else:
            refusal = _SYMLINK if stat.S_ISLNK(found.st_mode) else _NOT_A_FILE
        # A rename touches ctime only, but within one tick of the kernel's clock both times stay equal.
        whole = sys.platform != "win32" and found.st_ctime_ns > found.st_mtime_ns
        return Drop(name, _look(found), whole, refusal)

    def _put_back(self, claimed: Path, source: Path) -> None:
        """Another file slipped in under the name: it has to wait for itself."""
        if self.look(source) is None:
            replace_file(claimed, source, rename=self._rename)

    def _hashed(self, name: str, path: Path) -> Claimed | None:
        try:
            size, content = self._head(path)
        except OSError:
            return None
        return Claimed(name, str(path), hashlib.sha256(content).hexdigest(), size)

    def _head(self, path: Path) -> tuple[int, bytes]:
        """The size of a regular file and its bytes, one more than `bytes_max` at most. Raises OSError."""
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(0, "not a regular file")
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_size, file.read(self._bytes_max + 1)


def _look(found: os.stat_result) -> Look:
    return Look(found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino)


def _names(folder: Path, name: str) -> Iterator[Path]:
    """`x.csv`, `x.2.csv`, `x.3.csv` and so on."""
    yield folder / name
    stem, dot, suffix = name.rpartition(".")
    yield from (folder / f"{stem or suffix}.{number}{dot and stem and dot + suffix}" for number in count(2))


async def folder_changes(root: Path) -> AsyncIterator[frozenset[str]]:
    """At each change in `root`, the names that took the place of a .tmp or .part there; ends when the folder goes."""
    from watchfiles import Change, awatch

    async for changes in awatch(root, debounce=_DEBOUNCE_MS, step=_STEP_MS, recursive=False, watch_filter=None):
        appeared = {Path(path).name for change, path in changes if change is Change.added}
        gone = {Path(path).name for change, path in changes if change is Change.deleted}
        yield renamed_here(appeared, gone)
        if (Change.deleted, str(root)) in changes:
            return
