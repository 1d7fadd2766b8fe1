"""What a handler told, whatever shape it answered in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from qws.runtime.message import Later, Message

M = TypeVar("M", bound=Message)
Told = Message | Later[Message]


def told(answer: object) -> list[Told]:
    """The messages and timers of an answer: nothing, one, or many."""
    if answer is None:
        return []
    if isinstance(answer, Message | Later):
        return [answer]
    assert isinstance(answer, Iterable)
    return list(answer)


def of(kind: type[M], answer: object) -> list[M]:
    """The messages of one type, timers left out."""
    return [each for each in told(answer) if isinstance(each, kind)]


def timers(kind: type[M], answer: object) -> list[tuple[float, M]]:
    """The timers that carry one type, with their seconds."""
    return [
        (each.seconds, each.message)
        for each in told(answer)
        if isinstance(each, Later) and isinstance(each.message, kind)
    ]
