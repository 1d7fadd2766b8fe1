"""`qws equity`: what the account was worth at every close, against the benchmark."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import click

from qws.cli.options import echo, home_option, json_option, print_json
from qws.cli.table import Column, table
from qws.domain.calendar import UnknownDay
from qws.errors import StoreError
from qws.home import Home
from qws.language import is_chinese
from qws.reports.curve import Curve, equity_curve
from qws.reports.performance import missing_days
from qws.store.archive import read_equity
from qws.store.reading import Record
from qws.tables import load_calendar

_SUFFIXES = (".png", ".html")
_COLUMNS = (
    Column("day"),
    *(Column(name, ",.2f") for name in ("total_asset", "cash", "flow", "benchmark")),
    *(Column(name, ".2%") for name in ("return", "benchmark_return", "excess", "drawdown")),
)


def _picture(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and value.suffix.lower() not in _SUFFIXES:
        raise click.BadParameter(f"{value.name}: name a file that ends in {' or '.join(_SUFFIXES)}")
    return value


@click.command()
@click.option(
    "--plot", "picture", type=click.Path(dir_okay=False, path_type=Path), callback=_picture, metavar="FILE.png|.html",
    help="Draw account, benchmark, excess return and drawdown.",
)  # fmt: skip
@click.option("--language", type=click.Choice(["en", "zh"]), help="Of the picture; default: that of the home.")
@home_option
@json_option
@click.pass_context
def equity(ctx: click.Context, home: Home, picture: Path | None, language: str | None, *, as_json: bool) -> None:
    """Every close: total assets and cash in CNY, returns since the first one."""
    recorded = read_equity(home.equity)
    rows = sorted((row for row in recorded if row.kind == "close"), key=lambda row: row.day)
    if not rows and recorded:  # before the first close: what the account was worth after each day's newest run
        newest = {row.day: row for row in sorted(recorded, key=lambda row: row.at)}
        rows = [replace(row, kind="close", run_id=None) for row in newest.values()]
        echo("no close is recorded yet: these are the records after runs", err=True)
    if not rows:
        echo("nothing is recorded yet: the first record is written after the first run", err=True)
        if as_json:
            print_json([])
        ctx.exit(1)
    try:
        curve = equity_curve(rows, missing=missing_days([row.day for row in rows], trading_days(home)))
    except ValueError as error:
        raise StoreError(f"{home.equity}: {error}") from error
    records: list[Record] = [
        {
            "day": row.day.isoformat(),
            "total_asset": float(row.total_asset),
            "cash": float(row.cash),
            "frozen_cash": float(row.frozen_cash),
            "market_value": float(row.market_value),
            "flow": None if row.flow is None else float(row.flow),
            "benchmark": None if row.benchmark is None else float(row.benchmark),
            "return": point.account,
            "benchmark_return": point.benchmark,
            "excess": point.excess,
            "drawdown": point.drawdown,
        }
        for row, point in zip(rows, curve.points, strict=True)
    ]
    if as_json:
        print_json(records)
    else:
        echo(table(_COLUMNS, [[record[column.title] for column in _COLUMNS] for record in records]))
    if picture is not None:
        _draw(curve, picture, is_chinese=language == "zh" if language else is_chinese())
        echo(f"picture: {picture}", err=as_json)


def trading_days(home: Home) -> Callable[[date], bool | None]:
    """Whether a day is one of the exchanges' trading days; None beyond the end of the calendar."""
    calendar = load_calendar(home.config_folder)

    def is_session(day: date) -> bool | None:
        try:
            return calendar.is_session(day)
        except UnknownDay:
            return None

    return is_session


def _draw(curve: Curve, picture: Path, *, is_chinese: bool) -> None:
    from qws.reports.equity import plot_html, plot_png

    try:
        if picture.suffix.lower() == ".html":
            plot_html(curve, picture, language="zh" if is_chinese else "en")
        elif plot_png(curve, picture, language="zh" if is_chinese else "en") == "en" and is_chinese:
            echo("no installed font has Chinese characters: the picture is in English", err=True)
    except OSError as error:
        raise StoreError(f"{picture} cannot be written: {error.strerror}; name another file") from error
