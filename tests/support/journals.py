"""A journal that forgets when the process ends: the same promises, commits as slow or as broken as a test asks."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence

import anyio

from qws.errors import QwsError
from qws.runtime.message import Envelope, Message


class MemoryJournal:
    """Keeps every batch. A commit takes `commit_s` of loop time, reading a message `read_s`; from the commit
    numbered `broken_from` on, each raises `error`."""

    def __init__(
        self,
        *,
        commit_s: float = 0.0,
        read_s: float = 0.0,
        broken_from: int | None = None,
        error: QwsError | None = None,
    ) -> None:
        self._commit_s, self._read_s, self._broken_from, self._error = commit_s, read_s, broken_from, error
        self._tries = 0
        self.batches: list[tuple[Envelope, ...]] = []

    @property
    def envelopes(self) -> tuple[Envelope, ...]:
        """Everything durable, in order."""
        return tuple(envelope for batch in self.batches for envelope in batch)

    @property
    def bodies(self) -> tuple[Message, ...]:
        """The messages of everything durable, in order."""
        return tuple(envelope.body for envelope in self.envelopes)

    def of(self, kind: type[Message]) -> tuple[Envelope, ...]:
        """What is durable of one message type, in order."""
        return tuple(envelope for envelope in self.envelopes if type(envelope.body) is kind)

    async def append(self, batch: Sequence[Envelope]) -> None:
        """Keep the batch, all or nothing; numbers only rise."""
        numbers = [envelope.id for envelope in batch]
        if not numbers or numbers != sorted(set(numbers)) or numbers[0] <= await self.last_id():
            raise AssertionError(f"after {await self.last_id()} came {numbers}")
        await anyio.sleep(self._commit_s)
        self._tries += 1
        if self._broken_from is not None and self._tries >= self._broken_from and self._error is not None:
            raise self._error
        self.batches.append(tuple(batch))

    async def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Everything of these message types above `after`, in order; others may run between two of them."""
        for envelope in self.envelopes:
            if envelope.id > after and type(envelope.body).__name__ in kinds:
                await anyio.sleep(self._read_s)
                yield envelope

    async def last_id(self) -> int:
        """The highest number kept, 0 when empty."""
        return self.batches[-1][-1].id if self.batches else 0
