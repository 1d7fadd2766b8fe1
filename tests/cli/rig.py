"""A real home, commands as a person calls them, and a process that holds the home's lock."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from click.testing import CliRunner

from qws.cli import cli
from qws.errors import QwsError
from qws.home import Home
from qws.runtime.clock import SystemClock
from qws.runtime.message import Envelope
from qws.store.views import ActorRow, DaemonRow, Projector
from qws.text import describe
from tests.acceptance.processes import until

ROOT = Path(__file__).parents[2]

HOLDER = """
import sys
from pathlib import Path
from qws.store.lock import HomeLock
with HomeLock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> object:
        """The one JSON value on stdout."""
        return json.loads(self.out)


def call(home: Home, *words: str) -> Answer:
    """Call a command on a home; what the program itself refuses has its exit code and text, as `main` shows them."""
    result = CliRunner().invoke(cli, [*words, "--home", str(home.root)])
    if isinstance(result.exception, QwsError):
        return Answer(result.exception.exit_code, result.stdout, str(result.exception))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout, result.stderr)


def as_json(home: Home, *words: str) -> object:
    """The JSON answer of a command that succeeds."""
    answer = call(home, *words, "--json")
    assert (answer.code, answer.err) == (0, "")
    return answer.json


def fill(home: Home, batch: Sequence[Envelope]) -> None:
    """Write the read models as the daemon does."""
    projector = Projector(home.views, describe)
    projector.apply(batch)
    projector.flush()
    projector.close()


def beat(home: Home, *, pid: int, state: str = "running", silent_s: float = 0.0) -> datetime:
    """Write the heartbeat of a daemon that has been silent since; its start is given back."""
    now = SystemClock().now() - timedelta(seconds=silent_s)
    started = now - timedelta(hours=1)
    projector = Projector(home.views, describe)
    projector.write_daemon(DaemonRow(state, pid, started, now, "0.1.0", "paper"))
    projector.write_actors([ActorRow("planner", "ready", 2, 17)])
    projector.close()
    return started


@contextmanager
def held(home: Home) -> Iterator[int]:
    """Another process holds the lock inside; its number."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home.lock)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    try:
        yield child.pid
    finally:
        child.communicate("")


def eventually(is_so: Callable[[], bool]) -> None:
    """Look again and again; fails when it is not so within 30 s."""
    until(is_so, "what was to come")


def now() -> datetime:
    """By the clock of the commands; asked for in each test, as the tests may run over midnight."""
    return SystemClock().now()


def today() -> date:
    """The day of `now`."""
    return now().date()
