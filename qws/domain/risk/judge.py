"""May a plan be sent, and how much of it? Every rule is asked once, in order. RELIABILITY.md rule 12."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from qws.domain.lots import largest_legal_buy, largest_legal_sell, split
from qws.domain.market import Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.risk.rule import Breach, Effect, Facts, Rule

_LEEWAY = Decimal("1.1")  # an approval covers what was shown and a tenth more: prices move until somebody looks


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left of a plan, why nothing of it is (`halts`: nor of any other), and what a person must allow first."""

    plan: Plan
    refused: Breach | None
    halts: bool
    held: tuple[Breach, ...]


def judge(
    plan: Plan, facts: Facts, rules: Iterable[Rule], holds: Collection[str], approved: Mapping[str, Decimal]
) -> Verdict:
    """Ask every rule. A breach of a rule in `holds` waits for a person, unless so much of it was `approved`."""
    held: list[Breach] = []
    for rule in rules:
        found = rule.check(plan, facts, rule.limit)
        if found is None:
            continue
        breach = Breach(rule.id, found.value, rule.limit, rule.unit, found.text)
        if rule.effect is Effect.SCALE and plan.scaled_by:
            continue
        if rule.effect in (Effect.SHRINK, Effect.SCALE):
            plan = cut(plan, rule.id, found.most)
        elif rule.id not in holds:
            return Verdict(plan, breach, rule.effect is Effect.HALT, ())
        elif rule.id not in approved or found.value > approved[rule.id] * _LEEWAY:
            held.append(breach)
    return Verdict(plan, None, halts=False, held=tuple(held))


def cut(plan: Plan, reason: str, most: Mapping[str, int]) -> Plan:
    """The plan with at most so many shares of these names traded, in legal orders; its fees stay an upper bound."""
    return replace(plan, rows=tuple(_cut(row, reason, most.get(row.code, row.shares)) for row in plan.rows))


def _cut(row: PlanRow, reason: str, most: int) -> PlanRow:
    if row.side is None or row.shares <= most:
        return row
    is_buy = row.side is Side.BUY
    shares = largest_legal_buy(row, most) if is_buy else largest_legal_sell(row, row.sellable, most)
    if not shares:
        return row.without_trade(reason)
    return replace(row, shares=shares, children=split(row, row.side, shares, row.sellable), reason=reason)
