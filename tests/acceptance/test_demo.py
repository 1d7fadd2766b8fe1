"""`qws demo` as a stranger uses it: the JSON contract, bad input of every kind, and sums that add up."""

from __future__ import annotations

import os
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.program import DAY, DAY_BEFORE, demo, in_process, positions_file, price_file, qws, weight_file
from tests.acceptance.sums import check_sums

NUMBER = (int, float)
TEXT_OR_NONE, NUMBER_OR_NONE = (str, type(None)), (int, float, type(None))
CONTRACT: dict[str, type | tuple[type, ...]] = {
    "run_id": TEXT_OR_NONE,
    "status": str,
    "reason": str,
    "text": str,
    "target": dict,
    "plan": list,
    "orders": list,
    "fills": list,
    "positions": dict,
    "held": dict,
    "cash": NUMBER_OR_NONE,
    "total_asset": NUMBER_OR_NONE,
    "fees": NUMBER,
    "tracking_error": NUMBER_OR_NONE,
    "rejected_orders": int,
    "wall_seconds": NUMBER,
    "virtual_seconds": NUMBER,
}
ROWS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "plan": {"stock_code": str, "side": str, "shares": int, "price": NUMBER, "reason": str},
    "orders": {
        **{"order_id": str, "stock_code": str, "side": str, "shares": int, "price": NUMBER, "filled": int},
        **{"status": str, "time": str},
    },
    "fills": {
        **{"order_id": str, "stock_code": str, "side": str, "shares": int, "price": NUMBER, "fee": NUMBER},
        **{"time": str},
    },
}
ONE = {"600519.SH": "0.5"}
THREE = {"600519.SH": "0.4", "000001.SZ": "0.3", "600036.SH": "0.2"}
HELD = {"600036.SH": (10_000, 10_000), "000002.SZ": (3_000, 3_000)}
BARS = {
    (DAY_BEFORE, "600519.SH"): "10,10.5,9.8,10.2",
    (DAY_BEFORE, "000001.SZ"): "20,20.5,19.8,20.2",
    (DAY_BEFORE, "600036.SH"): "30,30.5,29.8,30.2",
    (DAY_BEFORE, "000002.SZ"): "8,8.1,7.9,8",
    (DAY, "600519.SH"): "10.2,10.5,9.8,10.3",
    (DAY, "000001.SZ"): "20,20.5,19.8,20.2",
    (DAY, "600036.SH"): "30,30.5,29.8,30.2",
    (DAY, "000002.SZ"): "8,8.1,7.9,8",
}


def without_wall_time(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name != "wall_seconds"}


def check_contract(found: dict[str, Any]) -> None:
    assert list(found) == list(CONTRACT)
    for name, kinds in CONTRACT.items():
        assert isinstance(found[name], kinds), (name, found[name])
    for name, columns in ROWS.items():
        for row in found[name]:
            assert list(row) == list(columns)
            assert all(isinstance(row[column], kinds) for column, kinds in columns.items()), row
            assert row["side"] in ("buy", "sell")
            assert "time" not in row or datetime.fromisoformat(row["time"]).utcoffset() is not None
    for position in found["positions"].values():
        assert list(position) == ["shares", "sellable", "value"]
        assert 0 <= position["sellable"] <= position["shares"]
    assert all(isinstance(reason, str) and reason for reason in found["held"].values())
    assert all(isinstance(weight, NUMBER) for weight in found["target"].values())


def test_the_default_demo_keeps_its_contract_and_sells_before_it_buys() -> None:
    found = demo()
    check_contract(found)
    assert (found["status"], found["reason"]) == ("completed", "")
    assert {order["side"] for order in found["orders"]} == {"sell", "buy"}
    assert found["rejected_orders"] == 0
    assert found["tracking_error"] < 0.01
    assert found["virtual_seconds"] > 3600 > found["wall_seconds"]


def test_a_refused_demo_keeps_its_contract(tmp_path: Path) -> None:
    found = demo("--file", weight_file(tmp_path / "w.csv", {"600519.SH": "1.5"}))
    check_contract(found)
    assert (found["status"], found["reason"], found["run_id"]) == ("refused", "sum_over_one", None)
    assert "1.5" in found["text"]


def test_the_same_seed_gives_the_same_object_whatever_the_hash_seed_and_another_seed_does_not() -> None:
    runs = [
        in_process("demo", "--json", "--seed", 3, env=os.environ | {"PYTHONHASHSEED": hash_seed})
        for hash_seed in ("0", "4711")
    ]
    assert [run.code for run in runs] == [0, 0]
    assert [run.err for run in runs] == ["", ""]
    first, second = (without_wall_time(run.json()) for run in runs)
    assert first == second
    assert first["fills"] != demo("--seed", 4)["fills"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b"date,stock_code,weight\n", "empty_file"),
        (b"stock_code,weight\n600519.SH,0.5\n", "missing_column"),
        (f"date,stock_code,weight\n{DAY},600519.SH,many\n".encode(), "bad_weight"),
        (f"date,stock_code,weight\n{DAY},600519.SH,0.1\n{DAY},sh600519,0.2\n".encode(), "duplicate_code"),
        (f"date,stock_code,weight\n{DAY},999999.SH,0.5\n{DAY},123456.SZ,0.3\n".encode(), "empty_target"),
        (f"date,stock_code,weight\n{DAY},510300.SH,0.5\n".encode(), "empty_target"),
        (b"date,stock_code,weight\n2026-10-01,600519.SH,0.5\n", "non_trading_date"),
        (b"date,stock_code,weight\n2031-01-02,600519.SH,0.5\n", "unknown_calendar"),
        (b"\x00" * 3_000_000, "file_too_large"),
    ],
)
def test_a_bad_file_is_refused_with_its_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "w.csv"
    file.write_bytes(content)
    found = demo("--file", file)
    assert (found["status"], found["reason"]) == ("refused", reason)
    assert found["text"]
    assert found["orders"] == found["fills"] == []


@pytest.mark.parametrize("name", ["w.txt", ".w.csv", "w.csv.tmp", "weights"])
def test_a_name_that_is_no_weight_file_is_refused_with_a_text(tmp_path: Path, name: str) -> None:
    found = demo("--file", weight_file(tmp_path / name, ONE))
    assert found["status"] == "refused"
    assert found["reason"] in ("unsupported_file", "nothing_ran")
    assert found["text"]


def test_a_file_for_another_day_than_the_demo_is_refused_with_a_text(tmp_path: Path) -> None:
    file = weight_file(tmp_path / "w.csv", ONE)
    late, early = demo("--file", file, "--date", "2026-09-02"), demo("--file", file, "--date", DAY_BEFORE)
    assert (late["status"], late["reason"]) == ("refused", "stale_date")
    assert (early["status"], early["reason"]) == ("refused", "nothing_ran")
    assert early["text"]


def test_fund_rows_are_left_out_and_the_rest_is_traded(tmp_path: Path) -> None:
    found = demo("--file", weight_file(tmp_path / "w.csv", ONE | {"510300.SH": "0.3"}))
    assert found["status"] == "completed"
    assert {order["stock_code"] for order in found["orders"]} == {"600519.SH"}


@pytest.mark.parametrize("day", ["2026-10-01", "2026-09-05", "2027-03-01", "1999-01-04"])
def test_a_day_without_a_session_is_a_clear_error(day: str) -> None:
    found = demo("--date", day)
    assert found["status"] == "refused"
    assert found["reason"] in ("non_trading_date", "unknown_calendar")
    assert day in found["text"]


def test_the_last_day_that_the_calendar_knows_can_be_traded() -> None:
    assert demo("--date", "2026-12-31")["status"] == "completed"


@pytest.mark.parametrize("cash", ["abc", "-1", "nan", "inf", "1e30"])
def test_cash_that_is_none_is_a_usage_error_that_names_it(cash: str) -> None:
    outcome = qws("demo", "--json", "--cash", cash)
    assert outcome.code == 2
    assert "cash" in outcome.err
    assert outcome.out == ""


def test_what_is_asked_for_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QWS_PAPER__CASH", "1000")
    monkeypatch.setenv("QWS_PAPER__SEED", "7")
    found = demo("--cash", "5000000", "--seed", "3")
    monkeypatch.undo()
    assert without_wall_time(found) == without_wall_time(demo("--cash", "5000000", "--seed", "3"))


@pytest.mark.parametrize(
    "row", ["600000.SH,abc", "600000.SH,1.5", "600000.SH,Infinity", "600000.SH,-5", "600000,100", "600000.SH,1e30", "x"]
)
def test_bad_holdings_are_a_usage_error_that_names_the_row(tmp_path: Path, row: str) -> None:
    file = tmp_path / "positions.csv"
    file.write_text(f"stock_code,shares\n\n000001.SZ,100\n{row}\n", encoding="utf-8")
    outcome = qws("demo", "--json", "--positions", file)
    assert outcome.code == 2
    assert "row 4" in outcome.err
    assert outcome.out == ""


def test_holdings_are_where_the_demo_starts(tmp_path: Path) -> None:
    holdings = {"600519.SH": (150, 150), "000001.SZ": (12_345, 345), "688981.SH": (199, 199), "300750.SZ": (800, 0)}
    positions = positions_file(tmp_path / "p.csv", holdings)
    found = demo("--file", weight_file(tmp_path / "w.csv", ONE), "--positions", positions, "--cash", "123456.78")
    check_sums(found, Decimal("123456.78"), holdings)
    assert found["held"]["300750.SZ"] == "t_plus_1"
    assert found["positions"]["000001.SZ"]["shares"] == 12_000
    assert "688981.SH" not in found["positions"]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"date,stock_code,open,high,low\n2026-09-01,600036.SH,30,30.5,29.8\n", "close"),
        (b"", "missing column"),
        (b"date,stock_code,open,high,low,close\n2026-09-01,600036.SH,abc,30.5,29.8,30.2\n", "abc"),
        (b"date,stock_code,open,high,low,close\n2026-09-02,600036.SH,30,30.5,29.8,30.2\n", DAY),
        (b"date,stock_code,open,high,low,close\n", DAY),
    ],
)
def test_a_price_file_that_is_none_is_an_error_that_says_why(tmp_path: Path, content: bytes, word: str) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_bytes(content)
    outcome = qws("demo", "--json", "--file", weight_file(tmp_path / "w.csv", ONE), "--prices", prices)
    assert outcome.code == 2
    assert "prices.csv" in outcome.err
    assert word in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize("content", [b"", b"date,stock_code\n"])
def test_a_parquet_file_that_is_none_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    prices = tmp_path / "prices.parquet"
    prices.write_bytes(content)
    outcome = qws("demo", "--json", "--prices", prices)
    assert outcome.code == 2
    assert "prices.parquet" in outcome.err


@pytest.mark.parametrize(
    "bar", ["NaN,30.5,29.8,30.2", ",30.5,29.8,30.2", "0,30.5,29.8,30.2", "30,29.5,29.8,29.9", None]
)
def test_a_name_without_a_price_that_day_is_held_with_a_reason_and_the_others_go_on(
    tmp_path: Path, bar: str | None
) -> None:
    holes = {(DAY, code): bar for code in ("600036.SH", "000002.SZ")}
    bars = {key: text for key, text in (BARS | holes).items() if text is not None}
    prices = price_file(tmp_path / "prices.csv", bars)
    positions, file = positions_file(tmp_path / "p.csv", HELD), weight_file(tmp_path / "w.csv", THREE)
    found = demo("--file", file, "--prices", prices, "--positions", positions)
    check_sums(found, Decimal(10_000_000), HELD)
    assert found["held"] == {"600036.SH": "suspended", "000002.SZ": "suspended"}
    assert {order["stock_code"] for order in found["orders"]} == {"600519.SH", "000001.SZ"}


def test_a_holding_that_the_price_file_never_names_is_kept(tmp_path: Path) -> None:
    bars = {key: bar for key, bar in BARS.items() if key[1] != "000002.SZ"}
    positions, file = positions_file(tmp_path / "p.csv", HELD), weight_file(tmp_path / "w.csv", THREE)
    found = demo("--file", file, "--prices", price_file(tmp_path / "prices.csv", bars), "--positions", positions)
    check_sums(found, Decimal(10_000_000), HELD)
    assert found["held"] == {"000002.SZ": "no_quote"}
    assert found["positions"]["000002.SZ"]["shares"] == 3_000


def test_a_kept_demo_is_a_home_for_every_other_command_and_is_not_overwritten(tmp_path: Path) -> None:
    home = tmp_path / "kept"
    found = demo("--dir", home)
    (run,) = qws("runs", "--home", home, "--json").json()
    assert (run["run_id"], run["status"]) == (found["run_id"], "completed")
    for name in ("orders", "fills"):
        rows = qws(name, "--home", home, "--json").json()
        assert [row["stock_code"] for row in rows] == [row["stock_code"] for row in found[name]]
    shares = {code: row["shares"] for code, row in qws("positions", "--home", home, "--json").json().items()}
    assert shares == {code: row["shares"] for code, row in found["positions"].items()}
    assert qws("trace", "last", "--home", home, "--json").json()["run"]["run_id"] == found["run_id"]
    assert len(qws("equity", "--home", home, "--json").json()) == 1
    assert "equity record" in qws("log", "--home", home).out
    again = qws("demo", "--json", "--dir", home)
    assert again.code == 2
    assert "already holds a home" in again.err
    assert len(qws("runs", "--home", home, "--json").json()) == 1


def test_people_are_shown_tables_a_picture_and_where_everything_lies(tmp_path: Path) -> None:
    shown = qws("demo", "--dir", tmp_path / "kept")
    assert shown.code == 0
    assert "completed" in shown.out
    assert (tmp_path / "kept" / "run.html").stat().st_size > 1000
    refused = qws("demo", "--dir", tmp_path / "bad", "--file", weight_file(tmp_path / "w.csv", {"600519.SH": "7"}))
    assert refused.code == 1
    assert "sum_over_one" in refused.out
