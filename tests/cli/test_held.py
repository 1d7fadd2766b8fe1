"""A held plan and a file named HALT, at a real daemon: what a person does and sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.home import Home
from qws.runtime.clock import SystemClock
from tests.cli.rig import as_json, call, eventually, fill
from tests.cli.test_control import daemon
from tests.store.samples import a_run


def status(home: Home) -> dict[str, object]:
    found = as_json(home, "status")
    assert isinstance(found, dict)
    return found


def drop(home: Home, name: str, *weights: str) -> None:
    rows = [f"{SystemClock().now():%Y-%m-%d},60000{n}.SH,{weight}" for n, weight in enumerate(weights)]
    (home.inbox / name).write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")


def last(home: Home) -> tuple[object, object]:
    run = status(home)["last_run"]
    assert isinstance(run, dict)
    return run["status"], run["reason"]


def held_runs(home: Home) -> list[dict[str, object]]:
    runs = status(home)["held"]
    assert isinstance(runs, list)
    return runs


def halted(home: Home) -> bool:
    return status(home)["trading"] == "halted"


def receipts(home: Home) -> list[Path]:
    return sorted(home.inbox.glob("HALT.*.accepted"))


@pytest.mark.parametrize("command", ["approve", "reject"])
def test_a_plan_that_is_not_held_is_refused_an_answer(home: Home, command: str) -> None:
    fill(home, a_run())

    answer = call(home, command, "last")

    assert (answer.code, answer.out) == (1, "")
    assert "not held" in answer.err


def test_a_held_plan_is_rejected_or_approved_and_a_file_halts_within_a_second(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QWS_RISK__HOLD", '["turnover"]')
    monkeypatch.setenv("QWS_RISK__TURNOVER_MAX", "0.1")
    with daemon(home) as ended:
        drop(home, "first.csv", "0.3")
        eventually(lambda: bool(held_runs(home)))
        (held,) = held_runs(home)
        assert held["reason"] == "turnover"
        assert call(home, "reject", "last").code == 0
        eventually(lambda: last(home) == ("refused", "declined"))

        drop(home, "second.csv", "0.2")
        eventually(lambda: len(held_runs(home)) == 1)
        assert as_json(home, "orders") == []
        assert call(home, "approve", str(held_runs(home)[0]["run_id"])).code == 0
        eventually(lambda: last(home)[0] == "completed")
        assert as_json(home, "orders")

        (home.inbox / "halt.TXT").write_text("stop it", encoding="utf-8")
        asked_at = SystemClock().now()
        eventually(lambda: halted(home))
        assert (SystemClock().now() - asked_at).total_seconds() < 3  # a second, and what a busy machine adds
        eventually(lambda: len(receipts(home)) == 1)
        assert receipts(home)[0].read_text(encoding="utf-8") == "stop it"
        assert not list((home.inbox / "rejected").iterdir())
        assert call(home, "resume").code == 0
        assert not halted(home)
    assert ended() == 0
