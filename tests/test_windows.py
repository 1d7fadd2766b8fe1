"""What is shipped for Windows: the task, the script and the texts name commands, options and files that exist."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path, PureWindowsPath
from xml.etree import ElementTree

import click
import pytest

from qws.arming import NotArmed
from qws.cli import COMMANDS
from qws.config import Config
from qws.errors import ConfigError, QwsError

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "config" / "windows"
READMES = ["README.md", "README.zh-CN.md"]
NAMESPACE = {"": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
CALL = re.compile(r'(?:qws\.exe"?|`qws) (?!goto )((?:[a-z]+)(?:[^\S\n]+[^\s`#]+)*)')


@pytest.fixture(scope="module")
def task() -> ElementTree.Element:
    return ElementTree.fromstring((FOLDER / "qws-task.xml").read_bytes())


def text(task: ElementTree.Element, path: str) -> str:
    found = task.findall(path, NAMESPACE)
    assert len(found) == 1, path
    return found[0].text or ""


def commands(script: str) -> list[str]:
    return [line for line in script.splitlines() if not line.startswith(("rem ", "echo ", ":"))]


def calls(said: str) -> list[list[str]]:
    return [shlex.split(found, posix=False) for found in CALL.findall(said)]


def test_the_task_starts_at_log_on_of_a_person_who_stays_logged_on(task: ElementTree.Element) -> None:
    (triggers,) = task.findall("Triggers", NAMESPACE)

    assert [child.tag.rpartition("}")[2] for child in triggers] == ["LogonTrigger"]
    assert text(task, "Principals/Principal/LogonType") == "InteractiveToken"
    assert text(task, "Principals/Principal/RunLevel") == "LeastPrivilege"


@pytest.mark.parametrize("name", READMES)
def test_the_task_is_registered_for_the_log_on_of_one_user(name: str, task: ElementTree.Element) -> None:
    (found,) = re.findall(r'\.Replace\("([^"]+)", "([^"]+)"\)', (FOLDER / name).read_text(encoding="utf-8"))
    xml = (FOLDER / "qws-task.xml").read_text(encoding="utf-8")
    assert xml.count(found[0]) == 1

    registered = ElementTree.fromstring(xml.replace(*found))

    trigger = registered.find("Triggers/LogonTrigger", NAMESPACE)
    assert trigger is not None
    assert [child.tag.rpartition("}")[2] for child in trigger] == ["Enabled", "UserId", "Delay"]  # the schema's order
    assert text(registered, "Triggers/LogonTrigger/UserId") == "$me"
    assert task.find("Triggers/LogonTrigger/UserId", NAMESPACE) is None


def test_the_task_starts_again_and_is_never_ended_by_a_limit_or_a_battery(task: ElementTree.Element) -> None:
    assert text(task, "Settings/RestartOnFailure/Interval") == "PT1M"
    assert 1 <= int(text(task, "Settings/RestartOnFailure/Count")) <= 255  # an unsigned byte in the schema
    assert text(task, "Settings/ExecutionTimeLimit") == "PT0S"
    assert text(task, "Settings/MultipleInstancesPolicy") == "IgnoreNew"
    for name in ("DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "RunOnlyIfIdle", "RunOnlyIfNetworkAvailable"):
        assert text(task, f"Settings/{name}") == "false"


def test_the_task_runs_the_script_that_is_shipped(task: ElementTree.Element) -> None:
    command = PureWindowsPath(text(task, "Actions/Exec/Command"))
    folder = PureWindowsPath(text(task, "Actions/Exec/WorkingDirectory"))

    assert (ROOT / Path(*command.relative_to(folder).parts)) == FOLDER / "start.cmd"
    for name in READMES:
        assert f"`{folder}`" in (FOLDER / name).read_text(encoding="utf-8")


def test_the_task_can_be_read_by_every_way_of_registering_it() -> None:
    content = (FOLDER / "qws-task.xml").read_bytes()

    assert content.isascii()
    assert b"encoding=" not in content  # PowerShell hands it over as UTF-16, schtasks as a file
    assert not content.startswith(b"\xef\xbb\xbf")


def test_the_script_is_one_that_cmd_reads_in_any_code_page() -> None:
    content = (FOLDER / "start.cmd").read_bytes()

    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n") > 0
    assert "*.cmd text eol=crlf" in (ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()


def test_the_script_runs_the_daemon_and_knows_which_ends_are_final() -> None:
    script = (FOLDER / "start.cmd").read_text(encoding="ascii")

    assert [words[0] for words in calls("\n".join(commands(script)))] == ["run"]
    ((final, ends),) = re.findall(r"for %%c in \(([^)]*)\) do if \"%CODE%\"==\"%%c\" (.*)", script)
    assert {"0", "130"} <= set(final.split())
    assert not {"1", "2", f"{QwsError.exit_code}"} & set(final.split())
    assert ends == "exit /b 0"
    assert re.findall(r"^if \"%CODE%\"==\"(\d+)\" goto person", script, re.MULTILINE) == [f"{ConfigError.exit_code}"]
    assert NotArmed.exit_code == ConfigError.exit_code
    labels, jumps = re.findall(r"^:(\w+)", script, re.MULTILINE), re.findall(r"goto (\w+)", script)
    assert set(labels) == set(jumps)
    assert len(labels) == len(set(labels))


def test_what_a_person_must_cure_is_said_in_a_window_that_stays_and_nothing_starts_it_again() -> None:
    script = (FOLDER / "start.cmd").read_text(encoding="ascii")
    said, _, last = script.partition(":person")[2].partition("pause")

    assert "does not start again" in said
    assert [words[0] for words in calls(said)] == ["doctor"]
    assert last.split() == ["exit", "/b", "0"]
    assert set(re.findall(r"exit /b (\S+)", script)) == {"0"}  # else Task Scheduler may take it for a failure
    waits, _, back = script.partition("ping ")[2].partition("goto ")
    assert waits
    assert back.startswith("again")


def test_where_qws_is_not_installed_nobody_is_told_to_run_it() -> None:
    script = (FOLDER / "start.cmd").read_text(encoding="ascii")
    missing = script.partition(":missing")[2].partition(":person")[0]

    assert "uv sync" in missing
    assert missing.split()[-4:] == ["pause", "exit", "/b", "0"]
    assert calls(missing) == []


@pytest.mark.parametrize("name", ["start.cmd", *READMES])
def test_every_command_and_option_exists(name: str) -> None:
    found = calls((FOLDER / name).read_text(encoding="utf-8"))
    assert found

    for command, *words in found:
        assert command in COMMANDS, command
        known = getattr(importlib.import_module(COMMANDS[command][0]), command)
        assert isinstance(known, click.Command)
        options = {option for parameter in known.params for option in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options, command


@pytest.mark.parametrize("name", READMES)
def test_every_section_key_and_file_that_is_named_exists(name: str) -> None:
    said = (FOLDER / name).read_text(encoding="utf-8")

    assert set(re.findall(r"\[([a-z]+)\]", said)) <= set(Config.model_fields)
    for section, key in re.findall(r"\b(paper|xt|broker)\.(\w+) =", said):
        assert key in type(getattr(Config(), section)).model_fields
    for file in re.findall(r"`([\w-]+\.(?:cmd|xml|md))`", said):
        assert (FOLDER / file).is_file(), file


def test_both_languages_show_the_same_commands() -> None:
    blocks = []
    for name in READMES:
        fenced = re.findall(r"^```\n(.*?)^```", (FOLDER / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
        blocks.append([[line.partition("#")[0].rstrip() for line in block.splitlines()] for block in fenced])

    assert blocks[0]
    assert blocks[0] == blocks[1]
    assert "Get-Content -Wait" in (FOLDER / READMES[0]).read_text(encoding="utf-8")
