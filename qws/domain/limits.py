"""Daily price limits, valid ranges without one, and the ex-rights reference. RULES.md sections 5 and 13."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from qws.domain.prices import ceil_tick, floor_tick, half_up


class Rounding(StrEnum):
    """How a computed limit meets the tick: to the nearest, or inwards (Beijing)."""

    HALF_UP = "half_up"
    INWARD = "inward"


@dataclass(frozen=True, slots=True)
class LimitRule:
    """The limit rates of a board and type; a rate of None means that `rate` holds (for `rate`: no limit at all)."""

    rate: Decimal | None
    st_rate: Decimal | None
    delisting_rate: Decimal | None
    unreformed_rate: Decimal | None
    wide_rate: Decimal | None
    first_day_up: Decimal | None
    first_day_down: Decimal | None
    free_days: int
    rounding: Rounding


class ListingStatus(NamedTuple):
    """What moves a code off its board's normal rate; day counts start at 1, None means long ago or never.

    `wide` marks a fund on the exchange's 20% list, `unreformed` a bare-S share, `relisting` its first day back.
    """

    st: bool
    listing_day: int | None
    delist_day: int | None
    wide: bool
    unreformed: bool
    relisting: bool


class DailyLimits(NamedTuple):
    """The limits of one day in CNY; `rate` is None where there is none or where up and down differ."""

    rate: Decimal | None
    up: Decimal | None
    down: Decimal | None


NO_LIMITS = DailyLimits(None, None, None)


def daily_limits(rule: LimitRule, status: ListingStatus, prev_close: Decimal, tick: Decimal) -> DailyLimits:
    """The day's limits from the exchange's reference price (already ex-rights). RULES.md section 5.

    A limit differs from the reference by at least one tick and is never below one tick.
    """
    rates = _rates(rule, status)
    if rates is None:
        return NO_LIMITS
    up_rate, down_rate = rates
    raw_up, raw_down = prev_close * (1 + up_rate), prev_close * (1 - down_rate)
    if rule.rounding is Rounding.INWARD:
        up, down = floor_tick(raw_up, tick), ceil_tick(raw_down, tick)
    else:
        up, down = half_up(raw_up, tick), half_up(raw_down, tick)
    up = max(up, prev_close + tick)
    down = max(min(down, prev_close - tick), tick)
    return DailyLimits(up_rate if up_rate == down_rate else None, up, down)


def _rates(rule: LimitRule, status: ListingStatus) -> tuple[Decimal, Decimal] | None:
    """The rates up and down, or None on a day without limits."""
    is_new = status.listing_day is not None and status.listing_day <= rule.free_days
    if status.relisting or status.delist_day == 1 or is_new:
        return None
    if status.listing_day == 1 and rule.first_day_up is not None and rule.first_day_down is not None:
        return rule.first_day_up, rule.first_day_down
    special: Decimal | None = None
    if status.delist_day is not None:
        special = rule.delisting_rate
    elif status.unreformed:
        special = rule.unreformed_rate
    elif status.st:
        special = rule.st_rate
    elif status.wide:
        special = rule.wide_rate
    rate = rule.rate if special is None else special
    return None if rate is None else (rate, rate)


@dataclass(frozen=True, slots=True)
class FreeDayRule:
    """The valid range where there is no daily limit: a multiple for the opening auction, a rate after it."""

    opening_multiple: Decimal
    later_rate: Decimal


def opening_cap(rule: FreeDayRule, prev_close: Decimal, tick: Decimal) -> Decimal:
    """The highest valid price of the opening auction without a daily limit (day 1: from the issue price)."""
    return floor_tick(prev_close * rule.opening_multiple, tick)


def auction_range(rule: FreeDayRule, last: Decimal, tick: Decimal) -> tuple[Decimal, Decimal]:
    """The lowest and highest valid price in halts and the closing auction without a daily limit."""
    return half_up(last * (1 - rule.later_rate), tick), half_up(last * (1 + rule.later_rate), tick)


def ex_rights_reference(
    prev_close: Decimal,
    *,
    cash_per_share: Decimal,
    bonus_per_share: Decimal,
    rights_price: Decimal,
    rights_per_share: Decimal,
    tick: Decimal,
) -> Decimal:
    """The reference price of an ex-date in CNY, half up to the tick. RULES.md section 13."""
    value = prev_close - cash_per_share + rights_price * rights_per_share
    return half_up(value / (1 + bonus_per_share + rights_per_share), tick)
