"""The tear sheet as one offline HTML file: the equity chart, bars by day or month, figures and tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from qws.reports import equity_page, markup
from qws.reports.figure import ACCOUNT, BENCHMARK, FAINT, GRID, Language, page_of, percent, percent_ticks
from qws.reports.markup import Column
from qws.reports.performance import Stretch
from qws.reports.tear_day import day_svg
from qws.reports.tear_sheet import (
    QUALITY,
    TearSheet,
    figure_pairs,
    flow_rows,
    headline,
    month_table,
    quality_cells,
    warnings,
)
from qws.reports.tear_words import WORDS

WIDTH, LEFT, RIGHT, TOP, HEIGHT, FOOTER = 1000.0, 58.0, 92.0, 10.0, 150.0, 24.0
_LABELS_MAX = 12


def tear_sheet_page(sheet: TearSheet, language: Language) -> str:
    """The whole file as text; it needs nothing else."""
    words = WORDS[language]
    title, period = headline(sheet, language)
    chart, script = equity_page.chart_of(sheet.period.curve, language)
    if sheet.is_short:
        chart, script = day_svg(sheet, language), ""
    parts = [f"<h1>{escape(title)}</h1>", markup.paragraph(period)]
    parts += [markup.paragraph(text, "warning") for text in warnings(sheet, language)]
    parts.append(chart)
    if sheet.bars and not sheet.is_short:
        parts += [markup.heading(bars_title(sheet, language)), bars_svg(sheet.bars)]
    parts += [markup.heading(words["figures"]), markup.pairs(figure_pairs(sheet, language))]
    head, lines = month_table(sheet, language)
    columns = [Column(name, is_number=at > 1) for at, name in enumerate(head)]
    parts += [markup.heading(words["months"]), markup.table(columns, lines)] if lines and not sheet.is_short else []
    if rows := flow_rows(sheet, language):
        columns = [Column(words["day"]), Column(words["kind"]), Column(words["amount"], is_number=True)]
        parts += [markup.heading(words["flows"]), markup.table(columns, rows), markup.paragraph(words["flows_note"])]
    parts += [*_execution(sheet, language), script]
    style = equity_page.STYLE + markup.STYLE
    return page_of(language=language, title=f"{words['title']} {period[:24]}", style=style, body="\n".join(parts))


def bars_title(sheet: TearSheet, language: Language) -> str:
    """What the bars are of."""
    return WORDS[language]["month_bars" if len(sheet.bars[0].label) == len("2026-10") else "day_bars"]


def bars_svg(stretches: Sequence[Stretch]) -> str:
    """Bars of account and benchmark side by side; the exact values show when the pointer rests on one."""
    values = [0.0, *(each for one in stretches for each in (one.account, one.benchmark) if each is not None)]
    air = max((max(values) - min(values)) * 0.06, 0.0005)
    low, high = min(values) - air, max(values) + air
    parts = []
    for value, label in percent_ticks(low, high, count=5):
        y, colour = _y(value, low, high), "#98a2ad" if abs(value) < 1e-12 else GRID
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="{colour}"/>')
        parts.append(_text(LEFT - 8, y + 4, label, "end"))
    step = (WIDTH - LEFT - RIGHT) / len(stretches)
    every = -(-len(stretches) // _LABELS_MAX)
    for at, stretch in enumerate(stretches):
        left = LEFT + at * step
        pair = ((stretch.account, ACCOUNT, 0.14), (stretch.benchmark, BENCHMARK, 0.5))
        tip = "  ".join((stretch.label, *(percent(value, signed=True) for value, _, _ in pair)))
        bars = "".join(
            f'<rect x="{left + step * offset:.1f}" width="{min(step * 0.34, 40):.1f}" '
            f'y="{min(_y(value, low, high), _y(0, low, high)):.1f}" '
            f'height="{abs(_y(value, low, high) - _y(0, low, high)):.1f}" fill="{colour}"/>'
            for value, colour, offset in pair
            if value is not None
        )
        parts.append(f"<g><title>{escape(tip)}</title>{bars}</g>")
        if at % every == 0:
            label = stretch.label[5:] if len(stretch.label) == len("2026-10-12") else stretch.label
            parts.append(_text(left + step * 0.5, TOP + HEIGHT + 17, label, "middle"))
    height = TOP + HEIGHT + FOOTER
    inside = "\n".join(parts)
    return f'<div class="wide"><svg viewBox="0 0 {WIDTH:.0f} {height:.0f}" role="img">\n{inside}\n</svg></div>'


def _execution(sheet: TearSheet, language: Language) -> list[str]:
    if sheet.execution is None:
        return []
    words = WORDS[language]
    columns = [Column(words["part"]), *(Column(words[name], is_number=True) for name in QUALITY)]
    lines = [[label, *quality_cells(quality)] for label, quality in sheet.execution.parts]
    lines.append([words["all"], *quality_cells(sheet.execution.total)])
    return [
        markup.heading(words["execution"]),
        markup.table(columns, lines),
        markup.paragraph(words["execution_note"]),
    ]


def _y(value: float, low: float, high: float) -> float:
    return TOP + HEIGHT * (high - value) / (high - low)


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{FAINT}" text-anchor="{anchor}" font-size="12">{escape(text)}</text>'
