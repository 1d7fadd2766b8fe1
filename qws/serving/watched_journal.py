"""The journal with a watch beside it: how long commits take, and since when one has not come back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime

from qws.ports import Clock
from qws.runtime.message import Envelope
from qws.store.horizon import RunJournal

BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, float("inf"))


class WatchedJournal:
    """Passes everything on to a journal."""

    def __init__(self, journal: RunJournal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock
        self.waiting_since: datetime | None = None
        self.counts = [0] * len(BUCKETS_S)  # of commits that took at most so long and longer than the bucket before
        self.sum_s = 0.0

    async def append(self, batch: Sequence[Envelope]) -> None:
        """As the journal does."""
        self.waiting_since = self._clock.now()
        await self._journal.append(batch)
        took_s = max((self._clock.now() - self.waiting_since).total_seconds(), 0.0)  # clocks are set back
        self.waiting_since = None
        self.counts[next(place for place, limit_s in enumerate(BUCKETS_S) if took_s <= limit_s)] += 1
        self.sum_s += took_s

    def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """As the journal does."""
        return self._journal.read(kinds, after)

    async def last_id(self) -> int:
        """As the journal does."""
        return await self._journal.last_id()

    async def horizon(self, run_days: int) -> int:
        """As the journal does."""
        return await self._journal.horizon(run_days)
