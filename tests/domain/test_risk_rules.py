"""Every pre-trade rule with a plan that it lets pass and one that it does not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.config_risk import RiskSection
from qws.domain.lots import is_legal_buy, is_legal_sell
from qws.domain.market import Level, Side
from qws.domain.plan import Plan
from qws.domain.risk.catalogue import HOLDABLE, KINDS, LOSSES
from qws.domain.risk.judge import Verdict, judge
from qws.domain.risk.rule import Effect, Facts
from tests.support.builders import a_plan, a_quote, a_row, an_instrument, an_order

A, B, C = "600000.SH", "600004.SH", "600006.SH"
NOTHING = Facts({}, {}, (), 0, Decimal(0), Decimal(0), reduces_only=False)
ALL_OFF = {
    "turnover_max": 0, "orders_max": 0, "day_orders_max": 0, "last_distance_max": 0, "close_distance_max": 0,
}  # fmt: skip


def verdict(plan: Plan, facts: Facts = NOTHING, **risk: object) -> Verdict:
    """What a configuration with nothing but these limits says."""
    section = RiskSection.model_validate({**ALL_OFF, **risk})
    return judge(plan, facts, section.rules(), section.hold, {})


def weighted(weights: Mapping[str, str]) -> Plan:
    plan = a_plan(buys=dict.fromkeys(weights, 100), cash="1000000")
    return replace(plan, rows=tuple(replace(row, weight=Decimal(weights[row.code])) for row in plan.rows))


def refused(found: Verdict) -> str:
    return found.refused.rule if found.refused is not None else ""


def traded(found: Verdict) -> dict[str, tuple[int, str]]:
    return {row.code: (row.shares, row.reason) for row in found.plan.rows}


BUY = a_plan(buys={A: 1000}, cash="1000000")  # 10,000 CNY of 1,000,000
THREE = {A: "0.3", B: "0.2", C: "0.1"}


@pytest.mark.parametrize(
    ("rule", "plan", "accepting", "refusing"),
    [
        ("sum_over_one", weighted(THREE), {"weight_sum_max": "0.6"}, {"weight_sum_max": "0.59"}),
        ("single_name", weighted(THREE), {"weight_max": "0.3"}, {"weight_max": "0.29"}),
        ("concentration", weighted(THREE), {"top5_max": "0.6"}, {"top5_max": "0.5"}),
        ("too_many_names", weighted(THREE), {"names_max": 3}, {"names_max": 2}),
        ("too_few_names", weighted(THREE), {"names_min": 3}, {"names_min": 4}),
        ("turnover", BUY, {"turnover_max": "0.01"}, {"turnover_max": "0.0099"}),
        ("order_count", a_plan(buys={A: 100, B: 100}), {"orders_max": 2}, {"orders_max": 1}),
        ("order_value", BUY, {"order_value_max": 10_000}, {"order_value_max": 9_999}),
        ("order_size", BUY, {"order_shares_max": 1000}, {"order_shares_max": 999}),
        ("cash_reserve", BUY, {"cash_min": "0.98"}, {"cash_min": "0.99"}),
        ("day_orders", BUY, {"day_orders_max": 1}, None),
    ],
)
def test_a_plan_at_the_limit_passes_and_one_beyond_is_refused_or_held(
    rule: str, plan: Plan, accepting: dict[str, object], refusing: dict[str, object] | None
) -> None:
    assert verdict(plan, **accepting) == Verdict(plan, None, False, ())

    busy = replace(NOTHING, sent_today=0 if refusing else 1)
    found = verdict(plan, busy, **(refusing or accepting))
    assert refused(found) == rule
    assert found.refused is not None
    assert found.refused.text
    if rule in HOLDABLE:
        held = verdict(plan, busy, **(refusing or accepting), hold=[rule])
        assert (refused(held), [each.rule for each in held.held]) == ("", [rule])


@pytest.mark.parametrize("plan", [replace(BUY, total_asset=Decimal(0)), replace(BUY, cash=Decimal("-0.01"))])
def test_an_account_that_is_worth_nothing_is_always_refused(plan: Plan) -> None:
    assert refused(verdict(plan)) == "account_insane"


def test_a_plan_of_sells_needs_no_cash_reserve_and_no_orders_no_count() -> None:
    assert refused(verdict(a_plan(sells={A: 100}), cash_min="0.9")) == ""
    assert refused(verdict(a_plan(), replace(NOTHING, sent_today=9), day_orders_max=1)) == ""


BOTH = a_plan(sells={A: 1000, C: 200}, buys={B: 1000})


@pytest.mark.parametrize(
    ("facts", "risk", "kept"),
    [
        (replace(NOTHING, reduces_only=True), {}, {A: (1000, ""), C: (200, ""), B: (0, "reduce_only")}),
        (NOTHING, {"no_buys": [A, B]}, {A: (1000, ""), C: (200, ""), B: (0, "restricted")}),
        (NOTHING, {"no_trades": [A]}, {A: (0, "restricted"), C: (200, ""), B: (1000, "")}),
        (
            replace(NOTHING, working=(an_order(B, Side.BUY), an_order(A, Side.BUY))),
            {},
            {A: (0, "self_trade"), C: (200, ""), B: (0, "duplicate_order")},
        ),
        (
            replace(NOTHING, peak=Decimal(1_100_000)),
            {"drawdown_max": "0.09"},
            {A: (1000, ""), C: (200, ""), B: (0, "drawdown")},
        ),
        (
            replace(NOTHING, last_close=Decimal(1_100_000)),
            {"day_loss_max": "0.09"},
            {A: (1000, ""), C: (200, ""), B: (0, "day_loss")},
        ),
        (replace(NOTHING, peak=Decimal(1_100_000)), {"drawdown_max": "0.1"}, None),
        (replace(NOTHING, last_close=Decimal(900_000)), {"day_loss_max": "0.01"}, None),
        (NOTHING, {"drawdown_max": "0.01", "day_loss_max": "0.01"}, None),
        (
            replace(NOTHING, quotes={A: a_quote(A, "8.00"), B: a_quote(B, None), C: a_quote(C, "10.50")}),
            {"last_distance_max": "0.05"},
            {A: (0, "far_from_last"), C: (200, ""), B: (1000, "")},
        ),
        (
            replace(NOTHING, instruments={A: an_instrument(A, "20.00"), B: an_instrument(B, "10.90")}),
            {"close_distance_max": "0.1"},
            {A: (0, "far_from_close"), C: (200, ""), B: (1000, "")},
        ),
    ],
)
def test_what_a_rule_drops_tells_its_code_and_the_rest_is_traded(
    facts: Facts, risk: dict[str, object], kept: dict[str, tuple[int, str]] | None
) -> None:
    found = verdict(BOTH, facts, **risk)

    assert refused(found) == ""
    assert traded(found) == (kept or traded(verdict(BOTH)))


def test_a_name_without_price_limits_may_be_far_from_its_close() -> None:
    new = replace(an_instrument(A, "2.00"), limit_up=None, limit_down=None)

    found = verdict(BOTH, replace(NOTHING, instruments={A: new}), close_distance_max="0.1")

    assert traded(found)[A] == (1000, "")


def test_a_name_that_the_plan_has_twice_is_dropped() -> None:
    twice = replace(BOTH, rows=(*BOTH.rows, a_row(B, Side.BUY, 500)))

    found = verdict(twice)

    assert [row.reason for row in found.plan.rows if row.code == B] == ["duplicate_order"] * 2


def test_a_loss_can_halt_instead() -> None:
    facts = replace(NOTHING, peak=Decimal(1_100_000))

    found = verdict(BOTH, facts, drawdown_max="0.05", loss_then="halt")

    assert (refused(found), found.halts) == ("drawdown", True)
    assert not verdict(BOTH, facts, drawdown_max="0.5", loss_then="halt").halts


def test_an_order_is_cut_to_the_visible_depth_and_not_looked_at_in_a_preview() -> None:
    thin = replace(a_quote(B), asks=(Level(Decimal("10.01"), 150), Level(Decimal("10.02"), 170)))
    facts = replace(NOTHING, quotes={B: thin, C: replace(a_quote(C), bids=())})

    assert traded(verdict(BOTH, facts, depth_max=2)) == {A: (1000, ""), C: (0, "liquidity"), B: (600, "liquidity")}
    assert traded(verdict(BOTH, facts, depth_max=4))[B] == (1000, "")
    assert traded(verdict(replace(BOTH, preview=True), facts, depth_max=2))[B] == (1000, "")


def test_several_rules_hold_together_and_what_was_approved_holds_no_more_up_to_a_tenth_above() -> None:
    section = RiskSection.model_validate({"turnover_max": "0.01", "orders_max": 1, "hold": ["turnover", "order_count"]})
    plan = a_plan(buys={A: 1000, B: 1000}, cash="1000000")

    def held(approved: dict[str, Decimal]) -> list[str]:
        return [each.rule for each in judge(plan, NOTHING, section.rules(), section.hold, approved).held]

    assert held({}) == ["turnover", "order_count"]
    assert held({"turnover": Decimal("0.02")}) == ["order_count"]
    assert held({"turnover": Decimal("0.019"), "order_count": Decimal(2)}) == []
    assert held({"turnover": Decimal("0.018"), "order_count": Decimal(2)}) == ["turnover"]


def test_a_veto_outweighs_what_is_held() -> None:
    found = verdict(BUY, turnover_max="0.001", order_shares_max=1, hold=["turnover"])

    assert (refused(found), found.held) == ("order_size", ())


def test_every_rule_has_a_setting_of_its_own_a_unit_and_a_code() -> None:
    settings = [kind.setting for kind in KINDS if kind.setting]

    assert len(set(settings)) == len(settings)
    assert len({kind.id for kind in KINDS}) == len(KINDS)
    assert all(kind.unit for kind in KINDS)
    assert set(settings) <= set(RiskSection.model_fields)
    assert {kind.id for kind in KINDS if kind.effect is Effect.VETO} >= set(HOLDABLE)
    assert {kind.id for kind in KINDS} >= LOSSES


def test_a_limit_of_nothing_is_a_rule_less_and_a_rule_without_a_limit_stays() -> None:
    shipped, off = RiskSection().rules(), RiskSection.model_validate(ALL_OFF).rules()

    assert {rule.id for rule in shipped} - {rule.id for rule in off} == {
        "turnover", "order_count", "day_orders", "far_from_last", "far_from_close",
    }  # fmt: skip
    assert {"account_insane", "reduce_only", "duplicate_order", "self_trade"} <= {rule.id for rule in off}


@given(st.integers(1, 3000), st.integers(0, 3000), st.sampled_from([A, "688981.SH"]), st.sampled_from(Side))
def test_what_is_cut_stays_a_legal_order(shares: int, depth: int, code: str, side: Side) -> None:
    record = an_instrument(code)
    row = replace(a_row(code, side, shares), buy_min=record.buy_min, buy_step=record.buy_step)
    quote = replace(a_quote(code), bids=(Level(Decimal(10), depth),), asks=(Level(Decimal(10), depth),))

    (left,) = verdict(replace(BUY, rows=(row,)), replace(NOTHING, quotes={code: quote}), depth_max=1).plan.rows

    assert left.shares <= max(depth, 0) or left == row
    assert sum(left.children) == left.shares
    if left.shares not in (0, shares):
        assert is_legal_buy(row, left.shares) if side is Side.BUY else is_legal_sell(row, row.sellable, left.shares)
