"""The statistics agree with empyrical and pandas on any series, and with a table worked by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.reports import statistics as ours

YEAR = ours.SESSIONS_A_YEAR
FREE = 0.015 / YEAR
Series = list[float]
returns_of = st.lists(st.floats(-0.1, 0.1).map(lambda each: round(each, 5)), min_size=5, max_size=60).filter(
    lambda each: np.std(each) > 1e-4
)
pairs = st.integers(5, 60).flatmap(
    lambda count: st.tuples(*(st.lists(st.floats(-0.1, 0.1).map(lambda each: round(each, 5)), min_size=count,
                                       max_size=count),) * 2)
).filter(lambda both: min(map(np.std, (*both, np.subtract(*both)))) > 1e-4)  # fmt: skip

ONE: list[tuple[str, Callable[[Series], float | None], Callable[[np.ndarray], float]]] = [
    ("total", ours.total_return, empyrical.cum_returns_final),
    (
        "annual",
        lambda r: ours.annual_return(ours.total_return(r), len(r)),
        lambda r: empyrical.annual_return(r, annualization=YEAR),
    ),
    ("volatility", ours.volatility, lambda r: empyrical.annual_volatility(r, annualization=YEAR)),
    ("downside", ours.downside_risk, lambda r: empyrical.downside_risk(r, annualization=YEAR)),
    ("sharpe", lambda r: ours.sharpe(r, free=FREE), lambda r: empyrical.sharpe_ratio(r, FREE, annualization=YEAR)),
    ("sortino", lambda r: ours.sortino(r, free=FREE), lambda r: empyrical.sortino_ratio(r, FREE, annualization=YEAR)),
    ("drawdown", ours.max_drawdown, empyrical.max_drawdown),
    (
        "calmar",
        lambda r: ours.calmar(ours.annual_return(ours.total_return(r), len(r)), ours.max_drawdown(r)),
        lambda r: empyrical.calmar_ratio(r, annualization=YEAR),
    ),
    ("var", ours.value_at_risk, empyrical.value_at_risk),
    ("cvar", ours.expected_shortfall, empyrical.conditional_value_at_risk),
    ("tail ratio", ours.tail_ratio, empyrical.tail_ratio),
    ("skew", ours.skewness, lambda r: pd.Series(r).skew()),
    ("kurtosis", ours.kurtosis, lambda r: pd.Series(r).kurt()),
    ("win rate", ours.win_rate, lambda r: float((r > 0).mean())),
]
TWO: list[tuple[str, Callable[[Series, Series], float | None], Callable[[np.ndarray, np.ndarray], float]]] = [
    ("beta", lambda r, b: ours.beta(r, b, free=FREE), lambda r, b: empyrical.beta(r, b, FREE)),
    (
        "alpha",
        lambda r, b: ours.alpha(r, b, free=FREE),
        lambda r, b: empyrical.alpha(r, b, FREE, annualization=YEAR),
    ),
    ("tracking error", ours.tracking_error, lambda r, b: float(np.std(r - b, ddof=1) * math.sqrt(YEAR))),
    ("information", ours.information_ratio, lambda r, b: empyrical.excess_sharpe(r, b) * math.sqrt(YEAR)),
    ("correlation", ours.correlation, lambda r, b: float(np.corrcoef(r, b)[0, 1])),
]


def agree(mine: float | None, oracle: float) -> bool:
    if mine is None:  # nothing to divide by
        return not math.isfinite(oracle) or abs(oracle) > 1e9
    return mine == pytest.approx(oracle, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(("mine", "oracle"), [each[1:] for each in ONE], ids=[each[0] for each in ONE])
@given(returns=returns_of)
def test_a_statistic_of_one_series_is_that_of_the_oracle(
    mine: Callable[[Series], float | None], oracle: Callable[[np.ndarray], float], returns: Series
) -> None:
    with np.errstate(all="ignore"):
        assert agree(mine(returns), float(oracle(np.array(returns))))


@pytest.mark.parametrize(("mine", "oracle"), [each[1:] for each in TWO], ids=[each[0] for each in TWO])
@given(both=pairs)
def test_a_statistic_against_the_benchmark_is_that_of_the_oracle(
    mine: Callable[[Series, Series], float | None],
    oracle: Callable[[np.ndarray, np.ndarray], float],
    both: tuple[Series, Series],
) -> None:
    with np.errstate(all="ignore"):
        assert agree(mine(*both), float(oracle(*map(np.array, both))))


def test_a_week_worked_by_hand() -> None:
    week = [0.01, -0.02, 0.03, 0.0, -0.01]

    assert ours.total_return(week) == pytest.approx(1.01 * 0.98 * 1.03 * 0.99 - 1)
    assert ours.max_drawdown(week) == pytest.approx(-0.02)
    assert ours.win_rate(week) == pytest.approx(0.4)
    assert ours.payoff(week) == pytest.approx(0.02 / 0.015)
    assert ours.volatility(week, year=1) == pytest.approx(math.sqrt(0.00148 / 4))
    assert ours.value_at_risk(week, 0.25) == pytest.approx(-0.01)
    assert ours.expected_shortfall(week, 0.25) == pytest.approx(-0.015)


def test_what_is_not_defined_is_nothing_and_no_number() -> None:
    assert ours.sharpe([0.01]) is None
    assert ours.sharpe([0.01, 0.01]) is None
    assert ours.skewness([0.01, 0.02]) is None
    assert ours.kurtosis([0.01, 0.02, 0.03]) is None
    assert ours.beta([0.01, 0.02], [0.0, 0.0]) is None
    assert ours.payoff([0.01, 0.02]) is None
    assert ours.win_rate([]) is None
    assert ours.annual_return(0.1, 0) is None
