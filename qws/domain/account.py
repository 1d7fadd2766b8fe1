"""What the account holds, as the broker reports it (XTQUANT.md 4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from qws.domain.market import Instrument, Quote


@dataclass(frozen=True, slots=True)
class Asset:
    """The account's money in CNY: `total` = cash (可用) + frozen (冻结) + market value (市值)."""

    cash: Decimal
    frozen: Decimal
    market_value: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """One holding, in shares: `sellable` (可用数量) is what may be sold now, working sells already taken off."""

    code: str
    shares: int
    sellable: int
    market_value: Decimal
    cost_price: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Account and market at one instant. A code without a quote or a record is absent, never zero."""

    at: datetime
    asset: Asset
    positions: tuple[Position, ...]
    quotes: tuple[Quote, ...]
    instruments: tuple[Instrument, ...]
