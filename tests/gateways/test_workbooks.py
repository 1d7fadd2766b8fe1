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

from qws.domain.targets import Cell, ParsedTarget, Refusal, Row, Sheet, parse_target
from qws.gateways.files import read_rows
from tests.support.file_bytes import LIMITS, refusal, saved, xls, xlsx
from tests.support.target_rows import RULES, Weekdays

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


def sheets(*books: tuple[str, tuple[Cell, ...] | None]) -> Workbook:
    """A workbook of sheets with one row each, or none."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, row in books:
        sheet = book.create_sheet(title)
        if row is not None:
            sheet.append(row)
    return book


HEADER: tuple[Cell, ...] = ("date", "code", "weight")


def test_other_visible_sheets_that_hold_something_are_named() -> None:
    book = sheets(("first", None), ("目标", HEADER), ("empty", None), ("备注", ("x",)), ("old", HEADER), ("more", (1,)))
    book["old"].sheet_state = "hidden"

    found = read_rows("a.xlsx", saved(book.save), LIMITS)

    assert isinstance(found, Sheet)
    assert (found.name, found.unread, len(found)) == ("目标", ("备注", "more"), 1)
    alone = read_rows("a.xls", xls(HEADER), LIMITS)
    assert isinstance(alone, Sheet)
    assert (alone.name, alone.unread) == ("target", ())


def test_a_sheet_that_is_not_read_may_be_as_broken_as_it_likes() -> None:
    book = sheets(("目标", HEADER), ("far", (1,)), ("empty", None))
    book["far"]["XFD1048576"] = 1

    found = read_rows("a.xlsx", saved(book.save), replace(LIMITS, workbook_deadline_s=5.0))

    assert isinstance(found, Sheet)
    assert list(found) == [Row(1, HEADER)]
    assert "far" in found.unread


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ((TODAY, "600519.SH", 0.5), "missing_header"),
        (("date", "code"), "missing_column"),
        (("date", "code", "证券代码", "weight"), "ambiguous_column"),
    ],
)
def test_a_wrong_header_of_a_workbook_names_the_sheet_that_was_read(header: tuple[Cell, ...], code: str) -> None:
    rows = read_rows("a.xlsx", saved(sheets(("说明", header), ("目标", HEADER)).save), LIMITS)
    assert isinstance(rows, Sheet)

    for table, is_named in [(rows, True), (list(rows), False)]:
        found = parse_target(table, today=TODAY, calendar=Weekdays(), rules=RULES)
        assert isinstance(found, tuple)
        assert [refusal.code for refusal in found] == [code]
        assert ("'说明'" in found[0].text, "no other is read" in found[0].text) == (is_named, is_named)


def test_a_target_knows_which_sheets_were_not_read() -> None:
    rows = Sheet([Row(1, HEADER), Row(2, (TODAY, "600519.SH", 0.5))], "目标", ("备注",))

    found = parse_target(rows, today=TODAY, calendar=Weekdays(), rules=RULES)

    assert isinstance(found, ParsedTarget)
    assert found.unread == ("备注",)


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
