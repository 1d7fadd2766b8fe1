"""A look at the account of a terminal's home: what it holds, its lists, quotes. Nothing is placed or cancelled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from qws.config import Config
from qws.domain.calendar import TradingCalendar
from qws.edges import Edges, deadlines_of, opening_now, pace_of, terminal_of
from qws.errors import AlreadyRunning, GatewayError
from qws.gateways.sim.books import Books, Opening
from qws.gateways.sim.shadow import ShadowBroker
from qws.gateways.xt.calendar import XtCalendar
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.reader import XtReader, opened
from qws.home import Home
from qws.paper import fee_plan, tables
from qws.ports import Broker, Clock
from qws.store.lock import is_held


@dataclass
class TerminalLook:
    """The terminal that a home's configuration names, while no daemon trades its account.

    `stuck_threads` tells afterwards how many threads hang inside the vendor's library.
    """

    home: Home
    config: Config
    clock: Clock
    stuck_threads: int = 0

    @asynccontextmanager
    async def ports(self, shadow: Path | None) -> AsyncIterator[Edges]:
        """Broker, quotes and calendar until the block ends. In shadow mode the account is that of `shadow`, a copy of
        the home's books, or begins now; else it is the terminal's, under its lock.

        Raises AlreadyRunning while somebody trades the account, and GatewayError when the terminal is not ready.
        """
        config = self.config
        if config.mode == "live" and is_held(self.home.lock):
            text = "stop it and ask again, or see what it knows with `qws status` and `qws positions`"
            raise AlreadyRunning(f"the daemon of {self.home.root} has the account at the terminal: {text}")
        rules, calendar = tables(config, self.home.config_folder)
        line = QuoteLine(config.xt.package, deadlines_of(config), port=config.xt.port)
        reader, quotes = self._reader(), XtQuotes(line, rules, self.clock, any_day=self.config.paper.always_open)
        books = None if config.mode == "live" else Books(shadow)
        broker: Broker = reader
        try:
            if isinstance(calendar, TradingCalendar):
                calendar = known = XtCalendar(line, calendar)
                with suppress(GatewayError):  # then the tables hold, as in the daemon
                    await known.refresh()
            if books is None:
                await self._open(reader)
            else:
                market = rules, calendar, fee_plan(config)
                broker = ShadowBroker(books, quotes, market, self.clock, self._opening)
                await broker.open()
            yield Edges(rules, calendar, broker, quotes)
        finally:
            await self._let_go(reader)
            line.close()
            self.stuck_threads += line.stuck_threads
            if books is not None:
                books.close()

    def _reader(self) -> XtReader:
        terminal = terminal_of(self.config)
        terminal.lock.parent.mkdir(parents=True, exist_ok=True)
        return XtReader(terminal, self.clock, deadlines_of(self.config), pace_of(self.config, patient=False))

    async def _open(self, reader: XtReader) -> None:
        await opened(reader, self.config.xt.import_s + self.config.xt.connect_s)

    async def _opening(self) -> Opening:
        reader = self._reader()
        try:
            await self._open(reader)
            return await opening_now(reader)
        finally:
            await self._let_go(reader)

    async def _let_go(self, reader: XtReader) -> None:
        await reader.close()
        self.stuck_threads += reader.stuck_threads
