"""Protective stops through whole days: a name that crosses is sold once, by the ordinary run, and stays out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest

from qws.cli.home import make_home
from qws.messages import FillReceived, PlaceOrder, PlanReady, RebalanceDue, RunFinished, StopTriggered
from qws.tables import load_calendar
from tests.acceptance.whole_day import Day

FALLS, STAYS = "600000.SH", "600036.SH"
BOUGHT, NEXT, THIRD = date(2026, 11, 19), date(2026, 11, 20), date(2026, 11, 23)
FLAT = ("10.00", "10.10", "9.90", "10.00")
DOWN = ("9.80", "9.85", "9.20", "9.25")  # 5 % below the cost is crossed in the course of the day
LOCKED = ("9.00", "9.00", "9.00", "9.00")
MORNING, EVENING = f"{NEXT} 09:00:00", f"{NEXT} 15:20:00"


def a_day(folder: Path, days: Mapping[date, tuple[str, ...] | None]) -> Day:
    """An account of cash in a market of two names, one of which moves as it is told (None: it does not trade)."""
    calendar, home = load_calendar(), make_home(folder / "home")
    rows, last = list[str](), {FALLS: "10.00", STAYS: "10.00"}
    for number in range(45, -6, -1):
        session = BOUGHT - timedelta(days=number)
        if not calendar.is_session(session):
            continue
        for code in (FALLS, STAYS):
            bar = days.get(session, FLAT) if code == FALLS else FLAT
            if bar is not None:
                rows.append(",".join([str(session), code, *bar]))
                last[code] = bar[3]
    header = "date,stock_code,open,high,low,close"
    (home.root / "prices.csv").write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    day = Day(home)
    day.paper, day.stops = {"positions": "", "prices": "prices.csv"}, {"stop_loss": "0.05"}
    day.drop("09:24:10", "first.csv", {FALLS: "0.3", STAYS: "0.3"})
    return day


def bought(day: Day) -> Day:
    """The day on which the file is traded."""
    day.live("09:24:00", "15:20:00", "stop")
    assert day.check().keys() == {FALLS, STAYS}
    assert not day.of(StopTriggered)
    return day


def sold(day: Day) -> set[str]:
    return {each.order.code for each in day.of(PlaceOrder) if each.order.side == "sell"}


def ends_of_stops(day: Day) -> list[tuple[str, str, str]]:
    return [(each.run_id, each.status, each.reason) for each in day.of(RunFinished) if each.target_id == "stops"]


def test_a_name_below_its_stop_is_sold_once_and_nothing_else_is_traded(tmp_path: Path) -> None:
    day = bought(a_day(tmp_path, {NEXT: DOWN}))

    day.live(MORNING, EVENING, "stop")

    (stop,) = day.of(StopTriggered)
    assert (stop.code, stop.rule, stop.sellable) == (FALLS, "stop_loss", stop.shares)
    assert stop.price <= stop.level < 10
    assert ends_of_stops(day) == [("20261120-stops", "completed", "")]
    assert sold(day) == {FALLS}
    assert day.check().keys() == {STAYS}
    outcomes = {each.code: each for each in day.of(RunFinished)[-1].outcomes}
    assert (outcomes[FALLS].reason, outcomes[FALLS].filled) == ("stop_loss", stop.shares)


def test_a_kill_between_trigger_and_order_sells_once_in_the_next_life(tmp_path: Path) -> None:
    whole = bought(a_day(tmp_path / "whole", {NEXT: DOWN}))
    whole.live(MORNING, EVENING, "stop")
    moment = next(each.at for each in whole.told if isinstance(each.body, StopTriggered))
    for number, later_ms in enumerate((0, 1, 30, 200)):
        day = bought(a_day(tmp_path / str(number), {NEXT: DOWN}))
        cut = f"{moment + timedelta(milliseconds=later_ms):%Y-%m-%d %H:%M:%S.%f}"

        day.live(MORNING, cut)
        day.live(cut, EVENING, "stop")

        assert day.check().keys() == {STAYS}
        assert len(day.of(StopTriggered)) == 1
        fills = [each.trade.shares for each in day.of(FillReceived) if each.trade.side == "sell"]
        assert sum(fills) == day.of(StopTriggered)[0].shares


def test_a_name_locked_at_its_lower_limit_is_sold_when_it_trades_again(tmp_path: Path) -> None:
    day = bought(a_day(tmp_path, {NEXT: LOCKED, THIRD: ("8.80", "8.90", "8.60", "8.70")}))

    day.live(MORNING, EVENING, "stop")

    assert len(day.of(StopTriggered)) == 1
    assert day.check().keys() == {FALLS, STAYS}
    (row,) = [row for row in day.of(PlanReady)[-1].plan.rows if row.code == FALLS]
    assert (row.shares, row.reason, row.weight) == (0, "limit_down", 0)
    day.live(f"{THIRD} 09:00:00", f"{THIRD} 15:20:00", "stop")
    assert len(day.of(StopTriggered)) == 1
    assert day.check().keys() == {STAYS}


@pytest.mark.parametrize("bar", [None, ("9.80", "9.90", "9.60", "9.70")], ids=["it does not trade", "it is near"])
def test_a_name_without_trade_or_above_its_stop_is_kept(tmp_path: Path, bar: tuple[str, ...] | None) -> None:
    day = bought(a_day(tmp_path, {NEXT: bar}))

    day.live(MORNING, EVENING, "stop")

    assert not day.of(StopTriggered)
    assert day.check().keys() == {FALLS, STAYS}


def test_a_name_that_is_not_to_be_traded_is_not_looked_at(tmp_path: Path) -> None:
    day = bought(a_day(tmp_path, {NEXT: DOWN}))
    day.risk = {"no_trades": [FALLS]}

    day.live(MORNING, EVENING, "stop")

    assert not day.of(StopTriggered)
    assert ends_of_stops(day) == []


def test_a_file_of_the_same_day_does_not_buy_it_again_and_one_of_the_next_day_does(tmp_path: Path) -> None:
    day = bought(a_day(tmp_path, {NEXT: DOWN, THIRD: ("9.25", "9.30", "9.20", "9.25")}))
    day.drop(f"{NEXT} 14:30:00", "same.csv", {FALLS: "0.31", STAYS: "0.3"})
    day.drop(f"{NEXT} 14:40:00", "later.csv", {FALLS: "0.3", STAYS: "0.31"}, day=THIRD)

    day.live(MORNING, EVENING, "stop")

    assert len(day.of(StopTriggered)) == 1
    assert day.check().keys() == {STAYS}
    again = [row for each in day.of(PlanReady) for row in each.plan.rows if row.code == FALLS and not row.held]
    assert {(row.weight, row.shares, row.reason) for row in again if row.reason} == {(0, 0, "stop_loss")}
    day.live(f"{THIRD} 09:24:00", f"{THIRD} 10:00:00", "stop")
    assert day.check().keys() == {FALLS, STAYS}


def test_a_run_that_is_on_goes_on_without_the_name(tmp_path: Path) -> None:
    day = a_day(tmp_path, {NEXT: DOWN, THIRD: DOWN})
    day.paper["cash"] = 400_000_000  # more than the books show in minutes
    day.execution = {"buy_wait_s": 5000, "sell_wait_s": 5000, "chase_times": 0}
    day.live("09:24:00", "15:20:00", "stop")
    day.drop(f"{NEXT} 09:31:00", "big.csv", {FALLS: "0.3", STAYS: "0.7"})

    day.live(MORNING, EVENING, "stop")

    (stop,) = day.of(StopTriggered)
    assert [(due.trigger, due.target_id == "stops") for due in day.of(RebalanceDue)][1:3] == [
        ("drop", False),
        ("stop", False),
    ]
    assert [status for _, status, _ in day.ends()][1:3] == ["superseded", "completed"]
    assert 0 < day.check()[FALLS] < stop.shares - stop.sellable + 1  # what the run bought before: T+1

    day.live(f"{THIRD} 09:24:00", f"{THIRD} 10:00:00", "stop")
    assert day.check().keys() == {STAYS}
    assert len(day.of(StopTriggered)) == 1
