"""Do the terminal's answers agree with each other? Asset with holdings, orders with fills. XTQUANT.md G6, 4.2."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from loguru import logger

from qws.domain.account import Asset, Position
from qws.domain.orders import BrokerOrder, OrderStatus, Trade

_LASTS = timedelta(seconds=10)
_LOOK_MAX = timedelta(seconds=10)
_PRICES_MOVE = Decimal("0.002")  # of the total asset, between two queries; as in a plan's snapshot (I12)


@dataclass(frozen=True, slots=True)
class Gap:
    """How far the asset's market value is above that of the holdings, and how far it may be, in CNY."""

    value: Decimal
    allowed: Decimal

    @property
    def is_open(self) -> bool:
        """Whether prices alone do not explain it."""
        return abs(self.value) > self.allowed

    def is_again(self, before: Gap) -> bool:
        """Whether it is the one that was there before."""
        return abs(self.value - before.value) <= self.allowed


class Steady:
    """For how long the same was found, look after look; time in which nobody looked counts little."""

    def __init__(self) -> None:
        self.looks, self.lasted = 0, timedelta(0)
        self._last: datetime | None = None

    def again(self, now: datetime) -> None:
        """It was found again."""
        if self._last is not None:
            self.lasted += min(max(now - self._last, timedelta(0)), _LOOK_MAX)
        self._last, self.looks = now, self.looks + 1


class Difference:
    """One of the lists that stays as it is, as after a corrected fill, bars nobody for ever."""

    def __init__(self) -> None:
        self._text, self._steady = "", Steady()

    def left(self, text: str, now: datetime) -> str:
        """What is still waited for; `text` says why the lists differ, empty when they do not."""
        if self._text != text:
            self._text, self._steady = text, Steady()
        self._steady.again(now)
        if text and self._steady.lasted >= _LASTS:
            logger.warning("{}: for {:.0f} s, and so it is taken as it is", text, _LASTS.total_seconds())
            return ""
        return text


def gap_of(asset: Asset, held: Iterable[Position]) -> Gap:
    """Between two answers, both without what is no share, fund or bond of ours."""
    value = sum((each.market_value for each in held), Decimal(0))
    return Gap(asset.market_value - value, max(Decimal(1), abs(asset.total) * _PRICES_MOVE))


def unlike(listed: Iterable[BrokerOrder], trades: Iterable[Trade], older: Collection[str]) -> str:
    """Why the lists cannot be of one moment, empty when they can; `older` are ids of orders of another day."""
    orders, filled = {each.order_id: each for each in listed}, Counter[str]()
    fills = {(trade.code, trade.order_id, trade.trade_id): trade for trade in trades}  # a list may tell one twice
    for trade in fills.values():
        filled[trade.order_id] += trade.shares
    for order_id, shares in filled.items():
        if order_id not in orders and order_id in older:
            continue  # somebody's, placed yesterday evening
        if order_id not in orders or orders[order_id].traded < shares:
            return f"order {order_id} has fills of {shares} shares that the order list does not show"
    for order_id, order in orders.items():
        if order.status is OrderStatus.SUCCEEDED and filled[order_id] < order.traded:
            return f"order {order_id} has {order.traded} shares traded, the trade list shows {filled[order_id]}"
    return ""
