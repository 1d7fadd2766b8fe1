"""A line to the paper exchange that is cut now and then, and loses or doubles some of its pushes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from random import Random

from qws.gateways.sim.exchange import SimExchange
from qws.ports import BrokerEvent, LinkDown, LinkUp
from qws.runtime.clock import LoopClock
from tests.support.unreachable import UnreachableBroker

Outage = tuple[datetime, datetime]
_LOST, _DOUBLED = 0.02, 0.04  # of a hundred pushes two are lost, two come twice


class CutLine(UnreachableBroker):
    """Nobody can be reached within an outage, and what happens meanwhile is not pushed."""

    def __init__(self, exchange: SimExchange, clock: LoopClock, outages: Sequence[Outage], draw: Random) -> None:
        super().__init__(exchange, clock)
        self._loop_clock, self._outages, self._draw = clock, outages, draw
        self.faults = {"outages": 0, "pushes_lost": 0, "pushes_doubled": 0}

    async def events(self) -> AsyncIterator[BrokerEvent]:
        heard: asyncio.Queue[BrokerEvent] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        for cut, mended in self._outages:
            for moment, event in ((cut, LinkDown("the terminal is gone")), (mended, LinkUp())):
                wait_s = (moment - self._loop_clock.now()).total_seconds()
                if wait_s > 0:
                    loop.call_later(wait_s, heard.put_nowait, event)
        hearing = asyncio.create_task(self._hear(heard))
        try:
            while True:
                event = await heard.get()
                self.faults["outages"] += isinstance(event, LinkDown)
                yield event
        finally:
            hearing.cancel()

    async def _hear(self, heard: asyncio.Queue[BrokerEvent]) -> None:
        async for event in super().events():
            chance = self._draw.random()
            if self._is_out() or chance < _LOST:
                self.faults["pushes_lost"] += 1
                continue
            heard.put_nowait(event)
            if chance < _DOUBLED:
                self.faults["pushes_doubled"] += 1
                heard.put_nowait(event)

    def _is_out(self) -> bool:
        now = self._loop_clock.now()
        return any(cut <= now < mended for cut, mended in self._outages)
