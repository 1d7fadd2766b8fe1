"""Run as a program of its own: a workbook on standard input, its cells as JSON on standard output."""

from __future__ import annotations

import json
import sys
from datetime import date, datetime
from io import BytesIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
    load_workbook,
)

_COLUMNS_MAX = 64
_TEXT_MAX = 80
_MEMORY_MAX = 1024 * 1024 * 1024

WrittenCell = tuple[str, str | float | bool | None]
WrittenRow = tuple[int, list[WrittenCell]]


def written(cell: object) -> WrittenCell:
    """A cell as kind and value; text is cut just above what a target cell may hold."""
    match cell:
        case bool() | int() | float():
            return "number", cell
        case datetime():
            return "datetime", cell.isoformat()
        case date():
            return "date", cell.isoformat()
        case "":
            return "blank", None
        case _:
            return "text", str(cell)[:_TEXT_MAX]


def sheet_rows(sheet: CalamineSheet, rows_max: int) -> list[WrittenRow]:
    """The rows of one sheet that hold anything, numbered as Excel shows them; columns count from its first used one."""
    rows: list[WrittenRow] = []
    if sheet.start is None:
        return rows
    for number, cells in enumerate(sheet.iter_rows(), 1):
        if any(cell != "" for cell in cells):
            rows.append((number, [written(cell) for cell in cells[:_COLUMNS_MAX]]))
            if len(rows) >= rows_max:
                break
    return rows


def workbook_rows(content: bytes, rows_max: int) -> list[WrittenRow]:
    """The rows of the first visible worksheet that has any."""
    workbook = load_workbook(BytesIO(content))
    for sheet in workbook.sheets_metadata:
        if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet:
            rows = sheet_rows(workbook.get_sheet_by_name(sheet.name), rows_max)
            if rows:
                return rows
    return []


def limit_memory() -> None:
    """Where the system can do it, make a workbook that inflates in memory fail here."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer with `error` (empty, `password` or `unreadable`) and `rows`."""
    limit_memory()
    error, rows = "", []
    try:
        rows = workbook_rows(sys.stdin.buffer.read(), int(sys.argv[1]))
    except PasswordError:
        error = "password"
    except (CalamineError, ValueError, OverflowError):
        error = "unreadable"
    sys.stdout.write(json.dumps({"error": error, "rows": rows}))


if __name__ == "__main__":
    main()
