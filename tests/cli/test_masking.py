"""An account id that the settings name is shown by its last four characters only, whoever said it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from loguru import logger

from qws.config import LogSection, load_config
from qws.errors import GatewayError
from qws.home import Home
from qws.log import start_logging, stop_logging
from qws.masking import discreet, hide, masked
from qws.messages import LinkLost
from qws.runtime.message import Started
from tests.cli.live import ACCOUNT, a_live_home
from tests.cli.rig import ROOT, call, fill
from tests.store.samples import logged

SAID = f"账号{ACCOUNT}未登录; 2____11111____{ACCOUNT}____49____: no such account"
A_COMMAND_THAT_FAILS = """
from qws import cli
from qws.cli import home
from qws.config import load_config
from qws.errors import GatewayError
import click
@click.command()
@click.argument("file")
def init(file):
    raise GatewayError(f"subscribe: account {load_config(__import__('pathlib').Path(file)).xt.account} is unknown")
home.init = init
cli.main()
"""


@pytest.fixture
def live(tmp_path: Path) -> Home:
    home = a_live_home(tmp_path / "home")
    load_config(home.config_file)
    return home


@pytest.mark.parametrize(("account", "shown"), [("1000000365", "****0365"), ("365", "****"), ("0365", "****")])
def test_an_account_shows_its_last_four_characters_and_never_all(account: str, shown: str) -> None:
    assert masked(account) == shown


def test_the_vendors_own_words_are_masked_once_settings_were_read(live: Home) -> None:
    assert live.config_file.is_file()
    assert discreet(SAID) == SAID.replace(ACCOUNT, "****0365")


@given(st.text(), st.text(alphabet="abc_账 -.:"))
def test_no_text_around_it_shows_an_account(before: str, after: str) -> None:
    hide(ACCOUNT)
    text = f"{before} {ACCOUNT}{after}"

    assert discreet(text).endswith(f" ****0365{after}")


@pytest.mark.parametrize("number", [f"1{ACCOUNT}", f"{ACCOUNT}7"])
def test_a_longer_number_is_not_the_account(live: Home, number: str) -> None:
    assert live.config_file.is_file()
    assert discreet(f"order {number}") == f"order {number}"


def test_no_log_file_tells_the_account_whoever_logs_it(live: Home) -> None:
    start_logging(live, LogSection(rotation="1 KB"), console=False, head=f"head of {ACCOUNT}")
    for number in range(20):
        logger.warning("order {}: {}", number, SAID)
    logger.bind(at="now", run="r", id="#1", actor="broker_link", kind="OrderUpdated").info("{}", SAID)
    stop_logging()

    files = [path.read_text(encoding="utf-8") for path in live.logs.iterdir()]
    assert len(files) > 2
    assert not [text for text in files if ACCOUNT in text]
    assert all("****0365" in text for text in files)
    lines = [
        json.loads(line) for path in live.logs.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert any(line["actor"] == "broker_link" and "****0365" in line["text"] for line in lines)


def test_an_error_that_ends_a_command_does_not_tell_it(live: Home) -> None:
    words = [sys.executable, "-c", A_COMMAND_THAT_FAILS, "init", str(live.config_file)]
    done = subprocess.run(words, capture_output=True, text=True, encoding="utf-8", cwd=ROOT, check=False)

    assert done.returncode == GatewayError.exit_code
    assert "account ****0365 is unknown" in done.stderr
    assert ACCOUNT not in done.stdout + done.stderr


def test_events_and_the_live_screen_show_no_account(live: Home) -> None:
    fill(live, logged(Started(), LinkLost(SAID)))

    for words in (("events",), ("events", "--json"), ("top", "--once")):
        out = call(live, *words).out
        assert ACCOUNT not in out
        assert "****0365" in out
