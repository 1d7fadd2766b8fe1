"""What daily bars tell: how much of a name trades on a day, how far its price moves, how high it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise

from qws.domain.calendar import UnknownDay
from qws.domain.schedule import Sessions

ATR_DAYS = 14  # Wilder's own
SAME = Decimal("0.011")  # CNY: a reference that differs by more than a tick from the close before is of an ex-date
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


def ex_dates(bars: Sequence[DailyBar]) -> dict[date, Decimal]:
    """The days whose reference was not the close before, and what part of that it was."""
    return {b.day: b.prev_close / a.close for a, b in pairwise(bars) if abs(b.prev_close - a.close) > SAME}


def unbroken(bars: Sequence[DailyBar], calendar: Sessions) -> tuple[DailyBar, ...]:
    """The newest bars, from the last gap on in which prices moved unseen: a missing session is no ex-date."""
    for place in range(len(bars) - 1, 0, -1):
        before, after = bars[place - 1], bars[place]
        if abs(after.prev_close - before.close) > SAME and _lacks(before.day, after.day, calendar):
            return tuple(bars[place:])
    return tuple(bars)


def _lacks(first: date, last: date, calendar: Sessions) -> bool:
    """Whether there was a session between two days, or nobody knows."""
    try:
        return calendar.next_session(first) < last
    except UnknownDay:
        return True


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
