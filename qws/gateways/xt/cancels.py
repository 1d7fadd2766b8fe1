"""Which order is cancelled next, and when? One at a time, with a pause after a failure. XTQUANT.md 4.1, G12."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from loguru import logger

from qws.errors import GatewayError, GatewayLost
from qws.ports import Clock

_TRIES = 2


class CancelQueue:
    """Asks for each cancel at most twice: counters bar an account whose cancels keep failing.

    `send` tells whether the broker took the request; it raises GatewayLost when there is no connection, and then
    what waits here is dropped.
    """

    def __init__(self, send: Callable[[str], Awaitable[bool]], clock: Clock, pause_s: float) -> None:
        self._send, self._clock, self._pause_s = send, clock, pause_s
        self._waiting: dict[str, int] = {}  # order id -> tries so far
        self._task: asyncio.Task[None] | None = None
        self._failed_at: float | None = None
        self._is_pausing = False

    def ask(self, order_id: str) -> None:
        """Cancel this one too, soon; asking again while it waits changes nothing."""
        self._waiting.setdefault(order_id, 0)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    def pause(self) -> None:
        """A cancel has failed: wait before the next."""
        self._failed_at = asyncio.get_running_loop().time()

    async def end(self, deadline_s: float) -> None:
        """Send what waits, unless that takes too long or a pause is due; then forget the rest."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=0 if self._is_pausing else deadline_s)
            self._task.cancel()
            await asyncio.wait([self._task])
        self._waiting.clear()
        self._task = None

    async def _work(self) -> None:
        while self._waiting:
            await self._pause()
            order_id, tries = next(iter(self._waiting.items()))
            try:
                is_taken = await self._send(order_id)
            except GatewayLost as error:
                logger.warning("{} cancels were not sent: {}", len(self._waiting), error)
                return self._waiting.clear()
            except GatewayError as error:
                logger.warning("cancel of {}: {}", order_id, error)
                is_taken = False
            del self._waiting[order_id]
            if not is_taken:
                self.pause()
                if tries + 1 < _TRIES:
                    self._waiting[order_id] = tries + 1

    async def _pause(self) -> None:
        if self._failed_at is None:
            return
        left_s = self._failed_at + self._pause_s - asyncio.get_running_loop().time()
        self._failed_at = None
        if left_s > 0:
            self._is_pausing = True
            await self._clock.sleep(left_s)
            self._is_pausing = False
