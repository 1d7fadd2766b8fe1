"""A daemon that lives in a process of its own, watched from outside through its files: what a crash leaves behind."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from qws.cli.home import make_home
from qws.domain.orders import OrderStatus
from qws.home import Home
from qws.runtime.clock import SHANGHAI
from qws.store.reading import Views

DEADLINE_S = 40.0
FINAL = ("completed", "incomplete", "superseded", "refused")


def a_home(folder: Path, **changes: str) -> Home:
    """A home as `qws init` makes it; `changes` are lines of qws.toml, by their key."""
    home = make_home(folder)
    text = home.config_file.read_text(encoding="utf-8")
    for key, value in {"language": '"en"', **changes}.items():
        lines = [f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in text.splitlines()]
        assert lines != text.splitlines(), key
        text = "\n".join([*lines, ""])
    home.config_file.write_text(text, encoding="utf-8")
    return home


def drop(home: Home, name: str, weights: dict[str, str]) -> None:
    """Put a finished file into the inbox, good for today and, should midnight pass, for tomorrow."""
    now = datetime.now(SHANGHAI)
    days = (now.date(), now.date() + timedelta(days=1))
    rows = [f"{day},{code},{weight}" for day in days for code, weight in weights.items()]
    drop_bytes(home, name, "\n".join(["date,stock_code,weight", *rows, ""]).encode())


def drop_bytes(home: Home, name: str, content: bytes) -> None:
    """Put bytes into the inbox as the README says is safest: written elsewhere, then renamed."""
    beside = home.inbox / f"{name}.tmp"
    beside.write_bytes(content)
    beside.replace(home.inbox / name)


class Daemon:
    """One `qws run`; every wait has a deadline, and ends early when the process does."""

    def __init__(
        self,
        home: Home,
        before: Callable[[], None] | None = None,
        environment: Mapping[str, str] | None = None,
        program: Sequence[str] = ("-m", "qws"),
    ) -> None:
        self.home = home
        command = [sys.executable, *program, "run", "--home", str(home.root), "--quiet"]
        flags, pipe = 0, subprocess.PIPE
        if sys.platform == "win32":
            flags = subprocess.CREATE_NEW_PROCESS_GROUP  # a break reaches only a group of its own
        self.process = subprocess.Popen(
            command, stdout=pipe, stderr=pipe, encoding="utf-8", preexec_fn=before, creationflags=flags, env=environment
        )

    def until(self, is_so: Callable[[], object], what: str) -> None:
        """Wait until something is so while the daemon lives."""
        end = monotonic() + DEADLINE_S
        while not is_so():
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(0.004)
                if is_so():
                    return
                raise AssertionError(f"it ended with {self.process.returncode} before {what}: {self.log()}")
            assert monotonic() < end, f"never {what}: {self.log()}"

    def until_ready(self) -> None:
        """Wait until the broker's lists have been read."""
        seen = count(self.log(), "broker ready")
        self.until(lambda: count(self.log(), "broker ready") > seen, "ready")

    def until_runs_end(self, number: int = 1) -> list[dict[str, Any]]:
        """Wait until so many runs have their final result in the tables."""
        self.until(lambda: sum(run["status"] in FINAL for run in runs(self.home)) >= number, f"{number} runs ended")
        return runs(self.home)

    def until_results(self, number: int = 1) -> list[dict[str, Any]]:
        """Wait until so many results lie beside their files."""
        results = self.home.inbox / "results"
        self.until(lambda: len(list(results.glob("*.result.json"))) >= number, f"{number} results were written")
        return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(results.glob("*.result.json"))]

    def log(self) -> str:
        """Everything logged so far."""
        return "".join(path.read_text(encoding="utf-8") for path in sorted(self.home.logs.glob("*.log")))

    def kill(self) -> None:
        """Take the power away."""
        self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)

    def stop(self, signum: int = signal.SIGTERM) -> tuple[int, str]:
        """Ask for an orderly stop; exit code and what it said on the terminal."""
        if sys.platform == "win32":
            signum = signal.CTRL_BREAK_EVENT
        self.process.send_signal(signum)
        return self.ended()

    def ended(self) -> tuple[int, str]:
        """Wait for the end; exit code and what it said on the terminal."""
        _, err = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, err


@contextmanager
def living(
    home: Home,
    before: Callable[[], None] | None = None,
    environment: Mapping[str, str] | None = None,
    program: Sequence[str] = ("-m", "qws"),
) -> Iterator[Daemon]:
    """A daemon that does not outlive its test."""
    daemon = Daemon(home, before, environment, program)
    try:
        yield daemon
    finally:
        if daemon.process.poll() is None:
            daemon.process.kill()
        daemon.process.communicate()


def count(text: str, part: str) -> int:
    """How often a part occurs."""
    return text.count(part)


def runs(home: Home) -> list[dict[str, Any]]:
    """Every run that the read models know."""
    return [dict(row) for row in Views(home.views).runs()]


def rows_of(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """Rows of a database that another process may be writing; none while it is not there."""
    if not path.exists():
        return []
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
        try:
            return connection.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return []


def exchange_tags(home: Home) -> list[str]:
    """The tag of every order that the exchange ever took."""
    return [tag for (tag,) in rows_of(home.exchange, "SELECT tag FROM orders ORDER BY serial")]


def exchange_trades(home: Home) -> int:
    """How many trades the exchange booked."""
    return len(rows_of(home.exchange, "SELECT 1 FROM trades"))


def journalled(home: Home, kind: str) -> list[dict[str, Any]]:
    """The journalled messages of one type; only when no daemon lives."""
    rows = rows_of(home.journal, f"SELECT body FROM message WHERE kind = '{kind}' ORDER BY id")
    return [json.loads(body) for (body,) in rows]


def check_books(home: Home, opening: dict[str, int] | None = None) -> None:
    """After a stop: no tag twice, nothing unjournalled, fills explain positions, no name bought beyond its target."""
    tags = exchange_tags(home)
    assert len(tags) == len(set(tags)), tags
    intents = {body["order"]["tag"]: body["order"] for body in journalled(home, "PlaceOrder")}
    assert set(tags) <= intents.keys()
    bought = Counter(opening or {})
    for code, side, shares in rows_of(home.exchange, "SELECT code, side, shares FROM trades"):
        bought[code] += shares if side == "buy" else -shares
    held = {code: shares for code, shares in rows_of(home.exchange, "SELECT code, shares FROM holdings") if shares}
    assert {code: shares for code, shares in bought.items() if shares} == held
    orders = rows_of(home.exchange, "SELECT tag, shares, traded, status FROM orders")
    assert all(shares == intents[tag]["shares"] and traded <= shares for tag, shares, traded, _ in orders)
    assert not any(status == OrderStatus.JUNK for *_, status in orders)
    wanted = [(row["code"], row["wanted"]) for body in journalled(home, "PlanDrafted") for row in body["plan"]["rows"]]
    for code, shares in held.items():
        assert shares <= max(most for each, most in wanted if each == code), (code, held, wanted)
    told = Counter(body["trade"]["trade_id"] for body in journalled(home, "FillReceived"))
    assert not told or max(told.values()) == 1
