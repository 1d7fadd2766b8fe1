"""What the computer's disk keeps between lives, all in memory: journal, control table and archive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from actors.archivist import Note
from qws.messages import EquityRecorded, RunFinished, TargetAccepted
from qws.runtime.message import Envelope
from qws.store.journal import InlineJournal
from qws.store.journal_file import JournalFile, rows_of
from tests.simulation.life import Life, PatientClock

Record = tuple[str, str, str]
PERSON = "simulation"
_LOOSE = timedelta(seconds=30)  # a disk may take this long when nobody tells it to hurry


class Diary:
    """The product's own journal file, in memory, shared by all lives; `hear` is told what became durable.

    A batch is durable when the call that writes it has returned: before that a power loss takes all of it.
    """

    def __init__(self, hear: Callable[[Sequence[Envelope]], None]) -> None:
        self._file = JournalFile(":memory:")
        self._hear = hear
        self.journal = InlineJournal(":memory:", self._file)
        self.kept: list[Envelope] = []

    async def write(self, batch: Sequence[Envelope]) -> None:
        """Put a batch on the disk."""
        await self.journal.append(batch)
        self.kept.extend(batch)
        self._hear(batch)

    def digest(self) -> str:
        """A fingerprint of every byte that was written."""
        return sha256(repr(rows_of(self.kept)).encode()).hexdigest()

    def close(self) -> None:
        """Let go of the memory."""
        self._file.close()


class JournalPort:
    """The journal as one life sees it."""

    def __init__(self, diary: Diary, life: Life) -> None:
        self._diary, self._life = diary, life

    async def append(self, batch: Sequence[Envelope]) -> None:
        """Make the batch durable, or raise StoreError."""
        self._life.writing = batch
        await self._life.before_commit()
        await self._diary.write(batch)
        self._life.writing = ()
        self._life.after_commit()

    def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Everything of these types above a number, decoded from what was written."""
        return self._diary.journal.read(kinds, after)

    async def last_id(self) -> int:
        """The highest number that is durable."""
        return await self._diary.journal.last_id()

    async def horizon(self, run_days: int) -> int:
        """Where the newest days with runs begin."""
        return await self._diary.journal.horizon(run_days)


@dataclass
class Ask:
    """One row of the control table."""

    id: int
    command: str
    argument: str
    by: str
    is_answered: bool = False


class Desk:
    """The control table; one life looks at it."""

    def __init__(self) -> None:
        self.rows: list[Ask] = []
        self.times: list[datetime] = []  # when somebody will write into it
        self.wake: Callable[[], None] = lambda: None

    def order(self, command: str, argument: str = "") -> None:
        """A person gives an order."""
        self.rows.append(Ask(len(self.rows) + 1, command, argument, PERSON))
        self.wake()


class DeskPort:
    """The control table as one life sees it."""

    def __init__(self, desk: Desk, life: Life, clock: PatientClock) -> None:
        self._desk, self._life, self._clock = desk, life, clock
        desk.wake = clock.poke

    def unanswered(self) -> Sequence[Ask]:
        """The rows that wait, oldest first."""
        waiting = [] if self._life.died_of else [row for row in self._desk.rows if not row.is_answered]
        now, times = self._clock.now(), self._desk.times
        is_quiet = not waiting and len(self._desk.rows) == sum(when <= now for when in times)
        if is_quiet:  # and nobody is about to write this moment
            later = (when for when in times if when > now)
            self._clock.nothing_before = min(later, default=datetime.max.replace(tzinfo=now.tzinfo))
        return waiting

    def answer(self, id_: int, text: str, at: datetime) -> bool:
        """Tell the person what became of it."""
        del text, at
        if not self._life.died_of:
            self._desk.rows[id_ - 1].is_answered = True
        return True


class Shelf:
    """The archive: which results lie beside their files, and which days have an equity record."""

    now: Callable[[], datetime]

    def __init__(self) -> None:
        self.results: dict[str, str] = {}
        self.equity: set[Record] = set()
        self._written: list[tuple[datetime, str | Record]] = []

    def write_target(self, target: TargetAccepted) -> None:
        """Nothing asks for it later."""

    def write_result(self, target: TargetAccepted | None, result: RunFinished, notes: Sequence[Note]) -> None:
        """Keep the newest result of a run."""
        del target, notes
        self.results[result.run_id] = result.status
        self._written.append((self.now(), result.run_id))

    def append_equity(self, record: EquityRecorded) -> None:
        """Keep a record."""
        kept = str(record.day), record.kind, record.run_id
        self.equity.add(kept)
        self._written.append((self.now(), kept))

    def loose(self, now: datetime) -> list[str | Record]:
        """What the disk need not have yet: nobody waited for it."""
        return [what for when, what in self._written if now - when < _LOOSE]

    def lose(self, now: datetime) -> int:
        """The power went: what the disk did not have is gone; how much."""
        lost = set(self.loose(now))
        for each in lost:
            self.results.pop(each, None) if isinstance(each, str) else self.equity.discard(each)
        self._written.clear()
        return len(lost)
