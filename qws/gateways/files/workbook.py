"""Excel workbooks: bounded first, then read by a child process that may crash, hang or be killed without harm."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
import zlib
from datetime import date, datetime
from io import BytesIO
from pathlib import Path
from typing import TypedDict

from qws.domain.target_header import HEADER_LINES_MAX, header_length
from qws.domain.targets import Cell, Refusal, Row, Sheet
from qws.gateways.files.limits import OLE_MAGIC, ZIP_MAGIC, FileLimits

_CHILD = Path(__file__).with_name("workbook_child.py")
_CHUNK = 64 * 1024
_PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_SAVE_AGAIN = "open it in Excel and save it as .xlsx again"
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


class _Answer(TypedDict):
    error: str
    rows: list[tuple[int, list[tuple[str, str | float | bool | None]]]]
    name: str
    others: list[str]


def read_workbook(content: bytes, limits: FileLimits) -> list[Row] | Refusal:
    """The rows of the first visible sheet that has any, or why the workbook cannot be read."""
    if content.startswith(ZIP_MAGIC):
        refusal = _check_zip(content, limits)
        if refusal is not None:
            return refusal
    elif not content.startswith(OLE_MAGIC):
        if content.lstrip()[:1] == b"<":
            return _unreadable("this is a web page or XML named as a workbook")
        return _unreadable("this is not a workbook, or its beginning is missing; text belongs in a .csv file")
    return _read_in_child(content, limits)


def _unreadable(text: str) -> Refusal:
    return Refusal("unreadable_workbook", f"{text}; {_SAVE_AGAIN}")


def _check_zip(content: bytes, limits: FileLimits) -> Refusal | None:
    """Count what the archive declares, then what really comes out of it, and stop at the first bound."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = archive.infolist()
            if len(entries) > limits.zip_entries_max:
                return Refusal("zip_bomb", f"the workbook has {len(entries)} parts, over {limits.zip_entries_max}")
            if any(entry.flag_bits & 1 or entry.compress_type not in _PACKED for entry in entries):
                return _unreadable("the workbook is encrypted or packed in an unusual way")
            allowance = min(limits.unzipped_max, limits.ratio_max * len(content))
            declared = sum(entry.file_size for entry in entries)
            if declared > allowance or _unzipped(archive, entries, allowance) > allowance:
                return Refusal("zip_bomb", f"the workbook unpacks to more than {allowance} bytes; send a small one")
            if not any(entry.filename == "xl/workbook.xml" for entry in entries):
                return _unreadable("this archive is not an .xlsx workbook")
    except _BROKEN_ZIP:
        return _unreadable("the workbook is damaged or cut off")
    return None


def _unzipped(archive: zipfile.ZipFile, entries: list[zipfile.ZipInfo], allowance: int) -> int:
    """The bytes that really come out of the archive, counted no further than just past the allowance."""
    total = 0
    for entry in entries:
        with archive.open(entry) as part:
            while chunk := part.read(_CHUNK):
                total += len(chunk)
                if total > allowance:
                    return total
    return total


def _read_in_child(content: bytes, limits: FileLimits) -> list[Row] | Refusal:
    """Let calamine read in a process of its own: a crafted .xls makes it loop, panic or abort."""
    command = [sys.executable, "-P", "-X", "utf8", str(_CHILD), str(limits.rows_max + 2 + HEADER_LINES_MAX)]
    flags = 0
    if sys.platform == "win32":
        flags = subprocess.CREATE_NO_WINDOW
    problem = "the workbook is damaged, or too large inside"
    try:
        said = subprocess.run(  # noqa: S603 - our own file, no word of the command comes from outside
            command,
            input=content,
            capture_output=True,
            timeout=limits.workbook_deadline_s,
            creationflags=flags,
            check=False,
        ).stdout
    except subprocess.TimeoutExpired as late:
        said = late.output or b""
        problem = f"reading the workbook took longer than {limits.workbook_deadline_s:g} s"
    # A child that told of the sheet may still have died of another one, which is not read anyway.
    answers = [json.loads(line) for line in said.splitlines(keepends=True) if line.endswith(b"\n")]
    return _sheet(answers[0], answers[1:], limits) if answers else _unreadable(problem)


def _sheet(answer: _Answer, others: list[list[str]], limits: FileLimits) -> Sheet | Refusal:
    """The sheet that is read; without a word on which of the others are empty, any may hold something."""
    if answer["error"] == "password":
        return _unreadable("the workbook is protected by a password; remove it")
    if answer["error"]:
        return _unreadable("the workbook is damaged or of an unknown kind")
    rows = [Row(number, tuple(_cell(*cell) for cell in cells)) for number, cells in answer["rows"]]
    if len(rows) - 1 - header_length(rows) > limits.rows_max:
        return Refusal("too_many_rows", f"the sheet has more than {limits.rows_max} rows; split it")
    return Sheet(rows, answer["name"], tuple(others[0] if others else answer["others"]))


def _cell(kind: str, value: str | float | bool | None) -> Cell:
    """A cell as the child wrote it: its kind and its value."""
    if kind == "date":
        return date.fromisoformat(str(value))
    return datetime.fromisoformat(str(value)) if kind == "datetime" else value
