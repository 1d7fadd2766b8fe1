"""Any small cast, stopped at any moment: what was journalled is handled once by each, in order, or left at the end."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import anyio
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.runtime.actor import Actor, snake_case
from qws.runtime.message import ActorCrashed, Later, Message
from qws.runtime.system import Limits
from tests.runtime.stage import Life, lived
from tests.support.journals import MemoryJournal


@dataclass(frozen=True, slots=True)
class Alpha(Message):
    """`serial` is unique in a history; messages of depth 3 have no effects."""

    serial: int
    depth: int


class Beta(Alpha):
    __slots__ = ()


class Gamma(Alpha):
    __slots__ = ()


class Delta(Alpha):
    __slots__ = ()


KINDS: tuple[type[Alpha], ...] = (Alpha, Beta, Gamma, Delta)


@dataclass
class History:
    """What happened: who handled which serial, in order."""

    journal: MemoryJournal
    made: int = 0
    handled: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    life: Life = Life(0, 0.0)  # noqa: RUF009 - frozen

    def serial(self) -> int:
        """The next number."""
        self.made += 1
        return self.made

    def durable(self) -> set[int]:
        """The serials that a crash could not lose."""
        return {body.serial for body in self.journal.bodies if isinstance(body, Alpha)}


def a_cast(seed: int, history: History) -> list[Callable[[], Actor]]:
    """Up to five actors that consume and emit every kind between them, some with sources, some that crash or wait."""
    random = Random(seed)
    count = random.randint(1, 5)
    consumed = [set(random.sample(KINDS, random.randint(1, 3))) for _ in range(count)]
    emitted = [set(random.sample(KINDS, random.randint(1, 3))) for _ in range(count)]
    for sets in (consumed, emitted):
        sets[0] |= set(KINDS) - set().union(*sets)
    makers: list[Callable[[], Actor]] = []
    for number in range(count):
        name = f"Member{number}"
        space: dict[str, Any] = {"on_crash": random.choice(["restart", "restart", "halt"])}
        for kind in consumed[number]:
            method = f"on_{snake_case(kind.__name__)}"
            is_waiting = random.random() < 0.3
            space[method] = a_handler(history, snake_case(name), kind, emitted[number], is_waiting=is_waiting)
        if number == 0 or random.random() < 0.4:
            space["source"] = a_source(history, random.random(), emitted[number])
            space["source_until"] = random.choice(["stop", "stop", "idle"])
        makers.append(type(name, (Actor,), space))
    return makers


def effects(history: History, random: Random, depth: int, emits: set[type[Alpha]]) -> Iterator[Alpha | Later[Alpha]]:
    kinds = sorted(emits, key=lambda kind: kind.__name__)
    for _ in range(random.randint(0, 2) if depth < 3 else 0):
        message = random.choice(kinds)(history.serial(), depth + 1)
        yield Later(random.choice([0.0, 0.5, 3.0]), message) if random.random() < 0.2 else message
        if random.random() < 0.02:
            raise ValueError("half-way")


def a_handler(
    history: History, name: str, kind: type[Alpha], emits: set[type[Alpha]], *, is_waiting: bool
) -> Callable[..., object]:
    def begin(msg: Alpha) -> Random:
        assert msg.serial in history.durable()
        history.handled[name].append(msg.serial)
        return Random(f"{name}:{msg.serial}")

    async def waiting(self: Actor, msg: Alpha) -> list[Alpha | Later[Alpha]]:
        random = begin(msg)
        await anyio.sleep(random.choice([0.0, 0.1, 1.0]))
        return list(effects(history, random, msg.depth, emits))

    def deciding(self: Actor, msg: Alpha) -> Iterator[Alpha | Later[Alpha]]:
        yield from effects(history, begin(msg), msg.depth, emits)

    handler = waiting if is_waiting else deciding
    handler.__annotations__ = {"msg": kind, "return": list[_union(emits)]}  # type: ignore[misc]
    return handler


def a_source(history: History, seed: float, emits: set[type[Alpha]]) -> Callable[..., object]:
    async def source(self: Actor) -> AsyncIterator[Alpha]:
        random = Random(seed)
        kinds = sorted(emits, key=lambda kind: kind.__name__)
        for _ in range(random.randint(0, 12)):
            await anyio.sleep(random.choice([0.0, 0.0, 0.3, 2.0]))
            yield random.choice(kinds)(history.serial(), 0)
            if random.random() < 0.05:
                raise ConnectionError("gone")

    source.__annotations__ = {"return": AsyncIterator[_union(emits)]}  # type: ignore[misc]
    return source


def _union(kinds: set[type[Alpha]]) -> Any:
    first, *rest = sorted(kinds, key=lambda kind: kind.__name__)
    union: Any = first
    for kind in rest:
        union = union | kind
    return union | Later[union]


def a_history(seed: int) -> History:
    """The whole life of the cast of this seed."""
    random = Random(f"life:{seed}")
    commit_s = random.choice([0.0, 0.001, 0.25, 2.0])
    history = History(MemoryJournal(commit_s=commit_s))
    limits = Limits(drain_s=random.choice([0.0, 1.0, 600.0]), crashes_max=random.choice([2, 4]))
    stop_s = random.uniform(0.0, 15.0)
    history.life = lived(a_cast(seed, history), stop_s=stop_s, journal=history.journal, limits=limits)
    assert history.life.in_flight >= 0
    assert history.life.in_flight == 0 or limits.drain_s < 600.0
    return history


@given(st.integers(0, 2**32))
@settings(max_examples=150, deadline=None)
def test_what_is_journalled_is_handled_once_in_order_or_left(seed: int) -> None:
    history = a_history(seed)

    cast = {snake_case(maker.__name__): maker for maker in a_cast(seed, History(MemoryJournal()))}
    crashed = {body.actor for body in history.journal.bodies if isinstance(body, ActorCrashed)}
    for name, member in cast.items():
        consumed = tuple(kind for kind in KINDS if hasattr(member, f"on_{snake_case(kind.__name__)}"))
        written = [body.serial for body in history.journal.bodies if type(body) in consumed]  # type: ignore[attr-defined]
        handled = history.handled[name]
        assert handled == written[: len(handled)]
        assert max(Counter(handled).values(), default=1) == 1
        if history.life.in_flight == 0 and name not in crashed:
            assert handled == written


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_the_same_seed_lives_the_same_history(seed: int) -> None:
    first, second = a_history(seed), a_history(seed)

    assert first.journal.batches == second.journal.batches
    assert first.handled == second.handled


def test_histories_are_not_empty() -> None:
    histories = [a_history(seed) for seed in range(40)]

    assert {history.life.exit_code for history in histories} == {0, 1, 3}
    assert sum(len(history.journal.envelopes) for history in histories) > 1000
    assert sum(len(history.journal.of(ActorCrashed)) for history in histories) > 10
