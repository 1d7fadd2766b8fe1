from __future__ import annotations

from dataclasses import replace

import pytest

from actors.planner import Planner
from qws.domain.market import Side
from qws.domain.plan import Plan
from qws.domain.targets import DroppedRow
from qws.messages import PlanDrafted, PlanRefused, SnapshotTaken
from tests.support.builders import (
    DAY,
    NEXT_DAY,
    RULES,
    RUN,
    TARGET,
    a_market_of,
    a_position,
    a_snapshot,
    a_target,
    at,
)

A, B = "600000.SH", "600004.SH"


def taken(target_id: str = TARGET, day: object = DAY, *, preview: bool = False) -> SnapshotTaken:
    quotes, instruments = a_market_of(A, B)
    snapshot = a_snapshot("100000", (a_position(B, 1000),), quotes, instruments)
    return SnapshotTaken(RUN, target_id, day, 2, preview, snapshot)  # type: ignore[arg-type]


def drafted(answer: PlanDrafted | PlanRefused) -> Plan:
    assert isinstance(answer, PlanDrafted)
    return answer.plan


def test_a_target_and_a_snapshot_become_a_plan_of_that_run() -> None:
    planner = Planner(RULES)
    planner.on_target_accepted(a_target({A: "0.5"}))

    plan = drafted(planner.on_snapshot_taken(taken(preview=True)))

    assert (plan.run_id, plan.target_id, plan.attempt, plan.preview) == (RUN, TARGET, 2, True)
    assert [(row.code, row.side) for row in plan.rows] == [(B, Side.SELL), (A, Side.BUY)]


def test_the_holding_of_a_filtered_row_is_kept() -> None:
    planner = Planner(RULES)
    planner.on_target_accepted(a_target({A: "0.5"}, dropped=(DroppedRow(3, B, "negative_weight", ""),)))

    plan = drafted(planner.on_snapshot_taken(taken()))

    assert [(row.code, row.reason) for row in plan.rows if row.side is None] == [(B, "row_filtered")]


@pytest.mark.parametrize("snapshot", [taken("f" * 64), taken(day=NEXT_DAY)])
def test_without_the_target_of_the_day_nothing_is_planned_and_nothing_is_sold(snapshot: SnapshotTaken) -> None:
    planner = Planner(RULES)
    planner.on_target_accepted(a_target({A: "0.5"}))

    answer = planner.on_snapshot_taken(snapshot)

    assert isinstance(answer, PlanRefused)
    assert answer.reason == "unknown_target"


def test_a_restart_remembers_targets_of_today_and_later_only() -> None:
    planner = Planner(RULES)
    planner.recall_target_accepted(a_target({A: "0.5"}, days=(DAY, NEXT_DAY)))
    planner.recall_target_accepted(replace(a_target({B: "0.5"}, target_id="b" * 64), at=at("08:00:00", NEXT_DAY)))

    assert isinstance(planner.on_snapshot_taken(taken()), PlanRefused)
    assert isinstance(planner.on_snapshot_taken(taken(day=NEXT_DAY)), PlanDrafted)
