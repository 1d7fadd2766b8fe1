"""What all pictures share: language, colours, fonts that have the glyphs, axis ticks, and the offline HTML page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Language = Literal["en", "zh"]

INK, FAINT, GRID = "#1f2933", "#66727f", "#e6e9ed"
ACCOUNT, BENCHMARK, EXCESS, DRAWDOWN = "#1f5fa8", "#c77c11", "#7a4fa3", "#5f6f80"
WANTED, ACHIEVED, UNTRADED = "#bcd0e8", "#1f5fa8", "#c77c11"

LATIN_FONT = "DejaVu Sans"  # shipped inside matplotlib
CHINESE_FONTS = {  # family -> how the names of its files begin
    "Microsoft YaHei": "msyh",
    "SimHei": "simhei",
    "DengXian": "deng",
    "Noto Sans CJK SC": "notosanscjk",
    "Source Han Sans SC": "sourcehansans",
    "PingFang SC": "pingfang",
    "Hiragino Sans GB": "hiragino sans gb",
    "WenQuanYi Micro Hei": "wqy-microhei",
    "WenQuanYi Zen Hei": "wqy-zenhei",
    "SimSun": "simsun",
}
FONT_STACK = ", ".join(
    ("system-ui", "'Segoe UI'", *(f"'{name}'" for name in CHINESE_FONTS), "Arial", "sans-serif"),
)


def find_font(text: str) -> str | None:
    """Name the first installed family that, with matplotlib's own font, has a glyph for all of `text`; else None."""
    from matplotlib import font_manager

    latin = _glyphs(font_manager.findfont(LATIN_FONT))
    needed = {ord(character) for character in text if character.isprintable()} - latin
    if not needed:
        return LATIN_FONT
    for scan in (False, True):
        if scan:
            _add_new_fonts()
        installed = {entry.name: entry.fname for entry in reversed(font_manager.fontManager.ttflist)}
        for family in CHINESE_FONTS:
            if family in installed and needed <= _glyphs(installed[family]):
                return family
    return None


def _glyphs(font_path: str) -> set[int]:
    from matplotlib import font_manager

    return set(font_manager.get_font(font_path).get_charmap())


def _add_new_fonts() -> None:
    # matplotlib caches the list of fonts: one installed since then would stay unseen.
    from matplotlib import font_manager

    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for found in font_manager.findSystemFonts():
        if found not in known and Path(found).name.lower().startswith(tuple(CHINESE_FONTS.values())):
            font_manager.fontManager.addfont(found)


def drawable(text: str, family: str) -> str:
    """Replace by `?` what neither `family` nor matplotlib's own font can draw."""
    from matplotlib import font_manager

    glyphs = _glyphs(font_manager.findfont(LATIN_FONT)) | _glyphs(font_manager.findfont(family))
    return "".join(character if ord(character) in glyphs else "?" for character in text)


@contextmanager
def drawing_style(family: str) -> Iterator[None]:
    """Draw with this family, then matplotlib's own, thin grey axes and plain minus signs while the context lasts."""
    import matplotlib

    families = list(dict.fromkeys((family, LATIN_FONT)))
    style = {
        "font.family": families,
        "font.size": 9.5,
        "text.color": INK,
        "axes.labelcolor": FAINT,
        "axes.edgecolor": "#b8c0c8",
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.axisbelow": True,
        "xtick.color": FAINT,
        "ytick.color": FAINT,
        "grid.color": GRID,
        "grid.linewidth": 0.8,
    }
    with matplotlib.rc_context(style):
        yield


def save_png(figure: Figure, path: Path) -> None:
    """Write the figure as a PNG of 150 dots per inch; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, format="png", dpi=150, facecolor="white", metadata={"Software": None})


def percent(fraction: float | None, *, signed: bool) -> str:
    """Write 0.0123 as `+1.23%` (signed) or `1.23%`; an unknown number is a dash."""
    if fraction is None:
        return "-"
    text = f"{fraction:+.2%}" if signed else f"{fraction:.2%}"
    return text.replace("-0.00%", "0.00%").replace("+0.00%", "0.00%")


def percent_ticks(low: float, high: float, *, count: int) -> list[tuple[float, str]]:
    """Choose at most `count` + 1 round fractions from `low` to `high` inclusive, each with its label in per cent."""
    rough = max(high - low, 1e-4) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * (1 - 1e-9))
    decimals = max(0, -math.floor(math.log10(step * 100) + 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [(number * step, f"{number * step:.{decimals}%}") for number in range(first, last + 1)]


def day_ticks(days: Sequence[date], *, count: int) -> list[tuple[date, str]]:
    """Choose at most `count` + 1 days to label on a calendar axis: days of `days`, week starts or month starts."""
    first, last = days[0], days[-1]
    span_days = (last - first).days
    if len(days) <= 2 * count:
        ticks = [first]
        for day in days[1:]:
            if (day - ticks[-1]).days >= span_days / count:
                ticks.append(day)
        return [(day, day.isoformat()) for day in ticks]
    for step_days in (7, 14):
        if span_days / step_days <= count:
            monday = first + timedelta(days=-first.weekday() % 7)
            ticks = [monday + timedelta(days=offset) for offset in range(0, span_days + 1, step_days)]
            return [(tick, tick.isoformat()) for tick in ticks if tick <= last]
    return _month_ticks(first, last, count)


def _month_ticks(first: date, last: date, count: int) -> list[tuple[date, str]]:
    start = first.year * 12 + first.month - (1 if first.day == 1 else 0)
    end = last.year * 12 + last.month - 1
    step = next(step for step in (1, 2, 3, 6, 12, 24, 60, 120, 600, 6000) if (end - start) / step <= count)
    months = range(math.ceil(start / step) * step, end + 1, step)
    starts = [date(month // 12, month % 12 + 1, 1) for month in months]
    return [(start, f"{start:%Y-%m}") for start in starts]


def spread(one: float, other: float, *, gap: float) -> tuple[float, float]:
    """Move two label positions apart, keeping their order, until they are at least `gap` from each other."""
    lack = gap - abs(one - other)
    if lack <= 0:
        return one, other
    shift = lack / 2 if one >= other else -lack / 2
    return one + shift, other - shift


PAGE_STYLE = f"""
:root {{ color-scheme: light; }}
body {{ margin: 0 auto; max-width: 1080px; padding: 24px 20px 40px; background: #fff; color: {INK};
  font: 15px/1.5 {FONT_STACK}; }}
h1 {{ font-size: 22px; font-weight: 400; margin: 0 0 2px; white-space: pre-wrap; }}
.period {{ color: {FAINT}; margin: 0 0 18px; }}
svg {{ width: 100%; height: auto; display: block; }}
svg text {{ font-family: {FONT_STACK}; }}
table {{ border-collapse: collapse; font-variant-numeric: tabular-nums; }}
"""


def page_of(*, language: Language, title: str, style: str, body: str) -> str:
    """One HTML file that needs nothing else: no script library, no font, no request."""
    lang = {"en": "en", "zh": "zh-CN"}[language]
    return (
        f'<!DOCTYPE html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{PAGE_STYLE}{style}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def write_page(path: Path, *, language: Language, title: str, style: str, body: str) -> None:
    """Write such a file; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    page = page_of(language=language, title=title, style=style, body=body)
    path.write_text(page, encoding="utf-8", newline="\n")
