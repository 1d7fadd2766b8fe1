"""The numbers behind the equity picture."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.reports.equity import equity_curve
from qws.store.archive import EquityRow
from tests.reports.pictures import a_close, some_closes

DAYS = [date(2026, 3, day) for day in (2, 3, 4, 5, 6)]


def closes(totals: list[str], levels: list[str | None]) -> list[EquityRow]:
    return [a_close(day, total, level) for day, total, level in zip(DAYS, totals, levels, strict=False)]


def test_returns_excess_and_drawdown_match_a_worked_series() -> None:
    curve = equity_curve(closes(["100", "110", "99", "121"], ["3000", "3030", "2970", "3150"]))

    assert [point.account for point in curve.points] == pytest.approx([0, 0.1, -0.01, 0.21])
    assert [point.benchmark for point in curve.points] == pytest.approx([0, 0.01, -0.01, 0.05])
    assert [point.excess for point in curve.points] == pytest.approx([0, 0.09, 0, 0.16])
    assert [point.drawdown for point in curve.points] == pytest.approx([0, 0, -0.1, 0])
    assert (curve.peak.day, curve.trough.day) == (DAYS[1], DAYS[2])


def test_a_missing_benchmark_stays_a_gap_and_the_account_goes_on() -> None:
    curve = equity_curve(closes(["100", "110", "120"], ["3000", None, "3300"]))

    assert [point.benchmark is None for point in curve.points] == [False, True, False]
    assert [point.excess is None for point in curve.points] == [False, True, False]
    assert curve.points[1].account == pytest.approx(0.1)
    assert curve.last.excess == pytest.approx(0.1)


def test_a_late_benchmark_is_compared_from_the_day_on_which_it_begins() -> None:
    curve = equity_curve(closes(["100", "200", "220"], [None, "3000", "3150"]))

    assert curve.benchmark_since == DAYS[1]
    assert curve.last.account == pytest.approx(1.2)
    assert curve.last.benchmark == pytest.approx(0.05)
    assert curve.last.excess == pytest.approx(0.05)


def test_without_any_benchmark_there_is_no_excess() -> None:
    curve = equity_curve(some_closes(5, benchmark=False))

    assert curve.benchmark_since is None
    assert curve.last_known is None
    assert {point.excess for point in curve.points} == {None}


def test_rows_of_runs_are_not_part_of_the_curve_and_order_does_not_matter() -> None:
    rows = closes(["100", "110"], [None, None])
    run = EquityRow(DAYS[0], rows[0].at, "run", "r1", Decimal(1), Decimal(0), Decimal(0), Decimal(1), None)

    assert equity_curve([rows[1], run, rows[0]]) == equity_curve(rows)


def test_what_cannot_be_drawn_is_refused_by_day() -> None:
    with pytest.raises(ValueError, match="no close"):
        equity_curve([])
    with pytest.raises(ValueError, match="two closes are recorded for 2026-03-02"):
        equity_curve([a_close(DAYS[0], "1", None), a_close(DAYS[0], "2", None)])
    with pytest.raises(ValueError, match="total assets of 2026-03-02 are 0"):
        equity_curve([a_close(DAYS[0], "0", None)])


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=5), st.integers(1, 1000))
def test_returns_do_not_depend_on_the_size_of_the_account(totals: list[int], factor: int) -> None:
    small = equity_curve(closes([str(total) for total in totals], [None] * 5))
    large = equity_curve(closes([str(total * factor) for total in totals], [None] * 5))

    assert [p.account for p in large.points] == pytest.approx([p.account for p in small.points])
    assert all(-1 < point.drawdown <= 0 for point in small.points)
