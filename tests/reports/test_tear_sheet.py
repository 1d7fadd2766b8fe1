"""The tear sheet as a page and as a picture: whole, offline, in both languages, gaps shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from qws.domain.quality import quality_of
from qws.reports.figure import ACCOUNT, Language
from qws.reports.performance import Traded, period_of
from qws.reports.tear_day import day_returns
from qws.reports.tear_page import tear_sheet_page
from qws.reports.tear_picture import plot_tear_sheet
from qws.reports.tear_sheet import Execution, TearSheet, figure_pairs, month_table
from qws.reports.tear_words import FIGURES, WORDS
from qws.tables import load_calendar
from tests.domain.test_quality import BUY, SELL
from tests.reports.pictures import Page, Png, require_chinese_font, some_closes

CALENDAR = load_calendar()


def a_sheet(count: int = 120, *, without: range = range(0), is_traded: bool = True) -> TearSheet:
    rows = [replace(row, flow=Decimal(0)) for row in some_closes(count) if CALENDAR.is_session(row.day)]
    rows = [row for at, row in enumerate(rows) if at not in without]
    if len(rows) > 4:
        rows[3] = replace(rows[3], flow=Decimal(5000))
    period = period_of(rows, date.min, date.max, CALENDAR.is_session)
    quality = quality_of([BUY, SELL])
    execution = Execution(quality, (("R1", quality),)) if is_traded else None
    return TearSheet.of(period, Traded(16_008.0, 15.0) if is_traded else None, execution, free_a_year=0.01)


def page_of(sheet: TearSheet, language: Language, folder: Path) -> Page:
    path = folder / "sheet.html"
    path.write_text(tear_sheet_page(sheet, language), encoding="utf-8")
    return Page(path)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [1, 2, 15, 120])
def test_a_page_of_any_length_is_well_formed_offline_and_names_every_figure(
    tmp_path: Path, language: Language, count: int
) -> None:
    sheet = a_sheet(count)

    page = page_of(sheet, language, tmp_path)

    assert page.is_offline()
    assert all(name in page.text and value in page.text for name, value in figure_pairs(sheet, language))
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in page.source
    assert WORDS[language]["execution"] in page.text


def test_a_missing_day_is_named_and_breaks_the_line(tmp_path: Path) -> None:
    whole = page_of(a_sheet(), "en", tmp_path)
    sheet = a_sheet(without=range(40, 43))
    torn = page_of(sheet, "en", tmp_path)

    assert len(torn.strokes(ACCOUNT)) == len(whole.strokes(ACCOUNT)) + 1
    assert all(day.isoformat() in torn.text for day in sheet.period.curve.missing)
    assert len(sheet.period.curve.missing) == 3


def test_deposits_are_listed_and_what_was_not_traded_has_no_table(tmp_path: Path) -> None:
    page = page_of(a_sheet(is_traded=False), "en", tmp_path)

    assert "5,000.00" in page.text
    assert WORDS["en"]["execution_note"] not in page.text


@pytest.mark.parametrize("count", [15, 120])
def test_a_png_is_of_full_size_and_not_blank(tmp_path: Path, count: int) -> None:
    assert plot_tear_sheet(a_sheet(count), tmp_path / "new" / "sheet.png", language="en") == "en"

    png = Png(tmp_path / "new" / "sheet.png")
    assert (png.width, png.height) == (1650, 2040)
    assert 0.02 < png.inked < 0.5


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("count", [1, 2])
def test_the_sheet_of_a_day_is_as_high_as_what_it_has(tmp_path: Path, count: int, language: Language) -> None:
    require_chinese_font()
    sheet = a_sheet(count)

    assert plot_tear_sheet(sheet, tmp_path / "day.png", language=language) == language

    png = Png(tmp_path / "day.png")
    assert png.width == 1650
    assert 300 < png.height < 900
    assert png.inked > 0.008
    assert "-" not in {value for _, value in figure_pairs(sheet, language)}
    assert len(day_returns(sheet, language)) == (3 if count > 1 else 0)
    assert "<script" not in tear_sheet_page(sheet, language)


def test_a_chinese_png_is_drawn_with_a_font_that_has_every_glyph(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    require_chinese_font()

    # A missing glyph is a warning, and warnings are errors here.
    assert plot_tear_sheet(a_sheet(without=range(5, 6)), tmp_path / "zh.png", language="zh") == "zh"
    assert not caplog.records


def test_both_languages_have_the_same_words_and_figures() -> None:
    assert WORDS["en"].keys() == WORDS["zh"].keys()
    assert {key: kind for key, (kind, _) in FIGURES["en"].items()} == {
        key: kind for key, (kind, _) in FIGURES["zh"].items()
    }
    assert set(a_sheet().found) == set(FIGURES["en"])


def test_a_year_of_the_month_table_ends_with_what_its_months_compound_to() -> None:
    head, lines = month_table(a_sheet(250), "en")

    assert len({len(line) for line in (head, *lines)}) == 1
    assert [line[0] for line in lines] == ["2025", "2025", "2026", "2026"]
