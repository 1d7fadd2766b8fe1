"""What bounds a target before it becomes shares: a loss, and names that a stop ended."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from actors.planner import Planner
from qws.domain.market import Side
from qws.domain.plan import STOPS_ONLY
from qws.domain.planner import Sizing
from qws.domain.rest import Absent
from qws.domain.risk.losses import ScaleDown
from qws.messages import ControlOrdered, EquityRecorded, PlanDrafted, SnapshotTaken, StopTriggered
from tests.actors.test_planner import answer_of, drafted, taken
from tests.support.builders import (
    DAY,
    RULES,
    RUN,
    a_market_of,
    a_position,
    a_snapshot,
    a_target,
    an_asset,
    at,
)

A, B = "600000.SH", "600004.SH"
STOPPED = StopTriggered(DAY, at("09:40:00"), B, "stop_loss", Decimal("9.5"), Decimal("9.4"), 1000, 1000)


def closed(total: str) -> EquityRecorded:
    return EquityRecorded(DAY, at("09:00:00"), "close", "", an_asset(total), (), None)


def test_a_loss_scales_every_weight_until_it_is_smaller_or_a_person_resumes() -> None:
    scale = ScaleDown(Decimal("0.1"), Decimal(0), Decimal("0.5"))
    for is_recalled in (False, True):
        planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD, scale)
        planner.on_target_accepted(a_target({A: "0.5"}))
        (planner.recall_equity_recorded if is_recalled else planner.on_equity_recorded)(closed("200000"))

        plan = drafted(answer_of(planner, taken()))

        rows = {row.code: row for row in plan.rows}
        assert (plan.scaled_by, rows[A].weight, rows[A].reason) == ("drawdown", Decimal("0.25"), "drawdown")
        assert rows[A].shares == 2700
        if is_recalled:  # a new life, which its own plans are told
            planner.recall_plan_drafted(PlanDrafted(plan))
        planner.on_control_ordered(ControlOrdered("resume", "me"))
        again = drafted(answer_of(planner, taken()))
        assert (again.scaled_by, {row.code: row.weight for row in again.rows}[A]) == ("", Decimal("0.5"))


def test_a_loss_that_scales_to_nothing_says_so_in_every_row() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD, ScaleDown(Decimal("0.1"), Decimal(0), Decimal(0)))
    planner.on_target_accepted(a_target({A: "0.5", B: "0.01"}))
    planner.on_equity_recorded(closed("200000"))

    rows = {row.code: row for row in drafted(answer_of(planner, taken())).rows}

    assert {(row.weight, row.reason) for row in rows.values()} == {(Decimal(0), "drawdown")}
    assert rows[B].side is Side.SELL


def test_what_a_stop_ended_is_sold_whatever_file_and_rest_say_and_named_with_its_rule() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.on_target_accepted(a_target({A: "0.5", B: "0.1"}))
    planner.on_stop_triggered(STOPPED)

    rows = {row.code: row for row in drafted(answer_of(planner, taken())).rows}

    assert (rows[B].weight, rows[B].side, rows[B].shares, rows[B].reason) == (0, Side.SELL, 1000, "stop_loss")
    assert (rows[A].side, rows[A].reason) == (Side.BUY, "")


def test_a_run_of_stops_trades_nothing_else() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.recall_stop_triggered(replace(STOPPED, code=A))
    quotes, instruments = a_market_of(A, B)
    held = (a_position(A, 500), a_position(B, 1000))
    snapshot = a_snapshot("85000", held, quotes, instruments)

    plan = drafted(answer_of(planner, SnapshotTaken(RUN, STOPS_ONLY, DAY, 0, False, snapshot)))

    assert [(row.code, row.shares, row.weight) for row in plan.rows] == [(A, 500, 0), (B, 0, Decimal("0.1"))]
    assert (plan.capped, plan.is_exit_only) == ((A,), True)
