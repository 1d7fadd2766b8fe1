"""Memory with a bound: of targets only those that may still be planned, of runs only the newest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from datetime import date
from typing import TypeVar

from qws.domain.rest import KEPT

V = TypeVar("V")
_OF_A_DAY = 40  # targets; a newer one of the same day overtakes, and a run of the schedule or a person may start others


class Newest(defaultdict[str, V]):
    """A `defaultdict` of the newest `size_max` keys: what is asked for and is not there takes the oldest's place."""

    def __init__(self, make: Callable[[], V], size_max: int) -> None:
        super().__init__(make)
        self._size_max = size_max

    def __missing__(self, key: str) -> V:
        made = super().__missing__(key)
        while len(self) > self._size_max:
            del self[next(iter(self))]
        return made


def in_force(kept: Mapping[tuple[str, date], V], today: date) -> dict[tuple[str, date], V]:
    """What is kept by target and day, without days that are over for so long that nothing is carried over from them,
    and without targets that many newer ones of their day overtook."""
    days: defaultdict[date, int] = defaultdict(int)
    found = dict[tuple[str, date], V]()
    for key in reversed(list(kept)):
        days[key[1]] += 1
        if key[1] >= today - KEPT and days[key[1]] <= _OF_A_DAY:
            found[key] = kept[key]
    return dict(reversed(found.items()))
