"""A broker, quotes and an inbox as they stand: read, and never changed. For rehearsals of a start."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from qws.domain.account import Asset, Position
from qws.domain.bars import DailyBar
from qws.domain.drops import Claimed, Drop
from qws.domain.market import Instrument, Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.errors import GatewayLost
from qws.ports import Broker, BrokerEvent
from qws.store.inbox import InboxFolder


@dataclass(frozen=True, slots=True)
class Lists:
    """What the broker said, read once: the orders and trades of today, whoever placed them, money and holdings."""

    orders: tuple[BrokerOrder, ...]
    trades: tuple[Trade, ...]
    asset: Asset
    positions: tuple[Position, ...]


async def read_lists(broker: Broker) -> Lists:
    """Ask for everything once. Raises GatewayError."""
    return Lists(await broker.orders(), await broker.trades(), await broker.asset(), await broker.positions())


class ListedBroker:
    """A broker that only says what was listed; a cancel ends its order, nothing can be placed."""

    def __init__(self, lists: Lists) -> None:
        self._lists = lists
        self._orders = {order.order_id: order for order in lists.orders}

    async def open(self) -> None:
        """Nothing is connected."""

    async def close(self) -> None:
        """Nothing was."""

    async def place(self, order: OrderRequest) -> str:
        """Refuse: this one only says what was listed."""
        raise GatewayLost(f"a rehearsal sends nothing, not even {order.tag}")

    async def cancel(self, order_id: str) -> None:
        """End the order, as a broker would that still has it. Raises GatewayLost for one that is not listed."""
        order = self._orders.get(order_id)
        if order is None:
            raise GatewayLost(f"no order {order_id} is listed")
        if not order.status.is_terminal:
            status = OrderStatus.PART_CANCEL if order.traded else OrderStatus.CANCELED
            self._orders[order_id] = replace(order, status=status)

    async def asset(self) -> Asset:
        """As it was read; what cancelled buys held is free again."""
        asset, held = self._lists.asset, _held(self._lists.orders)
        freed = asset.frozen * (1 - _held(self._orders.values()) / held) if held else Decimal(0)
        return replace(asset, cash=asset.cash + freed, frozen=asset.frozen - freed)

    async def positions(self) -> tuple[Position, ...]:
        """As they were read; what cancelled sells held may be sold again."""
        return tuple(replace(each, sellable=each.sellable + self._freed(each.code)) for each in self._lists.positions)

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """As they were read, and as they were cancelled since."""
        return tuple(self._orders.values())

    async def trades(self) -> tuple[Trade, ...]:
        """As they were read."""
        return self._lists.trades

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Nothing happens while nothing moves."""
        for nothing in tuple[BrokerEvent]():
            yield nothing

    def _freed(self, code: str) -> int:
        ended = (each for each in self._lists.orders if each.code == code and each.side is Side.SELL)
        return sum(each.shares - each.traded for each in ended if _ended_since(each, self._orders[each.order_id]))


def _held(orders: Iterable[BrokerOrder]) -> Decimal:
    """CNY that open buys may still take."""
    buys = (each for each in orders if each.side is Side.BUY and not each.status.is_terminal)
    return sum(((each.shares - each.traded) * each.price for each in buys), Decimal(0))


def _ended_since(before: BrokerOrder, after: BrokerOrder) -> bool:
    return after.status.is_terminal and not before.status.is_terminal


class NoQuotes:
    """A rehearsal ends where prices would be needed."""

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        """None."""
        return {}

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        """None."""
        return {}

    async def index_close(self, code: str, day: date) -> Decimal | None:
        """None."""
        return None

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        """None."""
        return {}


class UntouchedInbox(InboxFolder):
    """The inbox as it is; what is claimed stays where it lies, and nothing is filed away."""

    def __init__(self, root: Path, bytes_max: int) -> None:
        super().__init__(root, bytes_max)
        self._taken: set[str] = set()

    def scan(self) -> list[Drop] | None:
        """What lies there and was not taken."""
        return [drop for drop in super().scan() or () if drop.name not in self._taken]

    def claim(self, drop: Drop, at: datetime) -> Claimed | None:
        """Take note of it; it stays where it lies."""
        self._taken.add(drop.name)
        return self._hashed(drop.name, self._claimed / drop.name)

    def accept(self, path: str, name: str) -> None:
        """File nothing away."""

    def reject(self, path: str, name: str, reason: str) -> None:
        """File nothing away."""

    def _head(self, path: Path) -> tuple[int, bytes]:
        return super()._head(self._root / path.name if path.name in self._taken else path)
