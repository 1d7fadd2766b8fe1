"""The guard and caps: a plan that should have been scaled, a target that no file wrote, names that a stop ended."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from qws.config_risk import RiskSection
from qws.domain.plan import STOPS_ONLY
from qws.domain.risk.judge import judge
from qws.domain.risk.rule import Facts
from tests.support.builders import a_plan

A, B = "600000.SH", "600004.SH"
LOST = Facts({}, {}, (), 0, Decimal(2_000_000), Decimal(0), reduces_only=False)
CALM = replace(LOST, peak=Decimal(0))
BOTH = a_plan(sells={A: 1000}, buys={B: 500}, cash="1000000")


def test_a_plan_that_was_not_scaled_after_a_loss_buys_nothing_and_one_that_was_passes() -> None:
    section = RiskSection.model_validate({"drawdown_max": "0.1", "loss_then": "scale_down"})

    unscaled = judge(BOTH, LOST, section.rules(), (), {}).plan
    scaled = judge(replace(BOTH, scaled_by="drawdown"), LOST, section.rules(), (), {}).plan

    assert [(row.code, row.shares, row.reason) for row in unscaled.rows] == [(A, 1000, ""), (B, 0, "drawdown")]
    assert scaled.rows == BOTH.rows


def test_rules_about_files_do_not_ask_what_only_sells() -> None:
    section = RiskSection.model_validate({"names_min": 3, "weight_max": "0.2", "top5_max": "0.2"})
    heavy = replace(BOTH, rows=tuple(replace(row, weight=Decimal("0.4")) for row in BOTH.rows))

    assert judge(heavy, CALM, section.rules(), (), {}).refused is not None
    assert judge(replace(heavy, target_id=STOPS_ONLY), CALM, section.rules(), (), {}).refused is None


def test_a_name_that_a_stop_ended_still_counts_as_one_that_the_file_had() -> None:
    rules = RiskSection.model_validate({"names_min": 2}).rules()
    one = replace(BOTH, rows=(BOTH.rows[0], replace(BOTH.rows[1], weight=Decimal("0.3"))))

    found = judge(one, CALM, rules, (), {}).refused
    assert found is not None
    assert found.rule == "too_few_names"
    assert judge(replace(one, capped=(A,)), CALM, rules, (), {}).refused is None
