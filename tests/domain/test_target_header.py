"""Lines above the header row say what the file as a whole is; what cannot be read there is never passed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.targets import Cell, DayTarget, Mode, ParsedTarget, Refusal, Row, parse_target, unless_expired
from qws.gateways.files import read_rows
from tests.support.file_bytes import LIMITS, xlsx
from tests.support.target_rows import RULES, TODAY, Weekdays

SHANGHAI = ZoneInfo("Asia/Shanghai")
TABLE = "date,stock_code,weight\n2026-11-23,600519.SH,0.2\n"


def at(clock: str, day: date = TODAY) -> datetime:
    return datetime.fromisoformat(f"{day} {clock}").replace(tzinfo=SHANGHAI)


def read(text: str, default: Mode = Mode.FULL) -> ParsedTarget | tuple[Refusal, ...]:
    found = read_rows("w.csv", text.encode(), LIMITS)
    assert isinstance(found, list), found
    return parse_target(found, today=TODAY, calendar=Weekdays(), rules=replace(RULES, mode=default))


def target(text: str, default: Mode = Mode.FULL) -> DayTarget:
    parsed = read(text, default)
    assert isinstance(parsed, ParsedTarget), parsed
    return parsed.days[0]


def refusal(text: str) -> Refusal:
    (found,) = read(text)  # type: ignore[misc]
    assert isinstance(found, Refusal)
    return found


@pytest.mark.parametrize(
    ("line", "mode"),
    [
        ("# mode: subset", Mode.SUBSET),
        ("#mode:delta", Mode.DELTA),
        ("#  MODE = Full ", Mode.FULL),
        ("# 模式: 部分", Mode.SUBSET),
        ("＃ 模式：增量", Mode.DELTA),
        ("# 模式：全量", Mode.FULL),
        ("# mode: subset,,", Mode.SUBSET),
        ('"# mode: subset",,', Mode.SUBSET),
        ("\ufeff# mode: subset", Mode.SUBSET),
        ("\n# mode: subset\n", Mode.SUBSET),
    ],
)
def test_a_line_above_the_header_names_the_mode_in_either_language(line: str, mode: Mode) -> None:
    assert target(f"{line}\n{TABLE}", Mode.FULL if mode is not Mode.FULL else Mode.SUBSET).mode is mode


def test_a_file_that_does_not_say_its_mode_has_that_of_the_settings() -> None:
    assert target(TABLE).mode is Mode.FULL
    assert target("# weights of the model, made on Sunday\n" + TABLE, Mode.SUBSET).mode is Mode.SUBSET
    assert target("# fully invested, a modern mix by deltas Ltd\n" + TABLE, Mode.SUBSET).mode is Mode.SUBSET


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-11-23 10:30", at("10:30:00")),
        ("20261123 9:05", at("09:05:00")),
        ("2026/11/24T14:00:30", at("14:00:30", date(2026, 11, 24))),
        ("2026年11月23日 10:30", at("10:30:00")),
        ("2026-11-23", at("23:59:59")),
    ],
)
def test_an_expiry_is_a_moment_or_the_end_of_a_day(written: str, moment: datetime) -> None:
    assert target(f"# expires: {written}\n{TABLE}").expires_at == moment
    assert target(f"# 有效期至：{written}\n{TABLE}").expires_at == moment


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("# mode: sub set", "'sub set'"),
        ("# mode:", "''"),
        ("# mood: subset", "'mood'"),
        ("# mode subset", "'mode subset'"),
        ("# 模式 部分", "'模式 部分'"),
        ("# delta", "'delta'"),
        ("# type,Delta", "'type,Delta'"),
        ("# 增量", "'增量'"),
        ("# 增量调仓", "'增量调仓'"),
        ("# this file is a subset", "'this file is a subset'"),
        ("# expire 2026-11-20", "'expire 2026-11-20'"),
        ("# 有效期 2026-11-20", "'有效期 2026-11-20'"),
        ("# expires: soon", "'soon'"),
        ("# expires: 2026-11-23 25:00", "'2026-11-23 25:00'"),
        ("# expires: 2026-11-23 10:30 New York", "'2026-11-23 10:30 New York'"),
        ("# expires: 2026-02-30", "'2026-02-30'"),
        ("# mode: subset\n# 模式: 部分", "'模式'"),
    ],
)
def test_what_such_a_line_says_and_cannot_be_read_refuses_the_file_with_row_value_and_remedy(
    line: str, shown: str
) -> None:
    found = refusal(f"{line}\n{TABLE}")

    assert (found.code, found.row) == ("bad_header_line", 1 + line.count("\n"))
    assert shown in found.text
    assert found.text.startswith(f"row {found.row}: ")
    assert ";" in found.text


@pytest.mark.parametrize("value", ["subset", "部分"])
def test_a_chinese_key_is_read_in_gbk_where_its_bytes_make_sense_in_utf_8_too(value: str) -> None:
    content = f"# 模式: {value}\n{TABLE}".encode("gbk")
    found = read_rows("w.csv", content, LIMITS)

    assert isinstance(found, list), found
    parsed = parse_target(found, today=TODAY, calendar=Weekdays(), rules=RULES)
    assert isinstance(parsed, ParsedTarget), parsed
    assert parsed.days[0].mode is Mode.SUBSET
    silent = read_rows("w.csv", content.replace(b":", b""), LIMITS)
    assert isinstance(silent, list)
    refused = parse_target(silent, today=TODAY, calendar=Weekdays(), rules=RULES)
    assert [each.code for each in refused if isinstance(each, Refusal)] == ["bad_header_line"]  # type: ignore[union-attr]


def test_a_mode_below_the_header_or_without_its_mark_is_not_passed_over() -> None:
    lower = read_rows("w.csv", (TABLE + "# mode: subset\n").encode(), LIMITS)

    assert isinstance(lower, Refusal)
    bare = read_rows("w.csv", ("mode: subset\n" + TABLE).encode(), LIMITS)
    assert isinstance(bare, Refusal)


def test_rows_keep_the_numbers_that_an_editor_shows() -> None:
    found = refusal("# mode: subset\n\n# a comment\ndate,stock_code,weight\n2026-11-23,600519.SH,much\n")

    assert (found.code, found.row) == ("bad_weight", 5)


def test_twenty_lines_are_read_and_more_are_refused() -> None:
    assert target("# note\n" * 20 + TABLE).mode is Mode.FULL
    assert refusal("# note\n" * 21 + TABLE).code == "bad_header_line"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("# mode: subset", None), ("# expires: 2026-11-23 10:30", None)),
        (("# mode:", "subset"), ("# 有效期至:", datetime(2026, 11, 23, 10, 30))),  # noqa: DTZ001 - as Excel has it
    ],
)
def test_a_workbook_says_the_same_in_its_first_rows(first: tuple[Cell, Cell], second: tuple[Cell, Cell]) -> None:
    rows: list[tuple[Cell, ...]] = [
        (*first, None),
        (*second, None),
        ("date", "stock_code", "weight"),
        ("2026-11-23", "600519.SH", 0.2),
    ]
    found = read_rows("w.xlsx", xlsx(*rows), LIMITS)

    assert isinstance(found, list), found
    parsed = parse_target(found, today=TODAY, calendar=Weekdays(), rules=RULES)
    assert isinstance(parsed, ParsedTarget), parsed
    assert (parsed.days[0].mode, parsed.days[0].expires_at) == (Mode.SUBSET, at("10:30:00"))


def test_the_day_in_a_cell_of_a_workbook_is_its_end() -> None:
    rows: list[tuple[Cell, ...]] = [
        ("# expires:", datetime(2026, 11, 23), None),  # noqa: DTZ001 - as Excel has it
        ("date", "stock_code", "weight"),
        ("2026-11-23", "1", 0.2),
    ]
    found = read_rows("w.xlsx", xlsx(*rows), LIMITS)

    assert isinstance(found, list), found
    parsed = parse_target(found, today=TODAY, calendar=Weekdays(), rules=RULES)
    assert isinstance(parsed, ParsedTarget), parsed
    assert parsed.days[0].expires_at == at("23:59:59")


def test_an_expired_file_is_refused_and_one_that_ends_before_its_day_too() -> None:
    parsed = read("# expires: 2026-11-23 10:30\n" + TABLE)

    assert unless_expired(parsed, at("10:29:59")) == parsed
    (late,) = unless_expired(parsed, at("10:30:00"))  # type: ignore[misc]
    assert isinstance(late, Refusal)
    assert (late.code, "2026-11-23 10:30" in late.text) == ("expired_target", True)
    early = refusal("# expires: 2026-11-23 10:30\n" + TABLE.replace("2026-11-23", "2026-11-24"))
    assert (early.code, "2026-11-24" in early.text) == ("bad_header_line", True)


def test_a_subset_may_sell_only_and_its_sum_is_bounded() -> None:
    assert target("# mode: subset\n" + TABLE.replace("0.2", "0")).weights[0].weight == 0
    assert refusal("# mode: subset\n" + TABLE.replace("0.2", "1.2")).code == "sum_over_one"


def test_changes_may_be_negative_and_each_is_a_fraction_of_the_account() -> None:
    found = target("# mode: delta\n" + TABLE + "2026-11-23,000001.SZ,-5%\n2026-11-23,600036.SH,0.9\n")

    assert [each.weight for each in found.weights] == [Decimal("-0.05"), Decimal("0.9"), Decimal("0.2")]
    for change in ("1.5", "-20"):
        over = refusal("# mode: delta\n" + TABLE.replace("0.2", change))
        assert (over.code, over.row, change in over.text) == ("change_over_one", 3, True)


LINES = st.lists(
    st.one_of(
        st.text(max_size=90).map(lambda text: f"#{text}"),
        st.sampled_from(["# mode: subset", "# 模式：增量", "# expires: 2026-11-23", "#", "# note"]),
    ),
    max_size=4,
)


@given(LINES)
def test_whatever_the_lines_say_the_answer_is_a_target_or_refusals_of_their_rows(lines: list[str]) -> None:
    rows = [Row(number, (line,)) for number, line in enumerate((*lines, "date"), 1)]
    rows[-1] = Row(len(rows), ("date", "stock_code", "weight"))
    rows.append(Row(len(rows) + 1, ("2026-11-23", "600519.SH", 0.2)))
    parsed = parse_target(rows, today=TODAY, calendar=Weekdays(), rules=RULES)

    if isinstance(parsed, ParsedTarget):
        said = [line for line in lines if ":" in line or "：" in line or "=" in line or "＝" in line]
        assert len(said) <= 2  # a mode and an expiry
    else:
        assert all(each.code and each.text.isprintable() for each in parsed)
