"""The account against its benchmark, from the recorded closes; floats, because this is a picture and not money."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import accumulate, pairwise
from operator import mul

from qws.store.archive import EquityRow


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """One close: total assets in CNY, returns as fractions; None where the benchmark is not known that day."""

    day: date
    total_asset: float
    account: float
    benchmark: float | None
    excess: float | None
    drawdown: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The closes in order, the first day on which the benchmark is known (None: it never is), and the trading days
    in between of which no close was recorded."""

    points: tuple[CurvePoint, ...]
    benchmark_since: date | None
    missing: tuple[date, ...] = ()

    @property
    def days(self) -> tuple[date, ...]:
        """Every trading day, recorded or missing: what a picture draws along, so that a missing day is a gap."""
        return tuple(sorted((*(point.day for point in self.points), *self.missing)))

    def along(self, values: Iterable[float | None]) -> tuple[float | None, ...]:
        """One value a point, spread over `days`; a missing day is None."""
        known = dict(zip((point.day for point in self.points), values, strict=True))
        return tuple(known.get(day) for day in self.days)

    @property
    def first(self) -> CurvePoint:
        """The first recorded close; every account return counts from it."""
        return self.points[0]

    @property
    def last(self) -> CurvePoint:
        """The newest recorded close."""
        return self.points[-1]

    @property
    def last_known(self) -> CurvePoint | None:
        """The newest close on which the benchmark is known."""
        return next((point for point in reversed(self.points) if point.benchmark is not None), None)

    @property
    def trough(self) -> CurvePoint:
        """The close with the maximum drawdown, a fraction of zero or below."""
        return min(self.points, key=lambda point: point.drawdown)

    @property
    def peak(self) -> CurvePoint:
        """The highest close up to the trough."""
        return max((point for point in self.points if point.day <= self.trough.day), key=lambda point: point.account)


def growth(earlier: EquityRow, later: EquityRow) -> float:
    """What one CNY became from one close to the next: what was deposited meanwhile worked all the time, what was
    withdrawn left at the end."""
    flow = later.flow or Decimal(0)
    return float((later.total_asset - min(flow, Decimal(0))) / (earlier.total_asset + max(flow, Decimal(0))))


def equity_curve(rows: Iterable[EquityRow], *, missing: Collection[date] = ()) -> Curve:
    """Compute cumulative returns, excess return (超额收益) and drawdown from the `close` rows.

    The account's return counts from the first close and is time-weighted: deposits and withdrawals that were detected
    (`flow`) are no return. The benchmark's return counts from the first day on which it is known; the excess return is
    account minus benchmark, both counted from that same day, on days when both are known. A day without benchmark
    stays a gap, and so does a day that is `missing`.
    Raises ValueError without a close row, with two closes on a day, or when total assets are not positive.
    """
    closes = sorted((row for row in rows if row.kind == "close"), key=lambda row: row.day)
    if not closes:
        raise ValueError("no close is recorded yet: the first one is written after the first trading day")
    for earlier, later in pairwise(closes):
        if earlier.day == later.day:
            raise ValueError(f"two closes are recorded for {later.day}")
    worthless = next((row for row in closes if row.total_asset <= 0), None)
    if worthless:
        raise ValueError(f"total assets of {worthless.day} are {worthless.total_asset}: a return needs a positive base")
    worths = list(accumulate((growth(*pair) for pair in pairwise(closes)), mul, initial=1.0))
    at = next((at for at, row in enumerate(closes) if row.benchmark), None)
    points = []
    for row, worth, highest in zip(closes, worths, accumulate(worths, max), strict=True):
        benchmark = excess = None
        if at is not None and row.benchmark and (level := closes[at].benchmark):
            benchmark = float(row.benchmark / level) - 1
            excess = worth / worths[at] - 1 - benchmark
        points.append(CurvePoint(row.day, float(row.total_asset), worth - 1, benchmark, excess, worth / highest - 1))
    between = tuple(day for day in missing if closes[0].day < day < closes[-1].day)
    return Curve(tuple(points), closes[at].day if at is not None else None, between)
