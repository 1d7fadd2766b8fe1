from __future__ import annotations

from datetime import date
from decimal import Decimal as D
from typing import TypedDict, Unpack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.limits import auction_range, ex_rights_reference, opening_cap
from qws.tables import load_rules

RULES = load_rules()
BEFORE, AFTER = date(2026, 7, 5), date(2026, 7, 6)
CENT = D("0.01")


class Flags(TypedDict, total=False):
    st: bool
    listing_day: int
    delist_day: int
    star20: bool
    unreformed: bool
    relisting: bool


def limits(code: str, day: date, prev_close: str, **flags: Unpack[Flags]) -> tuple[str, str] | None:
    record = RULES.instrument(code, day, D(prev_close), **flags)
    if record.limit_up is None or record.limit_down is None:
        assert record.limit_up is record.limit_down
        return None
    return str(record.limit_up), str(record.limit_down)


@pytest.mark.parametrize(
    ("code", "prev_close", "up", "down"),
    [
        ("600000.SH", "10.05", "11.06", "9.05"),
        ("600000.SH", "10.03", "11.03", "9.03"),
        ("600184.SH", "20.58", "22.64", "18.52"),
        ("688022.SH", "7.90", "9.48", "6.32"),
        ("300010.SZ", "10.05", "12.06", "8.04"),
        ("920002.BJ", "84.63", "110.01", "59.25"),
        ("920023.BJ", "1.82", "2.36", "1.28"),
        ("510300.SH", "3.957", "4.353", "3.561"),
        ("508056.SH", "2.345", "2.580", "2.111"),
        ("600000.SH", "0.04", "0.05", "0.03"),
        ("600000.SH", "0.01", "0.02", "0.01"),
        ("123107.SZ", "120.005", "144.006", "96.004"),
        ("900901.SH", "0.505", "0.556", "0.455"),
    ],
)
def test_limits_follow_the_worked_examples(code: str, prev_close: str, up: str, down: str) -> None:
    assert limits(code, AFTER, prev_close) == (up, down)


def test_main_board_st_widened_from_5_to_10_percent_on_2026_07_06() -> None:
    assert limits("000010.SZ", BEFORE, "1.87", st=True) == ("1.96", "1.78")
    assert limits("000010.SZ", AFTER, "1.87", st=True) == ("2.06", "1.68")


@pytest.mark.parametrize("code", ["688022.SH", "300010.SZ", "920023.BJ"])
def test_st_does_not_narrow_the_wide_boards(code: str) -> None:
    assert limits(code, BEFORE, "7.90", st=True) == limits(code, BEFORE, "7.90")


def test_an_unreformed_share_keeps_5_percent_also_as_st() -> None:
    expected = ("10.50", "9.50")

    assert limits("600182.SH", AFTER, "10.00", unreformed=True) == expected
    assert limits("600182.SH", AFTER, "10.00", unreformed=True, st=True) == expected


@pytest.mark.parametrize(
    ("code", "free_days"), [("600000.SH", 5), ("688001.SH", 5), ("300001.SZ", 5), ("920002.BJ", 1), ("689009.SH", 5)]
)
def test_new_shares_trade_without_limits_on_their_first_days(code: str, free_days: int) -> None:
    free = [day for day in range(1, 8) if limits(code, AFTER, "8.00", listing_day=day) is None]

    assert free == list(range(1, free_days + 1))


def test_funds_have_limits_from_their_first_day() -> None:
    assert limits("510300.SH", AFTER, "1.000", listing_day=1) == ("1.100", "0.900")


def test_reits_and_convertible_bonds_have_wider_first_days() -> None:
    assert limits("508056.SH", AFTER, "2.500", listing_day=1) == ("3.250", "1.750")
    assert limits("113050.SH", AFTER, "100.000", listing_day=1) == ("157.300", "56.700")
    assert limits("113050.SH", AFTER, "100.000", listing_day=2) == ("120.000", "80.000")


def test_the_delisting_period_starts_free_and_goes_on_at_the_board_rate() -> None:
    assert limits("600001.SH", BEFORE, "1.23", delist_day=1, st=True) is None
    assert limits("600001.SH", BEFORE, "1.23", delist_day=2, st=True) == ("1.35", "1.11")


def test_the_first_day_back_on_the_market_is_free() -> None:
    assert limits("600001.SH", AFTER, "5.00", relisting=True) is None


def test_a_fund_on_the_wide_list_moves_20_percent() -> None:
    assert limits("588000.SH", AFTER, "1.105", star20=True) == ("1.326", "0.884")
    assert limits("588000.SH", AFTER, "1.105") == ("1.216", "0.995")


def test_rules_before_the_reforms_are_dated_too() -> None:
    assert limits("300750.SZ", date(2020, 8, 21), "100.00") == ("110.00", "90.00")
    assert limits("300750.SZ", date(2020, 8, 24), "100.00") == ("120.00", "80.00")
    assert limits("603000.SH", date(2022, 6, 1), "10.00", listing_day=1) == ("14.40", "6.40")
    assert limits("113050.SH", date(2022, 7, 29), "100.000") is None


@given(
    code=st.sampled_from(["600000.SH", "688001.SH", "300001.SZ", "920002.BJ", "510300.SH", "113050.SH"]),
    day=st.sampled_from([BEFORE, AFTER]),
    steps=st.integers(1, 400_000),
    is_st=st.booleans(),
)
def test_limits_are_on_the_tick_around_the_reference_by_the_same_rate(
    code: str, day: date, steps: int, is_st: bool
) -> None:
    tick = RULES.instrument(code, day, D(1)).tick
    prev_close = steps * tick
    record = RULES.instrument(code, day, prev_close, st=is_st)
    up, down = record.limit_up, record.limit_down
    assert up is not None
    assert down is not None

    assert up % tick == down % tick == 0
    assert up >= prev_close + tick
    assert tick <= down <= max(prev_close - tick, tick)
    if steps > 100:
        assert abs((up - prev_close) - (prev_close - down)) <= tick


@given(steps=st.integers(1, 100_000))
def test_beijing_limits_never_exceed_the_exact_rate_from_four_ticks_on(steps: int) -> None:
    prev_close = steps * CENT
    record = RULES.instrument("920002.BJ", AFTER, prev_close)
    assert record.limit_up is not None
    assert record.limit_down is not None

    if steps >= 4:
        assert record.limit_up <= prev_close * D("1.3")
        assert record.limit_down >= prev_close * D("0.7")


def test_the_range_without_a_limit_is_900_percent_at_the_open_and_10_percent_of_the_last_trade_later() -> None:
    rule = RULES.free_days.at(None, AFTER)
    assert rule is not None

    assert opening_cap(rule, D("8.00"), CENT) == D("72.00")
    assert auction_range(rule, D("10.05"), CENT) == (D("9.05"), D("11.06"))


@pytest.mark.parametrize(
    ("prev_close", "cash", "bonus", "rights_price", "rights", "reference"),
    [
        ("10.00", "0.50", "0", "0", "0", "9.50"),
        ("20.00", "1.00", "0.5", "0", "0", "12.67"),
        ("10.00", "0", "0", "6.00", "0.3", "9.08"),
        ("10.00", "0", "0", "0", "0", "10.00"),
    ],
)
def test_the_ex_rights_reference_follows_the_formula(
    prev_close: str, cash: str, bonus: str, rights_price: str, rights: str, reference: str
) -> None:
    got = ex_rights_reference(
        D(prev_close),
        cash_per_share=D(cash),
        bonus_per_share=D(bonus),
        rights_price=D(rights_price),
        rights_per_share=D(rights),
        tick=CENT,
    )

    assert str(got) == reference
