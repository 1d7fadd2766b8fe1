"""Messages, the envelope that carries them, and where they are written before anybody sees them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, Protocol, TypeVar


class Message:
    """A frozen, slotted fact, command or timer; its Python type is the topic. Of a type that names a field in
    `conflated_by`, a newer message replaces an unread one with the same value there, and none is journalled."""

    __slots__ = ()
    conflated_by: ClassVar[str] = ""


M = TypeVar("M", bound=Message, covariant=True)


@dataclass(frozen=True, slots=True)
class Later(Generic[M]):
    """A message that arrives after `seconds` on the injected clock. It dies with the process: derive it again."""

    seconds: float
    message: M


@dataclass(slots=True)  # not frozen: that alone would make every hop a quarter slower
class Envelope:
    """What the system knows about a message: number, correlation, cause, time and sender. Actors never see it."""

    id: int
    corr: int
    cause: int | None
    at: datetime
    sender: str
    body: Message


@dataclass(frozen=True, slots=True)
class Started(Message):
    """The system is wired, what was journalled is recalled, sources open next."""


@dataclass(frozen=True, slots=True)
class Stopping(Message):
    """Sources that ask are silent; the system drains."""


@dataclass(frozen=True, slots=True)
class ActorCrashed(Message):
    """An actor raised. `poison` is the number of the message it was handling; it is never retried."""

    actor: str
    error: str
    poison: int | None


class Journal(Protocol):
    """Append first, act second."""

    async def append(self, batch: Sequence[Envelope]) -> None:
        """Make the batch durable, all or nothing, before returning. Raises `StoreError`."""

    def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        """Everything of these message types with a number above `after`, in order."""

    async def last_id(self) -> int:
        """The highest number journalled, 0 when empty."""
