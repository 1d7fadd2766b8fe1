"""Exact price arithmetic: ticks and the price cage. RULES.md sections 3 and 6."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal

from qws.domain.market import Side

_ONE = Decimal(1)


def half_up(value: Decimal, tick: Decimal) -> Decimal:
    """The multiple of `tick` nearest to `value`, ties upwards (四舍五入)."""
    return (value / tick).quantize(_ONE, ROUND_HALF_UP) * tick


def floor_tick(value: Decimal, tick: Decimal) -> Decimal:
    """The greatest multiple of `tick` at or below `value`."""
    return (value / tick).quantize(_ONE, ROUND_FLOOR) * tick


def ceil_tick(value: Decimal, tick: Decimal) -> Decimal:
    """The least multiple of `tick` at or above `value`."""
    return (value / tick).quantize(_ONE, ROUND_CEILING) * tick


def is_on_tick(price: Decimal, tick: Decimal) -> bool:
    """Whether `price` may be quoted: above zero and an exact multiple of `tick`."""
    return price > 0 and price % tick == 0


@dataclass(frozen=True, slots=True)
class CageRule:
    """The price cage of a board: a share of the base price, or `ticks` ticks where that is wider (0: never)."""

    rate: Decimal
    ticks: int


def cage_base(
    side: Side, *, bid: Decimal | None, ask: Decimal | None, last: Decimal | None, prev_close: Decimal
) -> Decimal:
    """The price the cage is measured from: the first that exists of the ladder in RULES.md section 6.

    `bid` and `ask` are the best displayed prices; None and zero both mean an empty side.
    Raises ValueError when no price is above zero.
    """
    book = (ask, bid) if side is Side.BUY else (bid, ask)
    base = _first_positive((*book, last, prev_close))
    if base is None:
        raise ValueError("no price to measure the price cage from: book, last trade and previous close are all empty")
    return base


def cage_bound(rule: CageRule, side: Side, base: Decimal, tick: Decimal) -> Decimal:
    """The highest legal buy or the lowest legal sell price of a limit order in continuous trading.

    RULES.md section 6; the daily limits are applied apart from it.
    """
    if side is Side.BUY:
        cap = max(base * (1 + rule.rate), base + rule.ticks * tick)
        return max(half_up(cap, tick), base + tick)
    floor = min(base * (1 - rule.rate), base - rule.ticks * tick)
    return max(min(half_up(floor, tick), base - tick), tick)


def _first_positive(ladder: Iterable[Decimal | None]) -> Decimal | None:
    return next((price for price in ladder if price is not None and price > 0), None)
