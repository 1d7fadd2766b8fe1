"""The [schedule] section: what it takes, and what it refuses in a line that helps."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path

import pytest

from qws.app import schedule_of
from qws.config import Config, load_config, make_config
from qws.domain.schedule import Moment
from qws.errors import ConfigError
from qws.runtime.clock import SHANGHAI
from qws.tables import load_calendar
from tests.support.builders import at

FRIDAY, MONDAY = date(2026, 11, 20), date(2026, 11, 23)
LATE = {"name": "late", "at": ["10:30", "14:30"]}
OUTSIDE = ["08:00", "09:25:00", "11:30", "12:15", "13:00:02", "14:56", "22:00"]


def a_config(*runs: dict[str, object], always_open: bool = False, **keys: object) -> Config:
    return make_config({"schedule": {"runs": list(runs), **keys}, "paper": {"always_open": always_open}}, "test")


def moments(config: Config, day: date) -> list[tuple[str, str]]:
    found = schedule_of(config, load_calendar()).moments_of(day, SHANGHAI)
    return [(moment.name, f"{moment.at:%H:%M}") for moment in found]


def test_the_example_of_a_settings_file_means_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "qws.toml"
    path.write_text(
        """[schedule]
on_drop = "schedule"
catch_up_s = 1800.0
[[schedule.runs]]
name = "late"
at = [10:30:00, 14:30:00]
[[schedule.runs]]
name = "friday"
cron = "45 14 * * fri"
files = "alpha*.csv"
""",
        encoding="utf-8",
    )
    config = load_config(path)
    schedule = schedule_of(config, load_calendar())

    assert moments(config, MONDAY) == [("default", "09:25"), ("late", "10:30"), ("late", "14:30")]
    assert moments(config, FRIDAY) == [*moments(config, MONDAY), ("friday", "14:45")]
    assert (schedule.waits, schedule.catch_up_s) == (True, 1800.0)
    assert schedule.files_of(Moment("friday", at("14:45:00"))) == "alpha*.csv"


def test_times_of_a_cron_at_which_no_order_may_leave_are_no_moments() -> None:
    config = a_config({"name": "half", "cron": "*/30 9-15 * * mon-fri"})

    assert [when for name, when in moments(config, FRIDAY) if name == "half"] == [
        "10:00", "10:30", "11:00", "13:30", "14:00", "14:30",
    ]  # fmt: skip


@pytest.mark.parametrize("when", OUTSIDE)
def test_a_time_at_which_no_order_may_leave_is_refused_where_the_market_closes(when: str) -> None:
    run = {"name": "odd", "at": ["10:00", when]}

    with pytest.raises(ConfigError, match=r"odd at .*no order may leave then; choose"):
        a_config(run)
    assert ("odd", when[:5]) in moments(a_config(run, always_open=True), FRIDAY)


@pytest.mark.parametrize("cron", ["0 8 * * *", "15 12 * * fri", "56 14 * * *", "0 22 1 * *"])
def test_a_cron_that_never_finds_the_market_open_is_refused(cron: str) -> None:
    with pytest.raises(ConfigError, match=r"odd at .*no order may leave then"):
        a_config({"name": "odd", "cron": cron})


@pytest.mark.parametrize(
    ("run", "text"),
    [
        ({"name": "late"}, "write either at"),
        ({**LATE, "cron": "30 10 * * *"}, "write either at"),
        ({"name": "late", "at": ["10:30+08:00"]}, "without a zone"),
        ({"name": "late", "at": ["25:30"]}, "schedule.runs.0.at.0 = '25:30'"),
        ({"name": "default", "at": ["10:30"]}, "two runs are named 'default'"),
        ({"name": "a b", "at": ["10:30"]}, "schedule.runs.0.name = 'a b'"),
        ({"name": "late", "cron": "30 10 * *"}, "4 fields instead of 5; write minute, hour"),
        ({"name": "late", "cron": "0 30 10 * * *"}, "6 fields instead of 5"),
        ({"name": "late", "cron": "61 10 * * *"}, "out of range; write minute, hour"),
        ({"name": "late", "cron": "30 10 * * freitag"}, "'freitag' means nothing here"),
        ({"name": "late", "cron": "r 10 * * *"}, "'r' means nothing here"),
        ({"name": "late", "cron": "h 10 * * *"}, "'h' means nothing here"),
        ({"name": "late", "cron": "30 10 31 2 *"}, "failed to find next date"),
        ({"name": "late", "cron": "* * * * *"}, "234 runs a day; 24 are the most"),
        ({"name": "late", "times": ["10:30"]}, "unknown key schedule.runs.0.times"),
    ],
)
def test_a_run_that_cannot_be_meant_is_refused(run: dict[str, object], text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        a_config(run)
    assert text in str(refused.value)


@pytest.mark.parametrize("keys", [{"on_drop": "later"}, {"catch_up_s": -1}, {"catch_up_s": 90_000}])
def test_a_value_that_means_nothing_is_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=f"schedule.{next(iter(keys))}"):
        a_config(**keys)


def test_two_runs_of_a_name_are_refused() -> None:
    with pytest.raises(ConfigError, match="two runs are named 'late'"):
        a_config(LATE, LATE)


def test_a_variable_may_hold_the_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWS_SCHEDULE__RUNS", '[{"name": "noon", "at": ["13:30"]}]')

    assert Config().schedule.runs[0].times == (time(13, 30),)


def test_the_check_says_which_times_of_a_cron_are_skipped() -> None:
    config = a_config(LATE, {"name": "half", "cron": "*/30 9-15 * * mon-fri", "files": "alpha*"})

    assert config.schedule.described(always_open=False) == (
        "default 09:25:00; late 10:30:00 14:30:00; half 10:00:00 10:30:00 11:00:00 13:30:00 14:00:00 14:30:00"
        ' of "*/30 9-15 * * mon-fri", 8 times skipped at which no order may leave, for alpha*'
    )
