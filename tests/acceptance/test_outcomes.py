"""What happens when: one outcome each for whatever comes in the middle of a run. The README's table is of these."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.domain.market import Side
from qws.messages import (
    FillReceived,
    LinkLost,
    LinkReady,
    PlaceOrder,
    RebalanceDue,
    RunFinished,
    RunPaused,
    TargetRejected,
)
from tests.acceptance.whole_day import Day, a_day, at

FIRST = {"600519.SH": "0.3", "300750.SZ": "0.25", "000001.SZ": "0.2", "688981.SH": "0.2"}
SECOND = {"600519.SH": "0.2", "601318.SH": "0.7"}
OPEN, SENT, MIDDLE, LATER, LAST = "09:24:00", "09:30:03", "09:30:10", "09:33:00", "09:37:00"


@pytest.fixture
def day(tmp_path: Path) -> Day:
    day = a_day(tmp_path)
    day.drop("09:24:10", "first.csv", FIRST)
    return day


def assert_held(day: Day, target: dict[str, str]) -> None:
    """The target's names and no other, except what was bought today and may not be sold before tomorrow."""
    held, bought = day.check(), {fill.trade.code for fill in day.of(FillReceived) if fill.trade.side is Side.BUY}
    assert target.keys() <= held.keys() <= target.keys() | bought


def test_undisturbed_the_target_is_held(day: Day) -> None:
    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "completed", "")]
    assert_held(day, FIRST)
    assert day.sent(MIDDLE, LATER), "a run that is over by then could not be disturbed"


def test_a_newer_target_ends_the_run_and_is_planned_from_what_is_held_then(day: Day) -> None:
    day.drop(MIDDLE, "second.csv", SECOND)

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "superseded", "superseded"), ("second.csv", "completed", "")]
    assert_held(day, SECOND)
    end = next(each.at for each in day.told if isinstance(each.body, RunFinished))
    later = [each.body.run_id for each in day.told if isinstance(each.body, PlaceOrder) and each.at > end]
    assert set(later) == {day.of(RebalanceDue)[-1].run_id}


def test_the_same_file_again_is_refused_and_disturbs_nothing(day: Day) -> None:
    day.drop(MIDDLE, "again.csv", FIRST)

    day.live(OPEN, LAST)

    assert [(each.name, each.refusals[0].code) for each in day.of(TargetRejected)] == [("again.csv", "duplicate")]
    assert day.ends() == [("first.csv", "completed", "")]
    assert_held(day, FIRST)


@pytest.mark.parametrize("note", ["", ",back"])
def test_going_back_to_an_older_target_needs_a_file_that_differs(day: Day, note: str) -> None:
    day.drop(MIDDLE, "second.csv", SECOND)
    day.drop("09:30:20", "back.csv", FIRST, note)

    day.live(OPEN, LAST)

    ends = [("first.csv", "superseded", "superseded"), ("second.csv", "superseded", "superseded")]
    if note:
        assert day.ends() == [*ends, ("back.csv", "completed", "")]
        assert_held(day, FIRST)
    else:
        assert [each.refusals[0].code for each in day.of(TargetRejected)] == ["duplicate"]
        assert day.ends() == [ends[0], ("second.csv", "completed", "")]
        assert_held(day, SECOND)


def test_a_file_under_a_halt_is_accepted_and_its_run_refused_until_somebody_rebalances(day: Day) -> None:
    day.orders += [("09:24:05", "halt"), (LATER, "resume"), ("09:35:00", "rebalance")]

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "refused", "halted"), ("first.csv", "completed", "")]
    assert day.sent(OPEN, "09:35:00") == []
    assert_held(day, FIRST)


def test_a_halt_ends_the_run_and_lasts_over_a_restart(day: Day) -> None:
    day.orders += [(MIDDLE, "halt")]
    day.drop(LATER, "second.csv", SECOND)

    day.live(OPEN, "09:32:00")
    day.live("09:33:00", LAST)

    assert day.ends() == [("first.csv", "incomplete", "halted"), ("second.csv", "refused", "halted")]
    assert day.sent("09:30:10.2", LAST) == []
    day.check()


@pytest.mark.parametrize("command", ["halt", "cancel"])
def test_a_run_that_had_sent_nothing_is_refused(day: Day, command: str) -> None:
    day.orders += [("09:26:00", command)]

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "refused", {"halt": "halted", "cancel": "cancelled"}[command])]
    assert day.sent(OPEN, LAST) == []


def test_a_rebalance_under_a_halt_is_refused(day: Day) -> None:
    day.orders += [(MIDDLE, "halt"), (LATER, "rebalance")]

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "incomplete", "halted"), ("first.csv", "refused", "halted")]
    assert day.sent("09:30:10.2", LAST) == []


def test_a_resume_alone_trades_nothing_and_the_next_file_trades(day: Day) -> None:
    day.orders += [(MIDDLE, "halt"), (LATER, "resume")]
    day.drop("09:35:00", "second.csv", SECOND)

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "incomplete", "halted"), ("second.csv", "completed", "")]
    assert day.sent("09:30:10.2", "09:35:00") == []
    assert_held(day, SECOND)


def test_a_cancel_ends_the_run_and_later_files_trade(day: Day) -> None:
    day.orders += [(MIDDLE, "cancel")]
    day.drop(LATER, "second.csv", SECOND)

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "incomplete", "cancelled"), ("second.csv", "completed", "")]
    assert day.sent("09:30:10.2", LATER) == []
    assert_held(day, SECOND)


@pytest.mark.parametrize("clock", [MIDDLE, LATER])
def test_a_rebalance_plans_the_newest_target_anew_and_takes_the_place_of_its_own_run(day: Day, clock: str) -> None:
    day.orders += [(clock, "rebalance")]

    day.live(OPEN, LAST)

    before = ("superseded", "superseded") if clock == MIDDLE else ("completed", "")
    assert day.ends() == [("first.csv", *before), ("first.csv", "completed", "")]
    assert_held(day, FIRST)


@pytest.mark.parametrize("how", ["stop", "kill", "power"])
def test_a_run_cut_by_a_stop_a_kill_or_a_power_loss_goes_on_as_its_next_attempt(day: Day, how: str) -> None:
    code = day.live(OPEN, MIDDLE, how)
    day.live("09:30:15", LAST)

    assert code == (0 if how == "stop" else None)
    assert [due.attempt for due in day.of(RebalanceDue)] == [0, 1]
    assert [paused.reason for paused in day.of(RunPaused)] == ["interrupted"]
    assert day.ends() == [("first.csv", "completed", "")]
    assert day.sent(MIDDLE, "09:30:15") == []
    assert_held(day, FIRST)


@pytest.mark.parametrize("how", ["stop", "kill", "power"])
def test_a_run_cut_on_a_day_that_is_over_before_the_restart_ends_as_expired(day: Day, how: str) -> None:
    day.live(OPEN, MIDDLE, how)
    day.live("14:58:00", "15:01:00")

    assert day.ends() == [("first.csv", "incomplete", "expired")]
    assert day.sent(MIDDLE, "15:01:00") == []
    day.check()


def test_a_run_amid_the_end_of_the_session_is_cancelled_at_the_last_order_time(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    day.drop("14:55:45", "first.csv", FIRST)

    day.live("14:54:00", "15:01:00")

    (end,) = day.ends()
    assert end[:2] == ("first.csv", "incomplete")
    assert end[2] in ("session_over", "not_filled")
    assert day.sent("14:55:45", "14:56:00") != []
    assert day.sent("14:56:00", "15:01:00") == []
    day.check()


def test_while_the_link_is_lost_nothing_is_sent_and_then_the_same_attempt_goes_on(day: Day) -> None:
    day.outage = MIDDLE, "09:32:00"

    day.live(OPEN, LAST)

    assert len(day.of(LinkLost)) == 1
    assert len(day.of(LinkReady)) == 2
    assert day.sent(MIDDLE, "09:32:00") == []
    assert [due.attempt for due in day.of(RebalanceDue)] == [0]
    assert day.ends() == [("first.csv", "completed", "")]
    assert_held(day, FIRST)
    assert min(each.at for each in day.told if isinstance(each.body, LinkReady)) < at(SENT)
