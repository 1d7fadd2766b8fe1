"""Values that hold from a date on: every exchange rule is looked up for a day, never read as a constant."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Term(Generic[V]):
    """A value and the days it holds: from `first` to `last`, both included; `last` None means until replaced."""

    first: date
    last: date | None
    value: V


@dataclass(frozen=True, slots=True)
class Dated(Generic[K, V]):
    """What holds for a key on a day; the terms of one key are ordered by their first day."""

    terms: Mapping[K, tuple[Term[V], ...]]

    @classmethod
    def of(cls, rows: Iterable[tuple[K, Term[V]]]) -> Dated[K, V]:
        """Collect rows in any order; raises ValueError where one key starts twice on the same day."""
        collected: dict[K, dict[date, Term[V]]] = {}
        for key, term in rows:
            starts = collected.setdefault(key, {})
            if term.first in starts:
                raise ValueError(f"two rows for {key} start on {term.first}")
            starts[term.first] = term
        return cls({key: tuple(starts[first] for first in sorted(starts)) for key, starts in collected.items()})

    def at(self, key: K, day: date) -> V | None:
        """The value of `key` on `day`, or None where no rule is known."""
        for term in reversed(self.terms.get(key, ())):
            if term.first <= day:
                return term.value if term.last is None or day <= term.last else None
        return None
