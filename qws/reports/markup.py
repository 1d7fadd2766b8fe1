"""Tables and blocks of a page: whatever is put into them is escaped here, so that no text of a file is ever markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

from qws.reports.figure import FAINT, GRID

STYLE = f"""
h2 {{ font-size: 17px; font-weight: 600; margin: 26px 0 6px; }}
table.grid {{ width: 100%; font-size: 14px; }}
table.grid th {{ text-align: left; font-weight: 400; color: {FAINT}; padding: 4px 12px 4px 0; vertical-align: bottom; }}
table.grid td {{ padding: 4px 12px 4px 0; border-top: 1px solid {GRID}; vertical-align: top; }}
table.grid .number {{ text-align: right; white-space: nowrap; }}
table.grid td.faint {{ color: {FAINT}; }}
.wide {{ overflow-x: auto; }}
.pairs {{ columns: 3 300px; column-gap: 40px; margin: 0; }}
.pairs div {{ display: flex; justify-content: space-between; gap: 16px; border-top: 1px solid {GRID}; padding: 4px 0;
  break-inside: avoid; }}
.pairs dt {{ color: {FAINT}; }}
.pairs dd {{ margin: 0; text-align: right; font-variant-numeric: tabular-nums; }}
.note {{ color: {FAINT}; margin: 4px 0; }}
.warning {{ background: #fdf3e1; border-left: 3px solid #c77c11; padding: 6px 12px; margin: 10px 0; }}
"""


class Column(NamedTuple):
    """A heading, and whether numbers stand below it."""

    title: str
    is_number: bool = False


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> str:
    """A table of texts."""
    kinds = [' class="number"' if column.is_number else "" for column in columns]
    head = "".join(f"<th{kind}>{escape(column.title)}</th>" for kind, column in zip(kinds, columns, strict=True))
    lines = [
        "<tr>" + "".join(f"<td{kind}>{escape(cell)}</td>" for kind, cell in zip(kinds, row, strict=True)) + "</tr>"
        for row in rows
    ]
    return '<div class="wide"><table class="grid">\n' + "\n".join((f"<tr>{head}</tr>", *lines)) + "\n</table></div>"


def pairs(items: Iterable[tuple[str, str]]) -> str:
    """Names and values in columns."""
    lines = (f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in items)
    return '<dl class="pairs">\n' + "\n".join(lines) + "\n</dl>"


def heading(text: str) -> str:
    """The title of a section."""
    return f"<h2>{escape(text)}</h2>"


def paragraph(text: str, kind: str = "note") -> str:
    """A line of text: `note` or `warning`."""
    return f'<p class="{kind}">{escape(text)}</p>'


def folded(summary: str, content: str) -> str:
    """Something that is shown when it is asked for; `content` is markup of this module."""
    return f"<details><summary>{escape(summary)}</summary>\n{content}\n</details>"
