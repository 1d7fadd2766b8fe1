"""`qws audit`: the journal's rows are chained, and this follows the chain."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from qws.cli.backup import make_backup
from qws.cli.options import echo, home_option, json_option, print_json
from qws.config import load_config
from qws.errors import StoreError
from qws.home import Home
from qws.keeping import backup_folder, heads_of, nothing
from qws.store.backup import unpack
from qws.store.chain import Walk
from qws.store.journal_copy import walk_journal
from qws.store.lock import is_held
from qws.store.reading import Views


@click.group()
def audit() -> None:
    """Is the journal as it was written?"""


def _head(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, bytes] | None:
    if value is None:
        return None
    number, _, digest = value.partition(":")
    try:
        return int(number), bytes.fromhex(digest)
    except ValueError:
        raise click.BadParameter(
            f"{value} is not what `qws audit head` printed: a number, a colon, 64 digits"
        ) from None


@audit.command()
@click.option("--head", callback=_head, metavar="ID:HASH", help="What `qws audit head` once said, kept elsewhere.")
@click.option(
    "--backup",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Look at this backup instead.",
)
@home_option
@json_option
@click.pass_context
def verify(ctx: click.Context, home: Home, head: tuple[int, bytes] | None, file: Path | None, *, as_json: bool) -> None:
    """Follow the chain from the first row to the last; exit 1 naming the first that was altered, removed or moved.

    Rows that are missing at the end show when the read models, a backup or --head still know them.
    """
    walk = _walked(home, file, head)
    if as_json:
        print_json({"sound": not walk.problem, "rows": walk.rows, "head": str(walk.head), "problem": walk.problem})
    elif walk.problem:
        echo(f"audit: {walk.problem}", err=True)
    else:
        echo(f"audit: {walk.rows:,} rows are as they were written; head {walk.head}")
    ctx.exit(1 if walk.problem else 0)


@audit.command("head")
@home_option
@json_option
def show_head(home: Home, *, as_json: bool) -> None:
    """The number and the hash of the last row: kept elsewhere, it proves later that nothing before it was rewritten."""
    walk = _walked(home, None, None)
    if walk.problem:
        raise StoreError(f"audit: {walk.problem}")
    if as_json:
        print_json({"head": str(walk.head)})
    else:
        echo(str(walk.head))


def _walked(home: Home, file: Path | None, head: tuple[int, bytes] | None) -> Walk:
    config = load_config(home.config_file)
    heads = heads_of(backup_folder(home, config), home) if file is None else {}
    if head is not None:
        heads[head[0]] = head[1], "--head"
    if file is None and not home.journal.exists():
        raise StoreError(f"{home.journal} is missing; a home that never ran has none")
    applied = Views(home.views).applied_id() if file is None else 0
    with TemporaryDirectory(prefix="qws-audit-") as folder:
        copy = Path(folder)
        if file is None and is_held(home.lock):  # the daemon alone may open the journal
            file = copy / "now.zip"
            make_backup(home, config, file)
        if file is not None:
            unpack(file, copy / "home", nothing)
            copy = copy / "home" / "state"
        else:
            for original in sorted(home.state.glob("journal.sqlite*")):
                if not original.name.endswith("-shm"):
                    shutil.copyfile(original, copy / original.name)
            if is_held(home.lock):
                raise StoreError("a daemon started meanwhile; call it again")
        archives = Home(copy.parent).journal_archive if file is not None else home.journal_archive
        walk = walk_journal(copy / "journal.sqlite", Walk(heads), archives=archives, keep_on=nothing)
    if not walk.problem and applied > walk.head.id:
        walk.problem = f"rows {walk.head.id + 1} to {applied} are missing at the end: the read models know them"
    return walk
