"""Rules about single orders in their market: a price far off, more than the book shows. They drop or cut the name."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from qws.domain.market import Quote, Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.risk.rule import Facts, Finding

_ONE = Decimal(1)


def far_from_last(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """An order's price against the last trade, as a fraction: a fat finger, or a quote that is broken."""

    def last(row: PlanRow) -> Decimal | None:
        quote = facts.quotes.get(row.code)
        return quote.last if quote is not None else None

    return _far_from(plan, limit, last, "the last trade")


def far_from_close(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """An order's price against the previous close; a name without price limits today may be anywhere."""

    def close(row: PlanRow) -> Decimal | None:
        record = facts.instruments.get(row.code)
        return record.prev_close if record is not None and record.limit_up is not None else None

    return _far_from(plan, limit, close, "the previous close")


def liquidity(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """An order against the volume of the five visible levels it would trade with; the rest of it is not sent.

    A preview is not looked at: before the open no level is deep.
    """
    if plan.preview:
        return None
    seen = {row.code: _depth(quote, row.side) for row in _traded(plan) if (quote := facts.quotes.get(row.code))}
    most = {
        row.code: int(seen[row.code] * limit)
        for row in _traded(plan)
        if row.code in seen and row.shares > seen[row.code] * limit
    }
    if not most:
        return None
    text = f"{', '.join(sorted(most))}: more than {limit} times the visible depth"
    times = (Decimal(row.shares) / max(seen[row.code], 1) for row in _traded(plan) if row.code in most)
    return Finding(max(times), text, most)


def average_volume(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """Shares of a name against what trades on an average day; the rest of it is not sent.

    A name of which no day is known passes; whoever read the days said so.
    """
    known = [(row, volume) for row in _traded(plan) if (volume := facts.volumes.get(row.code)) is not None]
    large = {row.code: row.shares / max(volume, _ONE) for row, volume in known if row.shares > volume * limit}
    if not large:
        return None
    most = {row.code: int(volume * limit) for row, volume in known if row.code in large}
    return Finding(
        max(large.values()), f"{', '.join(sorted(most))}: more than {limit} of an average day's volume", most
    )


def _far_from(plan: Plan, limit: Decimal, reference: Callable[[PlanRow], Decimal | None], what: str) -> Finding | None:
    far = {
        row.code: abs(row.price / price - _ONE)
        for row in _traded(plan)
        if (price := reference(row)) and abs(row.price / price - _ONE) > limit
    }
    if not far:
        return None
    text = f"{', '.join(sorted(far))}: priced more than {limit} away from {what}"
    return Finding(max(far.values()), text, dict.fromkeys(far, 0))


def _traded(plan: Plan) -> tuple[PlanRow, ...]:
    return tuple(row for row in plan.rows if row.side is not None and row.shares)


def _depth(quote: Quote, side: Side | None) -> int:
    return sum(level.volume for level in (quote.asks if side is Side.BUY else quote.bids))
