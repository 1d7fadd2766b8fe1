"""The lines above a weight file's header row: `# mode: subset`, `# expires: 2026-11-23 10:30`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from qws.domain.target_cells import Cell, is_blank, plain, read_date, shown
from qws.domain.target_records import Mode, Refusal, Row

HEADER_LINES_MAX = 20
_SHANGHAI = ZoneInfo("Asia/Shanghai")
_KEYS = {"mode": "mode", "模式": "mode", "expires": "expires", "有效期至": "expires"}
_MODES = {
    "full": Mode.FULL, "全量": Mode.FULL, "delta": Mode.DELTA, "增量": Mode.DELTA, "subset": Mode.SUBSET,
    "部分": Mode.SUBSET,
}  # fmt: skip
# In a line without a colon these are no comment: read as one, a delta would be the whole account.
_MEANT = (
    (re.compile(r"(?<![a-z])(?:modes?|full|delta|subset)(?![a-z])"), "mode"),
    (re.compile(r"(?<![a-z])expir[a-z]*"), "expires"),
    (re.compile("模式|全量|增量|部分"), "模式"),
    (re.compile("有效期"), "有效期至"),
)
_SAID = re.compile(r"([^:=]*)[:=](.*)")
_MOMENT = re.compile(r"(.+?)[ T]+([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?")
_LAST_SECOND = time(23, 59, 59)
_REMEDIES = {
    "mode": "write full, delta or subset (全量, 增量, 部分)",
    "expires": "write a day or a moment, for example 2026-11-23 or 2026-11-23 10:30",
}


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of itself as a whole."""

    mode: Mode
    expires_at: datetime | None


def header_length(rows: Sequence[Row]) -> int:
    """How many of the first rows are lines that begin with `#`."""
    return next((place for place, row in enumerate(rows) if not _line(row).startswith("#")), len(rows))


def read_header(rows: Sequence[Row], default: Mode) -> Header | tuple[Refusal, ...]:
    """What these lines say, or every reason why that is not certain; one without a colon is a comment, unless its
    words may be meant for a mode or an expiry."""
    if len(rows) > HEADER_LINES_MAX:
        text = f"more than {HEADER_LINES_MAX} lines begin with #; keep the first ones"
        return (Refusal("bad_header_line", text, rows[HEADER_LINES_MAX].number),)
    found: dict[str, Mode | datetime] = {}
    refusals = []
    for row in rows:
        problem = _read(_line(row).lstrip("#"), found)
        if problem:
            refusals.append(Refusal("bad_header_line", f"row {row.number}: {problem}", row.number))
    if refusals:
        return tuple(refusals)
    mode, expires_at = found.get("mode", default), found.get("expires")
    assert isinstance(mode, Mode)
    assert expires_at is None or isinstance(expires_at, datetime)
    return Header(mode, expires_at)


def _line(row: Row) -> str:
    """The cells of a row as one text; a spreadsheet may have put key and value into cells of their own."""
    return plain(" ".join(_text(cell) for cell in row.cells if not is_blank(cell)))


def _text(cell: Cell) -> str:
    if isinstance(cell, datetime) and cell.time() == time():
        return str(cell.date())  # what a spreadsheet makes of a day
    return cell if isinstance(cell, str) else str(cell) if isinstance(cell, date) else shown(cell)[1:-1]


def _read(line: str, found: dict[str, Mode | datetime]) -> str:
    """Put what a line says among what was found; what is wrong with it, or ""."""
    said = _SAID.fullmatch(line)
    key = plain(said[1] if said is not None else line).casefold()
    if said is None:
        meant = [each for words, each in _MEANT if words.search(key)]
        if not meant:
            return ""
        return f"{shown(plain(line))} has no colon; write # {meant[0]}: and the value, or other words in a comment"
    meaning, value = _KEYS.get(key), plain(said[2])
    if meaning is None:
        return f"{shown(plain(said[1]))} is not known; write # mode: or # expires:, or a comment without a colon"
    if meaning in found:
        return f"{shown(key)} is said twice; keep one line"
    read = _MODES.get(value.casefold()) if meaning == "mode" else _moment(value)
    if read is None:
        return f"{meaning} {shown(value)} cannot be read; {_REMEDIES[meaning]}"
    found[meaning] = read
    return ""


def _moment(text: str) -> datetime | None:
    """The moment a text names in Asia/Shanghai; of a day alone, its last second."""
    match = _MOMENT.fullmatch(text)
    day = read_date(text if match is None else match[1])
    if day is None:
        return None
    try:
        clock = _LAST_SECOND if match is None else time(int(match[2]), int(match[3]), int(match[4] or 0))
    except ValueError:
        return None
    return datetime.combine(day, clock, _SHANGHAI)
