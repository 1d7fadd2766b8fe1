"""`qws run` with real settings as a process, over the vendor's own Python: refused until armed, then it trades."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event
from time import monotonic

import pytest

from qws.arming import arm_home
from qws.config import load_config
from qws.home import Home
from qws.runtime.clock import SystemClock
from qws.store.reading import Views
from tests.cli.live import ACCOUNT, a_live_home
from tests.cli.rig import ROOT
from tests.xt_native.rig import BOUGHT, HELD

PATIENCE_S = 30.0
AT_A_TERMINAL = """
from qws.cli import main
from qws.runtime.clock import SystemClock
from tests.xt_native.rig import a_terminal, attached
with attached(a_terminal(start=SystemClock().now(), always_open=True)):
    main()
"""


def started(home: Home, user: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", AT_A_TERMINAL, "run", "--home", str(home.root), "--quiet"]
    environment = {**os.environ, "HOME": str(user), "USERPROFILE": str(user)}
    return subprocess.Popen(words, stderr=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT, env=environment)


def until(is_so: Callable[[], object], process: subprocess.Popen[str]) -> None:
    deadline, never = monotonic() + PATIENCE_S, Event()
    while not is_so():
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert monotonic() < deadline
        never.wait(0.05)


def log_of(home: Home) -> str:
    return "".join(path.read_text(encoding="utf-8") for path in sorted(home.logs.glob("*.log")))


def drop(home: Home) -> None:
    part = home.inbox / "w.csv.tmp"
    part.write_text(f"date,stock_code,weight\n{SystemClock().now().date()},{BOUGHT},0.5\n", encoding="utf-8")
    part.rename(home.inbox / "w.csv")


def test_a_live_home_that_nobody_armed_is_refused_and_says_so_in_the_log(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home", always_open=True)

    process = started(home, tmp_path)
    _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 2  # what only a person can cure: nobody starts it again by itself
    assert "qws arm" in err
    lines = log_of(home).splitlines()
    assert "live account ****0365" in lines[0]
    assert "paper.always_open = true" in lines[1]
    assert "qws arm" in lines[2]
    assert ACCOUNT not in log_of(home)
    assert not home.journal.exists()


@pytest.mark.parametrize("mode", ['"live"', '"shadow"'])
def test_a_home_without_the_vendors_package_is_refused_before_anything_crashes(tmp_path: Path, mode: str) -> None:
    home = a_live_home(tmp_path / "home", mode=mode, package='"no_such_bridge"')
    arm_home(home, load_config(home.config_file), SystemClock().now(), "me")

    process = started(home, tmp_path)
    _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 2
    assert "no_such_bridge.xttrader cannot be imported" in err
    assert "[xt] package" in err
    assert "crashed" not in log_of(home)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a Windows process at once")
def test_an_armed_home_trades_at_the_terminal_and_ends_in_order(tmp_path: Path) -> None:
    home = a_live_home(tmp_path / "home", always_open=True, order_gap_s="0", query_gap_s="0")
    arm_home(home, load_config(home.config_file), SystemClock().now(), "me")
    process = started(home, tmp_path)
    try:
        until(lambda: home.journal.exists() and "broker ready" in log_of(home), process)
        drop(home)
        until(lambda: any(run["status"] == "completed" for run in Views(home.views).runs()), process)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=PATIENCE_S)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, "")
    orders = Views(home.views).orders(None)
    assert {str(order["stock_code"]): str(order["side"]) for order in orders} == {BOUGHT: "buy", HELD: "sell"}
    assert [order["filled"] for order in orders] == [order["shares"] for order in orders]
    daemon = Views(home.views).daemon()
    assert daemon["mode"] == "live"
