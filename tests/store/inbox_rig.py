"""Short words for tests of the inbox folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from qws.domain.drops import Claimed, Drop
from qws.runtime.clock import SHANGHAI
from qws.store.inbox import InboxFolder

AT = datetime(2026, 11, 23, 9, 25, tzinfo=SHANGHAI)
BYTES_MAX = 1000


def scanned(inbox: InboxFolder) -> dict[str, Drop]:
    drops = inbox.scan()
    assert drops is not None
    return {drop.name: drop for drop in drops}


def claimed(inbox: InboxFolder, name: str) -> Claimed:
    taken = inbox.claim(scanned(inbox)[name], AT)
    assert taken is not None
    return taken


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8-sig") for path in folder.iterdir() if path.is_file()}


@contextmanager
def held_open(path: Path, mode: str) -> Iterator[None]:
    """Another process has the file open."""
    program = f"import sys; f = open({str(path)!r}, {mode!r}); print('open', flush=True); sys.stdin.read()"
    other = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with other:
        assert other.stdout is not None
        other.stdout.readline()
        yield
        other.communicate()


class Refusing:
    """A rename that fails as Windows fails while somebody holds the file, so many times."""

    def __init__(self, times: int, winerror: int = 32) -> None:
        self.times, self.winerror = times, winerror

    def __call__(self, source: Path, target: Path) -> None:
        if self.times:
            self.times -= 1
            error = PermissionError(13, "The process cannot access the file because it is being used")
            error.winerror = self.winerror  # type: ignore[attr-defined, unused-ignore]
            raise error
        os.replace(source, target)  # noqa: PTH105
