"""`qws reconcile`: did a day's books and the broker's lists say the same?"""

from __future__ import annotations

import click

from qws.cli.options import echo, home_option, json_option, print_json
from qws.cli.table import Column, table
from qws.home import Home
from qws.store.reading import Record, Views

_COLUMNS = ("code", "subject", "ours", "theirs", "explanation")
_EXPLAINED = ("manual_trade", "transfer", "dividend", "fees")


@click.command()
@click.argument("day", required=False, type=click.DateTime(["%Y-%m-%d"]), metavar="[DAY]")
@home_option
@json_option
@click.pass_context
def reconcile(ctx: click.Context, day: object, home: Home, *, as_json: bool) -> None:
    """The newest evening on which the books were held against the broker's lists, or that of DAY (2026-11-19).

    Exit code 1 when something differs that nothing explains, when it could not be done, or was not.
    """
    found = Views(home.views).reconciled(str(day)[:10] if day is not None else "")
    if as_json:
        print_json(found or None)
    elif not found:
        echo("not reconciled yet: `qws run` does it on trading days at checks.reconcile_at")
    else:
        _show(found)
    rows = found.get("differences")
    ctx.exit(int(not found or bool(found["problem"]) or any(map(_is_odd, rows if isinstance(rows, list) else ()))))


def _is_odd(row: Record) -> bool:
    return row["explanation"] not in _EXPLAINED


def _show(found: Record) -> None:
    at = str(found["at"])[:19].replace("T", " ")
    if found["problem"]:
        echo(f"{found['day']}: not reconciled until {at}: {found['problem']}")
        return
    since = f"holdings and cash counted from the close of {found['since']}"
    if found["since"] is None:
        since = "no earlier close to count holdings and cash from"
    echo(f"{found['day']}, compared {at}: {found['orders']} orders and {found['fills']} fills of ours; {since}")
    rows = found["differences"]
    if not isinstance(rows, list) or not rows:
        echo("nothing differs")
        return
    echo(table([Column(name) for name in _COLUMNS], [[row[name] for name in _COLUMNS] for row in rows]))
    odd = sum(map(_is_odd, rows))
    echo(f"{odd} of {len(rows)} differences are unexplained" if odd else "all is explained")
