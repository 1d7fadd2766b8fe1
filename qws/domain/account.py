"""What the account holds, as the broker reports it (XTQUANT.md 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, Trade
from qws.domain.tags import is_ours


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
class DayVolume:
    """Shares of a code that trade on an average day."""

    code: str
    shares: Decimal


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Account and market at one instant. A code without a quote or a record is absent, never zero.

    `volumes` are of names of which somebody asked for and knows them.
    """

    at: datetime
    asset: Asset
    positions: tuple[Position, ...]
    quotes: tuple[Quote, ...]
    instruments: tuple[Instrument, ...]
    volumes: tuple[DayVolume, ...] = ()


@dataclass(frozen=True, slots=True)
class Look:
    """What the broker answers about the account: asset and positions, then the day's orders and trades."""

    at: datetime
    asset: Asset
    positions: tuple[Position, ...]
    orders: tuple[BrokerOrder, ...]
    trades: tuple[Trade, ...]

    def named(self, tags: Mapping[str, str]) -> Look:
        """The same, with the tags of orders whose ids are known to be ours: a remark may get lost."""
        orders = (replace(each, tag=tags.get(each.order_id, each.tag)) for each in self.orders)
        trades = (replace(each, tag=tags.get(each.order_id, each.tag)) for each in self.trades)
        return replace(self, orders=tuple(orders), trades=tuple(trades))

    @property
    def foreign_orders(self) -> list[BrokerOrder]:
        """Orders that this program did not send and that may still trade."""
        return [each for each in self.orders if not is_ours(each.tag) and not each.status.is_terminal]

    @property
    def foreign_trades(self) -> list[Trade]:
        """Fills of orders that this program did not send, by the broker's time."""
        return sorted((each for each in self.trades if not is_ours(each.tag)), key=lambda trade: trade.at)


def does_not_add_up(asset: Asset, positions: tuple[Position, ...]) -> str:
    """Why asset and positions cannot be of one instant; empty when they agree (RELIABILITY.md I12)."""
    value = sum((position.market_value for position in positions), Decimal(0))
    tolerance = max(Decimal(1), abs(asset.total) * Decimal("0.002"))
    if abs(asset.market_value - value) > tolerance:
        return f"the asset says market value {asset.market_value}, the positions add up to {value}"
    if abs(asset.total - asset.cash - asset.frozen - asset.market_value) > tolerance:
        return f"total {asset.total} is not cash {asset.cash} + frozen {asset.frozen} + value {asset.market_value}"
    return ""
