"""The cards on a live terminal: reading only, or with the one order that a person confirmed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from qws.config import Config
from qws.conformance.cards import CARDS
from qws.conformance.one_lot import let_go, lot_of, obstacle_to
from qws.conformance.stand import Ear, Lot, Stand
from qws.conformance.verdict import CardFailed, Result, Verdict, judged, unchecked
from qws.domain.orders import OrderRequest
from qws.edges import deadlines_of, pace_of, terminal_of
from qws.errors import AlreadyRunning, ConfigError, GatewayError
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.reader import XtReader, opened
from qws.paper import tables
from qws.ports import Clock

CODES, INDEX = ("600000.SH", "000001.SZ", "510300.SH"), "000001.SH"
CONNECTS = 21  # the first card that needs the connection tells why there is none

Tell = Callable[[Result], None]


class _Life:
    """One connection after another, each with a broker that remembers nothing of the one before."""

    def __init__(self, make: Callable[[], XtBroker], patience_s: float) -> None:
        self.stuck_threads = 0
        self._make, self._patience_s = make, patience_s
        self._broker: XtBroker | None = None
        self._listening: asyncio.Task[None] | None = None

    async def begin(self) -> tuple[XtBroker, Ear]:
        """Connect. Raises GatewayError, and AlreadyRunning."""
        await self.end()
        broker, ear = self._make(), Ear()
        self._broker = broker
        await opened(broker, self._patience_s)
        self._listening = asyncio.create_task(ear.listen(broker))
        return broker, ear

    async def end(self) -> None:
        """Let go of the connection."""
        broker, self._broker = self._broker, None
        listening, self._listening = self._listening, None
        if broker is not None:
            await broker.close()
            self.stuck_threads += broker.stuck_threads
        if listening is not None:
            await listening


@dataclass
class Examination:
    """An examination of the terminal that a configuration names; `folder` has a user's own tables.

    `left` is what a person must look at afterwards, "" for nothing, however it ended; `stuck_threads` tells how many
    threads hang inside the vendor's library.
    """

    config: Config
    folder: Path
    clock: Clock
    left: str = ""
    stuck_threads: int = 0

    async def proposal(self, code: str) -> OrderRequest:
        """One lot of a code at its lower limit. Raises ConfigError with what stands against it, and GatewayError."""
        async with self._quoted() as quotes:
            found, records = await quotes.quotes([code]), await quotes.instruments([code])
        record, now = records.get(code), self.clock.now()
        if code in self.config.plan.protected:
            raise ConfigError(f"--one-lot {code}: plan.protected says never to touch it; name another code")
        if record is None or (order := lot_of(record, now)) is None:
            raise ConfigError(f"--one-lot {code}: the terminal has no record of it with a lower limit; name another")
        if obstacle := obstacle_to(order, found.get(code), record, tables(self.config, self.folder), now):
            raise ConfigError(f"--one-lot {code}: {obstacle}")
        return order

    async def run(self, tell: Tell, order: OrderRequest | None = None) -> None:
        """Play every card and tell its result. Only `order` is ever placed, and cancelled whatever happens then."""
        xt = self.config.xt
        life = _Life(partial(self._broker, XtBroker if order else XtReader), xt.import_s + xt.connect_s)
        async with self._quoted() as quotes:
            try:
                await self._played(life, quotes, tell, order)
            finally:
                await life.end()
                self.stuck_threads += life.stuck_threads

    async def _played(self, life: _Life, quotes: XtQuotes, tell: Tell, order: OrderRequest | None) -> None:
        try:
            stand = await self._stand(life, quotes, order)
        except (GatewayError, AlreadyRunning) as error:
            for card in CARDS:
                failed = Result(card.number, card.sentence, Verdict.FAILED, str(error))
                tell(failed if card.number == CONNECTS else unchecked(card, f"no connection: see card {CONNECTS}"))
            return
        try:
            for card in CARDS:
                tell(await judged(card, stand))
        finally:
            self.left = await _left(stand)

    async def _stand(self, life: _Life, quotes: XtQuotes, order: OrderRequest | None) -> Stand:
        async def again() -> None:
            stand.broker, stand.ear = await life.begin()

        rules, calendar = tables(self.config, self.folder)
        broker, ear = await life.begin()
        stand = Stand(
            broker=broker,
            quotes=quotes,
            calendar=calendar,
            clock=self.clock,
            ear=ear,
            restart=again,
            codes=(order.code, *CODES) if order else CODES,
            index=INDEX,
        )
        if order is not None:
            hours = rules, calendar
            stand.lot = Lot(order, lambda quote, record: obstacle_to(order, quote, record, hours, self.clock.now()))
        return stand

    def _broker(self, kind: type[XtBroker]) -> XtBroker:
        terminal = terminal_of(self.config)
        terminal.lock.parent.mkdir(parents=True, exist_ok=True)
        return kind(terminal, self.clock, deadlines_of(self.config), pace_of(self.config, patient=False))

    @asynccontextmanager
    async def _quoted(self) -> AsyncIterator[XtQuotes]:
        rules, _ = tables(self.config, self.folder)
        line = QuoteLine(self.config.xt.package, deadlines_of(self.config), port=self.config.xt.port)
        try:
            yield XtQuotes(line, rules, self.clock)
        finally:
            line.close()
            self.stuck_threads += line.stuck_threads


async def _left(stand: Stand) -> str:
    """Nothing of the one order may go on working; with a new connection when the present one is lost."""
    try:
        try:
            return await let_go(stand)
        except GatewayError:
            await stand.restart()
            return await let_go(stand)
    except (GatewayError, AlreadyRunning, CardFailed) as error:
        tag = stand.lot.order.tag if stand.lot else ""
        return f"{error}; see at the terminal that the order with remark {tag} is cancelled"
