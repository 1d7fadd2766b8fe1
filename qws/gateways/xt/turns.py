"""How fast may we ask? The terminal throttles (请求超速) at a rate nobody publishes. XTQUANT.md 4.4."""

from __future__ import annotations

import asyncio

from qws.ports import Clock


class Turns:
    """Requests of one kind leave at least `gap_s` seconds apart."""

    def __init__(self, clock: Clock, gap_s: float) -> None:
        self._clock, self._gap_s = clock, gap_s
        self._next_at = 0.0  # in seconds of the loop: a clock that is set back must not stop us

    async def wait(self) -> None:
        """Return when it is this caller's turn."""
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next_at)
        self._next_at = turn + self._gap_s
        if turn > now:
            await self._clock.sleep(turn - now)
