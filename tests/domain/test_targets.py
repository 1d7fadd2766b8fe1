"""A dropped file's rows become a target or every reason why not (RELIABILITY.md section 3.D)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.target_cells import MEANINGS, NAMES, header_meaning
from qws.domain.targets import Cell, DayTarget, ParsedTarget, Row, Weight, parse_target
from tests.support.target_rows import (
    DAY,
    RULES,
    TODAY,
    TOMORROW,
    Weekdays,
    accepted,
    only_refusal,
    parse,
    refused,
    rows,
)


def test_a_plain_file_becomes_the_target_of_its_day() -> None:
    parsed = accepted((DAY, "600519.SH", "0.4"), (DAY, "000001.SZ", "0.6"))

    wanted = (Weight("000001.SZ", Decimal("0.6")), Weight("600519.SH", Decimal("0.4")))
    assert parsed == ParsedTarget(days=(DayTarget(TODAY, wanted),), dropped=())


def test_columns_may_stand_in_any_order_and_extra_ones_are_ignored() -> None:
    parsed = accepted(("茅台", "0.4", "=HYPERLINK()", DAY, "600519.SH"), header=("name", "权重", None, "日期", "代码"))

    assert parsed == accepted((DAY, "600519.SH", "0.4"))


def test_funds_are_dropped_when_they_are_not_allowed() -> None:
    parsed = accepted((DAY, "600519.SH", "0.5"), (DAY, "510300.SH", "0.5"), rules=replace(RULES, allow_etf=False))

    assert [(dropped.code, dropped.reason) for dropped in parsed.dropped] == [("510300.SH", "etf_disabled")]


def test_a_negative_weight_is_dropped_with_its_value() -> None:
    parsed = accepted((DAY, "600519.SH", "0.5"), (DAY, "000001.SZ", "-5%"))

    (dropped,) = parsed.dropped
    assert (dropped.row, dropped.code, dropped.reason) == (3, "000001.SZ", "negative_weight")
    assert "-5%" in dropped.text


def test_a_bad_weight_refuses_the_file_even_on_a_row_that_is_not_a_share() -> None:
    assert only_refusal((DAY, "600519.SH", "0.5"), (DAY, "AAPL", "nan")).code == "bad_weight"


def test_a_repeated_code_refuses_the_file_and_names_both_rows() -> None:
    refusal = only_refusal((DAY, "000001.SZ", "0.1"), (DAY, "600519.SH", "0.1"), (DAY, 1, "0.1"))

    assert (refusal.code, refusal.row) == ("duplicate_code", 4)
    assert "row 2" in refusal.text
    assert "000001.SZ" in refusal.text


def test_a_negative_row_and_a_positive_row_of_one_code_are_duplicates() -> None:
    assert only_refusal((DAY, "000001.SZ", "-0.1"), (DAY, "sz000001", "0.1")).code == "duplicate_code"


def test_a_code_may_appear_once_on_every_day() -> None:
    parsed = accepted(("2026-11-24", "600519", "0.2"), (DAY, "600519", "0.1"))

    assert [(target.day, target.weights[0].weight) for target in parsed.days] == [
        (TODAY, Decimal("0.1")),
        (TOMORROW, Decimal("0.2")),
    ]


def test_a_sum_over_one_refuses_the_file_and_prints_the_sum() -> None:
    refusal = only_refusal((DAY, "600519.SH", "5"), (DAY, "000001.SZ", 10))

    assert refusal.code == "sum_over_one"
    assert " 15;" in refusal.text
    assert "percents" in refusal.text


@pytest.mark.parametrize(("second", "fits"), [("0.500002", True), ("0.5000021", False)])
def test_the_sum_may_overshoot_by_the_tolerance_of_each_row_that_holds_and_no_more(second: str, *, fits: bool) -> None:
    parsed = parse((DAY, "600519.SH", "0.5"), (DAY, "000001.SZ", second), (DAY, "600000.SH", "0"))

    assert isinstance(parsed, ParsedTarget) is fits


def test_thirds_that_were_rounded_up_at_the_sixth_decimal_are_a_target() -> None:
    codes = ("600519.SH", "000001.SZ", "600000.SH")

    (target,) = accepted(*((DAY, code, "0.333334") for code in codes)).days
    assert sum(weight.weight for weight in target.weights) == Decimal("1.000002")


def test_dropped_rows_do_not_count_towards_the_sum() -> None:
    assert accepted((DAY, "600519.SH", "0.9"), (DAY, "920002.BJ", "0.3")).days[0].weights[0].weight == Decimal("0.9")


def test_a_day_without_trading_refuses_the_file_once() -> None:
    refusal = only_refusal((DAY, "600519", "0.5"), ("2026-11-28", "600519", "0.5"), ("2026-11-28", "000001", "0.5"))

    assert (refusal.code, refusal.row) == ("non_trading_date", 3)


def test_a_day_the_calendar_does_not_know_refuses_the_file_with_the_calendars_remedy() -> None:
    refusal = only_refusal(("2027-01-04", "600519.SH", "0.5"))

    assert refusal.code == "unknown_calendar"
    assert "add the official closures" in refusal.text


def test_a_file_of_past_dates_is_stale() -> None:
    refusal = only_refusal(("2026-11-19", "600519.SH", "0.5"), ("2026-11-20", "600519.SH", "0.5"))

    assert refusal.code == "stale_date"
    assert "2026-11-20" in refusal.text


def test_past_rows_are_set_aside_with_one_entry_per_date() -> None:
    parsed = accepted(("2026-11-20", "600519", "abc"), ("2026-11-20", "1", "0.5"), (DAY, "600519", "0.5"))

    (dropped,) = parsed.dropped
    assert (dropped.row, dropped.code, dropped.reason) == (2, "", "past_date")
    assert dropped.text == "rows of 2026-11-20 are past and set aside: 2"
    assert [target.day for target in parsed.days] == [TODAY]


def test_a_target_of_zeros_is_refused_unless_it_is_allowed() -> None:
    zeros, past = [(DAY, "600519.SH", "0"), (DAY, "000001.SZ", "0")], ("2026-11-20", "600519.SH", "0.5")
    for lines in (zeros, [*zeros, past]):
        assert only_refusal(*lines).code == "empty_target"
        assert accepted(*lines, rules=replace(RULES, allow_empty=True)).days[0].day == TODAY


@pytest.mark.parametrize("line", [(DAY, "920002.BJ", "0.5"), (DAY, "600519.SH", "-1"), (DAY, "AAPL", "0")])
def test_rows_that_were_left_out_never_sell_everything(line: tuple[Cell, ...]) -> None:
    for lines in ([line], [(DAY, "600519.SZ", "0"), line]):
        for allowed in (False, True):
            assert refused(*lines, rules=replace(RULES, allow_empty=allowed))[0].code == "empty_target"


LEFT_OUT: tuple[tuple[Cell, str], ...] = (
    ("600519.SZ", "600519.SH"),
    ("贵州茅台", "600519.SH"),
    ("6005190", "600519.SH"),
    ("430047.BJ", "A shares"),
)


def test_where_every_row_was_left_out_each_is_told_with_its_remedy_and_nobody_is_led_to_sell_everything() -> None:
    first, *told = refused(*((DAY, code, "0.1") for code, _ in LEFT_OUT))

    assert (first.code, DAY in first.text, "left out" in first.text) == ("empty_target", True, True)
    assert [refusal.row for refusal in told] == [2, 3, 4, 5]
    assert [refusal.code for refusal in told] == ["unknown_code"] * 3 + ["not_a_share"]
    for refusal, (code, remedy) in zip(told, LEFT_OUT, strict=True):
        assert f"row {refusal.row}: " in refusal.text
        assert str(code) in refusal.text
        assert remedy in refusal.text
    assert [refusal for refusal in (first, *told) if "allow_empty" in refusal.text] == []


def test_only_a_day_of_explicit_zeros_is_told_how_to_sell_everything() -> None:
    zero = (DAY, "600519.SH", "0")

    assert "allow_empty" in only_refusal(zero, (DAY, "000001.SZ", "0%")).text
    assert "allow_empty" in only_refusal(zero, ("2026-11-20", "000001.SZ", "0.5")).text
    for other in [(DAY, "000001.SZ", "-1"), (DAY, "AAPL", "0")]:
        found = refused(zero, other)
        assert [refusal.row for refusal in found] == [None, 3]
        assert [refusal for refusal in found if "allow_empty" in refusal.text] == []


def test_a_fund_that_was_left_out_names_the_setting_that_takes_it() -> None:
    fund = refused((DAY, "510300.SH", "0.5"), rules=replace(RULES, allow_etf=False))[1]

    assert (fund.code, fund.row, "intake.allow_etf" in fund.text) == ("etf_disabled", 2, True)


def test_rows_of_another_day_are_not_the_reason_of_an_empty_one_and_past_days_are_told_once() -> None:
    lines = [(DAY, "600519.SH", "0.5"), (DAY, "AAPL", "0.5"), ("2026-11-24", "600519.SH", "0")]
    past = [("2026-11-20", "600519.SH", "0.5"), (DAY, "920002.BJ", "0"), ("2026-11-24", "430047.BJ", "0")]

    assert "allow_empty" in only_refusal(*lines).text
    assert [refusal.code for refusal in refused(*past)] == [
        "empty_target",
        "not_a_share",
        "past_date",
        "empty_target",
        "not_a_share",
    ]


def test_of_many_rows_that_were_left_out_as_many_are_told_as_of_other_faults() -> None:
    many, other = (refused(*[(DAY, code, weight)] * 100) for code, weight in [("AAPL", "0.1"), ("600519", "x")])

    assert (many[0].code, len(many)) == ("empty_target", len(other))


def test_a_missing_column_is_named_with_what_was_found() -> None:
    refusal = only_refusal((DAY, "600519"), header=("date", "code"))

    assert refusal.code == "missing_column"
    assert "weight" in refusal.text
    assert "date, code" in refusal.text
    assert "权重" in refusal.text


def test_every_name_that_is_offered_for_a_column_is_read() -> None:
    assert set(NAMES) == set(MEANINGS)
    for meaning, names in NAMES.items():
        assert {header_meaning(name) for name in names.removeprefix("or ").split(", ")} == {meaning}


def test_a_row_with_two_faults_tells_both() -> None:
    found = refused(("soon", "600519", "half"), (DAY, "000001", "0.1"))

    assert [(refusal.code, refusal.row) for refusal in found] == [("bad_date", 2), ("bad_weight", 2)]


def test_two_columns_of_one_meaning_are_refused_by_name() -> None:
    refusal = only_refusal((DAY, "1", "1", "0.5"), header=("date", "code", "证券代码", "weight"))

    assert refusal.code == "ambiguous_column"
    assert "证券代码" in refusal.text


def test_a_file_without_a_header_is_told_to_write_one() -> None:
    refusal = only_refusal((DAY, "600519", "0.5"), header=(DAY, "000001", "0.5"))

    assert refusal.code == "missing_header"
    assert "date,stock_code,weight" in refusal.text


@pytest.mark.parametrize("table", [[], [Row(1, (None, "", " "))], rows()])
def test_a_file_without_rows_is_refused(table: list[Row]) -> None:
    found = parse_target(table, today=TODAY, calendar=Weekdays(), rules=RULES)

    assert isinstance(found, tuple)
    assert [refusal.code for refusal in found] == ["empty_file"]


def test_too_many_rows_are_refused_before_any_is_read() -> None:
    lines = [(DAY, "abc", "abc")] * 4

    assert [refusal.code for refusal in refused(*lines, rules=replace(RULES, rows_max=3))] == ["too_many_rows"]


def test_all_problems_are_reported_up_to_a_bound() -> None:
    found = refused(("x", "600519", "0.5"), (DAY, "600519", "y"), (DAY, "=1", "0.5"), ("2026-11-22", "1", "2"))
    many = refused(*[(DAY, "600519", "x")] * 100)

    assert [refusal.code for refusal in found] == [
        "bad_date",
        "bad_weight",
        "formula_cell",
        "non_trading_date",
    ]
    assert len(many) == 20


def test_short_rows_and_blank_rows_are_no_accident() -> None:
    parsed = accepted((None, "", None), (DAY, "600519", "0.5"), ())
    (refusal,) = refused((DAY, "600519"))

    assert len(parsed.days[0].weights) == 1
    assert refusal.code == "bad_weight"
