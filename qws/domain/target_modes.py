"""What changes of weights lead to, and what names weigh that a target leaves alone."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from qws.domain.account import Position, Snapshot
from qws.domain.market import Quote
from qws.domain.pricing import is_beyond_limits, mark_price
from qws.domain.target_records import Weight

LEFT_ALONE = "not_listed"  # held, and a target that is not full does not name it
_EXACT = Decimal("1e-10")
_ZERO = Decimal(0)


def mark_of(position: Position | None, quote: Quote | None) -> Decimal:
    """What a share is worth in CNY: by the quote, or else as the broker values it; 0 where neither tells."""
    mark = mark_price(quote) if quote is not None else _ZERO
    if mark <= 0 and position is not None and position.shares:
        mark = position.market_value / position.shares
    return max(mark, _ZERO)


def weight_of(position: Position, quote: Quote | None, total: Decimal) -> Decimal:
    """The share of a total in CNY that a holding is."""
    return position.shares * mark_of(position, quote) / total if total > 0 else _ZERO


def _counted(snapshot: Snapshot, age_max_s: float) -> dict[str, Quote]:
    return {
        quote.code: quote
        for quote in snapshot.quotes
        if quote.suspended or abs((snapshot.at - quote.at).total_seconds()) <= age_max_s
    }


def marks_of(snapshot: Snapshot, age_max_s: float) -> dict[str, Decimal]:
    """What a share of each holding is worth in CNY, 0 where nobody can tell: what it weighs is fixed for good, so a
    quote older than `age_max_s` does not count, and the broker's own value does."""
    quotes = _counted(snapshot, age_max_s)
    return {each.code: mark_of(each, quotes.get(each.code)) for each in snapshot.positions}


def without_value(changes: Iterable[Weight], snapshot: Snapshot, age_max_s: float) -> list[str]:
    """Held codes of which nobody can tell what they weigh, so that there is nothing to change.

    That is so without any price, and when the last one cannot have been paid today.
    """
    listed, marks = {each.code for each in changes}, marks_of(snapshot, age_max_s)
    quotes = _counted(snapshot, age_max_s)
    records = {record.code: record for record in snapshot.instruments if record.day == snapshot.at.date()}
    return sorted(
        each.code
        for each in snapshot.positions
        if each.code in listed
        and each.shares
        and (not marks[each.code] or is_beyond_limits(quotes.get(each.code), records.get(each.code)))
    )


def changed_weights(changes: Iterable[Weight], snapshot: Snapshot, age_max_s: float) -> tuple[Weight, ...]:
    """The weights that changes lead to from what is held now, none below 0; a change of 0 leaves its name alone."""
    marks, total = marks_of(snapshot, age_max_s), snapshot.asset.total
    held = {each.code: each.shares * marks[each.code] / total for each in snapshot.positions if total > 0}
    return tuple(
        Weight(each.code, max(_ZERO, (held.get(each.code, _ZERO) + each.weight).quantize(_EXACT)))
        for each in changes
        if each.weight
    )
