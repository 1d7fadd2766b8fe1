"""`qws run` as a process: files in, results out, orders from a person, an orderly end."""

from __future__ import annotations

import json
import re
import signal
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from qws.runtime.clock import SHANGHAI
from tests.acceptance.living import a_home, check_books, count, drop, drop_bytes, exchange_tags, living, runs
from tests.acceptance.program import qws

WEIGHTS = {"600519.SH": "0.3", "300750.SZ": "0.2", "000001": "20%"}
OTHER = {"600036.SH": "0.2", "000001.SZ": "0.1"}
MANY = {f"6000{number:02}.SH": "0.01" for number in range(40)}
# time, run, #id<-#cause, actor, text; what is not a message has a level in the place of the run
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \| (\S* *\| #\d+(<-#\d+)? *\| \w+ *\| \S.*|[A-Z]+ *\| \S.*)")


def test_a_good_file_is_traded_and_answered_a_bad_one_refused_and_a_copy_receipted(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with living(home) as daemon:
        daemon.until_ready()
        drop(home, "good.csv", WEIGHTS)
        (run,) = daemon.until_runs_end()
        assert run["status"] == "completed"
        assert [path.name for path in (home.inbox / "accepted").iterdir()] == ["good.csv"]
        (result,) = daemon.until_results()
        assert (result["status"], result["run_id"]) == ("completed", run["run_id"])
        drop_bytes(home, "again.csv", (home.inbox / "accepted" / "good.csv").read_bytes())
        drop(home, "bad.csv", {"600519.SH": "3"})
        rejected = home.inbox / "rejected"
        daemon.until(lambda: len(list(rejected.glob("*.reason.txt"))) == 2, "two files were refused")
        assert "sum_over_one" in (rejected / "bad.csv.reason.txt").read_text(encoding="utf-8-sig")
        receipt = (rejected / "again.csv.reason.txt").read_text(encoding="utf-8-sig")
        assert "duplicate" in receipt
        assert "good.csv" in receipt
        assert [row["status"] for row in qws("runs", "--home", home.root, "--json").json()] == ["completed"]
        assert qws("status", "--home", home.root, "--json").json()["state"] == "running"
        assert daemon.stop() == (0, "")
    check_books(home)
    assert len(runs(home)) == 1


def test_a_file_that_lay_there_at_start_is_traded_and_the_log_and_its_twin_tell_the_story(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    drop(home, "w.csv", WEIGHTS)
    with living(home) as daemon:
        daemon.until_runs_end()
        assert daemon.stop()[0] == 0
        lines = daemon.log().splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    twins = [
        json.loads(line) for path in home.logs.glob("*.jsonl") for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert len(twins) == len(lines)
    assert [twin["at"] for twin in twins] == sorted(line[:23] for line in lines)
    numbers = [int(twin["id"][1:].split("<")[0]) for twin in twins if twin["id"]]
    assert numbers == list(range(1, len(numbers) + 1))
    story = daemon.log()
    steps = ("is complete", "accepted from", "look at account", "plan ready", "buy ", "filled:", "run completed")
    places = [story.index(step) for step in (*steps, "stopping", "exit code 0")]
    assert places == sorted(places)


def test_a_second_daemon_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with living(home) as first:
        first.until_ready()
        with living(home) as second:
            code, err = second.ended()
        assert code == 3
        assert str(first.process.pid) in err
        assert "Traceback" not in err
        assert qws("status", "--home", home.root, "--json").json()["state"] == "running"
        assert first.stop()[0] == 0
    with living(home) as third:
        third.until_ready()
        assert third.stop()[0] == 0


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_in_the_middle_of_a_run_is_orderly_and_the_next_start_goes_on(tmp_path: Path, signum: int) -> None:
    home = a_home(tmp_path / "home")
    with living(home) as daemon:
        daemon.until_ready()
        drop(home, "w.csv", MANY)
        daemon.until(lambda: exchange_tags(home), "an order was sent")
        assert daemon.stop(signum) == (0, "")
    assert qws("status", "--home", home.root, "--json").json()["state"] == "stopped"
    check_books(home)
    with living(home) as daemon:
        (run,) = daemon.until_runs_end()
        assert run["status"] == "completed"
        assert daemon.stop()[0] == 0
    check_books(home)


def test_a_halt_sends_nothing_more_survives_a_restart_and_a_resume_ends_it(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with living(home) as daemon:
        daemon.until_ready()
        assert qws("halt", "--home", home.root).code == 0
        drop(home, "w.csv", WEIGHTS)
        assert [run["status"] for run in daemon.until_runs_end()] == ["refused"]
        assert daemon.stop()[0] == 0
    with living(home) as daemon:
        daemon.until_ready()
        assert qws("status", "--home", home.root, "--json").json()["state"] == "halted"
        drop(home, "other.csv", OTHER)
        assert [run["status"] for run in daemon.until_runs_end(2)] == ["refused", "refused"]
        assert exchange_tags(home) == []
        assert qws("resume", "--home", home.root).code == 0
        assert qws("rebalance", "--home", home.root).code == 0
        assert [run["status"] for run in daemon.until_runs_end(3)] == ["refused", "refused", "completed"]
        assert daemon.stop()[0] == 0
    check_books(home)
    assert exchange_tags(home)


def test_a_halt_in_the_middle_of_a_run_ends_it_and_nothing_is_sent_afterwards(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with living(home) as daemon:
        daemon.until_ready()
        drop(home, "w.csv", MANY)
        daemon.until(lambda: exchange_tags(home), "an order was sent")
        assert qws("halt", "--home", home.root).code == 0
        (run,) = daemon.until_runs_end()
        sent = exchange_tags(home)
        assert (run["status"], run["reason"]) in (("incomplete", "halted"), ("completed", ""))
        assert daemon.stop()[0] == 0
    with living(home) as daemon:
        daemon.until_ready()
        drop(home, "other.csv", OTHER)
        daemon.until_runs_end(2)
        assert exchange_tags(home) == sent
        assert count(daemon.log(), "interrupted") == 0
        assert daemon.stop()[0] == 0
    check_books(home)


def test_a_preview_works_beside_a_daemon_and_touches_nothing(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with living(home) as daemon:
        drop(home, "w.csv", WEIGHTS)
        daemon.until_runs_end()
        held = qws("positions", "--home", home.root, "--json").json()
        found = qws("plan", home.inbox / "accepted" / "w.csv", "--home", home.root, "--json").json()
        assert {row["stock_code"]: row["held"] for row in found["plan"]}.items() <= {
            code: row["shares"] for code, row in held.items()
        }.items()
        assert found["totals"]["cash"] < 10_000_000
        assert len(runs(home)) == 1
        assert daemon.stop()[0] == 0
    check_books(home)


def test_a_price_file_with_holes_holds_what_has_no_price(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", prices='"bars.csv"', follow_ups="0")
    days = [datetime.now(SHANGHAI).date() + timedelta(days=number) for number in (-1, 0, 1)]
    rows = [f"{day},{code},10,10.2,9.9,10.1" for day in days for code in ("600519.SH", "300750.SZ")]
    rows[3] = rows[3].replace(",10.2,", ",9,")  # today's high below its low
    rows[5] = rows[5].replace(",10.2,", ",NaN,")
    text = "\n".join(["date,stock_code,open,high,low,close", *rows, ""])
    (home.root / "bars.csv").write_text(text, encoding="utf-8")
    drop(home, "w.csv", WEIGHTS)
    with living(home) as daemon:
        (run,) = daemon.until_runs_end()
        assert run["status"] == "completed"
        untraded = qws("trace", "last", "--home", home.root, "--json").json()["untraded"]
        assert {row["stock_code"]: row["reason"] for row in untraded} == {
            "300750.SZ": "suspended",
            "000001.SZ": "no_quote",
        }
        assert set(qws("positions", "--home", home.root, "--json").json()) == {"600519.SH"}
        assert daemon.stop()[0] == 0
    check_books(home)
