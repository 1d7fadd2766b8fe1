"""The power goes at every point of a run, or the disk is full: one result, no order twice, nothing unjournalled."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from qws.home import Home
from qws.store.reading import Views
from tests.acceptance.living import (
    a_home,
    check_books,
    drop,
    exchange_tags,
    exchange_trades,
    journalled,
    living,
    runs,
)

MANY = {f"6000{number:02}.SH": "0.02" for number in range(30)}
OTHER = {f"0000{number:02}.SZ": "0.02" for number in range(1, 31)}
QUICK = {"sweep_s": "0.3", "absent_after_s": "1.0"}

Point = Callable[[Home, str], object]
POINTS: dict[str, Point] = {
    "file claimed": lambda home, log: any((home.inbox / ".claimed").iterdir()),
    "target accepted": lambda home, log: "accepted from" in log,
    "plan ready": lambda home, log: "plan ready" in log,
    "first intent": lambda home, log: "buy " in log,
    "first order at the exchange": lambda home, log: exchange_tags(home),
    "between two orders": lambda home, log: len(exchange_tags(home)) >= 10,
    "half of the trades": lambda home, log: exchange_trades(home) >= 15,
}
LATE_POINTS: dict[str, Point] = {
    "every order ended": lambda home, log: "come to its end" in log,
    "run finished": lambda home, log: "run completed" in log,
}


def cut_and_start_again(home: Home, point: Point) -> None:
    with living(home) as daemon:
        daemon.until_ready()
        drop(home, "w.csv", MANY)
        daemon.until(lambda: point(home, daemon.log()), "at the point")
        daemon.kill()
    with living(home) as daemon:
        daemon.until_ready()
        (run,) = daemon.until_runs_end()
        assert run["status"] == "completed", daemon.log()
        daemon.until(lambda: not any((home.inbox / ".claimed").iterdir()), "the file was filed away")
        assert daemon.stop()[0] == 0
    check_books(home)
    assert len(runs(home)) == 1
    ends = [body["status"] for body in journalled(home, "RunFinished")]
    assert ends == ["completed"]
    assert [path.name for path in (home.inbox / "accepted").iterdir()] == ["w.csv"]


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_leaves_one_result_and_no_order_twice(tmp_path: Path, point: str) -> None:
    home = a_home(tmp_path / "home", **QUICK)
    cut_and_start_again(home, POINTS[point])
    assert len(list((home.inbox / "results").glob("*.result.json"))) == 1


@pytest.mark.parametrize("point", LATE_POINTS)
def test_a_kill_at_the_end_of_a_run_runs_nothing_twice(tmp_path: Path, point: str) -> None:
    cut_and_start_again(a_home(tmp_path / "home", **QUICK), LATE_POINTS[point])


def test_kills_in_a_row_while_selling_and_buying_end_in_the_target(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", **QUICK, positions='"p.csv"')
    rows = ["stock_code,shares", *(f"{code},5050" for code in MANY), ""]
    (home.root / "p.csv").write_text("\n".join(rows), encoding="utf-8")
    drop(home, "w.csv", OTHER)
    for trades in (5, 20, 40):
        with living(home) as daemon:
            daemon.until(lambda goal=trades: exchange_trades(home) >= goal, f"{trades} trades")  # type: ignore[misc]
            daemon.kill()
    with living(home) as daemon:
        (run,) = daemon.until_runs_end()
        assert run["status"] == "completed", daemon.log()
        assert daemon.stop()[0] == 0
    check_books(home, dict.fromkeys(MANY, 5050))
    held = Views(home.views).positions()
    assert held.keys() == OTHER.keys()


def let_files_grow_to(limit_bytes: int) -> None:
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))


@pytest.mark.skipif(sys.platform == "win32", reason="limits on file sizes are POSIX")
@pytest.mark.parametrize("limit_bytes", [10_000, 116_000, 216_000])
def test_a_full_disk_stops_the_daemon_and_trades_nothing_that_is_not_journalled(
    tmp_path: Path, limit_bytes: int
) -> None:
    home = a_home(tmp_path / "home", **QUICK)
    drop(home, "w.csv", MANY)
    with living(home, lambda: let_files_grow_to(limit_bytes)) as daemon:
        code, err = daemon.ended()
    assert code == 3
    assert err.startswith("qws: ")
    assert "Traceback" not in err
    intents = {body["order"]["tag"] for body in journalled(home, "PlaceOrder")}
    assert set(exchange_tags(home)) <= intents
    with living(home) as daemon:  # there is room again: it goes on
        (run,) = daemon.until_runs_end()
        assert run["status"] == "completed", daemon.log()
        assert daemon.stop()[0] == 0
    check_books(home)


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = a_home(tmp_path_factory.mktemp("used") / "home")
    drop(home, "w.csv", {"600519.SH": "0.5"})
    with living(home) as daemon:
        daemon.until_runs_end()
        assert daemon.stop()[0] == 0
    return home.root


DAMAGES: dict[str, Callable[[Path], object]] = {
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 64),
    "torn": lambda path: os.truncate(path, path.stat().st_size // 2),
    "another program's": lambda path: path.write_bytes(b"SQLite format 3\x00" + bytes(84)),
    "folder": lambda path: path.rename(path.with_name("away")).with_name(path.name).mkdir(),
}


@pytest.mark.parametrize("name", ["journal.sqlite", "exchange.sqlite"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_book_is_refused_with_a_clear_line(used_home: Path, tmp_path: Path, name: str, damage: str) -> None:
    home = Home(tmp_path / "home")
    shutil.copytree(used_home, home.root)
    for left in home.state.glob(f"{name}-*"):
        left.unlink()
    DAMAGES[damage](home.state / name)
    with living(home) as daemon:
        code, err = daemon.ended()
    assert code == 3, daemon.log()
    assert err.startswith("qws: ")
    assert name in err
    assert "Traceback" not in err
