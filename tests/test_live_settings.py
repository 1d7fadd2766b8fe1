"""Which settings trade real money: two that agree and an account; else a clear line says what is missing."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from qws.config import load_config, make_config
from qws.errors import ConfigError
from qws.home import account_lock
from qws.paper import open_paper
from qws.runtime.clock import SystemClock

XT = {"account": "1000000365", "path": "x"}
LIVE: dict[str, object] = {"mode": "live", "broker": {"kind": "xt"}}
BROKEN: list[tuple[dict[str, object], str]] = [
    ({"mode": "live"}, "broker.kind"),
    ({"broker": {"kind": "xt"}}, 'mode = "live"'),
    ({"mode": "live", "broker": {"kind": "paper"}, "xt": XT}, "broker.kind"),
    ({"mode": "shadow"}, "broker.kind"),
    ({"mode": "shadow", "broker": {"kind": "xt"}}, "xt.account"),
    ({"mode": "real"}, "mode"),
    ({"broker": {"kind": "miniqmt"}}, "broker.kind"),
    (LIVE, "xt.account"),
    ({**LIVE, "xt": {"account": "1000000365"}}, "xt.path"),
    ({**LIVE, "xt": {"path": "x"}}, "xt.account"),
    ({"xt": {"account": 1000000365}}, "put it in quotes"),
    ({"xt": {"account": "1000 365"}}, "xt.account"),
    ({"xt": {"acount": "1"}}, "unknown key xt.acount"),
    ({"xt": {"account_type": "CREDIT"}}, "'STOCK'"),
    ({"xt": {"package": "../xtquant"}}, "xt.package"),
    ({"xt": {"path": "C:\temp"}}, "single quotes"),
    ({"xt": {"port": 65_536}}, "xt.port"),
    ({"xt": {"query_s": 0}}, "xt.query_s"),
    ({"xt": {"connect_s": float("inf")}}, "xt.connect_s"),
]


def test_two_settings_that_agree_and_an_account_trade_real_money() -> None:
    config = make_config({**LIVE, "xt": XT}, "test")

    assert (config.mode, config.broker.kind, config.xt.account) == ("live", "xt", "1000000365")


def test_nothing_is_live_unless_it_says_so() -> None:
    config = make_config({"xt": XT}, "test")

    assert (config.mode, config.broker.kind) == ("paper", "paper")


@pytest.mark.parametrize(("table", "named"), BROKEN)
def test_settings_that_do_not_mean_it_are_named(table: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError) as raised:
        make_config(table, "the file")

    assert named in str(raised.value)
    assert str(raised.value).startswith("the file: ")
    assert "1000000365" not in str(raised.value)


def test_a_windows_path_in_double_quotes_is_a_clear_error(tmp_path: Path) -> None:
    file = tmp_path / "qws.toml"
    file.write_text('[xt]\npath = "C:\\userdata_mini"\n', encoding="utf-8")

    with pytest.raises(ConfigError, match="single quotes"):
        load_config(file)


def test_the_environment_may_name_the_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "qws.toml"
    file.write_text("mode = 'live'\nbroker.kind = 'xt'\nxt.path = 'x'\n", encoding="utf-8")
    monkeypatch.setenv("QWS_XT__ACCOUNT", "0100000365")

    assert load_config(file).xt.account == "0100000365"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("QWS_SCHEDULE__PLAN_AT", "25:00", "environment variable QWS_SCHEDULE__PLAN_AT: schedule.plan_at = '25:00'"),
        ("qws_plan__bogus", "1", "environment variable QWS_PLAN__BOGUS: unknown key plan.bogus"),
        ("QWS_INTAKE", '{"scan_s": 0}', "environment variable QWS_INTAKE: intake.scan_s = 0"),
        ("QWS_SCHEDULE__SEND_AT", "15:00", "qws.toml with environment variable QWS_SCHEDULE__SEND_AT: schedule"),
        ("QWS_MODE", "live", "qws.toml with environment variable QWS_MODE: mode"),
        ("QWS_PLAN__PROTECTED", "600519.SH", 'environment: error parsing value for field "plan"'),
    ],
)
def test_what_the_environment_said_wrong_is_not_blamed_on_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, value: str, said: str
) -> None:
    for each in [each for each in os.environ if each.upper().startswith("QWS_")]:
        monkeypatch.delenv(each)
    file = tmp_path / "qws.toml"
    file.write_text("[plan]\ndrift_band = 0\n", encoding="utf-8")
    monkeypatch.setenv("QWS_HOME", "somewhere")
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigError) as raised:
        load_config(file)

    assert said in str(raised.value)
    assert (str(file) in str(raised.value)) == said.startswith("qws.toml")
    assert "QWS_HOME" not in str(raised.value)


def test_what_a_command_was_asked_for_is_blamed_on_it_and_not_on_the_environment_it_overrides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("QWS_PAPER__CASH", "5")

    with pytest.raises(ConfigError, match=r"^qws demo: paper\.cash"):
        make_config({"paper": {"cash": -1}}, "qws demo")


def test_a_live_home_is_never_shown_as_the_simulated_account(tmp_path: Path) -> None:
    config = make_config({**LIVE, "xt": XT}, "test")

    with pytest.raises(ConfigError, match="simulated account"):
        open_paper(config, tmp_path, SystemClock(), None, None)


def test_an_account_has_one_lock_whatever_the_home() -> None:
    assert account_lock("1") == account_lock("1")
    assert account_lock("1") != account_lock("2")
    assert "1000000365" not in account_lock("1000000365").name


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_settings_that_the_readme_shows_are_live_ones(name: str, tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / name).read_text(encoding="utf-8")
    (shown,) = [each for each in re.findall(r"```toml\n(.*?)```", text, re.DOTALL) if each.startswith("mode")]
    file = tmp_path / "qws.toml"
    file.write_text(shown, encoding="utf-8")

    config = load_config(file)

    assert (config.mode, config.paper.always_open) == ("live", False)
    assert config.xt.path.endswith("userdata_mini")
