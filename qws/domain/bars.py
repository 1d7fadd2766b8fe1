"""What daily bars tell: how much of a name trades on a day, how far its price moves, how high it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

ATR_DAYS = 14  # Wilder's own
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One session of one code: CNY per share as they were traded, shares. `prev_close` is the day's reference."""

    day: date
    high: Decimal
    low: Decimal
    close: Decimal
    prev_close: Decimal
    volume: int


def average_volume(bars: Iterable[DailyBar]) -> Decimal | None:
    """Shares a day; None where no day is known."""
    volumes = [bar.volume for bar in bars]
    return Decimal(sum(volumes)) / len(volumes) if volumes else None


def adjusted(bars: Sequence[DailyBar], prev_close: Decimal) -> tuple[DailyBar, ...]:
    """The bars in prices of today, whose reference is `prev_close`: an ex-date is no fall."""
    factor, after, found = Decimal(1), prev_close, list[DailyBar]()
    for bar in reversed(bars):
        factor *= after / bar.close
        prices = (bar.high, bar.low, bar.close, bar.prev_close)
        high, low, close, before = (price * factor for price in prices)
        found.append(replace(bar, high=high, low=low, close=close, prev_close=before))
        after = bar.prev_close
    return tuple(reversed(found))


def average_true_range(bars: Sequence[DailyBar]) -> Decimal | None:
    """Wilder's ATR(14) in CNY per share, of adjusted bars; None with fewer than 14 of them."""
    ranges = [max(bar.high, bar.prev_close) - min(bar.low, bar.prev_close) for bar in bars]
    if len(ranges) < ATR_DAYS:
        return None
    average = sum(ranges[:ATR_DAYS], _ZERO) / ATR_DAYS
    for each in ranges[ATR_DAYS:]:
        average = (average * (ATR_DAYS - 1) + each) / ATR_DAYS
    return average
