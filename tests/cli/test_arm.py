"""Real money needs a person who types the account: for this home, these settings, and no others."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qws.arming import THIS_MACHINE, NotArmed, arm_home, obstacle, read_armed, require_armed, settings_digests
from qws.cli import cli
from qws.config import Config, load_config
from qws.errors import ConfigError
from qws.home import Home
from qws.masking import masked
from qws.runtime.clock import SystemClock
from tests.cli.live import ACCOUNT, a_live_home
from tests.cli.rig import ROOT

DIGESTS = """
import sys
from pathlib import Path
from qws.arming import settings_digests
from qws.config import load_config
print(sorted(settings_digests(load_config(Path(sys.argv[1]))).items()))
"""


def arm(home: Home, typed: str, *words: str) -> Result:
    return CliRunner().invoke(cli, ["arm", *words, "--home", str(home.root)], input=f"{typed}\n")


def why_not(home: Home) -> str:
    return obstacle(home, load_config(home.config_file))


def edit(home: Home, old: str, new: str) -> None:
    text = home.config_file.read_text(encoding="utf-8")
    assert old in text
    home.config_file.write_text(text.replace(old, new), encoding="utf-8")


def test_a_home_is_armed_by_typing_its_account(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home")
    assert "not armed" in why_not(home)

    result = arm(home, ACCOUNT)

    assert result.exit_code == 0
    assert why_not(home) == ""
    require_armed(home, load_config(home.config_file))
    armed = read_armed(home)
    assert armed is not None
    assert armed.account == ACCOUNT
    assert "@" in armed.by
    before_the_answer = result.output.partition("Type the account")[0]
    assert ACCOUNT not in before_the_answer
    for shown in (str(home.root), masked(ACCOUNT), "userdata_mini", "turnover", "sessions"):
        assert shown in before_the_answer


@pytest.mark.parametrize("typed", ["1000000366", ACCOUNT[-4:], "yes"])
def test_another_answer_arms_nothing(tmp_path: Path, typed: str) -> None:
    home = a_live_home(tmp_path / "home")

    result = arm(home, typed)

    assert result.exit_code == 1
    assert not home.armed.exists()
    assert "not armed" in why_not(home)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (f'account = "{ACCOUNT}"', 'account = "1000000999"', "****0999"),
        ("userdata_mini'", "userdata_mini_2'", "[xt] changed"),
        ('package = "xtquant"', 'package = "bridge.xtquant"', "[xt] changed"),
        ("query_s = 5.0", "query_s = 9.0", "[xt] changed"),
        ("always_open = false", "always_open = true", "paper.always_open changed"),
        ("weight_max = 1 ", "weight_max = 0.5 ", "[risk] changed"),
        ("protected = []", 'protected = ["600519.SH"]', "[plan] changed"),
        ("sell_level = 5", "sell_level = 4", "[plan] changed"),
        ('absent = "hold"', 'absent = "again"', "[execution] changed"),
        ("absent_after_s = 180.0", "absent_after_s = 1.0", "[link] changed"),
        ("allow_empty = false", "allow_empty = true", "[intake] changed"),
        ("last_order_at = 14:56:00", "last_order_at = 14:59:00", "[schedule] changed"),
        ("commission_min = 5", "commission_min = 0", "[fees] changed"),
    ],
)
def test_what_is_changed_afterwards_must_be_confirmed_again(tmp_path: Path, old: str, new: str, said: str) -> None:
    home = a_live_home(tmp_path / "home")
    assert arm(home, ACCOUNT).exit_code == 0

    edit(home, old, new)

    assert said in why_not(home)


def test_what_is_not_about_the_account_may_change(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home")
    assert arm(home, ACCOUNT).exit_code == 0

    edit(home, "seed = 1 ", "seed = 2 ")
    edit(home, 'inbox = "inbox"', 'inbox = "other"')
    edit(home, 'language = "en"', 'language = "zh_CN"')
    edit(home, "retention_days = 5", "retention_days = 50")
    edit(home, 'level = "INFO"', 'level = "DEBUG"')

    assert why_not(home) == ""


def test_every_table_that_changed_is_named_and_no_other(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home")
    assert arm(home, ACCOUNT).exit_code == 0

    edit(home, "\norders_max = 10000", "\norders_max = 20000")
    edit(home, "chase_times = 3", "chase_times = 4")

    named = why_not(home).partition(" changed since")[0].split(", ")
    assert sorted(named) == ["[execution]", "[risk]"]


def test_a_copy_of_an_armed_home_is_armed_at_another_place(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home")
    assert arm(home, ACCOUNT).exit_code == 0
    copy = Home(Path(shutil.copytree(home.root, tmp_path / "copy")))

    assert why_not(copy).startswith("armed at another place")
    assert str(home.root) in why_not(copy)
    with pytest.raises(NotArmed, match="qws arm"):
        require_armed(copy, load_config(copy.config_file))

    assert arm(copy, ACCOUNT).exit_code == 0
    assert why_not(copy) == why_not(home) == ""


def test_a_home_on_another_computer_is_armed_at_another_place(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home")
    config = load_config(home.config_file)
    arm_home(home, config, SystemClock().now(), "me", machine="ONE")

    assert obstacle(home, config, machine="ONE") == ""
    assert obstacle(home, config, machine="TWO").startswith("armed at another place")
    assert "ONE" in obstacle(home, config)
    assert THIS_MACHINE in obstacle(home, config)


def test_the_same_folder_by_another_name_is_the_same_place(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home")
    assert arm(home, ACCOUNT).exit_code == 0

    assert why_not(Home(home.state / "..")) == ""


def test_a_paper_home_has_nothing_to_arm(home: Home) -> None:
    result = arm(home, ACCOUNT)

    assert isinstance(result.exception, ConfigError)
    assert "nothing to arm" in str(result.exception)
    assert why_not(home) == ""


def test_orders_at_any_hour_need_a_word_of_their_own(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home", always_open=True)

    refused = arm(home, ACCOUNT)
    assert isinstance(refused.exception, ConfigError)
    assert "paper.always_open" in str(refused.exception)
    assert not home.armed.exists()

    assert "ANY HOUR" in arm(home, ACCOUNT, "--any-hour").output
    assert why_not(home) == ""


OLD = {"account": ACCOUNT, "settings": "0" * 64, "at": "2026-11-20T09:00:00+08:00", "by": "me@here"}
ODD = {"account": ACCOUNT, "home": 1, "machine": [], "settings": None, "at": 0, "by": {}}


@pytest.mark.parametrize(
    "content",
    ["", "null", "[]", '{"account": "1000000365"}', "\x00", '{"x": 1}', json.dumps(OLD), json.dumps(ODD)],
)
def test_a_damaged_confirmation_is_none(tmp_path: Path, content: str) -> None:
    home = a_live_home(tmp_path / "home")
    home.armed.write_text(content, encoding="utf-8")

    assert read_armed(home) is None
    assert "not armed" in why_not(home)


def test_another_home_is_not_armed_by_the_first(tmp_path: Path) -> None:
    first, second = a_live_home(tmp_path / "first"), a_live_home(tmp_path / "second")
    arm_home(first, load_config(first.config_file), SystemClock().now(), "me")

    assert why_not(first) == ""
    assert "not armed" in why_not(second)


def test_every_setting_but_the_free_ones_is_confirmed() -> None:
    confirmed = {name.strip("[]") for name in settings_digests(Config())}

    free = {"language", "inbox", "log", "checks", "reports", "serve", "paper"}
    assert confirmed == set(Config.model_fields) - free | {"paper.always_open"}


def test_the_digests_are_the_same_in_every_process(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home", protected='["600519.SH", "000001.SZ", "300750.SZ", "688001.SH"]')
    told = {
        subprocess.run(
            [sys.executable, "-c", DIGESTS, str(home.config_file)],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }  # fmt: skip

    assert len(told) == 1
    assert "[plan]" in told.pop()


@pytest.mark.parametrize(("account", "shown"), [("1000000365", "****0365"), ("365", "****"), ("0365", "****")])
def test_an_account_shows_its_last_four_characters_and_never_all(account: str, shown: str) -> None:
    assert masked(account) == shown
