"""Real money needs a person who types the account: for this home, these settings, and no others."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from qws.arming import arm_home, masked, obstacle, read_armed, require_armed, settings_digest
from qws.cli import cli
from qws.config import load_config, make_config
from qws.errors import ConfigError
from qws.home import Home
from qws.runtime.clock import SystemClock
from tests.cli.live import ACCOUNT, a_live_home


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
        ("userdata_mini'", "userdata_mini_2'", "changed"),
        ('package = "xtquant"', 'package = "bridge.xtquant"', "changed"),
        ("query_s = 5.0", "query_s = 9.0", "changed"),
        ("always_open = false", "always_open = true", "changed"),
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

    edit(home, "sell_level = 5", "sell_level = 4")
    edit(home, "seed = 1 ", "seed = 2 ")

    assert why_not(home) == ""


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


@pytest.mark.parametrize("content", ["", "null", "[]", '{"account": "1000000365"}', "\x00", '{"x": 1}'])
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


def test_the_digest_sees_every_key_of_the_terminal() -> None:
    def digest(**xt: object) -> str:
        table = {"account": ACCOUNT, "path": "x", **xt}
        return settings_digest(make_config({"mode": "live", "broker": {"kind": "xt"}, "xt": table}, "test"))

    others = [digest(account="1"), digest(path="y"), digest(package="bridge"), digest(port=7), digest(quote_s=4.0)]
    assert len({digest(), *others}) == len(others) + 1
    assert digest() == digest()


@pytest.mark.parametrize(("account", "shown"), [("1000000365", "****0365"), ("365", "****"), ("0365", "****")])
def test_an_account_shows_its_last_four_characters_and_never_all(account: str, shown: str) -> None:
    assert masked(account) == shown
