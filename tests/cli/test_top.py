"""`qws top`: what it tells, that it fits its terminal to the place, and that q ends it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from qws.cli.glance import Glance, Holding, Progress, glance_at
from qws.cli.top_screen import screen
from qws.config import LogSection
from qws.home import Home
from qws.language import speak
from qws.log import LogTap, start_logging, stop_logging
from qws.messages import AlertRaised, ControlOrdered, LinkLost, LinkReady, SessionPhaseChanged
from qws.runtime.clock import SystemClock
from qws.runtime.message import Started
from tests.acceptance.living import a_home, drop, living
from tests.acceptance.processes import until
from tests.cli.rig import ROOT, beat, call, fill, held
from tests.store.samples import DAY, MOUTAI, OPEN, a_run, logged
from tests.support.alerts import CRITICAL, an_alert

SIZE = (80, 24)


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    speak("en")
    yield
    speak("en")


def busy(home: Home) -> Home:
    """A home whose tables and log hold a day: a run, an alert, a lost broker."""
    begin = [Started(), SessionPhaseChanged(DAY, "continuous", OPEN), LinkReady()]
    rows = [*a_run()]
    rows += logged(*begin, AlertRaised(an_alert(1, CRITICAL)), start=len(rows) + 1)
    fill(home, rows)
    start_logging(home, LogSection(), console=False)
    LogTap()(rows)
    stop_logging()
    return home


def shown(home: Home, width: int = 80, height: int = 24, label: str = "paper account") -> list[str]:
    lines = screen(glance_at(home, SystemClock().now()), label, None, width, height)
    assert len(lines) == height
    assert [line.plain for line in lines if cell_len(line.plain) > width] == []
    return [line.plain for line in lines]


def test_everything_is_on_one_screen_of_80_by_24(home: Home) -> None:
    with held(home) as pid:
        beat(busy(home), pid=pid)
        text = "\n".join(shown(home, label="live account ****0365"))

    for told in ("live account ****0365", "continuous trading", "trading is on", "broker ready", f"process {pid}",
                 "total 400,100.00", "R1  weights.csv  completed", "100%", "1 orders, 0 working", MOUTAI, "42.19%",
                 "50.00%", "-7.81%", "100/100", "@ 1,688.000", "filled", "alerts nobody has acknowledged: 1",
                 "run completed"):  # fmt: skip
        assert told in text, told


def test_who_does_not_run_or_hangs_or_is_halted_is_said(home: Home) -> None:
    assert "the daemon does not run" in shown(home)[1]
    busy(home)
    with held(home) as pid:
        beat(home, pid=pid, silent_s=60)
        assert "stale: no heartbeat for 60 s" in shown(home)[1]
        beat(home, pid=pid)
        halt = len(a_run()) + 5
        fill(home, logged(ControlOrdered("halt", "me"), LinkLost("gone"), start=halt))
        assert "HALTED" in shown(home)[1]
        assert "broker not ready" in shown(home)[1]
        fill(home, logged(ControlOrdered("reduce_only", "me"), start=halt + 2))
        assert "only sells" in shown(home)[1]
    stale = replace(glance_at(home, SystemClock().now()), state="running", silent_s=42.0)
    assert "stale: no heartbeat for 42 s" in screen(stale, "paper account", None, *SIZE)[1].plain


def test_a_home_without_a_day_is_a_screen_too(home: Home) -> None:
    assert any("no run yet" in line for line in shown(home))
    assert call(home, "top", "--once").code == 0
    assert call(home, "top").out.splitlines()[3].startswith("- run -")


def test_columns_stand_below_their_heads_in_chinese_too(home: Home) -> None:
    busy(home)
    ends = []
    for language in ("en", "zh_CN"):
        speak(language)
        lines = shown(home)
        place = next(number for number, line in enumerate(lines) if MOUTAI in line and "%" in line)
        ends.append([cell_len(line.rstrip()) for line in lines[place - 1 : place + 1]])
        assert "市值" in lines[place - 1] or language == "en"

    assert ends[0] == ends[1]


WIDE = st.text(alphabet="茅台ab 深圳é❤️\u0301①Ａ\n\t\x1b[1m", max_size=60)
AMOUNT = st.floats(-1e12, 1e12)


@st.composite
def glances(draw: st.DrawFn) -> Glance:
    """Any moment: names, texts and amounts as wide as they come."""
    progress = st.builds(Progress, st.integers(0, 5000), st.integers(0, 5000), st.floats(0, 1e12), st.floats(0, 1e12))
    at = SystemClock().now()
    when, text = at.isoformat(), draw(WIDE)
    order = {"side": "buy", "filled": 100, "shares": 10**9, "price": 1688.0, "time": when, "stock_code": MOUTAI,
             "status": draw(st.sampled_from(["reported", "succeeded", "no_status"])), "message": text}  # fmt: skip
    run = {"run_id": "20261123-1a2b3c", "file": text, "status": draw(st.sampled_from(["running", "completed", "held"])),
           "attempt": draw(st.integers(1, 36)), "started_at": (at - timedelta(hours=3)).isoformat(),
           "finished_at": when, "tracking_error": 0.1, "reason": "drift", "text": text}  # fmt: skip
    holdings = st.builds(
        Holding, WIDE, AMOUNT, st.none() | AMOUNT, st.integers(0, 10**12), AMOUNT, st.none() | AMOUNT, WIDE
    )
    many = draw(st.integers(0, 40))
    money = {"total_asset": draw(AMOUNT), "cash": draw(AMOUNT), "market_value": draw(AMOUNT), "at": when}
    return Glance(
        at, draw(st.sampled_from(["running", "stopped", "halted", "never started"])), draw(st.none() | st.floats(0, 9)),
        {"pid": 7, "started_at": when, "heartbeat_at": when}, draw(st.sampled_from(["", "lunch", "continuous"])),
        draw(st.sampled_from(["", "LinkReady"])), draw(st.sampled_from([{}, money])), draw(st.none() | AMOUNT),
        draw(st.sampled_from([{}, run])), draw(progress), draw(progress), draw(st.lists(holdings, max_size=5)) * many,
        [order] * many, [{"at": when, "severity": "critical", "text": text}] * many,
        [{"file": text, "day": "2026-11-23"}], [{"at": when, "actor": text, "level": "ERROR", "text": text}] * many,
    )  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(glances(), st.integers(40, 200), st.integers(10, 70), WIDE)
def test_any_moment_fits_any_terminal_to_the_place(seen: Glance, width: int, height: int, label: str) -> None:
    lines = screen(seen, label, seen.at + timedelta(hours=2), width, height)

    assert len(lines) == height
    assert [line.plain for line in lines if cell_len(line.plain) > width or "\n" in line.plain] == []
    console = Console(width=width, height=height, force_terminal=True, record=True, file=StringIO())
    for line in lines:
        console.print(line)
    assert len(console.export_text(styles=False).splitlines()) == height


def test_a_tall_window_shows_more(home: Home) -> None:
    busy(home)

    assert sum(bool(line.strip()) for line in shown(home, 160, 60)) > sum(bool(line.strip()) for line in shown(home))


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo terminal is needed")
def test_in_a_terminal_it_goes_on_beside_a_real_daemon_until_q(tmp_path: Path) -> None:
    import pty

    home = a_home(tmp_path / "home")
    with living(home) as daemon:
        daemon.until_ready()
        ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        child = subprocess.Popen(
            [sys.executable, "-m", "qws", "top", "--every", "0.2", "--home", str(home.root)],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=ROOT, env=environment,
        )  # fmt: skip
        os.close(theirs)
        os.set_blocking(ours, False)
        told = bytearray()

        def says(words: bytes) -> bool:
            with suppress(BlockingIOError):
                told.extend(os.read(ours, 1 << 16))
            return words in told

        try:
            until(lambda: says(b"broker ready"), "the screen")
            drop(home, "w.csv", {"600519.SH": "0.3"})
            until(lambda: says(b"600519.SH") and says(b"completed"), "the run on the screen")
            os.write(ours, b"q")
            assert child.wait(20) == 0
            assert says(b"\x1b[?1049l"), "the terminal is as it was"
        finally:
            child.kill()
            os.close(ours)
        assert daemon.stop()[0] == 0


def test_fills_after_the_last_look_at_the_account_count_already(home: Home) -> None:
    fill(home, a_run()[:13])  # looked at when nothing of it was held, then 40 shares traded

    (bought,) = [each for each in glance_at(home, SystemClock().now()).holdings if each.code == MOUTAI]

    assert (bought.shares, bought.value, bought.profit) == (40, 40 * 1687.5, None)
    assert bought.weight == pytest.approx(67_500 / 400_000)
