"""Which session id comes next, and does another process have this account? XTQUANT.md 4.5, G7."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from qws.errors import AlreadyRunning, GatewayError

_SIZE = 16
_FIRST = 1_000
_ACCOUNTS = 100_000
_LOCK_WAIT_S = 0.5


def first_session(account: str) -> int:
    """The lowest session id of an account: the same in every process, and hardly ever another account's."""
    number = int.from_bytes(sha256(account.encode("utf-8")).digest()[:8], "big")
    return _FIRST + number % _ACCOUNTS * _SIZE


class SessionPool:
    """A few session ids, used in turn: each costs the terminal a queue file of some 75 MB.

    A process that was killed leaves its queue file, and the terminal refuses that id (and may replay old fills): ids
    without a file come first, and every leftover of this pool is removed. Nobody else's file is touched.
    """

    def __init__(self, folder: Path, first: int, size: int = _SIZE) -> None:
        self._folder, self._ids = folder, [first + place for place in range(size)]

    def take(self) -> int:
        """The next id, its leftovers removed; blocks on the disk. Raises GatewayError when all are in use."""
        self._ids.sort(key=lambda session: self._file(session).exists())
        free = [session for session in self._ids if self._clean(session)]
        if not free:
            files = self._file(self._ids[0]).with_name("down_queue_win_*")
            raise GatewayError(f"every session id is in use: close what else uses {files} or restart the terminal")
        self._ids.remove(free[0])
        self._ids.append(free[0])
        return free[0]

    def _file(self, session: int) -> Path:
        return self._folder / f"down_queue_win_{session}"

    def _clean(self, session: int) -> bool:
        try:
            with suppress(FileNotFoundError, NotADirectoryError):
                self._file(session).unlink()
        except OSError:  # Windows: somebody has it open
            return False
        return True


class AccountLock:
    """Held by the one process of a Windows user that trades an account; dies with it.

    It keeps nobody else's process out. A second lock in the terminal's folder would not either: a terminal answers only
    programs of its own Windows session, so another user trades through a terminal and a folder of his own; and where
    two did share one, a file left by a killed process of the other user could look locked for ever.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._release: Callable[[], None] | None = None

    def acquire(self) -> None:
        """Take it; raises AlreadyRunning, or GatewayError where the file cannot be made."""
        from filelock import FileLock, Timeout

        lock = FileLock(self._path)
        try:
            lock.acquire(timeout=_LOCK_WAIT_S, poll_interval=0.01)
        except Timeout:
            text = f"another process trades this account (lock {self._path}); stop it first"
            raise AlreadyRunning(text) from None
        except OSError as error:
            raise GatewayError(f"lock {self._path} cannot be taken: {error}; make its folder writable") from error
        self._release = lock.release

    def release(self) -> None:
        """Let go of it."""
        if self._release is not None:
            self._release()
        self._release = None
