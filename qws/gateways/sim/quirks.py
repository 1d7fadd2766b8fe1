"""What a real quote feed gets wrong, on request: late, shallow, stale and missing quotes. XTQUANT.md section 4.3."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b

from qws.domain.market import Quote
from qws.gateways.sim.market import SimMarket, moment_of

_SPELL_S = 60  # a fault lasts for one such stretch of the clock


@dataclass(frozen=True, slots=True)
class Quirks:
    """How bad the feed is; the default is a perfect one. Shares are of all codes and minutes, from 0 to 1.

    `late_open_s` delays the tick of 09:25:00 by up to so many seconds, each code by its own; 300 and more may keep it
    away till 09:30. A `shallow` quote has the first level only, a `stale` one is that of the minute's beginning, a
    `missing` code is absent.
    """

    late_open_s: float = 0.0
    shallow: float = 0.0
    stale: float = 0.0
    missing: float = 0.0


PERFECT = Quirks()


def seen_quote(market: SimMarket, quirks: Quirks, code: str, now: datetime) -> Quote | None:
    """The quote of a code as the feed shows it at `now`, the same in every process; None where it is missing."""
    if quirks == PERFECT:
        return market.quote(code, now)
    spell = now.replace(second=now.second // _SPELL_S * _SPELL_S, microsecond=0)
    if _draw(market, f"missing:{code}:{spell}") < quirks.missing:
        return None
    shown = spell if _draw(market, f"stale:{code}:{spell}") < quirks.stale else now
    quote = market.quote(code, _before_late_tick(market, quirks, code, shown))
    if quote is not None and _draw(market, f"shallow:{code}:{spell}") < quirks.shallow:
        quote = replace(quote, bids=quote.bids[:1], asks=quote.asks[:1])
    return quote


def _before_late_tick(market: SimMarket, quirks: Quirks, code: str, now: datetime) -> datetime:
    """The moment to show: `now`, or the last one of the opening auction while its result is on the way."""
    day = now.date()
    listing = market.listing(code, day) if market.is_session(day) else None
    if listing is None or listing.hours is None:
        return now
    delay_s = quirks.late_open_s * _draw(market, f"late:{code}:{day}")
    uncrossed, opened = moment_of(day, listing.hours.call_to), moment_of(day, market.grid.halves[0][0])
    is_late = uncrossed <= now < min(uncrossed + timedelta(seconds=delay_s), opened)
    return uncrossed - timedelta(microseconds=1) if is_late else now


def _draw(market: SimMarket, what: str) -> float:
    """A number in [0, 1) from the market's seed."""
    return int.from_bytes(blake2b(f"{market.seed}:{what}".encode(), digest_size=4).digest()) / (1 << 32)
