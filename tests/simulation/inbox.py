"""The inbox folder in memory: people write into it, and it can be held, unreachable or cut by a power loss."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import anyio

from qws.domain.drops import Claimed, Drop, Look, is_cut, name_refusal
from qws.domain.targets import Refusal
from qws.store.inbox import InboxFolder
from tests.simulation.weather import Weather


@dataclass(frozen=True)
class _File:
    name: str
    content: bytes
    look: Look
    whole: bool


class Folder:
    """The folder itself, which outlives every process: what lies where."""

    def __init__(self) -> None:
        self.dropped: dict[str, _File] = {}
        self.claimed: dict[str, _File] = {}
        self.accepted: list[str] = []
        self.rejected: list[str] = []
        self.taken: dict[str, str] = {}  # the hash of every file that was claimed, by its path then
        self.being_written: set[str] = set()
        self.changed: anyio.Event | None = None
        self.news: set[str] = set()
        self._serial = 0

    def put(self, name: str, content: bytes, now: datetime, *, whole: bool) -> None:
        """Somebody writes a file: as a whole, by renaming it, or in place, when more of it may follow."""
        self._serial += 1
        there = self.dropped.get(name)
        inode = there.look.inode if there is not None and not whole else self._serial
        stamp = int(now.timestamp() * 1e9) + self._serial
        self.dropped[name] = _File(name, content, Look(len(content), stamp, stamp, inode), whole)
        self.news |= {name} if whole else set()
        (self.being_written.discard if whole else self.being_written.add)(name)
        if self.changed is not None:
            self.changed.set()

    def undo_claims(self, known: Collection[str]) -> int:
        """The power went before the disk had the renames of claims that nobody knows of: they are undone; how many."""
        lost = [path for path in self.claimed if path not in known]
        for path in lost:
            file = self.claimed.pop(path)
            self.dropped[file.name] = file
            del self.taken[path]
        return len(lost)

    def finish(self, name: str) -> None:
        """Whoever wrote the file has closed it."""
        self.being_written.discard(name)


class FolderPort(InboxFolder):
    """The folder as one life sees it. Every call comes through the life's offload."""

    def __init__(self, folder: Folder, weather: Weather) -> None:
        super().__init__(Path("inbox"), 2 * 1024 * 1024)
        self._folder, self._weather = folder, weather

    def prepare(self) -> None:
        """It is there."""

    def scan(self) -> list[Drop] | None:
        """Every entry, or None while the share is away."""
        if self._weather.strikes("inbox_unreachable"):
            return None
        files = self._folder.dropped.values()
        return [Drop(file.name, file.look, file.whole, _refusal(file.name)) for file in files]

    def is_cut(self, drop: Drop) -> bool:
        """Whether it ends within a line."""
        file = self._folder.dropped.get(drop.name)
        return file is not None and is_cut(file.content)

    def claim(self, drop: Drop, at: datetime) -> Claimed | None:
        """Take a file, unless somebody writes or holds it."""
        file = self._folder.dropped.get(drop.name)
        if file is None or file.look != drop.look or drop.name in self._folder.being_written:
            return None
        if self._weather.strikes("file_held"):
            return None
        path = f"{at:%Y%m%dT%H%M%S%f}-{len(self._folder.taken):06}-{drop.name}"
        self._folder.claimed[path] = self._folder.dropped.pop(drop.name)
        self._folder.taken[path] = sha256(file.content).hexdigest()
        return _claimed(path, file)

    def leftovers(self) -> list[Claimed]:
        """What an earlier life claimed and did not file away."""
        return [_claimed(path, file) for path, file in sorted(self._folder.claimed.items())]

    def read(self, path: str, sha256: str) -> bytes | Refusal:
        """The bytes of a claimed file."""
        del sha256
        return self._folder.claimed[path].content

    def accept(self, path: str, name: str) -> None:
        """File it away; raises OSError while somebody holds it."""
        self._move(path, name, self._folder.accepted)

    def reject(self, path: str, name: str, reason: str) -> None:
        """File it away with its reason; raises OSError while somebody holds it."""
        del reason
        if path:
            self._move(path, name, self._folder.rejected)
        else:
            self._folder.rejected.append(name)

    def _move(self, path: str, name: str, shelf: list[str]) -> None:
        if path in self._folder.claimed:
            if self._weather.strikes("filing_refused"):
                raise PermissionError(13, "the file is open in another program")
            del self._folder.claimed[path]
            shelf.append(name)


class Hinting:
    """The folder's change events, of which some get lost."""

    def __init__(self, folder: Folder, weather: Weather) -> None:
        self._folder, self._weather = folder, weather

    async def __call__(self) -> AsyncIterator[Collection[str]]:
        """At each change, the names that were renamed into the folder."""
        while True:
            self._folder.changed, self._folder.news = anyio.Event(), set()
            await self._folder.changed.wait()
            if not self._weather.strikes("hint_lost"):
                yield frozenset(self._folder.news)


def _refusal(name: str) -> Refusal | None:
    if not name.endswith(".csv"):
        return Refusal("unsupported_file", "only .csv, .xlsx and .xls files are read; save the file as one of them")
    return name_refusal(name)


def _claimed(path: str, file: _File) -> Claimed:
    return Claimed(file.name, path, sha256(file.content).hexdigest(), len(file.content))
