"""A day of the real core over the paper exchange, killed at any second: the day ends as if nothing had happened."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.messages import (
    ControlOrdered,
    FillReceived,
    PlaceOrder,
    RunFinished,
    TargetAccepted,
)
from tests.support.builders import a_target, at
from tests.support.invariants import check
from tests.support.trading_day import TradingDay

A, B, C = "600000.SH", "000001.SZ", "300750.SZ"
HELD = ((A, 20_000, 20_000), (B, 10_050, 10_050))
FIRST = a_target({A: "0.05", C: "0.3"})
SECOND = a_target({B: "0.2", C: "0.1"}, target_id="b" * 64)
THIRD = a_target({A: "0.3", B: "0.1", C: "0.05"}, target_id="c" * 64)
Script = list[tuple[datetime, TargetAccepted | ControlOrdered]]


def lived(cuts: list[int], script: Script, scale: int = 1) -> TradingDay:
    """The day from eight to six, killed so many milliseconds after 09:25 and started again two seconds later."""
    held = tuple((code, shares * scale, sellable * scale) for code, shares, sellable in HELD)
    day = TradingDay(script, held, Decimal(1_000_000) * scale)
    start, close = at("08:00:00"), at("18:00:00")
    for cut in sorted(cuts):
        end = at("09:25:00") + timedelta(milliseconds=cut)
        if end > start:
            day.live(start, end)
            start = end + timedelta(seconds=2)
    day.live(start, close)
    return day


SCALES = (1, 100, 2000)  # a third of a second, half a minute, and more than the waits allow
moments_ms = st.one_of(st.integers(302_900, 304_000), st.integers(303_000, 345_000), st.integers(0, 1_000_000))


@cache
def undisturbed(scale: int) -> TradingDay:
    return lived([], [(at("08:30:00"), FIRST)], scale)


@pytest.mark.parametrize(("scale", "status"), [(1, "completed"), (100, "completed"), (2000, "completed")])
def test_an_undisturbed_day_sells_first_buys_then_and_reports(scale: int, status: str) -> None:
    day = undisturbed(scale)
    check(day)

    sides = [side for side, _ in dict.fromkeys((order.side, order.code) for order in day.handed)]
    assert sides == sorted(sides, key=[Side.SELL, Side.BUY].index)
    assert len(set(sides)) == 2
    end = day.told(RunFinished)[-1]
    assert end.status == status
    assert end.tracking_error is not None
    assert status != "completed" or end.tracking_error < Decimal("0.001")


@settings(deadline=None, max_examples=25)
@given(st.lists(moments_ms, min_size=1, max_size=4), st.sampled_from(SCALES[:2]))
def test_a_day_cut_by_kills_ends_with_the_holdings_of_an_undisturbed_one(cuts: list[int], scale: int) -> None:
    day = lived(cuts, [(at("08:30:00"), FIRST)], scale)

    check(day)
    last = day.told(RunFinished)[-1]
    assert (last.status, last.reason) == ("completed", "")
    for code, shares in undisturbed(scale).held("18:00:00").items():
        assert abs(day.held("18:00:00").get(code, 0) - shares) <= max(300, shares // 50)


@settings(deadline=None, max_examples=20)
@given(st.lists(moments_ms, max_size=3), moments_ms, st.sampled_from(SCALES[:2]))
def test_a_newer_target_amid_kills_is_what_the_account_ends_with(cuts: list[int], newer_ms: int, scale: int) -> None:
    newer = at("09:25:00") + timedelta(milliseconds=newer_ms)
    day = lived(cuts, [(at("08:30:00"), FIRST), (newer, SECOND)], scale)

    check(day)
    last = day.told(RunFinished)[-1]
    if day.told(TargetAccepted)[1:]:  # else it came while the machine was down
        assert last.target_id == SECOND.target_id
        trades = [told.trade for told in day.told(FillReceived) if told.trade.code == A]
        bought = sum(trade.shares for trade in trades if trade.side is Side.BUY)  # the day's rest cannot be sold
        assert last.status == "completed"
        assert day.held("18:00:00").get(A, 0) == bought


@settings(deadline=None, max_examples=20)
@given(moments_ms, st.lists(moments_ms, max_size=3), st.sampled_from(("halt", "cancel")), st.sampled_from(SCALES[:2]))
def test_after_a_halt_or_cancel_nothing_more_leaves_whatever_is_restarted(
    ordered_ms: int, cuts: list[int], command: str, scale: int
) -> None:
    ordered = at("09:25:00") + timedelta(milliseconds=max(1, ordered_ms))
    day = lived(cuts, [(at("08:30:00"), FIRST), (ordered, ControlOrdered(command, "me"))], scale)

    check(day)
    if day.told(ControlOrdered):
        late = [each for each in day.journal.of(PlaceOrder) if each.at > ordered]
        assert late == []


SCRIPTS: dict[str, Script] = {
    "one target": [],
    "a newer target amid the sells": [(at("09:30:03.100000"), SECOND)],
    "a newer target amid the buys": [(at("09:30:03.300000"), SECOND)],
    "a cancel": [(at("09:30:03.100000"), ControlOrdered("cancel", "me"))],
    "a newer target and a cancel": [
        (at("09:30:03.100000"), SECOND),
        (at("09:30:03.101000"), ControlOrdered("cancel", "me")),
    ],
    "a halt and a newer target": [
        (at("09:30:03.100000"), ControlOrdered("halt", "me")),
        (at("09:30:03.101000"), SECOND),
    ],
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_power_cut_before_any_commit_of_the_day_changes_nothing_in_the_end(name: str) -> None:
    script: Script = [(at("08:30:00"), FIRST), *SCRIPTS[name]]
    whole = lived([], script)

    for commit in range(1, len(whole.journal.batches) + 1):
        day = TradingDay(script, HELD)
        over = day.live(at("08:00:00"), at("18:00:00"), dies_at_commit=commit)
        day.live(over, at("18:00:00"))

        check(day)
        stopped = min((each.at for each in day.journal.of(ControlOrdered)), default=at("18:00:00"))
        assert [each for each in day.journal.of(PlaceOrder) if each.at > stopped] == []
        if not whole.told(ControlOrdered):
            last = day.told(RunFinished)[-1]
            assert (last.status, last.target_id) == ("completed", whole.told(RunFinished)[-1].target_id)


@settings(deadline=None, max_examples=60)
@given(st.sampled_from(sorted(SCRIPTS)), st.lists(st.integers(1, 45), min_size=2, max_size=4))
def test_a_power_cut_amid_the_recovery_changes_nothing_either(name: str, commits: list[int]) -> None:
    day = TradingDay([(at("08:30:00"), FIRST), *SCRIPTS[name]], HELD)
    over = at("08:00:00")
    for commit in commits:
        over = day.live(over, at("18:00:00"), dies_at_commit=commit)
    day.live(over, at("18:00:00"))

    check(day)
    stopped = min((each.at for each in day.journal.of(ControlOrdered)), default=at("18:00:00"))
    assert [each for each in day.journal.of(PlaceOrder) if each.at > stopped] == []


@pytest.mark.parametrize("command", ["halt", "cancel"])
def test_a_stop_by_hand_amid_the_sells_leaves_nothing_working(command: str) -> None:
    day = lived([], [(at("08:30:00"), FIRST), (at("09:30:06"), ControlOrdered(command, "me"))], 100)

    check(day)
    assert day.handed
    (end,) = day.told(RunFinished)
    assert (end.status, end.reason) == ("incomplete", {"halt": "halted", "cancel": "cancelled"}[command])
    assert end.at < at("09:30:20")
    assert all(order.status.is_terminal for order in day.exchange.orders(at("09:30:20")))


def a_bad_day(seed: int) -> TradingDay:
    """Random targets, orders by hand, kills and a bad line."""
    chance = Random(f"{seed}:day")
    scale, span_ms = chance.choice((1, 1, 1, 100, 100)), chance.choice((304_000, 345_000, 1_000_000, 8_000_000))

    def moment() -> datetime:
        close = chance.randrange(302_900, 304_500)
        return at("09:25:00") + timedelta(milliseconds=chance.choice((close, chance.randrange(span_ms))))

    script: Script = [(at("08:30:00") if chance.random() < 0.7 else moment(), FIRST)]
    commands: list[TargetAccepted | ControlOrdered] = [
        ControlOrdered(command, "me") for command in ("cancel", "halt", "resume", "rebalance")
    ]
    script += [(moment(), chance.choice([SECOND, THIRD, *commands])) for _ in range(chance.randrange(4))]
    script.sort(key=lambda entry: entry[0])
    held = tuple((code, shares * scale, sellable * scale) for code, shares, sellable in HELD)
    day = TradingDay(script, held, Decimal(1_000_000) * scale, seed, chance.choice((0.0, 0.05, 0.2)))
    over = at("08:00:00")
    for _ in range(chance.randrange(5)):
        if chance.random() < 0.5:
            over = day.live(over, at("18:00:00"), dies_at_commit=chance.randrange(1, 80))
        else:
            over = day.live(over, max(over, moment())) + timedelta(seconds=chance.choice((0, 1, 30, 600)))
        over = min(over, at("15:05:00"))
    day.live(over, at("18:00:00"))
    return day


@pytest.mark.parametrize("seed", range(60))
def test_on_a_bad_day_every_invariant_holds(seed: int) -> None:
    check(a_bad_day(seed))
