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
_SHEETS_MAX = 20
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


class WorkbookSheets:
    """The visible worksheets of a workbook, in its order."""

    def __init__(self, content: bytes) -> None:
        self._workbook = load_workbook(BytesIO(content))
        self._left = [
            sheet.name
            for sheet in self._workbook.sheets_metadata
            if sheet.visible == SheetVisibleEnum.Visible and sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def first(self, rows_max: int) -> dict[str, object]:
        """The first sheet that has rows, and the names of those after it, which may be empty."""
        while self._left:
            name = self._left.pop(0)
            if rows := sheet_rows(self._workbook.get_sheet_by_name(name), rows_max):
                return {"error": "", "rows": rows, "name": name[:_TEXT_MAX], "others": _named(self._left)}
        return {"error": "", "rows": [], "name": "", "others": []}

    def others(self) -> list[str]:
        """The names of the sheets after the first one that hold anything; one that cannot be read may."""
        return _named([name for name in self._left if self._may_hold_rows(name)])

    def _may_hold_rows(self, name: str) -> bool:
        try:
            return bool(sheet_rows(self._workbook.get_sheet_by_name(name), 1))
        except (CalamineError, ValueError, OverflowError):
            return True


def _named(names: list[str]) -> list[str]:
    return [name[:_TEXT_MAX] for name in names[:_SHEETS_MAX]]


def limit_memory() -> None:
    """Where the system can do it, make a workbook that inflates in memory fail here."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_MAX, _MEMORY_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer with a line of the sheet that is read, or an `error` (`password` or `unreadable`); then, for a broken one
    among them ends this program, with a line of the other sheets that hold rows."""
    limit_memory()
    try:
        sheets = WorkbookSheets(sys.stdin.buffer.read())
        answer = sheets.first(int(sys.argv[1]))
    except PasswordError:
        answer = {"error": "password"}
    except (CalamineError, ValueError, OverflowError):
        answer = {"error": "unreadable"}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    if answer.get("others"):
        sys.stdout.write(json.dumps(sheets.others()) + "\n")


if __name__ == "__main__":
    main()
