"""Every way of writing a header, a code, a weight or a day, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from qws.domain.targets import Cell, ParsedTarget, Weight, parse_target
from tests.support.target_rows import DAY, RULES, TODAY, Weekdays, accepted, only_refusal, refused, rows


@pytest.mark.parametrize(
    "header",
    [
        ("Date", "Stock Code", "WEIGHT"),
        ("\ufeffdate", "symbol", "target_weight"),
        ("trade_date", "code", "Target Weight"),
        ("日期", "证券代码", "权重"),
        ("交易日", "股票代码", "目标权重"),
        (" 日期 ", "代码", "仓位\u3000"),
        ("ＤＡＴＥ", "ｓｔｏｃｋ＿ｃｏｄｅ", "ｗｅｉｇｈｔ"),
    ],
)
def test_headers_are_recognised_in_both_languages_however_they_are_typed(header: tuple[Cell, ...]) -> None:
    parsed = accepted((DAY, "600519.SH", "0.4"), header=header)

    assert parsed == accepted((DAY, "600519.SH", "0.4"))


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("600519.SH", "600519.SH"),
        ("600519.sh", "600519.SH"),
        ("SH600519", "600519.SH"),
        ("sh.600519", "600519.SH"),
        ("600519.XSHG", "600519.SH"),
        ("000001.xshe", "000001.SZ"),
        ("600519.SS", "600519.SH"),
        ("６００５１９．ＳＨ", "600519.SH"),
        (" 600519.SH\u00a0", "600519.SH"),
        ("600519", "600519.SH"),
        (600519, "600519.SH"),
        (600519.0, "600519.SH"),
        ("300750", "300750.SZ"),
        ("000001", "000001.SZ"),
        (1, "000001.SZ"),
        ("1", "000001.SZ"),
        (2594.0, "002594.SZ"),
        ("2594", "002594.SZ"),
        ("689009.SH", "689009.SH"),
        ("510300", "510300.SH"),
        ("159915.SZ", "159915.SZ"),
    ],
)
def test_every_way_of_writing_a_code_ends_in_the_canonical_one(written: Cell, code: str) -> None:
    parsed = accepted((DAY, written, "0.5"))

    assert [weight.code for weight in parsed.days[0].weights] == [code]


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("920002.BJ", "not_a_share"),
        ("000300.SH", "not_a_share"),
        ("SH000001", "not_a_share"),
        ("113050.SH", "not_a_share"),
        ("900901.SH", "not_a_share"),
        ("508000.SH", "not_a_share"),
        (920002, "not_a_share"),
        ("AAPL", "unknown_code"),
        ("00700", "unknown_code"),
        ("00700.HK", "unknown_code"),
        ("600519.SZ", "unknown_code"),
        ("SH600519.SH", "unknown_code"),
        ("６００５１九", "unknown_code"),
        ("", "unknown_code"),
        (None, "unknown_code"),
        (True, "unknown_code"),
        (0, "unknown_code"),
        (600519.5, "unknown_code"),
        (float("nan"), "unknown_code"),
        (TODAY, "unknown_code"),
    ],
)
def test_what_is_not_an_a_share_is_dropped_with_its_reason_and_the_file_goes_on(written: Cell, reason: str) -> None:
    parsed = accepted((DAY, "600519.SH", "0.5"), (DAY, written, "0.5"))

    assert [(dropped.row, dropped.reason) for dropped in parsed.dropped] == [(3, reason)]
    assert parsed.dropped[0].text.startswith("row 3: ")
    assert [weight.code for weight in parsed.days[0].weights] == ["600519.SH"]


@pytest.mark.parametrize(
    ("written", "weight"),
    [
        ("0.05", "0.05"),
        (".05", "0.05"),
        ("5%", "0.05"),
        ("5 %", "0.05"),
        ("５％", "0.05"),
        ("５％\u3000", "0.05"),
        ("5e-2", "0.05"),
        ("5E-02", "0.05"),
        (0.05, "0.05"),
        (1, "1"),
        (1e-05, "0.00001"),
        (0.30000000000000004, "0.30000000000000004"),
        ("0.333333333333333333333333333333", "0.333333333333333333333333333333"),
        ("33.33333333333333333333333333333%", "0.3333333333333333333333333333333"),
    ],
)
def test_weights_are_read_exactly(written: Cell, weight: str) -> None:
    parsed = accepted((DAY, "600519.SH", written))

    assert parsed.days[0].weights == (Weight("600519.SH", Decimal(weight)),)


@pytest.mark.parametrize("written", ["0", 0, "0%", "-0.0", -0.0])
def test_zero_is_an_explicit_sale(written: Cell) -> None:
    parsed = accepted((DAY, "600519.SH", written), (DAY, "000001.SZ", "0.5"))

    assert Weight("600519.SH", Decimal(0)) in parsed.days[0].weights
    assert not parsed.days[0].weights[1].weight.is_signed()


@pytest.mark.parametrize(
    "written",
    [
        "abc",
        "nan",
        "inf",
        "1e400",
        "0x1",
        "0,05",
        "",
        None,
        " ",
        "0.",
        "1_0",
        "٠.٥",
        "½",
        "①",
        "5%%",
        "+",
        "--1",
        "=A1",
        float("nan"),
        float("inf"),
        True,
        10**20,
        1e300,
        TODAY,
        "5e-2%",
        "0.05元",
        "+0.05",
    ],
)
def test_an_unreadable_weight_refuses_the_file(written: Cell) -> None:
    refusal = only_refusal((DAY, "600519.SH", "0.5"), (DAY, "000001.SZ", written))

    assert (refusal.code, refusal.row) == ("bad_weight", 3)
    assert refusal.text.startswith("row 3: weight ")


@pytest.mark.parametrize(("written", "remedy"), [("0,05", "point"), (None, "formula"), ("=B2", "value"), ("abc", "5%")])
def test_the_text_of_a_bad_weight_names_the_remedy(written: Cell, remedy: str) -> None:
    assert remedy in only_refusal((DAY, "600519.SH", written)).text


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-23",
        "2026/11/23",
        "2026.11.23",
        "20261123",
        20261123,
        20261123.0,
        "2026-11-23 00:00:00",
        "2026/11/23 0:00",
        "2026-11-23T00:00:00.000",
        "2026年11月23日",
        "２０２６－１１－２３",
        TODAY,
        datetime(2026, 11, 23),  # noqa: DTZ001 - a spreadsheet's cell has no zone
        46349,
        46349.0,
    ],
)
def test_every_way_of_writing_a_day_means_the_same_day(written: Cell) -> None:
    assert accepted((written, "600519.SH", "0.5")) == accepted((DAY, "600519.SH", "0.5"))


def test_a_single_digit_month_and_day_are_read() -> None:
    parsed = parse_target(
        rows(("2026/1/5", "600519", "1"), ("2026年1月6日", "600519", "1")),
        today=date(2026, 1, 5),
        calendar=Weekdays(),
        rules=RULES,
    )

    assert isinstance(parsed, ParsedTarget)
    assert [target.day for target in parsed.days] == [date(2026, 1, 5), date(2026, 1, 6)]


@pytest.mark.parametrize(
    "written",
    [
        "23/11/2026",
        "11-23-2026",
        "26-11-23",
        "261123",
        "2026-11",
        "2026-13-01",
        "2026-02-30",
        "2026-11/23",
        "",
        None,
        "today",
        "46349",
        "2026-11-23 09:30:00",
        46349.5,
        5,
        True,
        10**20,
        float("inf"),
        "9999-01-01",
        "1026-11-23",
        datetime(2026, 11, 23, 9, 30),  # noqa: DTZ001 - see above
        datetime(2026, 11, 23, tzinfo=UTC),
    ],
)
def test_an_uncertain_date_refuses_the_file(written: Cell) -> None:
    refusal = only_refusal((DAY, "600519.SH", "0.5"), (written, "000001.SZ", "0.5"))

    assert (refusal.code, refusal.row) == ("bad_date", 3)


@pytest.mark.parametrize("text", ["=1+1", "+1", "@SUM(A1)", "\t600519", "\r600519", "-cmd", " =A1", "＝A1"])
@pytest.mark.parametrize("column", [0, 1])
def test_a_formula_in_the_date_or_code_column_refuses_the_file(text: str, column: int) -> None:
    cells: list[Cell] = [DAY, "600519.SH", "0.5"]
    cells[column] = text

    assert only_refusal(tuple(cells)).code == "formula_cell"


@pytest.mark.parametrize(
    "text", ["6005\x0719", "6" * 65, "600519\u202e", "6005\ufffd19", "60\n0519", "\ud800", "\ue000"]
)
@pytest.mark.parametrize("column", [0, 1, 2])
def test_unprintable_or_overlong_cells_refuse_the_file(text: str, column: int) -> None:
    cells: list[Cell] = [DAY, "600519.SH", "0.5"]
    cells[column] = text
    refusal = only_refusal(tuple(cells))

    assert (refusal.code, refusal.row) == ("bad_cell", 2)
    assert refusal.text.isprintable()


@pytest.mark.parametrize(("column", "code"), [(0, "bad_date"), (1, "empty_target"), (2, "bad_weight")])
def test_a_number_too_long_to_print_is_no_accident(column: int, code: str) -> None:
    cells: list[Cell] = [DAY, "600519.SH", "0.5"]
    cells[column] = 10**5000

    assert refused(tuple(cells))[0].code == code


def test_a_header_of_strange_cells_is_refused_and_shown_safely() -> None:
    found = refused((DAY, "600519", "0.5"), header=(10**5000, "a\tb", TODAY, True, "code" * 1000))

    assert [refusal.code for refusal in found] == ["missing_header"]
    for header in [(10**5000, "a\tb", True, "code" * 1000), ("date", "code" * 20, "a\u202eb")]:
        texts = [refusal.text for refusal in refused((DAY, "600519", "0.5"), header=header)]
        assert texts
        assert all(text.isprintable() and len(text) < 160 for text in texts)
