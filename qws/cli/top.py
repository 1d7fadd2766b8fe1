"""`qws top`: everything at a glance, live; it only reads."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from qws.arming import account_label
from qws.cli.glance import Glance, glance_at
from qws.cli.keys import keys
from qws.cli.options import home_option
from qws.cli.top_screen import screen
from qws.config import Config, load_config
from qws.errors import StoreError
from qws.home import Home
from qws.language import speak
from qws.masking import discreet
from qws.runtime.clock import SHANGHAI, SystemClock

_HEIGHT = 24


@click.command()
@click.option("--once", is_flag=True, help="Print it once; also when the output is no terminal.")
@click.option("--every", "every_s", type=click.FloatRange(0.2, 3600), default=1.0, show_default=True, help="Seconds.")
@home_option
def top(home: Home, every_s: float, *, once: bool) -> None:
    """Account, run, names, orders, alerts and log on one screen; q or Ctrl-C ends it. Works without the daemon too."""
    config = load_config(home.config_file)
    speak(config.language)
    console = Console(highlight=False)
    if once or not console.is_terminal:
        lines = lines_of(config, glance_at(home, SystemClock().now()), console.width, max(console.height, _HEIGHT))
        while lines and not lines[-1].plain.strip():
            lines.pop()
        for line in lines:
            console.print(line, crop=True, no_wrap=True, overflow="crop")
        return
    try:
        watch(console, every_s, lambda size: _now(home, config, *size))
    except KeyboardInterrupt:
        sys.exit(0)


def watch(console: Console, every_s: float, look: Callable[[tuple[int, int]], Group]) -> None:
    """Draw again and again until somebody presses q."""
    with keys() as pressed, Live(look(console.size), console=console, screen=True, auto_refresh=False) as live:
        while pressed(every_s).lower() != "q":
            live.update(look(console.size), refresh=True)


def lines_of(config: Config, seen: Glance, width: int, height: int) -> list[Text]:
    """The screen of a moment, exactly `height` lines."""
    last = datetime.combine(seen.at.date(), config.schedule.last_order_at, SHANGHAI)
    lines = screen(seen, account_label(config), None if config.paper.always_open else last, width, height)
    for line in lines:
        if line.plain != (shown := discreet(line.plain)):
            line.plain = shown
    return lines


def _now(home: Home, config: Config, width: int, height: int) -> Group:
    """The screen of now; what keeps it from being read takes its place until it can be."""
    try:
        return Group(*lines_of(config, glance_at(home, SystemClock().now()), width, height))
    except StoreError as error:
        return Group(Text(discreet(str(error)), "bold red"))
