"""What keeps `qws run` from starting is one clear line and an exit code, never a traceback."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.living import a_home
from tests.acceptance.program import Outcome, qws

# what the file says, and the words that the error must name
BROKEN = [
    ("x = [\n", "TOML"),
    ("[plan]\nsel_level = 3\n", "plan.sel_level"),
    ("[plam]\nsell_level = 3\n", "plam"),
    ("plan = 3\n", "plan"),
    ('[plan]\nsell_level = "abc"\n', "plan.sell_level"),
    ("[plan]\nsell_level = 9\n", "plan.sell_level"),
    ('[plan]\nprotected = ["6005"]\n', "plan.protected"),
    ('[plan]\nprotected = ["sh600519"]\n', "plan.protected"),
    ('[plan]\nprotected = "600519.SH"\n', "plan.protected"),
    ("[plan]\ncash_reserve = -1\n", "plan.cash_reserve"),
    ("[paper]\nseed = 1.5\n", "paper.seed"),
    ("[paper]\ncash = true\n", "paper.cash"),
    ("[paper]\ncash = 1e30\n", "paper.cash"),
    ('[paper]\nalways_open = "maybe"\n', "paper.always_open"),
    ('[schedule]\nplan_at = "25:00"\n', "schedule.plan_at"),
    ('[schedule]\nplan_at = "09:25:00+08:00"\n', "schedule"),
    ("[schedule]\nplan_at = 09:40:00\n", "plan_at"),
    ("[schedule]\nlast_order_at = 09:00:00\n", "last_order_at"),
    ("[execution]\nsell_wait_s = inf\n", "execution.sell_wait_s"),
    ("[link]\nsweep_s = nan\n", "link.sweep_s"),
    ("[link]\nabsent_after_s = 1e300\n", "link.absent_after_s"),
    ('[log]\nrotation = "banana"\n', "log.rotation"),
    ('[log]\nlevel = "LOUD"\n', "log.level"),
    ("[log]\nretention_days = 99999999999\n", "log.retention_days"),
    ('mode = "live"\n', "mode"),
    ('inbox = ""\n', "inbox"),
]


def one_clear_line(outcome: Outcome) -> str:
    assert outcome.out == ""
    text = outcome.err.splitlines()[-1]
    assert text.startswith("qws: ")
    return text


@pytest.mark.parametrize(("text", "key"), BROKEN)
def test_settings_that_cannot_be_used_are_named(tmp_path: Path, text: str, key: str) -> None:
    home = a_home(tmp_path / "home")
    home.config_file.write_text(text, encoding="utf-8")
    outcome = qws("run", "--home", home.root, "--quiet")
    assert outcome.code == 2
    assert re.search(rf"\b{re.escape(key)}\b", one_clear_line(outcome))
    assert "qws.toml" in outcome.err


def test_settings_in_another_encoding_are_refused(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    home.config_file.write_bytes("mode = 'paper'".encode("utf-16"))
    outcome = qws("run", "--home", home.root)
    assert (outcome.code, "UTF-8" in one_clear_line(outcome)) == (2, True)


@pytest.mark.parametrize("is_folder", [True, False])
def test_a_home_without_settings_says_how_to_make_one(tmp_path: Path, is_folder: bool) -> None:
    home = a_home(tmp_path / "home")
    home.config_file.unlink()
    if is_folder:
        home.config_file.mkdir()
    outcome = qws("run", "--home", home.root)
    assert (outcome.code, "qws init" in one_clear_line(outcome)) == (2, True)


@pytest.mark.parametrize("key", ["prices", "positions", "index"])
def test_a_paper_file_that_is_not_there_is_named_also_when_quiet(tmp_path: Path, key: str) -> None:
    home = a_home(tmp_path / "home", **{key: '"nowhere.csv"'})
    outcome = qws("run", "--home", home.root, "--quiet")
    assert (outcome.code, "nowhere.csv" in one_clear_line(outcome)) == (2, True)


@pytest.mark.parametrize("name", ["state", "logs", "inbox", "inbox/accepted", "inbox/.claimed"])
def test_a_file_where_a_folder_must_be_is_a_broken_environment(tmp_path: Path, name: str) -> None:
    home = a_home(tmp_path / "home")
    place = home.root / name
    if place.is_dir():
        place.rmdir()
    place.write_bytes(b"")
    outcome = qws("run", "--home", home.root, "--quiet")
    assert (outcome.code, str(place) in one_clear_line(outcome)) == (3, True)


@pytest.mark.parametrize(
    "name", ["journal.sqlite", "exchange.sqlite", "views.sqlite", "daemon.lock", "daemon.lock.pid"]
)
def test_a_folder_where_a_file_must_be_is_a_broken_environment(tmp_path: Path, name: str) -> None:
    home = a_home(tmp_path / "home")
    (home.state / name).mkdir()
    outcome = qws("run", "--home", home.root, "--quiet")
    assert (outcome.code, name in one_clear_line(outcome)) == (3, True)


@pytest.mark.parametrize("name", ["fees", "calendar"])
def test_a_broken_table_in_the_home_is_named(tmp_path: Path, name: str) -> None:
    home = a_home(tmp_path / "home")
    (home.config_folder / f"{name}.toml").write_text("x = [", encoding="utf-8")
    outcome = qws("run", "--home", home.root, "--quiet")
    assert (outcome.code, f"{name}.toml" in one_clear_line(outcome)) == (2, True)
