"""What `qws doctor` finds at a terminal, over the vendor's own Python, and what it cannot look at here."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from qws.arming import arm_home
from qws.cli.check_live import hours_check
from qws.cli.check_terminal import package_remedy
from qws.config import load_config
from qws.home import Home, account_lock
from qws.runtime.clock import SystemClock
from qws.store.lock import HomeLock
from tests.cli.live import ACCOUNT, a_live_home
from tests.cli.rig import ROOT, Answer, call, held
from tests.cli.test_check import found
from tests.xt_native import Faults, SimTerminal, install
from tests.xt_native.rig import a_terminal, attached

AT_A_TERMINAL_THAT_HANGS = """
from qws.cli import main
from tests.xt_native import Faults
from tests.xt_native.rig import a_terminal, attached
with attached(a_terminal(Faults(connect_hangs=1))):
    main()
"""
Found = dict[str, dict[str, str]]
TERMINAL = ("package", "connect", "subscribe", "account", "quotes", "skew")
WINDOWS = ("session", "sleep")
SHORT: dict[str, str] = {"connect_s": "1", "stop_s": "1", "query_s": "0.5", "quote_s": "0.5"}


pytestmark = pytest.mark.usefixtures("user")


@pytest.fixture
def live(tmp_path: Path) -> Home:
    home = a_live_home(tmp_path / "home", always_open=True, **SHORT)
    arm_home(home, load_config(home.config_file), SystemClock().now(), "me")
    return home


def test_a_shadow_home_needs_no_arming(live: Home) -> None:
    text = live.config_file.read_text(encoding="utf-8").replace('mode = "live"', 'mode = "shadow"')
    live.config_file.write_text(text, encoding="utf-8")
    live.armed.unlink()

    checks = examined(live)

    assert "armed" not in checks
    assert checks["hours"]["status"] == "WARN"  # it is always open
    assert set(statuses(checks).values()) == {"OK"}


@pytest.mark.parametrize(("always_open", "status"), [(True, "WARN"), (False, "OK")])
def test_a_home_that_trades_at_any_hour_is_warned_of(*, always_open: bool, status: str) -> None:
    check = hours_check(is_any=always_open)

    assert check.status == status
    assert ("paper.always_open = false" in check.remedy) is always_open


def test_where_the_package_cannot_work_nobody_is_told_to_install_it() -> None:
    assert "cannot work" in package_remedy("linux")
    assert "install it" in package_remedy("win32")


def a_running_terminal(faults: Faults | None = None, *, always_open: bool = True) -> SimTerminal:
    return a_terminal(faults, start=SystemClock().now(), always_open=always_open)


def examined(home: Home, faults: Faults | None = None, *, status: int = 0) -> Found:
    with attached(terminal := a_running_terminal(faults)):
        terminal.status = status
        answer = call(home, "doctor", "--json")
    assert ACCOUNT not in answer.out
    assert answer.err == ""
    checks = found(answer)
    assert answer.code == (1 if any(each["status"] == "FAIL" for each in checks.values()) else 0)
    return checks


def statuses(checks: Found) -> dict[str, str]:
    return {name: checks[name]["status"] for name in TERMINAL}


def test_a_sound_terminal_passes_and_what_needs_windows_is_said_to_be_skipped(live: Home) -> None:
    checks = examined(live)

    assert set(statuses(checks).values()) == {"OK"}
    assert {"armed", "userdata", "queues", "process", "port", "zone"} <= set(checks)
    assert all(each["status"] != "FAIL" for each in checks.values())
    assert "xtquant" in checks["package"]["text"]
    if sys.platform != "win32":
        assert {checks[name]["status"] for name in WINDOWS} == {"SKIP"}
        assert all("Windows" in checks[name]["remedy"] for name in WINDOWS)


def test_text_has_a_line_for_each_check_and_exit_code_zero(live: Home) -> None:
    with attached(a_running_terminal()):
        answer = call(live, "doctor")

    assert answer.code == 0
    assert answer.err == ""
    assert "SKIP  session" in answer.out or sys.platform == "win32"
    assert "OK    connect" in answer.out


def test_a_home_that_is_not_armed_fails(live: Home) -> None:
    live.armed.unlink()

    armed = examined(live)["armed"]

    assert armed["status"] == "FAIL"
    assert "qws arm" in armed["remedy"]


def test_a_terminal_that_refuses_the_connection_is_told_apart_from_an_account_that_is_not_logged_in(live: Home) -> None:
    refused = examined(live, Faults(connect_refused=1))
    assert statuses(refused) == dict(zip(TERMINAL, ["OK", "FAIL", "SKIP", "SKIP", "OK", "OK"], strict=True))
    assert "-1" in refused["connect"]["text"]

    unknown = examined(live, Faults(subscribe_refused=1))
    assert statuses(unknown) == dict(zip(TERMINAL, ["OK", "OK", "FAIL", "SKIP", "OK", "OK"], strict=True))
    assert "-1" in unknown["subscribe"]["text"]


@pytest.mark.parametrize(
    ("status", "judged"), [(0, "OK"), (6, "OK"), (1, "WARN"), (5, "WARN"), (3, "FAIL"), (-1, "FAIL"), (9, "FAIL")]
)
def test_the_account_must_be_one_that_may_trade(live: Home, status: int, judged: str) -> None:
    account = examined(live, status=status)["account"]

    assert account["status"] == judged
    assert str(status) in account["text"]


def test_a_terminal_that_does_not_answer_fails_within_its_deadlines(live: Home) -> None:
    silent = examined(live, Faults(query_lost=100, quotes_hang=1))

    assert (silent["account"]["status"], silent["quotes"]["status"], silent["skew"]["status"]) == (
        "FAIL",
        "FAIL",
        "SKIP",
    )
    assert "within" in silent["account"]["text"]


def test_a_call_that_never_returns_is_told_and_does_not_keep_the_command_from_ending(live: Home, user: Path) -> None:
    words = [sys.executable, "-c", AT_A_TERMINAL_THAT_HANGS, "doctor", "--json", "--home", str(live.root)]
    environment = {**os.environ, "HOME": str(user), "USERPROFILE": str(user)}
    done = subprocess.run(
        words, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, env=environment, timeout=20, check=False
    )

    checks = found(Answer(done.returncode, done.stdout, done.stderr))
    assert (done.returncode, done.stderr) == (1, "")
    assert checks["connect"]["status"] == "FAIL"
    assert checks["stuck"]["status"] == "WARN"


def test_cached_quotes_are_old_quotes(live: Home) -> None:
    stuck = SystemClock().now().replace(microsecond=0)
    stuck = stuck.replace(year=stuck.year - 1, day=1)

    quotes = examined(live, Faults(quotes_stuck_at=stuck))["quotes"]

    assert quotes["status"] == "FAIL"
    assert f"{stuck:%Y-%m}" in quotes["text"]


def test_an_old_quote_says_nothing_of_this_computers_clock(live: Home) -> None:
    old = SystemClock().now().replace(microsecond=0) - timedelta(minutes=2)

    assert examined(live, Faults(quotes_stuck_at=old))["skew"]["status"] == "SKIP"


@pytest.mark.parametrize("table", ["calendar.toml", "fees.toml"])
def test_a_table_that_cannot_be_read_leaves_every_other_line_to_be_read(tmp_path: Path, table: str) -> None:
    home = a_live_home(tmp_path / "home", always_open=False, **SHORT)
    (home.config_folder / table).write_text("known_until = ", encoding="utf-8")

    checks = examined(home)

    assert checks["connect"]["status"] == "OK"
    assert {checks[name]["status"] for name in ("quotes", "skew", "holidays")} == {"SKIP"}


def test_no_line_tells_the_account_that_the_vendors_words_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"2____11111____{ACCOUNT}____49____: no such account"
    bridge = tmp_path / "shouting_bridge"
    bridge.mkdir()
    (bridge / "__init__.py").touch()
    (bridge / "xttrader.py").write_text(f"raise RuntimeError({text!r})\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    home = a_live_home(tmp_path / "home", package='"shouting_bridge"')

    answer = call(home, "doctor", "--json")

    assert "____****0365____" in found(answer)["package"]["text"]
    assert ACCOUNT not in answer.out


def test_with_the_exchanges_hours_the_calendars_are_compared(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home", always_open=False, **SHORT)
    with attached(a_running_terminal(always_open=False)):
        checks = found(call(home, "doctor", "--json"))

    assert checks["holidays"]["status"] == "OK"


def test_a_package_that_is_not_there_skips_what_needs_it(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home", always_open=True, package='"no_such_bridge"')
    answer = call(home, "doctor", "--json")

    checks = found(answer)
    assert answer.code == 1
    assert checks["package"]["status"] == "FAIL"
    assert "no_such_bridge" in checks["package"]["text"]
    assert {checks[name]["status"] for name in TERMINAL[1:]} == {"SKIP"}


def test_beside_a_running_daemon_the_terminal_gets_no_second_connection(live: Home) -> None:
    with attached(terminal := a_running_terminal()), held(live) as pid:
        checks = found(call(live, "doctor", "--json"))
        assert terminal.clients == []

    assert str(pid) in checks["process"]["text"]
    assert statuses(checks) == dict(zip(TERMINAL, ["OK", "SKIP", "SKIP", "SKIP", "OK", "OK"], strict=True))


def test_another_home_that_trades_the_account_fails(live: Home) -> None:
    lock = account_lock(ACCOUNT)
    lock.parent.mkdir()
    with HomeLock(lock):
        checks = examined(live)

    assert checks["process"]["status"] == "FAIL"
    assert checks["connect"]["status"] == "SKIP"


def test_the_terminals_folder_must_be_there_and_the_right_one(tmp_path: Path) -> None:
    install()
    for name, status in (("userdata", "FAIL"), ("bridge", "WARN"), ("USERDATA_MINI", "OK")):
        folder = tmp_path / name
        folder.mkdir()
        home = a_live_home(tmp_path / f"home {name}", path=f"'{folder}'", package='"no_such_bridge"')
        assert found(call(home, "doctor", "--json"))["userdata"]["status"] == status
    home = a_live_home(tmp_path / "home", path=f"'{tmp_path / 'nowhere'}'", package='"no_such_bridge"')
    checks = found(call(home, "doctor", "--json"))
    assert (checks["userdata"]["status"], checks["queues"]["status"]) == ("FAIL", "SKIP")
    assert "nowhere" in checks["userdata"]["text"]


def test_left_over_queue_files_are_counted(live: Home) -> None:
    for name in ("down_queue_win_7", "down_queue_win_8", "up_queue_win_7", "lock_down_7"):
        (live.root / "userdata_mini" / name).write_bytes(b"x" * 1_000_000)

    queues = examined(live)["queues"]

    assert queues["status"] == "OK"
    assert queues["text"].startswith("3 queue files, 3 MB")


def test_a_paper_home_is_asked_for_nothing_of_this(home: Home) -> None:
    checks = found(call(home, "doctor", "--json"))

    assert not set(TERMINAL) & set(checks)
