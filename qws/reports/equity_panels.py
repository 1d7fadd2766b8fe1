"""What the equity picture shows, whatever draws it: words, lines and panels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from qws.reports.curve import Curve
from qws.reports.figure import ACCOUNT, BENCHMARK, DRAWDOWN, EXCESS, Language, percent

WORDS: dict[Language, dict[str, str]] = {
    "en": {
        "title": "Equity curve",
        "period": "{first} to {last}, trading days: {closes}",
        "account": "Account",
        "benchmark": "SSE Composite",
        "excess": "Excess return",
        "drawdown": "Drawdown",
        "since": "{name} (since {day})",
        "unknown": "The benchmark is not known on any day",
        "total_return": "Total return",
        "max_drawdown": "Maximum drawdown",
        "spell": "{peak} to {trough}",
        "total_asset": "Total assets, CNY",
        "days": "Trading days recorded",
        "known": "Days with benchmark",
        "known_days": "{known} of {all} ({first} to {last})",
        "incomplete": "benchmark known on {days}",
    },
    "zh": {
        "title": "资金曲线",
        "period": "{first} 至 {last}, 交易日: {closes}",
        "account": "账户",
        "benchmark": "上证指数",
        "excess": "超额收益",
        "drawdown": "回撤",
        "since": "{name} (自 {day})",
        "unknown": "没有任何一天的基准数据",
        "total_return": "累计收益",
        "max_drawdown": "最大回撤",
        "spell": "{peak} 至 {trough}",
        "total_asset": "总资产 (元)",
        "days": "已记录交易日",
        "known": "有基准的交易日",
        "known_days": "{known} / {all} ({first} 至 {last})",
        "incomplete": "有基准的交易日: {days}",
    },
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of fractions over the curve's days; None is a gap. `final_text` is its newest value, dated if old."""

    name: str
    colour: str
    values: tuple[float | None, ...]
    final: float | None
    final_text: str
    filled: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: its lines, its share of the height, and a remark that stands in for missing lines."""

    lines: tuple[Line, ...]
    height: float
    remark: str

    @property
    def bounds(self) -> tuple[float, float]:
        """The lowest and highest fraction of the axis: all values and zero, with some air, at least 0.2 % apart."""
        values = [0.0, *(value for line in self.lines for value in line.values if value is not None)]
        low, high = min(values), max(values)
        air = max((high - low) * 0.08, (0.002 - (high - low)) / 2)
        return low - air, high + air


def dotted(values: Sequence[float | None]) -> list[int]:
    """Find the values to draw as dots: all of a short curve, else those that no line shows for lack of a neighbour."""
    padded = [None, *values, None]
    return [
        at
        for at, value in enumerate(values)
        if value is not None and (len(values) <= 31 or padded[at] is padded[at + 2] is None)
    ]  # fmt: skip


def panels(curve: Curve, language: Language) -> tuple[Panel, ...]:
    """Arrange the three panels: returns, excess return, drawdown."""
    words, points = WORDS[language], curve.points
    since = curve.benchmark_since
    benchmark, excess = words["benchmark"], words["excess"]
    if since and since != curve.first.day:
        benchmark, excess = (words["since"].format(name=name, day=since) for name in (benchmark, excess))
    account = _line(curve, words["account"], ACCOUNT, [point.account for point in points], filled=False)
    index = _line(curve, benchmark, BENCHMARK, [point.benchmark for point in points], filled=False)
    above = _line(curve, excess, EXCESS, [point.excess for point in points], filled=True)
    below = _line(curve, words["drawdown"], DRAWDOWN, [point.drawdown for point in points], filled=True)
    return (
        Panel((account, index) if since else (account,), 2.6, ""),
        Panel((above,), 1, "" if since else words["unknown"]),
        Panel((below,), 1, ""),
    )


def _line(curve: Curve, name: str, colour: str, values: Sequence[float | None], *, filled: bool) -> Line:
    known: list[tuple[date, float]] = [
        (point.day, value) for point, value in zip(curve.points, values, strict=True) if value is not None
    ]
    day, final = known[-1] if known else (curve.last.day, None)
    dated = percent(final, signed=True) + ("" if day == curve.last.day else f"\n({day:%m-%d})")
    return Line(name, colour, curve.along(values), final, dated, filled=filled)


def headline(curve: Curve, language: Language) -> tuple[str, str]:
    """Write the title with the total returns, and the line with the period."""
    words, known = WORDS[language], curve.last_known
    parts = [words["title"], f"{words['account']} {percent(curve.last.account, signed=True)}"]
    if known:
        parts.append(f"{words['benchmark']} {percent(known.benchmark, signed=True)}")
        parts.append(f"{words['excess']} {percent(known.excess, signed=True)}")
    period = words["period"].format(first=curve.first.day, last=curve.last.day, closes=len(curve.points))
    if known and any(point.benchmark is None for point in curve.points):
        period += ", " + words["incomplete"].format(days=_known_days(curve, language))
    return "   ".join(parts), period


def _known_days(curve: Curve, language: Language) -> str:
    days = [point.day for point in curve.points if point.benchmark is not None]
    if not days:
        return "0"
    return WORDS[language]["known_days"].format(known=len(days), all=len(curve.points), first=days[0], last=days[-1])


def statistics(curve: Curve, language: Language) -> list[tuple[str, str]]:
    """List the key figures as pairs of name and value."""
    words, known = WORDS[language], curve.last_known
    drawdown = percent(curve.trough.drawdown, signed=True)
    if curve.trough.drawdown < 0:
        drawdown += f" ({words['spell'].format(peak=curve.peak.day, trough=curve.trough.day)})"
    return [
        (words["total_return"], percent(curve.last.account, signed=True)),
        (words["benchmark"], percent(known.benchmark if known else None, signed=True)),
        (words["excess"], percent(known.excess if known else None, signed=True)),
        (words["max_drawdown"], drawdown),
        (words["total_asset"], f"{curve.first.total_asset:,.2f} → {curve.last.total_asset:,.2f}"),
        (words["days"], str(len(curve.points))),
        (words["known"], _known_days(curve, language)),
    ]


def texts_of(curve: Curve, language: Language) -> str:
    """Join every text that a drawing of the curve can show, to find a font for it."""
    return "".join((*WORDS[language].values(), *headline(curve, language), "0123456789+-.%()"))
