"""What most commands share: which home, and JSON instead of text."""

from __future__ import annotations

import json
import os
import sys

import click

from qws.home import Home, find_home
from qws.sentences import localised


def _home(ctx: click.Context, param: click.Parameter, value: str | None) -> Home:
    return find_home(value)


home_option = click.option(
    "--home", metavar="DIR", callback=_home, help="The home; default: QWS_HOME, or the present folder."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else.")


def echo(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Tell people something: what we said in English, in their language."""
    click.echo(localised(text), err=err, nl=nl)


def tell_programs(text: str) -> None:
    """Print what programs read, the same in every language."""
    click.echo(text)


def print_json(value: object) -> None:
    """Print one JSON value on one line, other scripts as they are."""
    click.echo(json.dumps(value, ensure_ascii=False))


def leave(ctx: click.Context, code: int, *, stuck_threads: int) -> None:
    """End the command; threads that hang inside the vendor's library would keep the interpreter from ending (H3)."""
    if stuck_threads:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    ctx.exit(code)
