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


def without_value(changes: Iterable[Weight], snapshot: Snapshot) -> list[str]:
    """Held codes of which nobody can tell what they weigh, so that there is nothing to change.

    That is so without any price, and when the last one cannot have been paid today.
    """
    listed, quotes = {each.code for each in changes}, {quote.code: quote for quote in snapshot.quotes}
    records = {record.code: record for record in snapshot.instruments if record.day == snapshot.at.date()}
    return sorted(
        each.code
        for each in snapshot.positions
        if each.code in listed
        and each.shares
        and (
            not mark_of(each, quotes.get(each.code)) or is_beyond_limits(quotes.get(each.code), records.get(each.code))
        )
    )


def changed_weights(changes: Iterable[Weight], snapshot: Snapshot) -> tuple[Weight, ...]:
    """The weights that changes lead to from what is held now, none below 0; a change of 0 leaves its name alone."""
    quotes, total = {quote.code: quote for quote in snapshot.quotes}, snapshot.asset.total
    held = {each.code: weight_of(each, quotes.get(each.code), total) for each in snapshot.positions}
    return tuple(
        Weight(each.code, max(_ZERO, (held.get(each.code, _ZERO) + each.weight).quantize(_EXACT)))
        for each in changes
        if each.weight
    )
