"""What is left of a run: followed up after a pause, ended by whatever comes first, carried to the next session."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.messages import FillReceived, FollowUpDue, PlaceOrder, RebalanceDue, RunFinished, RunPaused
from tests.acceptance.whole_day import Day, a_day, at

FIRST = {"600519.SH": "0.3", "300750.SZ": "0.25", "000001.SZ": "0.2", "688981.SH": "0.2"}
SECOND = {"600519.SH": "0.2", "601318.SH": "0.7"}
OPEN, PAUSE, LAST, CLOSE = "09:24:00", "09:31:00", "09:45:00", "15:20:00"
# The books hold less than can be sold in this time, and nothing is priced again.
HASTY: dict[str, object] = {"sell_wait_s": 10, "buy_wait_s": 10, "chase_times": 0}
OVERNIGHT = "2026-11-20 "


@pytest.fixture
def day(tmp_path: Path) -> Day:
    day = a_day(tmp_path)
    day.execution = dict(HASTY)
    day.drop("09:24:10", "first.csv", FIRST)
    return day


def words(day: Day) -> list[RunFinished | RunPaused]:
    """What was told of the end of each attempt, and of each run."""
    return [each.body for each in day.told if isinstance(each.body, RunFinished | RunPaused)]


def attempts(day: Day) -> list[tuple[int, str, str]]:
    status = [word.status if isinstance(word, RunFinished) else "paused" for word in words(day)]
    return [(word.attempt, how, word.reason) for how, word in zip(status, words(day), strict=True)]


def ends_of_attempts(day: Day) -> list[RunFinished]:
    return [word if isinstance(word, RunFinished) else word.end for word in words(day)]


def left(day: Day) -> set[str]:
    """The names that the first attempt did not do."""
    end = next(end for end in ends_of_attempts(day) if end.outcomes)
    return {outcome.code for outcome in end.outcomes if outcome.reason}


def ordered(day: Day, since: str) -> set[str]:
    return {each.body.order.code for each in day.told if isinstance(each.body, PlaceOrder) and each.at >= at(since)}


def traded(day: Day, code: str) -> int:
    """What the results of all runs tell of a name; it is what the exchange told."""
    found = sum(outcome.filled for end in day.of(RunFinished) for outcome in end.outcomes if outcome.code == code)
    assert found == sum(fill.trade.shares for fill in day.of(FillReceived) if fill.trade.code == code)
    return found


def test_a_name_that_the_books_were_too_thin_for_fills_in_a_follow_up_with_one_final_result(day: Day) -> None:
    day.live(OPEN, LAST)

    assert attempts(day) == [(0, "paused", "follow_up"), (1, "completed", "")]
    assert [due.trigger for due in day.of(RebalanceDue)] == ["schedule", "follow_up"]
    assert day.ends() == [("first.csv", "completed", "")]
    assert left(day)
    assert ordered(day, PAUSE) == left(day)
    first, whole = (next(o for o in end.outcomes if o.code == "600036.SH") for end in ends_of_attempts(day))
    assert 0 < first.filled < first.planned == whole.planned == whole.filled == traded(day, "600036.SH")
    assert day.check().keys() == FIRST.keys()


def test_without_follow_ups_the_same_day_ends_incomplete_at_once(day: Day) -> None:
    day.execution |= {"follow_ups": 0}

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "incomplete", "not_filled")]
    assert (len(day.of(RebalanceDue)), ordered(day, PAUSE)) == (1, set())
    day.check()


def test_at_the_limit_of_follow_ups_the_run_ends_incomplete(day: Day) -> None:
    day.execution |= {"sell_wait_s": 2, "buy_wait_s": 2, "follow_ups": 2}

    day.live(OPEN, LAST)

    assert attempts(day) == [
        (0, "paused", "follow_up"),
        (1, "paused", "follow_up"),
        (2, "paused", "follow_up"),
        (2, "incomplete", "not_filled"),
    ]
    assert day.ends() == [("first.csv", "incomplete", "not_filled")]
    day.check()


def test_a_rebalance_by_hand_costs_no_follow_up(day: Day) -> None:
    day.execution |= {"follow_ups": 1}
    day.orders += [("09:30:06", "rebalance")]

    day.live(OPEN, LAST)

    assert [due.trigger for due in day.of(RebalanceDue)] == ["schedule", "manual", "follow_up"]
    assert [end[1:] for end in day.ends()] == [("superseded", "superseded"), ("completed", "")]
    day.check()


def test_restarts_cost_no_follow_up(day: Day) -> None:
    day.execution |= {"follow_ups": 1, "sell_wait_s": 2, "buy_wait_s": 2}

    day.live(OPEN, "09:30:04")
    day.live("09:30:05", "09:30:06")
    day.live("09:30:07", LAST)

    assert [due.trigger for due in day.of(RebalanceDue)] == ["schedule", "recovery", "recovery", "follow_up"]
    assert [paused.follow_ups for paused in day.of(RunPaused)] == [0, 0, 1, 2]
    assert day.ends() == [("first.csv", "incomplete", "not_filled")]
    assert traded(day, "600036.SH") > 0
    day.check()


def test_a_newer_target_in_the_pause_takes_the_place_of_what_was_left(day: Day) -> None:
    day.drop(PAUSE, "second.csv", SECOND)

    day.live(OPEN, LAST)

    assert day.ends() == [("first.csv", "superseded", "superseded"), ("second.csv", "completed", "")]
    first, *later = day.of(RebalanceDue)
    assert {due.target_id for due in later} & {first.target_id} == set()
    assert day.check().keys() >= SECOND.keys()


@pytest.mark.parametrize(("command", "reason"), [("halt", "halted"), ("cancel", "cancelled")])
def test_a_stop_by_hand_in_the_pause_ends_the_run(day: Day, command: str, reason: str) -> None:
    day.orders += [(PAUSE, command)]

    day.live(OPEN, LAST)

    assert attempts(day) == [(0, "paused", "follow_up"), (0, "incomplete", reason)]
    assert ordered(day, PAUSE) == set()
    assert all(end.outcomes for end in day.of(RunFinished))
    day.check()


def test_a_rebalance_in_the_pause_plans_all_of_it_anew(day: Day) -> None:
    day.orders += [(PAUSE, "rebalance")]

    day.live(OPEN, LAST)

    assert [end[1:] for end in day.ends()] == [("superseded", "superseded"), ("completed", "")]
    assert ordered(day, PAUSE) > left(day)  # also what had drifted since
    day.check()


@pytest.mark.parametrize("how", ["stop", "kill", "power"])
def test_a_restart_in_the_pause_goes_on_with_only_the_rest(day: Day, how: str) -> None:
    day.live(OPEN, PAUSE, how)
    day.live("09:31:10", LAST)

    assert attempts(day) == [(0, "paused", "follow_up"), (1, "completed", "")]
    assert [due.trigger for due in day.of(RebalanceDue)] == ["schedule", "follow_up"]
    assert day.ends() == [("first.csv", "completed", "")]
    assert ordered(day, PAUSE) == left(day)
    assert day.check().keys() == FIRST.keys()


def test_a_restart_after_a_newer_target_came_in_the_pause_ends_the_first_run_once(day: Day) -> None:
    day.drop(PAUSE, "second.csv", SECOND)

    day.live(OPEN, "09:31:02.5")
    day.live("09:31:10", LAST)

    assert [(name, status) for name, status, _ in day.ends()] == [
        ("first.csv", "superseded"),
        ("second.csv", "completed"),
    ]
    day.check()


def test_a_pause_that_would_outlast_the_session_ends_the_run(day: Day) -> None:
    day.files.clear()
    day.drop("14:54:50", "late.csv", FIRST)

    day.live("14:54:00", "15:01:00")

    assert attempts(day) == [(0, "paused", "follow_up"), (0, "incomplete", "not_filled")]
    assert day.of(FollowUpDue) == []
    day.check()


def test_what_is_left_in_the_end_is_carried_to_the_next_session_once(day: Day) -> None:
    day.execution |= {"follow_ups": 0, "carry": True}
    day.scan_s = 900.0

    day.live(OPEN, "2026-11-24 10:00:00")

    triggers = [(due.day.isoformat(), due.trigger) for due in day.of(RebalanceDue)]
    assert triggers == [("2026-11-19", "drop"), ("2026-11-20", "carry")]
    assert [end[:2] for end in day.ends()] == [("first.csv", "incomplete"), ("first.csv", "incomplete")]
    assert ordered(day, OVERNIGHT + OPEN) == left(day)
    assert min(each.at for each in day.told if isinstance(each.body, PlaceOrder) and each.at > at(CLOSE)) == at(
        OVERNIGHT + "09:30:03"
    )


@pytest.mark.parametrize("ended", [PAUSE, CLOSE])
def test_what_a_dead_process_left_is_carried_by_its_next_life(day: Day, ended: str) -> None:
    day.execution |= {"follow_ups": 1 if ended == PAUSE else 0, "carry": True}

    day.live(OPEN, ended)
    day.live("15:05:00", "15:06:00")
    day.execution |= {"sell_wait_s": 300, "buy_wait_s": 300}
    day.live(OVERNIGHT + OPEN, OVERNIGHT + LAST)

    assert [end[1:] for end in day.ends()] == [
        ("incomplete", "not_filled"),
        ("completed", ""),
    ]
    assert ordered(day, OVERNIGHT + OPEN) == left(day)
    assert traded(day, "600036.SH") == 6_000_000


def test_a_run_that_was_cut_before_anything_was_sent_is_carried_whole(day: Day) -> None:
    day.execution = {"carry": True}

    day.live(OPEN, "09:28:00")
    day.live("15:05:00", "15:06:00")
    day.live(OVERNIGHT + OPEN, OVERNIGHT + LAST)

    assert [end[1:] for end in day.ends()] == [("incomplete", "expired"), ("completed", "")]
    assert day.check().keys() == FIRST.keys()


def test_what_was_carried_is_followed_up_and_may_be_cut_like_any_run(day: Day) -> None:
    day.execution |= {"follow_ups": 0, "carry": True}
    day.live(OPEN, PAUSE)

    day.execution |= {"sell_wait_s": 4, "buy_wait_s": 4, "follow_ups": 3}
    day.live(OVERNIGHT + OPEN, OVERNIGHT + "09:30:05")
    day.live(OVERNIGHT + "09:30:40", OVERNIGHT + LAST)

    triggers = [due.trigger for due in day.of(RebalanceDue)]
    assert triggers[:4] == ["schedule", "carry", "recovery", "follow_up"]
    assert [end[1:] for end in day.ends()] == [("incomplete", "not_filled"), ("completed", "")]
    assert ordered(day, OVERNIGHT + OPEN) <= left(day)
    assert (
        len([due for due in day.of(FollowUpDue) if due.run_id == day.of(RebalanceDue)[-1].run_id]) == len(triggers) - 3
    )


def test_a_rebalance_on_a_day_without_a_target_plans_what_was_carried_over_anew_and_nothing_else(day: Day) -> None:
    day.execution |= {"follow_ups": 0, "carry": True}
    day.live(OPEN, PAUSE)

    day.orders += [(OVERNIGHT + "09:30:06", "rebalance"), (OVERNIGHT + "09:40:00", "rebalance")]
    day.live(OVERNIGHT + OPEN, OVERNIGHT + LAST)

    assert [due.trigger for due in day.of(RebalanceDue)] == ["schedule", "carry", "manual", "manual"]
    assert {name for name, _, _ in day.ends()} == {"first.csv"}
    assert ordered(day, OVERNIGHT + OPEN) == left(day)
    day.check()


@pytest.mark.parametrize("carry", [False, True])
def test_a_target_of_the_day_itself_or_no_carrying_leaves_the_rest_behind(day: Day, *, carry: bool) -> None:
    day.execution |= {"follow_ups": 0, "carry": carry}
    day.live(OPEN, PAUSE)

    if carry:
        day.files.append((at(OVERNIGHT + "09:24:30"), "own.csv", b"date,stock_code,weight\n2026-11-20,601318.SH,0.5\n"))
    day.execution |= {"sell_wait_s": 300, "buy_wait_s": 300}
    day.live(OVERNIGHT + OPEN, OVERNIGHT + LAST)

    runs = [(due.day.isoformat(), due.trigger) for due in day.of(RebalanceDue)]
    assert runs == [("2026-11-19", "schedule"), ("2026-11-20", "schedule")][: 1 + carry]
    assert [name for name, _, _ in day.ends()] == ["first.csv", "own.csv"][: 1 + carry]
