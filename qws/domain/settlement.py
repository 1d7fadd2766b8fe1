"""Shares and cash within and across sessions. RULES.md section 11: T+1 shares, proceeds that buy at once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class PositionLedger:
    """One holding in shares: `working` sits in live sells, `sellable` is free to sell, the rest was bought today.

    Every step raises ValueError where the holding does not cover it: naked sells are impossible.
    """

    shares: int
    sellable: int
    working: int
    same_day_sell: bool

    @classmethod
    def at_open(cls, shares: int, *, same_day_sell: bool) -> PositionLedger:
        """A holding carried into a session: all of it may be sold."""
        return cls(shares, shares, 0, same_day_sell)

    def buy_fill(self, shares: int) -> PositionLedger:
        """Shares bought today are locked until the next session, except for same-day turnaround."""
        unlocked = shares if self.same_day_sell else 0
        return replace(self, shares=self.shares + shares, sellable=self.sellable + unlocked)

    def sell_order(self, shares: int) -> PositionLedger:
        """A sell that was accepted freezes its shares."""
        self._covers("sellable", self.sellable, shares)
        return replace(self, sellable=self.sellable - shares, working=self.working + shares)

    def cancel_sell(self, shares: int) -> PositionLedger:
        """The unfilled part of a sell comes back."""
        self._covers("working", self.working, shares)
        return replace(self, sellable=self.sellable + shares, working=self.working - shares)

    def sell_fill_of_order(self, shares: int) -> PositionLedger:
        """Shares of a working sell are gone."""
        self._covers("working", self.working, shares)
        return replace(self, shares=self.shares - shares, working=self.working - shares)

    def sell_fill(self, shares: int) -> PositionLedger:
        """Order and fill in one step."""
        return self.sell_order(shares).sell_fill_of_order(shares)

    def next_session(self) -> PositionLedger:
        """Orders are good for the day and today's buys settle: everything may be sold."""
        return replace(self, sellable=self.shares, working=0)

    def _covers(self, what: str, held: int, shares: int) -> None:
        if not 0 <= shares <= held:
            raise ValueError(f"{shares} shares asked of {held} {what}")


@dataclass(frozen=True, slots=True)
class CashLedger:
    """The account's CNY: `balance` with frozen money inside, `frozen` by working buys, `proceeds` of today's sells."""

    balance: Decimal
    frozen: Decimal
    proceeds: Decimal

    @classmethod
    def at_open(cls, cash: Decimal) -> CashLedger:
        """Cash carried into a session: all of it may be spent or withdrawn."""
        return cls(cash, Decimal(0), Decimal(0))

    @property
    def buy_power(self) -> Decimal:
        """What may be spent now (T+0 可用)."""
        return self.balance - self.frozen

    @property
    def withdrawable(self) -> Decimal:
        """What may leave the account today (T+1 可取); money that was here before is taken to be spent first."""
        return max(Decimal("0.00"), self.buy_power - self.proceeds)

    def sell_fill_net(self, amount: Decimal) -> CashLedger:
        """Proceeds after fees: they buy at once and leave next session."""
        return replace(self, balance=self.balance + amount, proceeds=self.proceeds + amount)

    def buy_order_freeze(self, amount: Decimal) -> CashLedger:
        """A buy that was accepted freezes its limit amount and estimated fees; raises ValueError beyond buy power."""
        self._covers("buy power", self.buy_power, amount)
        return replace(self, frozen=self.frozen + amount)

    def buy_unfreeze(self, amount: Decimal) -> CashLedger:
        """The part of a freeze that was not spent comes back: a better price, or a cancel."""
        self._covers("frozen", self.frozen, amount)
        return replace(self, frozen=self.frozen - amount)

    def buy_fill_net(self, amount: Decimal) -> CashLedger:
        """Price and fees of a fill leave the frozen money."""
        self._covers("frozen", self.frozen, amount)
        return replace(self, balance=self.balance - amount, frozen=self.frozen - amount)

    def buy_fill_net_direct(self, amount: Decimal) -> CashLedger:
        """Freeze and fill in one step."""
        return self.buy_order_freeze(amount).buy_fill_net(amount)

    def next_session(self) -> CashLedger:
        """Proceeds settle; what is frozen stays so until each buy is reported ended."""
        return replace(self, proceeds=Decimal(0))

    def _covers(self, what: str, held: Decimal, amount: Decimal) -> None:
        if not 0 <= amount <= held:
            raise ValueError(f"{amount} CNY asked of {held} {what}")
