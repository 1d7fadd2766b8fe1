"""What is the account worth? Once a trading day after the close, and once a run."""

from __future__ import annotations

from datetime import date

from qws.errors import GatewayError
from qws.messages import EquityDue, EquityRecorded, RunFinished
from qws.ports import Broker, Clock, Quotes
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_BENCHMARK = "000001.SH"  # Shanghai composite (上证指数)
_COME_BACK_S = 60.0


class EquityRecorder(Actor):
    """Records total asset, cash and positions beside the benchmark; a missing benchmark stays a gap."""

    on_crash = "restart"

    def __init__(self, broker: Broker, quotes: Quotes, clock: Clock) -> None:
        self._broker, self._quotes, self._clock = broker, quotes, clock
        self._closed: date | None = None

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            self._closed = msg.day

    async def on_equity_due(self, msg: EquityDue) -> EquityRecorded | Later[EquityDue] | None:
        if self._closed == msg.day:
            return None
        try:
            asset, positions = await self._broker.asset(), await self._broker.positions()
            benchmark = await self._quotes.index_close(_BENCHMARK, msg.day)
        except GatewayError:
            return Later(_COME_BACK_S, msg) if self._clock.now().date() == msg.day else None
        self._closed = msg.day
        return EquityRecorded(msg.day, self._clock.now(), "close", "", asset, positions, benchmark)

    def on_run_finished(self, msg: RunFinished) -> EquityRecorded | None:
        if msg.asset is None:
            return None
        return EquityRecorded(msg.day, msg.at, "run", msg.run_id, msg.asset, msg.positions, None)
