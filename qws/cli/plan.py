"""`qws plan`: preview a weight file."""

from __future__ import annotations

from datetime import datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import click

from qws.cli.options import echo, leave, print_json
from qws.cli.table import Column, table
from qws.config import Config, load_config, make_config
from qws.domain.market import Side
from qws.domain.plan import PlanRow
from qws.domain.report import planned_errors
from qws.domain.target_modes import LEFT_ALONE
from qws.domain.targets import Mode, Refusal
from qws.home import find_home
from qws.language import speak
from qws.log import silent
from qws.preview import Preview, preview, preview_at_terminal
from qws.runtime.clock import SHANGHAI, SystemClock
from qws.terminal_look import TerminalLook

_COLUMNS = (
    Column("side"),
    Column("stock_code"),
    Column("weight", ".2%"),
    *(Column(name, ",d") for name in ("held", "sellable", "wanted")),
    Column("orders"),
    Column("price", ",.3f"),
    Column("price_from"),
    Column("fee", ",.2f"),
    Column("reason"),
)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("file", type=_FILE)
@click.option("--home", "folder", type=click.Path(file_okay=False), help="The home; default: QWS_HOME, or here.")
@click.option("--prices", type=_FILE, help="Daily bars: plan for a new paper account instead of a home's.")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Trading day; with --prices.")
@click.option("--cash", default="10000000", show_default=True, help="CNY; with --prices.")
@click.option("--positions", type=_FILE, help="Opening holdings; with --prices.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def plan(ctx: click.Context, /, file: Path, folder: str | None, *, as_json: bool, **options: Any) -> None:
    """Show what FILE would trade, and why each name would not; sends nothing.

    At a terminal the account is read under its lock: stop the daemon first (exit 3).
    """
    clock, look = SystemClock(), None
    now = clock.now()
    if options["prices"] is None:
        home = find_home(folder)
        config = load_config(home.config_file)
        speak(config.language)
        if config.broker.kind == "xt":
            look = TerminalLook(home, config, clock)
            with silent():
                result = preview_at_terminal(file, look)
        else:
            result = preview(file, config, home.root, home.exchange, now)
    else:
        if options["day"] is not None:
            now = datetime.combine(options["day"].date(), time(9, 30, 3), SHANGHAI)
        result = preview(file, _config(options), Path.cwd(), None, now)
    document = _document(result)
    if as_json:
        print_json(document)
    else:
        _show(document)
    code = 0 if document["status"] == "ready" else 1
    leave(ctx, code, stuck_threads=look.stuck_threads if look is not None else 0)


def _config(options: dict[str, Any]) -> Config:
    positions = options["positions"]
    paper = {
        "cash": options["cash"],
        "prices": str(options["prices"].resolve()),
        "positions": str(positions.resolve()) if positions else "",
    }
    return make_config({"paper": paper}, "qws plan")


def _document(result: Preview | tuple[Refusal, ...]) -> dict[str, Any]:
    if not isinstance(result, Preview):
        return {
            "status": "refused", "refusals": [_refusal(each) for each in result], "plan": [], "idle": [], "held": {},
        }  # fmt: skip
    rows = result.plan.rows
    buys, sells = result.plan.side(Side.BUY), result.plan.side(Side.SELL)
    bought, sold = (sum((row.shares * row.price for row in side), Decimal(0)) for side in (buys, sells))
    fees = sum((row.fee for row in rows), Decimal(0))
    before, after = planned_errors(result.plan)
    return {
        "status": "held" if result.is_held else "refused" if result.refusals else "ready",
        "refusals": [_refusal(each) for each in result.refusals],
        "target_id": result.plan.target_id,
        "as_of": result.plan.at.isoformat(),
        "day": result.day.isoformat(),
        "mode": str(result.mode),
        "plan": [_row(row) for row in rows if row.shares],
        "idle": [_row(row) for row in rows if not row.shares],
        "held": {row.code: row.reason for row in rows if not row.shares and row.reason},
        "dropped": [{"row": r.row, "stock_code": r.code, "reason": r.reason, "text": r.text} for r in result.dropped],
        "totals": {
            "total_asset": float(result.plan.total_asset),
            "cash": float(result.plan.cash),
            "buys": float(bought),
            "sells": float(sold),
            "fees": float(fees),
            "cash_left": float(result.plan.cash + sold - bought - fees),
            "tracking_error_before": float(before),
            "tracking_error_after": float(after),
            "turnover": float((bought + sold) / result.plan.total_asset) if result.plan.total_asset else 0.0,
        },
    }


def _row(row: PlanRow) -> dict[str, Any]:
    return {
        "stock_code": row.code,
        "side": str(row.side or ""),
        "shares": row.shares,
        "price": float(row.price),
        "price_from": row.price_from,
        "weight": float(row.weight),
        "held": row.held,
        "sellable": row.sellable,
        "wanted": row.wanted,
        "orders": list(row.children),
        "fee": float(row.fee),
        "reason": row.reason,
    }


def _refusal(refusal: Refusal) -> dict[str, Any]:
    return {"code": refusal.code, "text": refusal.text, "row": refusal.row}


def _show(document: dict[str, Any]) -> None:
    is_held = document["status"] == "held"
    for refusal in document["refusals"]:
        echo(f"{'held' if is_held else 'refused'} [{refusal['code']}]: {refusal['text']}", err=True)
    if is_held:
        echo("the run would wait for `qws approve`, and send nothing before", err=True)
    if "totals" not in document:
        return
    rows = [*document["plan"], *document["idle"]]
    echo(table(_COLUMNS, [[_cell(row, column.title) for column in _COLUMNS] for row in rows]))
    for row in document["dropped"]:
        echo(f"filtered row {row['row']} {row['stock_code']}: [{row['reason']}] {row['text']}")
    totals = document["totals"]
    money = {name: f"{value:,.2f}" for name, value in totals.items()}
    echo(
        "{day}, as of {as_of}: buys {buys}, sells {sells}, fees {fees}, cash left {cash_left} of {total_asset}".format(
            day=document["day"], as_of=document["as_of"], **money
        )
    )
    if document["mode"] != Mode.FULL:
        alone = sum(reason == LEFT_ALONE for reason in document["held"].values())
        echo(f"mode {document['mode']}: {alone} held names are not in the file and are left alone")
    before, after = totals["tracking_error_before"], totals["tracking_error_after"]
    echo(f"tracking error {before:.3%} before, {after:.3%} after; turnover {totals['turnover']:.1%}")


def _cell(row: dict[str, Any], name: str) -> Any:
    """One field; several orders of one name are written one by one."""
    if name == "orders":
        return " + ".join(f"{shares:,d}" for shares in row["orders"])
    return row[name]
