from __future__ import annotations

from datetime import date
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.fees import NO_FEES, FeePlan
from qws.domain.market import Side
from qws.tables import load_rules

FEES = load_rules().fees
DAY = date(2026, 9, 1)
ALL_IN = FeePlan(D("0.00025"), D(5), True)
NET = FeePlan(D("0.0002"), D(5), False)
amounts = st.integers(1, 10_000_000).map(lambda cents: D(cents) / 100)
plans = st.builds(
    FeePlan,
    commission_rate=st.sampled_from([D(0), D("0.0001"), D("0.00025"), D("0.003")]),
    commission_min=st.sampled_from([D(0), D("0.1"), D(5)]),
    commission_includes_exchange_fees=st.booleans(),
)
codes = st.sampled_from(["600519.SH", "300750.SZ", "688981.SH", "920002.BJ", "510300.SH", "113050.SH"])


@pytest.mark.parametrize(
    ("side", "code", "amount", "day", "plan", "commission", "stamp", "transfer", "total"),
    [
        ("sell", "600519.SH", "12340.00", DAY, ALL_IN, "5.00", "6.17", "0.12", "11.29"),
        ("buy", "600519.SH", "12340.00", DAY, ALL_IN, "5.00", "0.00", "0.12", "5.12"),
        ("sell", "000001.SZ", "114000.00", DAY, ALL_IN, "28.50", "57.00", "1.14", "86.64"),
        ("buy", "000001.SZ", "114000.00", DAY, ALL_IN, "28.50", "0.00", "1.14", "29.64"),
        ("sell", "688981.SH", "31818.15", DAY, ALL_IN, "7.95", "15.91", "0.32", "24.18"),
        ("buy", "600519.SH", "800.00", DAY, ALL_IN, "5.00", "0.00", "0.01", "5.01"),
        ("sell", "510300.SH", "39570.00", DAY, FeePlan(D("0.00005"), D(0), True), "1.98", "0.00", "0.00", "1.98"),
        ("sell", "300750.SZ", "50000.00", date(2023, 8, 25), ALL_IN, "12.50", "50.00", "0.50", "63.00"),
        ("sell", "300750.SZ", "50000.00", date(2023, 8, 28), ALL_IN, "12.50", "25.00", "0.50", "38.00"),
        ("sell", "600519.SH", "12340.00", DAY, NET, "5.00", "6.17", "0.12", "11.96"),
    ],
)
def test_fees_follow_the_worked_examples(
    side: str,
    code: str,
    amount: str,
    day: date,
    plan: FeePlan,
    commission: str,
    stamp: str,
    transfer: str,
    total: str,
) -> None:
    line = FEES.fees_of(code, Side(side), day, D(amount), plan)

    shown = (str(line.commission), str(line.stamp_duty), str(line.transfer_fee), str(line.total))
    assert shown == (commission, stamp, transfer, total)


@given(code=codes, side=st.sampled_from(Side), plan=plans, fills=st.lists(amounts, min_size=1, max_size=8))
def test_the_fees_of_the_fills_add_up_to_the_fees_of_the_order(
    code: str, side: Side, plan: FeePlan, fills: list[D]
) -> None:
    charged, traded = NO_FEES, D(0)
    for fill in fills:
        line = FEES.fees_of_fill(code, side, DAY, traded_before=traded, fill=fill, plan=plan)
        assert min(line.commission, line.stamp_duty, line.transfer_fee, line.handling, line.regulatory) >= 0
        charged, traded = charged + line, traded + fill

    assert charged == FEES.fees_of(code, side, DAY, sum(fills, D(0)), plan)


@given(code=codes, side=st.sampled_from(Side), plan=plans, amount=amounts, more=amounts)
def test_fees_are_whole_cents_and_never_fall_with_the_amount(
    code: str, side: Side, plan: FeePlan, amount: D, more: D
) -> None:
    fewer, greater = (FEES.fees_of(code, side, DAY, traded, plan).total for traded in (amount, amount + more))

    assert fewer % D("0.01") == 0
    assert plan.commission_min <= fewer <= greater


def test_an_order_that_traded_nothing_costs_nothing() -> None:
    assert FEES.fees_of("600519.SH", Side.BUY, DAY, D(0), ALL_IN).total == 0


def test_only_sales_of_shares_pay_stamp_duty() -> None:
    paying = {
        (code, side)
        for code in ("600519.SH", "689009.SH", "920002.BJ", "510300.SH", "508056.SH", "113050.SH")
        for side in Side
        if FEES.fees_of(code, side, DAY, D(100_000), ALL_IN).stamp_duty
    }

    assert paying == {(code, Side.SELL) for code in ("600519.SH", "689009.SH", "920002.BJ")}


def test_bond_and_money_etfs_are_exempt_from_the_handling_fee() -> None:
    charged = [FEES.fees_of(code, Side.BUY, DAY, D(100_000), NET).handling for code in ("510300.SH", "511880.SH")]

    assert charged == [D("4.00"), D("0.00")]


@pytest.mark.parametrize(("rate", "least"), [("0.0031", "5"), ("-0.0001", "5"), ("0.0002", "-1")])
def test_terms_that_no_account_has_are_refused(rate: str, least: str) -> None:
    with pytest.raises(ValueError, match="commission_"):
        FeePlan(D(rate), D(least), True)


def test_unknown_codes_and_negative_amounts_have_no_fees() -> None:
    with pytest.raises(ValueError, match="not a known code"):
        FEES.fees_of("999999.SH", Side.BUY, DAY, D(1), ALL_IN)
    with pytest.raises(ValueError, match="negative"):
        FEES.fees_of("600519.SH", Side.BUY, DAY, D(-1), ALL_IN)
