"""Which answer belongs to which request? XTQUANT.md H8, H9."""

from __future__ import annotations

import asyncio

from qws.errors import GatewayTimeout
from qws.gateways.xt.rows import Row

_EARLY_MAX = 1000


class Replies:
    """Answers arrive before the number of their request is known, late, twice, or never.

    A request has a key of ours; the vendor numbers it while it sends it, and its answer carries that number and, not
    always in full, the key.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Future[Row]] = {}
        self._keys: dict[int, str] = {}
        self._early: dict[int, Row] = {}

    def expect(self, key: str) -> asyncio.Future[Row]:
        """Before the request leaves."""
        self._waiting[key] = asyncio.get_running_loop().create_future()
        return self._waiting[key]

    def sent(self, key: str, number: int) -> None:
        """The request left under this number."""
        self._keys[number] = key
        if number in self._early:
            self._settle(key, self._early.pop(number))

    def heard(self, number: int, told_key: str, row: Row) -> str:
        """The key of an answer; empty while that is not certain."""
        key = self._keys.get(number, "")
        if told_key in self._waiting and not self.is_waiting(number, ""):
            key = told_key
        if key:
            self._settle(key, row)
        elif number > 0 and len(self._early) < _EARLY_MAX:
            self._early[number] = row
        return key

    def is_waiting(self, number: int, told_key: str) -> str:
        """The key of a request that has no answer yet; empty when there is none."""
        key = self._keys.get(number) or told_key
        waiting = self._waiting.get(key)
        return key if waiting is not None and not waiting.done() else ""

    def forget(self, key: str) -> None:
        """Nobody waits for this answer any more."""
        answer = self._waiting.pop(key, None)
        if answer is not None and answer.done() and not answer.cancelled():
            answer.exception()

    def fail(self, reason: str) -> None:
        """No answer will come; what the requests did is unknown."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(GatewayTimeout(f"{reason}: the outcome is unknown"))

    def _settle(self, key: str, row: Row) -> None:
        answer = self._waiting.get(key)
        if answer is not None and not answer.done():
            answer.set_result(row)
