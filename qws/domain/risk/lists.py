"""Rules about names and sides that are not to be traded, whatever a target says. They drop the name."""

from __future__ import annotations

from decimal import Decimal

from qws.domain.market import Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.risk.rule import Check, Facts, Finding


def reduce_only(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """While trading may only reduce, nothing is bought."""
    return _dropped(plan.side(Side.BUY), "trading only reduces") if facts.reduces_only else None


def restricted(no_buys: frozenset[str], no_trades: frozenset[str]) -> Check:
    """Names that are not to be bought, and names that are not to be traded at all."""

    def check(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
        buys = [row for row in plan.side(Side.BUY) if row.code in no_buys | no_trades]
        sells = [row for row in plan.side(Side.SELL) if row.code in no_trades]
        return _dropped((*buys, *sells), "on the restricted list")

    return check


def _dropped(rows: tuple[PlanRow, ...], why: str) -> Finding | None:
    if not rows:
        return None
    text = f"{', '.join(row.code for row in rows)}: {why}"
    return Finding(Decimal(len(rows)), text, {row.code: 0 for row in rows})
