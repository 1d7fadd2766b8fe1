"""The messages of a run, in pipeline order: its turn, orders, fills, its end. `qws.messages` has them all.
Facts are past tense, commands imperative, timers say Due or Overdue. Money is CNY, quantities are shares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from qws.domain.account import Asset, Position, Snapshot
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, Stray, Trade
from qws.domain.plan import Outcome
from qws.domain.rest import FOLLOW_UP, SoFar
from qws.domain.schedule import Moment
from qws.runtime.message import Message


@dataclass(frozen=True, slots=True)
class RebalanceDue(Message):
    """Make the account hold `target_id` as of `day`. No order may leave before `send_at`.

    A run's further attempts tell how the one `before` ended; `moment` is that of the schedule which this run serves.
    """

    run_id: str
    target_id: str
    day: date
    attempt: int
    trigger: str
    send_at: datetime
    before: RunPaused | None = None
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class SendWindowDue(Message):
    """Orders of this run may leave from now on; a preview is sized again on fresh quotes."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class PricesDue(Message):
    """The plan's quotes are too old to send by: read those of `codes` again."""

    run_id: str
    attempt: int
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PricesTaken(Message):
    """Quotes and records of this instant; a code without them is not sent."""

    run_id: str
    attempt: int
    codes: tuple[str, ...]
    at: datetime
    quotes: tuple[Quote, ...]
    instruments: tuple[Instrument, ...]


@dataclass(frozen=True, slots=True)
class FollowUpDue(Message):
    """The pause is over after which what is left of a run is planned again."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunStopOrdered(Message):
    """End this run: send nothing more, cancel what works; `reason` is superseded, halted, cancelled or interrupted."""

    due: RebalanceDue
    reason: str


@dataclass(frozen=True, slots=True)
class PlaceOrder(Message):
    """The intent to send one order, journalled before the call; its tag is unique and derived.

    An order that still waits at `good_until` is not handed over any more: its price is of another moment.
    """

    run_id: str
    order: OrderRequest
    good_until: datetime


@dataclass(frozen=True, slots=True)
class CancelOrder(Message):
    """Ask the broker to cancel; only the order's status tells whether it happened.

    `run_id` is "" when no run asks for it: nobody wants the order any more.
    """

    run_id: str
    tag: str
    order_id: str


@dataclass(frozen=True, slots=True)
class OrderUpdated(Message):
    """What is known of an order of ours changed; status UNKNOWN when nobody can say what became of it."""

    order: BrokerOrder


@dataclass(frozen=True, slots=True)
class FillReceived(Message):
    """An order of ours traded; each fill is told once."""

    trade: Trade


@dataclass(frozen=True, slots=True)
class StrayOrderSeen(Message):
    """A row of the broker's list is ours and should not be there: it is cancelled, and all but a ghost halt trading."""

    stray: Stray


@dataclass(frozen=True, slots=True)
class OrderSettled(Message):
    """A person says what became of an order of which nothing is known: its id at the broker, "" if it never arrived."""

    tag: str
    order_id: str
    by: str


@dataclass(frozen=True, slots=True)
class SweepDue(Message):
    """Read the broker's order and trade lists: pushes are hints, lists are the truth."""


@dataclass(frozen=True, slots=True)
class LinkLost(Message):
    """The broker does not answer; nothing is sent until it is ready again."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkReady(Message):
    """The broker answers and its lists have been read."""


@dataclass(frozen=True, slots=True)
class SellsOverdue(Message):
    """The sells had their time: cancel what is left of them."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class BuysOverdue(Message):
    """The buys had their time: cancel what is left of them."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ChaseDue(Message):
    """Look for orders that rest: cancel what a price of now would improve, and send the rest of it again."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class ListsDue(Message):
    """Orders were cancelled for a better price and have ended: read the lists once more before the rest is sent."""

    run_id: str
    attempt: int
    look: int


@dataclass(frozen=True, slots=True)
class ListsRead(Message):
    """The broker's lists were read, and what they told is told."""

    run_id: str
    attempt: int
    look: int


@dataclass(frozen=True, slots=True)
class ExecutionEnded(Message):
    """Every order of the run has come to its end; the books can be compared."""

    run_id: str
    day: date
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FillsReconciled(Message):
    """The broker's account after the run, and the last quotes."""

    run_id: str
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class AccountDue(Message):
    """Look at the account while this run is on: does the broker see what our fills explain?"""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class LedgerDrift(Message):
    """The broker's account differs from our books, and stays so: shares of `code`, or CNY for the code "".

    `explanation` is manual_trade, manual_order, transfer, dividend, fees or unexplained.
    """

    run_id: str
    attempt: int
    code: str
    ours: Decimal
    theirs: Decimal
    explanation: str


@dataclass(frozen=True, slots=True)
class RunFinished(Message):
    """The one end of a run, and what all its attempts did: completed, incomplete, refused or superseded.

    `tracking_error` is half the sum of absolute differences between achieved and wanted weights, cash included.
    """

    run_id: str
    target_id: str
    day: date
    attempt: int
    status: str
    reason: str
    text: str
    at: datetime
    asset: Asset | None
    positions: tuple[Position, ...]
    outcomes: tuple[Outcome, ...]
    fees: Decimal
    tracking_error: Decimal | None

    @classmethod
    def without_trades(cls, due: RebalanceDue, status: str, reason: str, text: str, at: datetime) -> RunFinished:
        """The end of a run by an attempt of which nothing was sent; what earlier ones did stays."""
        if due.before is not None:
            return replace(due.before.ended(status, reason, text, at), attempt=due.attempt)
        whose = due.run_id, due.target_id, due.day, due.attempt
        return cls(*whose, status, reason, text, at, None, (), (), Decimal(0), None)


@dataclass(frozen=True, slots=True)
class RunPaused(Message):
    """An attempt has ended and its run may go on: a restart cut it (interrupted), or something is left (follow_up).

    `end` is how the run ends unless it goes on, `follow_ups` counts this one, `was_sent`: whether any order ever left.
    """

    reason: str
    follow_ups: int
    was_sent: bool
    end: RunFinished

    @classmethod
    def without_trades(cls, due: RebalanceDue, reason: str, end: RunFinished) -> RunPaused:
        """The pause after an attempt of which nothing was sent."""
        before = due.before.so_far if due.before is not None else SoFar()
        return cls(reason, before.follow_ups + (reason == FOLLOW_UP), before.was_sent, end)

    @property
    def run_id(self) -> str:
        """The run that goes on."""
        return self.end.run_id

    @property
    def attempt(self) -> int:
        """The attempt that has ended."""
        return self.end.attempt

    @property
    def so_far(self) -> SoFar:
        """What the run's attempts did until now."""
        return SoFar(self.follow_ups, self.was_sent, self.end.outcomes, self.end.fees)

    def ended(self, status: str, reason: str, text: str, at: datetime) -> RunFinished:
        """How the run ends for this reason; once an order of it left it is not refused but incomplete."""
        known = "incomplete" if status == "refused" and self.was_sent else status
        return replace(self.end, status=known, reason=reason, text=text, at=at)
