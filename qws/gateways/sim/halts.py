"""When a path of prices without a daily limit halts, in three-second steps of the day. RULES.md section 10."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import time
from decimal import Decimal
from typing import NamedTuple, Protocol

from qws.domain.halts import HaltRule, halt_level, halt_until


class Halt(NamedTuple):
    """Nothing trades in the steps [start, stop); the trade that halts is that of `start`."""

    start: int
    stop: int


class Grid(Protocol):
    """How steps and seconds of the day belong together."""

    def step_at(self, second: float) -> int:
        """The newest step at a second of the day."""
        ...

    def second_of(self, step: int) -> int:
        """The second of the day at which a step begins."""
        ...


def halts_at_most(rule: HaltRule, opened: Decimal, high: Decimal, low: Decimal) -> int:
    """How many halts a day with this open, high and low can have."""
    return sum(level <= halt_level(rule, opened, end) for level in rule.levels for end in (high, low))


def find_halts(rule: HaltRule, path: Sequence[int], grid: Grid) -> tuple[Halt, ...]:
    """The halts of a day whose prices, halts left out, are `path`, from the open on."""
    opened = Decimal(path[0])
    hit = {True: Decimal(0), False: Decimal(0)}
    halts: list[Halt] = []
    late = 0
    for place, ticks in enumerate(path):
        price, is_up = Decimal(ticks), ticks > path[0]
        level = halt_level(rule, opened, price)
        if level <= hit[is_up]:
            continue
        start = place + late
        until = halt_until(rule, opened, price, hit[is_up], _time_of(grid.second_of(start)))
        hit[is_up] = level
        if until is not None:
            stop = grid.step_at(until.hour * 3600 + until.minute * 60 + until.second)
            halts.append(Halt(start, stop))
            late += stop - start - 1
    return tuple(halts)


def _time_of(second: int) -> time:
    return time(second // 3600, second // 60 % 60, second % 60)
