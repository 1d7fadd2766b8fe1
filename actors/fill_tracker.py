"""Do our books and the broker's agree? Our own ledger of fills, compared when a run has ended."""

from __future__ import annotations

from collections import Counter

from qws.domain.account import Position, Snapshot
from qws.domain.market import Side
from qws.errors import GatewayError
from qws.messages import ExecutionEnded, FillReceived, FillsReconciled, PositionDrift, SnapshotTaken
from qws.ports import Broker, Clock, Quotes
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_TRIES = 5
_TRY_AGAIN_S = 1.0
_COME_BACK_S = 30.0


class FillTracker(Actor):
    """Keeps positions from fills; broker queries lag, so a difference counts only when it stays."""

    on_crash = "restart"

    def __init__(self, broker: Broker, quotes: Quotes, clock: Clock) -> None:
        self._broker, self._quotes, self._clock = broker, quotes, clock
        self._ours: Counter[str] = Counter()

    def recall_snapshot_taken(self, msg: SnapshotTaken) -> None:
        self._ours = Counter({position.code: position.shares for position in msg.snapshot.positions})

    def recall_fill_received(self, msg: FillReceived) -> None:
        trade = msg.trade
        self._ours[trade.code] += trade.shares if trade.side is Side.BUY else -trade.shares

    def on_snapshot_taken(self, msg: SnapshotTaken) -> None:
        self.recall_snapshot_taken(msg)

    def on_fill_received(self, msg: FillReceived) -> None:
        self.recall_fill_received(msg)

    async def on_execution_ended(
        self, msg: ExecutionEnded
    ) -> list[FillsReconciled | PositionDrift] | Later[ExecutionEnded]:
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(_TRY_AGAIN_S)
            try:
                asset, positions = await self._broker.asset(), await self._broker.positions()
                quotes = await self._quotes.quotes(sorted({*msg.codes, *(position.code for position in positions)}))
            except GatewayError:
                continue
            drifts = self._drifts(msg.run_id, positions)
            if not drifts or attempt == _TRIES - 1:
                end = Snapshot(self._clock.now(), asset, positions, tuple(quotes.values()), ())
                return [*drifts, FillsReconciled(msg.run_id, end)]
        return Later(_COME_BACK_S, msg)

    def _drifts(self, run_id: str, positions: tuple[Position, ...]) -> list[PositionDrift]:
        theirs = {position.code: position.shares for position in positions}
        codes = sorted(theirs.keys() | {code for code, shares in self._ours.items() if shares})
        return [
            PositionDrift(run_id, code, self._ours[code], theirs.get(code, 0))
            for code in codes
            if self._ours[code] != theirs.get(code, 0)
        ]
