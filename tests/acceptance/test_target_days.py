"""Whole days with targets that are not full, or that expire."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.domain.target_modes import LEFT_ALONE
from qws.messages import PlanReady, RebalanceDue, RunFinished, TargetAccepted, TargetRejected, WeightsFixed
from tests.acceptance.whole_day import DAY, HELD, Day, a_day, at

OPEN, CLOSE = "09:24:00", "15:20:00"
FULL = {"600519.SH": "0.3", "600036.SH": "0.2"}


@pytest.fixture
def day(tmp_path: Path) -> Day:
    return a_day(tmp_path)


def drop(day: Day, clock: str, name: str, weights: dict[str, str], *lines: str) -> None:
    rows = [f"{DAY},{code},{weight}" for code, weight in weights.items()]
    content = "\n".join([*lines, "date,stock_code,weight", *rows, ""])
    day.files.append((at(clock), name, content.encode()))


def test_a_subset_leaves_what_it_does_not_list(day: Day) -> None:
    drop(day, "09:24:10", "some.csv", {"600519.SH": "0.1", "000001.SZ": "0"}, "# mode: subset")
    day.live(OPEN, CLOSE)

    held = day.check()

    assert day.ends() == [("some.csv", "completed", "")]
    assert held["600036.SH"] == HELD["600036.SH"]
    assert "000001.SZ" not in held
    end = day.of(RunFinished)[-1]
    assert {each.code for each in end.outcomes if each.reason == LEFT_ALONE} == {"600036.SH"}
    assert end.tracking_error is not None
    assert end.tracking_error < 0.01


def test_a_subset_after_a_full_target_takes_its_place_and_undoes_nothing(day: Day) -> None:
    drop(day, "09:24:10", "full.csv", FULL)
    drop(day, "10:00:00", "some.csv", {"601318.SH": "0.1"}, "# mode: subset")
    day.orders.append(("10:30:00", "rebalance"))
    day.live(OPEN, "09:59:00")
    before = day.check()
    day.live("09:59:10", CLOSE)

    held = day.check()

    assert {name for name, status, _ in day.ends()[:1] if status == "completed"} == {"full.csv"}
    assert {end.target_id for end in day.of(RunFinished)[1:]} == {day.of(TargetAccepted)[1].target_id}
    assert before.keys() == FULL.keys()
    assert {code: held[code] for code in before} == before
    assert held.keys() - before.keys() == {"601318.SH"}


def test_a_delta_that_is_run_three_times_and_killed_is_made_once(day: Day) -> None:
    drop(day, "09:24:10", "more.csv", {"600519.SH": "0.1", "600036.SH": "-0.1"}, "# 模式: 增量")
    day.orders += [("10:30:00", "rebalance"), ("13:30:00", "rebalance")]
    day.live(OPEN, "09:30:10")
    day.live("09:30:30", "10:29:00")
    once = day.check()
    day.live("10:29:10", CLOSE)

    held = day.check()

    assert len(day.of(WeightsFixed)) == 1
    assert len({due.run_id for due in day.of(RebalanceDue)}) == 3
    assert held["000001.SZ"] == HELD["000001.SZ"]
    assert 0 < held["600036.SH"] < HELD["600036.SH"]
    assert all(abs(held[code] - once[code]) <= once[code] // 50 for code in once)


def test_nothing_of_a_target_starts_after_its_expiry_and_no_older_one_comes_back(day: Day) -> None:
    drop(day, "09:24:10", "old.csv", FULL)
    drop(day, "09:24:20", "brief.csv", {"600519.SH": "0.3"}, "# expires: 2026-11-19 09:28")
    drop(day, "09:50:00", "late.csv", {"600519.SH": "0.2"}, "# expires: 2026-11-19 09:45")
    day.orders.append(("10:30:00", "rebalance"))
    day.live(OPEN, CLOSE)

    held = day.check()

    assert held == HELD
    assert day.ends() == [("brief.csv", "refused", "expired_target")] * 2
    assert [each.refusals[0].code for each in day.of(TargetRejected)] == ["expired_target"]


def test_a_run_that_works_when_its_target_expires_goes_on_to_its_end(day: Day) -> None:
    day.execution = {"sell_wait_s": 10, "buy_wait_s": 10, "chase_times": 0}
    drop(day, "09:24:10", "brief.csv", FULL, "# expires: 2026-11-19 09:30:05")
    day.orders.append(("10:30:00", "rebalance"))
    day.live(OPEN, CLOSE)

    held = day.check()

    assert held.keys() == FULL.keys()
    assert day.ends() == [("brief.csv", "completed", ""), ("brief.csv", "refused", "expired_target")]
    sent = [ready.plan for ready in day.of(PlanReady) if not ready.plan.preview]
    assert len(sent) > 1  # what the first attempt left was followed up after the expiry
    assert all(plan.run_id == sent[0].run_id for plan in sent)
