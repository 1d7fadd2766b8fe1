"""Plain aligned tables: importing a table library takes longer than a status query may."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Column(NamedTuple):
    """A heading, and how the numbers below it are written; "" for text and whole numbers."""

    title: str
    number: str = ""


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    """Lines of cells: text to the left, numbers to the right with thousands separators, `-` where there is nothing."""
    body = list(rows)
    lines = [[column.title for column in columns]]
    lines += [[_cell(column, value) for column, value in zip(columns, row, strict=True)] for row in body]
    spaces = []  # below zero: text, filled up on its right
    for place, column in enumerate(columns):
        space = max(width(line[place]) for line in lines)
        is_number = bool(column.number) or any(isinstance(row[place], int) for row in body)
        spaces.append(space if is_number else -space)
    return "\n".join(
        "  ".join(_padded(cell, space) for cell, space in zip(line, spaces, strict=True)).rstrip() for line in lines
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
    if isinstance(value, int):
        return f"{value:,d}"
    return format(value, column.number) if column.number else " ".join(str(value).split())


def _padded(cell: str, space: int) -> str:
    blank = " " * (abs(space) - width(cell))
    return blank + cell if space > 0 else cell + blank
