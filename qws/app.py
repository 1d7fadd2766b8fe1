"""The composition root: configuration, ports and a clock become a System. The only file that knows everyone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from actors.alerter import Alerter
from actors.archivist import Archive, Archivist
from actors.broker_link import BrokerLink
from actors.control_desk import ControlDesk, ControlTable
from actors.equity_recorder import EquityRecorder
from actors.file_watcher import FileWatcher, WatchSettings
from actors.fill_tracker import FillTracker
from actors.halt_watcher import HaltFolder, HaltWatcher
from actors.keeper import Keeper, Keeping
from actors.market_clock import MarketClock
from actors.notifier import Notifier
from actors.order_executor import OrderExecutor
from actors.planner import Planner
from actors.readiness import Readiness, Watch
from actors.reconciler import Reconciler
from actors.result_writer import Pages, ResultWriter
from actors.risk_guard import RiskGuard
from actors.run_follower import RunFollower
from actors.run_gate import RunGate
from actors.sheet_writer import Sheets, SheetWriter
from actors.snapshotter import Snapshotter
from actors.stop_watcher import StopWatcher
from actors.weight_validator import WeightValidator
from qws.alarms import Alarms
from qws.alert_text import notice_of, raised
from qws.arming import account_label
from qws.channels import notify_rules
from qws.config import Config
from qws.domain.alerts import Notice, Parcel
from qws.domain.allocator import AllocationRules
from qws.domain.costs import Costs
from qws.domain.execution_rules import ChaseRules, ExecutionRules
from qws.domain.legaliser import CageMargin
from qws.domain.market import Kind
from qws.domain.orders import LinkRules
from qws.domain.outbox import Outbox
from qws.domain.planner import PlanRules
from qws.domain.rest import FollowUps
from qws.domain.risk.weights import ROW_TOLERANCE
from qws.domain.rules import RuleBook
from qws.domain.schedule import Schedule
from qws.domain.stops import StopRules
from qws.domain.targets import Refusal, Row, TargetRules
from qws.gateways.files import FileLimits, read_rows
from qws.messages import WeightFileSettled
from qws.paper import fee_plan
from qws.ports import Broker, Calendar, Channel, Clock, Hints, Offload, Quotes
from qws.runtime.actor import Actor
from qws.runtime.system import System, Tap
from qws.store.horizon import HorizonJournal, RunJournal
from qws.store.inbox import InboxFolder

# Every actor, in pipeline order.
ACTORS: tuple[type[Actor], ...] = (
    FileWatcher,
    WeightValidator,
    MarketClock,
    RunGate,
    RunFollower,
    Snapshotter,
    Planner,
    RiskGuard,
    StopWatcher,
    OrderExecutor,
    BrokerLink,
    FillTracker,
    EquityRecorder,
    Archivist,
    ResultWriter,
    SheetWriter,
    ControlDesk,
    Keeper,
    HaltWatcher,
    Readiness,
    Reconciler,
    Alerter,
    Notifier,
)
SHARES, FUNDS = frozenset({Kind.STOCK, Kind.CDR}), frozenset({Kind.ETF, Kind.LOF})
# How often the control table is looked at: an order is a journalled message within 200 ms.
_CONTROL_LOOK_S = 0.15
_HALT_LOOK_S = 0.4  # a halt by file stops trading within 1 s


@dataclass(frozen=True, slots=True)
class Ports:
    """Every edge of the system; the same actors run on real and on simulated ones."""

    broker: Broker
    quotes: Quotes
    calendar: Calendar
    rules: RuleBook
    inbox: InboxFolder
    archive: Archive
    control: ControlTable | None
    offload: Offload
    hints: Hints | None
    keeping: Keeping | None = None
    halts: HaltFolder | None = None
    pages: Pages | None = None
    sheets: Sheets | None = None
    channels: tuple[Channel, ...] | None = None  # nobody is alerted of what is only played
    watch: Watch | None = None  # nor is anything checked before it opens, ...
    reconciles: bool = False  # ... or after it closed


def schedule_of(config: Config, calendar: Calendar) -> Schedule:
    """The times of a trading day."""
    section = config.schedule
    return Schedule(
        calendar,
        config.paper.always_open,
        section.plan_at,
        section.send_at,
        section.last_order_at,
        section.equity_at,
        section.listed,
        section.on_drop == "schedule",
        section.catch_up_s,
    )


def plan_rules(config: Config, rules: RuleBook) -> PlanRules:
    """How plans are made."""
    section = config.plan
    return PlanRules(
        rules,
        Costs(rules.fees, fee_plan(config)),
        section.sell_level,
        section.buy_level,
        section.quote_age_max_s,
        section.cash_reserve,
        SHARES | FUNDS if config.intake.allow_etf else SHARES,
        section.protected,
        AllocationRules(section.rounding, section.unplaced, section.drift_band, config.risk.weight_max),
        CageMargin(section.fresh_quote_s, section.cage_margin),
    )


def stop_rules(config: Config, planning: PlanRules) -> StopRules | None:
    """When a held name is to be sold whatever a target says; None when nobody wants that."""
    wanted = config.stops
    limits = wanted.stop_loss, wanted.take_profit, wanted.trailing_atr
    ours = planning.quote_age_max_s, planning.managed, planning.protected | config.risk.no_trades
    return StopRules(*limits, wanted.check_s, *ours) if any(limits) else None


def volume_days(config: Config) -> int:
    """Of how many sessions the average volume is wanted, 0 for none."""
    return config.risk.volume_days if config.risk.volume_max else 0


def target_rules(config: Config, limits: FileLimits) -> TargetRules:
    """What a weight file may hold; weights may exceed 1 by rounding only."""
    intake = config.intake
    return TargetRules(intake.allow_etf, intake.allow_empty, ROW_TOLERANCE, limits.rows_max, intake.unmarked)


def file_reader(inbox: InboxFolder, limits: FileLimits) -> Callable[[WeightFileSettled], list[Row] | Refusal]:
    """How a claimed file becomes rows; blocks, so it is called off the loop."""

    def read(file: WeightFileSettled) -> list[Row] | Refusal:
        content = inbox.read(file.path, file.sha256)
        return content if isinstance(content, Refusal) else read_rows(file.name, content, limits)

    return read


def makers(config: Config, ports: Ports, clock: Clock) -> list[Callable[[], Actor]]:
    """One maker per actor: a crash makes a fresh one."""
    schedule, planning = schedule_of(config, ports.calendar), plan_rules(config, ports.rules)
    again = config.execution
    follow_ups = FollowUps(again.follow_ups, again.follow_up_after_s)
    execution = ExecutionRules(
        config.execution.sell_wait_s,
        config.execution.buy_wait_s,
        config.execution.cancel_wait_s,
        config.plan.cash_reserve,
        max(config.plan.fresh_quote_s, 1.0),
        config.execution.release,
        ChaseRules(config.execution.chase_after_s, config.execution.chase_times, config.execution.slippage_max),
        config.execution.absent,
        config.risk.second_orders_max,
    )
    link = LinkRules(config.link.sweep_s, config.link.absent_after_s)
    risk = config.risk.rules()
    broker, quotes, limits = ports.broker, ports.quotes, FileLimits()
    watch = WatchSettings(config.intake.settle_ms, config.intake.in_place_settle_ms, config.intake.scan_s)
    targets, read = target_rules(config, limits), file_reader(ports.inbox, limits)
    return [
        lambda: FileWatcher(ports.inbox, clock, watch, ports.offload, ports.hints),
        lambda: WeightValidator(clock, schedule, targets, read, ports.offload),
        lambda: MarketClock(clock, schedule, carries=config.execution.carry),
        lambda: RunGate(clock, schedule),
        lambda: RunFollower(clock, schedule, follow_ups),
        lambda: Snapshotter(broker, quotes, clock, volume_days(config)),
        lambda: Planner(planning, config.plan.sizing, config.execution.absent, config.risk.scale_down()),
        lambda: RiskGuard(risk, config.risk.hold),
        lambda: StopWatcher(broker, quotes, clock, schedule, stop_rules(config, planning)),
        lambda: OrderExecutor(clock, schedule, execution, planning),
        lambda: BrokerLink(broker, clock, schedule, link),
        lambda: FillTracker(broker, quotes, clock, planning.costs, config.link.account_s),
        lambda: EquityRecorder(broker, quotes, clock, planning.costs),
        lambda: Archivist(ports.archive, ports.offload),
        lambda: ResultWriter(ports.pages, ports.offload, clock),
        lambda: SheetWriter(ports.sheets, ports.offload),
        lambda: ControlDesk(ports.control, clock, _CONTROL_LOOK_S),
        lambda: Keeper(ports.keeping, clock, config.keep.backup_days),
        lambda: HaltWatcher(ports.halts, clock, ports.offload, _HALT_LOOK_S),
        lambda: Readiness(ports.watch, clock, schedule, ports.calendar, config.checks.readiness()),
        lambda: Reconciler(
            broker if ports.reconciles else None, clock, ports.calendar, planning.costs, config.checks.reconcile_at
        ),
        *notifying(config, ports, clock),
    ]


def notifying(config: Config, ports: Ports, clock: Clock) -> list[Callable[[], Actor]]:
    """Who tells people: without a channel alerts are raised, and nobody is sent them."""
    rules, lanes = notify_rules(config), {each.name: each for each in ports.channels or ()}
    schedule, routes = schedule_of(config, ports.calendar), rules.routes if lanes else {}
    is_heard = ports.channels is not None
    label = config.notify.label or account_label(config)

    def message(parcel: Parcel, size_max: int, now: datetime) -> Notice:
        return notice_of(parcel, size_max, label, now)

    return [
        lambda: Alerter(Alarms(schedule) if is_heard else None, clock, routes, rules.link_lost_s, raised),
        lambda: Notifier(lanes, Outbox(lanes.values(), rules), message, clock),
    ]


def build(config: Config, ports: Ports, clock: Clock, journal: RunJournal, taps: Sequence[Tap]) -> System:
    """The whole system, wired and ready to run. Raises WiringError when the messages do not form a closed graph."""
    return System(makers(config, ports, clock), clock=clock, journal=HorizonJournal(journal), taps=taps)
