"""Single-price call auction. RULES.md section 9.1 and its reference pseudo-code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise
from typing import NamedTuple

from qws.domain.market import Exchange, Side
from qws.domain.prices import ceil_tick, floor_tick, half_up


class AuctionOrder(NamedTuple):
    """A limit order that takes part: CNY per share, shares."""

    order_id: str
    side: Side
    price: Decimal
    shares: int


@dataclass(frozen=True, slots=True)
class AuctionResult:
    """The one price, the shares traded at it, and each order's shares in the order of allocation."""

    price: Decimal | None
    volume: int
    fills: tuple[tuple[str, int], ...]


class _Zone(NamedTuple):
    """Neighbouring prices between which demand and supply do not change."""

    low: Decimal
    high: Decimal
    buys: int
    sells: int
    buys_above: int
    sells_below: int
    is_quoted: bool

    @property
    def volume(self) -> int:
        return min(self.buys, self.sells)


NO_TRADE = AuctionResult(None, 0, ())


def uncross(exchange: Exchange, orders: Sequence[AuctionOrder], tick: Decimal, reference: Decimal) -> AuctionResult:
    """Find the price that trades most and allocate it by price, then by place in `orders` (time).

    `reference` is the previous close in the opening auction and the last trade in later ones; Shanghai ignores it.
    """
    zones = [zone for zone in _zones(orders, tick) if exchange is not Exchange.SH or zone.is_quoted]
    volume = max((zone.volume for zone in zones), default=0)
    if volume == 0:
        return NO_TRADE
    zones = [
        zone for zone in zones if zone.volume == volume and zone.buys_above <= volume and zone.sells_below <= volume
    ]
    imbalance = min(abs(zone.buys - zone.sells) for zone in zones)
    zones = [zone for zone in zones if abs(zone.buys - zone.sells) == imbalance]
    if exchange is Exchange.SH:
        price = half_up((zones[0].low + zones[-1].high) / 2, tick)
    else:
        price = _nearest(zones, reference, tick)
    return AuctionResult(price, volume, _allocate(orders, price, volume))


def _zones(orders: Sequence[AuctionOrder], tick: Decimal) -> Iterator[_Zone]:
    """Every quoted price and, between two of them, every range of unquoted ticks, upwards."""
    prices = sorted({order.price for order in orders})
    bought = dict.fromkeys(prices, 0)
    sold = dict.fromkeys(prices, 0)
    for order in orders:
        (bought if order.side is Side.BUY else sold)[order.price] += order.shares
    below = [0, *accumulate(sold[price] for price in prices)]
    total = sum(bought.values())
    above = [total - passed for passed in (0, *accumulate(bought[price] for price in prices))]
    for place, price in enumerate(prices):
        yield _Zone(price, price, above[place], below[place + 1], above[place + 1], below[place], is_quoted=True)
    for place, (lower, upper) in enumerate(pairwise(prices)):
        if upper - lower > tick:
            buys, sells = above[place + 1], below[place + 1]
            yield _Zone(lower + tick, upper - tick, buys, sells, buys, sells, is_quoted=False)


def _nearest(zones: Sequence[_Zone], reference: Decimal, tick: Decimal) -> Decimal:
    """The candidate tick nearest to the reference; of two equally near ones the lower (an assumption)."""
    candidates = []
    for zone in zones:
        inside = min(max(reference, zone.low), zone.high)
        candidates += [floor_tick(inside, tick), ceil_tick(inside, tick)]
    return min(candidates, key=lambda price: (abs(price - reference), price))


def _allocate(orders: Sequence[AuctionOrder], price: Decimal, volume: int) -> tuple[tuple[str, int], ...]:
    buys = sorted((o for o in orders if o.side is Side.BUY and o.price >= price), key=lambda o: -o.price)
    sells = sorted((o for o in orders if o.side is Side.SELL and o.price <= price), key=lambda o: o.price)
    fills = []
    for queue in (buys, sells):
        left = volume
        for order in queue:
            shares = min(left, order.shares)
            if shares > 0:
                fills.append((order.order_id, shares))
            left -= shares
    return tuple(fills)
