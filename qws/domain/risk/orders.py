"""Rules about orders beside those that are out already: doubles, trades with ourselves, the count of a day."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.risk.rule import Facts, Finding


def duplicate_order(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """An order of ours works on the same side of the name, or the plan names it twice."""
    out = {(order.code, order.side) for order in facts.working}
    times = Counter(row.code for row in _traded(plan))
    doubled = {row.code for row in _traded(plan) if (row.code, row.side) in out or times[row.code] > 1}
    return _dropped(doubled, "doubled")


def self_trade(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """An order of ours works on the other side of the name: the two could trade with each other."""
    out = {(order.code, Side.SELL if order.side is Side.BUY else Side.BUY) for order in facts.working}
    return _dropped({row.code for row in _traded(plan) if (row.code, row.side) in out}, "on both sides")


def day_orders(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """Orders and cancels of the day, with this plan's; 20,000 are high-frequency trading (RULES.md section 14)."""
    orders = sum(len(row.children) for row in plan.rows)
    if not orders or facts.sent_today + orders <= limit:
        return None
    text = f"{facts.sent_today} orders and cancels today and {orders} more, the limit of a day is {limit}"
    return Finding(Decimal(facts.sent_today + orders), text)


def _traded(plan: Plan) -> list[PlanRow]:
    return [row for row in plan.rows if row.side is not None and row.shares]


def _dropped(codes: set[str], what: str) -> Finding | None:
    text = f"{', '.join(sorted(codes))}: {what}"
    return Finding(Decimal(len(codes)), text, dict.fromkeys(codes, 0)) if codes else None
