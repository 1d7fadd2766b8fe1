"""What a tear sheet says, whatever draws it: title, figures, and tables as texts in English or Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from qws.domain.quality import Quality
from qws.reports.figure import Language, percent
from qws.reports.performance import Figures, Period, Stretch, Traded, bars, by_month, extremes, figures
from qws.reports.tear_words import FIGURES, WORDS

_SHOWN_DAYS = 12


@dataclass(frozen=True, slots=True)
class Execution:
    """How well trading went: all runs of the period together, and each month or run by its label."""

    total: Quality
    parts: tuple[tuple[str, Quality], ...]


@dataclass(frozen=True, slots=True)
class TearSheet:
    """One period of one account, with its figures; `execution` is None when nothing traded."""

    period: Period
    found: Figures
    days: dict[str, date | None]
    bars: tuple[Stretch, ...]
    months: tuple[Stretch, ...]
    execution: Execution | None

    @classmethod
    def of(cls, period: Period, traded: Traded | None, execution: Execution | None, *, free_a_year: float) -> TearSheet:
        """Compute everything that is shown."""
        found = figures(period, traded, free_a_year=free_a_year)
        months = tuple(by_month(period.curve))
        return cls(period, found, extremes(period.curve), tuple(bars(period)), months, execution)

    @property
    def is_short(self) -> bool:
        """Whether it is of one day, or of the first close that is recorded: too little for curves and ratios."""
        return len(self.period.curve.points) <= 2 and not self.period.curve.missing


def headline(sheet: TearSheet, language: Language) -> tuple[str, str]:
    """The title with the returns, and the line that says what it is of."""
    words, found, curve = WORDS[language], sheet.found, sheet.period.curve
    if not sheet.period.sessions:
        return f"{words['title']}   {curve.last.day}", words["first_close"]
    parts = [words["title"], f"{words['account']} {percent(found['total_return'], signed=True)}"]
    if found["benchmark_return"] is not None:
        parts.append(f"{words['benchmark']} {percent(found['benchmark_return'], signed=True)}")
        parts.append(f"{words['excess']} {percent(found['excess_return'], signed=True)}")
    line = words["period"].format(
        first=sheet.period.first,
        last=sheet.period.last,
        base=curve.first.day,
        sessions=sheet.period.sessions,
        missing=len(curve.missing),
    )
    return "   ".join(parts), line


def warnings(sheet: TearSheet, language: Language) -> list[str]:
    """What a reader must know: missing days, days without benchmark, closes nobody could check for flows."""
    words, period = WORDS[language], sheet.period
    unknown = [point.day for point in period.curve.points if point.benchmark is None]
    found = (("missing", period.curve.missing), ("no_benchmark", unknown), ("unchecked", period.unchecked))
    return [words[name].format(count=len(days), days=_listed(days)) for name, days in found if days]


def figure_pairs(sheet: TearSheet, language: Language) -> list[tuple[str, str]]:
    """Every figure as a name and a value; of a single day only those it has, after the total assets."""
    pairs = [(name, _shown(key, kind, sheet)) for key, (kind, name) in FIGURES[language].items()]
    if not sheet.is_short:
        return pairs
    kept = [(name, value) for (name, value), key in zip(pairs, FIGURES[language], strict=True) if _is_of_a_day(key)]
    total = (WORDS[language]["total_asset"], f"{sheet.period.curve.last.total_asset:,.2f}")
    return [total, *((name, value) for name, value in kept if value != "-")]


def flow_rows(sheet: TearSheet, language: Language) -> list[tuple[str, str, str]]:
    """Deposits and withdrawals: day, word, CNY."""
    words = WORDS[language]
    return [
        (day.isoformat(), words["deposit" if amount > 0 else "withdrawal"], f"{abs(amount):,.2f}")
        for day, amount in sheet.period.flows
    ]


def month_table(sheet: TearSheet, language: Language) -> tuple[list[str], list[list[str]]]:
    """Monthly returns: one line a year with its months and its total, and one of the benchmark below."""
    years: dict[str, dict[str, Stretch]] = {}
    for each in sheet.months:
        years.setdefault(each.label[:4], {})[each.label[5:]] = each
    names = [f"{month:02}" for month in range(1, 13)]
    lines = []
    for year, months in years.items():
        for word in ("account", "benchmark"):
            shown = {name: each.account if word == "account" else each.benchmark for name, each in months.items()}
            values = [shown.get(name) for name in names]
            known = [value for value in values if value is not None]
            if word == "account" or known:
                whole = _compound(known) if len(known) == len(months) else None
                cells = [percent(value, signed=True) if value is not None else "" for value in values]
                lines.append([year, WORDS[language][word], *cells, percent(whole, signed=True)])
    return ["", "", *(str(int(name)) for name in names), WORDS[language]["year"]], lines


QUALITY = ("traded", "fill_ratio", "slippage_mid_bp", "slippage_last_bp", "spread_bp", "fees_bp", "cost_bp", "fill_s")


def quality_cells(quality: Quality) -> list[str]:
    """One line of a table of execution quality, in the order of `QUALITY`."""
    bp = (quality.slippage_mid_bp, quality.slippage_last_bp, quality.spread_bp, quality.fees_bp, quality.cost_bp)
    numbers = ["-" if value is None else f"{value:+.1f}".replace("-0.0", "0.0").replace("+0.0", "0.0") for value in bp]
    wait = "-" if quality.fill_s is None else f"{quality.fill_s:,.1f}"
    return [f"{quality.traded:,.0f}", percent(quality.fill_ratio, signed=False), *numbers, wait]


def _is_of_a_day(key: str) -> bool:
    return key not in {"max_drawdown", "best_day", "worst_day", "win_rate"}


def _compound(returns: Sequence[float]) -> float:
    worth = 1.0
    for each in returns:
        worth *= 1 + each
    return worth - 1


def _listed(days: Sequence[date]) -> str:
    shown = ", ".join(day.isoformat() for day in days[:_SHOWN_DAYS])
    return shown + (" …" if len(days) > _SHOWN_DAYS else "")


def _shown(key: str, kind: str, sheet: TearSheet) -> str:
    value = sheet.found[key]
    if value is None:
        return "-"
    text = {"%": percent(value, signed=True), "|%": percent(value, signed=False), "x": f"{value:,.2f}"}[kind]
    days = sheet.days
    if key in ("best_day", "worst_day") and (day := days[key]):
        return f"{text} ({day})"
    if key == "max_drawdown" and (peak := days["peak"]) and (trough := days["trough"]):
        form = "%m-%d" if peak.year == trough.year == sheet.period.last.year else "%y-%m-%d"
        return f"{text} ({peak:{form}} → {trough:{form}})"
    return text
