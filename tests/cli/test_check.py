"""The check command: every fault it knows is made for real, or given to the pure function that judges it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from qws.cli.check import calendar_check, clock_check, disk_check, python_check, xtquant_check
from qws.home import Home
from qws.runtime.clock import SHANGHAI
from qws.store.journal_file import JournalFile
from qws.tables import load_calendar
from tests.cli.rig import ROOT, Answer, call, held

CALENDAR = load_calendar()
UNTIL = CALENDAR.known_until


def found(answer: Answer) -> dict[str, dict[str, str]]:
    assert isinstance(answer.json, dict)
    assert set(answer.json) == {"ok", "checks"}
    for each in answer.json["checks"]:
        assert set(each) == {"name", "status", "text", "remedy"}
        assert each["text"]
        assert bool(each["remedy"]) == (each["status"] != "OK")
    checks = {each["name"]: each for each in answer.json["checks"]}
    assert answer.json["ok"] == all(each["status"] != "FAIL" for each in checks.values())
    assert len(checks) == len(answer.json["checks"])
    return checks


def setting(home: Home, section: str, line: str) -> None:
    """Write a key into a section of the configuration, in the place of what stands there."""
    key = line.partition("=")[0]
    lines = [each for each in home.config_file.read_text(encoding="utf-8").splitlines() if not each.startswith(key)]
    place = next(number for number, each in enumerate(lines, 1) if each.startswith(f"[{section}]"))
    home.config_file.write_text("\n".join([*lines[:place], line, *lines[place:]]), encoding="utf-8")


@pytest.mark.parametrize("command", ["check", "doctor"])
def test_a_fresh_home_is_sound(home: Home, command: str) -> None:
    answer = call(home, command, "--json")

    assert answer.code == 0
    assert list(found(answer)) == [
        "python", "clock", "config", "schedule", "tables", "calendar", "inbox", "state", "logs", "disk", "journal",
        "views", "xtquant",
    ]  # fmt: skip
    assert list(home.state.iterdir()) == []
    assert list(home.inbox.iterdir()) == []
    text = call(home, command)
    assert text.code == 0
    assert len(text.out.splitlines()) >= len(found(answer))


def test_a_bad_key_is_a_configuration_error_and_ends_the_check(home: Home) -> None:
    setting(home, "plan", "sel_level = 5")

    answer = call(home, "check", "--json")

    assert answer.code == 2
    config = found(answer)["config"]
    assert config["status"] == "FAIL"
    assert "plan.sel_level" in config["text"]
    assert call(home, "check").code == 2


def test_a_bad_table_of_the_user_is_named(home: Home) -> None:
    (home.config_folder / "fees.toml").write_text("stamp = 1", encoding="utf-8")
    (home.config_folder / "calendar.toml").write_text("known_until = ", encoding="utf-8")

    answer = call(home, "check", "--json")

    assert answer.code == 1
    assert found(answer)["tables"]["status"] == found(answer)["calendar"]["status"] == "FAIL"
    assert "fees.toml" in found(answer)["tables"]["text"]


@pytest.mark.parametrize("name", ["inbox", "state", "logs"])
def test_a_folder_that_cannot_be_used_fails(home: Home, name: str) -> None:
    folder = home.root / name
    folder.rmdir()
    assert found(call(home, "check", "--json"))[name]["status"] == "FAIL"

    folder.touch()
    answer = call(home, "check", "--json")
    assert answer.code == 1
    assert found(answer)[name]["status"] == "FAIL"
    assert str(folder) in call(home, "check").out


def test_the_journal_is_looked_into_unless_the_daemon_has_it(home: Home) -> None:
    JournalFile(str(home.journal)).close()
    assert "sound" in found(call(home, "check", "--json"))["journal"]["text"]

    home.journal.write_bytes(b"no journal " * 1000)
    assert found(call(home, "check", "--json"))["journal"]["status"] == "FAIL"
    with held(home) as pid:
        journal = found(call(home, "check", "--json"))["journal"]
    assert journal["status"] == "SKIP"
    assert f"process {pid}" in journal["text"]


def test_damaged_read_models_fail_with_a_remedy(home: Home) -> None:
    home.views.write_bytes(b"no database " * 1000)

    views = found(call(home, "check", "--json"))["views"]
    assert views["status"] == "FAIL"
    assert "qws run" in views["remedy"]


@pytest.mark.parametrize("name", ["prices", "index"])
def test_price_files_are_read_when_configured(home: Home, name: str) -> None:
    setting(home, "paper", f'{name} = "bars.csv"')
    assert found(call(home, "check", "--json"))[name]["status"] == "FAIL"

    header, good, bad = (
        "date,stock_code,open,high,low,close",
        "2026-09-01,600519.SH,9,9,9,9",
        "2026-09-02,600519.SH,0,1,2,3",
    )
    for rows, status in (((header, good), "OK"), ((header, good, bad), "WARN"), (("date,open", "1,2"), "FAIL")):
        (home.root / "bars.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        assert found(call(home, "check", "--json"))[name]["status"] == status


def test_opening_holdings_are_read_when_configured(home: Home) -> None:
    setting(home, "paper", 'positions = "held.csv"')
    (home.root / "held.csv").write_text("stock_code,shares\n600519.SH,x\n", encoding="utf-8")
    assert found(call(home, "check", "--json"))["positions"]["status"] == "FAIL"

    (home.root / "held.csv").write_text("stock_code,shares\n600519.SH,100\n", encoding="utf-8")
    assert found(call(home, "check", "--json"))["positions"]["status"] == "OK"


@pytest.mark.parametrize(
    ("today", "status"),
    [
        (UNTIL.replace(month=11, day=15), "OK"),
        (UNTIL.replace(month=12, day=1), "WARN"),
        (UNTIL, "WARN"),
        (UNTIL + timedelta(days=1), "FAIL"),
    ],
)
def test_the_calendar_must_be_extended_from_december_on(today: date, status: str) -> None:
    own = Path("config") / "calendar.toml"
    checked = calendar_check(CALENDAR, today, own, is_used=True)

    assert checked.status == status
    assert str(UNTIL) in checked.text
    assert bool(checked.remedy) == (str(own) in checked.remedy) == (status != "OK")
    assert calendar_check(CALENDAR, today, own, is_used=False).status in ("OK", "WARN")


def test_a_calendar_that_ends_within_thirty_days_warns_in_any_month() -> None:
    short = replace(CALENDAR, known_until=date(2026, 6, 30))

    assert calendar_check(short, date(2026, 5, 31), Path("c"), is_used=True).status == "OK"
    assert calendar_check(short, date(2026, 6, 1), Path("c"), is_used=True).status == "WARN"


@pytest.mark.parametrize(
    ("free_bytes", "status"),
    [(2_000_000_000, "OK"), (1_999_999_999, "WARN"), (500_000_000, "WARN"), (499_999_999, "FAIL")],
)
def test_a_full_disk_warns_before_it_fails(free_bytes: int, status: str) -> None:
    assert disk_check(free_bytes).status == status


def test_a_clock_that_was_never_set_fails() -> None:
    assert clock_check(datetime(2023, 12, 31, tzinfo=SHANGHAI)).status == "FAIL"
    assert clock_check(datetime(2024, 1, 1, tzinfo=SHANGHAI)).status == "OK"


def test_python_without_its_checks_is_refused(home: Home) -> None:
    assert python_check((3, 11), asserts=False).status == "FAIL"
    assert python_check((3, 11), asserts=True).status == "OK"

    words = [sys.executable, "-O", "-m", "qws", "check", "--home", str(home.root)]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "-O" in done.stderr


def test_xtquant_is_looked_for_on_windows_only() -> None:
    assert "Windows" in xtquant_check("Linux", is_found=False).text
    assert xtquant_check("Linux", is_found=False).status == "SKIP"
    assert xtquant_check("Windows", is_found=False).status == "WARN"
    assert xtquant_check("Windows", is_found=True).status == "OK"
