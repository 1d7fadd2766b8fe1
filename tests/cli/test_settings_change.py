"""Settings that were changed while the daemon runs: whoever looks is told that it does not use them."""

from __future__ import annotations

import os
from datetime import datetime, timedelta

import pytest

from qws.home import Home
from qws.messages import ControlOrdered
from qws.runtime.message import Envelope
from tests.cli.rig import as_json, beat, call, fill, held, now

TOLD = "it still uses the old ones"


def written(home: Home, at: datetime) -> None:
    os.utime(home.config_file, (at.timestamp(), at.timestamp()))


def in_json(home: Home) -> list[object]:
    """What status and rules say to programs: one value, for rules in every row."""
    status, rules = as_json(home, "status"), as_json(home, "rules")
    assert isinstance(status, dict)
    assert isinstance(rules, list)
    return [status["settings_changed_at"], *{row["settings_changed_at"] for row in rules}]


def checked(home: Home) -> list[dict[str, str]]:
    answer = call(home, "check", "--json")
    assert answer.code == 0
    assert isinstance(answer.json, dict)
    return [each for each in answer.json["checks"] if each["name"] == "settings"]


def is_told(home: Home) -> set[bool]:
    texts = {TOLD in call(home, command).out for command in ("status", "rules", "check")}
    return texts | {each is not None for each in in_json(home)} | {bool(checked(home))}


def test_a_change_while_the_daemon_runs_is_told_with_both_times_and_the_remedy(home: Home) -> None:
    with held(home) as pid:
        started = beat(home, pid=pid)
        changed = (started + timedelta(minutes=30)).replace(microsecond=0)
        written(home, changed)

        for command in ("status", "rules", "check"):
            out = call(home, command).out
            (line,) = [each for each in out.splitlines() if TOLD in each]
            assert f"changed at {changed:%Y-%m-%d %H:%M:%S}" in line
            assert f"started at {started:%Y-%m-%d %H:%M:%S}" in line
            assert "stop the daemon and start it again with `qws run`" in out
        assert in_json(home) == [changed.isoformat()] * 2
        (warned,) = checked(home)
    assert warned["status"] == "WARN"
    assert warned["remedy"]


@pytest.mark.parametrize(("after_s", "told"), [(-60.0, False), (0.0, False), (0.9, False), (1.1, True), (60.0, True)])
def test_a_file_written_within_a_second_of_the_start_is_not_changed(home: Home, after_s: float, *, told: bool) -> None:
    with held(home) as pid:
        written(home, beat(home, pid=pid) + timedelta(seconds=after_s))

        assert is_told(home) == {told}


def test_without_a_daemon_that_lives_there_is_nobody_who_uses_old_settings(home: Home) -> None:
    assert is_told(home) == {False}

    beat(home, pid=os.getpid())  # it was killed
    assert is_told(home) == {False}

    with held(home) as pid:
        beat(home, pid=pid - 1)  # what the one before has left behind
        assert is_told(home) == {False}

        beat(home, pid=pid, state="stopped")
        assert is_told(home) == {False}

        beat(home, pid=pid)
        assert is_told(home) == {True}


def test_a_limit_that_was_lowered_is_shown_as_one_that_waits_for_the_next_start(home: Home) -> None:
    fill(home, [Envelope(1, 1, None, now(), "x", ControlOrdered("halt", "me"))])  # a halted daemon lives, too
    with held(home) as pid:
        beat(home, pid=pid)
        home.config_file.write_text(
            home.config_file.read_text(encoding="utf-8").replace("turnover_max = 2.05", "turnover_max = 0.3"),
            encoding="utf-8",
        )

        out = call(home, "rules").out
    assert "0.3" in out
    assert TOLD in out


@pytest.mark.usefixtures("the_language_stays")
def test_the_change_is_told_in_chinese(home: Home) -> None:
    text = home.config_file.read_text(encoding="utf-8")
    home.config_file.write_text(text.replace('language = "auto"', 'language = "zh_CN"'), encoding="utf-8")
    with held(home) as pid:
        beat(home, pid=pid)
        for command in ("status", "rules", "check"):
            out = call(home, command).out
            assert "它仍在使用旧配置" in out
            assert "请停止守护进程" in out


def test_damaged_read_models_do_not_end_the_check(home: Home) -> None:
    with held(home):
        home.views.write_bytes(b"no database " * 1000)

        answer = call(home, "check", "--json")
    assert answer.code == 1
    assert "views" in answer.out
