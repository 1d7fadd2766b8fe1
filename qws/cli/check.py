"""`qws check`, also `qws doctor`: whether this home can trade, and what to do where it cannot."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click

from qws.arming import account_label
from qws.cli.daemon_state import settings_change
from qws.cli.options import echo, home_option, json_option, print_json
from qws.config import Config, load_config
from qws.domain.calendar import TradingCalendar
from qws.errors import ConfigError, QwsError
from qws.home import Home
from qws.masking import discreet
from qws.sentences import localised
from qws.store.lock import is_held, pid_of
from qws.store.reading import Views

_DISK_WARN_BYTES, _DISK_FAIL_BYTES = 2_000_000_000, 500_000_000
_YEAR_MIN = 2024  # a clock before this was never set
_CALENDAR_WARN_DAYS = 30
_DECEMBER = 12
_ANSWER_S = 2.0
ELSEWHERE = "look again with `qws doctor` on the Windows computer of the terminal"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at, or could not be (SKIP); the remedy is "" where none is needed."""

    name: str
    status: Literal["OK", "WARN", "FAIL", "SKIP"]
    text: str
    remedy: str = ""


def skipped(name: str, why: str, remedy: str = ELSEWHERE) -> Check:
    """A line for what could not be looked at."""
    return Check(name, "SKIP", f"not checked: {why}", remedy)


@click.command()
@home_option
@json_option
@click.pass_context
def check(ctx: click.Context, home: Home, *, as_json: bool) -> None:
    """Check config, tables, calendar, folders, disk, journal, views, prices and clock; for a live account also this
    Windows, the terminal, the account and its quotes. Nothing is ordered.

    Exit codes: 0 nothing failed, 1 something failed, 2 the configuration failed.
    """
    found = [replace(each, text=discreet(each.text), remedy=discreet(each.remedy)) for each in _checks(home)]
    failed = {each.name for each in found if each.status == "FAIL"}
    if as_json:
        print_json({"ok": not failed, "checks": [asdict(each) for each in found]})
    else:
        wide = max(len(each.name) for each in found)
        for each in found:
            echo(f"{each.status:<4}  {each.name:<{wide}}  {localised(each.text)}")
            if each.remedy:
                echo(f"{'':<6}{'':<{wide}}  -> {localised(each.remedy)}")
    code = 2 if "config" in failed else 1 if failed else 0
    if any(each.name == "stuck" for each in found):  # the vendor's threads would keep the interpreter from ending
        sys.stdout.flush()
        os._exit(code)
    ctx.exit(code)


doctor = check


def _checks(home: Home) -> Iterator[Check]:
    yield python_check(sys.version_info[:2], asserts=__debug__)
    yield (clock := _clock())
    if clock.status == "FAIL":
        return
    from qws.runtime.clock import SystemClock  # needs the time zone that was just looked for

    try:
        config = load_config(home.config_file)
    except ConfigError as error:
        yield Check("config", "FAIL", str(error), "correct what the text names")
        return
    yield Check("config", "OK", f"{home.config_file}: {account_label(config)}")
    yield Check("schedule", "OK", config.schedule.described(always_open=config.paper.always_open))
    yield from _tables(home, config, SystemClock().now().date())
    for name, folder in (("inbox", home.root / config.inbox), ("state", home.state), ("logs", home.logs)):
        yield folder_check(name, folder)
    yield disk_check(shutil.disk_usage(home.root).free)
    yield _journal(home)
    yield from _views(home)
    yield from _channels(home, config)
    if config.mode != "paper":
        from qws.cli.check_live import live_checks

        yield from live_checks(home, config)
        return
    yield from _paper_files(home, config)
    if config.paper.exchange:
        yield _exchange(config.paper.exchange)
    yield xtquant_check(platform.system(), is_found=_is_there("xtquant"))


def _is_there(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # somebody put it into sys.modules by hand
        return True


def python_check(version: tuple[int, int], *, asserts: bool) -> Check:
    """Whether the interpreter runs with its checks."""
    if not asserts:
        return Check("python", "FAIL", "python -O strips the checks that guard money", "run it without -O")
    return Check("python", "OK", f"Python {version[0]}.{version[1]} on {platform.system()}")


def _clock() -> Check:
    try:
        zone = ZoneInfo("Asia/Shanghai")
    except ZoneInfoNotFoundError:
        return Check("clock", "FAIL", "the time zone Asia/Shanghai is unknown", "install the package tzdata")
    from qws.runtime.clock import SystemClock

    return clock_check(SystemClock().now().astimezone(zone))


def clock_check(now: datetime) -> Check:
    """Whether the system's clock can be right."""
    text = f"it is {now:%Y-%m-%d %H:%M:%S} in Shanghai"
    if now.year < _YEAR_MIN:
        return Check("clock", "FAIL", text, "set the system's clock, and let it follow a time server")
    return Check("clock", "OK", text)


def _tables(home: Home, config: Config, today: date) -> Iterator[Check]:
    from qws.tables import load_calendar, load_rules

    def look() -> str:
        load_rules(home.config_folder)
        return "the rule tables are complete"

    yield _looked("tables", look, f"correct the tables in {home.config_folder}, or remove them to use the shipped ones")
    try:
        calendar = load_calendar(home.config_folder)
    except ConfigError as error:
        yield Check("calendar", "FAIL", str(error), f"correct {home.config_folder / 'calendar.toml'}")
        return
    own, is_used = home.config_folder / "calendar.toml", not config.paper.always_open
    yield calendar_check(calendar, today, own, is_used=is_used)


def calendar_check(calendar: TradingCalendar, today: date, own: Path, *, is_used: bool) -> Check:
    """Whether the trading days ahead are known; from December on the next year's are due."""
    until = calendar.known_until
    text = f"trading days are known until {until}"
    if not is_used:
        text += "; with paper.always_open = true they are not asked for"
    remedy = f"put the closed weekdays of the next year and a later known_until into {own}"
    if today > until:
        return Check("calendar", "FAIL" if is_used else "WARN", text, remedy)
    is_december = today.month == _DECEMBER and today.year == until.year
    if is_december or (until - today).days < _CALENDAR_WARN_DAYS:
        return Check("calendar", "WARN", text, remedy)
    return Check("calendar", "OK", text)


def folder_check(name: str, folder: Path) -> Check:
    """Whether files can be made in a folder; nothing stays there, and no watcher takes notice."""
    try:
        with tempfile.TemporaryFile(dir=folder, suffix=".tmp"):
            return Check(name, "OK", f"{folder} can be written")
    except FileNotFoundError:
        return Check(name, "FAIL", f"{folder} is missing", "make it with `qws init`")
    except OSError as error:
        return Check(name, "FAIL", f"{folder} cannot be written: {error.strerror}", "give this user the right to write")


def disk_check(free_bytes: int) -> Check:
    """Whether the journal has room to grow."""
    text = f"{free_bytes / 1e9:,.1f} GB free"
    if free_bytes < _DISK_FAIL_BYTES:
        return Check("disk", "FAIL", text, "free space: at a full disk trading stops")
    if free_bytes < _DISK_WARN_BYTES:
        return Check("disk", "WARN", text, "free space soon: at a full disk trading stops")
    return Check("disk", "OK", text)


def _journal(home: Home) -> Check:
    from qws.store.journal_file import JournalFile, explained, refuse_network

    def look() -> str:
        refuse_network(home.journal)
        if not home.journal.exists():
            return "none yet; the first start makes it"
        if is_held(home.lock):
            return ""
        with explained(home.journal):
            JournalFile(str(home.journal)).close()
        return f"{home.journal} is sound"

    looked = _looked("journal", look, "do what the text says, then check again")
    who = f"in use by the daemon, process {pid_of(home.lock)}"
    return looked if looked.text else skipped("journal", who, "stop the daemon to have it looked into")


def _views(home: Home) -> Iterator[Check]:
    def look() -> str:
        return "readable" if Views(home.views).daemon() else "none yet; the first start makes them"

    yield _looked("views", look, "start `qws run`: it makes them anew from the journal")
    with suppress(QwsError):  # what cannot be read was told above
        if change := settings_change(home, Views(home.views)):
            yield Check("settings", "WARN", change.text, change.remedy)


def _paper_files(home: Home, config: Config) -> Iterator[Check]:
    from qws.gateways.sim.files import FileBars
    from qws.paper import read_positions

    for name, file in (("prices", config.paper.prices), ("index", config.paper.index)):
        if file:
            yield prices_check(name, home.root / file, lambda path: FileBars(path).problems)
    if file := config.paper.positions:
        path = home.root / file
        yield _looked("positions", lambda: f"{len(read_positions(path))} holdings in {path}", f"correct {path}")


def _channels(home: Home, config: Config) -> Iterator[Check]:
    if not config.notify.channels:
        return
    from qws.cli.notify import missing_secrets

    missing = dict(missing_secrets(home, config))
    for name in config.notify.channels:
        if name in missing:
            yield Check(f"notify.{name}", "WARN", missing[name], "set it; until then this channel sends nothing")
        else:
            yield Check(f"notify.{name}", "OK", "configured; `qws notify test` sends by it")


def _exchange(text: str) -> Check:
    from qws.gateways.wire.client import WireQuotes
    from qws.gateways.wire.protocol import parse_address

    async def ask() -> str:
        address = parse_address(text, named="paper.exchange")
        quotes = WireQuotes(address, deadline_s=_ANSWER_S)
        await quotes.quotes(())
        await quotes.close()
        return f"the exchange at {address} answers"

    return _looked("exchange", lambda: asyncio.run(ask()), f"start `qws exchange --listen {text}`")


def prices_check(name: str, path: Path, problems_of: Callable[[Path], tuple[str, ...]]) -> Check:
    """Whether a file of daily bars can be read, and which of its rows cannot be bars."""
    try:
        problems = problems_of(path)
    except QwsError as error:
        return Check(name, "FAIL", str(error), f"correct the file, or paper.{name} in the configuration")
    if problems:
        return Check(name, "WARN", f"{path}: {problems[0]}", "correct these rows; they count as missing")
    return Check(name, "OK", f"{path} is readable")


def xtquant_check(system: str, *, is_found: bool) -> Check:
    """Whether MiniQMT's interface is there; it exists for Windows only, and paper accounts do without."""
    if system != "Windows":
        return skipped("xtquant", "it needs Windows and MiniQMT", "paper accounts do without")
    if not is_found:
        return Check("xtquant", "WARN", "not installed; paper accounts do without", "install xtquant for live trading")
    return Check("xtquant", "OK", "installed")


def _looked(name: str, look: Callable[[], str], remedy: str) -> Check:
    try:
        return Check(name, "OK", look())
    except QwsError as error:
        return Check(name, "FAIL", str(error), remedy)
