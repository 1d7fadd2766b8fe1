"""What a demo shows: one JSON object, or tables that a person enjoys reading."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qws.cli.table import heading, reason_word
from qws.home import Home
from qws.language import _, is_chinese
from qws.messages import RunFinished, TargetRejected
from qws.reports.figure import Language
from qws.reports.tracking import RunRow, plot_run_html
from qws.runtime.message import Message
from qws.sentences import localised
from qws.store.reading import Views

_BAR = 24
_ROWS_MAX = 60
_NOTHING = "no target of that day was found: give the day that the file names, and a file whose name ends in .csv"


def result_of(views: Views, seen: list[Message]) -> dict[str, Any]:
    """The demo's JSON object, from the read models and the messages that ended it."""
    ended = next((msg for msg in reversed(seen) if isinstance(msg, RunFinished)), None)
    refused = next((msg for msg in seen if isinstance(msg, TargetRejected)), None)
    run_id = ended.run_id if ended else ""
    rows, orders, fills = views.plan(run_id), views.orders(run_id), views.fills(run_id)
    filled = {order["stock_code"] for order in orders}
    target = {outcome.code: float(outcome.wanted) for outcome in ended.outcomes if outcome.wanted} if ended else {}
    asset = ended.asset if ended else None
    return {
        "run_id": run_id or None,
        "status": ended.status if ended else "refused",
        "reason": ended.reason if ended else (refused.refusals[0].code if refused else "nothing_ran"),
        "text": ended.text if ended else "; ".join(each.text for each in refused.refusals) if refused else _NOTHING,
        "target": target,
        "plan": [_only(row, "stock_code", "side", "shares", "price", "reason") for row in rows if row["shares"]],
        "orders": [
            _only(order, "order_id", "stock_code", "side", "shares", "price", "filled", "status", "time")
            for order in orders
        ],
        "fills": [_only(fill, "order_id", "stock_code", "side", "shares", "price", "fee", "time") for fill in fills],
        "positions": {
            position.code: {
                "shares": position.shares,
                "sellable": position.sellable,
                "value": float(position.market_value),
            }
            for position in (ended.positions if ended else ())
        },
        "held": _filtered(views, ended.target_id if ended else "")
        | {row["stock_code"]: row["reason"] for row in rows if row["reason"] and row["stock_code"] not in filled},
        "cash": float(asset.cash) if asset else None,
        "total_asset": float(asset.total) if asset else None,
        "fees": float(ended.fees) if ended else 0.0,
        "tracking_error": float(ended.tracking_error) if ended and ended.tracking_error is not None else None,
        "rejected_orders": sum(1 for order in orders if order["status"] == "junk" and order["order_id"]),
    }


def _filtered(views: Views, target_id: str) -> dict[str, str]:
    """The rows of the file that were filtered out, by what they named."""
    targets: list[dict[str, Any]] = [target for target in views.targets() if target["target_id"] == target_id]
    rows = [row for target in targets for row in target["dropped"]]
    return {row["code"]: row["reason"] for row in rows if row["code"]}


def show(result: dict[str, Any], home: Home) -> None:
    """Print a demo for people, and draw its picture."""
    console = Console()
    if result["run_id"] is None:
        console.print(Text(localised(f"refused [{result['reason']}]: {result['text']}"), style="bold red"))
        if result["reason"] != "nothing_ran":
            console.print(localised(f"The file lies in {home.inbox / 'rejected'}, with the reason beside it."))
        return
    console.print(_orders_table(result))
    console.print(_weights_table(result))
    error = result["tracking_error"]
    good = result["status"] == "completed"
    short = "unknown" if error is None else f"{error:.3%}"
    console.print(
        Text(
            f" {localised(str(result['status']))} ",
            style="bold white on green" if good else "bold white on dark_orange",
        ),
        Text(
            " "
            + localised(
                f"run {result['run_id']}: {len(result['orders'])} orders, {len(result['fills'])} fills, "
                f"{result['rejected_orders']} rejected; tracking error {short}"
            )
        ),
        sep="",
    )
    if result["total_asset"] is not None:
        console.print(
            " "
            + localised(
                f"total asset {result['total_asset']:,.2f} CNY, cash {result['cash']:,.2f}, fees {result['fees']:,.2f};"
                f" {result['virtual_seconds'] / 3600:.1f} market hours in {result['wall_seconds']:.1f} s"
            )
        )
    picture = home.root / "run.html"
    language: Language = "zh" if is_chinese() else "en"
    plot_run_html(picture, title=localised(f"Run {result['run_id']}"), rows=_run_rows(result), language=language)
    for line in (f"picture: {picture}", f"everything of this demo (log, journal, files): {home.root}"):
        console.print(" " + localised(line), highlight=False)


def _only(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: record[name] for name in names}


def _orders_table(result: dict[str, Any]) -> Table:
    table = Table(
        title=localised("Plan, orders and fills"), title_justify="left", header_style="bold", box=None, pad_edge=False
    )
    for name in ("", "stock_code"):
        table.add_column(heading(name))
    for name in ("shares", "limit", "filled", "average", "value", "fee"):
        table.add_column(heading(name), justify="right", no_wrap=True)
    table.add_column(heading("status"))
    traded: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for fill in result["fills"]:
        traded[fill["order_id"]][0] += fill["shares"] * fill["price"]
        traded[fill["order_id"]][1] += fill["fee"] or 0.0
    for order in result["orders"][:_ROWS_MAX]:
        value, fee = traded.get(order["order_id"], [0.0, 0.0])
        average = f"{value / order['filled']:.3f}" if order["filled"] else "-"
        style = "green" if order["side"] == "sell" else "red"  # A-share screens: buys red, sells green
        full = order["filled"] == order["shares"]
        table.add_row(
            Text(localised(order["side"]), style=style),
            order["stock_code"],
            f"{order['shares']:,}",
            f"{order['price']:.2f}",
            Text(f"{order['filled']:,}", style="" if full else "yellow"),
            average,
            f"{value:,.0f}",
            f"{fee:,.2f}",
            Text(localised("filled" if full else order["status"]), style="" if full else "yellow"),
        )
    if len(result["orders"]) > _ROWS_MAX:
        table.add_row("", localised(f"... and {len(result['orders']) - _ROWS_MAX} more"), "", "", "", "", "", "", "")
    return table


def _weights_table(result: dict[str, Any]) -> Table:
    table = Table(
        title=localised("\nWanted and achieved"), title_justify="left", header_style="bold", box=None, pad_edge=False
    )
    table.add_column(heading("stock_code"))
    for name in (_("wanted"), heading("achieved")):  # the heading "wanted" is that of shares
        table.add_column(name, justify="right")
    table.add_column("")
    table.add_column(localised("why not more"))
    rows = _run_rows(result)
    widest = max((max(row.wanted, row.achieved) for row in rows), default=1.0) or 1.0
    for row in rows[:_ROWS_MAX]:
        done, wanted = round(row.achieved / widest * _BAR), round(row.wanted / widest * _BAR)
        bar = Text("█" * done, style="cyan") + Text("░" * max(0, wanted - done), style="dim")
        table.add_row(
            row.code, f"{row.wanted:.2%}", f"{row.achieved:.2%}", bar, Text(reason_word(row.note), style="yellow")
        )
    return table


def _run_rows(result: dict[str, Any]) -> list[RunRow]:
    total = result["total_asset"] or 1.0
    notes = {row["stock_code"]: row["reason"] for row in result["plan"]} | result["held"]
    values = {code: position["value"] / total for code, position in result["positions"].items()}
    codes = sorted(result["target"].keys() | values.keys(), key=lambda code: (-result["target"].get(code, 0.0), code))
    return [RunRow(code, result["target"].get(code, 0.0), values.get(code, 0.0), notes.get(code, "")) for code in codes]
