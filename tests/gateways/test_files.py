"""Bytes become rows or one refusal, whatever the bytes are (RELIABILITY.md section 1.5)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from qws.domain.targets import DayTarget, Mode, ParsedTarget, Refusal, Row, TargetRules, Weight, parse_target
from qws.gateways.files import read_rows
from tests.support.file_bytes import LIMITS, refusal, saved, table, xls, xlsx

TODAY = date(2026, 11, 23)
RULES = TargetRules(allow_etf=True, allow_empty=False, row_tolerance=Decimal("0.000001"), rows_max=5000, mode=Mode.FULL)
GOLDEN = ParsedTarget(
    days=(
        DayTarget(
            TODAY,
            (
                Weight("000001.SZ", Decimal("0.05")),
                Weight("300750.SZ", Decimal("0.1")),
                Weight("600519.SH", Decimal("0.2")),
            ),
        ),
    ),
    dropped=(),
)


class EveryDay:
    """A calendar on which every day is a session."""

    def is_session(self, day: date) -> bool:
        return True


ENGLISH = "date,stock_code,weight\n2026-11-23,000001.SZ,0.05\n2026-11-23,300750.SZ,0.1\n2026-11-23,600519.SH,0.2\n"
CHINESE = "日期,证券代码,权重\n2026-11-23,000001.SZ,5%\n2026-11-23,300750.SZ,10%\n2026-11-23,600519.SH,20%\n"
NAMED = (
    "证券名称,证券代码,目标权重,交易日\n平安银行,000001,0.05,20261123\n"
    "宁德时代,300750,0.1,20261123\n贵州茅台,600519,0.2,20261123\n"
)
VARIANTS: dict[str, tuple[str, bytes]] = {
    "plain": ("a.csv", ENGLISH.encode()),
    "capital suffix": ("A.CSV", ENGLISH.encode()),
    "byte-order mark": ("a.csv", ENGLISH.encode("utf-8-sig")),
    "windows lines": ("a.csv", ENGLISH.replace("\n", "\r\n").encode()),
    "old mac lines": ("a.csv", ENGLISH.replace("\n", "\r").encode()),
    "no last line end": ("a.csv", ENGLISH.strip().encode()),
    "blank lines": ("a.csv", ("\n" + ENGLISH.replace("\n", "\n\n") + "\n , ,\n").encode()),
    "trailing empty columns": ("a.csv", ENGLISH.replace("\n", ",,\n").encode()),
    "trailing empty columns in the header alone": ("a.csv", ENGLISH.replace("weight", "weight,,").encode()),
    "quoted": ("a.csv", ENGLISH.replace("000001.SZ", '"000001.SZ"').replace("date", '"date"').encode()),
    "tabs": ("a.csv", ENGLISH.replace(",", "\t").encode()),
    "spaces around": ("a.csv", ENGLISH.replace(",", " , ").encode()),
    "upper-case header": ("a.csv", ENGLISH.replace("date,stock_code,weight", "DATE,STOCK CODE,WEIGHT").encode()),
    "joinquant codes": ("a.csv", ENGLISH.replace(".SZ", ".XSHE").replace(".SH", ".XSHG").encode()),
    "lower-case codes": ("a.csv", ENGLISH.lower().encode()),
    "slashes": ("a.csv", ENGLISH.replace("2026-11-23", "2026/11/23").encode()),
    "midnight": ("a.csv", ENGLISH.replace("2026-11-23", "2026-11-23 00:00:00").encode()),
    "lost zeros": ("a.csv", ENGLISH.replace("000001.SZ", "1").encode()),
    "exponents": ("a.csv", ENGLISH.replace("0.05", "5e-2").encode()),
    "chinese utf-8": ("a.csv", CHINESE.encode()),
    "chinese byte-order mark": ("a.csv", CHINESE.encode("utf-8-sig")),
    "chinese gbk": ("a.csv", CHINESE.encode("gbk")),
    "chinese gb18030": ("a.csv", CHINESE.encode("gb18030")),
    "chinese dates": ("a.csv", CHINESE.replace("2026-11-23", "2026年11月23日").encode("gbk")),
    "full-width digits": ("a.csv", CHINESE.replace("5%", "５％").replace("000001", "００0001").encode("gbk")),
    "names in gbk": ("a.csv", NAMED.encode("gbk")),
    "names in utf-8": ("a.csv", NAMED.encode()),
    "xlsx texts": ("a.xlsx", xlsx(*[tuple(line.split(",")) for line in ENGLISH.split()])),
    "xlsx numbers and dates": (
        "a.xlsx",
        xlsx(("日期", "代码", "权重"), (TODAY, 1, 0.05), (TODAY, 300750, 0.1), (datetime(2026, 11, 23), 600519, "20%")),  # noqa: DTZ001
    ),
    "xlsx serial dates": (
        "a.xlsx",
        xlsx(("weight", "date", "code"), (0.05, 46349, "sz000001"), (0.1, 46349, 300750), (0.2, 46349, "600519")),
    ),
    "xlsx in capitals": ("A.XLSX", xlsx(*[tuple(line.split(",")) for line in CHINESE.split()])),
    "xlsx named xls": ("a.xls", xlsx(*[tuple(line.split(",")) for line in CHINESE.split()])),
    "xls texts": ("a.xls", xls(*[tuple(line.split(",")) for line in CHINESE.split()])),
    "xls numbers and dates": (
        "a.xls",
        xls(("日期", "代码", "权重"), (TODAY, 1, 0.05), (TODAY, 300750, 0.1), (TODAY, 600519, 0.2)),
    ),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_variant_of_one_portfolio_gives_the_same_target(variant: str) -> None:
    rows = table(*VARIANTS[variant])

    assert parse_target(rows, today=TODAY, calendar=EveryDay(), rules=RULES) == GOLDEN


def test_row_numbers_are_those_an_editor_shows() -> None:
    text = '\n"da\nte",b\n\n1,2\n'

    assert [row.number for row in table("a.csv", text.encode())] == [2, 5]


def test_sheet_rows_are_numbered_as_excel_shows_them() -> None:
    book = Workbook()
    book.worksheets[0]["B3"] = "date"
    book.worksheets[0]["B7"] = 0.1

    assert table("a.xlsx", saved(book.save)) == [Row(3, ("date",)), Row(7, (0.1,))]


def test_the_first_visible_sheet_with_content_is_read() -> None:
    book = Workbook()
    book.create_sheet("hidden")["A1"] = "old"
    book.create_sheet("target")["A1"] = "new"
    book["hidden"].sheet_state = "hidden"

    assert table("a.xlsx", saved(book.save)) == [Row(1, ("new",))]


def test_a_formula_without_a_saved_value_ends_as_a_weight_that_mentions_formulas() -> None:
    rows = table("a.xlsx", xlsx(("date", "code", "weight"), (TODAY, 600519, "=1/2")))

    found = parse_target(rows, today=TODAY, calendar=EveryDay(), rules=RULES)

    assert isinstance(found, tuple)
    assert found[0].code == "bad_weight"
    assert "formula" in found[0].text


@pytest.mark.parametrize("name", ["a.txt", "a.xlsm", "a", "a.csv.exe", "a.xlsb", ".csv"])
def test_other_kinds_of_files_are_refused_by_their_names(name: str) -> None:
    assert refusal(name, ENGLISH.encode()).code == "wrong_type"


def test_a_workbook_named_csv_is_refused_with_its_right_name() -> None:
    assert refusal("a.csv", xlsx(("date",))).code == "wrong_type"


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.xls"])
def test_a_large_file_is_refused_by_its_size_alone(name: str) -> None:
    assert refusal(name, bytes(100 * 1024 * 1024)).code == "file_too_large"


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.xls"])
@pytest.mark.parametrize("content", [b"", b" \r\n\n"])
def test_an_empty_file_is_refused(name: str, content: bytes) -> None:
    assert refusal(name, content).code == "empty_file"


@pytest.mark.parametrize(
    "content",
    [
        ENGLISH.encode() + b"\x00",
        ENGLISH.encode("utf-16"),
        ENGLISH.encode() + b"\xff\xff\n",
        CHINESE.encode() + "2026-11-23,600000.SH,0.1,浦发银行\n".encode("gbk"),
        NAMED.encode("gbk") + "浦发银行,600000,0.1,20261123\n".encode(),
        NAMED.encode("gbk") + "民生,600016,0.1,20261123\n".encode(),
        NAMED.encode("gbk") + b"\xaa\xa1,600000,0.1,20261123\n",
    ],
)
def test_bytes_that_are_not_one_encoding_throughout_are_refused(content: bytes) -> None:
    assert refusal("a.csv", content).code == "bad_encoding"


@pytest.mark.parametrize("separator", [";", "，", "|"])
def test_other_delimiters_are_refused_with_the_remedy(separator: str) -> None:
    found = refusal("a.csv", ENGLISH.replace(",", separator).encode())

    assert found.code == "wrong_delimiter"
    assert "commas" in found.text


def test_a_quote_that_is_never_closed_means_a_cut_file() -> None:
    found = refusal("a.csv", (ENGLISH + '2026-11-24,"600000.SH,0.1\n').encode())

    assert (found.code, found.row) == ("truncated", 5)


@pytest.mark.parametrize("cut", ["2026-11-23,600000.SH", "2026-11-23", "20"])
def test_a_short_last_line_means_a_cut_file(cut: str) -> None:
    found = refusal("a.csv", (ENGLISH + cut).encode())

    assert (found.code, found.row) == ("truncated_row", 5)


@pytest.mark.parametrize("line", ["2026-11-23,600000.SH,0,05", "2026-11-23,600000.SH"])
def test_rows_of_another_width_are_refused(line: str) -> None:
    found = refusal("a.csv", (ENGLISH + line + "\n2026-11-23,600036.SH,0.1\n").encode())

    assert (found.code, found.row) == ("ragged_row", 5)


@pytest.mark.parametrize("line", ['2026-11-23,"600"000.SH,0.1', f"2026-11-23,{'6' * 200_000},0.1"])
def test_malformed_rows_are_refused(line: str) -> None:
    assert refusal("a.csv", (ENGLISH + line + "\n").encode()).code == "malformed_row"


@pytest.mark.parametrize(
    ("name", "content"), [("a.csv", b"a,b\n" + b"1,2\n" * 11), ("a.xlsx", xlsx(("a",), *[(1,)] * 11))]
)
def test_too_many_rows_are_refused(name: str, content: bytes) -> None:
    assert refusal(name, content, replace(LIMITS, rows_max=10)).code == "too_many_rows"
    assert len(table(name, content, replace(LIMITS, rows_max=11))) == 12


def test_the_rows_of_a_workbook_as_long_as_allowed_are_all_read() -> None:
    lines = [(TODAY, 600519, number / 10_000) for number in range(5000)]

    assert len(table("a.xlsx", xlsx(("date", "code", "weight"), *lines))) == 5001


@pytest.mark.parametrize(
    "content",
    [
        b"\n" * 2_000_000 + b"x",
        b"," * 2_000_000,
        b"a,b\n" + b'"' * 2_000_000,
        b'a,b\n"' + b"x" * 2_000_000,
        b"a\n" * 1_000_000,
        "，".encode("gb18030") * 1_000_000,
        ("日," * 500_000).encode("gb18030"),
    ],
)
@pytest.mark.timeout(10)
def test_the_worst_texts_of_two_megabytes_are_read_or_refused_in_time(content: bytes) -> None:
    found = read_rows("a.csv", content, LIMITS)

    assert isinstance(found, Refusal) or len(found) <= LIMITS.rows_max + 1


@given(
    content=st.one_of(
        st.binary(), st.text().map(str.encode), st.text("date,\n\"'\t\r;权重0.5", max_size=80).map(str.encode)
    )
)
def test_any_bytes_named_csv_give_rows_or_a_refusal(content: bytes) -> None:
    found = read_rows("a.csv", content, LIMITS)

    if isinstance(found, Refusal):
        assert found.code
        assert found.text.isprintable()
    else:
        assert found
        assert all(isinstance(cell, str) for row in found for cell in row.cells)
