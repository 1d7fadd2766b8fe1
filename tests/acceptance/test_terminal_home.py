"""A fresh home at a terminal, set up as the README says, ends its day with the positions of a paper home."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from qws.domain.orders import OrderStatus
from qws.gateways.sim.bars import GeneratedBars
from qws.runtime.clock import SHANGHAI
from qws.tables import load_calendar
from tests.acceptance.living import Daemon, a_home, drop, living, rows_of
from tests.acceptance.program import Outcome, positions_file, price_file, qws, weight_file
from tests.cli.live import ACCOUNT
from tests.crashes.doomed import doomed

ROOT = Path(__file__).parents[2]
SITE = Path(__file__).parent / "terminal_site"
DEMO_DAY = date(2026, 9, 1)
NAMES = [
    *(f"6000{number:02}.SH" for number in (0, 4, *range(6, 12), *range(15, 33))),
    *(f"0000{number:02}.SZ" for number in (1, 2, *range(6, 13))),
    *(f"3000{number:02}.SZ" for number in range(1, 10)),
    *(f"68800{number}.SH" for number in (1, 2, 3, 5, 6, 7)),
]
HELD = {"600000.SH": (60_050, 60_050), "000001.SZ": (80_000, 80_000), "601398.SH": (800, 0), "600036.SH": (900, 900)}

PART = OrderStatus.PART_SUCC
Holdings = dict[str, tuple[int, int]]


def fifty_weights() -> dict[str, str]:
    """The demo's file, of fifty names."""
    shares = [Random(f"1:{code}").uniform(1, 3) for code in NAMES]
    return {code: f"{share / sum(shares) * 0.95:.4f}" for code, share in zip(NAMES, shares, strict=True)}


@pytest.fixture
def market(tmp_path: Path) -> dict[str, str]:
    """Settings of a market whose prices stand still, wherever and whenever it is looked at; opening holdings."""
    bars, calendar, today = GeneratedBars(1, load_calendar()), load_calendar(), datetime.now(SHANGHAI).date()
    assert calendar.is_session(DEMO_DAY)
    flat = {}
    for code in [*NAMES, *HELD]:
        bar = bars.bar(code, DEMO_DAY)
        assert bar is not None
        for day in (today - timedelta(days=1), today, today + timedelta(days=1)):
            flat[f"{day}", code] = ",".join([f"{bar.close}"] * 4)
    prices, positions = price_file(tmp_path / "prices.csv", flat), positions_file(tmp_path / "held.csv", HELD)
    return {"prices": f"'{prices}'", "positions": f"'{positions}'"}


class AtATerminal:
    """A home at a terminal, and the commands that a person calls there."""

    def __init__(self, folder: Path, market: dict[str, str]) -> None:
        self.books = folder / "terminal.sqlite"
        userdata = folder / "userdata_mini"
        userdata.mkdir()
        at_once = {"order_gap_s": "0", "query_gap_s": "0"}  # a simulated terminal refuses nobody who asks fast
        where = {"mode": '"live"', "kind": '"xt"', "path": f"'{userdata}'", "account": f'"{ACCOUNT}"'}
        self.home = a_home(folder / "live", **market, **where, **at_once, sweep_s="0.3", absent_after_s="1.0")
        site = {"PYTHONPATH": os.pathsep.join((str(SITE), str(ROOT))), "TERMINAL_OF": str(self.home.root)}
        user = {"HOME": str(folder), "USERPROFILE": str(folder), "PYTHONIOENCODING": "utf-8"}
        self.environment = os.environ | site | user | {"TERMINAL_BOOKS": str(self.books)}

    def qws(self, *words: object, typed: str = "") -> Outcome:
        command = [sys.executable, "-m", "qws", *map(str, words), "--home", str(self.home.root)]
        done = subprocess.run(
            command, env=self.environment, cwd=ROOT, input=typed, capture_output=True, timeout=60, encoding="utf-8",
            check=False,
        )  # fmt: skip
        return Outcome(done.returncode, done.stdout, done.stderr)

    def armed(self) -> AtATerminal:
        """Confirmed by a person."""
        armed = self.qws("arm", "--any-hour", typed=f"{ACCOUNT}\n")
        assert armed.code == 0, armed
        return self

    def running(self) -> AbstractContextManager[Daemon]:
        """`qws run`, which reaches the terminal."""
        return living(self.home, environment=self.environment)

    def orders(self) -> list[tuple[str, int]]:
        """Tag and status of everything that the terminal ever took."""
        return rows_of(self.books, "SELECT tag, status FROM orders ORDER BY serial")

    def held(self) -> Holdings:
        """What the account holds at the terminal."""
        return holdings(self.books)


def holdings(books: Path) -> Holdings:
    """What an account holds by the exchange's own books: shares, and of these bought today."""
    rows = rows_of(books, "SELECT code, shares, bought FROM holdings WHERE shares > 0")
    return {code: (shares, bought) for code, shares, bought in rows}


def completed(daemon: Daemon) -> dict[str, Any]:
    """The one result, of a run that did everything."""
    (result,) = daemon.until_results()
    assert (result["status"], result["reason"]) == ("completed", ""), result
    return result


def traded(result: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Shares planned and filled, by code."""
    found = {each["stock_code"]: (each["planned"], each["filled"]) for each in result["outcomes"]}
    assert all(planned == filled for planned, filled in found.values())
    return found


def test_a_fresh_home_at_a_terminal_ends_with_the_positions_of_a_paper_home(
    tmp_path: Path, market: dict[str, str]
) -> None:
    paper, terminal = a_home(tmp_path / "paper", **market), AtATerminal(tmp_path, market)
    refused = terminal.qws("run", "--quiet")
    assert refused.code == 2
    assert "qws arm" in refused.err
    terminal.armed()
    for home in (paper, terminal.home):
        drop(home, "demo.csv", fifty_weights())
    with living(paper) as on_paper, terminal.running() as at_terminal:
        assert traded(completed(on_paper)) == traded(completed(at_terminal))
        assert at_terminal.stop() == on_paper.stop() == (0, "")

    assert terminal.held() == holdings(paper.exchange)
    assert {*fifty_weights()} >= {code for code, (shares, _) in terminal.held().items() if code != "601398.SH"}
    assert {status for _, status in terminal.orders()} == {OrderStatus.SUCCEEDED}
    views = [qws("positions", "--home", home.root, "--json").json() for home in (paper, terminal.home)]
    assert views[0] == views[1]
    assert ACCOUNT not in at_terminal.log()


def test_after_a_kill_a_look_foretells_what_the_next_start_does_and_leaves_the_account_alone(
    tmp_path: Path, market: dict[str, str]
) -> None:
    terminal = AtATerminal(tmp_path, market).armed()
    with terminal.running() as daemon:
        daemon.until_ready()
        file = weight_file(tmp_path / "w.csv", fifty_weights(), days=(f"{datetime.now(SHANGHAI):%Y-%m-%d}",))
        busy = terminal.qws("plan", file)
        assert daemon.stop()[0] == 0
    drop(terminal.home, "demo.csv", fifty_weights())
    with doomed(terminal.home, (10, "after"), "OrderUpdated", environment=terminal.environment) as daemon:
        daemon.process.wait(60)
    before = terminal.orders()
    assert (busy.code, busy.out) == (3, "")
    assert "stop it and ask again" in busy.err
    foretold = terminal.qws("recover", "--dry-run", "--json").json()
    (run,) = foretold["runs"]
    assert len(before) > 1
    assert (foretold["status"], run["part"], run["verdict"]) == ("ready", "cut", "planned")
    assert {each["tag"] for each in foretold["orders"] if each["found"] == "found"} == {tag for tag, _ in before}
    assert [tag for tag, _ in terminal.orders()] == [tag for tag, _ in before]
    assert {status for _, status in terminal.orders()} <= {OrderStatus.REPORTED, OrderStatus.SUCCEEDED, PART}
    with terminal.running() as daemon:
        assert completed(daemon)["run_id"] == run["run_id"]
        assert daemon.stop() == (0, "")
    after = terminal.qws("plan", file, "--json").json()
    assert after["plan"] == []
