"""Every message, in pipeline order: the table of contents of the system. A file becomes a target.
Facts are past tense, commands imperative, timers say Due or Overdue. Money is CNY, quantities are shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from qws.domain.account import Asset, Position, Snapshot
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.domain.plan import Outcome, Plan
from qws.domain.targets import DayTarget, DroppedRow, Refusal
from qws.runtime.message import Message


@dataclass(frozen=True, slots=True)
class WeightFileSettled(Message):
    """A finished file was claimed out of the inbox; `path` is where it lies now, `sha256` of the bytes read."""

    name: str
    path: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class TargetAccepted(Message):
    """A file is a target for each of its `days`; rows that were filtered are in `dropped`."""

    target_id: str
    name: str
    path: str
    sha256: str
    at: datetime
    days: tuple[DayTarget, ...]
    dropped: tuple[DroppedRow, ...]


@dataclass(frozen=True, slots=True)
class TargetRejected(Message):
    """A file was refused as a whole; nothing of it will ever trade."""

    name: str
    path: str
    sha256: str
    at: datetime
    refusals: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class SessionPhaseChanged(Message):
    """The trading day entered a phase (RULES.md section 7), or `holiday`, or `unknown` beyond the calendar."""

    day: date
    phase: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PlanningDue(Message):
    """The newest target of `day` should be planned: `drop`, `schedule`, `manual`, or `recovery` of a cut run."""

    day: date
    trigger: str


@dataclass(frozen=True, slots=True)
class RebalanceDue(Message):
    """Make the account hold `target_id` as of `day`. No order may leave before `send_at`."""

    run_id: str
    target_id: str
    day: date
    attempt: int
    trigger: str
    send_at: datetime


@dataclass(frozen=True, slots=True)
class EquityDue(Message):
    """The day is over: record what the account is worth."""

    day: date


@dataclass(frozen=True, slots=True)
class ControlOrdered(Message):
    """A person at the command line orders `halt`, `resume`, `cancel` or `rebalance`; a halt survives restarts."""

    command: str
    by: str


@dataclass(frozen=True, slots=True)
class SnapshotDue(Message):
    """It is this run's turn to look at the market; a preview is planned and shown, never sent."""

    run_id: str
    target_id: str
    day: date
    attempt: int
    preview: bool


@dataclass(frozen=True, slots=True)
class SnapshotTaken(Message):
    """Asset, positions, quotes and instrument records of one instant."""

    run_id: str
    target_id: str
    day: date
    attempt: int
    preview: bool
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class RecordDisputed(Message):
    """A record of the day differs from our dated tables in a field; orders obey the record. Values as text."""

    run_id: str
    code: str
    field: str
    record: str
    table: str


@dataclass(frozen=True, slots=True)
class PlanDrafted(Message):
    """The planner's proposal, before the risk guard."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class PlanRefused(Message):
    """Nothing of this attempt will be sent; `reason` is a stable code. A refused preview is planned again."""

    run_id: str
    attempt: int
    preview: bool
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class PlanReady(Message):
    """The plan passed the risk guard and may be executed."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class SendWindowDue(Message):
    """Orders of this run may leave from now on; a preview is sized again on fresh quotes."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class RunStopOrdered(Message):
    """End this run: send nothing more, cancel what works; `reason` is superseded, halted, cancelled or interrupted."""

    due: RebalanceDue
    reason: str


@dataclass(frozen=True, slots=True)
class PlaceOrder(Message):
    """The intent to send one order, journalled before the call; its tag is unique and derived."""

    run_id: str
    order: OrderRequest


@dataclass(frozen=True, slots=True)
class CancelOrder(Message):
    """Ask the broker to cancel; only the order's status tells whether it happened."""

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
class PositionDrift(Message):
    """The broker holds another number of shares than our fills explain."""

    run_id: str
    code: str
    ours: int
    theirs: int


@dataclass(frozen=True, slots=True)
class RunFinished(Message):
    """A run's end: completed, incomplete, refused or superseded; or interrupted by a restart, to be planned again.

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
        """The end of a run of which nothing was sent."""
        whose = due.run_id, due.target_id, due.day, due.attempt
        return cls(*whose, status, reason, text, at, None, (), (), Decimal(0), None)


@dataclass(frozen=True, slots=True)
class EquityRecorded(Message):
    """What the account was worth: `kind` is `close` (once a trading day) or `run` (once a run)."""

    day: date
    at: datetime
    kind: str
    run_id: str
    asset: Asset
    positions: tuple[Position, ...]
    benchmark: Decimal | None
