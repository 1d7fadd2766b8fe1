"""Bytes of a dropped file to rows of cells; everything in it is hostile until bounded (RELIABILITY.md 1.5)."""

from __future__ import annotations

from pathlib import PurePath

from qws.domain.targets import Refusal, Row
from qws.gateways.files.delimited import read_delimited
from qws.gateways.files.limits import OLE_MAGIC, ZIP_MAGIC, FileLimits
from qws.gateways.files.workbook import read_workbook

__all__ = ["FileLimits", "read_rows"]


def read_rows(name: str, content: bytes, limits: FileLimits) -> list[Row] | Refusal:
    """The rows of a .csv, .xlsx or .xls file, blank ones at the end removed, or why the file cannot be read.

    Nothing in `content` makes it raise. A workbook is read in a process of its own, for at most
    `limits.workbook_deadline_s` seconds, so call this off the event loop. RELIABILITY.md section 1.5.
    """
    suffix = PurePath(name).suffix.lower()
    if suffix not in {".csv", ".xlsx", ".xls"}:
        return Refusal("wrong_type", "only .csv, .xlsx and .xls files are read; save the file as one of them")
    if len(content) > limits.bytes_max:
        text = f"the file has {len(content)} bytes; at most {limits.bytes_max} are read"
        return Refusal("file_too_large", text)
    found = _rows(suffix, content, limits)
    return found or Refusal(
        "empty_file", "the file has no rows; write the header date,stock_code,weight and the stocks"
    )


def _rows(suffix: str, content: bytes, limits: FileLimits) -> list[Row] | Refusal:
    if not content.strip():
        return []
    if suffix != ".csv":
        return read_workbook(content, limits)
    if content.startswith((ZIP_MAGIC, OLE_MAGIC)):
        return Refusal("wrong_type", "this is an Excel workbook named .csv; name it .xlsx or .xls")
    return read_delimited(content, limits)
