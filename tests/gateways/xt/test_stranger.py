"""The adapter depends on nothing but the vendor's contract: it works on native modules that somebody else built and
that were there before it was imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import cast

import pytest

from qws.arming import arm_home
from qws.config import load_config
from qws.conformance.cards import CARDS
from qws.conformance.verdict import Scope
from qws.home import Home
from qws.runtime.clock import SystemClock
from tests.cli.live import ACCOUNT, a_live_home

HERE = Path(__file__).parent / "stranger"
ROOT = Path(__file__).parents[3]


@pytest.fixture(
    params=["", "STRANGER_PARENT", "STRANGER_HASTE"], ids=["package not yet there", "package there", "hasty"]
)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """An environment in which Python itself puts the stranger's modules in place."""
    ours = {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), cast(str, request.param) or "_": "1"}
    return os.environ | ours | {"PYTHONPATH": os.pathsep.join((str(HERE), str(ROOT))), "PYTHONIOENCODING": "utf-8"}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return a_live_home(tmp_path / "home", always_open=True, order_gap_s="0", query_gap_s="0")


def run(world: dict[str, str], *words: str, typed: str = "") -> tuple[int, dict[str, object]]:
    done = subprocess.run(
        [sys.executable, *words], env=world, cwd=ROOT, input=typed, capture_output=True, timeout=60, text=True,
        encoding="utf-8", check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_doctor_finds_nothing_wrong(world: dict[str, str], home: Home) -> None:
    code, found = run(world, "-m", "qws", "doctor", "--json", "--home", str(home.root))
    checks = {each["name"]: each for each in cast(list[dict[str, str]], found["checks"])}

    assert {checks[name]["status"] for name in ("package", "connect", "subscribe", "quotes", "skew")} == {"OK"}
    assert checks["account"]["status"] == "WARN"  # its status is never told
    assert {name for name, each in checks.items() if each["status"] == "FAIL"} == {"armed"}
    assert code == 1


def test_every_card_that_can_be_played_there_passes(world: dict[str, str], home: Home) -> None:
    arm_home(home, load_config(home.config_file), SystemClock().now(), "a test")
    command = ("-m", "qws", "conformance", "--live", "--json", "--home", str(home.root))
    code, found = run(world, *command, "--read-only")
    assert (code, played(found)) == (0, {card.number for card in CARDS if card.scope is Scope.LOOK})

    code, found = run(world, *command, "--one-lot", "600000.SH", typed=f"{ACCOUNT}\n")
    assert (code, played(found)) == (0, {card.number for card in CARDS if card.scope is not Scope.STAGED})


def test_a_script_buys_sees_its_fills_and_cancels(world: dict[str, str], home: Home) -> None:
    code, told = run(world, str(HERE / "trade.py"), str(home.root / "userdata_mini"))

    bought, rests = told["bought"], told["rests"]
    assert code == 0
    assert told["listed"] == {"by hand": ["700001", 56, 200], "buys": [bought, 56, 300], "rests": [rests, 54, 0]}
    assert told["fills"] == [["buys", bought, 100, "10.000"], ["buys", bought, 200, "10.000"]]
    assert told["positions"] == {"600004.SH": [1000, 1000], "600000.SH": [500, 0]}
    assert told["cash"] == "994980.00"


def played(found: dict[str, object]) -> set[int]:
    cards = cast(list[dict[str, object]], found["cards"])
    failed = [each for each in cards if each["result"] == "failed"]
    assert failed == []
    return {cast(int, each["card"]) for each in cards if each["result"] == "passed"}


def test_the_daemon_makes_the_account_hold_what_a_file_says(world: dict[str, str], home: Home) -> None:
    now = SystemClock().now()
    arm_home(home, load_config(home.config_file), now, "me")
    rows = [f"{now:%Y-%m-%d},{code},{weight}" for code, weight in (("600000.SH", "0.5"), ("600004.SH", "0.3"))]
    daemon = subprocess.Popen(
        [sys.executable, "-m", "qws", "run", "--home", str(home.root)], env=world, cwd=ROOT,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    assert daemon.stderr is not None
    try:
        lines = iter(daemon.stderr)
        assert any("broker ready" in line for line in lines)
        (home.inbox / "w.csv").write_text("\n".join(["date,stock_code,weight", *rows, ""]), encoding="utf-8")
        end = next(line for line in lines if "run completed" in line or "run partial" in line or "rejected" in line)
    finally:
        daemon.terminate()
        daemon.communicate(timeout=30)

    assert "run completed" in end
    assert daemon.returncode == 0
