from __future__ import annotations

import string
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.tags import day_part, is_ours, make_tag, same_day_part

DAY = date(2026, 11, 19)
days = st.dates(date(2020, 1, 1), date(2099, 12, 31))
targets = st.text(st.sampled_from("0123456789abcdef"), min_size=64, max_size=64)


@given(days, targets, st.integers(0, 35), st.integers(0, 36**3 - 1))
def test_a_tag_is_ours_short_plain_and_a_pure_function(day: date, target: str, attempt: int, index: int) -> None:
    tag = make_tag(day, target, attempt, index)

    assert is_ours(tag)
    assert len(tag) == 16
    assert set(tag) <= set(string.digits + string.ascii_lowercase)
    assert tag == make_tag(day, target, attempt, index)
    assert same_day_part(tag) == day_part(day) != day_part(day + timedelta(days=1))


def test_every_order_of_a_day_has_its_own_tag() -> None:
    tags = {
        make_tag(DAY, target * 64, attempt, index) for target in "abc" for attempt in range(9) for index in range(300)
    }

    assert len(tags) == 3 * 9 * 300


@given(targets, st.integers(0, 15), st.sampled_from(string.digits + string.ascii_lowercase))
def test_a_tag_with_one_wrong_character_is_not_ours(target: str, place: int, letter: str) -> None:
    tag = make_tag(DAY, target, 0, 0)
    damaged = tag[:place] + letter + tag[place + 1 :]

    assert is_ours(damaged) == (damaged == tag)


@pytest.mark.parametrize(
    "remark", ["", "manual", "q1", "q1" + "0" * 14, "Q1" + "0" * 14, "备注备注备注备注备注备注备注备注"]
)
def test_other_remarks_are_not_ours(remark: str) -> None:
    assert not is_ours(remark)


@pytest.mark.parametrize(("attempt", "index"), [(36, 0), (-1, 0), (0, 36**3), (0, -1)])
def test_what_does_not_fit_is_refused(attempt: int, index: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        make_tag(DAY, "a", attempt, index)
