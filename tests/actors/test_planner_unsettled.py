"""Orders of unknown fate block their names and their money in every later plan; lost ones in those of their run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from actors.planner import Planner
from qws.domain.known_orders import NEVER_ARRIVED
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.domain.plan import Plan, PlanRow
from qws.domain.planner import Sizing
from qws.domain.rest import Absent
from qws.domain.tags import make_tag
from qws.messages import OrderUpdated, PlaceOrder
from tests.actors.test_planner_rest import A, B, answer_of, looked
from tests.actors.test_planner_rest import a_planner as the_planner
from tests.support.builders import DAY, NEXT_DAY, RULES, RUN, a_due, a_report, a_target, an_order, at

OTHER_RUN = f"{RUN}-2"


def intent(order: OrderRequest, run_id: str = RUN) -> PlaceOrder:
    return PlaceOrder(run_id, order, at("10:00:03"))


def lost(order: OrderRequest) -> OrderUpdated:
    report = BrokerOrder.unknown(order, at("10:03:00"))
    return OrderUpdated(replace(report, status=OrderStatus.JUNK, message=NEVER_ARRIVED))


def unanswered(order: OrderRequest) -> OrderUpdated:
    return OrderUpdated(replace(BrokerOrder.unknown(order, at("10:00:05")), message="no answer"))


def row_of(plan: Plan | str, code: str) -> PlanRow:
    assert isinstance(plan, Plan)
    return next(row for row in plan.rows if row.code == code)


@pytest.mark.parametrize("side", list(Side))
def test_a_name_with_an_order_of_unknown_fate_is_not_traded_by_any_run(side: Side) -> None:
    planner = the_planner()
    planner.on_place_order(intent(an_order(A, side)))

    plan = answer_of(planner, looked(run_id=OTHER_RUN))

    assert (row_of(plan, A).shares, row_of(plan, A).reason) == (0, "unknown")
    assert row_of(plan, B).shares > 0


def test_the_money_that_an_unsettled_buy_may_take_is_not_spent() -> None:
    free, planner = the_planner(), the_planner()
    planner.on_place_order(intent(an_order("600010.SH", Side.BUY, 9500)))  # 95,000 of 100,000

    assert row_of(answer_of(free, looked(run_id=OTHER_RUN)), A).shares > 0
    plan = answer_of(planner, looked(run_id=OTHER_RUN))

    assert isinstance(plan, Plan)
    spent = sum(row.shares * row.price + row.fee for row in plan.rows if row.side is Side.BUY)
    brought = sum(row.shares * row.price - row.fee for row in plan.rows if row.side is Side.SELL)
    assert 0 < spent <= 5000 + brought


@pytest.mark.parametrize("status", [OrderStatus.SUCCEEDED, OrderStatus.CANCELED, OrderStatus.JUNK])
def test_an_order_that_has_ended_blocks_nothing(status: OrderStatus) -> None:
    planner, order = the_planner(), an_order(A)
    planner.on_place_order(intent(order))
    planner.on_order_updated(OrderUpdated(a_report(order, OrderStatus.REPORTED)))
    assert row_of(answer_of(planner, looked(run_id=OTHER_RUN)), A).reason == "unknown"

    planner.on_order_updated(OrderUpdated(a_report(order, status)))

    assert row_of(answer_of(planner, looked(run_id=OTHER_RUN)), A).shares > 0


def test_an_order_that_was_written_off_and_turns_up_alive_blocks_its_name_again() -> None:
    planner, order = the_planner(), an_order(A)
    planner.on_place_order(intent(order))
    planner.on_order_updated(OrderUpdated(a_report(order, OrderStatus.JUNK)))
    planner.on_order_updated(OrderUpdated(a_report(order, OrderStatus.REPORTED)))

    assert row_of(answer_of(planner, looked(run_id=OTHER_RUN)), A).reason == "unknown"


def test_an_order_of_yesterday_blocks_nothing() -> None:
    planner = the_planner(DAY, NEXT_DAY)
    planner.recall_place_order(intent(an_order(A, day=DAY)))

    assert row_of(answer_of(planner, looked(NEXT_DAY, run_id=OTHER_RUN)), A).shares > 0


def test_what_was_handed_over_and_never_arrived_is_held_for_the_rest_of_its_run_and_free_for_the_next() -> None:
    planner = the_planner()
    planner.recall_place_order(intent(an_order(A)))
    planner.recall_order_updated(unanswered(an_order(A)))
    planner.recall_order_updated(lost(an_order(A)))

    again, other = answer_of(planner, looked(attempt=1)), answer_of(planner, looked(run_id=OTHER_RUN))

    assert (row_of(again, A).shares, row_of(again, A).reason) == (0, "never_arrived")
    assert row_of(again, B).shares > 0
    assert row_of(other, A).shares > 0


def test_what_never_arrived_is_held_for_its_own_run_whichever_run_sent_orders_since() -> None:
    """Of the same target, but another attempt; and of another target."""
    for later_order in (make_tag(DAY, "target", 2, 0), make_tag(DAY, "another", 0, 0)):
        planner, mine = the_planner(), replace(an_order(A), tag=make_tag(DAY, "target", 0, 0))
        planner.on_place_order(intent(mine))
        planner.on_order_updated(unanswered(mine))
        planner.on_place_order(intent(replace(an_order("600010.SH"), tag=later_order), OTHER_RUN))
        planner.on_order_updated(lost(mine))

        own, other = answer_of(planner, looked(attempt=1)), answer_of(planner, looked(run_id=OTHER_RUN))

        assert (row_of(own, A).shares, row_of(own, A).reason) == (0, "never_arrived")
        assert row_of(other, A).shares > 0


def test_a_run_that_goes_on_without_a_stopped_name_sends_nothing_again_that_never_arrived() -> None:
    """A person may decide that in a run of their own; a stop decides nothing about other names."""
    for trigger, reason in (("stop", "never_arrived"), ("manual", "")):
        planner = the_planner()
        planner.on_place_order(intent(an_order(A)))
        planner.on_order_updated(unanswered(an_order(A)))
        planner.on_rebalance_due(replace(a_due(trigger=trigger), run_id=OTHER_RUN))
        planner.on_order_updated(lost(an_order(A)))  # it is proven while the run that takes its place waits

        row = row_of(answer_of(planner, looked(run_id=OTHER_RUN)), A)

        assert (row.reason, row.shares > 0) == (reason, not reason)


def test_what_a_restart_cut_off_before_its_answer_is_planned_again_once_it_is_proven_absent() -> None:
    planner = the_planner()
    planner.recall_place_order(intent(an_order(A)))
    assert row_of(answer_of(planner, looked(attempt=1)), A).reason == "unknown"

    planner.on_order_updated(lost(an_order(A)))

    assert row_of(answer_of(planner, looked(attempt=1)), A).shares > 0


def test_what_never_arrived_may_be_planned_again_when_that_is_allowed() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.AGAIN)
    planner.recall_target_accepted(a_target({A: "0.3", B: "0.2"}))
    planner.on_place_order(intent(an_order(A)))
    planner.on_order_updated(unanswered(an_order(A)))
    planner.on_order_updated(lost(an_order(A)))

    assert row_of(answer_of(planner, looked(attempt=1)), A).shares > 0
