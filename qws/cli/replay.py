"""`qws replay`: simulated days over a price file."""

from __future__ import annotations

import statistics
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click

from qws.cli.home import make_home
from qws.cli.options import echo, print_json
from qws.config import make_config
from qws.domain.calendar import UnknownDay
from qws.pages import page_language
from qws.replay import Story, equal_weights
from qws.replay import replay as replay_days
from qws.reports.equity import equity_curve, plot_html, plot_png
from qws.reports.figure import Language
from qws.runtime.clock import SystemClock
from qws.store.archive import EquityRow
from qws.tables import load_calendar

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--prices", type=_FILE, required=True, help="Daily bars: date, stock_code, open, high, low, close.")
@click.option("--index", type=_FILE, help="Daily bars of indexes; 000001.SH is the benchmark.")
@click.option("--from", "first", type=_DAY, required=True, help="First day.")
@click.option("--to", "last", type=_DAY, required=True, help="Last day.")
@click.option("--cash", default="100000000", show_default=True, help="CNY at the start.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--plot", type=click.Path(dir_okay=False, path_type=Path), help="Draw the equity curve: .png or .html.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object and nothing else.")
@click.pass_context
def replay(ctx: click.Context, /, *, plot: Path | None, as_json: bool, **options: Any) -> None:
    """Rebalance to equal weights every day, through the same actors as live trading, and audit every fill."""
    days = _sessions(options["first"].date(), options["last"].date())
    paper = {
        "prices": str(options["prices"].resolve()),
        "index": str(options["index"].resolve()) if options["index"] else "",
        "cash": options["cash"],
        "seed": options["seed"],
    }
    config = make_config({"paper": paper}, "qws replay")
    watch = SystemClock()
    began = watch.now()
    with tempfile.TemporaryDirectory(prefix="qws-replay-") as folder:
        story = replay_days(make_home(Path(folder)), config, days, equal_weights)
    document = _document(story, days) | {"wall_seconds": round((watch.now() - began).total_seconds(), 3)}
    if plot is not None:
        _draw(story, plot, page_language(config.language))
    if as_json:
        print_json(document)
    else:
        for name, value in document.items():
            echo(f"{name:21} {_shown(name, value)}")
    ctx.exit(0 if not document["invariants_broken"] and document["runs"].get("completed", 0) == len(days) else 1)


def _sessions(first: date, last: date) -> list[date]:
    calendar = load_calendar()
    try:
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        sessions = [day for day in days if calendar.is_session(day)]
    except UnknownDay as unknown:
        raise click.UsageError(str(unknown)) from unknown
    if not sessions:
        raise click.UsageError(f"no trading day from {first} to {last}")
    return sessions


def _document(story: Story, days: list[date]) -> dict[str, Any]:
    first, last = story.equity[0].asset.total, story.equity[-1].asset.total
    errors = sorted(story.tracking_errors)
    return {
        "days": len(days),
        "runs": dict(story.runs),
        "orders": story.orders,
        "fills": story.fills,
        "rejected_orders": story.rejected_orders,
        "messages": story.messages,
        "refused_files": story.refused_files,
        "total_asset": float(last),
        "total_return": float(last / first - 1),
        "tracking_error_median": round(statistics.median(errors), 6) if errors else None,
        "tracking_error_max": round(errors[-1], 6) if errors else None,
        "invariant_checks": story.audit.checks,
        "invariants_broken": story.audit.broken,
    }


def _shown(name: str, value: Any) -> str:
    """A figure as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{count} {kind}" for kind, count in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "-"
    if name.startswith(("total_return", "tracking_error")):
        return "-" if value is None else f"{value:.3%}"
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def _draw(story: Story, path: Path, language: Language) -> None:
    rows = [
        EquityRow(
            day=each.day,
            at=each.at,
            kind="close",
            run_id=None,
            total_asset=each.asset.total,
            cash=each.asset.cash,
            frozen_cash=each.asset.frozen,
            market_value=each.asset.market_value,
            benchmark=each.benchmark,
        )
        for each in story.equity
    ]
    curve = equity_curve(rows)
    match path.suffix.lower():
        case ".png":
            plot_png(curve, path, language=language)
        case ".html":
            plot_html(curve, path, language=language)
        case other:
            raise click.UsageError(f"{path.name}: {other or 'no'} suffix; draw to .png or .html")
