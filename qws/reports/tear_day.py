"""A tear sheet of one day: what there is of a single day, and no chart of two points."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from qws.reports.figure import (
    ACCOUNT,
    BENCHMARK,
    EXCESS,
    FAINT,
    GRID,
    INK,
    LATIN_FONT,
    Language,
    drawing_style,
    find_font,
    percent,
    save_png,
)
from qws.reports.tear_sheet import QUALITY, TearSheet, figure_pairs, headline, quality_cells, warnings
from qws.reports.tear_words import WORDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLUMNS, _ROW, _WIDTH = 3, 0.27, 11.0  # inches
_WIDEST = 150  # characters of a line of text across the picture


def day_returns(sheet: TearSheet, language: Language) -> list[tuple[str, float, str]]:
    """Account, benchmark and excess return of the day: name, fraction, colour; empty where there is no day before."""
    words, found = WORDS[language], sheet.found
    keys = (("account", "total_return", ACCOUNT), ("benchmark", "benchmark_return", BENCHMARK))
    wanted = (*keys, ("excess", "excess_return", EXCESS)) if sheet.period.sessions else ()
    values = [(words[name], found[key], colour) for name, key, colour in wanted]
    return [(name, value, colour) for name, value, colour in values if value is not None]


def day_svg(sheet: TearSheet, language: Language) -> str:
    """The returns of the day as bars, for a page."""
    rows = day_returns(sheet, language)
    widest = max((abs(value) for _, value, _ in rows), default=0.0) or 1.0
    parts, middle, reach = [], 480.0, 300.0
    for at, (name, value, colour) in enumerate(rows):
        y, wide = 12 + 34 * at, abs(value) / widest * reach
        left = middle if value >= 0 else middle - wide
        parts.append(f'<rect x="{left:.1f}" y="{y}" width="{wide:.1f}" height="20" fill="{colour}"/>')
        parts.append(_text(2, y + 15, name, "start", FAINT))
        parts.append(_text(960, y + 15, percent(value, signed=True), "end", colour))
    height = 16 + 34 * len(rows)
    axis = f'<line x1="{middle}" x2="{middle}" y1="4" y2="{height - 4}" stroke="{GRID}"/>'
    inside = "\n".join((axis, *parts))
    return f'<div class="wide"><svg viewBox="0 0 1000 {height}" role="img">\n{inside}\n</svg></div>'


def plot_day(sheet: TearSheet, path: Path, *, language: Language) -> Language:
    """Draw the day as a PNG 1650 pixels wide and as high as it needs; return the language used.

    Chinese falls back to English where no installed font has the glyphs.
    """
    from matplotlib.figure import Figure

    shown = "".join(
        (*headline(sheet, language), *warnings(sheet, language), *(a + b for a, b in figure_pairs(sheet, language)))
    )
    family = find_font(shown + "".join(WORDS[language].values()))
    if family is None:
        language, family = "en", LATIN_FONT
    returns, pairs = day_returns(sheet, language), figure_pairs(sheet, language)
    lines = -(-len(pairs) // _COLUMNS)
    notes = [*headline(sheet, language)[1:], *warnings(sheet, language)]
    high = 1.5 + 0.2 * len(notes) + 0.42 * len(returns) + _ROW * lines + (1.1 if sheet.execution else 0)
    with drawing_style(family):
        figure = Figure(figsize=(_WIDTH, high))
        figure.text(0.07, 1 - 0.42 / high, headline(sheet, language)[0], fontsize=15, color=INK)
        for at, line in enumerate(notes):
            cut = line if len(line) <= _WIDEST else line[: _WIDEST - 1] + "…"
            y = 1 - (0.68 + 0.2 * at) / high
            figure.text(0.07, y, cut, fontsize=9, color=BENCHMARK if at else FAINT)
        top = 0.85 + 0.2 * len(notes)
        if returns:
            _draw_returns(figure, returns, top, high)
        _draw_tables(figure, sheet, language, top + 0.42 * len(returns) + 0.3)
        save_png(figure, path)
    return language


def _draw_returns(figure: Figure, rows: list[tuple[str, float, str]], top: float, high: float) -> None:
    tall = 0.42 * len(rows)
    ax = figure.add_axes((0.17, 1 - (top + tall) / high, 0.66, tall / high))
    widest = max(abs(value) for _, value, _ in rows) or 1.0
    places = range(len(rows) - 1, -1, -1)
    ax.barh(list(places), [value for _, value, _ in rows], 0.6, color=[colour for _, _, colour in rows])
    ax.set_xlim(-widest, widest)
    ax.set_ylim(-0.6, len(rows) - 0.4)
    ax.axvline(0, color="#98a2ad", linewidth=0.8)
    ax.axis("off")
    for place, (name, value, colour) in zip(places, rows, strict=True):
        y = 1 - (top + tall * (1 - (place + 0.6) / (len(rows) + 0.2))) / high
        figure.text(0.07, y, name, fontsize=10, color=FAINT, va="center")
        figure.text(0.925, y, percent(value, signed=True), fontsize=10, color=colour, ha="right", va="center")


def _draw_tables(figure: Figure, sheet: TearSheet, language: Language, top: float) -> None:
    words, pairs, high = WORDS[language], figure_pairs(sheet, language), float(figure.get_figheight())
    lines = -(-len(pairs) // _COLUMNS)
    for at, (name, value) in enumerate(pairs):
        left, y = 0.07 + 0.295 * (at // lines), 1 - (top + _ROW * (at % lines)) / high
        figure.text(left, y, name, fontsize=9, color=FAINT)
        figure.text(left + 0.265, y, value, fontsize=9, color=INK, ha="right")
    if sheet.execution is None:
        return
    top += _ROW * lines + 0.2
    figure.text(0.07, 1 - top / high, words["execution"] + " (bp)", fontsize=11, color=INK)
    for at, (name, value) in enumerate(zip(QUALITY, quality_cells(sheet.execution.total), strict=True)):
        right = 0.07 + 0.855 * (at + 1) / len(QUALITY)
        figure.text(right, 1 - (top + _ROW) / high, words[name], fontsize=9, color=FAINT, ha="right")
        figure.text(right, 1 - (top + 2 * _ROW) / high, value, fontsize=9, color=INK, ha="right")


def _text(x: float, y: float, text: str, anchor: str, colour: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="14">{escape(text)}</text>'
