"""A mistake, planted into the product for as long as the simulation looks for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from inspect import isfunction
from types import ModuleType

from tests.simulation.seeds import run_seed

SEEDS = 500
Edit = tuple[type | ModuleType, str, object]


@dataclass(frozen=True)
class Bug:
    """One mistake: the invariants that may tell of it, and the seed to look at first, of the first `SEEDS`."""

    name: str
    text: str
    told_by: tuple[str, ...]
    seed: int
    edits: tuple[Edit, ...]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The product with this bug in it."""
        sound = [(owner, name, vars(owner)[name]) for owner, name, _ in self.edits]
        try:
            for (owner, name, old), (_, _, new) in zip(sound, self.edits, strict=True):
                setattr(owner, name, wraps(old)(new) if isfunction(old) and isfunction(new) else new)
            yield
        finally:
            for owner, name, old in sound:
                setattr(owner, name, old)

    def seeds(self) -> Iterator[int]:
        """The first `SEEDS` seeds, the likely one first."""
        yield self.seed
        yield from (seed for seed in range(SEEDS) if seed != self.seed)

    def catch(self) -> tuple[int, str] | None:
        """The first seed that tells of it, and the invariant that broke first there; None when it lives."""
        with self.planted():
            for seed in self.seeds():
                if violations := run_seed(seed).violations:
                    return seed, violations[0].invariant
        return None
