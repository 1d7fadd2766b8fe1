"""How many orders leave at once: all, until the broker proves to be slower than prices last; and in a second."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from qws.domain.run_orders import Leg


class Pace:
    """Orders that waited for too long for the broker were not handed over: from then on no more leave than it takes."""

    def __init__(self) -> None:
        self._most: int | None = None
        self._batch: list[Leg] = []
        self._has_late = False

    def room(self) -> int | None:
        """How many orders may leave now; None for any number. None leaves while one has not been answered."""
        if self._most is not None and any(leg.order is None for leg in self._batch):
            return 0
        return self._most

    def note_sent(self, legs: list[Leg]) -> None:
        """These leave together."""
        if self._most is not None and not self._has_late and legs:
            self._most *= 2
        self._batch, self._has_late = legs, False

    def note_late(self) -> None:
        """One of them came too late."""
        if not self._has_late:
            self._most, self._has_late = max(1, sum(bool(leg.order_id) for leg in self._batch)), True


_SECOND = timedelta(seconds=1)


class Rate:
    """How many orders may leave in any second, cancels counted: far below programme-trading's 300 (RULES.md 14).

    Cancels are never kept back. 0 is any number.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._left: deque[datetime] = deque()

    def room(self, now: datetime) -> int | None:
        """How many orders may leave now; None for any number."""
        while self._left and now - self._left[0] >= _SECOND:
            self._left.popleft()
        return max(0, self._most - len(self._left)) if self._most else None

    def opens_at(self) -> datetime:
        """When there is room again, if there is none now."""
        return self._left[-self._most] + _SECOND

    def note(self, number: int, now: datetime) -> None:
        """So many leave now."""
        if self._most:
            self._left.extend([now] * number)
