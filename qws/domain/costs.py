"""What an order of this account costs: the statutory fees and the account's own terms. RULES.md section 12."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from qws.domain.fees import FeePlan, FeeTable
from qws.domain.market import Side

# Fees in CNY of one order of a known day: code, side, shares, CNY per share.
Fee = Callable[[str, Side, int, Decimal], Decimal]
_PARTS = 10**10
_ITEMS_UP = 5  # each item of a fee is rounded up by half a cent at most


def fees_of(code: str, side: Side, children: Iterable[int], price: Decimal, fee: Fee) -> Decimal:
    """What several orders of these shares cost in CNY, each for itself."""
    return sum((fee(code, side, child, price) for child in children), Decimal(0))


class FeeCeiling(NamedTuple):
    """What fees never exceed, in whole units of money: a least commission per order, rates in parts of 10**10."""

    least: int
    commission: int
    statutory: int
    rounding: int

    def of(self, amount: int, orders: int) -> int:
        """The most that `orders` orders of together `amount` can cost."""
        if not amount:
            return 0
        commission = max(amount * self.commission // _PARTS + 1, self.least)
        if orders > 1:  # every one of them may be so small that it costs the least
            commission += (orders - 1) * self.least
        return commission + amount * self.statutory // _PARTS + 1 + self.rounding * orders


@dataclass(frozen=True, slots=True)
class DayCosts:
    """The fees of one trading day; call it for the exact fee in CNY of one order."""

    table: FeeTable
    terms: FeePlan
    day: date

    def __call__(self, code: str, side: Side, shares: int, price: Decimal) -> Decimal:
        """The fee in CNY of an order of `shares` that trades at `price`."""
        return self.table.fees_of(code, side, self.day, shares * price, self.terms).total

    def ceiling(self, code: str, side: Side, units: int) -> FeeCeiling:
        """A bound that is quick to compute, in `units` to the CNY."""
        terms = self.terms
        statutory = self.table.statutory_rate(code, side, self.day, terms)
        return FeeCeiling(
            int(terms.commission_min * units) + 1,
            int(terms.commission_rate * _PARTS) + 1,
            int(statutory * _PARTS) + 1,
            units * _ITEMS_UP // 200 + 1,
        )


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees by table and terms."""

    table: FeeTable
    terms: FeePlan

    def on(self, day: date) -> DayCosts:
        """The fees of a trading day."""
        return DayCosts(self.table, self.terms, day)
