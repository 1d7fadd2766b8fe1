"""Exchange and daemon as processes of a home, files dropped into it, and what a third program sees at the exchange."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from time import monotonic
from typing import TypeVar

from qws.domain.account import Asset, Position
from qws.domain.orders import BrokerOrder, Trade
from qws.gateways.wire.client import WireBroker
from qws.gateways.wire.protocol import Address
from qws.home import Home
from qws.runtime.clock import SystemClock
from qws.store.reading import Record, Views

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
FINAL = ("completed", "incomplete", "superseded", "refused")
_PATIENCE_S = 30.0
Account = tuple[Asset, tuple[Position, ...], tuple[BrokerOrder, ...], tuple[Trade, ...]]


def until(what: Callable[[], T | None], why: str) -> T:
    """Look again and again until there is an answer; fails when that takes too long."""
    deadline, never = monotonic() + _PATIENCE_S, Event()
    while not (found := what()):
        assert monotonic() < deadline, f"waited in vain for {why}"
        never.wait(0.03)
    return found


class Program:
    """A qws process that is stopped, or killed, at the latest when the block ends."""

    def __init__(self, home: Home, *words: str, **settings: str) -> None:
        self.said = home.root / f"{words[0]}.out"
        with self.said.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "qws", *words, "--home", str(home.root)],
                stdout=out, stderr=out, cwd=ROOT, env={**os.environ, "QWS_LANGUAGE": "en", **settings},
            )  # fmt: skip

    def kill(self) -> None:
        """No last words."""
        self._process.kill()
        self._process.wait(10)

    def stop(self) -> int:
        """Ask it to end; its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(20)

    def ended(self) -> int:
        """Its exit code once it has ended by itself."""
        return self._process.wait(20)

    def text(self) -> str:
        """What it said on the console."""
        return self.said.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running(home: Home, *words: str, **settings: str) -> Iterator[Program]:
    """A process for the length of a block."""
    program = Program(home, *words, **settings)
    try:
        yield program
    finally:
        program.kill()


def address_of(home: Home, program: Program) -> Address:
    """Where the exchange of a home has come to listen."""
    until(lambda: "listens at" in program.text(), f"the exchange: {program.text()}")
    return Address("127.0.0.1", int(home.exchange_port.read_text(encoding="utf-8")))


def account_at(address: Address) -> Account:
    """What the exchange tells a program that only reads."""

    async def look() -> Account:
        broker = WireBroker(address, SystemClock(), role="read")
        async with asyncio.timeout(_PATIENCE_S):
            await broker.open()
        try:
            return await broker.asset(), await broker.positions(), await broker.orders(), await broker.trades()
        finally:
            await broker.close()

    work: Coroutine[object, object, Account] = look()
    return asyncio.run(work)


def drop(home: Home, name: str, codes: list[str], weight: str) -> None:
    """Put a weight file of today into the inbox."""
    today = SystemClock().now().date().isoformat()
    lines = ["date,stock_code,weight", *(f"{today},{code},{weight}" for code in codes)]
    part = home.inbox / f"{name}.tmp"
    part.write_text("\n".join(lines) + "\n", encoding="utf-8")
    part.rename(home.inbox / name)


def finished_run(home: Home, file: str) -> Record:
    """The run of a dropped file, once it has its final result."""

    def look() -> Record | None:
        runs = [run for run in Views(home.views).runs() if run["file"] == file and run["status"] in FINAL]
        return runs[-1] if runs else None

    return until(look, f"the result of {file}")
