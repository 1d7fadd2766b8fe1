"""Returns without what was brought or taken, gaps that stay gaps, and months that add up."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.reports.curve import equity_curve
from qws.reports.performance import Traded, bars, by_month, daily, extremes, figures, missing_days, period_of
from qws.store.archive import EquityRow
from qws.tables import load_calendar
from tests.reports.pictures import a_close, some_closes

FIRST = date(2026, 3, 2)
CALENDAR = load_calendar()


def rows_of(*totals: str, flows: dict[int, str] | None = None) -> list[EquityRow]:
    """Closes of successive days from Monday 2026-03-02 on, weekends left out."""
    days = [day for number in range(3 * len(totals)) if (day := FIRST + timedelta(days=number)).weekday() < 5]
    rows = [a_close(day, total, "3000") for day, total in zip(days, totals, strict=False)]
    return [replace(row, flow=Decimal((flows or {}).get(at, "0"))) for at, row in enumerate(rows)]


def test_a_deposit_and_a_withdrawal_are_no_return() -> None:
    brought = equity_curve(rows_of("100000", "155000", flows={1: "50000"}))
    taken = equity_curve(rows_of("100000", "55000", flows={1: "-50000"}))

    assert brought.last.account == pytest.approx(155_000 / 150_000 - 1)
    assert taken.last.account == pytest.approx(105_000 / 100_000 - 1)
    assert equity_curve(rows_of("100000", "150000", flows={1: "50000"})).last.account == 0


@given(
    st.lists(st.tuples(st.floats(-0.1, 0.1), st.integers(-40, 60)), min_size=1, max_size=20),
)
def test_the_same_returns_come_out_whatever_is_brought_in_the_morning_or_taken_in_the_evening(
    days: list[tuple[float, int]],
) -> None:
    total, worth, totals, flows = 1_000_000.0, 1.0, ["1000000"], {}
    for number, (move, per_cent) in enumerate(days, 1):
        flow = round(total * per_cent / 100, 2)
        total = (total + max(flow, 0)) * (1 + move) + min(flow, 0)
        worth *= 1 + move
        totals.append(f"{total:.6f}")
        flows[number] = f"{flow:.2f}"

    curve = equity_curve(rows_of(*totals, flows=flows))

    assert curve.last.account == pytest.approx(worth - 1, abs=1e-6)


def test_a_day_that_was_not_recorded_is_a_gap_and_no_day_of_the_statistics() -> None:
    rows = rows_of("100", "110", "121", "133.1", "146.41")
    gone = rows.pop(2)
    period = period_of(rows, date.min, date.max, CALENDAR.is_session)

    assert period.curve.missing == (gone.day,)
    assert period.curve.along([1.0, 2.0, 3.0, 4.0]) == (1.0, 2.0, None, 3.0, 4.0)
    assert [day for day, _, _ in daily(period.curve)] == [rows[1].day, rows[3].day]
    assert period.sessions == 4
    assert figures(period, None)["total_return"] == pytest.approx(0.4641)
    assert [each.label for each in bars(period)] == [rows[1].day.isoformat(), rows[3].day.isoformat()]


def test_weekends_and_holidays_are_missed_by_nobody_and_the_end_of_the_calendar_neither() -> None:
    days = [date(2026, 9, 30), date(2026, 10, 8), date(2026, 10, 12)]

    assert missing_days(days, CALENDAR.is_session) == (date(2026, 10, 9),)
    assert missing_days(days, lambda day: None) == ()
    assert missing_days([], CALENDAR.is_session) == ()


def test_a_month_begins_with_the_last_close_before_it_and_months_compound_to_the_whole() -> None:
    rows = [row for row in some_closes(120) if CALENDAR.is_session(row.day)]
    whole = period_of(rows, date.min, date.max, CALENDAR.is_session)
    april = period_of(rows, date(2025, 4, 1), date(2025, 4, 30), CALENDAR.is_session)

    months = by_month(whole.curve)

    assert april.rows[0].day == date(2025, 3, 31)
    assert april.first == date(2025, 4, 1)
    assert {each.label: each.account for each in months}["2025-04"] == pytest.approx(april.curve.last.account)
    assert math.prod(1 + each.account for each in months) - 1 == pytest.approx(whole.curve.last.account)
    assert math.prod(1 + (each.benchmark or 0) for each in months) - 1 == pytest.approx(whole.curve.last.benchmark)


def test_the_figures_of_a_week_worked_by_hand() -> None:
    rows = rows_of("100000", "101000", "99990", "153000", "133000", flows={3: "50000", 4: "-20000"})
    period = period_of(rows, date.min, date.max, CALENDAR.is_session)

    found, days = figures(period, Traded(50_000.0, 25.0)), extremes(period.curve)

    assert found["total_return"] == pytest.approx(1.01 * 0.99 * 153_000 / 149_990 - 1)
    assert found["max_drawdown"] == pytest.approx(-0.01)
    assert (days["peak"], days["trough"], days["recovered"]) == (rows[1].day, rows[2].day, rows[3].day)
    assert (days["best_day"], days["worst_day"]) == (rows[3].day, rows[2].day)
    assert (found["deposits"], found["withdrawals"], found["fees"]) == (50_000, 20_000, 25)
    assert found["profit"] == pytest.approx(133_000 - 100_000 - 30_000)
    assert found["win_rate"] == pytest.approx(0.5)
    mean = sum(float(row.total_asset) for row in rows) / 5
    assert found["turnover"] == pytest.approx(25_000 / mean)
    assert found["benchmark_return"] == 0
    assert found["beta"] is None
    assert found["value_at_risk"] is None


def test_an_unknown_flow_is_told_and_a_period_without_a_close_is_refused_by_name() -> None:
    rows = [replace(row, flow=None) for row in rows_of("100", "101", "102")]

    assert period_of(rows, date.min, date.max, CALENDAR.is_session).unchecked == (rows[1].day, rows[2].day)
    with pytest.raises(ValueError, match="recorded from 2026-03-02 to 2026-03-04"):
        period_of(rows, date(2027, 1, 1), date(2027, 1, 31), CALENDAR.is_session)
