"""The same days through the real vendor layer: `XtBroker` over `xttrader` over the fake native module."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TypeVar

from loguru import logger

from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.settings import Pace
from qws.gateways.xt.settings import Terminal as Account
from qws.ports import Broker
from qws.runtime.clock import SystemClock
from tests.simulation.life import Life, PatientClock
from tests.simulation.line import Line
from tests.simulation.moods import SILENT, VENDOR_RATES, Moods
from tests.simulation.seeds import draw_world
from tests.simulation.weather import GHOST_S
from tests.simulation.world import World, tables
from tests.xt_native import Client, SimTerminal, install
from tests.xt_native import structs as native
from tests.xt_native.desk import UNLISTED_FROM
from tests.xt_native.one_thread import Agenda, InlineWorker, Traders, on_one_thread
from tests.xt_native.rows import BUY
from tests.xt_native.structs import Struct

T = TypeVar("T")
_ACCOUNT = "1000000365"
_PRICE_STEP = Decimal("0.0001")
_ORDER_GAP = timedelta(seconds=0.25)  # with what a call takes
_BARRED = (3, 5, 9)  # account states in which nothing may be traded
# Asking a silent terminal every 30 s costs more than all the rest: only one seed of so many does it.
_SHIPPED_EACH, _PATIENT = 10, Pace(silence_s=300.0)


class WorldClock(SystemClock):
    """The time of whichever life there is, or of what happens between two lives."""

    def __init__(self, now: datetime) -> None:
        self.read: Callable[[], datetime] = lambda: now

    def now(self) -> datetime:
        """The time in Asia/Shanghai."""
        return self.read()


class WatchedTerminal(SimTerminal):
    """Tells the world's witness what it was handed, and may keep an order on its way for a while."""

    world: VendorWorld

    def request(self, client: Client, sender: str, seq: int, request: Struct) -> None:
        """Take a client's request."""
        world, now = self.world, self.now()
        match request:
            case native.OrderStockReq():
                world.witness.on_handed(_order_of(request), now)
                if world.weather.strikes("ghost_order"):
                    world.moods.silent_until = now + SILENT
                    world.others.late.add(request.order_remark)
                    when = now + timedelta(seconds=world.weather.between("ghost_order", 0.5, GHOST_S))
                    world.outside.at(when, partial(self._arrive, client, sender, seq, request))
                    return
                if world.weather.strikes("reject_storm"):
                    world.terminal.mood.refuses_next = True
            case native.CancelOrderStockReq() if request.order_id < UNLISTED_FROM:
                world.witness.on_cancelled(str(request.order_id), now)
            case native.SubscribeReq() if self.faults.replay:
                world.weather.note("day_replayed")
            case _:
                pass
        super().request(client, sender, seq, request)
        self.faults.replay = ()

    def _arrive(self, client: Client, sender: str, seq: int, request: native.OrderStockReq, when: datetime) -> None:
        if self.world.is_alive:
            self.take(client, sender, seq, request)
        else:  # nobody is there who could be answered
            self.world.terminal.submit(_order_of(request), when)


class VendorLine(Line):
    """The line as the terminal has it: it dies and is started again, and forgets its clients with their process."""

    def __init__(self, world: VendorWorld) -> None:
        self._world, self._chance = world, Random(f"{world.seed}:barred")
        super().__init__(world.terminal, world.outside, world.weather, world.witness, world.others, reuses_ids=False)

    def hang_up(self) -> None:
        """The process is gone."""
        super().hang_up()
        self._world.traders.drop()

    def fail(self, when: datetime, until: datetime, *, is_announced: bool) -> None:
        """The terminal is not there from now until then, or the account is barred."""
        if self.weather.strikes("account_barred"):
            self._world.native_terminal.set_status(self._chance.choice(_BARRED))
            self.outside.at(until, self._allow)
            return
        self.weather.note("disconnect_announced" if is_announced else "disconnect_silent")
        self.down_until = max(self.down_until, until)
        self._world.native_terminal.die(tell=is_announced)
        self.outside.at(until, self._heal)

    def repair(self, when: datetime) -> None:
        """Whatever was wrong with terminal and account is over."""
        super().repair(when)
        self._allow(when)

    def _allow(self, when: datetime) -> None:
        del when
        if self._world.native_terminal.status:
            self._world.native_terminal.set_status(0)

    def _heal(self, when: datetime) -> None:
        terminal = self._world.native_terminal
        if not self.is_down(when) and not terminal.is_alive:
            terminal.revive()
            terminal.forget_sessions()
            if self.weather.threatens("day_replayed"):
                terminal.faults.replay = tuple(self.terminal.all_trades()[-100:])


class VendorWorld(World):
    """A world whose broker is the adapter."""

    def _make_line(self) -> Line:
        self.clock = WorldClock(self.began)
        self.moods = Moods(self.seed, self.weather, self.others, self.clock.now)
        self.witness.held_back = _ORDER_GAP
        self.traders, self._broker = Traders(), None  # type: Traders, XtBroker | None
        self._folder = TemporaryDirectory(prefix="qws-simulation-")
        self.native_terminal = WatchedTerminal(
            lambda: self.terminal,
            self.terminal.market,
            tables()[1],
            self.clock,
            account_id=_ACCOUNT,
            faults=self.moods,
            latency_s=self.moods.latency_s,
            reuses_sessions=True,
            lanes=Agenda().lane,
        )
        self.native_terminal.world = self
        return VendorLine(self)

    def run(self) -> None:
        """Live through all days."""
        vendor = install()
        vendor.attach(self.native_terminal)
        logger.disable("qws.gateways.xt")
        try:
            with on_one_thread(vendor) as self.traders:
                super().run()
            for error in () if self.weather.happened["early_push"] else vendor.errors:
                self.witness.blame("tripwire", f"a callback raised {error!r}")
        finally:
            logger.enable("qws.gateways.xt")
            vendor.detach()

    def close(self) -> None:
        """Let go of memory and folder."""
        super().close()
        self._folder.cleanup()

    def _make_broker(self, life: Life, clock: PatientClock) -> Broker:
        self.clock.read = clock.now
        self.native_terminal.forget_sessions()  # the files that remember them are removed before each connect
        self.native_terminal.begin()
        folder = Path(self._folder.name)
        account = Account("xtquant", folder, _ACCOUNT, folder / f"{len(self.lives)}.lock")
        self.line.wake = self.native_terminal.begin
        pace = Pace() if self.seed % _SHIPPED_EACH == 1 else _PATIENT
        self._broker = XtBroker(account, clock, pace=pace, workers=lambda name: DoomedWorker(name, life))
        return self._broker

    async def _part(self) -> None:
        if self._broker is not None:
            await self._broker.close()
        self.line.silent_until = self.moods.silent_until


class DoomedWorker(InlineWorker):
    """Each call of the vendor may be the last that a life makes."""

    def __init__(self, name: str, life: Life) -> None:
        super().__init__(name)
        self._life = life

    async def call(self, what: str, work: Callable[[], T], deadline_s: float) -> T:
        """The result of `work`."""
        await self._life.before_call()
        result = await super().call(what, work, deadline_s)
        await self._life.after_call()
        return result

    def end(self, last: Callable[[], object]) -> None:
        """The dead do nothing."""
        if not self._life.died_of:
            super().end(last)


def _order_of(request: native.OrderStockReq) -> OrderRequest:
    side = Side.BUY if request.order_type == BUY else Side.SELL
    price = Decimal(repr(request.price)).quantize(_PRICE_STEP)
    return OrderRequest(request.order_remark, request.stock_code, side, request.order_volume, price)


def draw_vendor_world(seed: int) -> World:
    """Everything about a seed, through the vendor layer."""
    return draw_world(seed, VendorWorld, VENDOR_RATES)
