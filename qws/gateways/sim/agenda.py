"""What is still to happen at the exchange, in order of time, and how long each thing takes."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import blake2b

# Whatever falls into the same 10 ms happens together: one wake-up and one commit serve many orders.
_GRAIN_US = 10_000


class Due(Enum):
    """Pending work: a report, a cancel, an arriving order, a book worth a look, an auction's end, the day's end."""

    REPORT = auto()
    CANCEL = auto()
    MATCH = auto()
    LOOK = auto()
    CALL = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Latency:
    """How long reports and fills take, in milliseconds, from and to."""

    report_ms: tuple[int, int] = (20, 60)
    fill_ms: tuple[int, int] = (30, 150)


class Agenda:
    """A queue of (time, kind, order id or code). Delays are drawn from seed and key, so a restart draws the same."""

    def __init__(self, seed: int, latency: Latency) -> None:
        self._seed, self._latency = seed, latency
        self._items: list[tuple[datetime, int, Due, str]] = []
        self._pushed = 0

    def push(self, at: datetime, due: Due, key: str) -> None:
        """Plan something; what is due at the same time happens in the order of planning."""
        self._pushed += 1
        heapq.heappush(self._items, (at, self._pushed, due, key))

    def pop(self, now: datetime) -> tuple[datetime, Due, str] | None:
        """The earliest that is due by `now`; None when nothing is."""
        if not self._items or self._items[0][0] > now:
            return None
        at, _, due, key = heapq.heappop(self._items)
        return at, due, key

    def next_due(self) -> datetime | None:
        """When the next thing happens; None when nothing is planned."""
        return self._items[0][0] if self._items else None

    def clear(self) -> None:
        """Plan nothing any more."""
        self._items.clear()

    def report_at(self, start: datetime, what: str, order_id: str) -> datetime:
        """When the acknowledgement or the cancel of an order that set out at `start` takes effect."""
        return self._after(start, f"{what}:{order_id}", self._latency.report_ms)

    def fill_at(self, start: datetime, key: str) -> datetime:
        """When an order that set out at `start` trades."""
        return self._after(start, f"fill:{key}", self._latency.fill_ms)

    def _after(self, start: datetime, key: str, span_ms: tuple[int, int]) -> datetime:
        chance = int.from_bytes(blake2b(f"{self._seed}:{key}".encode(), digest_size=4).digest())
        at = start + timedelta(microseconds=span_ms[0] * 1000 + (span_ms[1] - span_ms[0]) * 1000 * chance // (1 << 32))
        return at + timedelta(microseconds=-at.microsecond % _GRAIN_US)
