"""The log command, over files the program's own log has written."""

from __future__ import annotations

import signal
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from qws.cli.log import followed
from qws.config import LogSection
from qws.home import Home
from qws.log import LogTap, start_logging, stop_logging
from qws.messages import LinkLost
from qws.runtime.message import Envelope
from tests.cli.rig import ROOT, as_json, call, fill
from tests.store.samples import MOUTAI, OPEN, a_run


@pytest.fixture
def logged(home: Home) -> Home:
    """A home whose newest log file holds one whole run, the one before three old lines."""
    start_logging(home, LogSection(), console=False)
    LogTap()(a_run())
    stop_logging()
    write(home.logs / "qws-2020-01-01.log", "old 1", "old 2", "old 3")
    fill(home, a_run())
    return home


def write(path: Path, *lines: str) -> None:
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in lines)


def numbers(out: str) -> list[int]:
    return [int(line.split(" | ")[2].split("<-")[0].strip().removeprefix("#")) for line in out.splitlines()]


def test_the_end_of_the_newest_file_is_printed(logged: Home) -> None:
    answer = call(logged, "log", "-n", "3")

    assert (answer.code, answer.err) == (0, "")
    assert numbers(answer.out) == [each.id for each in a_run()][-3:]


def test_older_files_fill_what_the_newest_lacks(logged: Home) -> None:
    lines = call(logged, "log", "-n", str(len(a_run()) + 2)).out.splitlines()

    assert lines[:2] == ["old 2", "old 3"]
    assert len(lines) == len(a_run()) + 2


def test_only_lines_of_a_run_an_actor_or_a_code_are_printed(logged: Home) -> None:
    ran = call(logged, "log", "--run", "last").out
    assert numbers(ran)
    assert all(line.split(" | ")[1].strip() == "R1" for line in ran.splitlines())
    assert numbers(call(logged, "log", "--code", MOUTAI.lower()).out) == [
        int(line.split(" | ")[2].split("<-")[0].strip().removeprefix("#"))
        for line in call(logged, "log", "-n", "999").out.splitlines()
        if MOUTAI in line
    ]
    assert numbers(call(logged, "log", "--actor", "Test", "-n", "2").out) == [each.id for each in a_run()][-2:]
    assert call(logged, "log", "--actor", "nobody").out == ""


def test_json_is_one_list_of_the_logs_own_objects(logged: Home) -> None:
    rows = as_json(logged, "log", "-n", "2")

    assert isinstance(rows, list)
    assert [set(row) for row in rows] == [{"at", "level", "run", "id", "actor", "kind", "text"}] * 2
    assert [row["kind"] for row in rows] == [type(each.body).__name__ for each in a_run()[-2:]]


def test_a_line_cut_by_a_crash_spoils_no_json(logged: Home) -> None:
    (path,) = logged.logs.glob("*.jsonl")
    write(path, '{"at": "2026-')

    rows = as_json(logged, "log", "-n", "2")
    assert isinstance(rows, list)
    assert len(rows) == 1


def test_no_log_yet_is_said(home: Home) -> None:
    text, value = call(home, "log"), call(home, "log", "--json")

    assert (text.code, text.out) == (1, "")
    assert "qws run" in text.err
    assert (value.code, value.json) == (1, [])


class Night:
    """What happens while the follower waits, one thing after another."""

    def __init__(self, folder: Path) -> None:
        self.old, self.new, self.waits = folder / "qws-2026-09-01.log", folder / "qws-2026-09-02.log", 0

    def wait(self, seconds: float) -> None:
        assert 0 < seconds <= 0.2
        self.waits += 1
        match self.waits:
            case 1:
                with self.old.open("a", encoding="utf-8", newline="\n") as file:
                    file.write("half ")
            case 2:
                write(self.old, "a line 涨停", "last of the day")
                write(self.new, "first of the next")
            case 3:
                write(self.new, "second of the next")
            case 4:  # a rotation by size
                write(self.new, "third of the next")
                self.new.rename(self.new.with_name("qws-2026-09-02.2026-09-02_09-30-00_000000.log"))
                write(self.new, "anew")
            case _:
                raise KeyboardInterrupt


def test_following_goes_on_over_midnight_and_over_a_rotation_and_loses_no_line(tmp_path: Path) -> None:
    night = Night(tmp_path)
    write(night.old, "seen before")
    lines = followed(tmp_path, "qws-*.log", (night.old, night.old.stat().st_size), night.wait)

    assert list(islice(lines, 6)) == [
        "half a line 涨停", "last of the day", "first of the next", "second of the next", "third of the next", "anew",
    ]  # fmt: skip
    with pytest.raises(KeyboardInterrupt):
        next(lines)


def test_following_begins_before_there_is_a_file(tmp_path: Path) -> None:
    def wait(seconds: float) -> None:
        write(tmp_path / "qws-2026-09-01.log", "first")

    assert next(followed(tmp_path, "qws-*.log", None, wait)) == "first"


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_ends_following_in_good_order(logged: Home) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "qws", "log", "-f", "-n", "1", "--home", str(logged.root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    assert numbers(child.stdout.readline()) == [a_run()[-1].id]
    newest = max(logged.logs.glob("*.log"))
    write(newest, "something new")
    assert child.stdout.readline() == "something new\n"

    child.send_signal(signal.SIGINT)
    assert child.communicate(timeout=20) == ("", "")
    assert child.returncode == 0


def test_only_lines_as_grave_as_asked_are_printed_technical_ones_too(logged: Home) -> None:
    newest = max(logged.logs.glob("qws-2[1-9]*.log"), default=max(logged.logs.glob("*.log")))
    write(newest, "2099-01-01 09:00:00.000 | WARNING          | the clock jumps | far")

    out = call(logged, "log", "--level", "warning", "-n", "99").out.splitlines()

    assert out[-1].endswith("the clock jumps | far")
    marks = [line.split(" | ", 4)[-1].split(": ")[0] for line in out[:-1]]
    assert set(marks) == {"WARNING", "ERROR"}
    errors = call(logged, "log", "--level", "ERROR").out.splitlines()
    assert [line.split(" | ", 4)[-1].split(": ")[0] for line in errors] == ["ERROR"]
    twin = as_json(logged, "log", "--level", "ERROR")
    assert isinstance(twin, list)
    assert [row["level"] for row in twin] == ["ERROR"]


def test_since_prints_all_lines_from_a_time_on(logged: Home) -> None:
    whole = call(logged, "log", "-n", "999").out.splitlines()[3:]
    moment = whole[4][:23]

    assert call(logged, "log", "--since", moment).out.splitlines() == [line for line in whole if line[:23] >= moment]
    assert call(logged, "log", "--since", moment, "-n", "2").out.splitlines() == whole[-2:]
    assert call(logged, "log", "--since", "2098-01-01").out == ""
    assert call(logged, "log", "--since", "soon").code == 2


def test_a_file_that_retention_takes_ends_no_follower(tmp_path: Path) -> None:
    old, new = tmp_path / "qws-2026-09-01.log", tmp_path / "qws-2026-09-02.log"
    write(old, "seen before")

    def wait(seconds: float) -> None:
        old.unlink(missing_ok=True)
        write(new, "after it")

    assert next(followed(tmp_path, "qws-*.log", (old, old.stat().st_size), wait)) == "after it"


def test_what_a_broker_says_makes_no_line_of_its_own(home: Home) -> None:
    forged = "2026-11-23 09:30:00.000 | R1               | #9             | order_executor   | buy 100"
    words = f"gone\r\n{forged}\x1b[2J\u2028{forged}"
    start_logging(home, LogSection(), console=False)
    LogTap()([Envelope(1, 1, None, OPEN, "broker_link", LinkLost(words))])
    stop_logging()
    fill(home, [Envelope(1, 1, None, OPEN, "broker_link", LinkLost(words))])

    assert call(home, "log", "--actor", "order_executor").out == ""
    assert numbers(call(home, "log").out) == [1]
    assert len(call(home, "events").out.splitlines()) == 1
