"""`qws events`: what the journal has, message by message, for programs; beside the daemon and without it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence

import click

from qws.cli.moments import moment_of
from qws.cli.options import echo, home_option, tell_programs
from qws.cli.views import known_run
from qws.config import load_config
from qws.errors import StoreError
from qws.home import Home
from qws.log import one_line
from qws.masking import discreet
from qws.store.event_reading import Events
from qws.store.parquet_file import pause
from qws.store.reading import Record

_LOOK_S = 0.2
_PAGE = 500
_AGAIN_S = 1.0


@click.command()
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, with its body.")
@click.option("--type", "types", metavar="TYPE", multiple=True, help="Of this type only, such as FillReceived; again.")
@click.option("--run", "run_id", metavar="RUN", help="Of this run only: its id, how it begins, or `last`.")
@click.option("--since", metavar="SEQ|TIME", help="All behind this number, or from this time on (of today, or ISO).")
@click.option(
    "-n", "count", type=click.IntRange(min=0), default=50, show_default=True, help="Without --since: so many."
)
@home_option
def events(
    home: Home,
    count: int,
    types: tuple[str, ...],
    run_id: str | None,
    since: str | None,
    *,
    follow: bool,
    as_json: bool,
) -> None:
    """The messages of the journal, oldest first: seq, at, type, sender, correlation, cause, run, text, body.

    Bodies of the newest 100,000 are kept here; an older one is null, and is in the journal.
    """
    views = Events(home.views)
    wanted = _types(types)
    run = known_run(views, run_id) if run_id else ""
    if since is None:
        after = views.newest_but(count, types=wanted, run_id=run)
    else:
        after = int(since) if since.isdecimal() else views.last_before(moment_of(since).isoformat())
    show, tell = (_json_line, tell_programs) if as_json else (_text_line, echo)
    load_config(home.config_file)  # hides its account

    def look(behind: int) -> list[Record]:
        return views.behind(behind, _PAGE, types=wanted, run_id=run)

    try:
        for record in followed(look, after, _LOOK_S if follow else 0.0, pause):
            tell(discreet(show(record)))
    except KeyboardInterrupt:
        sys.exit(0)


def followed(
    look: Callable[[int], Sequence[Record]], after: int, look_s: float, wait: Callable[[float], None]
) -> Iterator[Record]:
    """Every event behind a number, each once and in order; for ever, unless `look_s` is 0.

    Numbers are never used twice and rows of one number come with all before it, so nothing is missed or repeated,
    whatever becomes of the daemon meanwhile. While the tables cannot be read they are tried again.
    """
    while True:
        try:
            page = look(after)
        except StoreError as error:
            if not look_s:
                raise
            echo(f"qws: {error}; trying again", err=True)
            wait(_AGAIN_S)
            continue
        for record in page:
            after = int(str(record["seq"]))
            yield record
        if not page and not look_s:
            return
        if not page:
            wait(look_s)


def _types(asked: Sequence[str]) -> tuple[str, ...]:
    """The message types that are meant, in any case; a usage error names one that is none."""
    if not asked:
        return ()
    from qws.store.codec import MESSAGE_TYPES

    known = {name.lower(): name for name in MESSAGE_TYPES}
    if unknown := [each for each in asked if each.lower() not in known]:
        near = [name for name in MESSAGE_TYPES if unknown[0].lower()[:4] in name.lower()] or MESSAGE_TYPES
        raise click.UsageError(f"{unknown[0]} is no type of message; there are {', '.join(sorted(near))}")
    return tuple(known[each.lower()] for each in asked)


def _json_line(record: Record) -> str:
    return json.dumps(record, ensure_ascii=False)


def _text_line(record: Record) -> str:
    at, cause = str(record["at"])[:23].replace("T", " "), record["cause"]
    number = f"#{record['seq']}" if cause is None else f"#{record['seq']}<-#{cause}"
    return one_line(
        f"{at:<23} | {record['run']:<16} | {number:<14} | {record['sender']:<16} | {record['type']}: {record['text']}"
    )
