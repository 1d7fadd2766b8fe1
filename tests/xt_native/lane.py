"""Where the fake does things strictly in the order of their due times: a thread, as a native client has one.

`one_thread.py` has the other kind, for virtual time.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

Work = Callable[[], object]
_JOIN_S = 5.0


class Lane(Protocol):
    """What its work raises is kept in a list of errors, as a native thread would drop it."""

    def start(self) -> None:
        """Begin to work."""
        ...

    def put(self, work: Work, after_s: float = 0.0) -> None:
        """Do something, some seconds from now; what is due at the same time is done in the order of putting."""
        ...

    def end(self) -> None:
        """Do nothing more, and wait for what is being done, unless it is what calls this."""
        ...

    def is_here(self) -> bool:
        """Whether the caller may touch what belongs to this lane."""
        ...

    def catch_up(self) -> None:
        """Return when all that was due has been done."""
        ...

    def hang(self, until: threading.Event) -> None:
        """Let the caller, who is of another thread, hang."""
        ...

    def be_awaited(self, *, is_answered: bool) -> None:
        """The caller's thread waits for an answer through this lane next, for ever if none comes."""
        ...


Lanes = Callable[[str, list[BaseException]], Lane]


class ThreadLane:
    """A daemon thread."""

    def __init__(self, name: str, errors: list[BaseException]) -> None:
        self._errors = errors
        self._waiting: list[tuple[float, int, Work]] = []
        self._numbers = count()
        self._news = threading.Condition()
        self._is_ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, work: Work, after_s: float = 0.0) -> None:
        with self._news:
            if not self._is_ended:
                heapq.heappush(self._waiting, (time.monotonic() + after_s, next(self._numbers), work))
                self._news.notify()

    def end(self) -> None:
        with self._news:
            self._is_ended = True
            self._waiting.clear()
            self._news.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def is_here(self) -> bool:
        return self._thread is threading.current_thread()

    def catch_up(self) -> None:
        done = threading.Event()
        self.put(done.set)
        done.wait(_JOIN_S)

    def hang(self, until: threading.Event) -> None:
        until.wait()

    def be_awaited(self, *, is_answered: bool) -> None:
        """That thread is not this one."""

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - as native code does
                self._errors.append(error)

    def _next(self) -> Work | None:
        with self._news:
            while not self._is_ended:
                wait_s = self._waiting[0][0] - time.monotonic() if self._waiting else None
                if wait_s is not None and wait_s <= 0:
                    return heapq.heappop(self._waiting)[2]
                self._news.wait(wait_s)
        return None
