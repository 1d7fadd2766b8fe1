"""Which answer belongs to which request? XTQUANT.md H8, H9."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from qws.errors import GatewayTimeout
from qws.gateways.xt.rows import Row

_KEYS_MAX = 20_000  # requests of a connection of which an answer may still come: more than a day may have


class Replies:
    """Answers arrive before the number of their request is known, late, twice, from another life, or never.

    A request has a key of ours; the vendor numbers it while it sends it, and its answer carries that number and, not
    always in full, the key. `is_whole` says of a key that it was not cut: what bears another one is no answer.
    """

    def __init__(self, is_whole: Callable[[str], bool]) -> None:
        self._is_whole = is_whole
        self._waiting: dict[str, asyncio.Future[Row]] = {}
        self._keys: dict[int, str] = {}
        self._unnumbered: set[str] = set()
        self._early: dict[int, tuple[str, Row]] = {}

    def expect(self, key: str) -> asyncio.Future[Row]:
        """Before the request leaves."""
        self._unnumbered.add(key)
        self._waiting[key] = asyncio.get_running_loop().create_future()
        return self._waiting[key]

    def sent(self, key: str, number: int) -> None:
        """The request left under this number."""
        self._keys[number] = key
        if len(self._keys) > _KEYS_MAX:
            del self._keys[next(iter(self._keys))]
        if number in self._early:
            self.heard(number, *self._early.pop(number))
        self._number(key)

    def heard(self, number: int, told_key: str, row: Row) -> str:
        """The key of an answer; empty while that is not certain."""
        key = self.key_of(number, told_key)
        if key:
            self._settle(key, row)
        elif number > 0 and number not in self._keys and self._unnumbered:
            self._early[number] = told_key, row
        return key

    def key_of(self, number: int, told_key: str) -> str:
        """Which request this is about; empty while that is not certain, and when number and key contradict."""
        if key := self._keys.get(number, ""):
            return "" if told_key != key and self._is_whole(told_key) else key
        return told_key if told_key in self._waiting else ""

    def forget(self, key: str) -> None:
        """Nobody waits for this answer any more."""
        self._number(key)
        answer = self._waiting.pop(key, None)
        if answer is not None and answer.done() and not answer.cancelled():
            answer.exception()

    def fail(self, reason: str) -> None:
        """No answer will come; what the requests did is unknown."""
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(GatewayTimeout(f"{reason}: the outcome is unknown"))

    def _number(self, key: str) -> None:
        self._unnumbered.discard(key)
        if not self._unnumbered:  # what comes under a number of tomorrow is no answer to anything of today
            self._early.clear()

    def _settle(self, key: str, row: Row) -> None:
        answer = self._waiting.get(key)
        if answer is not None and not answer.done():
            answer.set_result(row)
