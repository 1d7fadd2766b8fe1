"""A name that an allocation decides about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from qws.domain.costs import Fee
from qws.domain.market import Side


@dataclass(frozen=True, slots=True)
class Candidate:
    """One name of target or account, with its prices in CNY per share and its lot rules.

    `no_buy` and `no_sell` are stable reason codes, empty where that side trades; with both, the name stays as it is.
    `buy_max` bounds what may be bought now, for the reason `capped_by`. A price counts only where its side trades, the
    mark wherever shares are held or wanted.
    """

    code: str
    weight: Decimal
    held: int
    sellable: int
    mark: Decimal
    buy_price: Decimal
    sell_price: Decimal
    no_buy: str
    no_sell: str
    buy_min: int
    buy_step: int
    order_max: int
    buy_max: int | None = None
    capped_by: str = ""

    def reach(self, value: Decimal) -> Decimal:
        """As much of a target value in CNY as may be bought."""
        return value if self.buy_max is None else min(value, max(self.held + self.buy_max, self.held) * self.mark)

    def after(self, trade: int) -> Candidate:
        """The name when a signed trade has filled; what was just bought is not to be sold again."""
        return replace(self, held=self.held + trade, sellable=self.sellable + trade if trade <= 0 else 0)

    def outlay(self, trade: int, fee: Fee) -> Decimal:
        """What a signed trade takes from the cash in CNY (below 0: brings), as one order, fees included."""
        if not trade:
            return Decimal(0)
        side, price = (Side.BUY, self.buy_price) if trade > 0 else (Side.SELL, self.sell_price)
        return trade * price + fee(self.code, side, abs(trade), price)


@dataclass(frozen=True, slots=True)
class Choice:
    """A name, its target value in CNY, and the value that rounding up must not exceed.

    `trade` is settled already for a name that has no choice.
    """

    name: Candidate
    value: Decimal
    most: Decimal
    trade: int = 0

    def after(self, trade: int) -> Choice:
        """The same choice when the trade has filled."""
        return Choice(self.name.after(trade), self.value, self.most)
