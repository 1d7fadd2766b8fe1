"""Rules about what a plan trades: how much, in how many and how large orders, and what cash is left."""

from __future__ import annotations

from decimal import Decimal

from qws.domain.market import Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.risk.rule import Facts, Finding

_ZERO = Decimal(0)


def turnover(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """Buys and sells together, as a fraction of total asset."""
    traded = sum((row.shares * row.price for row in plan.rows), _ZERO) / plan.total_asset
    if traded <= limit:
        return None
    return Finding(traded, f"buys and sells are {traded:.4f} of total asset, the limit is {limit}")


def order_count(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The orders of one plan."""
    orders = sum(len(row.children) for row in plan.rows)
    return Finding(Decimal(orders), f"{orders} orders, the limit is {limit}") if orders > limit else None


def order_value(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The dearest single order, in CNY."""
    row = max(plan.rows, key=lambda each: _largest(each) * each.price, default=None)
    if row is None or (value := _largest(row) * row.price) <= limit:
        return None
    return Finding(value, f"an order of {row.code} is worth {value}, the limit is {limit}")


def order_size(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The largest single order, in shares."""
    row = max(plan.rows, key=_largest, default=None)
    if row is None or _largest(row) <= limit:
        return None
    return Finding(Decimal(_largest(row)), f"an order of {row.code} is {_largest(row)} shares, the limit is {limit}")


def cash_floor(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The cash that is left when a plan with buys has traded, as a fraction of total asset. Measured is what lacks."""
    if not plan.side(Side.BUY):
        return None
    bought = sum((row.shares * row.price + row.fee for row in plan.side(Side.BUY)), _ZERO)
    sold = sum((row.shares * row.price - row.fee for row in plan.side(Side.SELL)), _ZERO)
    left = (plan.cash + sold - bought) / plan.total_asset
    if left >= limit:
        return None
    return Finding(limit - left, f"{left:.4f} of total asset would be left as cash, at least {limit} is to stay")


def _largest(row: PlanRow) -> int:
    return max(row.children, default=0)
