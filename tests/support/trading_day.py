"""The planning and execution core over the paper exchange in virtual time, to be killed and started again at will."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import TypeVar

import anyio

from actors.broker_link import BrokerLink
from actors.equity_recorder import EquityRecorder
from actors.fill_tracker import FillTracker
from actors.market_clock import MarketClock
from actors.order_executor import OrderExecutor
from actors.planner import Planner
from actors.risk_guard import RiskGuard
from actors.run_follower import RunFollower
from actors.run_gate import RunGate
from actors.snapshotter import Snapshotter
from actors.stop_watcher import StopWatcher
from qws.config_risk import RiskSection
from qws.domain.account import Position
from qws.domain.execution_rules import ChaseRules, Release
from qws.domain.orders import LinkRules, OrderRequest
from qws.domain.planner import Sizing
from qws.domain.rest import Absent, FollowUps
from qws.errors import StoreError
from qws.gateways.sim.broker import PaperQuotes
from qws.gateways.sim.exchange import SimExchange
from qws.messages import (
    ControlOrdered,
    EquityRecorded,
    LedgerDrift,
    OrderSettled,
    RecordDisputed,
    RunMissed,
    SessionPhaseChanged,
    TargetAccepted,
    TargetWaits,
)
from qws.runtime.actor import Actor
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.runtime.message import Message
from qws.runtime.system import System
from tests.gateways.sim_rig import a_market, an_exchange
from tests.support.builders import DAY, RULES, a_schedule, at
from tests.support.desk import RULES as SLOW
from tests.support.faulty_broker import FaultyBroker
from tests.support.journals import MemoryJournal

EXECUTION = replace(
    SLOW,
    sell_wait_s=300.0,
    buy_wait_s=300.0,
    price_age_max_s=3.0,
    release=Release.PIPELINED,
    chase=ChaseRules(20.0, 3, Decimal("0.01")),
)
FOLLOW_UPS = FollowUps(3, 60.0)
ACCOUNT_S = 5.0
M = TypeVar("M", bound=Message)
_Script = TargetAccepted | ControlOrdered | OrderSettled


class Feeder(Actor):
    """Tells prepared messages at their times."""

    on_crash = "halt"

    def __init__(self, clock: LoopClock, script: Sequence[tuple[datetime, _Script]]) -> None:
        self._clock, self._script = clock, script

    async def source(self) -> AsyncIterator[_Script]:
        for when, message in self._script:
            await self._clock.sleep_until(when)
            yield message


class Listener(Actor):
    """Takes what nobody else here listens to."""

    on_crash = "halt"

    def on_session_phase_changed(self, msg: SessionPhaseChanged) -> None: ...

    def on_target_waits(self, msg: TargetWaits) -> None: ...

    def on_run_missed(self, msg: RunMissed) -> None: ...

    def on_ledger_drift(self, msg: LedgerDrift) -> None: ...

    def on_record_disputed(self, msg: RecordDisputed) -> None: ...

    def on_equity_recorded(self, msg: EquityRecorded) -> None: ...


@dataclass
class TradingDay:
    """One account, one journal, one exchange; as many lives of the system as a test wants, and trades `by_hand`."""

    script: Sequence[tuple[datetime, _Script]]
    positions: tuple[tuple[str, int, int], ...] = ()
    cash: Decimal = Decimal(1_000_000)
    seed: int = 7
    fault_rate: float = 0.0
    by_hand: Sequence[tuple[datetime, OrderRequest]] = ()
    day: date = DAY
    journal: MemoryJournal = field(default_factory=MemoryJournal)
    handed: list[OrderRequest] = field(default_factory=list)
    exchange: SimExchange = field(init=False)
    chance: Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = Random(f"{self.seed}:faults")
        start = at("08:00:00", self.day)
        self.exchange = an_exchange(a_market(seed=self.seed), start, cash=self.cash, positions=self.positions)

    def live(self, began: datetime, ended: datetime, *, dies_at_commit: int | None = None) -> datetime:
        """One life until `ended`, or until the disk fails at a commit; when it was over."""
        disk = MemoryJournal(broken_from=dies_at_commit, error=StoreError("the power is gone"))
        disk.batches = self.journal.batches

        async def life() -> datetime:
            clock = LoopClock(began)
            system = System(self._makers(clock, began, ended), clock=clock, journal=disk)
            for when, order in self.by_hand:
                if began <= when < ended:
                    asyncio.get_running_loop().call_later(
                        (when - began).total_seconds(), self.exchange.submit, order, when
                    )
            with anyio.move_on_after((ended - began).total_seconds()), suppress(StoreError):
                await system.run()
            return clock.now()

        return anyio.run(life, backend_options={"loop_factory": VirtualLoop})

    def told(self, kind: type[M]) -> list[M]:
        """What was journalled of one type."""
        return [envelope.body for envelope in self.journal.of(kind) if isinstance(envelope.body, kind)]

    def held(self, clock: str) -> dict[str, int]:
        """Shares by code."""
        positions: tuple[Position, ...] = self.exchange.positions(at(clock, self.day))
        return {position.code: position.shares for position in positions}

    def _makers(self, clock: LoopClock, began: datetime, ended: datetime) -> list[Callable[[], Actor]]:
        script = [entry for entry in self.script if began <= entry[0] < ended]
        schedule, market = a_schedule(), self.exchange.market
        broker = FaultyBroker(self.exchange, clock, self.handed, self.chance, self.fault_rate)
        quotes = PaperQuotes(market, market.bars, clock)
        return [
            lambda: Feeder(clock, script),
            lambda: MarketClock(clock, schedule, carries=False),
            lambda: RunGate(clock, schedule),
            lambda: RunFollower(clock, schedule, FOLLOW_UPS),
            lambda: Snapshotter(broker, quotes, clock),
            lambda: Planner(RULES, Sizing.AT_SEND, Absent.HOLD),
            lambda: RiskGuard(RiskSection(turnover_max=Decimal(3)).rules(), ()),
            lambda: StopWatcher(broker, quotes, clock, schedule, None),
            lambda: OrderExecutor(clock, schedule, EXECUTION, RULES),
            lambda: BrokerLink(broker, clock, schedule, LinkRules(3.0, 10.0)),
            lambda: FillTracker(broker, quotes, clock, RULES.costs, ACCOUNT_S),
            lambda: EquityRecorder(broker, quotes, clock, RULES.costs),
            Listener,
        ]
