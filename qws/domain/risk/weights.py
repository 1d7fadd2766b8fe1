"""Rules about what a target wants: the sum of its weights, its heaviest names, how many there are."""

from __future__ import annotations

from decimal import Decimal
from functools import wraps

from qws.domain.plan import Plan, PlanRow
from qws.domain.risk.rule import Check, Facts, Finding
from qws.domain.target_modes import LEFT_ALONE

ROW_TOLERANCE = Decimal("0.000001")  # how far rounding may have raised a weight
_TOP = 5


def account_insane(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """An account that is worth nothing or owes cash is looked at by a person."""
    if plan.total_asset > 0 and plan.cash >= 0:
        return None
    text = f"total asset {plan.total_asset}, cash {plan.cash}: check the account by hand"
    return Finding(-min(plan.total_asset, plan.cash), text)


def _of_a_file(check: Check) -> Check:
    """What holds for targets that somebody wrote, and not for what is held when a stop sells."""

    @wraps(check)
    def asked(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
        return None if plan.is_exit_only else check(plan, facts, limit)

    return asked


@_of_a_file
def weight_sum(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The weights of all names together; what a target leaves alone is not of it."""
    weights = sum((row.weight for row in _wanted(plan)), Decimal(0))
    if weights <= limit + ROW_TOLERANCE * _names(plan):
        return None
    return Finding(weights, f"weights add up to {weights}, the limit is {limit}")


@_of_a_file
def single_name(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The heaviest name; one that a target leaves alone may be as heavy as it is."""
    row = max(_wanted(plan), key=lambda each: each.weight, default=None)
    if row is None or row.weight <= limit:
        return None
    return Finding(row.weight, f"{row.code} weighs {row.weight}, the limit is {limit}")


@_of_a_file
def concentration(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The five heaviest names together."""
    weights = sum(sorted((row.weight for row in plan.rows), reverse=True)[:_TOP], Decimal(0))
    if weights <= limit + ROW_TOLERANCE * _TOP:
        return None
    return Finding(weights, f"the {_TOP} heaviest names weigh {weights}, the limit is {limit}")


@_of_a_file
def too_many_names(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """Names with a weight."""
    names = _names(plan)
    return Finding(Decimal(names), f"{names} names, the limit is {limit}") if names > limit else None


@_of_a_file
def too_few_names(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """Names with a weight: a file of which half is missing has few. The measure is how many are missing."""
    names = _names(plan) + len(plan.capped)  # what a stop ends was in the file
    return Finding(limit - names, f"{names} names, at least {limit} are expected") if names < limit else None


def _wanted(plan: Plan) -> list[PlanRow]:
    return [row for row in plan.rows if row.reason != LEFT_ALONE]


def _names(plan: Plan) -> int:
    return sum(row.weight > 0 for row in plan.rows)
