"""Daily and monthly tear sheets as a daemon writes them: by a real child process, into a real home."""

from __future__ import annotations

import os
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pytest

from qws.cli.home import make_home
from qws.config import ReportsSection
from qws.home import Home
from qws.runtime.clock import SHANGHAI
from qws.sheets import HomeSheets
from qws.store.archive import EquityRow, append_equity

DAYS = (date(2026, 11, 20), date(2026, 11, 23))


def close(home: Home, day: date, total: int) -> None:
    at, money = datetime.combine(day, time(15, 10), SHANGHAI), Decimal(total)
    append_equity(
        home.equity,
        EquityRow(
            day=day, at=at, kind="close", run_id=None, total_asset=money, cash=money, frozen_cash=Decimal(0),
            market_value=Decimal(0), benchmark=Decimal(3900), flow=Decimal(0),
        ),
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = make_home(tmp_path / "home")
    for day, total in zip(DAYS, (1_000_000, 1_010_000), strict=True):
        close(home, day, total)
    return home


def names(home: Home) -> list[str]:
    return sorted(path.relative_to(home.reports).as_posix() for path in home.reports.rglob("*.*"))


def test_a_day_and_its_month_are_written_as_page_and_picture(home: Home) -> None:
    sheets = HomeSheets(home, ReportsSection(), lambda: False)

    assert sheets.write(DAYS[1], again=True)

    day, month = "daily/2026-11-23", "monthly/2026-11"
    assert names(home) == [f"{day}.html", f"{day}.png", f"{month}.html", f"{month}.png"]
    assert "1.00%" in (home.reports / "daily" / "2026-11-23.html").read_text(encoding="utf-8")
    assert (home.reports / "daily" / "2026-11-23.png").read_bytes().startswith(b"\x89PNG")


def test_what_is_there_is_not_written_again_at_a_start(home: Home) -> None:
    sheets = HomeSheets(home, ReportsSection(monthly=False), lambda: False)
    assert sheets.write(DAYS[1], again=False)
    page = home.reports / "daily" / "2026-11-23.html"
    page.write_text("mine", encoding="utf-8")
    for path in page.parent.iterdir():
        known_at = datetime.combine(DAYS[1], time(15, 11), SHANGHAI).timestamp()
        os.utime(path, (known_at, known_at))

    assert sheets.write(DAYS[1], again=False)

    assert page.read_text(encoding="utf-8") == "mine"


def test_only_the_newest_are_kept_and_what_a_person_put_there_stays(home: Home) -> None:
    sheets = HomeSheets(home, ReportsSection(monthly=False, daily_kept=1), lambda: False)
    notes = home.reports / "daily" / "2026-11-19 notes.html"
    notes.parent.mkdir(parents=True)
    notes.write_text("mine", encoding="utf-8")

    assert all(sheets.write(day, again=True) for day in DAYS)

    assert names(home) == ["daily/2026-11-19 notes.html", "daily/2026-11-23.html", "daily/2026-11-23.png"]


@pytest.mark.parametrize("state", ["missing", "of the day before"])
def test_a_month_that_a_kill_kept_from_being_written_is_written_at_the_start(home: Home, state: str) -> None:
    sheets = HomeSheets(home, ReportsSection(), lambda: False)
    assert sheets.write(DAYS[1], again=True)
    for path in home.reports.rglob("*.*"):
        known_at = datetime.combine(DAYS[1], time(15, 11), SHANGHAI).timestamp()
        os.utime(path, (known_at, known_at))
    assert sheets.write(DAYS[1], again=False)
    month = home.reports / "monthly" / "2026-11.html"
    if state == "missing":
        month.unlink()
    else:
        known_at = datetime.combine(DAYS[0], time(15, 11), SHANGHAI).timestamp()
        month.write_text("old", encoding="utf-8")
        os.utime(month, (known_at, known_at))

    assert sheets.write(DAYS[1], again=False)

    assert "1.00%" in month.read_text(encoding="utf-8")


def test_after_a_stop_nothing_is_drawn_and_no_close_is_waited_for(home: Home) -> None:
    sheets = HomeSheets(home, ReportsSection(), lambda: True)

    assert not sheets.write(DAYS[1], again=True)
    assert not sheets.write(date(2026, 11, 24), again=True)
    assert names(home) == []


def test_a_stop_ends_a_drawing_that_has_begun(home: Home) -> None:
    asked = iter([False])
    sheets = HomeSheets(home, ReportsSection(), lambda: next(asked, True))

    assert not sheets.write(DAYS[1], again=True)
    assert not (home.reports / "monthly" / "2026-11.html").exists()  # a day's may have been drawn before it was killed


def test_sheets_that_are_switched_off_are_not_made(home: Home) -> None:
    assert HomeSheets(home, ReportsSection(daily=False, monthly=False), lambda: False).write(DAYS[1], again=True)
    assert names(home) == []


def test_what_cannot_be_written_is_a_line_of_the_log_and_tried_again(home: Home) -> None:
    home.reports.write_text("no folder", encoding="utf-8")

    assert HomeSheets(home, ReportsSection(), lambda: False).write(DAYS[1], again=True) is False
