"""The risk guard: what passes, what is refused, held and cut, and what it remembers over restarts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from actors.risk_guard import RiskGuard
from qws.config_risk import RiskSection
from qws.domain.market import Side
from qws.domain.orders import OrderStatus
from qws.domain.plan import Plan
from qws.messages import (
    CancelOrder,
    ControlOrdered,
    EquityRecorded,
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    PlanHeld,
    PlanReady,
    PlanRefused,
    RunFinished,
    SnapshotTaken,
)
from qws.runtime.actor import snake_case
from qws.runtime.message import Message
from tests.support.builders import (
    DAY,
    NEXT_DAY,
    RUN,
    TARGET,
    a_due,
    a_plan,
    a_quote,
    a_report,
    a_snapshot,
    an_asset,
    an_order,
    at,
)  # fmt: skip

A, B, C = "600000.SH", "600004.SH", "600006.SH"


@dataclass
class Rig:
    """A guard, and everything told to it and by it, as a journal holds it."""

    risk: dict[str, object]
    journal: list[Message] = field(default_factory=list)
    actor: RiskGuard = field(init=False)

    def __post_init__(self) -> None:
        section = RiskSection.model_validate(self.risk)
        self.actor = RiskGuard(section.rules(), section.hold)
        for message in self.journal:
            recall = getattr(self.actor, f"recall_{snake_case(type(message).__name__)}", None)
            if recall is not None:
                recall(message)

    def tell(self, *messages: Message) -> list[Message]:
        answers: list[Message] = []
        for message in messages:
            self.journal.append(message)
            answers = list(getattr(self.actor, f"on_{snake_case(type(message).__name__)}")(message) or ())
            self.journal += answers
        return answers

    def judge(self, plan: Plan) -> list[Message]:
        return self.tell(PlanDrafted(plan))

    def reborn(self) -> Rig:
        return Rig(self.risk, list(self.journal))


def weighted(*weights: str) -> Plan:
    plan = a_plan(buys={f"60000{n}.SH": 100 for n in range(len(weights))}, cash="1000")
    rows = tuple(replace(row, weight=Decimal(weight)) for row, weight in zip(plan.rows, weights, strict=True))
    return replace(plan, rows=rows)


def closed(total: str, flow: str | None = None) -> EquityRecorded:
    paid_in = Decimal(flow) if flow is not None else None
    return EquityRecorded(DAY, at("15:10:00"), "close", "", an_asset(total), (), None, paid_in)


LIMITS = {"weight_max": "0.3", "turnover_max": "1.0", "orders_max": 3}
PLAN = a_plan(buys={A: 1000, B: 1000}, cash="1000000")  # 2 % of total asset


@pytest.mark.parametrize(
    ("plan", "reason"),
    [
        (weighted("0.3", "0.3"), None),
        (weighted("0.31"), "single_name"),
        (weighted("0.3", "0.3", "0.3", "0.11"), "sum_over_one"),
        (weighted(*["0.250002"] * 4), "sum_over_one"),
        (weighted(*["0.250001"] * 4), "order_count"),
        (replace(weighted("0.3"), total_asset=Decimal(0)), "account_insane"),
        (replace(weighted("0.3"), cash=Decimal("-0.01")), "account_insane"),
        (replace(weighted("0.3"), total_asset=Decimal(999)), "turnover"),
        (replace(weighted("0.3"), total_asset=Decimal(1000)), None),
        (weighted("0.1", "0.1", "0.1", "0.1"), "order_count"),
        (a_plan(), None),
    ],
)
def test_worked_table_of_vetoes(plan: Plan, reason: str | None) -> None:
    (answer,) = Rig(LIMITS).judge(plan)

    assert (answer.reason if isinstance(answer, PlanRefused) else None) == reason


def test_a_plan_within_the_limits_passes_unchanged_and_one_beyond_is_refused_as_a_whole() -> None:
    rig, good = Rig(LIMITS), weighted("0.3")

    assert rig.judge(good) == [PlanReady(good)]
    (refused,) = rig.judge(weighted("0.31"))
    assert isinstance(refused, PlanRefused)
    assert (refused.run_id, refused.reason) == (RUN, "single_name")
    assert "600000.SH weighs 0.31" in refused.text


HELD = {"turnover_max": "0.01", "hold": ["turnover"]}


def rules_of(answer: Sequence[Message]) -> list[str]:
    (held,) = answer
    assert isinstance(held, PlanHeld)
    return [each.rule for each in held.breaches]


def test_a_held_plan_passes_when_it_was_approved_for_its_run_also_after_a_restart() -> None:
    rig = Rig(HELD)
    assert rules_of(rig.judge(PLAN)) == ["turnover"]
    assert rules_of(rig.judge(PLAN)) == ["turnover"]
    assert rules_of(rig.reborn().judge(PLAN)) == ["turnover"]

    rig.tell(ControlOrdered("approve", "me", RUN))

    assert rig.judge(PLAN) == rig.reborn().judge(PLAN) == [PlanReady(PLAN)]
    other = replace(PLAN, run_id="20261119-bbbbbb")
    assert rules_of(rig.judge(other)) == ["turnover"]


@pytest.mark.parametrize(
    "answer", [ControlOrdered("reject", "me", RUN), ControlOrdered("approve", "me", "x"), ControlOrdered("resume", "")]
)
def test_nothing_but_the_approval_of_the_run_lets_it_go(answer: ControlOrdered) -> None:
    rig = Rig(HELD)
    rig.judge(PLAN)
    rig.tell(answer)

    assert rules_of(rig.judge(PLAN)) == ["turnover"]


def test_an_approval_before_anybody_was_asked_allows_nothing() -> None:
    rig = Rig(HELD)
    rig.tell(ControlOrdered("approve", "me", RUN))

    assert rules_of(rig.judge(PLAN)) == ["turnover"]


def test_an_approved_run_that_grew_is_asked_about_again() -> None:
    rig = Rig(HELD)
    rig.judge(PLAN)
    rig.tell(ControlOrdered("approve", "me", RUN))

    assert rules_of(rig.judge(a_plan(buys={A: 2000, B: 1000}, cash="1000000"))) == ["turnover"]


def test_the_end_of_a_run_ends_its_approval() -> None:
    rig = Rig(HELD)
    rig.judge(PLAN)
    end = RunFinished.without_trades(a_due(), "refused", "halted", "", at("10:00:00"))
    rig.tell(ControlOrdered("approve", "me", RUN), end)

    assert rules_of(rig.judge(PLAN)) == rules_of(rig.reborn().judge(PLAN)) == ["turnover"]


def test_only_sells_pass_after_reduce_only_until_a_resume_also_after_a_restart() -> None:
    rig, plan = Rig({}), a_plan(sells={A: 100}, buys={B: 100})
    rig.tell(ControlOrdered("reduce_only", "me"))

    for guard in (rig, rig.reborn()):
        (ready,) = guard.judge(plan)
        assert isinstance(ready, PlanReady)
        assert {row.code: row.shares for row in ready.plan.rows} == {A: 100, B: 0}
        assert ready.plan.rows[1].reason == "reduce_only"
    rig.tell(ControlOrdered("resume", "me"))
    assert rig.judge(plan) == rig.reborn().judge(plan) == [PlanReady(plan)]


def test_the_count_of_the_day_survives_a_restart_and_ends_with_the_day() -> None:
    rig = Rig({"day_orders_max": 4})
    rig.tell(PlaceOrder(RUN, an_order(C), at("10:00:03")), CancelOrder(RUN, an_order(C).tag, "7"))
    rig.tell(OrderUpdated(a_report(an_order(C), OrderStatus.CANCELED)))
    assert rig.judge(PLAN) == [PlanReady(PLAN)]

    late = an_order(C, index=1)
    rig.tell(PlaceOrder(RUN, late, at("10:00:03")), OrderUpdated(a_report(late, OrderStatus.CANCELED)))
    for guard in (rig, rig.reborn()):
        (refused,) = guard.judge(PLAN)
        assert isinstance(refused, PlanRefused)
        assert refused.reason == "day_orders"
    tomorrow = a_plan(buys={A: 1000}, cash="1000000", when=at("10:00:00", NEXT_DAY))
    assert rig.judge(tomorrow) == [PlanReady(tomorrow)]


@pytest.mark.parametrize(("side", "reason"), [(Side.BUY, "duplicate_order"), (Side.SELL, "self_trade")])
def test_a_name_of_which_an_order_works_is_left_alone_until_that_has_ended(side: Side, reason: str) -> None:
    rig, order = Rig({}), an_order(A, side)
    rig.tell(PlaceOrder("another", order, at("10:00:03")), OrderUpdated(a_report(order, OrderStatus.REPORTED)))

    for guard in (rig, rig.reborn()):
        (ready,) = guard.judge(PLAN)
        assert isinstance(ready, PlanReady)
        assert [(row.code, row.shares, row.reason) for row in ready.plan.rows] == [(A, 0, reason), (B, 1000, "")]
    rig.tell(OrderUpdated(a_report(order, OrderStatus.CANCELED)))
    assert rig.judge(PLAN) == [PlanReady(PLAN)]


def test_a_drawdown_stops_the_buying_until_a_person_resumes() -> None:
    rig = Rig({"drawdown_max": "0.1"})
    rig.tell(closed("1200000"), closed("1050000"))

    for guard in (rig, rig.reborn()):
        (ready,) = guard.judge(PLAN)
        assert isinstance(ready, PlanReady)
        assert {row.reason for row in ready.plan.rows} == {"drawdown"}
    rig.tell(ControlOrdered("resume", "me"))
    assert rig.judge(PLAN) == rig.reborn().judge(PLAN) == [PlanReady(PLAN)]


def test_a_daily_loss_can_halt_but_a_preview_never_does() -> None:
    rig = Rig({"day_loss_max": "0.05", "loss_then": "halt"})
    rig.tell(closed("900000"), closed("1100000"))

    answer = rig.judge(PLAN)
    assert [type(each) for each in answer] == [PlanRefused, ControlOrdered]
    assert answer[1] == ControlOrdered("halt", "risk_guard: day_loss")
    assert [type(each) for each in rig.judge(replace(PLAN, preview=True))] == [PlanRefused]


@pytest.mark.parametrize(
    ("closes", "is_lost"),
    [
        ((closed("1500000"), closed("1000000", "-500000")), False),
        ((closed("1500000"), closed("1000000", "0")), True),
        ((closed("1500000"), closed("1000000")), True),
        ((closed("700000"), closed("1000000", "500000")), True),
        ((closed("700000"), closed("1000000", "300000")), False),
        ((closed("900000", "5000000"), closed("1000000", "0")), False),
    ],
)
def test_money_that_was_taken_out_or_paid_in_is_neither_lost_nor_won(
    closes: tuple[EquityRecorded, ...], *, is_lost: bool
) -> None:
    rig = Rig({"drawdown_max": "0.1", "loss_then": "halt"})
    rig.tell(*closes)

    for guard in (rig, rig.reborn()):
        assert (type(guard.judge(PLAN)[0]) is PlanRefused) == is_lost


@pytest.mark.parametrize("rule", ["drawdown_max", "day_loss_max"])
def test_a_resume_takes_the_loss_as_it_is_and_counts_the_next_one_from_there(rule: str) -> None:
    rig = Rig({rule: "0.05", "loss_then": "halt"})
    rig.tell(closed("1100000"))
    assert type(rig.judge(PLAN)[0]) is PlanRefused
    rig.tell(ControlOrdered("resume", "me"))

    for guard in (rig.reborn(), rig):
        assert guard.judge(PLAN) == [PlanReady(PLAN)]
        fallen = replace(PLAN, total_asset=PLAN.total_asset * Decimal("0.94"))
        assert type(guard.judge(fallen)[0]) is PlanRefused


def test_prices_are_judged_by_the_snapshot_that_the_plan_was_made_of() -> None:
    rig, far = Rig({"last_distance_max": "0.05"}), a_quote(A, "20.00")
    rig.tell(SnapshotTaken(RUN, TARGET, DAY, 0, False, a_snapshot("1000000", quotes=(far,))))

    (ready,) = rig.judge(PLAN)
    assert isinstance(ready, PlanReady)
    assert [row.reason for row in ready.plan.rows] == ["far_from_last", ""]
    other = replace(PLAN, run_id="20261119-bbbbbb")
    assert rig.judge(other) == [PlanReady(other)]
