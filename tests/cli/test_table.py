"""Tables by eye: columns stand below one another in a terminal, whatever the script."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qws.cli.table import Column, table, width


def test_text_stands_left_and_numbers_right_with_thousands_separators() -> None:
    columns = [Column("code"), Column("shares"), Column("value", ",.2f")]

    assert table(columns, [["600519.SH", 100, 168750.0], ["x", 1234567, None]]) == (
        "code          shares       value\n"
        "600519.SH        100  168,750.00\n"
        "x          1,234,567           -"
    )  # fmt: skip


def test_a_chinese_character_takes_two_places_and_a_combining_mark_none() -> None:
    assert width("贵州茅台a") == 9
    assert width("e\u0301") == 1

    lines = table([Column("name"), Column("n")], [["贵州茅台", 1], ["moutai", 22]]).splitlines()
    assert [width(line) for line in lines] == [12, 12, 12]
    assert lines[1] == "贵州茅台   1"


def test_a_cell_never_breaks_its_line() -> None:
    assert table([Column("text")], [["one\ntwo\tthree"]]).splitlines()[1:] == ["one two three"]


@given(st.lists(st.tuples(st.text("ab贵\u0301"), st.integers() | st.none())))
def test_whole_numbers_end_in_the_same_place(rows: list[tuple[str, int | None]]) -> None:
    lines = table([Column("name"), Column("number")], rows).splitlines()

    assert len(lines) == len(rows) + 1
    if any(number is not None for _, number in rows):
        assert len({width(line) for line in lines}) == 1
