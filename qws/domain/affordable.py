"""What the money pays for: the second lock behind the allocator. RULES.md sections 11 and 12."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from qws.domain.costs import Fee, fees_of
from qws.domain.lots import largest_legal_buy, split
from qws.domain.market import Side
from qws.domain.plan import PlanRow

_FEE_FACTOR = Decimal("1.01")  # fees are less than a hundredth of an amount
_ZERO = Decimal(0)


def payable(sells: list[PlanRow], cash: Decimal) -> list[PlanRow]:
    """Sells that cost more than they bring (an odd lot, the least commission) need cash that is there now."""
    kept = []
    for row in sells:
        net = row.shares * row.price - row.fee
        if net < 0 and -net > cash:
            kept.append(row.without_trade("cash"))
        else:
            kept.append(row)
            cash += min(net, _ZERO)
    return kept


def fit_to_cash(buys: Iterable[PlanRow], cash: Decimal, fee: Fee) -> list[PlanRow]:
    """Cut buys to the money, fees included: in the given order (largest first) each takes what it can of the rest."""
    fitted: list[PlanRow] = []
    for row in buys:
        shares = row.shares
        if shares * row.price > cash:
            shares = largest_legal_buy(row, int(cash / row.price))
        costs = row.fee if shares == row.shares else _buy_fee(row, shares, fee)
        while shares and (over := shares * row.price + costs - cash) > 0:
            shares = largest_legal_buy(row, shares - max(row.buy_step, int(over / row.price / _FEE_FACTOR)))
            costs = _buy_fee(row, shares, fee)
        if shares == row.shares:
            fitted.append(row)
        elif shares:
            children = split(row, Side.BUY, shares)
            fitted.append(replace(row, shares=shares, children=children, fee=costs, reason="cash"))
        else:
            fitted.append(row.without_trade("cash"))
        cash -= shares * row.price + fitted[-1].fee
    return fitted


def _buy_fee(row: PlanRow, shares: int, fee: Fee) -> Decimal:
    return fees_of(row.code, Side.BUY, split(row, Side.BUY, shares), row.price, fee) if shares else _ZERO
