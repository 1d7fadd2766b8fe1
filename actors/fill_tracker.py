"""Do our books and the broker's agree? The account's ledger, compared while a run is on and when it has ended."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from qws.domain.account import Asset, Look, Position, Snapshot
from qws.domain.account_ledger import AccountLedger, Comparison
from qws.domain.costs import Costs
from qws.errors import GatewayError
from qws.messages import (
    AccountDue,
    ExecutionEnded,
    FillReceived,
    FillsReconciled,
    LedgerDrift,
    LinkReady,
    OrderUpdated,
    PlaceOrder,
    RunFinished,
    SnapshotTaken,
)
from qws.ports import Broker, Clock, Quotes
from qws.runtime.actor import Actor
from qws.runtime.message import Later, Stopping

LAG_S = 15.0  # no answer of a broker is older
_TRIES = 2
_TRY_AGAIN_S = 1.0
_OPEN_MAX_S = 2 * LAG_S  # the end of a run waits so long for answers that agree
_COME_BACK_S = 30.0
_Again = Later[AccountDue]


class FillTracker(Actor):
    """Keeps the ledger of the account from our own orders and fills, and tells what the broker sees otherwise."""

    on_crash = "halt"

    def __init__(self, broker: Broker, quotes: Quotes, clock: Clock, costs: Costs, account_s: float) -> None:
        self._broker, self._quotes, self._clock, self._account_s = broker, quotes, clock, account_s
        self._ledger = AccountLedger(costs, LAG_S)
        self._attempt, self._is_on = ("", 0), False
        self._not_before: datetime | None = None  # after a crash of this actor there may be two timers
        self._ended_at: datetime | None = None

    def recall_snapshot_taken(self, msg: SnapshotTaken) -> None:
        if not msg.preview:
            self._ledger.begin(msg.snapshot, self._clock.now())
            self._attempt, self._is_on = (msg.run_id, msg.attempt), False

    def recall_place_order(self, msg: PlaceOrder) -> None:
        self._ledger.intend(msg.order, self._clock.now())
        self._is_on = True

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._ledger.note_order(msg.order, self._clock.now())

    def recall_fill_received(self, msg: FillReceived) -> None:
        self._ledger.note_fill(msg.trade, self._clock.now())

    def recall_ledger_drift(self, msg: LedgerDrift) -> None:
        self._ledger.note_told(msg.code, msg.explanation, msg.theirs - msg.ours)

    def recall_execution_ended(self, msg: ExecutionEnded) -> None:
        self._is_on = self._is_on and msg.run_id != self._attempt[0]

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._is_on = self._is_on and (msg.run_id, msg.attempt) != self._attempt

    def on_stopping(self, msg: Stopping) -> None:
        self._is_on = False

    on_snapshot_taken = recall_snapshot_taken
    on_order_updated = recall_order_updated
    on_fill_received = recall_fill_received
    on_run_finished = recall_run_finished

    def on_place_order(self, msg: PlaceOrder) -> _Again | None:
        """The first order of a run leaves: from now on the account is looked at."""
        is_first = not self._is_on
        self.recall_place_order(msg)
        return self._again() if is_first else None

    def on_link_ready(self, msg: LinkReady) -> _Again | None:
        """Timers die with a process: the looks of a run that an earlier life began go on."""
        return self._again() if self._is_on and self._not_before is None else None

    async def on_account_due(self, msg: AccountDue) -> list[LedgerDrift | _Again]:
        now = self._clock.now()
        is_one_too_many = self._not_before is not None and now < self._not_before
        is_meant = self._is_on and (msg.run_id, msg.attempt) == self._attempt and self._ledger.is_of(now)
        if is_one_too_many or not is_meant:
            return []
        drifts: list[LedgerDrift] = []
        with suppress(GatewayError):  # no information is no difference
            asset, positions = await self._broker.asset(), await self._broker.positions()
            drifts = self._told(await self._compared(asset, positions))
        return [*drifts, self._again()]

    async def on_execution_ended(
        self, msg: ExecutionEnded
    ) -> list[FillsReconciled | LedgerDrift | Later[ExecutionEnded]]:
        """The run has ended when the answers are of now and agree, or when no answer can be older any more."""
        self.recall_execution_ended(msg)
        self._ended_at = self._ended_at or self._clock.now()
        drifts: list[LedgerDrift] = []
        end, agrees = None, False
        for attempt in range(_TRIES):
            if attempt:
                await self._clock.sleep(_TRY_AGAIN_S)
            with suppress(GatewayError):
                asset, positions = await self._broker.asset(), await self._broker.positions()
                codes = sorted({*msg.codes, *(position.code for position in positions)})
                quotes = tuple((await self._quotes.quotes(codes)).values())
                end = Snapshot(self._clock.now(), asset, positions, quotes, ())
                found = await self._compared(asset, positions)
                drifts, agrees = drifts + self._told(found), found.agrees
                if agrees:
                    break
        is_over = (self._clock.now() - self._ended_at).total_seconds() > _OPEN_MAX_S
        if end is not None and not agrees and not is_over:
            return [*drifts, Later(_TRY_AGAIN_S, msg)]
        self._ended_at = None
        return [*drifts, Later(_COME_BACK_S, msg) if end is None else FillsReconciled(msg.run_id, end)]

    async def _compared(self, asset: Asset, positions: tuple[Position, ...]) -> Comparison:
        """The lists are read last: what they know of our orders and we do not, asset and positions may know too."""
        orders, trades = await self._broker.orders(), await self._broker.trades()
        return self._ledger.compare(Look(self._clock.now(), asset, positions, orders, trades))

    def _told(self, found: Comparison) -> list[LedgerDrift]:
        run_id, attempt = self._attempt
        return [LedgerDrift(run_id, attempt, *drift) for drift in found.drifts]

    def _again(self) -> _Again:
        self._not_before = self._clock.now() + timedelta(seconds=self._account_s / 2)
        return Later(self._account_s, AccountDue(*self._attempt))
