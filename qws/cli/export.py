"""`qws export`: tables as CSV for other programs, QMT scripts among them."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path

import click

from qws.cli.options import echo, home_option
from qws.domain.target_records import Mode
from qws.errors import StoreError
from qws.home import Home
from qws.store.archive import EQUITY_COLUMNS, FORMULA_STARTS
from qws.store.parquet_file import write_atomically
from qws.store.reading import Record, Views

_COLUMNS: dict[str, tuple[str, ...]] = {
    "orders": (
        "time", "order_id", "tag", "run_id", "stock_code", "side", "shares", "price", "filled", "status", "message",
    ),
    "fills": ("time", "trade_id", "order_id", "tag", "run_id", "stock_code", "side", "shares", "price", "fee"),
    "positions": ("stock_code", "shares", "sellable", "value"),
    "equity": EQUITY_COLUMNS,
    "target": ("date", "stock_code", "weight"),
}  # fmt: skip


@click.command()
@click.argument("kind", type=click.Choice(list(_COLUMNS)))
@click.option("--encoding", type=click.Choice(["utf-8", "gbk"]), default="utf-8", show_default=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="This file, replaced as a whole.")
@home_option
def export(home: Home, kind: str, encoding: str, out: Path | None) -> None:
    """Write orders, fills, positions, equity or the newest target as CSV; works beside a running daemon.

    The target is a weight file again. A reader of --out sees the old file or the new one, never a part.
    """
    columns = _COLUMNS[kind]
    rows = [[_cell(row.get(column)) for column in columns] for row in _rows(Views(home.views), kind)]
    lines = [*(_header_lines(Views(home.views)) if kind == "target" else ()), list(columns), *rows]
    content = _encoded(lines, encoding)
    if out is None:
        sys.stdout.buffer.write(content)
        return
    try:
        write_atomically(out, content)
        is_equal = read_csv(out.read_bytes(), encoding) == lines
    except OSError as error:
        raise StoreError(f"{out} cannot be written: {error.strerror}; close the program that has it open") from error
    if not is_equal:
        raise StoreError(f"{out} does not read back as it was written; check the disk")
    echo(f"export: {len(rows):,} rows in {out}")


def read_csv(content: bytes, encoding: str) -> list[list[str]]:
    """The cells of a file that `qws export` wrote, heading included."""
    return list(csv.reader(io.StringIO(content.decode(encoding), newline="")))


def _encoded(lines: Sequence[Sequence[str]], encoding: str) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(lines)
    try:
        return text.getvalue().encode(encoding)
    except UnicodeEncodeError as error:
        piece = error.object[error.start : error.end]
        raise StoreError(f"{piece!r} cannot be written in {encoding}: export with --encoding utf-8") from error


def _rows(views: Views, kind: str) -> Iterable[Record]:
    match kind:
        case "orders":
            return views.orders()
        case "fills":
            return views.fills()
        case "equity":
            return views.equity()
        case "positions":
            return [{"stock_code": code, **row} for code, row in views.positions().items()]
    return _newest_target(views)


def _header_lines(views: Views) -> Iterable[list[str]]:
    """What a weight file says of itself as a whole: without it a subset read again would sell all else."""
    for target in views.targets()[-1:]:
        days = target["days"]
        first = days[0] if isinstance(days, list) else {}
        if (mode := first.get("mode", Mode.FULL)) != Mode.FULL:
            yield [f"# mode: {mode}"]
        if expires_at := first.get("expires_at"):
            yield [f"# expires: {expires_at[:19].replace('T', ' ')}"]


def _newest_target(views: Views) -> Iterable[Record]:
    for target in views.targets()[-1:]:
        days = target["days"]
        for day in days if isinstance(days, list) else ():
            for weight in day["weights"]:
                yield {"date": day["day"], "stock_code": weight["stock_code"], "weight": weight["weight"]}


def _cell(value: object) -> str:
    """Numbers without an exponent; text that a spreadsheet would run as a formula is quoted (OWASP ASVS 1.2.10)."""
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    text = "" if value is None else str(value)
    return f"'{text}" if not isinstance(value, int) and text.startswith(FORMULA_STARTS) else text
