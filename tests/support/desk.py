"""An order executor on its own: what it is told, what it tells, and new lives from its journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from actors.order_executor import OrderExecutor
from qws.domain.account import Snapshot
from qws.domain.execution_rules import ChaseRules, ExecutionRules, Release
from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.domain.plan import Plan
from qws.domain.rest import Absent
from qws.messages import (
    FillReceived,
    FillsReconciled,
    LinkReady,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    RebalanceDue,
    RunFinished,
    RunPaused,
)
from qws.runtime.message import Message
from tests.support.builders import (
    DAY,
    RUN,
    TARGET,
    HandClock,
    a_fill,
    a_plan,
    a_report,
    a_schedule,
    a_snapshot,
    at,
)
from tests.support.builders import (
    RULES as PLANNING,
)
from tests.support.outputs import Told, of, told

A, B, C, D = "600000.SH", "600004.SH", "600006.SH", "600007.SH"


RULES = ExecutionRules(
    sell_wait_s=60.0,
    buy_wait_s=120.0,
    cancel_wait_s=5.0,
    cash_reserve=Decimal(0),
    price_age_max_s=86_400.0,
    release=Release.STRICT,
    chase=ChaseRules(20.0, 0, Decimal("0.01")),
    absent=Absent.HOLD,
)


DUE = RebalanceDue(RUN, TARGET, DAY, 0, "schedule", at("09:30:03"))


@dataclass
class Desk:
    """An executor, its clock, and everything it was told and told: what a journal would hold."""

    clock: HandClock
    executor: OrderExecutor
    journal: list[Message] = field(default_factory=list)

    def tell(self, message: Message) -> list[Told]:
        self.journal.append(message)
        handler = getattr(self.executor, _method("on", message))
        answer = told(handler(message))
        self.journal += [each for each in answer if isinstance(each, Message)]
        return answer

    def report(
        self, order: OrderRequest, status: OrderStatus, traded: int = 0, order_id: str | None = None, message: str = ""
    ) -> list[Told]:
        return self.tell(OrderUpdated(a_report(order, status, traded, order_id, message)))

    def fill(self, order: OrderRequest, shares: int, number: int = 1) -> list[Told]:
        return self.tell(FillReceived(a_fill(order, shares, number)))

    def whole(self, order: OrderRequest) -> list[Told]:
        return [*self.fill(order, order.shares), *self.report(order, OrderStatus.SUCCEEDED, order.shares)]

    def reborn(self, upto: int | None = None) -> Desk:
        """A new life: what was journalled is recalled, timers are gone."""
        desk = a_desk(self.clock.now(), linked=False)
        desk.journal = self.journal[:upto]
        for message in desk.journal:
            recall = getattr(desk.executor, _method("recall", message), None)
            if recall is not None:
                recall(message)
        return desk


def _method(prefix: str, message: Message) -> str:
    name = type(message).__name__
    return prefix + "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


def a_desk(now: datetime | None = None, *, linked: bool = True, rules: ExecutionRules = RULES) -> Desk:
    clock = HandClock(now or at("10:00:00"))
    desk = Desk(clock, OrderExecutor(clock, a_schedule(), rules, PLANNING))
    if linked:
        desk.tell(LinkReady())
    return desk


def ready(plan: Plan) -> PlanReady:
    return PlanReady(plan)


def orders(answer: object) -> list[OrderRequest]:
    return [each.order for each in of(PlaceOrder, answer)]


def codes(answer: object) -> list[tuple[Side, str]]:
    return [(order.side, order.code) for order in orders(answer)]


def told_of_end(answer: list[Told]) -> RunFinished | RunPaused:
    """The one word about the end of an attempt: that of its run, or that it may go on."""
    ends = [each for each in answer if isinstance(each, RunFinished | RunPaused)]
    assert len(ends) == 1
    return ends[0]


def closed(desk: Desk, snapshot: Snapshot | None = None) -> RunFinished | RunPaused:
    return told_of_end(desk.tell(FillsReconciled(RUN, snapshot or a_snapshot("10000"))))


def end_of(desk: Desk, snapshot: Snapshot | None = None) -> RunFinished:
    """How the run ends, if nobody lets it go on."""
    word = closed(desk, snapshot)
    return word.end if isinstance(word, RunPaused) else word


BOTH = a_plan(sells={A: 1000, B: 1000}, buys={C: 1000, D: 500}, cash="0")
