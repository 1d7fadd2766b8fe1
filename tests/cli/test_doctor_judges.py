"""How `qws doctor` judges what it was told: each pure function at its edges."""

from __future__ import annotations

import socket
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from qws.cli import check_live, check_terminal
from qws.runtime.clock import SHANGHAI
from qws.tables import load_calendar

NOW = datetime(2026, 11, 19, 10, 0, 0, tzinfo=SHANGHAI)
ENGLISH = """Power Scheme GUID: 381b4222-f694-41f0-9685-ff5bb260df2e  (Balanced)
    Power Setting GUID: 29f6c1db-86da-48c5-9fdb-f2b67b1f44da  (Sleep after)
      Minimum Possible Setting: 0x00000000
      Maximum Possible Setting: 0xffffffff
      Possible Settings increment: 0x00000001
    Current AC Power Setting Index: 0x{ac}
    Current DC Power Setting Index: 0x00000384
"""
CHINESE = ENGLISH.replace("Current AC Power Setting Index", "当前交流电源设置索引")


@pytest.mark.parametrize(("session", "status"), [(None, "SKIP"), (0, "FAIL"), (1, "OK"), (7, "OK")])
def test_session_zero_of_windows_reaches_no_terminal(session: int | None, status: str) -> None:
    assert check_live.session_check(session).status == status


@pytest.mark.parametrize(("hours", "status"), [(8, "OK"), (0, "WARN"), (-5, "WARN"), (9, "WARN")])
def test_another_time_zone_is_told(hours: int, status: str) -> None:
    assert check_live.zone_check(timedelta(hours=hours)).status == status
    assert check_live.zone_check(None).status == "SKIP"


@pytest.mark.parametrize("answer", [ENGLISH, CHINESE])
def test_a_computer_that_goes_to_sleep_is_told_in_any_language(answer: str) -> None:
    sleeps = check_live.sleep_check(answer.replace("{ac}", "00000708"))

    assert sleeps.status == "WARN"
    assert "30 minutes" in sleeps.text
    assert sleeps.remedy.startswith("powercfg")
    assert check_live.sleep_check(answer.replace("{ac}", "00000000")).status == "OK"


@pytest.mark.parametrize(
    "answer", [None, "", "0x00000001", ENGLISH, ENGLISH.replace("{ac}", "00000001") + "0x00000001"]
)
def test_what_cannot_be_read_of_the_power_settings_is_skipped(answer: str | None) -> None:
    assert check_live.sleep_check(answer).status == "SKIP"


def test_many_queue_files_warn_and_name_the_largest(tmp_path: Path) -> None:
    small, large = tmp_path / "down_queue_win_1", tmp_path / "down_queue_win_2"
    with large.open("wb") as file:
        file.truncate(2_000_000_000)
    assert check_live.queues_check(tmp_path).status == "OK"

    small.write_bytes(b"x")
    checked = check_live.queues_check(tmp_path)

    assert checked.status == "WARN"
    assert large.name in checked.text


@pytest.mark.parametrize("name", ["nowhere", "a file", "x" * 300])
def test_a_folder_that_cannot_be_read_has_no_sound_queues_and_is_no_userdata(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()

    queues = check_live.queues_check(tmp_path / name)

    assert queues.status == "SKIP"
    assert name in queues.text
    assert queues.remedy
    assert check_live.userdata_check(tmp_path / name).status == "FAIL"


@pytest.mark.parametrize(
    ("port", "is_open", "status"), [(0, True, "OK"), (0, False, "SKIP"), (7, True, "OK"), (7, False, "FAIL")]
)
def test_a_port_that_was_named_must_be_open(port: int, is_open: bool, status: str) -> None:
    checked = check_live.port_check(port, is_open=is_open)

    assert checked.status == status
    assert str(port or 58_610) in checked.text


def test_a_port_is_open_while_somebody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert check_live._listens(port)
    assert not check_live._listens(port)


@pytest.mark.parametrize(
    ("age_s", "is_due", "status"),
    [
        (14, True, "OK"),
        (16, True, "FAIL"),
        (14, False, "OK"),
        (16, False, "SKIP"),
        (90_000, False, "SKIP"),
        (-3, True, "OK"),
        (-4, True, "SKIP"),  # by this clock the quote is yet to come: how old it is cannot be known
    ],
)
def test_quotes_are_old_only_where_newer_ones_are_due_and_fresh_only_when_seen_so(
    age_s: int, is_due: bool, status: str
) -> None:
    newest = NOW - timedelta(seconds=age_s)

    assert check_terminal.quotes_check(newest, NOW, 15.0, is_due=is_due).status == status


@pytest.mark.parametrize(("is_due", "status"), [(True, "FAIL"), (False, "SKIP")])
def test_no_quote_at_all_fails_while_some_are_due(is_due: bool, status: str) -> None:
    checked = check_terminal.quotes_check(None, NOW, 15.0, is_due=is_due)

    assert checked.status == status
    assert checked.remedy


@pytest.mark.parametrize(("behind_s", "status"), [(-16, "SKIP"), (-15, "OK"), (0, "OK"), (3, "OK"), (4, "FAIL")])
def test_a_quote_of_the_future_means_a_slow_clock_and_an_old_one_means_nothing(behind_s: int, status: str) -> None:
    assert check_terminal.skew_check(NOW + timedelta(seconds=behind_s), NOW).status == status
    assert check_terminal.skew_check(None, NOW).status == "SKIP"


def test_an_account_of_which_nothing_is_said_warns() -> None:
    assert check_terminal.account_check("****0365", None).status == "WARN"


def test_days_on_which_the_calendars_differ_are_named() -> None:
    assert check_terminal.holidays_check([], "own.toml").status == "OK"
    differs = check_terminal.holidays_check(["2026-12-24"], "own.toml")
    assert differs.status == "WARN"
    assert "2026-12-24" in differs.text
    assert "own.toml" in differs.remedy


@pytest.mark.parametrize(
    ("day", "clock", "moves"),
    [
        ("2026-11-19", "09:30:59", False),
        ("2026-11-19", "09:31:00", True),
        ("2026-11-19", "11:30:00", False),
        ("2026-11-19", "14:56:59", True),
        ("2026-11-19", "15:00:00", False),
        ("2026-11-21", "10:00:00", False),
        ("2099-01-01", "10:00:00", False),
    ],
)
def test_quotes_move_while_the_exchanges_trade_continuously(day: str, clock: str, moves: bool) -> None:
    moment = datetime.combine(datetime.fromisoformat(day).date(), time.fromisoformat(clock), SHANGHAI)

    assert check_terminal._moves(load_calendar(), moment) == moves
