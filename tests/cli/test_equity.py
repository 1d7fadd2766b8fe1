"""The equity command, over the archive the daemon writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from qws.home import Home
from qws.reports.curve import equity_curve
from qws.store.archive import EquityRow, append_equity
from tests.cli.rig import as_json, call
from tests.reports.pictures import some_closes

CLOSES = some_closes(4, gaps=range(1, 2))


pytestmark = pytest.mark.usefixtures("the_language_stays")


@pytest.fixture
def closed(home: Home) -> Home:
    run = EquityRow(
        **{name: getattr(CLOSES[0], name) for name in EquityRow.__slots__} | {"kind": "run", "run_id": "R1"}
    )
    for row in (*CLOSES, run):
        append_equity(home.equity, row)
    return home


def test_json_is_one_record_for_each_close(closed: Home) -> None:
    rows = as_json(closed, "equity")

    assert rows == [
        {
            "day": row.day.isoformat(),
            "total_asset": float(row.total_asset),
            "cash": float(row.cash),
            "frozen_cash": float(row.frozen_cash),
            "market_value": float(row.market_value),
            "flow": None,
            "benchmark": None if row.benchmark is None else float(row.benchmark),
            "return": point.account,
            "benchmark_return": point.benchmark,
            "excess": point.excess,
            "drawdown": point.drawdown,
        }
        for row, point in zip(CLOSES, equity_curve(CLOSES).points, strict=True)
    ]


def test_the_table_has_a_line_for_each_close_and_a_dash_for_an_unknown_benchmark(closed: Home) -> None:
    title, *lines = call(closed, "equity").out.splitlines()

    assert title.split() == [
        "day", "total_asset", "cash", "flow", "benchmark", "return", "benchmark_return", "excess", "drawdown"
    ]  # fmt: skip
    assert [line.split()[0] for line in lines] == [row.day.isoformat() for row in CLOSES]
    assert [line.split()[1] for line in lines] == [f"{row.total_asset:,.2f}" for row in CLOSES]
    assert [line.split()[4] == "-" for line in lines] == [row.benchmark is None for row in CLOSES]


@pytest.mark.parametrize(("name", "language"), [("CURVE.PNG", "en"), ("curve.html", "en"), ("curve.html", "zh")])
def test_a_picture_is_drawn(closed: Home, tmp_path: Path, name: str, language: str) -> None:
    answer = call(closed, "equity", "--plot", str(tmp_path / name), "--language", language, "--json")

    assert answer.code == 0
    assert isinstance(answer.json, list)
    assert len(answer.json) == len(CLOSES)
    begin = (tmp_path / name).read_bytes()[:15].lower()
    assert begin.startswith(b"\x89png" if name.lower().endswith("png") else b"<!doctype html>")


def test_a_picture_speaks_the_language_of_its_home_unless_another_one_is_named(closed: Home, tmp_path: Path) -> None:
    text = closed.config_file.read_text(encoding="utf-8")
    closed.config_file.write_text(re.sub('language = "[a-zA-Z_]+"', 'language = "zh_CN"', text), encoding="utf-8")
    own, named = tmp_path / "own.html", tmp_path / "named.html"

    call(closed, "equity", "--plot", str(own))
    call(closed, "equity", "--plot", str(named), "--language", "en")

    assert "超额收益" in own.read_text(encoding="utf-8")
    assert "超额收益" not in named.read_text(encoding="utf-8")


def test_a_picture_of_another_kind_is_a_usage_error(closed: Home, tmp_path: Path) -> None:
    answer = call(closed, "equity", "--plot", str(tmp_path / "curve.jpg"))

    assert (answer.code, answer.out) == (2, "")
    assert ".png or .html" in answer.err
    assert not (tmp_path / "curve.jpg").exists()


def test_a_picture_that_cannot_be_written_says_so(closed: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    answer = call(closed, "equity", "--plot", str(tmp_path / "file" / "curve.html"))
    assert answer.code == 3
    assert "curve.html cannot be written" in answer.err


def test_before_the_first_close_there_is_nothing_to_show(home: Home, tmp_path: Path) -> None:
    text, value = call(home, "equity", "--plot", str(tmp_path / "e.png")), call(home, "equity", "--json")

    assert (text.code, text.out, value.code, value.json) == (1, "", 1, [])
    assert "nothing is recorded yet" in text.err
    assert list(tmp_path.glob("*.png")) == []
