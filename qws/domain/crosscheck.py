"""Do the instrument records of a day agree with our dated tables? The record wins; we want to know. RULES.md 2 to 5."""

from __future__ import annotations

from collections.abc import Iterator

from qws.domain.market import Instrument
from qws.domain.rules import RuleBook

_FIELDS = ("tick", "buy_min", "buy_step", "order_max")
_LIMITS = ("limit_up", "limit_down")


def disagreements(record: Instrument, book: RuleBook) -> Iterator[tuple[str, str, str]]:
    """Field, the record's value and the table's, as text.

    A record without limits is no disagreement: the tables do not know listing days. A fund may be on the 20% list.
    """
    try:
        table = book.instrument(record.code, record.day, record.prev_close, st=record.st)
        wide = book.instrument(record.code, record.day, record.prev_close, st=record.st, star20=True)
    except ValueError as unknown:
        yield "code", record.code, str(unknown)
        return
    for name in _FIELDS:
        told, expected = getattr(record, name), getattr(table, name)
        if told != expected:
            yield name, str(told), str(expected)
    for name in _LIMITS:
        told = getattr(record, name)
        if told is not None and told not in (getattr(table, name), getattr(wide, name)):
            yield name, str(told), str(getattr(table, name))
