"""The report and quality commands, over the archive and the read models the daemon writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from qws.domain.account import Snapshot
from qws.domain.market import Level, Quote
from qws.home import Home
from qws.messages import SnapshotTaken
from qws.store.archive import EquityRow, append_equity
from qws.tables import load_calendar
from tests.cli.rig import as_json, call, fill
from tests.reports.pictures import some_closes
from tests.store.samples import DAY, MOUTAI, a_run, at

CALENDAR = load_calendar()
CLOSES = [
    replace(row, flow=Decimal(0)) for row in some_closes(30, start=date(2026, 8, 3)) if CALENDAR.is_session(row.day)
]
SEPTEMBER = [row for row in CLOSES if row.day.month == 9]


@pytest.fixture
def kept(home: Home) -> Home:
    """August and September of 2026, the fifth close of August missing, and one run on the first of September."""
    _keep(home, [row for at_, row in enumerate(CLOSES) if at_ != 4])
    quote = Quote(MOUTAI, at(4), Decimal("1686.00"), Decimal("1680.00"), _level("1685.00"), _level("1687.00"))
    batch = a_run()
    for number, envelope in enumerate(batch):
        if isinstance(body := envelope.body, SnapshotTaken):
            shot = body.snapshot
            seen = Snapshot(shot.at, shot.asset, shot.positions, (quote,), ())
            batch[number] = replace(envelope, body=replace(body, snapshot=seen))
    fill(home, batch)
    return home


def _level(price: str) -> tuple[Level, ...]:
    return (Level(Decimal(price), 100),)


def _keep(home: Home, rows: list[EquityRow]) -> None:
    for row in rows:
        append_equity(home.equity, row)


def document(home: Home, *words: str) -> dict[str, object]:
    found = as_json(home, "report", *words)
    assert isinstance(found, dict)
    return found


def test_a_month_counts_from_the_close_before_it_and_names_its_runs(kept: Home) -> None:
    found = document(kept, "--month", "2026-09")

    base, last = CLOSES[CLOSES.index(SEPTEMBER[0]) - 1], SEPTEMBER[-1]
    figures = found["figures"]
    assert isinstance(figures, dict)
    assert (found["base"], found["to"]) == (base.day.isoformat(), last.day.isoformat())
    assert figures["total_return"] == pytest.approx(float(last.total_asset / base.total_asset) - 1)
    assert found["missing"] == []
    assert found["execution_parts"] == [{"label": "R1"} | dict(found["execution"])]  # type: ignore[call-overload]
    assert figures["turnover"] > 0


def test_a_day_that_is_missing_is_named(kept: Home) -> None:
    found = document(kept, "--to", "2026-08-31")

    assert found["missing"] == [CLOSES[4].day.isoformat()]
    assert found["execution"] is None
    assert CLOSES[4].day.isoformat() in call(kept, "report").out


def test_a_person_corrects_a_deposit(kept: Home) -> None:
    day = SEPTEMBER[1]
    before = document(kept, "--day", day.day.isoformat())["figures"]
    after = document(kept, "--day", day.day.isoformat(), "--flow", f"{day.day}=1000")["figures"]

    assert isinstance(before, dict)
    assert isinstance(after, dict)
    base = float(SEPTEMBER[0].total_asset)
    assert after["total_return"] == pytest.approx((1 + before["total_return"]) * base / (base + 1000) - 1)
    assert after["deposits"] == 1000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_page_and_a_picture_are_written(kept: Home, tmp_path: Path, language: str) -> None:
    html, png = tmp_path / "new" / "sheet.html", tmp_path / "sheet.png"

    answer = call(kept, "report", "--html", str(html), "--png", str(png), "--language", language)

    assert answer.code == 0
    assert html.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert png.read_bytes().startswith(b"\x89PNG")
    assert str(html) in answer.out


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (("--month", "2026-09", "--day", "2026-09-01"), 2, "name one of"),
        (("--flow", "yesterday=5"), 2, "write DAY=CNY"),
        (("--flow", "2026-01-01=5"), 2, "no close is recorded on 2026-01-01"),
        (("--month", "2025-01"), 3, "closes are recorded from"),
    ],
)
def test_what_cannot_be_reported_is_refused_with_a_remedy(
    kept: Home, words: tuple[str, ...], code: int, text: str
) -> None:
    answer = call(kept, "report", *words)

    assert (answer.code, answer.out) == (code, "")
    assert text in answer.err


def test_before_the_first_close_there_is_nothing_to_report(home: Home) -> None:
    answer = call(home, "report")

    assert answer.code == 1
    assert "no close is recorded yet" in answer.err


def test_the_quality_of_a_run_is_that_of_its_fills_against_its_first_look(kept: Home) -> None:
    found = as_json(kept, "quality", "R1")
    assert isinstance(found, dict)

    (name,) = found["names"]
    assert (name["planned"], name["filled"], name["average"], name["mid"]) == (100, 100, 1687.5, 1686.0)
    assert name["slippage_mid_bp"] == pytest.approx(1.5 / 1686 * 1e4, abs=1e-4)
    assert found["total"]["spread_bp"] == pytest.approx(1 / 1686 * 1e4, abs=1e-3)
    assert found["total"]["fees"] == 10  # one fill has no fee: what the run said at its end


def test_runs_and_months_are_added_up(kept: Home) -> None:
    found = as_json(kept, "quality")
    assert isinstance(found, dict)

    assert [run["run_id"] for run in found["runs"]] == ["R1"]
    assert [(month["month"], month["runs"], month["traded"]) for month in found["months"]] == [
        (f"{DAY:%Y-%m}", 1, 168_750.0)
    ]
    assert "slippage_mid_bp" in call(kept, "quality").out
    assert "planned" in call(kept, "quality", "last").out


def test_without_a_run_there_is_no_quality(home: Home) -> None:
    assert call(home, "quality").out == "no run has traded yet\n"
