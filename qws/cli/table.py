"""Plain aligned tables: importing a table library takes longer than a status query may."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """A heading, and the format of the numbers below it; without one it holds text."""

    title: str
    number: str = ""


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    """Lines of cells: text to the left, numbers to the right, `-` where there is nothing."""
    lines = [[column.title for column in columns]]
    lines += [[_cell(column, value) for column, value in zip(columns, row, strict=True)] for row in rows]
    widths = [max(width(line[place]) for line in lines) for place in range(len(columns))]
    return "\n".join(
        "  ".join(_padded(cell, wide, column) for cell, wide, column in zip(line, widths, columns, strict=True)).rstrip()
        for line in lines
    )


def width(text: str) -> int:
    """How many places of a terminal a text takes: Chinese characters two each, combining marks none."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _cell(column: Column, value: object) -> str:
    if value is None or value == "":
        return "-"
    return format(value, column.number) if column.number else " ".join(str(value).split())


def _padded(cell: str, wide: int, column: Column) -> str:
    blank = " " * (wide - width(cell))
    return blank + cell if column.number else cell + blank
