"""At which price an order is sent, and why. RULES.md 6 and 17.3, XTQUANT.md G9."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import inf

from qws.domain.legaliser import Context, Illegal, Wish, legal_price
from qws.domain.market import Instrument, Quote, Side

SLIPPAGE = "slippage"


@dataclass(frozen=True, slots=True)
class Price:
    """A limit price in CNY and where it comes from (`ask3`, `bid1`, `last`, `prev_close`, plus a clamp)."""

    value: Decimal
    origin: str


@dataclass(frozen=True, slots=True)
class NoPrice:
    """Why no order can be priced: a stable reason code. The answer is to hold, never to sell."""

    reason: str


def mark_price(quote: Quote) -> Decimal:
    """The price at which a name is valued: the last trade, else the previous close."""
    return quote.last or quote.prev_close


def is_beyond_limits(quote: Quote | None, record: Instrument | None) -> bool:
    """Whether a name that trades was last at a price that is none of the record's day, so that it means nothing."""
    if quote is None or quote.last is None or quote.suspended or record is None:
        return False
    is_high = record.limit_up is not None and quote.last > record.limit_up
    return is_high or (record.limit_down is not None and quote.last < record.limit_down)


def hold_reason(quote: Quote | None, instrument: Instrument | None, now: datetime, age_max_s: float) -> str:
    """Why a name cannot be traded at all at this moment; empty when it can."""
    if quote is None or instrument is None or mark_price(quote) <= 0:
        return "no_quote"
    if quote.suspended or instrument.suspended:
        return "suspended"
    if abs((now - quote.at).total_seconds()) > age_max_s:
        return "stale_quote"
    if instrument.day != now.date() and age_max_s < inf:
        return "stale_record"
    return ""


def limit_price(side: Side, level: int, context: Context, worst: Decimal | None = None) -> Price | NoPrice:
    """The price of the wanted opposite level (buys: ask, sells: bid), or the documented fallback, made legal.

    Fallback: the deepest shallower level that is there, then the last trade, then the previous close. A side that is
    empty at its limit means a locked name: `limit_up` cannot be bought, `limit_down` cannot be sold. The result stays
    inside the day's limits and the price cage (RULES.md 5, 6) and on the tick. `worst` is the highest price in CNY to
    buy at, the lowest to sell at; what it bounds says `slippage`. `context.quote` must be there.
    """
    quote, instrument = context.quote, context.instrument
    assert quote is not None
    levels, name = (quote.asks, "ask") if side is Side.BUY else (quote.bids, "bid")
    locked = _locked(side, quote, instrument)
    if locked:
        return NoPrice(locked)
    if levels:
        depth = min(level, len(levels))
        value, origin = levels[depth - 1].price, f"{name}{depth}"
    elif quote.last is not None:
        value, origin = quote.last, "last"
    else:
        value, origin = quote.prev_close, "prev_close"
    far = instrument.limit_down if side is Side.BUY else instrument.limit_up  # a fallback may be of another day
    if far is not None and ((value < far) if side is Side.BUY else (value > far)):
        value, origin = far, f"{origin}>limit"
    if worst is not None and ((value > worst) if side is Side.BUY else (value < worst)):
        value, origin = worst, f"{origin}>{SLIPPAGE}"
    found = legal_price(Wish(side, instrument.buy_min, value), context)
    if isinstance(found, Illegal):
        return NoPrice(found)
    price, clamp = found
    return Price(price, f"{origin}>{clamp}" if clamp in ("cage", "limit") else origin)


def _locked(side: Side, quote: Quote, instrument: Instrument) -> str:
    mark = mark_price(quote)
    if side is Side.BUY and not quote.asks and instrument.limit_up is not None and mark >= instrument.limit_up:
        return "limit_up"
    if side is Side.SELL and not quote.bids and instrument.limit_down is not None and mark <= instrument.limit_down:
        return "limit_down"
    return ""
