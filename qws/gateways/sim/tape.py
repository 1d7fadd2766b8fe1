"""One code's trading day: the path of the price and the book around it, in ticks; a pure function of its inputs."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import blake2b
from statistics import NormalDist

from qws.domain.halts import HaltRule
from qws.domain.market import Instrument, Side
from qws.gateways.sim.bars import Bar
from qws.gateways.sim.halts import Halt, find_halts, halts_at_most

STEP_S = 3  # the exchanges publish a snapshot every three seconds
DEPTH = 5

_MORNING = (9 * 3600 + 30 * 60, 11 * 3600 + 30 * 60)
_AFTERNOON = (13 * 3600, 15 * 3600)
_LATTICE = 120
LOT = 100
_LEVEL_VALUE = 1_000_000.0  # median of one level in CNY
_PRINT_SHARE = 0.25  # what trades in one step, as a share of a level
LOCKED = 20  # how many ordinary levels queue at a locked limit
ALL = sys.maxsize
# 256 equally likely values of a lognormal variable with median 1: one byte of a hash picks one.
_LOGNORMAL = tuple(2.718281828 ** (0.7 * NormalDist().inv_cdf((at + 0.5) / 256)) for at in range(256))


@dataclass(frozen=True, slots=True)
class StepGrid:
    """Which three-second steps a day has: 4,800 in the two half sessions, or 28,800 around the clock."""

    halves: tuple[tuple[int, int], ...]
    steps: int = field(init=False)
    _rows: tuple[tuple[int, int, int], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Count the steps, of which 0 is the first second of trading, and those before each half session."""
        rows, passed = [], 0
        for start, end in self.halves:
            rows.append((start, end, passed))
            passed += (end - start) // STEP_S
        object.__setattr__(self, "_rows", tuple(reversed(rows)))
        object.__setattr__(self, "steps", passed)

    def step_at(self, second: float) -> int:
        """The newest step at a second of the day, -1 before the first; it stands still at lunch."""
        for start, end, passed in self._rows:
            if second >= start:
                return passed + int((second if second < end else end) - start) // STEP_S
        return -1

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
        for start, end, _ in self._rows:
            if second >= start:
                return second < end
        return False


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

    def own(self, side: Side) -> tuple[tuple[int, int], ...]:
        """The levels an order of this side rests among."""
        return self.bids if side is Side.BUY else self.asks


class Tape:
    """The day of one code that trades: `price(step)` and `touch(step)` in ticks, `book(step)`, `flow(...)`.

    The path starts at the open, reaches exactly the high and the low at seeded steps, ends at the close and never
    leaves [low, high]. The bar must lie within the instrument's limits. Continuous trading ends before step `end`;
    from there on the price is the close. With a halt rule, moves from the open halt it (RULES.md section 10).
    """

    __slots__ = (
        "_corners", "_hash", "_knots", "_name", "_seen", "_space", "_steps", "_sway", "down", "end", "halts", "high",
        "lots", "low", "up",
    )  # fmt: skip

    def __init__(
        self, seed: int, instrument: Instrument, bar: Bar, grid: StepGrid, *, end: int, halts: HaltRule | None
    ) -> None:
        tick = instrument.tick
        opened, self.high, self.low, close = (in_ticks(p, tick) for p in (bar.open, bar.high, bar.low, bar.close))
        self.up = sys.maxsize if instrument.limit_up is None else in_ticks(instrument.limit_up, tick)
        self.down = 0 if instrument.limit_down is None else in_ticks(instrument.limit_down, tick)
        self.end = end
        most = 0 if halts is None else halts_at_most(halts, bar.open, bar.high, bar.low)
        # Room for every halt, so that the path always gets to its high, its low and its close.
        self._steps = end if halts is None else end - most * halts.halt_s // STEP_S
        self._space = -(-self._steps // _LATTICE)
        self._sway = 0.25 * (self.high - self.low)
        self.lots = _LEVEL_VALUE / float(bar.close * LOT)
        self._name = f"{seed}:{instrument.code}:{instrument.day.isoformat()}".encode()
        self._hash = blake2b(self._name, digest_size=16)
        self._corners = blake2b(self._name + b":a").digest() + blake2b(self._name + b":b").digest()
        self._knots = self._turns(blake2b(self._name + b":turns", digest_size=9).digest(), opened, close)
        self._seen = (-1, 0, b"")
        self.halts: tuple[Halt, ...] = ()
        if halts is not None and most:
            self.halts = find_halts(halts, [self.price(step) for step in range(self._steps)], grid)
            self._seen = (-1, 0, b"")

    def price(self, step: int) -> int:
        """The last trade at a step, in ticks."""
        return self._at(step)[0]

    def touch(self, step: int) -> tuple[int, int]:
        """The best bid (0: none) and the best ask (`sys.maxsize`: none) at a step, in ticks."""
        return self._touch(*self._at(step))

    def book(self, step: int) -> Book:
        """The five levels a side at a step; empty once continuous trading has ended."""
        if step >= self.end:
            return Book((), ())
        price, chance = self._at(step)
        bid, ask = self._touch(price, chance)
        gap = gap_of(price)
        bids = range(bid, max(self.down, 1) - 1, -gap)[:DEPTH]
        asks = range(ask, min(self.up, ask + DEPTH * gap) + 1, gap)[:DEPTH] if ask <= self.up else ()
        lots = self.lots * (LOCKED if not bids or not asks else 1)
        return Book(
            tuple((at, volume_of(lots, chance[6 + rank])) for rank, at in enumerate(bids)),
            tuple((at, volume_of(lots, chance[11 + rank])) for rank, at in enumerate(asks)),
        )

    def is_reachable(self, side: Side, limit: int) -> bool:
        """Whether a limit in ticks can trade at any time of this day."""
        return limit >= self.low if side is Side.BUY else limit <= self.high

    def is_halted(self, step: int) -> bool:
        """Whether an intraday halt is on."""
        return any(start <= step < stop for start, stop in self.halts)

    def flow(self, side: Side, limit: int, step: int) -> int:
        """Shares that trade at a step against orders resting at a limit in ticks; ALL when the market is beyond it.

        A locked limit trades with nobody who waits at it, and a halted name with nobody at all.
        """
        if self.halts and self.is_halted(step):
            return 0
        price, chance = self._at(step)
        if price != limit:
            return ALL if (price < limit) is (side is Side.BUY) else 0
        bid, ask = self._touch(price, chance)
        if (ask <= limit) if side is Side.BUY else (bid >= limit):
            return ALL
        return 0 if (price >= self.up if side is Side.BUY else price <= self.down) else self._print(chance)

    def printed(self, step: int) -> int:
        """Shares that trade in one step."""
        return self._print(self._at(step)[1])

    def first_trade(self, side: Side, limit: int, ahead: int, start: int, stop: int) -> int:
        """The first step in [start, stop) at which an order behind `ahead` shares at a limit trades; else `stop`."""
        for step in range(start, stop):
            ahead -= self.flow(side, limit, step)
            if ahead < 0:
                return step
        return stop

    def ahead(self, side: Side, limit: int, step: int) -> int:
        """Shares that wait at a limit in ticks before a new order; a price beyond the five levels has average ones."""
        levels = self.book(step).own(side)
        for price, volume in levels:
            if price == limit:
                return volume
        is_deep = bool(levels) and (limit < levels[-1][0] if side is Side.BUY else limit > levels[-1][0])
        return volume_of(self.lots, 128) if is_deep else 0

    def draw(self, what: str) -> bytes:
        """64 bytes of chance for one purpose."""
        return blake2b(self._name + what.encode()).digest()

    def _print(self, chance: bytes) -> int:
        return volume_of(self.lots * _PRINT_SHARE, chance[3])

    def _at(self, step: int) -> tuple[int, bytes]:
        """The price at a step and its 16 bytes of chance; the newest is kept, since one moment asks several times."""
        if step != self._seen[0]:
            place = self._moved(step) if self.halts else step
            chance = self._bytes(place)
            self._seen = step, self._price(place, chance), chance
        return self._seen[1:]

    def _moved(self, step: int) -> int:
        """The step of the path that a step of the day shows: halts stop it."""
        moved = step
        for start, stop in self.halts:
            if step > start:
                moved -= min(step, stop - 1) - start
        return moved

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
        if price >= self.up:
            return price, sys.maxsize
        if price <= self.down:
            return 0, price
        spread = gap_of(price) + (chance[1] < 48)
        if chance[2] & 1:
            return price, min(price + spread, self.up)
        return max(price - spread, self.down), price


def in_ticks(price: Decimal, tick: Decimal) -> int:
    """A price that is on tick, as a number of ticks."""
    return int(price / tick)


def gap_of(price: int) -> int:
    """The usual distance between levels: one tick, more for an expensive name."""
    return max(1, price // 5000)


def usual_volume(close: Decimal, steps: int) -> int:
    """Shares that trade on a day of so many steps: each prints a part of an ordinary level."""
    return volume_of(_LEVEL_VALUE / float(close * LOT) * _PRINT_SHARE, 128) * steps


def volume_of(lots: float, chance: int) -> int:
    return max(int(lots * _LOGNORMAL[chance] + 0.5), 1) * LOT
