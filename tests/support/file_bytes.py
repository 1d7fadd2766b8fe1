"""Files as bytes, and what reading them gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from io import BytesIO

import xlwt
from openpyxl import Workbook

from qws.domain.targets import Cell, Refusal, Row
from qws.gateways.files import FileLimits, read_rows

LIMITS = FileLimits()
DATED = xlwt.easyxf(num_format_str="YYYY-MM-DD")


def xlsx(*lines: tuple[Cell, ...]) -> bytes:
    book = Workbook()
    for line in lines:
        book.worksheets[0].append(line)
    return saved(book.save)


def xls(*lines: tuple[Cell, ...]) -> bytes:
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("target")
    for row, line in enumerate(lines):
        for column, cell in enumerate(line):
            style = DATED if isinstance(cell, date) else xlwt.Style.default_style
            sheet.write(row, column, cell, style)
    return saved(book.save)


def saved(save: Callable[[BytesIO], object]) -> bytes:
    content = BytesIO()
    save(content)
    return content.getvalue()


def table(name: str, content: bytes, limits: FileLimits = LIMITS) -> list[Row]:
    found = read_rows(name, content, limits)
    assert isinstance(found, list), found
    return found


def refusal(name: str, content: bytes, limits: FileLimits = LIMITS) -> Refusal:
    found = read_rows(name, content, limits)
    assert isinstance(found, Refusal), found
    assert found.text.isprintable()
    return found
