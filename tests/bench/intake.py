"""From an atomic rename into the inbox to the first order at the broker port, journal on disk, beside a typical script.

`uv run python -m tests.bench.intake [--json] [--rounds N]`
"""

from __future__ import annotations

import argparse
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from time import perf_counter, sleep

import anyio

from qws.app import Ports, build
from qws.config import Config, make_config
from qws.daemon import in_thread
from qws.domain.account import Asset, Position
from qws.domain.bars import DailyBar
from qws.domain.calendar import AlwaysOpenCalendar
from qws.domain.market import Instrument, Level, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.messages import RunFinished
from qws.ports import BrokerEvent
from qws.runtime.clock import SHANGHAI, SystemClock
from qws.runtime.message import Envelope
from qws.store.inbox import InboxFolder, folder_changes
from qws.store.journal import SqliteJournal
from qws.tables import load_rules
from qws.virtual import KeepNothing
from tests.bench.measure import Figure, Goal, at_most, figure, percentile, report

ROWS = (10, 300, 5000)
CASH = Decimal(10_000_000_000)


def codes(count: int) -> list[str]:
    """That many Shanghai and Shenzhen main-board codes."""
    heads = ("600", "601", "603", "605", "000", "001", "002")
    every = [f"{head}{tail:03}.{'SH' if head[0] == '6' else 'SZ'}" for head in heads for tail in range(1000)]
    return [code for code in every if code not in {"000000.SZ"}][:count]


class Market:
    """Prices that are simply there: the market's own cost is not what is measured."""

    def __init__(self, names: Sequence[str], clock: SystemClock) -> None:
        self._clock, rules, today = clock, load_rules(), clock.now().date()
        price = Decimal("10.00")
        asks = tuple(Level(price + Decimal("0.01") * n, 1_000_000) for n in range(1, 6))
        bids = tuple(Level(price - Decimal("0.01") * n, 1_000_000) for n in range(5))
        self._sides = (price, bids, asks)
        self._records = {name: rules.instrument(name, today, price) for name in names if name[:3] not in ("001",)}

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        last, bids, asks = self._sides
        now = self._clock.now()
        return {code: Quote(code, now, last, last, bids, asks) for code in codes}

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        return {code: self._records[code] for code in codes if code in self._records}

    async def index_close(self, code: str, day: date) -> Decimal | None:
        return None

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        return {}


class Stopwatch:
    """A broker that notes when orders come and cancels them all, so that the next file finds the same account."""

    def __init__(self, clock: SystemClock) -> None:
        self._clock, self._serial = clock, 0
        self.placed: list[float] = []
        self._events: list[BrokerOrder] = []
        self._news = anyio.Event()

    async def open(self) -> None: ...
    async def close(self) -> None: ...
    async def cancel(self, order_id: str) -> None: ...

    async def place(self, order: OrderRequest) -> str:
        self.placed.append(perf_counter())
        self._serial += 1
        row = (f"{self._serial}", order.tag, order.code, order.side, order.shares, order.price)
        self._events.append(BrokerOrder(*row, 0, OrderStatus.CANCELED, "", self._clock.now()))
        self._news.set()
        return row[0]

    async def asset(self) -> Asset:
        return Asset(CASH, Decimal(0), Decimal(0), CASH)

    async def positions(self) -> tuple[Position, ...]:
        return ()

    async def orders(self) -> tuple[BrokerOrder, ...]:
        return ()

    async def trades(self) -> tuple[Trade, ...]:
        return ()

    async def events(self) -> AsyncIterator[BrokerEvent]:
        while True:
            await self._news.wait()
            await anyio.sleep(0.05)  # answers come after the orders are out, as they do from a counter
            self._news, batch = anyio.Event(), self._events
            self._events = []
            for event in batch:
                yield event


def weight_file(names: Sequence[str], day: date, salt: int) -> str:
    """A file whose bytes are new each time."""
    weight = Decimal("0.9") / len(names)
    return "\n".join(["date,stock_code,weight", *(f"{day},{name},{weight:.8f}" for name in names), "", *[""] * salt])


async def ours(names: Sequence[str], settle_ms: int, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds from the rename to the first order, and from the first to the last."""
    first, spread = [], []
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(await anyio.Path(folder).resolve())
        inbox = InboxFolder(root / "inbox", 2 * 1024 * 1024)
        inbox.prepare()
        journal = await SqliteJournal.open(root / "journal.sqlite")
        broker, market = Stopwatch(clock), Market(names, clock)
        finished = [anyio.Event()]

        def tap(batch: Sequence[Envelope]) -> None:
            if any(isinstance(envelope.body, RunFinished) for envelope in batch):
                finished[0].set()

        ports = Ports(
            broker,
            market,
            AlwaysOpenCalendar(),
            load_rules(),
            inbox,
            KeepNothing(),
            None,
            in_thread,
            partial(folder_changes, root / "inbox"),
        )
        system = build(_config(settle_ms), ports, clock, journal, [tap])
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(system.run)
            await anyio.sleep(0.5)
            for salt in range(rounds + 2):
                ready = root / "inbox" / f"{salt}.csv.tmp"
                ready.write_text(weight_file(names, clock.now().date(), salt), encoding="utf-8")
                await anyio.sleep(0.1)
                broker.placed, finished[0] = [], anyio.Event()
                began = perf_counter()
                ready.replace(root / "inbox" / f"{salt}.csv")
                with anyio.fail_after(30):
                    await finished[0].wait()
                if salt >= 2:
                    first.append((broker.placed[0] - began) * 1000)
                    spread.append((broker.placed[-1] - broker.placed[0]) * 1000)
            system.stop()
        await journal.close()
    return first, spread


def _config(settle_ms: int) -> Config:
    settings = {
        "paper": {"always_open": True},
        "intake": {"settle_ms": settle_ms},
        "execution": {"follow_ups": 0},
        "risk": {"second_orders_max": 0},  # as fast as it goes: the default lets 100 orders leave in a second
    }
    return make_config(settings, "bench")


def typical_script(names: Sequence[str], rounds: int) -> list[float]:
    """The anchor: a loop that looks each second, reads with pandas, and commits each order on its own."""
    import pandas as pd

    taken = []
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        database = sqlite3.connect(root / "orders.sqlite", isolation_level=None)
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA synchronous=FULL")
        database.execute("CREATE TABLE orders (code TEXT, shares INTEGER)")
        for salt in range(rounds):
            target = root / f"{salt}.csv"
            offset = salt % 10 / 10  # the file comes at any moment between two looks
            target.write_text(weight_file(names, datetime.now(SHANGHAI).date(), salt), encoding="utf-8")
            began = perf_counter() - offset
            sleep(1 - offset)
            frame = pd.read_csv(target)
            frame["shares"] = (float(CASH) * frame["weight"] / 10.03 / 100).round() * 100
            code, shares = frame.iloc[0]["stock_code"], int(frame.iloc[0]["shares"])
            database.execute("INSERT INTO orders VALUES (?, ?)", (code, shares))
            taken.append((perf_counter() - began) * 1000)
        database.close()
    return taken


def measure(rounds: int) -> tuple[dict[str, Figure], list[Goal]]:
    """All cases and the pass lines of the plan."""
    figures: dict[str, Figure] = {}
    samples: dict[str, list[float]] = {}
    for settle_ms in (60, 0):
        for rows in ROWS:
            name = f"{rows} rows, settle {settle_ms} ms"
            samples[name], spread = anyio.run(ours, codes(rows), settle_ms, rounds)
            figures[f"first order ms, {name}"] = figure(samples[name])
            figures[f"last after first ms, {name}"] = figure(spread)
    anchor = typical_script(codes(300), min(rounds, 10))
    figures["anchor: typical script ms, 300 rows"] = figure(anchor)
    usual, quick = samples["300 rows, settle 60 ms"], samples["300 rows, settle 0 ms"]
    many = figures["first order ms, 5000 rows, settle 60 ms"].median
    return figures, [
        at_most("300 rows p50 ms", percentile(usual, 50), 120),
        at_most("300 rows p99 ms", percentile(usual, 99), 250),
        at_most("300 rows p50 ms without settling", percentile(quick, 50), 35),
        at_most("5,000 rows more than 300, ms", many - percentile(usual, 50), 60),
        at_most(
            "last of 300 orders after the first, ms", figures["last after first ms, 300 rows, settle 60 ms"].median, 20
        ),
        at_most("share of the typical script's time", percentile(usual, 50) / percentile(anchor, 50), 0.5),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    figures, goals = measure(options.rounds)
    print(report("intake", figures, goals, as_json=options.json))


if __name__ == "__main__":
    main()
