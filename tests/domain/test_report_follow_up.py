"""Whether a run that did not do all goes on, and the reasons that say so name by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.execution import INTERRUPTED, Execution
from qws.domain.known_orders import ASK, NEVER_ARRIVED
from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.domain.plan import Outcome
from qws.domain.report import ending_of, residual, whole
from qws.domain.rest import FOLLOW_UP, Absent, SoFar
from tests.support.builders import FEE, a_fill, a_plan, a_position, a_quote, a_report, a_snapshot, leave
from tests.support.desk import RULES

SELL, BUY = "600000.SH", "600004.SH"
Happening = Callable[[Execution, OrderRequest], object]


def a_run(*, attempt: int = 0, absent: Absent = Absent.HOLD, weight: str = "0.4") -> Execution:
    """A run of one buy."""
    plan = a_plan(buys={BUY: 400}, cash="100000", attempt=attempt)
    rows = tuple(replace(row, weight=Decimal(weight)) for row in plan.rows)
    return Execution(replace(plan, rows=rows), replace(RULES, absent=absent), FEE)


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


def ended(happening: Happening, *, attempt: int = 0, stopped: str = "") -> tuple[str, str, str, str]:
    """Why it may go on, status, reason, and the reason of the one name."""
    run = a_run(attempt=attempt)
    (order,) = leave(run)
    happening(run, order)
    if stopped:
        run.stop(stopped)
    pause, ending = ending_of(run, a_snapshot("100000", (a_position(BUY, 100),), (a_quote(BUY),)))
    return pause, ending[4], ending[5], ending[10][0].reason


@pytest.mark.parametrize("happening", [unfilled, partly_filled, not_handed_over])
@pytest.mark.parametrize("attempt", [0, 1, 9])
def test_what_time_may_cure_may_go_on_and_is_incomplete_if_it_does_not(attempt: int, happening: Happening) -> None:
    assert ended(happening, attempt=attempt)[:3] == (FOLLOW_UP, "incomplete", "not_filled")


@pytest.mark.parametrize(
    ("happening", "pause", "status", "reason", "why"),
    [
        (filled, "", "completed", "", ""),
        (rejected, "", "incomplete", "not_filled", "rejected"),
        (lost, "", "incomplete", "not_filled", "never_arrived"),
        (unknown, "", "incomplete", "unknown", "unknown"),
        (left_at("slippage"), "", "incomplete", "not_filled", "slippage"),
        (left_at("at_limit"), "", "incomplete", "not_filled", "at_limit"),
        (left_at(""), FOLLOW_UP, "incomplete", "not_filled", "not_filled"),
    ],
)
def test_what_time_does_not_cure_ends_the_first_attempt_with_its_reason(
    happening: Happening, pause: str, status: str, reason: str, why: str
) -> None:
    assert ended(happening) == (pause, status, reason, why)


@pytest.mark.parametrize(
    ("stop", "status"),
    [
        ("halted", "incomplete"),
        ("cancelled", "incomplete"),
        ("superseded", "superseded"),
        ("session_over", "incomplete"),
    ],
)
def test_a_run_that_was_stopped_is_not_followed_up(stop: str, status: str) -> None:
    assert ended(partly_filled, stopped=stop)[:3] == ("", status, stop)


def test_a_run_that_a_restart_cut_may_go_on() -> None:
    assert ended(partly_filled, stopped=INTERRUPTED)[:3] == (INTERRUPTED, "incomplete", INTERRUPTED)


@pytest.mark.parametrize("stop", ["halted", "cancelled"])
@pytest.mark.parametrize("happening", [not_handed_over, unfilled])
def test_a_run_that_a_person_stopped_is_refused_only_when_no_order_of_any_attempt_left(
    stop: str, happening: Happening
) -> None:
    def status_after(*, was_sent: bool) -> str:
        run = a_run(attempt=1)
        run.before = SoFar(1, was_sent)
        (order,) = leave(run)
        run.stop(stop)
        happening(run, order)
        return ending_of(run, a_snapshot("100000"))[1][4]

    assert status_after(was_sent=True) == "incomplete"
    assert status_after(was_sent=False) == ("refused" if happening is not_handed_over else "incomplete")


@pytest.mark.parametrize("stop", ["", "halted", "interrupted"])
def test_a_run_with_an_order_that_nobody_accounts_for_is_neither_followed_up_nor_planned_again(stop: str) -> None:
    assert ended(unknown, stopped=stop) == ("", "incomplete", "unknown", "unknown")


def test_the_end_of_a_run_counts_what_all_its_attempts_did() -> None:
    run = a_run(attempt=1)
    earlier = Outcome(BUY, Decimal("0.4"), Decimal("0.1"), 1000, 600, "not_filled")
    run.before = SoFar(1, True, (earlier,), Decimal(7))
    (order,) = leave(run)
    filled(run, order)

    pause, ending = ending_of(run, a_snapshot("100000", (a_position(BUY, 1000),), (a_quote(BUY),)))

    ((outcome,), fees) = ending[10:12]
    assert (pause, ending[4], outcome.planned, outcome.filled, outcome.reason) == ("", "completed", 1000, 1000, "")
    assert fees == run.fees + 7


@pytest.mark.parametrize(
    ("absent", "weight", "pause"),
    [
        (Absent.HOLD, "0.01", ""),
        (Absent.AGAIN, "0.01", FOLLOW_UP),
        (Absent.AGAIN, "0.4", ""),  # too much to risk buying it twice
    ],
)
@pytest.mark.parametrize("attempt", [0, 3])
def test_what_never_arrived_goes_on_only_where_that_was_allowed_and_is_small_and_in_the_first_follow_up(
    absent: Absent, weight: str, pause: str, attempt: int
) -> None:
    run = a_run(absent=absent, weight=weight, attempt=attempt)
    (order,) = leave(run)
    lost(run, order)

    assert ending_of(run, a_snapshot("100000"))[0] == pause
    run.before = SoFar(1)
    assert ending_of(run, a_snapshot("100000"))[0] == ""


def test_a_name_that_could_not_be_priced_is_followed_up_though_all_that_was_sent_traded() -> None:
    run = a_run()
    blind = replace(run.plan.rows[0].without_trade("no_quote"), code=SELL)
    run = Execution(replace(run.plan, rows=(*run.plan.rows, blind)), RULES, FEE)
    (order,) = leave(run)
    filled(run, order)

    pause, ending = ending_of(run, a_snapshot("100000"))

    assert (pause, ending[4:6]) == (FOLLOW_UP, ("completed", ""))
    assert [outcome.reason for outcome in ending[10]] == ["", "no_quote"]


@pytest.mark.parametrize(("why", "status"), [("rejected", "incomplete"), ("limit_up", "completed")])
def test_a_last_attempt_that_does_its_part_does_not_hide_an_order_that_failed_before(why: str, status: str) -> None:
    run = a_run(attempt=1)
    settled = replace(run.plan.rows[0].without_trade(why), code=SELL)
    run = Execution(replace(run.plan, rows=(*run.plan.rows, settled)), RULES, FEE)
    (order,) = leave(run)
    filled(run, order)

    _, ending = ending_of(run, a_snapshot("100000"))

    assert (ending[4], ending[10][1].reason) == (status, why)


def test_buys_that_a_drift_held_back_say_so_and_what_was_sent_of_them_counts() -> None:
    plan = a_plan(sells={SELL: 1000}, buys={BUY: 400})
    run = Execution(plan, RULES, FEE)
    (sell,) = leave(run)
    run.hold_buys("drift")
    run.on_order(a_report(sell, OrderStatus.SUCCEEDED, 1000))
    run.on_fill(a_fill(sell, 1000))

    assert leave(run) == []
    assert [(row.side, residual(run, row)) for row in plan.rows] == [(Side.SELL, ""), (Side.BUY, "drift")]
    assert ending_of(run, a_snapshot("10000"))[1][4:6] == ("incomplete", "not_filled")


def test_an_order_of_which_a_part_was_not_handed_over_is_not_filled() -> None:
    plan = a_plan(sells={SELL: 1000})
    rows = (replace(plan.rows[0], children=(600, 400)),)
    run = Execution(replace(plan, rows=rows), RULES, FEE)
    first, second = leave(run)
    not_handed_over(run, second)
    run.on_order(a_report(first, OrderStatus.CANCELED))

    assert residual(run, rows[0]) == "not_filled"

    run = Execution(replace(plan, rows=rows), RULES, FEE)
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
    run = Execution(replace(plan, rows=rows), RULES, FEE)
    for order, message in zip(leave(run), messages, strict=True):
        run.on_order(a_report(order, OrderStatus.JUNK, order_id="", message=message))

    assert residual(run, rows[0]) == reason


def test_a_name_that_an_earlier_attempt_sold_out_stays_in_the_result() -> None:
    gone = Outcome("600010.SH", Decimal(0), Decimal("0.1"), 500, 500, "not_filled")
    never_touched = Outcome("600011.SH", Decimal(0), Decimal("0.1"), 0, 0, "protected")
    again = Outcome(BUY, Decimal("0.4"), Decimal("0.2"), 400, 300, "not_filled")
    latest = Outcome(BUY, Decimal("0.4"), Decimal("0.4"), 100, 100, "")

    result = whole((gone, never_touched, again), (latest,))

    assert result == (
        Outcome(BUY, Decimal("0.4"), Decimal("0.4"), 400, 400, ""),
        Outcome("600010.SH", Decimal(0), Decimal(0), 500, 500, ""),
    )


def test_a_run_does_not_wait_for_an_order_that_only_a_person_can_settle() -> None:
    run = a_run()
    (order,) = leave(run)
    unknown = a_report(order, OrderStatus.UNKNOWN, order_id="")
    run.on_order(unknown)
    assert run.awaited()

    run.on_order(replace(unknown, message=f"{ASK} with `qws settle` what it is"))

    assert not run.awaited()
    assert residual(run, run.plan.rows[0]) == "unknown"
