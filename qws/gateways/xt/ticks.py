"""What the vendor's ticks and instrument records mean: lots, levels, limits, halts. XTQUANT.md 4.3, RULES.md 5."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from qws.domain.bars import DailyBar
from qws.domain.codes import classify
from qws.domain.market import Instrument, Kind, Level, Quote
from qws.domain.rules import RuleBook
from qws.gateways.xt.rows import SHANGHAI, exact

Tick = Mapping[str, Any]
_STEP, _WHOLE = Decimal("0.001"), Decimal(1)
_LEVELS = 5
_LOT, _BOND_LOT = 100, 10
_NO_LIMIT_FROM = Decimal(99_999)  # 99999.99, 100000, 999999.999 and 1000000 all say: no limit today
_HALTS = frozenset({16, 17, 19, 20, 21})  # halts for a while, intraday auction, suspended to the close, field error
_STATUS_BASE, _STATUS_MAX = 10, 23
_ST = re.compile(r"(XD|XR|DR)?S?\*?ST")  # also on an ex-rights day


def quote_of(code: str, tick: Tick) -> Quote | None:
    """The five levels in shares and CNY; None where the tick has no time or no previous close."""
    at, prev_close = _moment(tick.get("time")), exact(tick.get("lastClose"), _STEP)
    if at is None or prev_close is None or prev_close <= 0:
        return None
    last = exact(tick.get("lastPrice"), _STEP)
    found = classify(code)
    lot = _BOND_LOT if found is not None and found.kind is Kind.CB else _LOT
    return Quote(
        code,
        at,
        last if last is not None and last > 0 else None,
        prev_close,
        _levels(tick.get("bidPrice"), tick.get("bidVol"), lot),
        _levels(tick.get("askPrice"), tick.get("askVol"), lot),
        suspended=_security_status(tick) in _HALTS,
    )


def instrument_of(code: str, detail: Tick, today: date, rules: RuleBook) -> Instrument | None:
    """The day's record: what the terminal says of limits, tick and halt, and our tables for the rest.

    None for a code that cannot be traded, or whose record has no previous close.
    """
    prev_close = exact(detail.get("PreClose"), _STEP)
    if prev_close is None or prev_close <= 0:
        return None
    name, halted_days = str(detail.get("InstrumentName") or ""), detail.get("InstrumentStatus")
    is_suspended = isinstance(halted_days, int) and halted_days > 0
    day = _day_of(detail.get("TradingDay")) or today
    try:
        ours = rules.instrument(code, day, prev_close, st=_ST.match(name.upper()) is not None, suspended=is_suspended)
    except ValueError:  # an index, or nothing that this program knows how to trade
        return None
    tick = exact(detail.get("PriceTick"), _STEP)
    most = exact(detail.get("MaxLimitOrderVolume"), _WHOLE)
    up, down = exact(detail.get("UpStopPrice"), _STEP), exact(detail.get("DownStopPrice"), _STEP)
    if up is None or down is None or up <= 0 or down <= 0:
        up, down = ours.limit_up, ours.limit_down
    return replace(
        ours,
        tick=tick if tick is not None and tick > 0 else ours.tick,
        limit_up=None if up is None or up >= _NO_LIMIT_FROM else up,
        limit_down=None if up is None or up >= _NO_LIMIT_FROM else down,
        order_max=min(int(most), ours.order_max) if most is not None and most >= ours.buy_min else ours.order_max,
    )


def bar_of(stamp: str, row: Tick) -> DailyBar | None:
    """A session in which the code traded; None for any other, and for one whose numbers cannot be.

    Whether volumes are lots or shares differs between packages: turnover and close tell.
    """
    day = _day_of(stamp[:8])
    high, low, close, before = (exact(row.get(name), _STEP) for name in ("high", "low", "close", "preClose"))
    volume, amount = exact(row.get("volume"), _WHOLE), exact(row.get("amount"), _WHOLE)
    if day is None or high is None or low is None or close is None or before is None:
        return None
    if volume is None or amount is None or volume <= 0 or before <= 0 or not 0 < low <= close <= high:
        return None
    lot = _LOT if amount > 10 * volume * close else 1
    return DailyBar(day, high, low, close, before, int(volume) * lot)


def _levels(prices: object, volumes: object, lot: int) -> tuple[Level, ...]:
    """Without the levels that say nothing: a price of 0 is a level that is not there."""
    if not isinstance(prices, Sequence) or not isinstance(volumes, Sequence):
        return ()
    told = ((exact(price, _STEP), exact(volume, _STEP)) for price, volume in zip(prices, volumes, strict=False))
    found = [Level(price, int(volume * lot)) for price, volume in told if price and volume and price > 0 < volume]
    return tuple(found[:_LEVELS])


def _security_status(tick: Tick) -> int:
    """The security's status as the vendor's table numbers it (11 to 23), 0 where it is unknown.

    openInt carries it; stockStatus is it less 10 in every sample, although the vendor's texts say the reverse.
    """
    for name, base in (("openInt", 0), ("stockStatus", 0), ("stockStatus", _STATUS_BASE)):
        value = tick.get(name)
        if isinstance(value, int) and _STATUS_BASE < value + base <= _STATUS_MAX:
            return value + base
    return 0


def _moment(milliseconds: object) -> datetime | None:
    """A tick's time, None where there is none, or none that a clock could show."""
    if not isinstance(milliseconds, int | float) or not milliseconds > 0:
        return None
    try:
        return datetime.fromtimestamp(milliseconds / 1000, SHANGHAI)
    except (OverflowError, ValueError, OSError):
        return None


def _day_of(value: object) -> date | None:
    try:
        return datetime.strptime(str(value), "%Y%m%d").replace(tzinfo=SHANGHAI).date()
    except ValueError:
        return None
