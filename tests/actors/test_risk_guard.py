from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from actors.risk_guard import RiskGuard, RiskLimits, broken_rule
from qws.domain.plan import Plan
from qws.messages import PlanDrafted, PlanReady, PlanRefused
from tests.support.builders import (
    RUN,
    a_plan,
)

LIMITS = RiskLimits(weight_max=Decimal("0.3"), turnover_max=Decimal("1.0"), orders_max=3)


def weighted(*weights: str) -> Plan:
    plan = a_plan(buys={f"60000{n}.SH": 100 for n in range(len(weights))}, cash="1000")
    rows = tuple(replace(row, weight=Decimal(weight)) for row, weight in zip(plan.rows, weights, strict=True))
    return replace(plan, rows=rows)


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
    broken = broken_rule(plan, LIMITS)

    assert (broken[0] if broken else None) == reason


def test_a_plan_within_the_limits_passes_unchanged_and_one_beyond_is_refused_as_a_whole() -> None:
    guard, good, bad = RiskGuard(LIMITS), weighted("0.3"), weighted("0.31")

    assert guard.on_plan_drafted(PlanDrafted(good)) == PlanReady(good)
    refused = guard.on_plan_drafted(PlanDrafted(bad))
    assert isinstance(refused, PlanRefused)
    assert (refused.run_id, refused.reason) == (RUN, "single_name")
    assert "600000.SH weighs 0.31" in refused.text
