"""What an order costs: commission and dated statutory fees. RULES.md section 12."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from qws.domain.codes import classify
from qws.domain.dated import Dated
from qws.domain.market import Exchange, Kind, Side
from qws.domain.prices import half_up

CENT = Decimal("0.01")
ZERO = Decimal("0.00")
# The legal ceiling of a commission rate (RULES.md section 12).
COMMISSION_RATE_MAX = Decimal("0.003")


@dataclass(frozen=True, slots=True)
class FeePlan:
    """The account's terms: commission rate on the amount and minimum in CNY per order.

    `commission_includes_exchange_fees` is true for an all-in commission (全佣), false when handling and regulatory
    fees come on top (净佣). Raises ValueError outside 0 to 0.3% or for a negative minimum.
    """

    commission_rate: Decimal
    commission_min: Decimal
    commission_includes_exchange_fees: bool

    def __post_init__(self) -> None:
        """Refuse terms that no account has."""
        if not 0 <= self.commission_rate <= COMMISSION_RATE_MAX:
            raise ValueError(f"commission_rate {self.commission_rate} is outside 0 to {COMMISSION_RATE_MAX}")
        if self.commission_min < 0:
            raise ValueError(f"commission_min {self.commission_min} is negative")


@dataclass(frozen=True, slots=True)
class FeeRate:
    """One statutory rate on the traded amount; codes with an exempt prefix pay nothing."""

    rate: Decimal
    sides: frozenset[Side]
    exempt_prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FeeLine:
    """The fees of an order or of one fill of it, in CNY; what the commission includes is zero here."""

    commission: Decimal
    stamp_duty: Decimal
    transfer_fee: Decimal
    handling: Decimal
    regulatory: Decimal

    @property
    def total(self) -> Decimal:
        """The sum of all items."""
        return self.commission + self.stamp_duty + self.transfer_fee + self.handling + self.regulatory

    def __add__(self, other: FeeLine) -> FeeLine:
        """Item by item."""
        return self._combined(other, Decimal.__add__)

    def __sub__(self, other: FeeLine) -> FeeLine:
        """Item by item."""
        return self._combined(other, Decimal.__sub__)

    def _combined(self, other: FeeLine, combine: Callable[[Decimal, Decimal], Decimal]) -> FeeLine:
        return FeeLine(
            combine(self.commission, other.commission),
            combine(self.stamp_duty, other.stamp_duty),
            combine(self.transfer_fee, other.transfer_fee),
            combine(self.handling, other.handling),
            combine(self.regulatory, other.regulatory),
        )


NO_FEES = FeeLine(ZERO, ZERO, ZERO, ZERO, ZERO)
FeeRates = Dated[tuple[Exchange, Kind], FeeRate]


@dataclass(frozen=True, slots=True)
class FeeTable:
    """The statutory fees by exchange, type and day."""

    stamp_duty: FeeRates
    transfer_fee: FeeRates
    handling_fee: FeeRates
    regulatory_fee: FeeRates

    def fees_of(self, code: str, side: Side, day: date, amount: Decimal, plan: FeePlan) -> FeeLine:
        """The fees of one order that traded `amount` CNY in all, each item half up to 0.01; nothing for nothing.

        Raises ValueError for an unknown code or a negative amount.
        """
        if amount < 0:
            raise ValueError(f"{code}: traded amount {amount} is negative")
        if amount == 0:
            return NO_FEES

        duty, transfer, handling, regulatory = self._rates_of(code, side, day, plan)
        return FeeLine(
            commission=half_up(max(amount * plan.commission_rate, plan.commission_min), CENT),
            stamp_duty=half_up(amount * duty, CENT),
            transfer_fee=half_up(amount * transfer, CENT),
            handling=half_up(amount * handling, CENT),
            regulatory=half_up(amount * regulatory, CENT),
        )

    def statutory_rate(self, code: str, side: Side, day: date, plan: FeePlan) -> Decimal:
        """What is charged beside the commission, as a fraction of the amount; raises ValueError for an unknown code."""
        return sum(self._rates_of(code, side, day, plan), ZERO)

    def _rates_of(self, code: str, side: Side, day: date, plan: FeePlan) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        known = classify(code)
        if known is None:
            raise ValueError(f"{code}: not a known code, so its fees are not known")
        key = (known.exchange, known.kind)

        def rate_of(rates: FeeRates) -> Decimal:
            rate = rates.at(key, day)
            is_due = rate is not None and side in rate.sides and not code.startswith(rate.exempt_prefixes)
            return rate.rate if rate is not None and is_due else ZERO

        is_net = not plan.commission_includes_exchange_fees
        return (
            rate_of(self.stamp_duty),
            rate_of(self.transfer_fee),
            rate_of(self.handling_fee) if is_net else ZERO,
            rate_of(self.regulatory_fee) if is_net else ZERO,
        )

    def fees_of_fill(
        self, code: str, side: Side, day: date, *, traded_before: Decimal, fill: Decimal, plan: FeePlan
    ) -> FeeLine:
        """What one more fill of `fill` CNY adds to an order that had traded `traded_before` CNY.

        The fee of the order so far minus the fee charged so far, so the minimum commission applies once per order.
        """
        charged = self.fees_of(code, side, day, traded_before, plan)
        return self.fees_of(code, side, day, traded_before + fill, plan) - charged
