"""The equity curve as a picture: account against benchmark, excess return, drawdown; PNG here, HTML beside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from qws.reports.curve import Curve, CurvePoint, equity_curve
from qws.reports.equity_page import plot_html
from qws.reports.equity_panels import Line, Panel, dotted, headline, panels, texts_of
from qws.reports.figure import (
    FAINT,
    INK,
    LATIN_FONT,
    Language,
    day_ticks,
    drawing_style,
    find_font,
    percent_ticks,
    save_png,
    spread,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Curve", "CurvePoint", "equity_curve", "plot_html", "plot_png"]

LABEL_GAP = 0.075  # of the top panel's height


def plot_png(curve: Curve, path: Path, *, language: Language) -> Language:
    """Draw the curve as a PNG of 1650 x 1200 pixels and return the language used.

    Chinese falls back to English where no installed font has the glyphs.
    """
    from matplotlib.figure import Figure

    family = find_font(texts_of(curve, language))
    if family is None:
        language, family = "en", LATIN_FONT
    title, subtitle = headline(curve, language)
    with drawing_style(family):
        figure = Figure(figsize=(11, 8))
        figure.text(0.07, 0.955, title, fontsize=15, color=INK)
        figure.text(0.07, 0.925, subtitle, fontsize=9.5, color=FAINT)
        drawn = panels(curve, language)
        axes = figure.subplots(len(drawn), 1, sharex=True, height_ratios=[panel.height for panel in drawn])
        figure.subplots_adjust(left=0.07, right=0.9, top=0.86, bottom=0.06, hspace=0.22)
        for panel, ax in zip(drawn, axes, strict=True):
            draw_panel(ax, panel, curve)
        draw_days(axes[-1], curve)
        save_png(figure, path)
    return language


def draw_days(ax: Axes, curve: Curve) -> None:
    """Label the calendar axis below the lowest panel."""
    ticks = day_ticks(curve.days, count=8)
    ax.set_xticks([day.toordinal() for day, _ in ticks], [label for _, label in ticks])
    first, last = curve.first.day.toordinal(), curve.last.day.toordinal()
    margin = max((last - first) * 0.01, 0.5)
    ax.set_xlim(first - margin, last + margin)


def draw_panel(ax: Axes, panel: Panel, curve: Curve) -> None:
    """Draw the lines of one panel, its legend, and the newest values at the right edge."""
    low, high = panel.bounds
    days = [day.toordinal() for day in curve.days]
    for line in panel.lines:
        values = [float("nan") if value is None else value for value in line.values]
        ax.plot(days, values, color=line.colour, linewidth=1.6, label=line.name, solid_joinstyle="round")
        if line.filled:
            ax.fill_between(days, values, 0, color=line.colour, alpha=0.13, linewidth=0)
        dots = dotted(line.values)
        ax.plot([days[at] for at in dots], [values[at] for at in dots], "o", color=line.colour, markersize=4)
    ax.axhline(0, color="#98a2ad", linewidth=0.8, zorder=1.5)
    ax.set_ylim(low, high)
    ticks = percent_ticks(low, high, count=6 if panel.height > 1 else 3)
    ax.set_yticks([value for value, _ in ticks], [label for _, label in ticks])
    ax.grid(visible=True)
    ax.tick_params(length=0, labelsize=9)
    ax.legend(
        loc="lower left", bbox_to_anchor=(-0.006, 0.99), ncols=2, frameon=False, fontsize=10, handlelength=1.4,
        borderpad=0.2, columnspacing=1.6,
    )  # fmt: skip
    if panel.remark:
        ax.text(0.5, 0.72, panel.remark, transform=ax.transAxes, ha="center", va="center", color=FAINT)
    _annotate(ax, panel)


def _annotate(ax: Axes, panel: Panel) -> None:
    low, high = panel.bounds
    ends: list[Line] = [line for line in panel.lines if line.final is not None]
    heights = [((line.final or 0.0) - low) / (high - low) for line in ends]
    if len(heights) == 2:
        heights = list(spread(heights[0], heights[1], gap=LABEL_GAP))
    for line, height in zip(ends, heights, strict=True):
        ax.text(1.008, height, line.final_text, transform=ax.transAxes, va="center", color=line.colour, fontsize=10)
