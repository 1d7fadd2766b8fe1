"""What people do, done to the world: files into the inbox, orders to the desk, trades and money at the terminal."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.runtime.clock import VirtualLoop
from tests.simulation.workload import Deed

if TYPE_CHECKING:
    from tests.simulation.world import World

COMMANDS = ("halt", "resume", "cancel", "rebalance")


class People:
    """Everybody but the system; what they do is noted where it took effect."""

    def __init__(self, world: World) -> None:
        self._world, self._chance = world, Random(f"{world.seed}:people")
        self._answers = Random(f"{world.seed}:answers")  # dice of their own, so that the other deeds stay

    def act(self, deed: Deed, when: datetime) -> None:
        """Do one deed."""
        world, weather = self._world, self._world.weather
        match deed.what:
            case "drop":
                world.folder.put(deed.name, deed.content, when, whole=self._chance.random() < 0.5)
                world.folder.finish(deed.name)
            case "drop_slowly":
                world.folder.put(deed.name, deed.content[: len(deed.content) // 2], when, whole=False)
                done = when + timedelta(seconds=self._chance.uniform(0.2, 30))
                world.outside.at(done, lambda moment: self._finish(deed, moment))
                weather.note("file_written_slowly")
            case "disconnect":
                until = when + timedelta(
                    seconds=self._chance.choice((1, 5, 20, 60, 300)) * self._chance.uniform(0.5, 2)
                )
                world.line.fail(when, until, is_announced=self._chance.random() < 0.6)
            case "freeze":
                self._freeze(when)
            case "manual_trade" | "foreign_order":
                self._trade(deed.what, when)
            case "deposit":
                weather.happened["deposit"] += self._move(self._money(), when)
            case "withdrawal":
                is_moved = self._move(-self._money(), when)
                weather.happened["withdrawal"] += is_moved
                if is_moved:
                    world.others.take_cash(when)
            case command:
                world.desk.order(command)

    def _move(self, amount: Decimal, when: datetime) -> bool:
        is_moved = self._world.terminal.move_cash(amount)
        if is_moved:
            self._world.moved.append((when, amount))
        return is_moved

    def help(self, order: OrderRequest | None, asked: datetime) -> None:
        """Some minutes after being asked: look up what became of an order, or allow trading that stopped by itself."""
        when = asked + timedelta(seconds=self._chance.uniform(30, 900))
        self._world.desk.times.append(when)
        answer = partial(self._tell, order.tag) if order is not None else self._resume
        self._world.outside.at(when, answer)

    def answer(self, run_id: str, asked: datetime) -> None:
        """Some time after a plan was held: approve it, reject it, or never look."""
        command = self._answers.choice(("approve", "approve", "approve", "approve", "reject", ""))
        if command:
            when = asked + timedelta(seconds=10 ** self._answers.uniform(-1, 3.8))
            self._world.desk.times.append(when)
            self._world.outside.at(when, lambda moment: self._give(command, run_id))
        self._world.weather.note(f"held_then_{command or 'forgotten'}")

    def _give(self, command: str, run_id: str) -> None:
        self._world.desk.order(command, run_id)

    def _resume(self, when: datetime) -> None:
        self._world.weather.note("resumed_by_a_person")
        self._world.desk.order("resume")

    def _tell(self, tag: str, when: datetime) -> None:
        world = self._world
        found = next((each for each in world.terminal.all_orders() if each.tag == tag), None)
        world.weather.note("settled_by_a_person")
        world.desk.order("settle", f"{tag} {world.line.shown_id(found.order_id, when) if found is not None else ''}")

    def _finish(self, deed: Deed, when: datetime) -> None:
        folder = self._world.folder
        folder.put(deed.name, deed.content, when, whole=False)
        folder.finish(deed.name)

    def _freeze(self, when: datetime) -> None:
        """The computer sleeps: when it wakes up, every timer of that time is due at once."""
        loop = asyncio.get_running_loop() if self._world.is_alive else None
        if isinstance(loop, VirtualLoop):
            gap_s = self._chance.choice((20, 60, 600, 3600)) * self._chance.uniform(0.5, 1.5)
            fair = when.replace(hour=14, minute=57, second=0, microsecond=0)
            gap_s = min(gap_s, max((fair - when).total_seconds(), 0))
            loop.now += gap_s
            self._world.weather.note("clock_gap")
            self._world.others.has_gap = True

    def _trade(self, what: str, when: datetime) -> None:
        """Somebody trades by hand: at a price that fills at once, or far away, to rest all day."""
        world = self._world
        code = self._chance.choice(sorted(world.workload.traits))
        quote = world.terminal.market.quote(code, when)
        if quote is None or not quote.bids or not quote.asks:
            return
        side = Side.SELL if world.terminal.held(code) and self._chance.random() < 0.5 else Side.BUY
        is_resting = what == "foreign_order"
        levels = quote.asks if (side is Side.BUY) != is_resting else quote.bids
        tag = self._chance.choice(("", "grid-7", "q1notourstag0000"))
        shares = self._chance.choice((100, 200, 1000))
        if code.startswith("688"):
            shares = max(shares, 200)
        world.terminal.submit(OrderRequest(tag, code, side, shares, levels[-1].price), when)
        if any(order.tag == tag and order.code == code for order in world.terminal.working()):
            world.weather.note(what)
            world.others.trade(code, side, when)
        world.line.wake()

    def _money(self) -> Decimal:
        return Decimal(int(float(self._world.terminal.cash()) * self._chance.uniform(0.05, 0.6)))
