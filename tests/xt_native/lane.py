"""One thread that does things strictly in the order of their due times: what a native client's own thread is."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from itertools import count

Work = Callable[[], object]
_JOIN_S = 5.0


class Lane:
    """A daemon thread. What its work raises is kept in `errors`, as a native thread would drop it."""

    def __init__(self, name: str, errors: list[BaseException]) -> None:
        self._errors = errors
        self._waiting: list[tuple[float, int, Work]] = []
        self._numbers = count()
        self._news = threading.Condition()
        self._is_ended = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def put(self, work: Work, after_s: float = 0.0) -> None:
        """Do something, some seconds from now; what is due at the same time is done in the order of putting."""
        with self._news:
            if not self._is_ended:
                heapq.heappush(self._waiting, (time.monotonic() + after_s, next(self._numbers), work))
                self._news.notify()

    def end(self) -> None:
        """Do nothing more, and wait for what is being done, unless it is what calls this."""
        with self._news:
            self._is_ended = True
            self._waiting.clear()
            self._news.notify()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(_JOIN_S)

    def is_here(self) -> bool:
        """Whether the caller runs on this thread."""
        return self._thread is threading.current_thread()

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
