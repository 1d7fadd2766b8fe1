"""Whether a run that did not do all goes on, and the reasons that say so name by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.execution import Execution
from qws.domain.known_orders import NEVER_ARRIVED
from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.domain.report import ending_of, residual
from qws.domain.rest import Absent, FollowUps
from tests.support.builders import FEE, a_fill, a_plan, a_position, a_quote, a_report, a_snapshot, leave
from tests.support.desk import RULES

SELL, BUY = "600000.SH", "600004.SH"
LIMIT = 2
FOLLOWED = replace(RULES, follow_ups=FollowUps(LIMIT, 60.0, Absent.HOLD))
Happening = Callable[[Execution, OrderRequest], object]


def a_run(*, attempt: int = 0, absent: Absent = Absent.HOLD, weight: str = "0.4") -> Execution:
    """A run of one buy."""
    plan = a_plan(buys={BUY: 400}, cash="100000", attempt=attempt)
    rows = tuple(replace(row, weight=Decimal(weight)) for row in plan.rows)
    rules = replace(FOLLOWED, follow_ups=replace(FOLLOWED.follow_ups, absent=absent))
    return Execution(replace(plan, rows=rows), rules, FEE)


def unfilled(run: Execution, order: OrderRequest) -> None:
    run.on_order(a_report(order, OrderStatus.CANCELED))


def partly_filled(run: Execution, order: OrderRequest) -> None:
    run.on_order(a_report(order, OrderStatus.PART_CANCEL, 100))
    run.on_fill(a_fill(order, 100))


def filled(run: Execution, order: OrderRequest) -> None:
    run.on_order(a_report(order, OrderStatus.SUCCEEDED, 400))
    run.on_fill(a_fill(order, 400))


def rejected(run: Execution, order: OrderRequest) -> None:
    run.on_order(a_report(order, OrderStatus.JUNK, message="CAGE: too far from the last price"))


def lost(run: Execution, order: OrderRequest) -> None:
    run.on_order(a_report(order, OrderStatus.JUNK, order_id="", message=NEVER_ARRIVED))


def not_handed_over(run: Execution, order: OrderRequest) -> None:
    run.on_order(a_report(order, OrderStatus.JUNK, order_id="", message="not sent: stale_price"))


def unknown(run: Execution, order: OrderRequest) -> None:
    run.on_order(a_report(order, OrderStatus.UNKNOWN, order_id=""))


def left_at(reason: str) -> Happening:
    def happen(run: Execution, order: OrderRequest) -> None:
        run.chase.left[order.code] = reason
        unfilled(run, order)

    return happen


def ended(happening: Happening, *, attempt: int = 0, stopped: str = "") -> tuple[str, str, str]:
    """Status, reason, and the reason of the one name."""
    run = a_run(attempt=attempt)
    (order,) = leave(run)
    happening(run, order)
    if stopped:
        run.stop(stopped)
    ending = ending_of(run, a_snapshot("100000", (a_position(BUY, 100),), (a_quote(BUY),)))
    return ending[4], ending[5], ending[10][0].reason


@pytest.mark.parametrize("happening", [unfilled, partly_filled, not_handed_over])
def test_below_the_limit_what_time_may_cure_goes_on_and_at_the_limit_the_run_is_incomplete(
    happening: Happening,
) -> None:
    found = [ended(happening, attempt=attempt)[:2] for attempt in range(LIMIT + 2)]

    assert found == [("interrupted", "follow_up")] * LIMIT + [("incomplete", "not_filled")] * 2


@pytest.mark.parametrize(
    ("happening", "status", "reason", "why"),
    [
        (filled, "completed", "", ""),
        (rejected, "incomplete", "not_filled", "rejected"),
        (lost, "incomplete", "not_filled", "never_arrived"),
        (unknown, "incomplete", "unknown", "unknown"),
        (left_at("slippage"), "incomplete", "not_filled", "slippage"),
        (left_at("at_limit"), "incomplete", "not_filled", "at_limit"),
        (left_at(""), "interrupted", "follow_up", "not_filled"),
    ],
)
def test_what_time_does_not_cure_ends_the_first_attempt_with_its_reason(
    happening: Happening, status: str, reason: str, why: str
) -> None:
    assert ended(happening) == (status, reason, why)


@pytest.mark.parametrize(
    ("stop", "status"),
    [
        ("halted", "incomplete"),
        ("cancelled", "incomplete"),
        ("superseded", "superseded"),
        ("interrupted", "interrupted"),
        ("session_over", "incomplete"),
    ],
)
def test_a_run_that_was_stopped_is_not_followed_up(stop: str, status: str) -> None:
    assert ended(partly_filled, stopped=stop)[:2] == (status, stop)


@pytest.mark.parametrize("stop", ["", "halted", "interrupted"])
def test_a_run_with_an_order_that_nobody_accounts_for_is_neither_followed_up_nor_planned_again(stop: str) -> None:
    assert ended(unknown, stopped=stop) == ("incomplete", "unknown", "unknown")


@pytest.mark.parametrize(
    ("absent", "weight", "status"),
    [
        (Absent.HOLD, "0.01", "incomplete"),
        (Absent.AGAIN, "0.01", "interrupted"),
        (Absent.AGAIN, "0.4", "incomplete"),  # too much to risk buying it twice
    ],
)
def test_what_never_arrived_goes_on_only_where_that_was_allowed_and_is_small(
    absent: Absent, weight: str, status: str
) -> None:
    run = a_run(absent=absent, weight=weight)
    (order,) = leave(run)
    lost(run, order)

    assert ending_of(run, a_snapshot("100000"))[4] == status


def test_a_name_that_could_not_be_priced_is_followed_up_though_all_that_was_sent_traded() -> None:
    run = a_run()
    blind = replace(run.plan.rows[0].without_trade("no_quote"), code=SELL)
    run = Execution(replace(run.plan, rows=(*run.plan.rows, blind)), FOLLOWED, FEE)
    (order,) = leave(run)
    filled(run, order)

    ending = ending_of(run, a_snapshot("100000"))

    assert (ending[4:6], [outcome.reason for outcome in ending[10]]) == (("interrupted", "follow_up"), ["", "no_quote"])


@pytest.mark.parametrize(("why", "status"), [("rejected", "incomplete"), ("limit_up", "completed")])
def test_a_last_attempt_that_does_its_part_does_not_hide_an_order_that_failed_before(why: str, status: str) -> None:
    run = a_run(attempt=1)
    settled = replace(run.plan.rows[0].without_trade(why), code=SELL)
    run = Execution(replace(run.plan, rows=(*run.plan.rows, settled)), FOLLOWED, FEE)
    (order,) = leave(run)
    filled(run, order)

    ending = ending_of(run, a_snapshot("100000"))

    assert (ending[4], ending[10][1].reason) == (status, why)


def test_buys_that_a_drift_held_back_say_so_and_what_was_sent_of_them_counts() -> None:
    plan = a_plan(sells={SELL: 1000}, buys={BUY: 400})
    run = Execution(plan, FOLLOWED, FEE)
    (sell,) = leave(run)
    run.hold_buys("drift")
    run.on_order(a_report(sell, OrderStatus.SUCCEEDED, 1000))
    run.on_fill(a_fill(sell, 1000))

    assert leave(run) == []
    assert [(row.side, residual(run, row)) for row in plan.rows] == [(Side.SELL, ""), (Side.BUY, "drift")]
    assert ending_of(run, a_snapshot("10000"))[4:6] == ("incomplete", "not_filled")


def test_an_order_of_which_a_part_was_not_handed_over_is_not_filled() -> None:
    plan = a_plan(sells={SELL: 1000})
    rows = (replace(plan.rows[0], children=(600, 400)),)
    run = Execution(replace(plan, rows=rows), FOLLOWED, FEE)
    first, second = leave(run)
    not_handed_over(run, second)
    run.on_order(a_report(first, OrderStatus.CANCELED))

    assert residual(run, rows[0]) == "not_filled"

    run = Execution(replace(plan, rows=rows), FOLLOWED, FEE)
    for order in leave(run):
        run.on_order(a_report(order, OrderStatus.JUNK, order_id="", message="not sent: halted"))
    assert residual(run, rows[0]) == "not_sent"


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ((NEVER_ARRIVED, "CAGE: no"), "rejected"),
        ((NEVER_ARRIVED, "not sent: halted"), "never_arrived"),
        (("not sent: halted", "CAGE: no"), "rejected"),
    ],
)
def test_of_several_orders_of_a_name_the_worst_end_is_told(messages: tuple[str, str], reason: str) -> None:
    plan = a_plan(sells={SELL: 1000})
    rows = (replace(plan.rows[0], children=(600, 400)),)
    run = Execution(replace(plan, rows=rows), FOLLOWED, FEE)
    for order, message in zip(leave(run), messages, strict=True):
        run.on_order(a_report(order, OrderStatus.JUNK, order_id="", message=message))

    assert residual(run, rows[0]) == reason
