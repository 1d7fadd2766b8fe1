"""The equity picture, looked at pixel by pixel and element by element."""

from __future__ import annotations

from pathlib import Path

import pytest

from qws.reports.equity import equity_curve, plot_html, plot_png
from qws.reports.figure import ACCOUNT, BENCHMARK, EXCESS, Language, percent
from tests.reports.pictures import Page, Png, require_chinese_font, some_closes


@pytest.mark.parametrize("count", [1, 2, 5, 250])
@pytest.mark.parametrize("benchmark", [True, False])
def test_a_png_of_any_length_is_of_full_size_and_not_blank(tmp_path: Path, count: int, benchmark: bool) -> None:
    path = tmp_path / "new" / "equity.png"

    assert plot_png(equity_curve(some_closes(count, benchmark=benchmark)), path, language="en") == "en"

    png = Png(path)
    assert png.width >= 1200
    assert png.height >= 800
    assert 0.01 < png.inked < 0.5


def test_the_same_curve_gives_the_same_png(tmp_path: Path) -> None:
    curve = equity_curve(some_closes(30))
    for name in ("one.png", "other.png"):
        plot_png(curve, tmp_path / name, language="en")

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "other.png").read_bytes()


def test_chinese_labels_are_drawn_with_a_font_that_has_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    require_chinese_font()
    curve = equity_curve(some_closes(40, gaps=range(10)))

    # A missing glyph is a warning, and warnings are errors here; a missing font or weight is a log line.
    assert plot_png(curve, tmp_path / "zh.png", language="zh") == "zh"
    plot_png(curve, tmp_path / "en.png", language="en")

    assert not caplog.records
    assert (tmp_path / "zh.png").read_bytes() != (tmp_path / "en.png").read_bytes()


def test_without_a_chinese_font_the_labels_are_english_and_the_answer_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qws.reports.figure.CHINESE_FONTS", {})
    curve = equity_curve(some_closes(5))

    assert plot_png(curve, tmp_path / "zh.png", language="zh") == "en"
    plot_png(curve, tmp_path / "en.png", language="en")

    assert (tmp_path / "zh.png").read_bytes() == (tmp_path / "en.png").read_bytes()


def test_a_gap_in_the_benchmark_is_a_gap_in_the_png(tmp_path: Path) -> None:
    widest = {}
    for name, gaps in {"whole": range(0), "broken": range(40, 80)}.items():
        plot_png(equity_curve(some_closes(120, gaps=gaps)), tmp_path / f"{name}.png", language="en")
        widest[name] = Png(tmp_path / f"{name}.png").widest_gap(BENCHMARK, top=0.15, bottom=0.52)

    assert widest["whole"] < 0.1
    assert widest["broken"] > 0.2


def test_a_gap_in_the_benchmark_is_a_gap_in_the_html(tmp_path: Path) -> None:
    plot_html(equity_curve(some_closes(120, gaps=range(40, 80))), tmp_path / "equity.html", language="en")

    page = Page(tmp_path / "equity.html")
    assert len(page.strokes(ACCOUNT)) == 1
    assert len(page.strokes(BENCHMARK)) == len(page.strokes(EXCESS)) == 2
    assert sum(path.count("L") + 1 for path in page.strokes(BENCHMARK)) == 80
    assert "80 of 120" in page.text


def test_a_lone_known_day_between_gaps_is_a_dot(tmp_path: Path) -> None:
    lonely = some_closes(121, gaps=range(30, 91))
    lonely[60] = some_closes(121)[60]
    plot_html(equity_curve(lonely), tmp_path / "equity.html", language="en")

    page = Page(tmp_path / "equity.html")
    assert (page.dots(ACCOUNT), page.dots(BENCHMARK), page.dots(EXCESS)) == (0, 1, 1)


@pytest.mark.parametrize("count", [1, 2, 5, 250])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_html_is_well_formed_offline_and_states_the_figures(tmp_path: Path, count: int, language: Language) -> None:
    curve = equity_curve(some_closes(count))
    plot_html(curve, tmp_path / "new" / "equity.html", language=language)

    page = Page(tmp_path / "new" / "equity.html")
    assert page.is_offline()
    assert '<meta charset="utf-8">' in page.source
    assert len(page.drawings) == 1
    assert page.dots(ACCOUNT) == (count if count < 30 else 0)
    for fraction in (curve.last.account, curve.last.benchmark, curve.last.excess, curve.trough.drawdown):
        assert percent(fraction, signed=True) in page.text
    assert curve.first.day.isoformat() in page.text
    assert f"{curve.last.total_asset:,.2f}" in page.text


def test_the_chinese_html_speaks_chinese_and_names_chinese_fonts(tmp_path: Path) -> None:
    plot_html(equity_curve(some_closes(5)), tmp_path / "equity.html", language="zh")

    page = Page(tmp_path / "equity.html")
    assert all(word in page.text for word in ("资金曲线", "账户", "上证指数", "超额收益", "最大回撤"))
    assert 'lang="zh-CN"' in page.source
    assert "Microsoft YaHei" in page.source


def test_no_coordinate_leaves_the_drawing(tmp_path: Path) -> None:
    plot_html(equity_curve(some_closes(250)), tmp_path / "equity.html", language="en")

    (svg,) = Page(tmp_path / "equity.html").drawings
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    places = [(float(text.attrib["x"]), float(text.attrib["y"])) for text in svg.iter("text")]
    assert len(places) > 15
    assert all(0 <= x <= width and 0 <= y <= height for x, y in places)


def test_a_curve_without_benchmark_says_so(tmp_path: Path) -> None:
    plot_html(equity_curve(some_closes(5, benchmark=False)), tmp_path / "equity.html", language="en")

    page = Page(tmp_path / "equity.html")
    assert "benchmark is not known on any day" in page.text
    assert page.strokes(BENCHMARK) == []
