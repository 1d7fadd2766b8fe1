"""One day of `qws demo`, traded on paper and through the vendor's own Python: the account ends up the same."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path

import anyio
import pytest

from qws.app import Ports, build
from qws.cli.home import make_home
from qws.config import Config, make_config
from qws.domain.account import Position
from qws.domain.orders import OrderStatus
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.settings import Deadlines, Terminal
from qws.home import Home
from qws.messages import EquityRecorded, FillReceived, OrderUpdated, RunFinished
from qws.paper import Paper, open_paper
from qws.ports import Broker, Quotes
from qws.runtime.clock import SHANGHAI, LoopClock, VirtualLoop
from qws.runtime.message import Envelope
from qws.store.inbox import InboxFolder
from qws.virtual import KeepNothing, NoJournal, inline
from tests.acceptance.program import DAY, DAY_BEFORE, positions_file, price_file, weight_file
from tests.acceptance.test_real_prices import DAY as REAL_DAY
from tests.acceptance.test_real_prices import PRICES, fifty_names, may_skip
from tests.xt_native import SimTerminal, install
from tests.xt_native.one_thread import Agenda, InlineWorker, on_one_thread

ACCOUNT = "1000000365"
THREE = {"600519.SH": "0.4", "000001.SZ": "0.3", "688981.SH": "0.2"}
HELD = {"600036.SH": (10_050, 10_050), "000002.SZ": (3_000, 1_000), "688981.SH": (1_037, 1_037)}
CLOSES = {"600519.SH": 10, "000001.SZ": 20, "688981.SH": 50, "600036.SH": 30, "000002.SZ": 8}
Edges = Callable[[Paper, LoopClock, Path], AbstractAsyncContextManager[tuple[Broker, Quotes]]]


@dataclass
class Day:
    """What a day came to."""

    held: tuple[Position, ...] = ()
    told: list[Envelope] = field(default_factory=list)

    def ends(self) -> list[tuple[str, str]]:
        return [(each.body.status, each.body.reason) for each in self.told if isinstance(each.body, RunFinished)]

    def rejected(self) -> list[str]:
        orders = (each.body.order for each in self.told if isinstance(each.body, OrderUpdated))
        return [order.message for order in orders if order.status is OrderStatus.JUNK and order.order_id]

    def filled(self) -> int:
        return sum(each.body.trade.shares for each in self.told if isinstance(each.body, FillReceived))

    def without(self, folder: Path) -> str:
        """All that was told, wherever it happened."""
        return repr(self.told).replace(str(folder), "")

    def shares(self) -> dict[str, tuple[int, int]]:
        return {each.code: (each.shares, each.sellable) for each in self.held}


@asynccontextmanager
async def on_paper(paper: Paper, clock: LoopClock, folder: Path) -> AsyncIterator[tuple[Broker, Quotes]]:
    """The paper broker."""
    yield paper.broker, paper.quotes


@asynccontextmanager
async def at_a_terminal(paper: Paper, clock: LoopClock, folder: Path) -> AsyncIterator[tuple[Broker, Quotes]]:
    """The vendor's `xttrader` and `xtdata` over the fake native layer, on the same exchange."""
    native = install()
    native.attach(
        SimTerminal(
            lambda: paper.exchange,
            paper.exchange.market,
            paper.calendar,
            clock,
            account_id=ACCOUNT,
            lanes=Agenda().lane,
        )
    )
    assert native.terminal is not None
    native.terminal.begin()
    broker = XtBroker(Terminal("xtquant", folder, ACCOUNT, folder / "xt.lock"), clock, workers=InlineWorker)
    quotes = XtQuotes(QuoteLine("xtquant", Deadlines(), workers=InlineWorker), paper.rules, clock)
    with on_one_thread(native):
        try:
            yield broker, quotes
        finally:
            await broker.close()
            await quotes.close()
            errors = list(native.errors)
            native.detach()
    assert errors == []


def lived(home: Home, config: Config, day: date, edges: Edges) -> Day:
    """A day in virtual time, from before the open until its equity is recorded."""

    async def live() -> Day:
        clock, found = LoopClock(datetime.combine(day, time(9, 20), SHANGHAI)), Day()
        paper = open_paper(config, home.root, clock, None, home.config_folder)
        inbox = InboxFolder(home.inbox, 2**20)
        inbox.prepare()
        async with edges(paper, clock, home.root) as (broker, quotes):
            ports = Ports(broker, quotes, paper.calendar, paper.rules, inbox, KeepNothing(), None, inline, None)

            def hear(batch: Sequence[Envelope]) -> None:
                found.told += batch
                if any(isinstance(each.body, EquityRecorded) and each.body.kind == "close" for each in batch):
                    system.stop()

            system = build(config, ports, clock, NoJournal(), [hear])
            assert await system.run() == 0
            found.held = paper.exchange.positions(clock.now())
        paper.exchange.close()
        return found

    return anyio.run(live, backend_options={"loop_factory": VirtualLoop})


def both_days(folder: Path, file: Path, day: str, **paper: object) -> tuple[Day, Day]:
    """The same day on paper and at a terminal."""
    days = []
    for name, edges in (("paper", on_paper), ("terminal", at_a_terminal)):
        home = make_home(folder / name)
        shutil.copyfile(file, home.inbox / file.name)
        config = make_config({"paper": {key: str(value) for key, value in paper.items()}}, "test")
        days.append(lived(home, config, date.fromisoformat(day), edges))
    return days[0], days[1]


def expect_the_same(paper: Day, terminal: Day) -> None:
    assert paper.ends() == terminal.ends() == [("completed", "")]
    assert terminal.rejected() == []
    assert terminal.filled() > 0
    assert terminal.shares() == paper.shares()


def test_a_day_at_a_terminal_ends_with_the_positions_of_the_same_day_on_paper(tmp_path: Path) -> None:
    bars = {
        (day, code): f"{close},{close * 1.02:.2f},{close * 0.98:.2f},{close * 1.01:.2f}"
        for code, close in CLOSES.items()
        for day in (DAY_BEFORE, DAY)
    }
    prices, positions = price_file(tmp_path / "prices.csv", bars), positions_file(tmp_path / "p.csv", HELD)
    file = weight_file(tmp_path / "w.csv", THREE)

    options = {"prices": prices, "positions": positions, "cash": 10_000_000}
    paper, terminal = both_days(tmp_path / "once", file, DAY, **options)
    _, again = both_days(tmp_path / "again", file, DAY, **options)

    expect_the_same(paper, terminal)
    assert again.without(tmp_path / "again") == terminal.without(tmp_path / "once")


@pytest.mark.skipif(may_skip and not PRICES.is_file(), reason=f"{PRICES.name} is not in the folder `shared`")
def test_a_day_of_real_prices_ends_the_same_as_well(tmp_path: Path) -> None:
    file = weight_file(tmp_path / "w.csv", fifty_names("terminal"), days=(REAL_DAY,))

    expect_the_same(*both_days(tmp_path, file, REAL_DAY, prices=PRICES, cash=100_000_000))
