"""What a delta leads to is fixed once and journalled before anything is sent; an expired target is not started."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from actors.planner import Planner
from qws.config_risk import RiskSection
from qws.domain.account import Snapshot
from qws.domain.market import Side
from qws.domain.orders import OrderStatus, Stray
from qws.domain.plan import Plan
from qws.domain.planner import Sizing
from qws.domain.rest import STOP, Absent
from qws.domain.risk.judge import judge
from qws.domain.risk.memory import RiskMemory
from qws.domain.target_modes import LEFT_ALONE
from qws.domain.targets import Mode, Weight
from qws.messages import (
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    PlanRefused,
    RunFinished,
    SnapshotTaken,
    StrayOrderSeen,
    WeightsFixed,
)
from qws.runtime.message import Message
from qws.store.codec import decode, encode
from tests.support.builders import (
    DAY,
    NEXT_DAY,
    RULES,
    RUN,
    TARGET,
    a_due,
    a_market_of,
    a_position,
    a_report,
    a_snapshot,
    a_target,
    an_order,
    at,
)

A, B, C = "600000.SH", "600004.SH", "600006.SH"
DELTA = a_target({A: "0.1", B: "-0.1"}, mode=Mode.DELTA)
FIXED = (Weight(A, Decimal("0.3")), Weight(B, Decimal("0.1")))


def a_planner(*recalled: Message) -> Planner:
    """A planner that starts with a journal."""
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    for each in recalled:
        match each:
            case WeightsFixed():
                planner.recall_weights_fixed(each)
            case PlaceOrder():
                planner.recall_place_order(each)
            case RunFinished():
                planner.recall_run_finished(each)
            case _:
                planner.recall_target_accepted(each)  # type: ignore[arg-type]
    return planner


def account(cash: str = "60000", a: int = 2000, b: int = 2000, when: str = "10:00:00") -> Snapshot:
    quotes, instruments = a_market_of(A, B, C)
    held = tuple(each for each in (a_position(A, a), a_position(B, b)) if each.shares)
    at_then = tuple(replace(quote, at=at(when)) for quote in quotes)
    return a_snapshot(cash, held, at_then, instruments, when)


def taken(snapshot: Snapshot, attempt: int = 0, *, preview: bool = False, run_id: str = RUN) -> SnapshotTaken:
    return SnapshotTaken(run_id, TARGET, DAY, attempt, preview, snapshot)


def plan_in(answers: Sequence[Message]) -> Plan:
    (plan,) = (each.plan for each in answers if isinstance(each, PlanDrafted))
    return plan


def weights_of(plan: Plan) -> dict[str, Decimal]:
    return {row.code: row.weight for row in plan.rows}


def test_the_first_look_that_may_be_sent_fixes_the_weights_before_its_plan() -> None:
    planner = a_planner(DELTA)

    previewed = list(planner.on_snapshot_taken(taken(account(), preview=True)))
    fixed, drafted, *_ = planner.on_snapshot_taken(taken(account()))

    assert [type(each) for each in previewed if not isinstance(each, PlanDrafted)] == []
    assert weights_of(plan_in(previewed)) == {A: Decimal("0.3"), B: Decimal("0.1")}
    assert fixed == WeightsFixed(RUN, TARGET, DAY, FIXED)
    assert isinstance(drafted, PlanDrafted)
    assert {row.code: row.side for row in drafted.plan.rows} == {A: Side.BUY, B: Side.SELL}


def test_later_attempts_runs_and_lives_want_the_same_weights_whatever_is_held_then() -> None:
    fixed = WeightsFixed(RUN, TARGET, DAY, FIXED)
    written = decode("WeightsFixed", encode(fixed))
    for planner in (a_planner(DELTA, fixed), a_planner(DELTA, written)):
        for attempt, run_id in ((1, RUN), (2, f"{RUN}-2")):
            answers = list(planner.on_snapshot_taken(taken(account("60000", 3000, 1000), attempt, run_id=run_id)))
            plan = plan_in(answers)
            assert weights_of(plan) == {A: Decimal("0.3"), B: Decimal("0.1")}
            assert all(abs(row.shares) <= 100 for row in plan.rows)  # it is done; a lot for the price of the book
            assert not any(isinstance(each, WeightsFixed) for each in answers)


def test_names_that_a_delta_does_not_change_are_left_alone() -> None:
    planner = a_planner(a_target({A: "0.1", B: "0"}, mode=Mode.DELTA))

    plan = plan_in(list(planner.on_snapshot_taken(taken(account()))))

    assert {row.code: row.reason for row in plan.rows if row.side is None} == {B: LEFT_ALONE}


def test_carried_over_a_delta_keeps_the_weights_of_its_own_day() -> None:
    end = RunFinished.without_trades(a_due(), "incomplete", "not_filled", "", at("15:00:00"))
    again = replace(taken(account("60000", 2500, 1500)), day=NEXT_DAY)

    known = list(a_planner(DELTA, WeightsFixed(RUN, TARGET, DAY, FIXED), end).on_snapshot_taken(again))
    unsent = list(a_planner(DELTA, end).on_snapshot_taken(again))

    assert not any(isinstance(each, WeightsFixed) for each in known)
    assert weights_of(plan_in(known)) == {A: Decimal("0.3"), B: Decimal("0.1")}
    assert [each.day for each in unsent if isinstance(each, WeightsFixed)] == [DAY]
    assert weights_of(plan_in(unsent)) == {A: Decimal("0.35"), B: Decimal("0.05")}


def test_changes_of_a_holding_that_nobody_can_value_are_refused() -> None:
    seen = account()
    worthless = replace(seen.positions[0], market_value=Decimal(0))
    planner = a_planner(DELTA)

    (refused,) = planner.on_snapshot_taken(taken(replace(seen, positions=(worthless,), quotes=())))

    assert isinstance(refused, PlanRefused)
    assert (refused.reason, A in refused.text) == ("no_quote", True)
    assert any(isinstance(each, WeightsFixed) for each in planner.on_snapshot_taken(taken(seen, 1)))


def test_an_old_quote_at_the_first_look_never_turns_a_purchase_into_a_sale() -> None:
    planner, seen = a_planner(a_target({A: "0.02"}, mode=Mode.DELTA)), account()
    first, *others = seen.quotes
    old = replace(first, last=Decimal("7.00"), at=at("10:00:00", DAY - timedelta(days=1)))

    held = plan_in(list(planner.on_snapshot_taken(taken(replace(seen, quotes=(old, *others))))))
    again = plan_in(list(planner.on_snapshot_taken(taken(seen, 1))))

    assert {row.code: row.reason for row in held.rows} == {A: "stale_quote", B: LEFT_ALONE}
    assert {row.code: row.side for row in again.rows} == {A: Side.BUY, B: None}


def test_a_delta_is_not_fixed_while_an_order_of_one_of_its_names_is_unknown() -> None:
    order, seen = an_order(C), account()
    planner = a_planner(a_target({A: "0.02", C: "0.02"}, mode=Mode.DELTA))
    planner.on_place_order(PlaceOrder("earlier", order, at("10:00:03")))

    (refused,) = planner.on_snapshot_taken(taken(seen))
    planner.on_order_updated(OrderUpdated(a_report(order, OrderStatus.SUCCEEDED, order.shares)))
    after = list(planner.on_snapshot_taken(taken(seen, 1)))

    assert isinstance(refused, PlanRefused)
    assert (refused.reason, C in refused.text) == ("unknown", True)
    assert isinstance(after[0], WeightsFixed)


def test_a_delta_whose_orders_are_at_the_broker_and_not_in_the_journal_is_never_made_again() -> None:
    order = an_order(A)
    planner = a_planner(DELTA)
    planner.on_stray_order_seen(
        StrayOrderSeen(Stray(a_report(order, OrderStatus.SUCCEEDED, order.shares), "unintended"))
    )

    (refused,) = planner.on_snapshot_taken(taken(account()))

    assert isinstance(refused, PlanRefused)
    assert refused.reason == "unintended"


def test_from_its_expiry_on_a_target_is_not_started_and_a_run_that_has_begun_goes_on() -> None:
    target = a_target({A: "0.5"}, mode=Mode.SUBSET, expires="10:30:00")
    before, after = taken(account(when="10:29:59")), taken(account(when="10:30:00"), 1)
    sent = PlaceOrder(RUN, an_order(A), at("10:30:00"))

    assert isinstance(next(a_planner(target).on_snapshot_taken(before)), PlanDrafted)
    refused = next(a_planner(target).on_snapshot_taken(after))
    assert isinstance(refused, PlanRefused)
    assert (refused.reason, "10:30" in refused.text) == ("expired_target", True)
    assert isinstance(next(a_planner(target, sent).on_snapshot_taken(after)), PlanDrafted)
    other, planner = replace(after, run_id=f"{RUN}-1"), a_planner(target, sent)
    assert isinstance(next(planner.on_snapshot_taken(other)), PlanRefused)
    planner.on_rebalance_due(replace(a_due(trigger=STOP), run_id=f"{RUN}-1"))  # the run goes on without a name
    assert isinstance(next(planner.on_snapshot_taken(other)), PlanDrafted)


@pytest.mark.parametrize("last", ["8.99", "11.01", "30.00"])
def test_a_price_beyond_the_limits_of_the_day_fixes_no_weights(last: str) -> None:
    seen = account()
    bad = replace(seen, quotes=tuple(replace(each, last=Decimal(last)) for each in seen.quotes))
    planner = a_planner(DELTA)

    (refused,) = planner.on_snapshot_taken(taken(bad))
    answers = list(planner.on_snapshot_taken(taken(seen, attempt=1)))

    assert isinstance(refused, PlanRefused)
    assert (refused.reason, A in refused.text) == ("no_quote", True)
    assert WeightsFixed(RUN, TARGET, DAY, FIXED) in answers


@pytest.mark.parametrize("cash", ["-1", "-70000"])
def test_an_account_that_the_guard_refuses_fixes_no_weights(cash: str) -> None:
    planner = a_planner(DELTA)

    answers = list(planner.on_snapshot_taken(taken(account(cash))))

    assert [type(each) for each in answers] == [PlanDrafted]
    assert judge(plan_in(answers), RiskMemory().facts(DAY, None), RiskSection().rules(), (), {}).refused is not None
    assert WeightsFixed(RUN, TARGET, DAY, FIXED) in list(planner.on_snapshot_taken(taken(account(), attempt=1)))
