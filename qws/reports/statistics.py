"""Performance statistics of daily returns; floats, because these are ratios and not money.

`returns` are simple returns of successive trading days as fractions. What is not defined (too few days, nothing to
divide by) is None. Definitions are those of empyrical, which the tests compare with, but for the information ratio,
which is annualised here. Skew and kurtosis are the unbiased sample ones, kurtosis in excess of the normal one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, chain
from operator import mul
from statistics import fmean, stdev

SESSIONS_A_YEAR = 242
TAIL = 0.05
Returns = Sequence[float]


def total_return(returns: Returns) -> float:
    """The compounded return."""
    return math.prod(1 + each for each in returns) - 1


def annual_return(total: float, sessions: int, *, year: int = SESSIONS_A_YEAR) -> float | None:
    """The yearly return that compounds to `total` in so many sessions."""
    return (1 + total) ** (year / sessions) - 1 if sessions and total > -1 else None


def volatility(returns: Returns, *, year: int = SESSIONS_A_YEAR) -> float | None:
    """The annualised standard deviation."""
    return stdev(returns) * math.sqrt(year) if len(returns) > 1 else None


def downside_risk(returns: Returns, *, year: int = SESSIONS_A_YEAR) -> float | None:
    """The annualised root mean square of what is below zero."""
    return math.sqrt(fmean(min(each, 0.0) ** 2 for each in returns) * year) if len(returns) > 1 else None


def sharpe(returns: Returns, *, free: float = 0.0, year: int = SESSIONS_A_YEAR) -> float | None:
    """Mean over standard deviation of what exceeds the risk-free return of a day (`free`), annualised."""
    above = [each - free for each in returns]
    return _ratio(fmean(above) * math.sqrt(year), stdev(above)) if len(above) > 1 else None


def sortino(returns: Returns, *, free: float = 0.0, year: int = SESSIONS_A_YEAR) -> float | None:
    """The annualised mean of what exceeds `free` over its downside risk."""
    above = [each - free for each in returns]
    return _ratio(fmean(above) * year, downside_risk(above, year=year)) if len(above) > 1 else None


def max_drawdown(returns: Returns) -> float:
    """The deepest fall from a highest worth so far, zero or below."""
    worths: list[float] = list(accumulate(chain((1.0,), (1 + each for each in returns)), mul))
    return min(worth / highest - 1 for worth, highest in zip(worths, accumulate(worths, max), strict=True))


def calmar(annual: float | None, drawdown: float) -> float | None:
    """Annual return over maximum drawdown."""
    return None if annual is None else _ratio(annual, -drawdown)


def win_rate(returns: Returns) -> float | None:
    """The fraction of days above zero."""
    return sum(each > 0 for each in returns) / len(returns) if returns else None


def payoff(returns: Returns) -> float | None:
    """The mean gain over the mean loss."""
    gains, losses = [each for each in returns if each > 0], [-each for each in returns if each < 0]
    return fmean(gains) / fmean(losses) if gains and losses else None


def skewness(returns: Returns) -> float | None:
    """The unbiased third standardised moment."""
    count = len(returns)
    if count < 3:
        return None
    second, third, _ = _moments(returns)
    flat = _ratio(third, second**1.5)
    return None if flat is None else flat * math.sqrt(count * (count - 1)) / (count - 2)


def kurtosis(returns: Returns) -> float | None:
    """The unbiased fourth standardised moment less that of the normal distribution."""
    count = len(returns)
    if count < 4:
        return None
    second, _, fourth = _moments(returns)
    flat = _ratio(fourth, second**2)
    if flat is None:
        return None
    return (count - 1) / ((count - 2) * (count - 3)) * ((count + 1) * (flat - 3) + 6)


def value_at_risk(returns: Returns, tail: float = TAIL) -> float | None:
    """The return that so small a part of the days stays below."""
    return _percentile(returns, tail) if returns else None


def expected_shortfall(returns: Returns, tail: float = TAIL) -> float | None:
    """The mean of the worst days (CVaR)."""
    return fmean(sorted(returns)[: int((len(returns) - 1) * tail) + 1]) if returns else None


def tail_ratio(returns: Returns, tail: float = TAIL) -> float | None:
    """The right tail over the left one, both as sizes."""
    return _ratio(abs(_percentile(returns, 1 - tail)), abs(_percentile(returns, tail))) if returns else None


def beta(returns: Returns, benchmark: Returns, *, free: float = 0.0) -> float | None:
    """The covariance with the benchmark over the benchmark's variance."""
    if len(returns) < 2:
        return None
    ours, theirs = [each - free for each in returns], [each - free for each in benchmark]
    ours_mean, theirs_mean = fmean(ours), fmean(theirs)
    shared = fmean((a - ours_mean) * (b - theirs_mean) for a, b in zip(ours, theirs, strict=True))
    return _ratio(shared, fmean((each - theirs_mean) ** 2 for each in theirs))


def alpha(returns: Returns, benchmark: Returns, *, free: float = 0.0, year: int = SESSIONS_A_YEAR) -> float | None:
    """The annualised mean of what beta does not explain."""
    slope = beta(returns, benchmark, free=free)
    if slope is None:
        return None
    mean = fmean(a - free - slope * (b - free) for a, b in zip(returns, benchmark, strict=True))
    return (1 + mean) ** year - 1


def tracking_error(returns: Returns, benchmark: Returns, *, year: int = SESSIONS_A_YEAR) -> float | None:
    """The annualised standard deviation of the daily excess return."""
    return volatility([a - b for a, b in zip(returns, benchmark, strict=True)], year=year)


def information_ratio(returns: Returns, benchmark: Returns, *, year: int = SESSIONS_A_YEAR) -> float | None:
    """The annualised mean of the daily excess return over the tracking error."""
    return sharpe([a - b for a, b in zip(returns, benchmark, strict=True)], year=year)


def correlation(returns: Returns, benchmark: Returns) -> float | None:
    """The correlation with the benchmark."""
    slope, ours, theirs = beta(returns, benchmark), volatility(returns), volatility(benchmark)
    return None if slope is None or theirs is None or ours is None else _ratio(slope * theirs, ours)


def _moments(returns: Returns) -> tuple[float, float, float]:
    """The second to fourth, of the returns over the largest one: their ratios depend on no scale."""
    mean, largest = fmean(returns), max(map(abs, returns))
    scaled = [(each - mean) / largest if largest > 1e-12 else 0.0 for each in returns]
    second, third, fourth = (fmean(each**power for each in scaled) for power in (2, 3, 4))
    return second, third, fourth


def _percentile(returns: Returns, part: float) -> float:
    ranked = sorted(returns)
    place = (len(ranked) - 1) * part
    low = math.floor(place)
    high = min(low + 1, len(ranked) - 1)
    return ranked[low] + (ranked[high] - ranked[low]) * (place - low)


def _ratio(above: float, below: float | None) -> float | None:
    """A division; what differs from zero by rounding only divides nothing."""
    return above / below if below is not None and abs(below) > 1e-12 else None
