"""`qws status` says since when trading is halted, how the daemon ended, and which targets wait for their day."""

from __future__ import annotations

import os
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from qws.domain.targets import DayTarget, Weight
from qws.home import Home
from qws.messages import ControlOrdered, RebalanceDue, TargetAccepted
from qws.runtime.message import Envelope, Message
from tests.cli.rig import as_json, beat, call, fill, held, now, today


def told(home: Home, *bodies: Message) -> datetime:
    """One a second until a second ago; when the first one was."""
    start = now() - timedelta(seconds=len(bodies))
    fill(
        home,
        [Envelope(id_, id_, None, start + timedelta(seconds=id_ - 1), "x", body) for id_, body in enumerate(bodies, 1)],
    )
    return start


def a_target(target_id: str, *days: date) -> TargetAccepted:
    found = tuple(DayTarget(day, (Weight("600000.SH", Decimal("0.5")),)) for day in days)
    return TargetAccepted(target_id, f"{target_id}.csv", f".claimed/{target_id}", target_id, now(), found, ())


def status(home: Home) -> dict[str, object]:
    found = as_json(home, "status")
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(
    ("commands", "first"),
    [(("halt",), 0), (("halt", "halt"), 0), (("halt", "resume", "cancel", "halt", "halt"), 3)],
)
def test_halted_since_is_the_first_halt_that_no_resume_followed(
    home: Home, commands: tuple[str, ...], first: int
) -> None:
    at = told(home, *(ControlOrdered(each, "me") for each in commands)) + timedelta(seconds=first)

    with held(home) as pid:
        beat(home, pid=pid)
        assert f"halted since {at:%Y-%m-%d %H:%M:%S}" in call(home, "status").out
    assert status(home)["halted_at"] == at.isoformat()


def test_reduce_only_since_is_when_the_order_came_and_no_halt(home: Home) -> None:
    at = told(home, ControlOrdered("reduce_only", "me"), ControlOrdered("cancel", "me"))

    with held(home) as pid:
        beat(home, pid=pid)
        assert f"reduce-only since {at:%Y-%m-%d %H:%M:%S}" in call(home, "status").out
    assert status(home)["halted_at"] is None


def test_after_a_resume_nobody_is_halted_since_anything(home: Home) -> None:
    told(home, ControlOrdered("halt", "me"), ControlOrdered("resume", "me"))

    assert (status(home)["halted"], status(home)["halted_at"]) == (False, None)


def test_a_daemon_that_was_killed_is_told_from_one_that_was_stopped(home: Home) -> None:
    beat(home, pid=os.getpid())
    assert "cut off" in (killed := call(home, "status").out)
    assert "`qws recover --dry-run`" in killed

    beat(home, pid=os.getpid(), state="stopped")
    assert "cut off" not in call(home, "status").out


def test_an_accepted_target_is_shown_until_its_day_runs_it(home: Home) -> None:
    soon, later = today() + timedelta(days=1), today() + timedelta(days=3)
    told(home, a_target("old", later), a_target("gone", today() - timedelta(days=1)), a_target("new", soon, later))

    waiting = status(home)["targets_waiting"]
    assert isinstance(waiting, list)
    assert [(each["day"], each["target_id"], each["file"]) for each in waiting] == [
        (f"{soon}", "new", "new.csv"),
        (f"{later}", "new", "new.csv"),
    ]
    for command in ("status", "runs"):
        assert str(later) in call(home, command).out
        assert "new.csv" in call(home, command).out
        assert "old.csv" not in call(home, command).out
    assert "copy a weight file" not in call(home, "runs").out


def test_a_target_with_a_run_waits_no_longer(home: Home) -> None:
    day = today() + timedelta(days=1)
    told(home, a_target("one", day), RebalanceDue("R", "one", day, 0, "drop", now()))

    assert status(home)["targets_waiting"] == []
    assert "wait for" not in call(home, "runs").out
