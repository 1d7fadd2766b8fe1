"""Daily bars: what they are, where they may come from, and a source that makes them up from a seed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple, Protocol

from qws.domain.calendar import UnknownDay
from qws.domain.codes import classify
from qws.domain.market import Kind
from qws.ports import Calendar


@dataclass(frozen=True, slots=True)
class Bar:
    """One day of one code, in CNY per share (points for an index), every price on tick.

    `is_reference` says that `prev_close` is the exchange's own reference price, ex-rights on an ex-date and the issue
    price on the first day; otherwise it is the close before. `listing_day` counts trading days from 1; None: long ago.
    """

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    prev_close: Decimal
    is_reference: bool = False
    st: bool = False
    listing_day: int | None = None


class Bars(Protocol):
    """A source of daily bars. A known code without a bar is suspended that day."""

    def is_known(self, code: str) -> bool:
        """Whether this source has prices for the code at all."""
        ...

    def bar(self, code: str, day: date) -> Bar | None:
        """The bar of `code` on `day`; None when it did not trade or is unknown."""
        ...

    def last_close(self, code: str, day: date) -> Decimal | None:
        """The newest close strictly before `day`, in CNY; None when there is none."""
        ...

    def codes(self, day: date) -> tuple[str, ...]:
        """Codes with a bar on `day`, in order."""
        ...


class _Trait(NamedTuple):
    """What does not change from day to day: tick, middle price in CNY or points, and how much the noise moves it."""

    tick: Decimal
    middle: float
    sway: float


class GeneratedBars:
    """Made-up bars of every A share, depositary receipt and exchange-traded fund: a pure function of seed, code, day.

    The logarithm of the price is a sum of noises over one day to ten months, each bounded, so that no close ever
    leaves a 10 % limit, not even across the eleven days of a Spring Festival. Median price about 13 CNY (a tenth of
    it for funds), daily deviation about 1.5 %, day range about 3 %; indexes stand between 3,000 and 4,000 points.
    """

    # (days between the noise's corners, largest deviation in log price); see the bound above before changing one
    _SCALES = ((1, 0.0173), (5, 0.010), (40, 0.025), (320, 0.12))
    _MOVE_MAX = 0.095

    def __init__(self, seed: int, calendar: Calendar) -> None:
        self._key = f"{seed}".encode()[:64]
        self._calendar = calendar
        # What was worked out last, per code, so that a day needs little more than its own noise.
        self._traits: dict[str, _Trait | None] = {}
        self._corners: dict[tuple[str, int], tuple[int, float, float]] = {}
        self._levels: dict[str, tuple[date, float]] = {}

    def is_known(self, code: str) -> bool:
        """Whether the code is a share, a fund or an index that gets a made-up price."""
        return self._trait(code) is not None

    def bar(self, code: str, day: date) -> Bar | None:
        """The bar of `code` on `day`; None for a code that gets no price."""
        trait = self._trait(code)
        if trait is None:
            return None
        before = self._level(code, trait, self._before(day))
        close = self._level(code, trait, day)
        gap, up, down = (part / 65536 for part in self._parts(code, day))
        opened = before * math.exp((gap - 0.5) * 0.012) * (close / before) ** 0.2
        high = max(min(max(opened, close) * (1 + 0.022 * up * up), before * (1 + self._MOVE_MAX)), opened, close)
        low = min(max(min(opened, close) * (1 - 0.022 * down * down), before * (1 - self._MOVE_MAX)), opened, close)
        tick = trait.tick
        return Bar(
            _on_tick(opened, tick), _on_tick(high, tick), _on_tick(low, tick), _on_tick(close, tick),
            _on_tick(before, tick),
        )  # fmt: skip

    def last_close(self, code: str, day: date) -> Decimal | None:
        """The close of the session before `day`, in CNY; None for a code that gets no price."""
        trait = self._trait(code)
        return None if trait is None else _on_tick(self._level(code, trait, self._before(day)), trait.tick)

    def codes(self, day: date) -> tuple[str, ...]:
        """Three hundred plausible codes, the same every day (every other valid code has a price as well)."""
        del day
        listed = [f"{number:06d}.SZ" for number in (*range(1, 101), *range(300001, 300051))]
        return (*listed, *(f"{number}.SH" for number in (*range(600000, 600120), *range(688001, 688031))))

    def _before(self, day: date) -> date:
        try:
            return self._calendar.previous_session(day)
        except UnknownDay:  # the calendar begins here
            return day - timedelta(days=1)

    def _trait(self, code: str) -> _Trait | None:
        if code not in self._traits:
            known = classify(code)
            kind = known.kind if known is not None else None
            place = math.exp(0.8 * (self._corner(code, 0, 0) + self._corner(code, 0, 1)))
            match kind:
                case Kind.STOCK | Kind.CDR:
                    self._traits[code] = _Trait(price_tick(code), 13.0 * place, 1.0)
                case Kind.ETF:
                    self._traits[code] = _Trait(price_tick(code), 1.3 * place, 1.0)
                case Kind.INDEX:
                    self._traits[code] = _Trait(price_tick(code), 3464.0, 0.5)
                case _:
                    self._traits[code] = None
        return self._traits[code]

    def _level(self, code: str, trait: _Trait, day: date) -> float:
        newest = self._levels.get(code)
        if newest is not None and newest[0] == day:
            return newest[1]
        at = day.toordinal()
        noise = sum(self._noise(code, scale, at) * size for scale, size in self._SCALES)
        level = trait.middle * math.exp(noise * trait.sway)
        self._levels[code] = (day, level)
        return level

    def _noise(self, code: str, scale: int, at: int) -> float:
        corner, offset = divmod(at, scale)
        if scale == 1:
            return self._corner(code, scale, corner)
        known = self._corners.get((code, scale))
        if known is None or known[0] != corner:
            known = (corner, self._corner(code, scale, corner), self._corner(code, scale, corner + 1))
            self._corners[code, scale] = known
        share = offset / scale
        share = share * share * (3 - 2 * share)
        return known[1] * (1 - share) + known[2] * share

    def _corner(self, code: str, scale: int, index: int) -> float:
        """A uniform number in [-1, 1)."""
        digest = blake2b(f"{code}:{scale}:{index}".encode(), digest_size=6, key=self._key).digest()
        return int.from_bytes(digest) / (1 << 47) - 1.0

    def _parts(self, code: str, day: date) -> tuple[int, ...]:
        digest = blake2b(f"{code}:{day.toordinal()}".encode(), digest_size=6, key=self._key).digest()
        return tuple(int.from_bytes(digest[at : at + 2]) for at in (0, 2, 4))


_MILLS, _CENTS = Decimal("0.001"), Decimal("0.01")
_THREE_DECIMALS = frozenset({Kind.ETF, Kind.LOF, Kind.REIT, Kind.CB})


def price_tick(code: str) -> Decimal:
    """The tick of a code in CNY: 0.001 for funds, 0.01 otherwise (RULES.md section 3)."""
    known = classify(code)
    return _MILLS if known is not None and known.kind in _THREE_DECIMALS else _CENTS


def _on_tick(price: float, tick: Decimal) -> Decimal:
    return max(math.floor(price / float(tick) + 0.5), 1) * tick
