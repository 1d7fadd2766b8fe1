"""`python -m tests.crashes.doomed HOME POSITION MOMENT KIND`: a daemon that dies when its journal reaches a row.

`POSITION` counts the rows that this life writes, or with a KIND those of one message type; `MOMENT` is `before` or
`after` the commit that holds the row.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from qws import daemon
from qws.cli import cli
from qws.home import Home
from qws.runtime.message import Envelope
from qws.store.journal import SqliteJournal
from tests.acceptance.living import Daemon

ROOT = Path(__file__).parents[2]
POSITIONS_MAX = 60  # a life with one file writes about as many rows
MODULE = "tests.crashes.doomed"
Place = tuple[int, str]
NEVER: Place = (0, "after")
PLACES: tuple[Place, ...] = tuple(
    (row, moment) for row in range(1, POSITIONS_MAX + 1) for moment in ("before", "after")
)
KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


class Doomed(Daemon):
    """A `qws run`, or another module's, that ends itself there, as if the power went."""

    def __init__(self, home: Home, place: Place, kind: str, module: str, environment: Mapping[str, str] | None) -> None:
        self.home = home
        position, moment = place
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, str(home.root), str(position), moment, kind],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", cwd=ROOT,
            env=environment,
        )  # fmt: skip


@contextmanager
def doomed(
    home: Home, place: Place, kind: str = "", module: str = MODULE, environment: Mapping[str, str] | None = None
) -> Iterator[Doomed]:
    """A doomed daemon that does not outlive its block."""
    process = Doomed(home, place, kind, module, environment)
    try:
        yield process
    finally:
        if process.process.poll() is None:
            process.process.kill()
        process.process.communicate()


def _journal_that_ends_at(position: int, moment: str, kind: str) -> type[SqliteJournal]:
    class Ending(SqliteJournal):
        written = 0

        async def append(self, batch: Sequence[Envelope]) -> None:
            rows = sum(kind in ("", type(each.body).__name__) for each in batch)
            is_there = self.written < position <= self.written + rows
            self.written += rows
            if is_there and moment == "before":
                os.kill(os.getpid(), KILL)
            await super().append(batch)
            if is_there:
                os.kill(os.getpid(), KILL)

    return Ending


def main() -> None:
    """Run the daemon of a home until it dies."""
    home, position, moment, kind = sys.argv[1:]
    vars(daemon)["SqliteJournal"] = _journal_that_ends_at(int(position), moment, kind)
    cli.main(["run", "--home", home, "--quiet"])


if __name__ == "__main__":
    main()
