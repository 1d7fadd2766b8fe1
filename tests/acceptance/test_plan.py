"""`qws plan`: what a file would trade, told without touching anything."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from qws.home import Home
from tests.acceptance.living import a_home, drop, living
from tests.acceptance.program import DAY, price_file, qws, weight_file

NUMBER = (int, float)
TOTALS = {
    *("total_asset", "cash", "buys", "sells", "fees", "cash_left", "turnover"),
    *("tracking_error_before", "tracking_error_after"),
}
ROW: dict[str, type | tuple[type, ...]] = {
    **{"stock_code": str, "side": str, "shares": int, "price": NUMBER, "price_from": str, "weight": NUMBER},
    **{"held": int, "sellable": int, "wanted": int, "orders": list, "fee": NUMBER, "reason": str},
}
BARS = {(DAY, "600519.SH"): "10.2,10.5,9.8,10.3", (DAY, "000001.SZ"): "20,20.5,19.8,20.2"}


def check_shape(found: dict[str, Any]) -> None:
    assert list(found) == [
        "status",
        "refusals",
        "target_id",
        "as_of",
        "day",
        "mode",
        "plan",
        "idle",
        "held",
        "dropped",
        "totals",
    ]
    assert found["totals"].keys() == TOTALS
    for row in [*found["plan"], *found["idle"]]:
        assert list(row) == list(ROW)
        assert all(isinstance(row[name], kinds) for name, kinds in ROW.items()), row
    assert found["totals"]["tracking_error_after"] <= found["totals"]["tracking_error_before"]
    for row in found["plan"]:
        assert sum(row["orders"]) == row["shares"] > 0
    totals = found["totals"]
    bought = sum(row["shares"] * row["price"] for row in found["plan"] if row["side"] == "buy")
    assert totals["buys"] == pytest.approx(bought)
    assert totals["cash_left"] == pytest.approx(totals["cash"] + totals["sells"] - totals["buys"] - totals["fees"])
    assert totals["cash_left"] >= 0


def prints(home: Home) -> dict[str, str]:
    """The hash of every file in the home; the side files that SQLite makes to read a book hold nothing."""
    files = [path for path in home.root.rglob("*") if path.is_file() and not path.name.endswith(("-shm", "-wal"))]
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_plan_for_a_new_account_has_its_shape_and_adds_up(tmp_path: Path) -> None:
    prices = price_file(tmp_path / "prices.csv", BARS)
    weights = {"600519.SH": "0.5", "000001.SZ": "0.2", "510300.SH": "0.1", "600036.SH": "0.1"}
    file = weight_file(tmp_path / "w.csv", weights)
    outcome = qws("plan", file, "--prices", prices, "--date", DAY, "--cash", "1000000", "--json")
    found = outcome.json()
    check_shape(found)
    assert (outcome.code, found["status"], found["refusals"]) == (0, "ready", [])
    assert {row["stock_code"] for row in found["plan"]} == {"600519.SH", "000001.SZ"}
    assert found["held"] == {"600036.SH": "no_quote"}
    assert [(row["stock_code"], row["reason"]) for row in found["dropped"]] == [("510300.SH", "etf_disabled")]
    shown = qws("plan", file, "--prices", prices, "--date", DAY, "--cash", "1000000")
    assert shown.code == 0
    (idle,) = [line.split() for line in shown.out.splitlines() if "600036.SH" in line]
    assert idle[-1] == "no_quote"
    assert "tracking error" in shown.out


def test_a_plan_for_a_used_home_is_what_the_account_needs_and_changes_no_byte(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    drop(home, "w.csv", {"600519.SH": "0.3", "000001.SZ": "0.3"})
    with living(home) as daemon:
        daemon.until_runs_end()
        assert daemon.stop()[0] == 0
    before, held = prints(home), qws("positions", "--home", home.root, "--json").json()
    accepted = home.inbox / "accepted" / "w.csv"
    again = qws("plan", accepted, "--home", home.root, "--json").json()
    check_shape(again)
    assert again["totals"]["turnover"] < 0.02  # it is already what the file says, but for the prices since
    assert again["totals"]["total_asset"] > again["totals"]["cash"] > 0
    text = accepted.read_text(encoding="utf-8").replace("0.3", "0.1")
    (tmp_path / "less.csv").write_text(text, encoding="utf-8")
    less = qws("plan", tmp_path / "less.csv", "--home", home.root, "--json").json()
    assert less["plan"] == []  # bought today: nothing may be sold before tomorrow
    assert less["held"] == dict.fromkeys(held, "t_plus_1")
    assert prints(home) == before


@pytest.mark.parametrize(
    ("weights", "reasons"),
    [({"600519.SH": "1.2"}, ["sum_over_one"]), ({"510300.SH": "0.3"}, ["empty_target", "etf_disabled"])],
)
def test_a_refused_file_says_why_and_exits_1(tmp_path: Path, weights: dict[str, object], reasons: list[str]) -> None:
    prices, file = price_file(tmp_path / "prices.csv", BARS), weight_file(tmp_path / "w.csv", weights)
    outcome = qws("plan", file, "--prices", prices, "--date", DAY, "--json")
    found = outcome.json()
    assert (outcome.code, found["status"], found["plan"]) == (1, "refused", [])
    assert [refusal["code"] for refusal in found["refusals"]] == reasons
    shown = qws("plan", file, "--prices", prices, "--date", DAY)
    assert (shown.code, shown.out) == (1, "")
    assert [reason for reason in reasons if reason not in shown.err] == []


def test_a_plan_that_breaks_a_hard_limit_is_shown_and_exits_1(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home", weight_max="0.3", always_open="true")
    drop(home, "w.csv", {"600519.SH": "0.5"})
    outcome = qws("plan", home.inbox / "w.csv", "--home", home.root, "--json")
    found = outcome.json()
    assert (outcome.code, found["status"]) == (1, "refused")
    assert [refusal["code"] for refusal in found["refusals"]] == ["single_name"]
    assert len(found["plan"]) == 1
    assert not home.exchange.exists()


def test_a_plan_that_would_be_held_says_so_and_not_that_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = a_home(tmp_path / "home", always_open="true")
    drop(home, "w.csv", {"600519.SH": "0.5"})
    rules = {"HOLD": '["turnover", "order_value"]', "TURNOVER_MAX": "0.1", "ORDER_VALUE_MAX": "1000"}
    for name, value in rules.items():
        monkeypatch.setenv(f"QWS_RISK__{name}", value)
    asked = ("plan", home.inbox / "w.csv", "--home", home.root)
    monkeypatch.setenv("QWS_LANGUAGE", "zh_CN")
    chinese = qws(*asked)
    monkeypatch.setenv("QWS_LANGUAGE", "en")
    english, found = qws(*asked), qws(*asked, "--json").json()
    assert found["status"] == "held"
    assert {"turnover", "order_value"} <= {refusal["code"] for refusal in found["refusals"]}
    assert (english.code, chinese.code) == (1, 1)
    assert "held [turnover]: " in english.err
    assert "would wait for `qws approve`" in english.err
    assert "refused" not in english.err
    assert "等待批准 [turnover]：" in chinese.err
    assert "拒绝" not in chinese.err
    assert [line for line in chinese.err.splitlines() if "would" in line or "held" in line] == []


@pytest.mark.parametrize("arguments", [("--cash", "abc"), ("--cash", "-1"), ("--prices", "nowhere.csv")])
def test_bad_options_are_usage_errors(tmp_path: Path, arguments: tuple[str, str]) -> None:
    prices, file = price_file(tmp_path / "prices.csv", BARS), weight_file(tmp_path / "w.csv", {"600519.SH": "0.5"})
    assert qws("plan", file, "--prices", prices, "--date", DAY, *arguments).code == 2
    assert qws("plan", file, "--home", tmp_path / "no home").code == 2
