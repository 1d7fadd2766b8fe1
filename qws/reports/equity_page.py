"""The equity curve as one offline HTML file: inline SVG, a table of key figures, a crosshair that reads values."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

from qws.reports.curve import Curve
from qws.reports.equity_panels import WORDS, Line, Panel, dotted, headline, panels, statistics
from qws.reports.figure import FAINT, GRID, Language, day_ticks, percent, percent_ticks, spread, write_page

WIDTH, LEFT, RIGHT = 1000.0, 58.0, 92.0
PANEL_HEIGHT, HEADER, FOOTER = 120.0, 30.0, 26.0
LABEL_GAP = 17.0

STYLE = f"""
.chart svg {{ min-width: 640px; }}
.figures th {{ text-align: left; font-weight: 400; color: {FAINT}; padding: 5px 28px 5px 0; }}
.figures td {{ text-align: right; padding: 5px 0; }}
.figures tr + tr > * {{ border-top: 1px solid {GRID}; }}
.chart {{ position: relative; overflow-x: auto; margin-bottom: 20px; }}
#tip {{ position: absolute; top: 34px; display: none; pointer-events: none; background: #fff; padding: 8px 12px;
  border: 1px solid #cfd6dd; border-radius: 6px; box-shadow: 0 2px 8px #0002; font-size: 13px; white-space: pre; }}
"""

SCRIPT = """
const svg = document.querySelector("svg");
const tip = document.getElementById("tip"), cross = document.getElementById("cross");
svg.addEventListener("pointermove", event => {
  const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
  const x = (event.clientX - box.left) / scale;
  const near = points.reduce((best, point) => Math.abs(point[0] - x) < Math.abs(best[0] - x) ? point : best);
  cross.setAttribute("x1", near[0]); cross.setAttribute("x2", near[0]); cross.style.display = "inline";
  tip.textContent = near[1]; tip.style.display = "block";
  const left = near[0] * scale;
  tip.style.left = (left + tip.offsetWidth + 14 > box.width ? left - tip.offsetWidth - 14 : left + 14) + "px";
});
svg.addEventListener("pointerleave", () => { tip.style.display = "none"; cross.style.display = "none"; });
"""


def plot_html(curve: Curve, path: Path, *, language: Language) -> None:
    """Write the curve as one HTML file that opens without a network."""
    words = WORDS[language]
    title, period = headline(curve, language)
    rows = "\n".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in statistics(curve, language)
    )
    chart, script = chart_of(curve, language)
    body = (
        f'<h1>{escape(title)}</h1>\n<p class="period">{escape(period)}</p>\n'
        f'{chart}\n<table class="figures">\n{rows}\n</table>\n{script}'
    )
    write_page(path, language=language, title=f"{words['title']} {period}", style=STYLE, body=body)


def chart_of(curve: Curve, language: Language) -> tuple[str, str]:
    """The chart as an element, and the script that reads values off it: put that behind it; one of each a page."""
    readings = json.dumps(_readings(curve, language), ensure_ascii=False).replace("<", "\\u003c")
    chart = f'<div class="chart">\n{_svg(curve, language)}\n<div id="tip"></div>\n</div>'
    return chart, f"<script>\nconst points = {readings};{SCRIPT}</script>"


def _readings(curve: Curve, language: Language) -> list[tuple[float, str]]:
    words = WORDS[language]
    return [
        (
            round(_x_of_day(curve, point.day.toordinal()), 1),
            "\n".join(
                (
                    point.day.isoformat(),
                    f"{words['account']}  {percent(point.account, signed=True)}",
                    f"{words['benchmark']}  {percent(point.benchmark, signed=True)}",
                    f"{words['excess']}  {percent(point.excess, signed=True)}",
                    f"{words['drawdown']}  {percent(point.drawdown, signed=True)}",
                )
            ),
        )
        for point in curve.points
    ]


def _x(curve: Curve, at: int) -> float:
    return _x_of_day(curve, curve.days[at].toordinal())


def _x_of_day(curve: Curve, ordinal: int) -> float:
    first, last = curve.first.day.toordinal(), curve.last.day.toordinal()
    inner = WIDTH - LEFT - RIGHT
    return LEFT + inner / 2 if first == last else LEFT + 6 + (inner - 12) * (ordinal - first) / (last - first)


def _svg(curve: Curve, language: Language) -> str:
    parts: list[str] = []
    top = 0.0
    for panel in panels(curve, language):
        top += HEADER
        height = PANEL_HEIGHT * panel.height
        parts += _panel(curve, panel, top, height)
        top += height
    ticks = day_ticks(curve.days, count=8)
    for day, label in ticks:
        parts.append(_text(_x_of_day(curve, day.toordinal()), top + 19, label, FAINT, anchor="middle", size=12))
    total = top + FOOTER
    grid = "".join(
        f'<line x1="{_x_of_day(curve, day.toordinal()):.1f}" x2="{_x_of_day(curve, day.toordinal()):.1f}" '
        f'y1="{HEADER:.0f}" y2="{top:.1f}" stroke="{GRID}"/>'
        for day, _ in ticks
    )
    name = escape(headline(curve, language)[0])
    surface = f'<rect x="0" y="0" width="{WIDTH:.0f}" height="{total:.0f}" fill="none" pointer-events="all"/>'
    cross = f'<line id="cross" y1="{HEADER:.0f}" y2="{top:.1f}" stroke="#98a2ad" style="display:none"/>'
    return (
        f'<svg viewBox="0 0 {WIDTH:.0f} {total:.0f}" role="img" aria-label="{name}">\n{grid}\n'
        + "\n".join(parts)
        + f"\n{cross}\n{surface}\n</svg>"
    )


def _panel(curve: Curve, panel: Panel, top: float, height: float) -> list[str]:
    low, high = panel.bounds
    right = WIDTH - RIGHT

    def y(value: float) -> float:
        return top + height * (high - value) / (high - low)

    parts = []
    for value, label in percent_ticks(low, high, count=6 if panel.height > 1 else 3):
        colour = "#98a2ad" if abs(value) < 1e-12 else GRID
        parts.append(f'<line x1="{LEFT}" x2="{right}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="{colour}"/>')
        parts.append(_text(LEFT - 8, y(value) + 4, label, FAINT, anchor="end", size=12))
    legend_x = LEFT
    for line in panel.lines:
        parts.append(
            f'<line x1="{legend_x:.0f}" x2="{legend_x + 16:.0f}" y1="{top - 12:.1f}" y2="{top - 12:.1f}" '
            f'stroke="{line.colour}" stroke-width="2.5"/>'
        )
        parts.append(_text(legend_x + 22, top - 8, line.name, "currentColor", anchor="start", size=13))
        legend_x += 52 + sum(14 if ord(character) > 0x2E80 else 7.5 for character in line.name)
        xy = [None if value is None else (_x(curve, at), y(value)) for at, value in enumerate(line.values)]
        parts += _strokes(line, xy, y(0.0))
    if panel.remark:
        parts.append(_text((LEFT + right) / 2, top + height * 0.3, panel.remark, FAINT, anchor="middle", size=13))
    ends = [line for line in panel.lines if line.final is not None]
    heights = [y(line.final or 0.0) for line in ends]
    if len(heights) == 2:
        heights = list(spread(heights[0], heights[1], gap=LABEL_GAP))
    for line, at in zip(ends, heights, strict=True):
        for row, text in enumerate(line.final_text.split("\n")):
            parts.append(_text(right + 8, at + 4 + 15 * row, text, line.colour, anchor="start", size=13))
    return parts


def _strokes(line: Line, xy: list[tuple[float, float] | None], zero: float) -> list[str]:
    runs: list[list[tuple[float, float]]] = [[]]
    for place in xy:
        if place is None:
            runs.append([])
        else:
            runs[-1].append(place)
    parts = []
    for run in (run for run in runs if len(run) > 1):
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in run)
        if line.filled:
            area = f"M{run[0][0]:.1f} {zero:.1f}L{path}L{run[-1][0]:.1f} {zero:.1f}Z"
            parts.append(f'<path d="{area}" fill="{line.colour}" fill-opacity="0.13"/>')
        parts.append(f'<path d="M{path}" fill="none" stroke="{line.colour}" stroke-width="2" stroke-linejoin="round"/>')
    for at in dotted(line.values):
        place = xy[at]
        if place:
            parts.append(f'<circle cx="{place[0]:.1f}" cy="{place[1]:.1f}" r="3.2" fill="{line.colour}"/>')
    return parts


def _text(x: float, y: float, text: str, colour: str, *, anchor: str, size: int) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}" font-size="{size}">{escape(text)}</text>'
    )
