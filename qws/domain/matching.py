"""Continuous matching of one incoming order against a given book. RULES.md section 9.2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from qws.domain.market import Level, Side

DISPLAYED_LEVELS = 5


class PriceType(StrEnum):
    """How an order is priced (报价类型): a limit, or one of the market orders of RULES.md section 9.2."""

    LIMIT = "limit"
    FIVE_LEVEL_IOC = "five_level_ioc"
    FIVE_LEVEL_TO_LIMIT = "five_level_to_limit"
    BEST_OPPOSITE = "best_opposite"
    BEST_OWN = "best_own"
    IOC = "ioc"
    FOK = "fok"


_CANCELS_REST = frozenset({PriceType.FIVE_LEVEL_IOC, PriceType.IOC, PriceType.FOK})
_FIVE_LEVELS = frozenset({PriceType.FIVE_LEVEL_IOC, PriceType.FIVE_LEVEL_TO_LIMIT})


@dataclass(frozen=True, slots=True)
class IncomingOrder:
    """An order as it reaches the book: `price` is the limit, or a market order's protective limit (保护限价)."""

    side: Side
    price_type: PriceType
    shares: int
    price: Decimal | None


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of it: trades at resting prices, what rests at which price, shares cancelled."""

    trades: tuple[Level, ...]
    rest: Level | None
    cancelled: int


def match_order(order: IncomingOrder, *, bids: Sequence[Level], asks: Sequence[Level]) -> Matched:
    """Match one order against levels listed best first, equal prices in time order.

    Trades are at the resting price. Raises ValueError for a limit order without a price.
    """
    own, opposite = (bids, asks) if order.side is Side.BUY else (asks, bids)
    bound = _bound(order, own, opposite)
    if bound is None and order.price_type in (PriceType.BEST_OWN, PriceType.BEST_OPPOSITE):
        return Matched((), None, order.shares)
    reachable = _reachable(order, bound, opposite)
    if order.price_type is PriceType.FOK and sum(level.volume for level in reachable) < order.shares:
        return Matched((), None, order.shares)
    trades = []
    left = order.shares
    for level in reachable:
        shares = min(left, level.volume)
        if shares > 0:
            trades.append(Level(level.price, shares))
            left -= shares
    return _finish(order, bound, own, tuple(trades), left)


def _bound(order: IncomingOrder, own: Sequence[Level], opposite: Sequence[Level]) -> Decimal | None:
    """The worst price the order may trade at, None where only the book bounds it (or its side is empty)."""
    match order.price_type:
        case PriceType.BEST_OWN:
            return own[0].price if own else None
        case PriceType.BEST_OPPOSITE:
            return opposite[0].price if opposite else None
        case PriceType.LIMIT if order.price is None:
            raise ValueError("a limit order needs a price")
        case _:
            return order.price


def _reachable(order: IncomingOrder, bound: Decimal | None, opposite: Sequence[Level]) -> tuple[Level, ...]:
    levels = tuple(level for level in opposite if bound is None or _is_within(order.side, level.price, bound))
    if order.price_type not in _FIVE_LEVELS:
        return levels
    displayed = tuple(dict.fromkeys(level.price for level in opposite))[:DISPLAYED_LEVELS]
    return tuple(level for level in levels if level.price in displayed)


def _is_within(side: Side, price: Decimal, bound: Decimal) -> bool:
    return price <= bound if side is Side.BUY else price >= bound


def _finish(
    order: IncomingOrder, bound: Decimal | None, own: Sequence[Level], trades: tuple[Level, ...], left: int
) -> Matched:
    if left == 0:
        return Matched(trades, None, 0)
    if order.price_type in _CANCELS_REST:
        return Matched(trades, None, left)
    resting = bound
    if order.price_type is PriceType.FIVE_LEVEL_TO_LIMIT:
        # SSE 3.3.5: at the last own trade, without one at the own best price, without that cancelled.
        resting = trades[-1].price if trades else (own[0].price if own else None)
    if resting is None:
        return Matched(trades, None, left)
    return Matched(trades, Level(resting, left), 0)
