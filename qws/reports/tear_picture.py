"""The tear sheet as one PNG: the equity chart, bars by day or month, every figure, execution."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qws.reports.equity import draw_days, draw_panel
from qws.reports.equity_panels import panels, texts_of
from qws.reports.figure import (
    ACCOUNT,
    BENCHMARK,
    FAINT,
    INK,
    LATIN_FONT,
    Language,
    drawing_style,
    find_font,
    percent_ticks,
    save_png,
)
from qws.reports.tear_day import plot_day
from qws.reports.tear_page import bars_title
from qws.reports.tear_sheet import QUALITY, TearSheet, figure_pairs, headline, quality_cells, warnings
from qws.reports.tear_words import WORDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 13.6
_COLUMNS, _LINE = 3, 0.0185
_LABELS_MAX = 12
_WIDEST = 150  # characters of a line of text across the picture


def plot_tear_sheet(sheet: TearSheet, path: Path, *, language: Language) -> Language:
    """Draw the sheet as a PNG of 1650 x 2040 pixels and return the language used.

    Chinese falls back to English where no installed font has the glyphs.
    """
    from matplotlib.figure import Figure

    if sheet.is_short:
        return plot_day(sheet, path, language=language)
    family = find_font(_texts(sheet, language))
    if family is None:
        language, family = "en", LATIN_FONT
    curve = sheet.period.curve
    with drawing_style(family):
        figure = Figure(figsize=(11, HEIGHT))
        title, period = headline(sheet, language)
        figure.text(0.07, 0.972, title, fontsize=15, color=INK)
        for at, line in enumerate([period, *warnings(sheet, language)][:4]):
            shown = line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
            colour = BENCHMARK if at else FAINT
            figure.text(0.07, 0.956 - 0.0135 * at, shown, fontsize=9, color=colour)
        drawn = panels(curve, language)
        heights = [panel.height for panel in drawn]
        grid = figure.add_gridspec(
            len(drawn), 1, left=0.07, right=0.9, top=0.885, bottom=0.48, hspace=0.27, height_ratios=heights
        )
        axes = [figure.add_subplot(grid[at]) for at in range(len(drawn))]
        for panel, ax in zip(drawn, axes, strict=True):
            draw_panel(ax, panel, curve)
            ax.sharex(axes[-1])
            ax.tick_params(labelbottom=ax is axes[-1])
        draw_days(axes[-1], curve)
        if sheet.bars:
            _draw_bars(figure.add_axes((0.07, 0.32, 0.83, 0.105)), sheet, language)
        _draw_figures(figure, sheet, language)
        save_png(figure, path)
    return language


def _texts(sheet: TearSheet, language: Language) -> str:
    figures = "".join(name + value for name, value in figure_pairs(sheet, language))
    said = "".join((*headline(sheet, language), *warnings(sheet, language), *WORDS[language].values()))
    return texts_of(sheet.period.curve, language) + figures + said


def _draw_bars(ax: Axes, sheet: TearSheet, language: Language) -> None:
    words, places = WORDS[language], range(len(sheet.bars))
    benchmark = [float("nan") if each.benchmark is None else each.benchmark for each in sheet.bars]
    ax.bar([at - 0.19 for at in places], [each.account for each in sheet.bars], 0.36, color=ACCOUNT)
    ax.bar([at + 0.19 for at in places], benchmark, 0.36, color=BENCHMARK)
    low, high = ax.get_ylim()
    ticks = percent_ticks(low, high, count=4)
    ax.set_yticks([value for value, _ in ticks], [label for _, label in ticks])
    every = -(-len(sheet.bars) // _LABELS_MAX)
    labels = [each.label[5:] if len(each.label) == len("2026-10-12") else each.label for each in sheet.bars]
    ax.set_xticks(list(places)[::every], labels[::every])
    ax.set_xlim(-1, max(len(sheet.bars), 8))
    ax.axhline(0, color="#98a2ad", linewidth=0.8)
    ax.grid(visible=True, axis="y")
    ax.tick_params(length=0, labelsize=9)
    ax.set_title(
        f"{bars_title(sheet, language)}  ({words['account']}, {words['benchmark']})", loc="left", fontsize=10, color=INK
    )


def _draw_figures(figure: Figure, sheet: TearSheet, language: Language) -> None:
    words, found = WORDS[language], figure_pairs(sheet, language)
    figure.text(0.07, 0.28, words["figures"], fontsize=11, color=INK)
    lines = -(-len(found) // _COLUMNS)
    for at, (name, value) in enumerate(found):
        left, y = 0.07 + 0.295 * (at // lines), 0.258 - _LINE * (at % lines)
        figure.text(left, y, name, fontsize=9, color=FAINT)
        figure.text(left + 0.265, y, value, fontsize=9, color=INK, ha="right")
    if sheet.execution is None:
        return
    top = 0.258 - _LINE * lines - 0.018
    figure.text(0.07, top, words["execution"] + " (bp)", fontsize=11, color=INK)
    cells = quality_cells(sheet.execution.total)
    for at, (name, value) in enumerate(zip(QUALITY, cells, strict=True)):
        right = 0.07 + 0.855 * (at + 1) / len(QUALITY)
        figure.text(right, top - 0.02, words[name], fontsize=9, color=FAINT, ha="right")
        figure.text(right, top - 0.02 - _LINE, value, fontsize=9, color=INK, ha="right")
