"""One code's trading day: the path of the price and the book around it, in ticks; a pure function of its inputs."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from decimal import Decimal
from hashlib import blake2b
from statistics import NormalDist

from qws.domain.market import Instrument, Side
from qws.gateways.sim.bars import Bar

STEP_S = 3  # the exchanges publish a snapshot every three seconds
DEPTH = 5

_MORNING = (9 * 3600 + 30 * 60, 11 * 3600 + 30 * 60)
_AFTERNOON = (13 * 3600, 15 * 3600)
_LATTICE = 120
_LOT = 100
_LEVEL_VALUE = 1_000_000.0  # median of one level in CNY
_LOCKED = 20  # how many ordinary levels queue at a locked limit
# 256 equally likely values of a lognormal variable with median 1: one byte of a hash picks one.
_LOGNORMAL = tuple(2.718281828 ** (0.7 * NormalDist().inv_cdf((at + 0.5) / 256)) for at in range(256))


@dataclass(frozen=True, slots=True)
class StepGrid:
    """Which three-second steps a day has: 4,800 in the two half sessions, or 28,800 around the clock."""

    halves: tuple[tuple[int, int], ...]

    @property
    def steps(self) -> int:
        """The number of steps; step 0 is the first second of trading, the last one ends it."""
        return sum(end - start for start, end in self.halves) // STEP_S

    def step_at(self, second: float) -> int:
        """The newest step at a second of the day, -1 before the first; it stands still at lunch."""
        done = -1
        passed = 0
        for start, end in self.halves:
            if second >= start:
                done = passed + int(min(second, end) - start) // STEP_S
            passed += (end - start) // STEP_S
        return done

    def second_of(self, step: int) -> int:
        """The second of the day at which a step begins (the first step of the afternoon begins at its start)."""
        for start, end in self.halves:
            length = (end - start) // STEP_S
            if step < length:
                return start + step * STEP_S
            step -= length
        return self.halves[-1][1]

    def end_of(self, second: float) -> int:
        """When the newest half session began to stand still, as a second of the day."""
        return max((end for _, end in self.halves if end <= second), default=self.halves[0][0])

    def resumes_at(self, second: float) -> float | None:
        """The first second of trading at or after `second`; None when the day is over."""
        return next((max(second, start) for start, end in self.halves if second < end), None)

    def is_trading(self, second: float) -> bool:
        """Whether the market is in one of its half sessions."""
        return any(start <= second < end for start, end in self.halves)


SESSION_GRID = StepGrid((_MORNING, _AFTERNOON))
ALWAYS_GRID = StepGrid(((0, 86_400),))


@dataclass(frozen=True, slots=True)
class Book:
    """Five levels a side at one step: (price in ticks, shares), best first."""

    bids: tuple[tuple[int, int], ...]
    asks: tuple[tuple[int, int], ...]

    def facing(self, side: Side) -> tuple[tuple[int, int], ...]:
        """The levels an order of this side trades with."""
        return self.asks if side is Side.BUY else self.bids


class Tape:
    """The day of one code that trades: `price(step)` and `touch(step)` in ticks, `book(step)`, `first_touch(...)`.

    The path starts at the open, reaches exactly the high and the low at seeded steps, ends at the close and never
    leaves [low, high]. The bar must lie within the instrument's limits.
    """

    __slots__ = ("_corners", "_down", "_hash", "_knots", "_lots", "_space", "_steps", "_sway", "_up", "high", "low")

    def __init__(self, seed: int, instrument: Instrument, bar: Bar, grid: StepGrid) -> None:
        tick = instrument.tick
        opened, self.high, self.low, close = (in_ticks(p, tick) for p in (bar.open, bar.high, bar.low, bar.close))
        self._up = sys.maxsize if instrument.limit_up is None else in_ticks(instrument.limit_up, tick)
        self._down = 0 if instrument.limit_down is None else in_ticks(instrument.limit_down, tick)
        self._steps = grid.steps
        self._space = -(-self._steps // _LATTICE)
        self._sway = 0.25 * (self.high - self.low)
        self._lots = _LEVEL_VALUE / float(bar.close * _LOT)
        name = f"{seed}:{instrument.code}:{instrument.day.isoformat()}".encode()
        self._hash = blake2b(name, digest_size=16)
        self._corners = blake2b(name + b":a").digest() + blake2b(name + b":b").digest()
        self._knots = self._turns(blake2b(name + b":turns", digest_size=9).digest(), opened, close)

    def price(self, step: int) -> int:
        """The last trade at a step, in ticks."""
        return self._price(step, self._bytes(step))

    def touch(self, step: int) -> tuple[int, int]:
        """The best bid (0: none) and the best ask (`sys.maxsize`: none) at a step, in ticks."""
        chance = self._bytes(step)
        return self._touch(self._price(step, chance), chance)

    def book(self, step: int) -> Book:
        """The five levels a side at a step; empty once the day has ended."""
        if step >= self._steps:
            return Book((), ())
        chance = self._bytes(step)
        price = self._price(step, chance)
        bid, ask = self._touch(price, chance)
        gap = _gap(price)
        bids = range(bid, max(self._down, 1) - 1, -gap)[:DEPTH]
        asks = range(ask, min(self._up, ask + DEPTH * gap) + 1, gap)[:DEPTH] if ask <= self._up else ()
        lots = self._lots * (_LOCKED if not bids or not asks else 1)
        return Book(
            tuple((at, _volume(lots, chance[6 + rank])) for rank, at in enumerate(bids)),
            tuple((at, _volume(lots, chance[11 + rank])) for rank, at in enumerate(asks)),
        )

    def is_reachable(self, side: Side, limit: int) -> bool:
        """Whether a limit in ticks can trade at any time of this day."""
        return limit >= self.low if side is Side.BUY else limit <= self.high

    def first_touch(self, side: Side, limit: int, start: int, stop: int) -> int | None:
        """The first step in [start, stop) whose best facing price a limit in ticks reaches."""
        stop = min(stop, self._steps)
        if not self.is_reachable(side, limit):
            return None
        if side is Side.BUY:
            return next((step for step in range(start, stop) if self.touch(step)[1] <= limit), None)
        return next((step for step in range(start, stop) if self.touch(step)[0] >= limit), None)

    def _turns(self, chance: bytes, opened: int, close: int) -> tuple[tuple[int, int], ...]:
        first, second = sorted(int.from_bytes(chance[at : at + 4]) for at in (0, 4))
        span = self._steps - 4
        early = 1 + first * span // (1 << 32)
        late = max(2 + second * span // (1 << 32), early + 1)
        turns = (self.high, self.low) if chance[8] & 1 else (self.low, self.high)
        return ((0, opened), (early, turns[0]), (late, turns[1]), (self._steps, close))

    def _bytes(self, step: int) -> bytes:
        chance = self._hash.copy()
        chance.update(step.to_bytes(4))
        return chance.digest()

    def _price(self, step: int, chance: bytes) -> int:
        knots = self._knots
        if step <= 0:
            return knots[0][1]
        if step >= self._steps:
            return knots[3][1]
        at = 0 if step < knots[1][0] else 1 if step < knots[2][0] else 2
        start, before = knots[at]
        end, after = knots[at + 1]
        share = (step - start) / (end - start)
        corner, offset = divmod(step, self._space)
        part = offset / self._space
        noise = (self._corners[corner] * (1 - part) + self._corners[corner + 1] * part) / 127.5 - 1
        jitter = (chance[0] / 127.5 - 1) * 0.06
        free = 4 * share * (1 - share) * self._sway
        value = int(before + (after - before) * share + free * (noise + jitter) + 0.5)
        return self.low if value < self.low else self.high if value > self.high else value

    def _touch(self, price: int, chance: bytes) -> tuple[int, int]:
        if price >= self._up:
            return price, sys.maxsize
        if price <= self._down:
            return 0, price
        spread = _gap(price) + (chance[1] < 48)
        if chance[2] & 1:
            return price, min(price + spread, self._up)
        return max(price - spread, self._down), price


def in_ticks(price: Decimal, tick: Decimal) -> int:
    """A price that is on tick, as a number of ticks."""
    return int(price / tick)


def _gap(price: int) -> int:
    """The usual distance between levels: one tick, more for an expensive name."""
    return max(1, price // 5000)


def _volume(lots: float, chance: int) -> int:
    return max(int(lots * _LOGNORMAL[chance] + 0.5), 1) * _LOT
