"""A ring of four on the durable journal, with the product's own messages; and appends beside SQLite and the disk."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from time import perf_counter

import anyio

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.messages import FillReceived, OrderUpdated, PlaceOrder, SweepDue
from qws.runtime.actor import Actor
from qws.runtime.clock import SHANGHAI, SystemClock
from qws.runtime.message import Envelope, Message, Started
from qws.runtime.system import System
from qws.store.journal import SqliteJournal

REQUEST = OrderRequest("", "600519.SH", Side.BUY, 100, Decimal("1688.00"))
GOOD_UNTIL = datetime(2026, 11, 19, 9, 30, 6, tzinfo=SHANGHAI)


class Executor(Actor):
    """Places a burst of orders, and the next one when every fill of it was told."""

    on_crash = "halt"

    def __init__(self, bursts: int, size: int) -> None:
        self.bursts, self.size, self.count = bursts, size, 0
        self.done = anyio.Event()

    def on_started(self, msg: Started) -> list[PlaceOrder]:
        return self.burst()

    def on_sweep_due(self, msg: SweepDue) -> list[PlaceOrder]:
        if self.count == self.bursts * self.size:
            self.done.set()
            return []
        return self.burst()

    def burst(self) -> list[PlaceOrder]:
        begin, self.count = self.count, self.count + self.size
        tags = (f"Q{number:09d}" for number in range(begin, self.count))
        return [PlaceOrder("R7", replace(REQUEST, tag=tag), GOOD_UNTIL) for tag in tags]


class Link(Actor):
    """Answers every order with an update."""

    on_crash = "halt"

    def __init__(self) -> None:
        self.known = BrokerOrder.unknown(REQUEST, SystemClock().now())

    def on_place_order(self, msg: PlaceOrder) -> OrderUpdated:
        return OrderUpdated(replace(self.known, tag=msg.order.tag, order_id="1", status=OrderStatus.SUCCEEDED))


class Exchange(Actor):
    """Turns every update into a fill."""

    on_crash = "halt"

    def on_order_updated(self, msg: OrderUpdated) -> FillReceived:
        order = msg.order
        trade = Trade("1", "1", order.tag, order.code, order.side, order.shares, order.price, order.at)
        return FillReceived(trade)


class Ledger(Actor):
    """Counts the fills of a burst and asks for the next."""

    on_crash = "halt"

    def __init__(self, size: int) -> None:
        self.size = self.left = size

    def on_fill_received(self, msg: FillReceived) -> Iterator[SweepDue]:
        self.left -= 1
        if not self.left:
            self.left = self.size
            yield SweepDue()


def journalled(bursts: int, size: int) -> float:
    """Messages a second through four actors, each on disk before it is delivered."""

    async def main() -> float:
        with tempfile.TemporaryDirectory() as folder:
            journal = await SqliteJournal.open(Path(folder) / "journal.sqlite")
            executor = Executor(bursts, size)
            makers = [lambda: executor, Link, Exchange, lambda: Ledger(size)]
            system = System(makers, clock=SystemClock(), journal=journal)
            async with anyio.create_task_group() as tasks:
                begin = perf_counter()
                tasks.start_soon(system.run)
                await executor.done.wait()
                seconds = perf_counter() - begin
                system.stop()
            await journal.close()
        return bursts * (3 * size + 1) / seconds

    return anyio.run(main)


def append_us(times: int, size: int = 1) -> list[float]:
    """Microseconds of each append of a batch of this size to the journal."""
    message: Message = OrderUpdated(BrokerOrder.unknown(replace(REQUEST, tag="Q"), SystemClock().now()))

    async def main() -> list[float]:
        with tempfile.TemporaryDirectory() as folder:
            journal = await SqliteJournal.open(Path(folder) / "journal.sqlite")
            taken = []
            for first in range(1, times * size + 1, size):
                now = SystemClock().now()
                batch = [Envelope(number, number, None, now, "bench", message) for number in range(first, first + size)]
                begin = perf_counter()
                await journal.append(batch)
                taken.append((perf_counter() - begin) * 1e6)
            await journal.close()
        return taken

    return anyio.run(main)


def sqlite_us(times: int) -> list[float]:
    """Microseconds of each insert and commit of 300 bytes by `sqlite3` itself, WAL and FULL, on this thread."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "bare.sqlite", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE row (id INTEGER PRIMARY KEY, body TEXT)")
        taken = []
        for number in range(times):
            begin = perf_counter()
            connection.execute("INSERT INTO row VALUES (?, ?)", (number, "x" * 300))
            taken.append((perf_counter() - begin) * 1e6)
        connection.close()
    return taken


def fsync_us(times: int) -> list[float]:
    """Microseconds of each append of 300 bytes and the fsync after it."""
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "raw").open("wb", buffering=0) as file:
        taken = []
        for _ in range(times):
            begin = perf_counter()
            file.write(b"x" * 300)
            os.fsync(file.fileno())
            taken.append((perf_counter() - begin) * 1e6)
    return taken
