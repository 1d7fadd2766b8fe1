"""What a tear sheet is about: one period of the account, its returns by day and month, its figures."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from qws.reports import statistics as stat
from qws.reports.curve import Curve, CurvePoint, equity_curve
from qws.store.archive import EquityRow

Figures = dict[str, float | None]
_LEAST_DAYS, _TAIL_DAYS = 2, 20


class Stretch(NamedTuple):
    """A day or a month: its label, and the returns of account and benchmark as fractions, None where not known."""

    label: str
    account: float
    benchmark: float | None


class Traded(NamedTuple):
    """What was traded in a period: CNY, both sides together, and the fees, None where not known."""

    value: float
    fees: float | None


@dataclass(frozen=True, slots=True)
class Period:
    """The closes of a period, the close before it first; `first` and `last` bound the days that count."""

    rows: tuple[EquityRow, ...]
    curve: Curve
    first: date
    last: date

    @property
    def flows(self) -> tuple[tuple[date, float], ...]:
        """Deposits (positive) and withdrawals in CNY, by the close that first saw them."""
        return tuple((row.day, float(row.flow)) for row in self.rows[1:] if row.flow)

    @property
    def unchecked(self) -> tuple[date, ...]:
        """Closes of which nobody could tell whether money was brought or taken."""
        return tuple(row.day for row in self.rows[1:] if row.flow is None)

    @property
    def sessions(self) -> int:
        """Trading days that the returns are of, recorded or not."""
        return len(self.curve.days) - 1


def period_of(rows: Sequence[EquityRow], first: date, last: date, is_session: Callable[[date], bool | None]) -> Period:
    """The closes from `first` to `last`, and the newest before as their base.

    `is_session` tells of a day whether it is a trading day, None where the calendar ends. Raises ValueError when no
    close is recorded in the period, and whatever `equity_curve` raises.
    """
    closes = sorted((row for row in rows if row.kind == "close"), key=lambda row: row.day)
    meant = [row for row in closes if first <= row.day <= last]
    if not meant:
        known = f"closes are recorded from {closes[0].day} to {closes[-1].day}" if closes else "none is recorded at all"
        raise ValueError(f"no close is recorded from {first} to {last}; {known}")
    chosen = (*[row for row in closes if row.day < first][-1:], *meant)
    missing = missing_days([row.day for row in chosen], is_session)
    return Period(chosen, equity_curve(chosen, missing=missing), max(first, chosen[0].day), chosen[-1].day)


def missing_days(days: Collection[date], is_session: Callable[[date], bool | None]) -> tuple[date, ...]:
    """The trading days between the first and the last of these that are not among them."""
    if not days:
        return ()
    known, first, last = set(days), min(days), max(days)
    between = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return tuple(day for day in between if day not in known and is_session(day))


def daily(curve: Curve) -> list[tuple[date, float, float | None]]:
    """Returns of single trading days; one that bridges missing days is of several days and is left out."""
    found = []
    for earlier, later in pairwise(curve.points):
        if not any(earlier.day < day < later.day for day in curve.missing):
            found.append((later.day, _grown(earlier, later), _benchmark(earlier, later)))
    return found


def by_month(curve: Curve) -> list[Stretch]:
    """Returns of calendar months, each from the last close of the one before; what is missing counts in its month."""
    ends = [list(points)[-1] for _, points in groupby(curve.points, key=lambda point: point.day.strftime("%Y-%m"))]
    starts = [curve.first, *ends[:-1]]
    pairs = [(a, b) for a, b in zip(starts, ends, strict=True) if a is not b]
    return [Stretch(f"{b.day:%Y-%m}", _grown(a, b), _benchmark(a, b)) for a, b in pairs]


def bars(period: Period) -> list[Stretch]:
    """What the bars of a picture show: days in a period of up to 45 trading days, else months."""
    if period.sessions > 45:
        return by_month(period.curve)
    known = {day: (account, benchmark) for day, account, benchmark in daily(period.curve)}
    return [Stretch(day.isoformat(), *known[day]) for day in period.curve.days[1:] if day in known]


def figures(period: Period, traded: Traded | None, *, free_a_year: float = 0.0) -> Figures:
    """Some thirty figures by name, None where not defined; `free_a_year` is the risk-free return of a year."""
    curve, free = period.curve, free_a_year / stat.SESSIONS_A_YEAR
    days = daily(curve)
    returns = [account for _, account, _ in days]
    tails = returns if len(returns) >= _TAIL_DAYS else []
    total = curve.last.account
    annual = stat.annual_return(total, period.sessions) if period.sessions >= _LEAST_DAYS else None
    drawdown = curve.trough.drawdown
    average = sum(point.total_asset for point in curve.points) / len(curve.points)
    turnover = traded.value / 2 / average if traded is not None else None
    return {
        "total_return": total,
        "annual_return": annual,
        **_against(curve, days, free),
        "volatility": stat.volatility(returns),
        "downside_risk": stat.downside_risk(returns),
        "sharpe": stat.sharpe(returns, free=free),
        "sortino": stat.sortino(returns, free=free),
        "calmar": stat.calmar(annual, drawdown),
        "max_drawdown": drawdown,
        "win_rate": stat.win_rate(returns),
        "payoff": stat.payoff(returns),
        "best_day": max(returns, default=None),
        "worst_day": min(returns, default=None),
        "skew": stat.skewness(returns),
        "kurtosis": stat.kurtosis(returns),
        "value_at_risk": stat.value_at_risk(tails),
        "expected_shortfall": stat.expected_shortfall(tails),
        "tail_ratio": stat.tail_ratio(tails),
        "turnover": turnover,
        "turnover_a_year": turnover * stat.SESSIONS_A_YEAR / period.sessions if turnover and period.sessions else None,
        "fees": traded.fees if traded is not None else None,
        "deposits": sum(amount for _, amount in period.flows if amount > 0),
        "withdrawals": -sum(amount for _, amount in period.flows if amount < 0),
        "profit": sum(_earned(*pair) for pair in pairwise(period.rows)),
    }


def _against(curve: Curve, days: Sequence[tuple[date, float, float | None]], free: float) -> Figures:
    """What needs the benchmark: on the days on which both are known."""
    known = [(account, benchmark) for _, account, benchmark in days if benchmark is not None]
    ours, theirs = [account for account, _ in known], [benchmark for _, benchmark in known]
    end = curve.last_known
    return {
        "benchmark_return": end.benchmark if end is not None else None,
        "excess_return": end.excess if end is not None else None,
        "alpha": stat.alpha(ours, theirs, free=free),
        "beta": stat.beta(ours, theirs, free=free),
        "correlation": stat.correlation(ours, theirs),
        "tracking_error": stat.tracking_error(ours, theirs),
        "information_ratio": stat.information_ratio(ours, theirs),
    }


def extremes(curve: Curve) -> dict[str, date | None]:
    """The days behind the figures: best and worst day; peak, trough and recovery of the maximum drawdown."""
    days = daily(curve)
    best, worst = (choose(days, key=lambda each: each[1], default=None) for choose in (max, min))
    peak, trough = curve.peak, curve.trough
    after = (point.day for point in curve.points if point.day > trough.day and point.account >= peak.account)
    is_deep = trough.drawdown < 0
    return {
        "best_day": best[0] if best is not None else None,
        "worst_day": worst[0] if worst is not None else None,
        "peak": peak.day if is_deep else None,
        "trough": trough.day if is_deep else None,
        "recovered": next(after, None) if is_deep else None,
    }


def _grown(earlier: CurvePoint, later: CurvePoint) -> float:
    return (1 + later.account) / (1 + earlier.account) - 1


def _benchmark(earlier: CurvePoint, later: CurvePoint) -> float | None:
    if earlier.benchmark is None or later.benchmark is None:
        return None
    return (1 + later.benchmark) / (1 + earlier.benchmark) - 1


def _earned(earlier: EquityRow, later: EquityRow) -> float:
    return float(later.total_asset - earlier.total_asset - (later.flow or 0))
