"""A bounded inbox with one reader, and one wake-up for everything that has come."""

from __future__ import annotations

import asyncio
from collections import deque
from itertools import takewhile

from qws.errors import QwsError
from qws.runtime.message import Envelope, Message


def overtake(items: deque[Envelope], envelope: Envelope, kinds: tuple[type[Message], ...]) -> None:
    """Put an envelope before what waits, but behind those that overtook before."""
    items.insert(sum(1 for _ in takewhile(lambda each: isinstance(each.body, kinds), items)), envelope)


class InboxFull(QwsError):
    """Raised when an inbox overflows: a bug, never a reason to wait."""


class Inbox:
    """First in, first out up to `size_max`; conflated messages keep only the newest of each key."""

    def __init__(self, size_max: int) -> None:
        self._size_max = size_max
        self._items: deque[Envelope] = deque()
        self._newest: dict[tuple[type, object], Envelope] = {}
        self._reader: asyncio.Future[None] | None = None
        self._room = asyncio.Event()

    def __len__(self) -> int:
        return len(self._items) + len(self._newest)

    def put(self, envelope: Envelope, kinds: tuple[type[Message], ...] = ()) -> bool:
        """Add an envelope without waiting; true when it replaced an unread one. Raises `InboxFull`."""
        body, replaced = envelope.body, False
        if body.conflated_by:
            key = (type(body), getattr(body, body.conflated_by))
            replaced, self._newest[key] = key in self._newest, envelope
        elif len(self._items) >= self._size_max:
            raise InboxFull(f"{len(self._items)} messages wait, the newest is {type(body).__name__}")
        else:
            overtake(self._items, envelope, kinds) if isinstance(body, kinds) else self._items.append(envelope)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
        return replaced

    async def take(self) -> deque[Envelope]:
        """Wait until something is there and take all of it."""
        if not self._items and not self._newest:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
            self._reader = None
        batch, self._items = self._items, deque()
        batch.extend(self._newest.values())
        self._newest.clear()
        self._room.set()
        return batch

    async def room(self) -> None:
        """Wait until less than half is used. Only sources wait: nobody waits for a source."""
        while len(self._items) * 2 > self._size_max:
            self._room.clear()
            await self._room.wait()
