"""How far back actors remember: what belongs to runs that are over is forgotten, everything else is kept for good.

A start must not take longer with every month. Orders are good for a day, and so is what is remembered of them; the hash
of a file, a halt or the peak of a drawdown is not.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Container, Iterable, Sequence
from typing import Protocol

from qws.messages import (
    CancelOrder,
    ExecutionEnded,
    FillReceived,
    LedgerDrift,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    RecordDisputed,
    RunStopOrdered,
    SnapshotTaken,
)
from qws.runtime.message import Envelope, Journal, Message

# Nothing of these outlives its run, its day, or the results that a start writes once more (the newest 8).
OF_A_RUN: frozenset[type[Message]] = frozenset(
    {
        CancelOrder,
        ExecutionEnded,
        FillReceived,
        LedgerDrift,
        OrderUpdated,
        PlaceOrder,
        PlanReady,
        RecordDisputed,
        RunStopOrdered,
        SnapshotTaken,
    }
)
RUN_DAYS = 10
_NAMES = frozenset(kind.__name__ for kind in OF_A_RUN)


class RunJournal(Journal, Protocol):
    """A journal that knows where its newest days with runs begin."""

    async def horizon(self, run_days: int) -> int:
        """The number of the first message that is remembered whatever it is, 0 for all."""
        ...


class HorizonJournal:
    """A journal as actors recall it: of messages of runs only those from the horizon on."""

    def __init__(self, journal: RunJournal, run_days: int = RUN_DAYS) -> None:
        self._journal, self._run_days = journal, run_days

    async def append(self, batch: Sequence[Envelope]) -> None:
        """Make the batch durable, as the journal does."""
        await self._journal.append(batch)

    async def last_id(self) -> int:
        """The highest number journalled."""
        return await self._journal.last_id()

    async def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Everything of these message types above `after`, in order, less what lies behind the horizon."""
        first = await self._journal.horizon(self._run_days) if not _NAMES.isdisjoint(kinds) else 0
        if first - 1 > after:
            async for envelope in self._journal.read([kind for kind in kinds if kind not in _NAMES], after):
                if envelope.id >= first:
                    break
                yield envelope
            after = first - 1
        async for envelope in self._journal.read(kinds, after):
            yield envelope


def first_to_remember(due: Iterable[tuple[int, str, str]], ended: Container[str], close: int, run_days: int) -> int:
    """The first one of the last `run_days` days with runs, or of a run that has no end yet, or the newest close.

    Whichever is oldest, 0 for all: the clock may be wrong, the numbers are not. `due` are number, day and run of every
    `RebalanceDue` in order, `ended` the runs that have their end, `close` is the number of the newest close or 0.
    """
    days, open_runs = dict[str, int](), list[int]()
    for id_, day, run_id in due:
        days.setdefault(day, id_)
        open_runs += [] if run_id in ended else [id_]
    newest = list(days.values())[-run_days:]
    return min([*newest, *open_runs, *([close] if close else [])]) if len(days) > run_days else 0
