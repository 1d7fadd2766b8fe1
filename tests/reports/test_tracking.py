"""The picture of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.reports.figure import UNTRADED, WANTED, Language
from qws.reports.tracking import LARGEST, RunRow, distance, plot_run_html, plot_run_png, shown_rows
from tests.reports.pictures import Page, Png, require_chinese_font


def some_rows(count: int, note: str = "") -> list[RunRow]:
    return [
        RunRow(
            f"{600000 + at:06d}.SH", 0.9 / count, 0.0 if note and at % 4 == 1 else 0.89 / count, note * (at % 4 == 1)
        )
        for at in range(count)
    ]


def test_the_distance_is_the_share_of_the_assets_in_the_wrong_place() -> None:
    rows = [RunRow("a", 0.5, 0.4, ""), RunRow("b", 0.3, 0.35, "")]

    assert distance(rows) == pytest.approx((0.1 + 0.05 + 0.05) / 2)


def test_rows_come_by_wanted_weight_and_cash_is_what_they_leave() -> None:
    shown = shown_rows([RunRow("a", 0.1, 0.1, ""), RunRow("b", 0.5, 0.2, "limit up")], "en")

    assert [row.code for row in shown[:2]] == ["b", "a"]
    assert (shown[2].wanted, shown[2].achieved) == pytest.approx((0.4, 0.7))


def test_beyond_forty_names_the_smallest_are_summed_up_and_nothing_is_lost() -> None:
    shown = shown_rows([*some_rows(60), RunRow("small", 0.001, 0.001, "suspended")], "en")

    assert len(shown) == LARGEST + 2
    assert sum(row.wanted for row in shown) == pytest.approx(1)
    assert sum(row.achieved for row in shown) == pytest.approx(1)
    assert "21" in shown[-1].code
    assert "1" in shown[-1].note


@pytest.mark.parametrize("count", [0, 1, 8, 60])
def test_the_png_grows_with_the_names_and_is_not_blank(tmp_path: Path, count: int) -> None:
    path = tmp_path / "new" / "run.png"

    assert plot_run_png(path, title="Run r1", rows=some_rows(count, "suspended"), language="en") == "en"

    png = Png(path)
    assert png.width >= 1200
    assert png.height > 200 + 30 * min(count, 40)
    assert 0.01 < png.inked < 0.6


def test_chinese_notes_are_drawn_and_a_foreign_sign_becomes_a_question_mark(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    require_chinese_font()
    rows = some_rows(8, "涨停: 卖盘为空, 委托到收盘仍未成交, 下一次目标会重新计算这只股票的数量")

    assert plot_run_png(tmp_path / "zh.png", title="调仓 \U00013000\n", rows=rows, language="zh") == "zh"
    assert plot_run_png(tmp_path / "en.png", title="Run", rows=rows, language="en") == "en"

    assert not caplog.records


def test_without_a_chinese_font_chinese_notes_do_not_stop_the_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qws.reports.figure.CHINESE_FONTS", {})

    assert plot_run_png(tmp_path / "run.png", title="调仓", rows=some_rows(3, "停牌"), language="zh") == "en"

    assert Png(tmp_path / "run.png").inked > 0.01


@pytest.mark.parametrize("count", [0, 1, 8, 60, 130])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_html_is_well_formed_offline_and_shows_every_name_and_reason(
    tmp_path: Path, count: int, language: Language
) -> None:
    path, rows = tmp_path / "new" / "run.html", some_rows(count, "limit up <sold & gone>")

    plot_run_html(path, title="Run <r1>", rows=rows, language=language)

    page = Page(path)
    assert page.is_offline()
    assert page.text.count("limit up <sold & gone>") == sum(bool(row.note) for row in rows)
    assert all(row.code in page.text for row in rows)
    assert len(page.drawings) == count + 1
    assert "Run <r1>" in page.text


def test_an_overspent_run_shows_negative_cash_inside_the_drawing(tmp_path: Path) -> None:
    rows = [RunRow("600000.SH", 0.98, 1.02, "")]
    plot_run_html(tmp_path / "run.html", title="Run", rows=rows, language="zh")
    plot_run_png(tmp_path / "run.png", title="Run", rows=rows, language="en")

    page = Page(tmp_path / "run.html")
    bars = [bar for svg in page.drawings for bar in svg.iter("rect")]
    assert "-2.00%" in page.text
    assert "目标" in page.text
    assert all(float(bar.attrib["x"]) >= 0 for bar in bars)
    assert all(float(bar.attrib["x"]) + float(bar.attrib["width"]) <= 1000.5 for bar in bars)


def test_a_name_with_a_reason_has_its_own_colour(tmp_path: Path) -> None:
    plot_run_html(tmp_path / "run.html", title="Run", rows=[RunRow("a", 0.5, 0.4, "limit up")], language="en")

    colours = [bar.get("fill") for svg in Page(tmp_path / "run.html").drawings for bar in svg.iter("rect")]
    assert colours[:2] == [WANTED, UNTRADED]
