"""May this plan be executed?"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from qws.domain.plan import Plan
from qws.messages import PlanDrafted, PlanReady, PlanRefused
from qws.runtime.actor import Actor

ROW_TOLERANCE = Decimal("0.000001")  # how far rounding may have raised a weight


@dataclass(frozen=True, slots=True)
class RiskLimits:
    """Hard sanity limits of one plan: fractions of total asset, and a number of orders."""

    weight_max: Decimal
    turnover_max: Decimal
    orders_max: int


class RiskGuard(Actor):
    """Vetoes a plan that breaks a hard limit; the rule's code is the reason."""

    on_crash = "halt"

    def __init__(self, limits: RiskLimits) -> None:
        self._limits = limits

    def on_plan_drafted(self, msg: PlanDrafted) -> PlanReady | PlanRefused:
        broken = broken_rule(msg.plan, self._limits)
        plan = msg.plan
        return PlanRefused(plan.run_id, plan.attempt, plan.preview, *broken) if broken else PlanReady(plan)


def broken_rule(plan: Plan, limits: RiskLimits) -> tuple[str, str] | None:
    """The first limit that a plan breaks: its code and a sentence, or None."""
    if plan.total_asset <= 0 or plan.cash < 0:
        return "account_insane", f"total asset {plan.total_asset}, cash {plan.cash}: check the account by hand"
    weights = sum((row.weight for row in plan.rows), Decimal(0))
    if weights > 1 + ROW_TOLERANCE * sum(1 for row in plan.rows if row.weight):
        return "sum_over_one", f"weights add up to {weights}"
    heaviest = max(plan.rows, key=lambda row: row.weight, default=None)
    if heaviest is not None and heaviest.weight > limits.weight_max:
        return "single_name", f"{heaviest.code} weighs {heaviest.weight}, the limit is {limits.weight_max}"
    turnover = sum((row.shares * row.price for row in plan.rows), Decimal(0)) / plan.total_asset
    if turnover > limits.turnover_max:
        return "turnover", f"buys and sells are {turnover:.4f} of total asset, the limit is {limits.turnover_max}"
    orders = sum(len(row.children) for row in plan.rows)
    if orders > limits.orders_max:
        return "order_count", f"{orders} orders, the limit is {limits.orders_max}"
    return None
