"""A day with a delta, killed at any second and run again by hand: the changes are made once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.targets import Mode
from qws.messages import ControlOrdered, PlanDrafted, RebalanceDue, RunFinished, TargetAccepted, WeightsFixed
from tests.support.builders import a_target, at
from tests.support.invariants import check
from tests.support.trading_day import TradingDay

A, B, C, D = "600000.SH", "000001.SZ", "300750.SZ", "600036.SH"
HELD = ((A, 20_000, 20_000), (B, 10_050, 10_050), (D, 3_037, 3_037))
DELTA = a_target({A: "-0.03", C: "0.15", B: "0.02"}, mode=Mode.DELTA)
CLOSE = "18:00:00"
Script = list[tuple[datetime, TargetAccepted | ControlOrdered]]
moments_ms = st.one_of(st.integers(302_900, 304_000), st.integers(303_000, 345_000), st.integers(0, 1_000_000))


def lived(cuts: list[int], orders: list[tuple[int, str]], scale: int = 1) -> TradingDay:
    """The day from eight to six, killed so many milliseconds after 09:25 and started again two seconds later."""
    script: Script = [(at("08:30:00"), DELTA)]
    begin = at("09:25:00")
    script += [(begin + timedelta(milliseconds=after), ControlOrdered(command, "me")) for after, command in orders]
    held = tuple((code, shares * scale, sellable * scale) for code, shares, sellable in HELD)
    day = TradingDay(sorted(script, key=lambda each: each[0]), held, Decimal(1_000_000) * scale)
    start = at("08:00:00")
    for cut in sorted(cuts):
        end = begin + timedelta(milliseconds=cut)
        if end > start:
            day.live(start, end)
            start = end + timedelta(seconds=2)
    day.live(start, at(CLOSE))
    return day


@cache
def undisturbed(scale: int) -> dict[str, int]:
    day = lived([], [], scale)
    check(day)
    assert day.told(RunFinished)[-1].status == "completed"
    return day.held(CLOSE)


@pytest.mark.parametrize("scale", [1, 100])
def test_an_undisturbed_delta_moves_its_names_by_what_was_asked_and_no_other(scale: int) -> None:
    held = undisturbed(scale)

    before = {code: shares * scale for code, shares, _ in HELD}
    assert held[D] == before[D]
    assert held[A] < before[A]
    assert held[B] >= before[B]
    assert held[C] > 0


def judge(day: TradingDay, scale: int) -> None:
    check(day)
    assert len(day.told(WeightsFixed)) == 1
    wanted = {each.code: each.weight for each in day.told(WeightsFixed)[0].weights}
    for plan in (each.plan for each in day.told(PlanDrafted) if not each.plan.preview):
        assert {row.code: row.weight for row in plan.rows if row.code in wanted} == wanted
    held = day.held(CLOSE)
    assert held[D] == 3_037 * scale
    for code, shares in undisturbed(scale).items():
        assert abs(held.get(code, 0) - shares) <= max(300, shares // 50)


@settings(deadline=None, max_examples=25)
@given(st.lists(moments_ms, min_size=1, max_size=4), st.sampled_from((1, 100)))
def test_kills_at_any_moment_do_not_make_the_changes_twice(cuts: list[int], scale: int) -> None:
    judge(lived(cuts, [], scale), scale)


@settings(deadline=None, max_examples=25)
@given(st.lists(moments_ms, max_size=2), st.lists(st.integers(303_000, 900_000), min_size=1, max_size=3))
def test_a_rebalance_by_hand_wants_the_same_weights_again(cuts: list[int], again: list[int]) -> None:
    day = lived(cuts, [(each, "rebalance") for each in again])

    judge(day, 1)
    assert day.told(RebalanceDue)


@settings(deadline=None, max_examples=25)
@given(st.lists(moments_ms, max_size=2), moments_ms)
def test_a_halt_amid_a_delta_and_a_rebalance_after_it_finish_the_same_changes(cuts: list[int], halt_ms: int) -> None:
    late = 3_600_000
    day = lived(cuts, [(halt_ms, "halt"), (late, "resume"), (late + 1000, "rebalance")])

    judge(day, 1)
