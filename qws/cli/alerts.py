"""`qws alerts`: what a person should have heard of; `qws notify test`: does a channel work?"""

from __future__ import annotations

import click

from qws.cli.control import _order
from qws.cli.options import echo, home_option, json_option, print_json
from qws.cli.table import Column, table
from qws.home import Home, find_home
from qws.store.reading import Record, Views

_COLUMNS = ("alert_id", "at", "severity", "told", "acknowledged_by", "text")


@click.group(invoke_without_command=True)
@click.option("--all", "everything", is_flag=True, help="Also those that were acknowledged.")
@click.option("--home", "folder", metavar="DIR", help="The home; default: QWS_HOME, or the present folder.")
@json_option
@click.pass_context
def alerts(ctx: click.Context, folder: str | None, *, everything: bool, as_json: bool) -> None:
    """Alerts that nobody has acknowledged yet, oldest first."""
    if ctx.invoked_subcommand is not None:
        ctx.default_map = {"ack": {"home": folder}}
        return
    rows = Views(find_home(folder).views).alerts(everything=everything)
    if as_json:
        print_json(rows)
    elif not rows:
        echo("no alert" if everything else "no alert waits; --all shows those that were acknowledged")
    else:
        names = [name for name in _COLUMNS if everything or name != "acknowledged_by"]
        echo(table([Column(name) for name in names], [[_cell(row, name) for name in names] for row in rows]))


@alerts.command()
@click.argument("ids", nargs=-1, metavar="ID...")
@click.option("--all", "everything", is_flag=True, help="Every alert there is.")
@home_option
@json_option
@click.pass_context
def ack(ctx: click.Context, ids: tuple[str, ...], home: Home, *, everything: bool, as_json: bool) -> None:
    """Say that somebody has seen these alerts; what was not sent of them yet need not be any more."""
    if bool(ids) == everything:
        raise click.UsageError("name alerts by their ids, or --all")
    known = {str(row["alert_id"]): row for row in Views(home.views).alerts(everything=True)}
    if unknown := [each for each in ids if each not in known]:
        raise click.ClickException(f"no alert {', '.join(unknown)}; `qws alerts --all` shows them")
    new = [each for each in ids or known if known[each]["acknowledged_at"] is None]
    if new:
        _order(ctx, home, "ack", " ".join(new), as_json=as_json)
    elif as_json:
        print_json({"command": "ack", "result": "accepted", "text": "acknowledged before"})
    else:
        echo("ack: acknowledged before")


def _cell(row: Record, name: str) -> object:
    if name == "at":
        return str(row[name])[:19].replace("T", " ")
    parts = row[name]
    return ", ".join(_told(each) for each in parts) if isinstance(parts, list) else parts


def _told(part: Record) -> str:
    if part["outcome"] != "sent":
        return f"{part['channel']}: {part['outcome']}".removeprefix(": ")
    return str(part["channel"] if part["via"] == part["channel"] else f"{part['channel']} by {part['via']}")
