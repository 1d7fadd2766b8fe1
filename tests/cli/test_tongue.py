"""The command line speaks the language of the home that is meant: output, help, errors, tables."""

from __future__ import annotations

import ast
import json
import re
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from qws.cli import COMMANDS, cli
from qws.cli.home import make_home
from qws.cli.table import width
from qws.home import Home
from qws.messages import LinkLost
from qws.runtime.clock import SHANGHAI
from qws.runtime.message import Envelope
from tests.cli.rig import fill

CHINESE = re.compile("[\u4e00-\u9fff]")
SOURCES = sorted((Path(__file__).parents[2] / "qws" / "cli").glob("*.py"))
# What prints for programs, or what others wrote: JSON, the log's lines, the diagram, the last words of `main`.
BARE = {"options.py", "log.py", "topology.py", "__init__.py"}


pytestmark = pytest.mark.usefixtures("the_language_stays")


def a_home(folder: Path, tongue: str) -> str:
    home = make_home(folder)
    text = home.config_file.read_text(encoding="utf-8")
    home.config_file.write_text(re.sub('language = "[a-zA-Z_]+"', f'language = "{tongue}"', text), encoding="utf-8")
    return str(home.root)


def said(*arguments: str) -> str:
    return CliRunner().invoke(cli, list(arguments)).output


@pytest.mark.parametrize(
    "command", ["status", "check", "runs", "orders", "positions", "halt", "alerts", "equity", "quality"]
)
def test_a_command_answers_in_the_language_of_its_home(tmp_path: Path, command: str) -> None:
    assert CHINESE.search(said(command, "--home", a_home(tmp_path / "zh", "zh_CN")))
    assert not CHINESE.search(said(command, "--home", a_home(tmp_path / "en", "en")))


def test_every_heading_and_outcome_of_the_rules_is_chinese(tmp_path: Path) -> None:
    first, *rows = said("rules", "--home", a_home(tmp_path, "zh_CN")).splitlines()

    assert not re.search("[a-z]", first)
    assert [row for row in rows if re.search("[a-z]", row.split("  ")[-1] + row.rsplit(maxsplit=2)[1])] == []


def test_a_faulty_use_is_told_in_chinese(tmp_path: Path) -> None:
    answer = said("cancel", "--home", a_home(tmp_path, "zh_CN"))

    assert "错误：请说明撤哪些委托：`qws cancel --all` 撤销本程序的全部未成交委托" in answer
    assert "用法：" in answer


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_help_is_chinese_and_fits_a_terminal(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    monkeypatch.setenv("QWS_LANGUAGE", "zh_CN")

    lines = said(command, "--help").splitlines()

    described = [line for line in lines[1:] if re.match(r"  +\S", line)]
    assert described
    assert [line for line in described if re.search("[a-z]{3,} [a-z]{2,} [a-z]{2,}", line)] == []
    assert max(width(line) for line in lines) <= 82


def test_json_is_the_same_in_every_language(tmp_path: Path) -> None:
    home = a_home(tmp_path, "zh_CN")

    assert not CHINESE.search(said("status", "--home", home, "--json"))


def test_no_command_prints_past_the_translation() -> None:
    found = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        if path.name not in BARE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("click.echo", "click.secho", "print")
    ]

    assert found == []


def test_events_for_programs_are_the_same_in_every_language(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    home, words = a_home(folder, "zh_CN"), ("events", "--json", "--since", "0")
    at = datetime(2026, 11, 23, 9, 30, tzinfo=SHANGHAI)
    lost = LinkLost("the account is known: row 2: 600519.SH weighs 12.00%, the limit is 10.00%")
    fill(Home(folder), (Envelope(1, 1, None, at, "broker_link", lost),))

    (row,) = said(*words, "--home", home).splitlines()

    assert json.loads(row)["body"] == {"reason": lost.reason}
