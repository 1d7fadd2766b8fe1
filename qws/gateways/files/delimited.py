"""Comma- or tab-separated text: UTF-8 or GB18030, strictly rectangular. RELIABILITY.md sections 1.5 and 3.D."""

from __future__ import annotations

import csv
import unicodedata
from io import StringIO

from qws.domain.targets import Refusal, Row
from qws.gateways.files.limits import FileLimits

_REFUSED_DELIMITERS = {
    ";": "the columns are separated by semicolons",
    "\uff0c": "the columns are separated by full-width commas",
    "|": "the columns are separated by bars",
}
_FULL_WIDTH_HASH = "\uff03"
_CHINESE_FROM = "\u3000"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_UNREADABLE = "the text is neither UTF-8 nor GBK throughout; save the file as CSV UTF-8"


def read_delimited(content: bytes, limits: FileLimits) -> list[Row] | Refusal:
    """The rows of a text file, every cell a string, or why they cannot be trusted."""
    text = _decoded(content)
    if text is None:
        return Refusal("bad_encoding", _UNREADABLE)
    said, text = _header_lines(text.replace("\r\n", "\n").replace("\r", "\n"))
    header = next((line for line in text.split("\n") if line.strip()), "")
    delimiter = _delimiter(header)
    if isinstance(delimiter, Refusal):
        return delimiter
    found = _rectangle(text, delimiter, limits, text_from=said[-1].number if said else 0)
    return found if isinstance(found, Refusal) else [*said, *found]


def _header_lines(text: str) -> tuple[list[Row], str]:
    """The lines that begin with `#` above everything else, as rows of one cell, and the text below them."""
    lines, said, end = text.split("\n"), list[Row](), 0
    for number, line in enumerate(lines, 1):
        cell = line.strip().rstrip(", \t").strip('"')  # as a spreadsheet writes it back
        if cell and not cell.startswith(("#", _FULL_WIDTH_HASH)):
            break
        if cell:
            said.append(Row(number, (cell,)))
            end = number
    return said, "\n".join(lines[end:])


def _decoded(content: bytes) -> str | None:
    """The text in the one encoding that fits all of it, or None."""
    if b"\x00" in content:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    else:
        return content.decode("gb2312") if _is_gbk_by_chance_utf8(content, text) else text
    try:
        text = content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    # GB18030 gives a meaning to nearly every pair of bytes; text that is not Chinese shows in these two ways.
    if any(not letter.isascii() and unicodedata.category(letter) in {"Co", "Cn", "Cs", "Cc"} for letter in set(text)):
        return None
    if "\ufffd" in text or any(_is_utf8_chinese(line) for line in content.splitlines()):
        return None
    return text


def _is_gbk_by_chance_utf8(content: bytes, text: str) -> bool:
    """Whether a text in UTF-8 without any Chinese is Chinese in GBK, as the word for mode is."""
    if text.isascii() or any(letter >= _CHINESE_FROM for letter in text) or content.startswith(_BYTE_ORDER_MARK):
        return False
    try:
        return all(letter.isascii() or letter >= _CHINESE_FROM for letter in content.decode("gb2312"))
    except UnicodeDecodeError:
        return False


def _is_utf8_chinese(line: bytes) -> bool:
    """Whether a line of a file that is not UTF-8 makes sense in it: common Chinese characters and nothing else."""
    if line.isascii():
        return False
    try:
        letters = [letter for letter in line.decode("utf-8") if not letter.isascii()]
        "".join(letters).encode("gb2312")
    except UnicodeError:
        return False
    return all(letter >= _CHINESE_FROM for letter in letters)


def _delimiter(header: str) -> str | Refusal:
    """Comma, or tab where the header holds no comma; other separators are refused."""
    if "," in header:
        return ","
    if "\t" in header:
        return "\t"
    for separator, text in _REFUSED_DELIMITERS.items():
        if separator in header:
            return Refusal("wrong_delimiter", f"{text}; separate them by commas and write 0.05 with a point")
    return ","


def _rectangle(text: str, delimiter: str, limits: FileLimits, text_from: int) -> list[Row] | Refusal:
    """The rows of a text whose first line is the one after `text_from`."""
    rows: list[Row] = []
    ends = text_from
    records = csv.reader(StringIO(text, newline="\n"), delimiter=delimiter, strict=True)
    try:
        for cells in records:
            number, ends = ends + 1, text_from + records.line_num
            width = len(rows[0].cells) if rows else 0
            row = Row(number, tuple(cells) if len(cells) == width else _trimmed(cells, width))
            if any(row.cells):
                rows.append(row)
            if len(rows) - 1 > limits.rows_max:
                return Refusal("too_many_rows", f"the file has more than {limits.rows_max} rows; split it", number)
    except csv.Error as broken:
        if "unexpected end" in str(broken):
            return Refusal("truncated", f"row {ends + 1}: a quote is never closed; send the whole file", ends + 1)
        text = f"row {ends + 1}: a quote inside a cell, or a very long cell; save the file as CSV again"
        return Refusal("malformed_row", text, ends + 1)
    return _ragged(rows) or rows


def _trimmed(cells: list[str], width: int) -> tuple[str, ...]:
    """The cells without the empty ones that spreadsheets write after the header's last column."""
    if not any(cell.strip() for cell in cells):
        return ()
    end = len(cells)
    while end > width and not cells[end - 1].strip():
        end -= 1
    return tuple(cells[:end])


def _ragged(rows: list[Row]) -> Refusal | None:
    width = len(rows[0].cells) if rows else 0
    for row in rows:
        found = len(row.cells)
        if found == width:
            continue
        text = f"row {row.number}: {found} columns where the header has {width}"
        if found < width and row is rows[-1]:
            return Refusal("truncated_row", f"{text}; the file seems cut off, send the whole file", row.number)
        return Refusal("ragged_row", f"{text}; write one value per column and no commas in numbers", row.number)
    return None
