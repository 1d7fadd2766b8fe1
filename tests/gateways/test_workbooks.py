"""Workbooks that are broken, hostile or huge are refused in bounded time and memory (RELIABILITY.md 1.5)."""

from __future__ import annotations

import struct
import zipfile
from dataclasses import replace
from datetime import date
from io import BytesIO

import pytest
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from qws.domain.targets import Refusal, Row
from qws.gateways.files import read_rows
from tests.support.file_bytes import LIMITS, refusal, saved, xls, xlsx

TODAY = date(2026, 11, 23)
TEXT = b"date,stock_code,weight\n2026-11-23,000001.SZ,0.05\n"


def damaged_xls() -> bytes:
    """A sheet whose far cell claims the last column a 16-bit number can name."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("a")
    sheet.write(0, 0, 1.5)
    sheet.write(65535, 255, 7.25)
    return saved(book.save).replace(struct.pack("<HH", 65535, 255), struct.pack("<HH", 65535, 65535))


def looping_xls() -> bytes:
    """A compound file whose allocation table sends every sector back to itself."""
    content = bytearray(xls(("date", "code", "weight")))
    table_at = 512 + 512 * struct.unpack_from("<I", content, 76)[0]
    for sector in range(128):
        struct.pack_into("<I", content, table_at + 4 * sector, sector)
    return bytes(content)


def far_cell_xlsx() -> bytes:
    book = Workbook()
    book.worksheets[0]["A1"] = "date"
    book.worksheets[0]["XFD1048576"] = 1
    return saved(book.save)


def unrelated_zip() -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("readme.txt", "hello")
    return content.getvalue()


BROKEN: dict[str, tuple[str, bytes]] = {
    "html": ("a.xls", b"<html><table><tr><td>date</td></tr></table></html>"),
    "text": ("a.xls", TEXT),
    "zip": ("a.xlsx", unrelated_zip()),
    "cut xlsx": ("a.xlsx", xlsx(("date", "code", "weight"))[:-100]),
    "half xlsx": ("a.xlsx", xlsx(("date", "code", "weight"))[:1000]),
    "cut xls": ("a.xls", xls(("date", "code", "weight"))[:1500]),
    "fake xls": ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000)),
    "far column": ("a.xls", damaged_xls()),
    "far cell": ("a.xlsx", far_cell_xlsx()),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_workbooks_are_refused_with_a_remedy(kind: str) -> None:
    found = refusal(*BROKEN[kind])

    assert found.code == "unreadable_workbook"
    assert "save" in found.text


def test_a_workbook_that_takes_too_long_is_given_up() -> None:
    found = refusal("a.xlsx", xlsx(("date",)), replace(LIMITS, workbook_deadline_s=0.001))

    assert found.code == "unreadable_workbook"
    assert "longer" in found.text


def test_a_compound_file_that_loops_ends_at_the_latest_with_the_deadline() -> None:
    found = refusal("a.xls", looping_xls(), replace(LIMITS, workbook_deadline_s=2.0))

    assert found.code == "unreadable_workbook"


def test_an_encrypted_archive_is_refused() -> None:
    content = bytearray(xlsx(("date",)))
    directory = content.index(b"PK\x01\x02")
    content[directory + 8] |= 1

    assert "encrypted" in refusal("a.xlsx", bytes(content)).text


def bomb(parts: int, size: int) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        for part in range(parts):
            archive.writestr(f"xl/worksheets/sheet{part}.xml", bytes(size))
    return content.getvalue()


def lying_bomb() -> bytes:
    """An archive whose directory understates what its part unpacks to."""
    content = bytearray(bomb(1, 30_000_000))
    directory = content.rindex(b"PK\x01\x02")
    struct.pack_into("<I", content, directory + 24, 10)
    return bytes(content)


@pytest.mark.parametrize(("parts", "size"), [(1, 30_000_000), (70, 1), (1, 1_000_000)])
def test_a_zip_bomb_is_refused_before_it_is_unpacked(parts: int, size: int) -> None:
    assert refusal("a.xlsx", bomb(parts, size)).code == "zip_bomb"


def test_an_archive_that_lies_about_its_size_is_refused() -> None:
    assert refusal("a.xlsx", lying_bomb()).code in {"zip_bomb", "unreadable_workbook"}


SEEDS = {"a.xlsx": xlsx(("date", "code", "weight"), (TODAY, 1, 0.1)), "a.xls": xls(("date", "code"), (TODAY, 1))}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(SEEDS)),
    cut=st.one_of(st.just(9000), st.integers(8, 8000)),
    edits=st.lists(st.tuples(st.integers(8, 8000), st.binary(min_size=1, max_size=4)), max_size=5),
)
def test_any_damage_to_a_workbook_gives_rows_or_a_refusal(name: str, cut: int, edits: list[tuple[int, bytes]]) -> None:
    content = bytearray(SEEDS[name])
    for at, patch in edits:
        content[at : at + len(patch)] = patch
    damaged = bytes(content[:cut])

    found = read_rows(name, damaged, replace(LIMITS, workbook_deadline_s=2.0))

    assert isinstance(found, Refusal) or all(isinstance(row, Row) for row in found)


@given(name=st.sampled_from(["a.xlsx", "a.xls"]), content=st.binary(min_size=1))
def test_any_bytes_named_as_a_workbook_give_a_refusal(name: str, content: bytes) -> None:
    assert refusal(name, content).code in {"unreadable_workbook", "empty_file"}
