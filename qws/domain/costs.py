"""What an order of this account costs: the statutory fees and the account's own terms. RULES.md section 12."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from qws.domain.fees import FeePlan, FeeTable
from qws.domain.market import Side

# Fees in CNY of one order of a known day: code, side, shares, CNY per share.
Fee = Callable[[str, Side, int, Decimal], Decimal]


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees by table and terms."""

    table: FeeTable
    terms: FeePlan

    def on(self, day: date) -> Fee:
        """The fee function of a trading day."""

        def fee(code: str, side: Side, shares: int, price: Decimal) -> Decimal:
            return self.table.fees_of(code, side, day, shares * price, self.terms).total

        return fee
