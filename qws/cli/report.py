"""`qws report`: a tear sheet of any period."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from itertools import groupby
from pathlib import Path
from typing import Any

import click

from qws.cli.equity import trading_days
from qws.cli.executions import by_run, fees_of, record_of, works_of
from qws.cli.options import echo, home_option, json_option, print_json
from qws.config import load_config
from qws.domain.quality import quality_of
from qws.errors import StoreError
from qws.home import Home
from qws.pages import page_language
from qws.reports.figure import Language
from qws.reports.performance import Period, Traded, daily, period_of
from qws.reports.tear_page import tear_sheet_page
from qws.reports.tear_sheet import Execution, TearSheet, figure_pairs, flow_rows, headline, warnings
from qws.store.archive import read_equity
from qws.store.parquet_file import write_atomically
from qws.store.reading import Views

_RUNS_MAX = 31  # more runs than these are shown by month
_DAY, _MONTH = click.DateTime(["%Y-%m-%d"]), click.DateTime(["%Y-%m"])
_FILE = click.Path(dir_okay=False, path_type=Path)


def _flow(ctx: click.Context, param: click.Parameter, values: tuple[str, ...]) -> dict[date, Decimal]:
    flows = {}
    for value in values:
        day, _, amount = value.partition("=")
        try:
            flows[date.fromisoformat(day)] = Decimal(amount)
        except (ValueError, InvalidOperation) as error:
            raise click.BadParameter(f"{value!r}: write DAY=CNY, like 2026-10-12=-50000") from error
    return flows


@click.command()
@click.option("--month", type=_MONTH, help="A calendar month: 2026-10.")
@click.option("--day", type=_DAY, help="One day.")
@click.option("--from", "first", type=_DAY, help="First day; default: the first that is recorded.")
@click.option("--to", "last", type=_DAY, help="Last day; default: the newest that is recorded.")
@click.option("--html", type=_FILE, help="Write the tear sheet as one offline page.")
@click.option("--png", type=_FILE, help="Write it as a picture.")
@click.option("--language", type=click.Choice(["en", "zh"]), help="Default: the configuration's, or the system's.")
@click.option("--risk-free", type=float, default=0.0, show_default=True, help="A year's return without risk: 0.015.")
@click.option("--flow", "flows", multiple=True, callback=_flow, metavar="DAY=CNY", help="Correct a deposit (or, "
              "negative, a withdrawal) that was not detected, or detected wrongly; may be repeated.")  # fmt: skip
@home_option
@json_option
@click.pass_context
def report(ctx: click.Context, /, *, home: Home, flows: dict[date, Decimal], as_json: bool, **options: Any) -> None:
    """Performance of a period: time-weighted returns, some thirty figures, deposits, execution quality."""
    rows = [row for row in read_equity(home.equity) if row.kind == "close"]
    if not rows:
        echo("no close is recorded yet: the first one is written after the first trading day", err=True)
        ctx.exit(1)
    if unknown := sorted(flows.keys() - {row.day for row in rows}):
        raise click.BadParameter(f"no close is recorded on {unknown[0]}", param_hint="--flow")
    rows = [replace(row, flow=flows.get(row.day, row.flow)) for row in rows]
    config = load_config(home.config_file)
    language = page_language(options["language"] or config.language)
    first, last = _asked(options)
    try:
        period = period_of(rows, first, last, trading_days(home))
    except ValueError as error:
        raise StoreError(f"{home.equity}: {error}") from error
    sheet = _sheet(home, period, options["risk_free"])
    _write(sheet, options["html"], options["png"], language, is_quiet=as_json)
    if as_json:
        print_json(_document(sheet))
    elif options["html"] is None and options["png"] is None:
        _show(sheet, language)


def _asked(options: dict[str, Any]) -> tuple[date, date]:
    month, day, first, last = (options[name] for name in ("month", "day", "first", "last"))
    if sum((month is not None, day is not None, first is not None or last is not None)) > 1:
        raise click.UsageError("name one of --month, --day, or --from and --to")
    if month is not None:
        begin = month.date()
        return (begin, (begin + timedelta(days=31)).replace(day=1) - timedelta(days=1))
    if day is not None:
        return (day.date(), day.date())
    return (first.date() if first else date.min, last.date() if last else date.max)


def _sheet(home: Home, period: Period, free_a_year: float) -> TearSheet:
    views = Views(home.views)
    first, last = period.first.isoformat(), period.last.isoformat()
    found = by_run(works_of(views), [run for run in views.runs() if first <= str(run["day"]) <= last])
    if not found:
        return TearSheet.of(period, Traded(0.0, 0.0), None, free_a_year=free_a_year)
    total = quality_of([work for _, works in found for work in works], fees_of([run for run, _ in found]))
    label = "run_id" if len(found) <= _RUNS_MAX else "day"
    parts = []
    for name, group in groupby(found, key=lambda each: str(each[0][label])[: None if label == "run_id" else 7]):
        members = list(group)
        works = [work for _, some in members for work in some]
        parts.append((name, quality_of(works, fees_of([run for run, _ in members]))))
    traded = Traded(float(total.traded), None if total.fees is None else float(total.fees))
    return TearSheet.of(period, traded, Execution(total, tuple(parts)), free_a_year=free_a_year)


def _write(sheet: TearSheet, html: Path | None, png: Path | None, language: Language, *, is_quiet: bool) -> None:
    try:
        if html is not None:
            write_atomically(html, tear_sheet_page(sheet, language).encode("utf-8"))
        if png is not None:
            from qws.reports.tear_picture import plot_tear_sheet

            if plot_tear_sheet(sheet, png, language=language) != language:
                echo("no installed font has Chinese characters: the picture is in English", err=True)
    except OSError as error:
        raise StoreError(f"{html or png} cannot be written: {error.strerror}; name another file") from error
    for path in filter(None, (html, png)):
        echo(f"tear sheet: {path}", err=is_quiet)


def _show(sheet: TearSheet, language: Language) -> None:
    for line in (*headline(sheet, language), *warnings(sheet, language)):
        echo(line)
    pairs = figure_pairs(sheet, language)
    for name, value in pairs:
        echo(f"  {name}: {value}")
    for row in flow_rows(sheet, language):
        echo("  ".join(row))


def _document(sheet: TearSheet) -> dict[str, object]:
    period, curve = sheet.period, sheet.period.curve
    execution = sheet.execution
    return {
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "base": curve.first.day.isoformat(),
        "sessions": period.sessions,
        "missing": [day.isoformat() for day in curve.missing],
        "unchecked": [day.isoformat() for day in period.unchecked],
        "flows": [{"day": day.isoformat(), "amount": amount} for day, amount in period.flows],
        "figures": sheet.found,
        "days": {name: None if day is None else day.isoformat() for name, day in sheet.days.items()},
        "returns": [
            {"day": day.isoformat(), "account": ours, "benchmark": theirs} for day, ours, theirs in daily(curve)
        ],
        "months": [each._asdict() for each in sheet.months],
        "execution": None if execution is None else record_of(execution.total),
        "execution_parts": [] if execution is None else [{"label": a, **record_of(b)} for a, b in execution.parts],
    }
