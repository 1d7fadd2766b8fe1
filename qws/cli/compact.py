"""`qws compact`: the journal stays small, and nothing of it is lost."""

from __future__ import annotations

import click

from qws.cli.options import echo, home_option, json_option, print_json
from qws.config import load_config
from qws.errors import AlreadyRunning, StoreError
from qws.home import Home
from qws.keeping import nothing
from qws.runtime.clock import SystemClock
from qws.store.chain import Walk
from qws.store.journal_compact import compact as compacted
from qws.store.journal_copy import walk_journal
from qws.store.journal_file import JournalFile, explained
from qws.store.lock import HomeLock, is_held


@click.command()
@click.option("--months", type=click.IntRange(min=1), help="Closed months that stay; default: keep.journal_months.")
@home_option
@json_option
def compact(home: Home, months: int | None, *, as_json: bool) -> None:
    """Move closed months of the journal into state/journal/<month>.parquet, while the daemon is stopped.

    Every file is read back and compared before its rows leave. All commands, starts and audits read on over them.
    """
    if is_held(home.lock):
        raise AlreadyRunning(f"a daemon runs in {home.root}: stop it, compact, start it again")
    if not home.journal.exists():
        raise StoreError(f"{home.journal} is missing; a home that never ran has none")
    now = SystemClock().now()
    count = now.year * 12 + now.month - 1 - (months or load_config(home.config_file).keep.journal_months)
    before = f"{count // 12:04d}-{count % 12 + 1:02d}"
    was = home.journal.stat().st_size
    with HomeLock(home.lock):
        with explained(home.journal):
            JournalFile(str(home.journal)).close()  # of an older version: it gets its chain first
        walk = walk_journal(home.journal, Walk(), keep_on=nothing)
        moved = compacted(home.journal, before, walk)
    is_now = home.journal.stat().st_size
    if as_json:
        files = [{"month": each.month, "first_id": each.first_id, "last_id": each.last_id} for each in moved]
        print_json({"moved": files, "bytes_before": was, "bytes_after": is_now})
    elif not moved:
        echo(f"compact: nothing is older than {before}")
    else:
        for each in moved:
            echo(f"{each.month}: rows {each.first_id:,} to {each.last_id:,} -> {home.journal_archive}")
        echo(f"compact: journal {was / 1e6:,.1f} MB -> {is_now / 1e6:,.1f} MB")
