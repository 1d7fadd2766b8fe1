"""The account against its benchmark, from the recorded closes; floats, because this is a picture and not money."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, pairwise

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
    """The closes in order, and the first day on which the benchmark is known (None: it never is)."""

    points: tuple[CurvePoint, ...]
    benchmark_since: date | None

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


def equity_curve(rows: Iterable[EquityRow]) -> Curve:
    """Compute cumulative returns, excess return (超额收益) and drawdown from the `close` rows.

    The account's return counts from the first close. The benchmark's return counts from the first day on which it is
    known; the excess return is account minus benchmark, both counted from that same day, on days when both are known.
    A day without benchmark stays a gap. Deposits and withdrawals are not known here and count as return.
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
    totals = [float(row.total_asset) for row in closes]
    base = next((row for row in closes if row.benchmark), None)
    points = []
    for row, total, highest in zip(closes, totals, accumulate(totals, max), strict=True):
        benchmark = excess = None
        if base and base.benchmark and row.benchmark:
            benchmark = float(row.benchmark / base.benchmark) - 1
            excess = float(row.total_asset / base.total_asset) - 1 - benchmark
        points.append(CurvePoint(row.day, total, total / totals[0] - 1, benchmark, excess, total / highest - 1))
    return Curve(tuple(points), base.day if base else None)
