"""From weights to whole shares that the account can pay for, and a reason for every name that ends off its target.

RULES.md sections 4, 11, 12 and 17. Money in CNY, quantities in shares, weights as fractions of total asset.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum
from typing import NamedTuple

from qws.domain.candidate import Candidate, Choice
from qws.domain.costs import DayCosts
from qws.domain.lots import is_legal_buy, is_legal_sell, largest_legal_buy, largest_legal_sell
from qws.domain.nearest import SEARCHED_MAX, nearest

_ROUND_LOT = 100
_LOOKS_MAX = 3
_ONE, _ZERO = Decimal(1), Decimal(0)


class Rounding(StrEnum):
    """How weights become shares: half up to 100 (the requirement), down to the board's step, or the least error."""

    PRD = "prd"
    FLOOR = "floor"
    OPTIMAL = "optimal"


class Unplaced(StrEnum):
    """What happens to weight that cannot be bought: it stays cash, or goes to the names that can be bought."""

    CASH = "cash"
    PRO_RATA = "pro_rata"


@dataclass(frozen=True, slots=True)
class Budget:
    """The money in CNY: cash that may be spent now, the total that weights are shares of, what is never spent."""

    cash: Decimal
    total: Decimal
    reserve: Decimal


@dataclass(frozen=True, slots=True)
class AllocationRules:
    """The user's choices.

    A name that has a weight is left alone while it is off by less than `drift_band`, a fraction of the total.
    `weight_max`, a fraction of the total, bounds what `pro_rata` and rounding up give one name.
    """

    rounding: Rounding
    unplaced: Unplaced
    drift_band: Decimal
    weight_max: Decimal


class Allotment(NamedTuple):
    """What one name gets: the shares it should have, the signed trade towards them, and why that is not all.

    `reason` is empty exactly where the trade reaches `wanted`.
    """

    wanted: int
    trade: int
    reason: str


def allocate(
    candidates: Sequence[Candidate], budget: Budget, rules: AllocationRules, costs: DayCosts
) -> list[Allotment]:
    """Choose whole legal shares for every name, in the order given; each code is given once.

    Sells are legal and at most what is sellable. With `optimal`, buys and fees never exceed cash and net proceeds less
    the reserve, and the tracking error is the least found; `prd` and `floor` look at each name alone, so whoever uses
    them cuts the buys to the money (`fit_to_cash`).
    """
    goals = target_values(candidates, budget.total, rules)
    values = [each.reach(goal) for each, goal in zip(candidates, goals, strict=True)]
    allotments = [_settled(each, value, budget, rules) for each, value in zip(candidates, values, strict=True)]
    free = [number for number, found in enumerate(allotments) if found is None]
    if rules.rounding is not Rounding.OPTIMAL:
        for number in free:
            allotments[number] = _rounded(candidates[number], values[number], rules.rounding)
        return [_capped(*each) for each in zip(candidates, goals, values, allotments, strict=True)]
    free.sort(key=lambda number: candidates[number].code)
    most = budget.total * rules.weight_max
    fixed = [
        Choice(candidates[number], values[number], most, found.trade)
        for number, found in enumerate(allotments)
        if found is not None
    ]
    choices = [Choice(candidates[number], values[number], most) for number in free]
    for number, trade in zip(free, _settling(choices, fixed, budget.cash - budget.reserve, costs), strict=True):
        allotments[number] = _explained(candidates[number], values[number], trade)
    return [_capped(*each) for each in zip(candidates, goals, values, allotments, strict=True)]


def _capped(each: Candidate, goal: Decimal, value: Decimal, found: Allotment | None) -> Allotment:
    """What a name gets, with the cap as the reason where the cap is what holds it back."""
    assert found is not None
    if value == goal or found.reason:
        return found
    return Allotment(_nearest_wanted(each, goal), found.trade, each.capped_by)


def _settling(choices: list[Choice], fixed: list[Choice], cash: Decimal, costs: DayCosts) -> list[int]:
    """Look again from where the trades lead until nothing is left to do: the plan after its fills must be empty."""
    trades = nearest(choices, fixed, cash, costs)
    if len(choices) > SEARCHED_MAX:
        return trades
    stays = [each.after(each.trade) for each in fixed]
    cash -= sum((each.name.outlay(each.trade, costs) for each in fixed), _ZERO)
    for _ in range(_LOOKS_MAX):
        moved = [each.after(trade) for each, trade in zip(choices, trades, strict=True)]
        left = cash - sum((each.name.outlay(trade, costs) for each, trade in zip(choices, trades, strict=True)), _ZERO)
        further = nearest(moved, stays, left, costs)
        if not any(further):
            break
        together = [trade + more for trade, more in zip(trades, further, strict=True)]
        if not all(_is_legal(each.name, trade) for each, trade in zip(choices, together, strict=True)):
            break
        trades = together
    return trades


def _is_legal(name: Candidate, trade: int) -> bool:
    return trade == 0 or (is_legal_buy(name, trade) if trade > 0 else is_legal_sell(name, name.sellable, -trade))


def target_values(candidates: Sequence[Candidate], total: Decimal, rules: AllocationRules) -> list[Decimal]:
    """The target of each name in CNY; under `pro_rata` what blocked names miss goes to those that can be bought.

    Holdings that cannot be sold take their excess off first; nobody is raised above `weight_max`.
    """
    values = [total * each.weight for each in candidates]
    if rules.unplaced is Unplaced.CASH:
        return values
    missing = _ZERO
    for each, value in zip(candidates, values, strict=True):
        off = value - each.held * each.mark
        if (off > 0 and each.no_buy) or (off < 0 and each.no_sell):
            missing += off
        elif off > 0:
            missing += value - each.reach(value)
    most = total * rules.weight_max
    open_to = [
        number
        for number, each in enumerate(candidates)
        if each.weight > 0 and not each.no_buy and each.reach(most) > values[number]
    ]
    while missing > 0 and open_to:
        weights = sum((candidates[number].weight for number in open_to), _ZERO)
        raised = {number: values[number] + missing * candidates[number].weight / weights for number in open_to}
        full = [number for number, value in raised.items() if value >= candidates[number].reach(most)]
        for number in full or open_to:
            raised_to = min(raised[number], candidates[number].reach(most))
            missing -= raised_to - values[number]
            values[number] = raised_to
        open_to = [number for number in open_to if number not in full] if full else []
    return values


def _settled(each: Candidate, value: Decimal, budget: Budget, rules: AllocationRules) -> Allotment | None:
    """What needs no choice: names that cannot trade, exits, names inside the drift band; None for the rest."""
    if each.no_buy and each.no_sell:
        return Allotment(each.held, 0, each.no_sell)
    off = value - each.held * each.mark
    if not off:
        return Allotment(each.held, 0, "")
    if not value:
        if each.no_sell:
            return Allotment(0, 0, each.no_sell)
        return Allotment(0, -each.sellable, "" if each.sellable == each.held else "t_plus_1")
    blocked = each.no_buy if off > 0 else each.no_sell
    if not blocked and abs(off) < rules.drift_band * budget.total:
        blocked = "drift_band"
    if not blocked and off < 0 and each.sellable < each.held and (not each.sellable or -off < each.buy_min * each.mark):
        blocked = "t_plus_1"  # of what came in today less than a smallest order too much does not go out again
    if not blocked:
        return None
    wanted = _nearest_wanted(each, value)
    return Allotment(wanted, 0, blocked if wanted != each.held else "")


def _nearest_wanted(each: Candidate, value: Decimal) -> int:
    """The target in shares, half up to the board's step."""
    return int((value / each.mark / each.buy_step).quantize(_ONE, ROUND_HALF_UP)) * each.buy_step


def _rounded(each: Candidate, value: Decimal, rounding: Rounding) -> Allotment:
    """`prd` and `floor`: the shares that the target value buys, and the legal trade towards them."""
    shares = value / (each.mark if each.no_buy else each.buy_price)
    if rounding is Rounding.PRD:
        wanted = int((shares / _ROUND_LOT).quantize(_ONE, ROUND_HALF_UP)) * _ROUND_LOT
    else:
        wanted = int(shares) - int(shares) % each.buy_step
    gap = wanted - each.held
    if gap > 0:
        if each.no_buy:
            return Allotment(wanted, 0, each.no_buy)
        trade = largest_legal_buy(each, gap)
        return Allotment(wanted, trade, "" if trade == gap else "min_order" if gap < each.buy_min else "lot")
    if gap and each.no_sell:
        return Allotment(wanted, 0, each.no_sell)
    trade = -(largest_legal_sell(each, each.sellable, -gap) if wanted else each.sellable)
    if trade == gap:
        return Allotment(wanted, trade, "")
    return Allotment(wanted, trade, "t_plus_1" if each.sellable < -gap else "lot")


def _explained(each: Candidate, value: Decimal, trade: int) -> Allotment:
    """Why a name that was free to trade ends a step or more off its target."""
    wanted, ends = _nearest_wanted(each, value), each.held + trade
    off = value / each.mark - ends
    if wanted == ends or abs(off) < each.buy_step or (trade and abs(off) < each.buy_min and trade * off < 0):
        return Allotment(ends, trade, "")
    if off > 0:
        return Allotment(wanted, trade, "min_order" if not trade and off < each.buy_min else "cash")
    if -trade == each.sellable:
        return Allotment(wanted, trade, "t_plus_1")
    return Allotment(wanted, trade, "min_order" if -off < each.buy_min else "lot")
