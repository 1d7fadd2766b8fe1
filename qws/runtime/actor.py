"""An actor, and its contract read from annotations. The only reflection in the repository is here."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Literal, get_args, get_type_hints

from qws.errors import WiringError
from qws.runtime.message import Message

_hints_of = cache(get_type_hints)  # slow, and a simulation builds the system thousands of times


class Actor:
    """One question, one inbox. Handlers are `on_<message>`; `recall_<message>` rebuild memory at start.
    A handler returns nothing, a message, a `Later`, or an iterable of these; it is `async` when the actor does I/O.
    `async def source(self)` yields messages from outside."""

    on_crash: ClassVar[Literal["restart", "halt"]]
    source_until: ClassVar[Literal["stop", "idle"]] = "stop"
    overtaking: ClassVar[tuple[type[Message], ...]] = ()  # handled before what waits; only where `on_crash` is "halt"

    def busy(self) -> bool:
        """Whether a drain must wait for this actor. May change only while a message is being handled."""
        return False


@dataclass(frozen=True, slots=True)
class Contract:
    """What an actor class consumes, recalls and emits; method names by message type."""

    name: str
    handlers: Mapping[type[Message], str]
    recalls: Mapping[type[Message], str]
    emits: frozenset[type[Message]]


def snake_case(name: str) -> str:
    """`WeightFileSettled` -> `weight_file_settled`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def contract_of(cls: type[Actor]) -> Contract:
    """Read the contract of an actor class. Raises `WiringError` naming the offending method."""
    if getattr(cls, "on_crash", None) not in ("restart", "halt"):
        raise WiringError(f"{cls.__name__}: on_crash must be 'restart' or 'halt'")
    handlers, recalls, emits = dict[type[Message], str](), dict[type[Message], str](), set[type[Message]]()
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        prefix = next((p for p in ("on_", "recall_") if name.startswith(p)), None)
        if prefix is None and name != "source":
            continue
        if prefix and inspect.isasyncgenfunction(method):
            raise WiringError(f"{cls.__name__}.{name}: return a list, only `source` yields while it waits")
        hints = _hints_of(method)
        emits.update(_messages_in(hints.get("return")))
        if prefix is None:
            continue
        if not (isinstance(message := hints.get("msg"), type) and issubclass(message, Message)):
            raise WiringError(f"{cls.__name__}.{name}: annotate `msg` with one message type")
        if name != prefix + snake_case(message.__name__):
            raise WiringError(f"{cls.__name__}.{name}: name it {prefix}{snake_case(message.__name__)}")
        (handlers if prefix == "on_" else recalls)[message] = name
    return Contract(snake_case(cls.__name__), handlers, recalls, frozenset(emits))


def _messages_in(hint: Any) -> Iterator[type[Message]]:
    if isinstance(hint, type) and issubclass(hint, Message):
        yield hint
    for part in get_args(hint):
        yield from _messages_in(part)
