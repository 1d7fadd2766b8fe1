"""A plan that waits for a person, whole days of the program: approved, rejected, forgotten, overtaken, cut off."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from qws.domain.market import Side
from qws.messages import FillReceived, HoldOverdue, PlaceOrder, PlanHeld, PlanReady, RunFinished
from tests.acceptance.whole_day import HELD, Day, a_day, at

FIRST = {"600519.SH": "0.3", "300750.SZ": "0.25", "000001.SZ": "0.2", "688981.SH": "0.2"}
SMALL = {"600036.SH": "0.99"}
OPEN, SENT, MIDDLE, LAST = "09:24:00", "09:30:03", "09:40:00", "09:50:00"


@pytest.fixture
def day(tmp_path: Path) -> Day:
    day = a_day(tmp_path)
    day.risk = {"turnover_max": "0.5", "hold": ["turnover"]}
    day.drop("09:24:10", "first.csv", FIRST)
    return day


def approve(day: Day, clock: str, command: str = "approve") -> None:
    """The id holds the file's hash: the day and its first six digits."""
    digest = sha256(day.files[0][2]).hexdigest()
    day.orders.append((clock, f"{command} {at(clock):%Y%m%d}-{digest[:6]}"))


def passed(day: Day) -> list[PlanReady]:
    return [each for each in day.of(PlanReady) if not each.plan.preview]


def test_nothing_is_sent_until_it_is_approved_and_then_the_target_is_held(day: Day) -> None:
    approve(day, MIDDLE)

    day.live(OPEN, LAST)

    assert [each.preview for each in day.of(PlanHeld)] == [True, False]
    assert day.sent(OPEN, MIDDLE) == []
    assert day.ends() == [("first.csv", "completed", "")]
    assert FIRST.keys() <= day.check().keys()
    first = min(each.at for each in day.told if isinstance(each.body, PlaceOrder))
    assert (first - at(MIDDLE)).total_seconds() < 2


def test_approved_before_the_open_it_is_sent_with_the_first_quotes(day: Day) -> None:
    approve(day, "09:27:00")

    day.live(OPEN, LAST)

    assert [each.preview for each in day.of(PlanHeld)] == [True]
    assert day.sent(SENT, "09:30:10")
    assert day.ends() == [("first.csv", "completed", "")]


def test_a_rejected_plan_sends_nothing(day: Day) -> None:
    approve(day, MIDDLE, "reject")

    day.live(OPEN, LAST)

    assert (day.ends(), day.of(PlaceOrder)) == ([("first.csv", "refused", "declined")], [])


def test_a_plan_that_nobody_answers_is_refused_at_the_last_order_time(day: Day) -> None:
    approve(day, "14:57:00")

    day.live(OPEN, "15:00:00")

    assert (day.ends(), day.of(PlaceOrder)) == ([("first.csv", "refused", "not_approved")], [])
    assert len(day.of(HoldOverdue)) == 1
    (end,) = day.of(RunFinished)
    assert end.at == at("14:56:00")


@pytest.mark.parametrize("how", ["kill", "stop", "power"])
def test_after_a_restart_it_is_asked_again(day: Day, how: str) -> None:
    approve(day, "09:45:00")
    day.live(OPEN, MIDDLE, how)
    asked = len(day.of(PlanHeld))

    day.live("09:42:00", "09:55:00")

    assert len(day.of(PlanHeld)) == asked + 1
    assert day.sent(OPEN, "09:45:00") == []
    assert day.ends() == [("first.csv", "completed", "")]


def test_an_approved_run_that_a_kill_cut_goes_on_without_asking_again(day: Day) -> None:
    approve(day, MIDDLE)
    day.live(OPEN, "09:40:02")
    assert day.sent("09:39:59", "09:40:02")

    day.live("09:41:00", LAST)

    assert [each.preview for each in day.of(PlanHeld)] == [True, False]
    assert len(day.ends()) == 1
    assert FIRST.keys() <= day.check().keys()


@pytest.mark.parametrize(("command", "reason"), [("halt", "halted"), ("cancel", "cancelled")])
def test_a_halt_ends_it_and_no_approval_comes_after_that(day: Day, command: str, reason: str) -> None:
    day.orders.append(("09:35:00", command))
    approve(day, MIDDLE)

    day.live(OPEN, LAST)

    assert (day.ends(), day.of(PlaceOrder)) == ([("first.csv", "refused", reason)], [])


def test_a_newer_target_takes_its_place(day: Day) -> None:
    day.risk["turnover_max"] = "0.6"
    day.drop("09:35:00", "second.csv", SMALL)
    approve(day, MIDDLE)

    day.live(OPEN, LAST)

    assert day.ends()[0] == ("first.csv", "superseded", "superseded")
    assert {each.plan.target_id for each in passed(day)} <= {end.target_id for end in day.of(RunFinished)[1:]}


def test_after_reduce_only_a_run_sells_and_buys_nothing(day: Day) -> None:
    day.risk = {}
    day.orders.append(("09:25:30", "reduce_only"))

    day.live(OPEN, LAST)

    assert {fill.trade.side for fill in day.of(FillReceived)} == {Side.SELL}
    ((_, status, _),) = day.ends()
    assert status in ("completed", "incomplete")
    reasons = {each.code: each.reason for each in day.of(RunFinished)[0].outcomes}
    assert {reasons[code] for code in FIRST.keys() - HELD.keys()} == {"reduce_only"}
