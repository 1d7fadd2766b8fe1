"""Plain aligned tables: importing a table library takes longer than a status query may."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qws.language import is_chinese, translated
from qws.reports.reasons import explained
from qws.sentences import localised
from qws.words import N_

# Headings that are translated; in English they are the names of the JSON documents.
_HEADINGS = (
    N_("[day]"), N_("[total_asset]"), N_("[cash]"), N_("[flow]"), N_("[benchmark]"), N_("[return]"),
    N_("[benchmark_return]"), N_("[excess]"), N_("[drawdown]"), N_("[side]"), N_("[stock_code]"), N_("[weight]"),
    N_("[held]"), N_("[sellable]"), N_("[wanted]"), N_("[orders]"), N_("[price]"), N_("[price_from]"), N_("[fee]"),
    N_("[reason]"), N_("[names]"), N_("[traded]"), N_("[fill_ratio]"), N_("[fees]"), N_("[fill_s]"),
    N_("[fill_s_max]"), N_("[planned]"), N_("[filled]"), N_("[average]"), N_("[mid]"), N_("[last]"),
    N_("[slippage_mid_bp]"), N_("[slippage_last_bp]"), N_("[spread_bp]"), N_("[fees_bp]"), N_("[cost_bp]"),
    N_("[run_id]"), N_("[month]"), N_("[runs]"), N_("[name]"), N_("[state]"), N_("[inbox]"), N_("[handled]"),
    N_("[file]"), N_("[target_id]"), N_("[accepted_at]"), N_("[status]"), N_("[started_at]"), N_("[finished_at]"),
    N_("[tracking_error]"), N_("[time]"), N_("[order_id]"), N_("[shares]"), N_("[message]"), N_("[value]"),
    N_("[attempt]"), N_("[tag]"), N_("[settled]"), N_("[row]"), N_("[text]"), N_("[frozen_cash]"),
    N_("[market_value]"), N_("[at]"), N_("[alert_id]"), N_("[severity]"), N_("[told]"), N_("[acknowledged_by]"),
    N_("[part]"), N_("[phase]"), N_("[journal]"), N_("[where]"), N_("[limit]"), N_("[achieved]"),
    N_("[off]"), N_("[mode]"), N_("[sum]"), N_("[expires_at]"), N_("[change]"), N_("[rule]"), N_("[setting]"),
    N_("[your_limit]"), N_("[unit]"), N_("[then]"), N_("[today]"),
)  # fmt: skip


class Column(NamedTuple):
    """A heading, and how the numbers below it are written; "" for text and whole numbers."""

    title: str
    number: str = ""


def table(columns: Sequence[Column], rows: Iterable[Sequence[object]]) -> str:
    """Lines of cells: text to the left, numbers to the right with thousands separators, `-` where there is nothing."""
    body = list(rows)
    lines = [[heading(column.title) for column in columns]]
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


def heading(title: str) -> str:
    """A column's name in the chosen language."""
    said = translated(f"[{title}]")
    return title if said.startswith("[") else said


def _cell(column: Column, value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, int):
        return f"{value:,d}"
    if column.number:
        return format(value, column.number)
    return reason_word(str(value)) if column.title == "reason" else localised(" ".join(str(value).split()))


def reason_word(code: str) -> str:
    """A reason as it stands in a line: its stable code, in Chinese with the words before it."""
    return explained(code, "zh") if is_chinese() else code


def _padded(cell: str, space: int) -> str:
    blank = " " * (abs(space) - width(cell))
    return blank + cell if space > 0 else cell + blank
