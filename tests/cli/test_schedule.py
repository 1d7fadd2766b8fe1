"""What waits, what was missed, and any target of today by hand, as commands show and take it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from qws.domain.schedule import Moment
from qws.home import Home
from qws.messages import RunMissed, TargetAccepted, TargetWaits
from tests.cli.rig import call, held, now, today
from tests.cli.test_status import a_target, status, told


def tomorrow() -> date:
    return today() + timedelta(days=1)


def soon() -> datetime:
    return now().replace(hour=10, minute=30, second=0, microsecond=0) + timedelta(days=1)


def test_status_and_runs_show_when_a_target_starts_and_by_which_run(home: Home) -> None:
    told(home, a_target("new", tomorrow()), TargetWaits("new", (Moment("late", soon()),), None))

    (waiting,) = status(home)["targets_waiting"]  # type: ignore[misc]
    assert (waiting["target_id"], waiting["starts_at"], waiting["run"]) == ("new", soon().isoformat(), "late")
    for command in ("status", "runs"):
        assert f"{soon():%Y-%m-%d %H:%M:%S}" in call(home, command).out
        assert "is left for" not in call(home, command).out


def test_a_target_for_which_nothing_is_left_says_what_to_do(home: Home) -> None:
    told(home, a_target("new", today()), TargetWaits("new", (), today()))

    assert f"no run of {today()} is left for new.csv; `qws rebalance` starts it" in call(home, "status").out


def test_what_was_missed_is_shown_for_a_week(home: Home) -> None:
    old, new = now() - timedelta(days=9), now() - timedelta(days=1)
    told(home, *(RunMissed(each.date(), "late", each) for each in (old, new)))

    assert status(home)["missed"] == [{"day": f"{new.date()}", "name": "late", "at": new.isoformat()}]
    for command in ("status", "runs"):
        shown = call(home, command).out
        assert f"{new:%Y-%m-%d %H:%M:%S}" in shown
        assert f"{old:%Y-%m-%d}" not in shown


def targets() -> tuple[TargetAccepted, ...]:
    return a_target("aa11", today()), a_target("aa22", today(), tomorrow()), a_target("bb", tomorrow())


@pytest.mark.parametrize(
    ("given", "meant"), [("aa11", "aa11"), ("aa2", "aa22"), ("aa22.csv", "aa22"), ("twice.csv", "cc22")]
)
def test_a_target_of_today_is_named_by_its_id_its_beginning_or_its_file(
    home: Home, given: str, meant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qws.cli.control.ANSWER_WAIT_S", 0.1)
    told(home, *targets(), *(replace(a_target(each, today()), name="twice.csv") for each in ("cc11", "cc22")))
    with held(home):
        call(home, "rebalance", "--target", given)

    with closing(sqlite3.connect(home.views)) as tables:
        assert tables.execute("SELECT command, argument FROM control").fetchall() == [("rebalance", meant)]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("aa", "several targets of today begin with aa; choose one of: aa11 (aa11.csv), aa22 (aa22.csv)"),
        ("bb", "no target of today begins with, or came from, bb; choose one of: aa11 (aa11.csv), aa22 (aa22.csv)"),
        ("zz.csv", "no target of today begins with, or came from, zz.csv; choose one of: aa11 (aa11.csv)"),
    ],
)
def test_a_target_that_cannot_be_meant_is_refused_with_those_that_can(home: Home, given: str, text: str) -> None:
    told(home, *targets())

    answer = call(home, "rebalance", "--target", given)

    assert answer.code == 2
    assert text in " ".join(answer.err.split())


def test_on_a_day_without_targets_there_is_none_to_choose(home: Home) -> None:
    assert "there is none" in call(home, "rebalance", "--target", "aa").err
