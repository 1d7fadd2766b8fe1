"""What is the account worth, and how much of it was brought or taken? Once a trading day, and once a run."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from qws.domain.account import does_not_add_up
from qws.domain.costs import Costs
from qws.domain.flows import Stand, flow_of, unexplained
from qws.domain.orders import Trade
from qws.errors import GatewayError
from qws.messages import EquityDue, EquityRecorded, FillReceived, RunFinished
from qws.ports import Broker, Clock, Quotes
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_BENCHMARK = "000001.SH"  # Shanghai composite (上证指数)
_COME_BACK_S = 60.0
_LAG = timedelta(seconds=15)  # no answer of a broker is older
_PATIENCE = 5  # a market that never closes may never stand still
_LOOKS = 5  # at an account that does not add up; one that never does is recorded as it is


class EquityRecorder(Actor):
    """Records total asset, cash and positions beside the benchmark; a missing benchmark stays a gap."""

    on_crash = "restart"

    def __init__(self, broker: Broker, quotes: Quotes, clock: Clock, costs: Costs) -> None:
        self._broker, self._quotes, self._clock, self._costs = broker, quotes, clock, costs
        self._closed: date | None = None
        self._before: Stand | None = None
        self._fills: list[Trade] = []
        self._tries = 0
        self._looks: tuple[date, int] = date.min, 0

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            self._closed, self._before = msg.day, Stand(msg.at, msg.asset, msg.positions)
            self._fills = [each for each in self._fills if each.at > msg.at]

    def recall_fill_received(self, msg: FillReceived) -> None:
        if self._before is not None:
            self._fills.append(msg.trade)

    on_fill_received = recall_fill_received

    async def on_equity_due(self, msg: EquityDue) -> EquityRecorded | Later[EquityDue] | None:
        if self._closed == msg.day:
            return None
        is_settled = not self._fills or self._clock.now() - self._fills[-1].at > _LAG
        if not is_settled and self._tries < _PATIENCE:  # an answer may not know the newest fill yet
            self._tries += 1
            return Later(_LAG.total_seconds(), msg)
        try:
            asset, positions = await self._broker.asset(), await self._broker.positions()
            if does_not_add_up(asset, positions) and self._may_look_again(msg.day):
                return Later(_COME_BACK_S, msg)
            benchmark = await self._quotes.index_close(_BENCHMARK, msg.day)
            now = Stand(self._clock.now(), asset, positions)
            flow = await self._flow(now) if is_settled else None
        except GatewayError:
            return Later(_COME_BACK_S, msg) if self._clock.now().date() == msg.day else None
        self._tries = 0
        record = EquityRecorded(msg.day, now.at, "close", "", asset, positions, benchmark, flow)
        self.recall_equity_recorded(record)
        return record

    def _may_look_again(self, day: date) -> bool:
        """A list may lack a name for a while; an account that never adds up is recorded as it is, that evening."""
        looks = self._looks[1] + 1 if self._looks[0] == day else 1
        self._looks = day, looks
        return looks <= _LOOKS and self._clock.now().date() == day

    def on_run_finished(self, msg: RunFinished) -> EquityRecorded | None:
        if msg.asset is None:
            return None
        return EquityRecorded(msg.day, msg.at, "run", msg.run_id, msg.asset, msg.positions, None)

    async def _flow(self, now: Stand) -> Decimal | None:
        """Deposits less withdrawals since the close before; the broker is asked only when our fills do not explain."""
        if self._before is None:
            return None
        found = unexplained(self._before, now, self._fills, self._costs)
        if not found.is_nothing:
            listed = await self._broker.trades()
            found = unexplained(self._before, now, (*self._fills, *listed), self._costs)
        if found.is_nothing:
            return Decimal(0)
        codes = {each.code for each in self._before.positions} | found.shares.keys()
        quotes = await self._quotes.quotes(sorted(codes))
        return flow_of(found, self._before, now, quotes)
