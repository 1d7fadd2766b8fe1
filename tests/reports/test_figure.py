"""Ticks, labels and fonts."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.reports.figure import day_ticks, drawable, find_font, percent, percent_ticks, spread
from tests.reports.pictures import require_chinese_font

HIEROGLYPH = "\U00013000"


@given(st.floats(-5, 5), st.floats(0.0001, 10), st.integers(2, 8))
def test_percent_ticks_are_inside_evenly_spaced_and_told_apart(low: float, span: float, count: int) -> None:
    ticks = percent_ticks(low, low + span, count=count)

    values, labels = [value for value, _ in ticks], [label for _, label in ticks]
    assert len(ticks) <= count + 1
    assert len(set(labels)) == len(labels)
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value in values)
    assert [float(label.rstrip("%")) / 100 for label in labels] == pytest.approx(values, abs=1e-9)


@given(
    st.dates(date(1991, 1, 1), date(2090, 1, 1)), st.sets(st.integers(0, 12_000), min_size=1, max_size=400),
    st.integers(3, 10),
)  # fmt: skip
def test_day_ticks_are_few_distinct_and_within_the_period(first: date, offsets: set[int], count: int) -> None:
    days = [first + timedelta(days=offset) for offset in sorted(offsets)]

    ticks = day_ticks(days, count=count)

    assert len(ticks) <= count + 1
    assert all(days[0] <= day <= days[-1] for day, _ in ticks)
    assert [day for day, _ in ticks] == sorted({day for day, _ in ticks})
    assert all(day.isoformat().startswith(label) for day, label in ticks)


@given(st.floats(-10, 10), st.floats(-10, 10), st.floats(0.1, 5))
def test_labels_end_up_apart_in_their_order(one: float, other: float, gap: float) -> None:
    first, second = spread(one, other, gap=gap)

    assert abs(first - second) >= gap * 0.999
    assert first + second == pytest.approx(one + other)
    assert one == other or (first > second) == (one > other)


@pytest.mark.parametrize(
    ("fraction", "text"), [(0.0123, "+1.23%"), (-0.5, "-50.00%"), (-0.00001, "0.00%"), (0.0, "0.00%"), (None, "-")]
)
def test_a_fraction_is_written_in_per_cent(fraction: float | None, text: str) -> None:
    assert percent(fraction, signed=True) == text


@given(st.floats(-20, 20))
def test_a_number_is_never_cut_into_another_one(fraction: float) -> None:
    assert float(percent(fraction, signed=True).rstrip("%")) / 100 == pytest.approx(fraction, abs=0.000051)


def test_a_font_is_named_only_when_it_has_every_glyph() -> None:
    assert find_font("Account +1.23%") is not None
    assert find_font("Account" + HIEROGLYPH) is None


def test_chinese_finds_a_font_that_draws_it_all() -> None:
    require_chinese_font()

    family = find_font("上证指数超额收益回撤")

    assert family is not None
    assert drawable("上证指数 +1%" + HIEROGLYPH, family) == "上证指数 +1%?"


def test_importing_the_pictures_imports_no_drawing_library() -> None:
    script = (
        "import sys; import qws.reports.equity, qws.reports.tracking;"
        "print([name for name in ('matplotlib', 'numpy', 'pandas', 'pyarrow') if name in sys.modules])"
    )

    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, encoding="utf-8")

    assert answer.stdout.strip() == "[]"
