"""Rules about what was lost: since the highest close, since the last one. They stop the buying, or all trading."""

from __future__ import annotations

from decimal import Decimal

from qws.domain.market import Side
from qws.domain.plan import Plan
from qws.domain.risk.rule import Facts, Finding


def drawdown(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The fall of total asset from its highest recorded close, as a fraction of that."""
    return _lost(plan, facts.peak, limit, "highest close")


def day_loss(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The fall of total asset from its last recorded close, as a fraction of that."""
    return _lost(plan, facts.last_close, limit, "last close")


def _lost(plan: Plan, before: Decimal, limit: Decimal, what: str) -> Finding | None:
    if before <= 0 or (lost := 1 - plan.total_asset / before) <= limit:
        return None
    text = f"total asset {plan.total_asset} is {lost:.4f} below the {what} of {before}, the limit is {limit}"
    return Finding(lost, text, {row.code: 0 for row in plan.side(Side.BUY)})
