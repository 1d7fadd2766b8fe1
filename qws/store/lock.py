"""One daemon per home: a lock of the operating system, which dies with the process that holds it.

filelock is imported only where a lock is taken: a status query must not wait for that.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Self

from qws.errors import AlreadyRunning, StoreError

_PATIENCE_S = 0.5  # a command that asks `is_held` has the lock for an instant
_POLL_S = 0.01


class HomeLock:
    """The lock of one home; the file stays when it is released. The process id is written beside it."""

    def __init__(self, path: Path) -> None:
        from filelock import FileLock

        self._path = path
        self._lock = FileLock(path)

    def acquire(self) -> None:
        """Take the lock for this process; raises `AlreadyRunning` naming the process that has it, or `StoreError`."""
        from filelock import Timeout

        try:
            self._lock.acquire(timeout=_PATIENCE_S, poll_interval=_POLL_S)
        except Timeout as error:
            pid = pid_of(self._path)
            who = "another process" if pid is None else f"process {pid}"
            raise AlreadyRunning(f"{who} already runs this home (lock {self._path}); stop it first") from error
        except OSError as error:
            raise StoreError(f"lock {self._path} cannot be taken: {error}; make its folder writable") from error
        _pid_file(self._path).write_text(f"{os.getpid()}\n", encoding="utf-8")

    def release(self) -> None:
        """Let go of the lock."""
        _pid_file(self._path).unlink(missing_ok=True)
        self._lock.release()

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether a process holds this lock now; asking does not keep a starting daemon from it."""
    if not path.exists():
        return False
    try:
        return _is_taken(path)
    except OSError as error:
        raise StoreError(f"lock {path} cannot be read: {error}; make it readable and writable") from error


def pid_of(path: Path) -> int | None:
    """The process that last took this lock and has not released it, None when nobody says."""
    try:
        return int(_pid_file(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _pid_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.pid")


if sys.platform == "win32":

    def _is_taken(path: Path) -> bool:
        from filelock import FileLock, Timeout

        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

else:
    import fcntl

    def _is_taken(path: Path) -> bool:
        """What filelock takes is an exclusive flock; a shared one lets others ask at the same time."""
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False
