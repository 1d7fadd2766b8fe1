"""Every message, in pipeline order: the table of contents of the system. A file becomes a target.
Facts are past tense, commands imperative, timers say Due or Overdue. Money is CNY, quantities are shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from qws.alert_messages import AlertAcknowledged as AlertAcknowledged
from qws.alert_messages import AlertRaised as AlertRaised
from qws.alert_messages import AlertsSettled as AlertsSettled
from qws.alert_messages import ChannelFailed as ChannelFailed
from qws.alert_messages import OutageDue as OutageDue
from qws.check_messages import DayReconciled as DayReconciled
from qws.check_messages import ReadinessChecked as ReadinessChecked
from qws.domain.account import Asset, Position, Snapshot
from qws.domain.plan import STOPS_ONLY, Plan
from qws.domain.rest import EXIT
from qws.domain.risk.rule import Breach
from qws.domain.schedule import Moment
from qws.domain.stops import Crossing
from qws.domain.targets import DayTarget, DroppedRow, Refusal, Weight
from qws.run_messages import AccountDue as AccountDue
from qws.run_messages import BuysOverdue as BuysOverdue
from qws.run_messages import CancelOrder as CancelOrder
from qws.run_messages import ChaseDue as ChaseDue
from qws.run_messages import ExecutionEnded as ExecutionEnded
from qws.run_messages import FillReceived as FillReceived
from qws.run_messages import FillsReconciled as FillsReconciled
from qws.run_messages import FollowUpDue as FollowUpDue
from qws.run_messages import LedgerDrift as LedgerDrift
from qws.run_messages import LinkLost as LinkLost
from qws.run_messages import LinkReady as LinkReady
from qws.run_messages import ListsDue as ListsDue
from qws.run_messages import ListsRead as ListsRead
from qws.run_messages import OrderSettled as OrderSettled
from qws.run_messages import OrderUpdated as OrderUpdated
from qws.run_messages import PlaceOrder as PlaceOrder
from qws.run_messages import PricesDue as PricesDue
from qws.run_messages import PricesTaken as PricesTaken
from qws.run_messages import RebalanceDue as RebalanceDue
from qws.run_messages import RunFinished as RunFinished
from qws.run_messages import RunPaused as RunPaused
from qws.run_messages import RunStopOrdered as RunStopOrdered
from qws.run_messages import SellsOverdue as SellsOverdue
from qws.run_messages import SendWindowDue as SendWindowDue
from qws.run_messages import StrayOrderSeen as StrayOrderSeen
from qws.run_messages import SweepDue as SweepDue
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
    """A file is a target for each of its `days`; the rows `dropped` and the sheets `unread` were left out."""

    target_id: str
    name: str
    path: str
    sha256: str
    at: datetime
    days: tuple[DayTarget, ...]
    dropped: tuple[DroppedRow, ...]
    unread: tuple[str, ...] = ()


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
    """The newest target of `day` is to be planned: `drop`, `schedule` (at `moment`), `manual`; or that of a run whose
    attempt `before` was cut (`recovery`) or left something (`follow_up`); a `stop` lets the run of `target` go on
    without a name, an `exit` is of no target and sells only what stops ended."""

    day: date
    trigger: str
    before: RunPaused | None = None
    moment: Moment | None = None
    target: str = ""

    @property
    def run_id(self) -> str:
        """The run that goes on, "" for a new one."""
        return self.before.run_id if self.before is not None else ""

    @property
    def target_id(self) -> str:
        """The target that goes on, or that no file wrote; "" for the newest one."""
        if self.before is not None:
            return self.before.end.target_id
        return STOPS_ONLY if self.trigger == EXIT else self.target


@dataclass(frozen=True, slots=True)
class StopTriggered(Message):
    """A held name crossed its stop: `rule` is stop_loss, take_profit or trailing_stop, `level` and `price` CNY per
    share. No target holds it from now on, until a later file names it for a later day."""

    day: date
    at: datetime
    code: str
    rule: str
    level: Decimal
    price: Decimal
    shares: int
    sellable: int

    @classmethod
    def of(cls, found: Crossing, at: datetime) -> StopTriggered:
        """What two looks have shown."""
        level = found.level.quantize(Decimal("0.0001"))
        return cls(at.date(), at, found.code, found.rule, level, found.price, found.shares, found.sellable)


@dataclass(frozen=True, slots=True)
class TargetWaits(Message):
    """A target starts at these moments, the first of each of its days; `idle` is a day of which none is left."""

    target_id: str
    moments: tuple[Moment, ...]
    idle: date | None


@dataclass(frozen=True, slots=True)
class RunMissed(Message):
    """A run of the schedule was due at `at` while nobody could start it, and is not made up for."""

    day: date
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EquityDue(Message):
    """The day is over: record what the account is worth."""

    day: date


@dataclass(frozen=True, slots=True)
class ControlOrdered(Message):
    """A person orders `halt`, `reduce_only` or `resume`, which survive restarts, `cancel` or `rebalance` (of today's
    newest target, or of `target_id`); or `approve` or `reject` of the held plan of `run_id`."""

    command: str
    by: str
    run_id: str = ""
    target_id: str = ""


@dataclass(frozen=True, slots=True)
class BackupDue(Message):
    """A backup is to be written to `path`; `ask` is the row of the control table that waits for an answer."""

    path: str
    by: str
    ask: int


@dataclass(frozen=True, slots=True)
class BackupEnded(Message):
    """A backup was made and read back, as `text` says, or was not, because of `problem`; `ask` 0: an automatic one."""

    at: datetime
    path: str
    ask: int
    text: str
    problem: str


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
class WeightsFixed(Message):
    """The weights that the changes of a delta lead to, once for all attempts; `day` is the target's, carried or not."""

    run_id: str
    target_id: str
    day: date
    weights: tuple[Weight, ...]


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
class PlanHeld(Message):
    """The plan breaks rules that a person may allow: nothing of it is sent before. A held preview is told early."""

    run_id: str
    attempt: int
    preview: bool
    breaches: tuple[Breach, ...]


@dataclass(frozen=True, slots=True)
class HoldOverdue(Message):
    """The day's last order time is here, and nobody allowed the held plan of this attempt."""

    run_id: str
    attempt: int


@dataclass(frozen=True, slots=True)
class PlanReady(Message):
    """The plan passed the risk guard and may be executed."""

    plan: Plan


@dataclass(frozen=True, slots=True)
class EquityRecorded(Message):
    """What the account was worth: `kind` is `close` (once a trading day) or `run` (once a run).

    `flow` is what deposits brought less what withdrawals took since the close before, in CNY; None where not known.
    """

    day: date
    at: datetime
    kind: str
    run_id: str
    asset: Asset
    positions: tuple[Position, ...]
    benchmark: Decimal | None
    flow: Decimal | None = None
