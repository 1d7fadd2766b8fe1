"""The read models' writer: what was journalled, as tables that other processes may read at any time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import astuple, dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from qws.errors import StoreError
from qws.runtime.message import Envelope, Journal, Message
from qws.store import alert_projection as alert_projection
from qws.store import schedule_projection as schedule_projection
from qws.store import target_projection as target_projection
from qws.store.codec import MESSAGE_TYPES
from qws.store.event_projection import event_row, log_row
from qws.store.journal_file import CHECK_MAX_BYTES
from qws.store.projection import changes, time_text
from qws.store.views_schema import EVENTS_KEPT, TABLES, VERSION

_QUEUE_MAX = 5_000  # then `apply` writes by itself
_BEHIND_MAX = 20 * _QUEUE_MAX  # so many messages while the file is locked or damaged; memory is not for ever
_WAIT_S = 0.2  # a command's insert into the control table lasts less than a millisecond
_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_CARRIED = """SELECT id, command, argument, by, asked_at FROM control WHERE answer IS NULL
    AND typeof(command) = 'text' AND typeof(argument) = 'text' AND typeof(by) = 'text' ORDER BY id"""
_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR})


@dataclass(frozen=True, slots=True)
class ActorRow:
    """One actor at a heartbeat: its state, the messages that wait and those it has handled."""

    name: str
    state: str
    inbox: int
    handled: int


@dataclass(frozen=True, slots=True)
class DaemonRow:
    """What the daemon says of itself; `mode` is paper or live, `metrics` where it serves them, "" when nowhere."""

    state: str
    pid: int
    started_at: datetime
    heartbeat_at: datetime
    version: str
    mode: str
    metrics: str = ""


class Asked(NamedTuple):
    """An order of another process that waits for its answer."""

    id: int
    command: str
    argument: str
    by: str


class Projector:
    """Writes the read models; an envelope is applied once, whatever is fed twice. Raises `StoreError`.

    The file is rebuilt when it is missing, of another schema or damaged: call `catch_up` before the system runs.
    """

    def __init__(self, path: Path, describe: Callable[[Message], str]) -> None:
        self._path, self._describe = path, describe
        self._queue: list[Envelope] = []
        self._bodies_after, self._write_at, self._has_given_up, self._was_locked = 0, _QUEUE_MAX, False, False
        self._connection = self._open()

    def apply(self, batch: Sequence[Envelope]) -> None:
        """Queue a committed batch: the system's tap. Too far behind, it gives up: the next start reads the journal."""
        if self._has_given_up:
            return
        self._queue.extend(batch)
        if len(self._queue) >= _BEHIND_MAX:
            self._queue.clear()
            self._has_given_up = True
            raise StoreError(
                f"read models {self._path} could not be written for too long: they are old until qws restarts"
            )
        if len(self._queue) >= self._write_at:
            self._write_at = len(self._queue) + _QUEUE_MAX
            self.flush()

    def flush(self) -> None:
        """Write what is queued in one transaction; while another program is writing, it stays queued."""
        if self._queue and self._write(self._project):
            self._queue.clear()
            self._write_at = _QUEUE_MAX

    async def catch_up(self, journal: Journal) -> None:
        """Apply what the journal has and the tables have not; from zero when they are ahead of it."""
        applied, last_id = self._applied_id(), await journal.last_id()
        self._bodies_after = last_id - EVENTS_KEPT
        if applied > last_id:
            self._connection.close()
            self._connection, applied = self._renewed(), 0
        async for envelope in journal.read(MESSAGE_TYPES, applied):
            self.apply((envelope,))
        self.flush()

    def write_actors(self, rows: Sequence[ActorRow]) -> None:
        """Replace the actors' rows; skipped while another program is writing."""

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM actor")
            connection.executemany("INSERT INTO actor VALUES (?, ?, ?, ?)", [astuple(row) for row in rows])

        self._write(replace)

    def write_daemon(self, row: DaemonRow) -> bool:
        """Replace the daemon's row; false while another program is writing. Raises when no command finds the file."""
        if not self._path.exists():
            raise StoreError(f"read models {self._path}: the file is gone; start `qws run` again, it makes it anew")
        times = (row.started_at.isoformat(), row.heartbeat_at.isoformat())

        def replace(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM daemon")
            values = (row.state, row.pid, *times, row.version, row.mode, row.metrics)
            connection.execute("INSERT INTO daemon VALUES (?, ?, ?, ?, ?, ?, ?)", values)

        return self._write(replace)

    def unanswered(self) -> list[Asked]:
        """The orders of other processes that wait, oldest first; none while another program has the file locked."""
        sql = "SELECT id, command, argument, by FROM control WHERE answer IS NULL ORDER BY id"
        with self._explained(), _unless_locked():
            return [Asked(*row) for row in self._connection.execute(sql).fetchall()]
        return []

    def answer(self, id_: int, text: str, at: datetime) -> bool:
        """Tell the asking process what became of its order; false while another program is writing."""
        sql = "UPDATE control SET answer = ?, answered_at = ? WHERE id = ?"
        with self._explained(), _unless_locked():
            self._connection.execute(sql, (text, at.isoformat(), id_))
            return True
        return False

    def close(self) -> None:
        """Let go of the file; what is still queued is read from the journal at the next start."""
        self._connection.close()

    def _project(self, connection: sqlite3.Connection) -> None:
        (applied,) = connection.execute("SELECT applied_id FROM meta").fetchone()
        for envelope in self._queue:
            if envelope.id <= applied:
                continue
            for sql, rows in changes(envelope.body, time_text(envelope.at), envelope.id):
                connection.executemany(sql, rows)
            connection.execute(*log_row(envelope, self._describe(envelope.body)))
            if envelope.id > self._bodies_after:
                connection.execute(*event_row(envelope))
            applied = envelope.id
        connection.execute("DELETE FROM event WHERE id <= ?", (applied - EVENTS_KEPT,))
        connection.execute("UPDATE meta SET applied_id = ?", (applied,))

    def _applied_id(self) -> int:
        with self._explained():
            (applied,) = self._connection.execute("SELECT applied_id FROM meta").fetchone()
        return int(applied)

    def _write(self, change: Callable[[sqlite3.Connection], None]) -> bool:
        """Make the change in a transaction; false when another program is writing."""
        connection = self._connection
        with self._explained():
            try:
                connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if _code(error) in _LOCKED:
                    self._wait_for_lock(0.0)
                    return False
                raise
            self._wait_for_lock(_WAIT_S)
            try:
                change(connection)
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
        return True

    def _wait_for_lock(self, seconds: float) -> None:
        """How long the next write may wait: on the loop, nobody waits twice for who holds the file for long."""
        if self._was_locked is not (seconds == 0):
            self._was_locked = not self._was_locked
            self._connection.execute(f"PRAGMA busy_timeout = {seconds * 1000:.0f}")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            text = f"read models {self._path}: {error}; free space, close other programs, or delete the file"
            raise StoreError(text) from error

    def _open(self) -> sqlite3.Connection:
        """The tables as they are, or new ones when those cannot be used."""
        with self._explained():
            try:
                return self._prepared()
            except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
                if _code(error) not in _DAMAGED:
                    raise
        return self._renewed()

    def _renewed(self) -> sqlite3.Connection:
        """New tables, with the orders that wait in the old ones: the journal does not know them."""
        with self._explained():
            waiting = self._waiting()
            self._delete()
            return self._prepared(waiting)

    def _waiting(self) -> Sequence[tuple[object, ...]]:
        """The unanswered rows of the old file, none when they cannot be read; every schema had these columns."""
        try:
            with closing(sqlite3.connect(self._path, timeout=_WAIT_S)) as connection:
                return connection.execute(_CARRIED).fetchall()
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            if _code(error) not in _DAMAGED:
                raise
            return ()

    def _prepared(self, waiting: Sequence[tuple[object, ...]] = ()) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_WAIT_S, isolation_level=None)
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("PRAGMA journal_mode = WAL")
            if version == 0:
                connection.execute("BEGIN IMMEDIATE")
                for statement in TABLES:
                    connection.execute(statement)
                connection.executemany("INSERT OR IGNORE INTO control VALUES (?, ?, ?, ?, ?, NULL, NULL)", waiting)
                connection.execute("COMMIT")
            elif version != VERSION:
                raise sqlite3.DatabaseError(f"schema {version}, not {VERSION}")
            # A commit lost to a power cut is read from the journal again, so it need not wait for the disk.
            connection.execute("PRAGMA synchronous = NORMAL")
            if self._path.stat().st_size <= CHECK_MAX_BYTES:
                (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                if verdict != "ok":
                    raise sqlite3.DatabaseError(verdict)
        except BaseException:
            connection.close()
            raise
        return connection

    def _delete(self) -> None:
        try:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self._path}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(f"{self._path} cannot be rebuilt: {error}; close the program that has it open") from error


class Control:
    """The control table as the daemon's control desk sees it."""

    def __init__(self, projector: Projector, now: Callable[[], datetime]) -> None:
        self._projector, self._now = projector, now

    def unanswered(self) -> list[Asked]:
        """The orders that wait, oldest first."""
        return self._projector.unanswered()

    def answer(self, id_: int, text: str) -> bool:
        """Tell the person what became of it; false while another program is writing."""
        return self._projector.answer(id_, text, self._now())


@contextmanager
def _unless_locked() -> Iterator[None]:
    """Leave the block when another program has the file locked; every other error goes on."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if _code(error) not in _LOCKED:
            raise


def _code(error: Exception) -> int:
    """SQLite's primary code; what the module itself found wrong, such as text that is not UTF-8, is damage."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)) & 0xFF
