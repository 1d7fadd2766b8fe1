"""Mornings of the whole program: what is in the way of trading is told before the open, once, and when it is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws import messages as m
from qws.domain.alerts import Severity
from qws.runtime.message import ActorCrashed
from tests.acceptance.whole_day import DAY, Day, a_day

WEIGHTS = {"600036.SH": "0.99"}
ROOM = 50_000_000_000


def a_checked_day(folder: Path, **checks: object) -> Day:
    day = a_day(folder)
    day.checks, day.free_bytes = checks, lambda: ROOM
    day.channels = lambda clock: ()  # alerts are raised, and kept
    return day


def told(day: Day) -> list[tuple[str, list[str]]]:
    """Every check that was told: when, and the codes of its problems."""
    assert day.of(ActorCrashed) == []
    return [(f"{each.at:%H:%M:%S}", [every.code for every in each.problems]) for each in day.of(m.ReadinessChecked)]


def alerts(day: Day) -> list[tuple[str, str, Severity]]:
    """Alerts of checks: when, of what kind, how urgent."""
    raised = (each.alert for each in day.of(m.AlertRaised) if each.alert.key.startswith("ready"))
    return [(f"{each.at:%H:%M:%S}", each.kind, each.severity) for each in raised]


def test_a_good_morning_is_one_line_and_no_alert(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path, target_expected="always")
    day.drop("09:00:00", "w.csv", WEIGHTS)

    day.live("08:50:00", "09:40:00", "stop")

    assert told(day) == [("09:17:00", [])]  # quotes have moved for a while
    assert alerts(day) == []


def test_a_missing_file_is_an_alert_before_the_open_and_mended_when_it_comes(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path, target_expected="always")
    day.drop("09:21:30", "w.csv", WEIGHTS)

    day.live("08:50:00", "15:20:00", "stop")

    assert told(day) == [("09:15:00", ["target_missing"]), ("09:22:00", [])]
    assert alerts(day) == [("09:15:00", "target_missing", Severity.WARNING), ("09:22:00", "ready", Severity.NOTE)]
    assert [each.status for each in day.of(m.RunFinished)] == ["completed"]


def expiring(day: Day, clock: str, expires: str) -> None:
    day.drop(clock, f"{expires[:2]}{expires[3:]}.csv", WEIGHTS)
    when, name, content = day.files.pop()
    day.files.append((when, name, f"# expires: {DAY} {expires}\n".encode() + content))


def test_a_target_that_expires_before_the_open_is_told_until_another_one_comes(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path)
    expiring(day, "09:00:00", "09:20")
    expiring(day, "09:21:30", "09:31")

    day.live("08:50:00", "09:29:00", "kill")
    day.live("10:00:00", "10:05:00", "stop")  # expired long since, and it had its turn

    assert told(day) == [("09:15:00", ["target_expired"]), ("09:22:00", []), ("10:00:01", [])]
    assert alerts(day)[0] == ("09:15:00", "target_expired", Severity.WARNING)


def test_a_target_that_expired_before_the_open_is_not_well_at_the_open(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path)
    expiring(day, "09:00:00", "09:20")

    day.live("08:50:00", "09:40:00", "stop")

    assert told(day) == [("09:15:00", ["target_expired"])]
    assert [each.reason for each in day.of(m.RunFinished)] == ["expired_target"]


@pytest.mark.parametrize(("expected", "problems"), [("auto", []), ("never", []), ("always", ["target_missing"])])
def test_a_first_day_without_a_file_is_a_problem_only_where_one_is_always_expected(
    tmp_path: Path, expected: str, problems: list[str]
) -> None:
    day = a_checked_day(tmp_path, target_expected=expected)

    day.live("08:50:00", "09:40:00", "stop")

    assert told(day) == [("09:15:00" if problems else "09:17:00", problems)]


def test_a_broker_that_is_gone_at_a_quarter_past_nine_is_urgent_and_told_when_it_is_back(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path)
    day.outage = "09:10:00", "09:20:10"

    day.live("08:50:00", "09:40:00", "stop")

    assert told(day) == [("09:15:00", ["link_down"]), ("09:21:00", [])]
    assert alerts(day)[0] == ("09:15:00", "link_down", Severity.CRITICAL)


def test_problems_are_told_one_by_one_and_not_again_each_minute(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path, target_expected="always", disk_free_min_mb=60_000)
    day.outage = "09:16:30", "09:18:30"

    day.live("08:50:00", "09:40:00", "stop")

    standing = ["target_missing", "disk_low"]
    assert told(day) == [("09:15:00", standing), ("09:17:00", ["link_down", *standing]), ("09:19:00", standing)]
    assert [kind for _, kind, _ in alerts(day)] == [*standing, "link_down"]


def test_a_start_in_the_session_checks_once_the_broker_is_there_and_one_in_the_evening_does_not(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path, target_expected="always")

    day.live("08:50:00", "09:40:00", "kill")
    day.live("10:00:00", "10:30:00", "kill")
    day.live("15:00:00", "15:20:00", "stop")

    assert [moment for moment, _ in told(day)] == ["09:15:00", "10:00:01"]
    assert [kind for _, kind, _ in alerts(day)] == ["target_missing"] * 2


def test_halted_trading_is_told_every_morning(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path)
    day.orders = [(f"{DAY} 10:00:00", "halt")]

    day.live("08:50:00", "2026-11-20 09:40:00", "stop")

    assert told(day) == [("09:17:00", []), ("09:15:00", ["halted"])]


def test_a_check_that_fails_at_every_look_ends_neither_the_program_nor_trading(tmp_path: Path) -> None:
    day = a_checked_day(tmp_path)
    day.free_bytes = lambda: int("no number")
    day.drop("09:00:00", "w.csv", WEIGHTS)

    assert day.live("08:50:00", "11:00:00", "stop") == 0

    crashed = day.of(ActorCrashed)
    assert 1 < len(crashed) < 10  # each one reads the journal again
    assert [each.status for each in day.of(m.RunFinished)] == ["completed"]
    day.free_bytes = lambda: ROOM
    day.live("11:10:00", "11:20:00", "stop")
    assert day.of(ActorCrashed) == crashed
    assert [f"{each.at:%H:%M:%S}" for each in day.of(m.ReadinessChecked)] == ["11:10:01"]  # a new life begins anew
