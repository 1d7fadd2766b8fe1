"""Which order is cancelled next, and when? One at a time, apart, and far apart after a failure. XTQUANT.md 4.1, G12."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from qws.errors import GatewayError, GatewayLost
from qws.ports import Clock

_TRIES = 2
_NEVER_S = float("-inf")


class CancelQueue:
    """Asks for each cancel at most twice: counters bar an account whose cancels keep failing.

    They leave `gap_s` seconds apart: a late refusal is heard before the next leaves. A failure may mean that the
    counter wants more time between them: from then on they leave `pause_s` apart, until none waits. `send` tells
    whether the broker took the request; it raises GatewayLost without a connection, and what waits here is dropped.
    """

    def __init__(self, send: Callable[[str], Awaitable[bool]], clock: Clock, gap_s: float, pause_s: float) -> None:
        self._send, self._clock, self._pause_s, self._gap_s = send, clock, pause_s, gap_s
        self._waiting: dict[str, int] = {}  # order id -> tries so far
        self._sent: set[str] = set()
        self._task: asyncio.Task[None] | None = None
        self._sent_at = self._failed_at = _NEVER_S  # in seconds of the loop
        self._is_slow = self._is_pausing = False

    def ask(self, order_id: str) -> None:
        """Cancel this one too, soon; asking again while it waits changes nothing."""
        self._waiting.setdefault(order_id, 0)
        if self._task is None or self._task.done():
            self._is_slow = _now_s() < self._failed_at + self._pause_s
            self._task = asyncio.create_task(self._work())

    def fail(self, order_id: str) -> None:
        """The broker says that a cancel failed; it may be somebody else's."""
        if order_id in self._sent:
            self.pause()

    def pause(self) -> None:
        """A cancel has failed: wait before the next, and between those that wait now."""
        self._failed_at, self._is_slow = _now_s(), True

    async def end(self, deadline_s: float) -> None:
        """Send what waits, unless that takes too long or a pause is due; then forget the rest."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=0 if self._is_pausing else deadline_s)
            self._task.cancel()
            await asyncio.wait([self._task])
        self._waiting.clear()
        self._sent.clear()
        self._task, self._is_pausing = None, False

    async def _work(self) -> None:
        while self._waiting:
            await self._turn()
            order_id, tries = next(iter(self._waiting.items()))
            self._sent.add(order_id)
            try:
                is_taken = await self._send(order_id)
            except GatewayLost as error:
                logger.warning("{} cancels were not sent: {}", len(self._waiting), error)
                return self._waiting.clear()
            except GatewayError as error:
                logger.warning("cancel of {}: {}", order_id, error)
                is_taken = False
            self._sent_at = _now_s()
            del self._waiting[order_id]
            if not is_taken:
                self.pause()
                if tries + 1 < _TRIES:
                    self._waiting[order_id] = tries + 1

    async def _turn(self) -> None:
        """Wait for the next one's turn, which a failure puts off that is told in the meantime."""
        waited_until_s = _now_s()
        while (turn_s := self._turn_s()) > waited_until_s:
            self._is_pausing = self._is_slow
            await self._clock.sleep(turn_s - _now_s())
            waited_until_s = turn_s
        self._is_pausing = False

    def _turn_s(self) -> float:
        return max(self._sent_at + (self._pause_s if self._is_slow else self._gap_s), self._failed_at + self._pause_s)


def _now_s() -> float:
    """Of the loop: a clock that is set back must not stop us."""
    return asyncio.get_running_loop().time()
