"""A fault in the settings is one line in the words of the file: key, value as it was written, what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qws import language
from qws.config import load_config
from qws.errors import ConfigError
from qws.language import speak
from qws.sentences import localised

PYTHON = re.compile(r"datetime\.|Value error|dictionary|instance of|tuple|frozenset|Decimal|True|False|None|\{")
TIMES = ("plan_at", "send_at", "last_order_at", "equity_at")
A_TIME, A_LIST = "write a time of Asia/Shanghai without a zone", "write a list in square brackets"


def fault(folder: Path, text: str) -> str:
    """What is told of a file, without its name."""
    path = folder / "qws.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_config(path)
    (line,) = str(refused.value).splitlines()
    assert not PYTHON.search(line)
    assert line.startswith(f"{path}: ")
    return line.removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ("plan_at = 12:25:00", "schedule: plan_at = 12:25:00 is too late for send_at = 09:30:03"),
        ('plan_at = "12:25"', "schedule: plan_at = 12:25:00 is too late for send_at = 09:30:03"),
        ("send_at = 14:56:00", "schedule: send_at = 14:56:00 is too late for last_order_at = 14:56:00"),
        ("equity_at = 14:56:00", "schedule: last_order_at = 14:56:00 is too late for equity_at = 14:56:00"),
    ],
)
def test_times_in_a_wrong_order_are_told_by_the_pair_and_the_order(tmp_path: Path, lines: str, told: str) -> None:
    line = fault(tmp_path, f"[schedule]\n{lines}\n")

    assert line.startswith(told)
    assert all(name in line for name in TIMES)


def test_the_plan_may_be_made_when_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "qws.toml"
    path.write_text("[schedule]\nplan_at = 09:30:03\n", encoding="utf-8")

    schedule = load_config(path).schedule
    assert schedule.plan_at == schedule.send_at


@pytest.mark.parametrize(
    ("text", "shown", "allowed"),
    [
        ("[schedule]\nplan_at = true", "schedule.plan_at = true", A_TIME),
        ("[schedule]\nplan_at = 925", "schedule.plan_at = 925", A_TIME),
        ('[schedule]\nplan_at = "soon"', "schedule.plan_at = 'soon'", A_TIME),
        ("[schedule]\nplan_at = 2026-11-23", "schedule.plan_at = 2026-11-23", A_TIME),
        ("[schedule]\nplan_at = 2026-11-23T09:25:00", "schedule.plan_at = 2026-11-23T09:25:00", A_TIME),
        ('[schedule]\nsend_at = "09:30+08:00"', "schedule.send_at = '09:30+08:00'", A_TIME),
        ('[checks]\nready_at = "09:15Z"', "checks.ready_at = '09:15Z'", A_TIME),
        ('[risk]\nhold = "turnover"', "risk.hold = 'turnover'", A_LIST),
        ('[risk]\nhold = ["x", "turnover"]', "risk.hold = ['x', 'turnover']", "is no rule that can hold a plan"),
        ("[risk]\nturnover_max = false", "risk.turnover_max = false", "write a number"),
        ('[risk]\nturnover_max = "a lot"', "risk.turnover_max = 'a lot'", "write a number"),
        ('[plan]\nprotected = ["it\'s"]', 'plan.protected = ["it\'s"]', "is no code"),
        ('[xt]\npath = "C:\\temp"', 'xt.path = "C:\\temp"', "single quotes"),
        ('schedule = "x"', "schedule = 'x'", "one table of keys"),
    ],
)
def test_a_value_is_shown_as_it_was_written(tmp_path: Path, text: str, shown: str, allowed: str) -> None:
    line = fault(tmp_path, text)

    assert line.startswith(f"{shown}: ")
    assert allowed in line


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[[schedule]]\nplan_at = 09:25:00", "schedule: write it as one table of keys"),
        ('[[schedule.runs]]\nname = "late"', "schedule.runs.0: write either at"),
        ('[[schedule.runs]]\nat = ["10:30"]', "schedule.runs.0.name: it is missing"),
        ("[notify]\nquiet_from = 1", f"notify.quiet_from: {A_TIME}"),
    ],
)
def test_a_table_is_named_and_not_shown(tmp_path: Path, text: str, told: str) -> None:
    assert fault(tmp_path, text).startswith(told)


@pytest.fixture
def _the_language_stays() -> Iterator[None]:
    before = language._translations
    yield
    language._translations = before


@pytest.mark.usefixtures("_the_language_stays")
def test_a_fault_is_told_in_chinese(tmp_path: Path) -> None:
    speak("zh_CN")

    assert "plan_at = 12:25:00 相对于 send_at" in localised(fault(tmp_path, "[schedule]\nplan_at = 12:25:00\n"))
    assert "请写不带时区的北京时间" in localised(fault(tmp_path, "[schedule]\nplan_at = 925\n"))
