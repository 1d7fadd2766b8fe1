"""How much of a file is read. RELIABILITY.md section 1.5."""

from __future__ import annotations

from dataclasses import dataclass

ZIP_MAGIC = b"PK\x03\x04"
OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Bounds in bytes, rows without the header, zip entries, unzipped to zipped bytes, and seconds."""

    bytes_max: int = 2 * 1024 * 1024
    rows_max: int = 5000
    zip_entries_max: int = 64
    unzipped_max: int = 20 * 1024 * 1024
    ratio_max: int = 100
    workbook_deadline_s: float = 10.0
