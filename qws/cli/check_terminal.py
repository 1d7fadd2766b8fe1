"""What `qws check` asks of the terminal itself: package, connection, account, quotes, calendar. Nothing is ordered."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, time
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from qws.cli.check import ELSEWHERE, Check, skipped
from qws.config import Config
from qws.domain.calendar import TradingCalendar
from qws.edges import deadlines_of, terminal_of
from qws.errors import ConfigError, GatewayError, QwsError
from qws.gateways.xt import rows
from qws.gateways.xt.calendar import XtCalendar
from qws.gateways.xt.connection import Connection
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.session import AccountLock, SessionPool, first_session
from qws.gateways.xt.settings import Terminal
from qws.gateways.xt.vendor import differences
from qws.gateways.xt.worker import ThreadWorker
from qws.home import Home
from qws.log import silent
from qws.masking import masked
from qws.paper import tables
from qws.runtime.clock import SystemClock

_ASKED = ("000001.SH", "600000.SH", "000001.SZ")  # one of them has always just traded
_MOVING = ((time(9, 31), time(11, 30)), (time(13, 1), time(14, 57)))
_SKEW_MAX_S, _TELLING_S = 3.0, 15.0
_START_TERMINAL = "start the terminal in minimal mode and log in, as the user who runs this"
_IMPORT_SLOW_S = 20.0
_LOOK_AGAIN = "look again on a trading day between 09:31 and 11:30, or 13:01 and 14:57"


def terminal_checks(home: Home, config: Config, *, is_free: bool) -> Iterator[Check]:
    """Ask the terminal; it is not connected to while another process trades the account (`is_free`)."""
    found = _gathered(_looked(home, config, is_free=is_free))
    with silent():
        yield from asyncio.run(found)


async def _gathered(checks: AsyncIterator[Check]) -> list[Check]:
    return [each async for each in checks]


async def _looked(home: Home, config: Config, *, is_free: bool) -> AsyncIterator[Check]:
    package = await _package(config)
    yield package
    if package.status == "FAIL":
        for name in ("connect", "subscribe", "account", "quotes", "skew", "holidays"):
            yield skipped(name, "the package cannot be used", "see the line about the package")
        return
    if is_free:
        async for check in _connected(config):
            yield check
    else:
        for name in ("connect", "subscribe", "account"):
            yield skipped(name, "another process has the account", "`qws status` tells of a running daemon")
    async for check in _quoted(home, config):
        yield check


async def _package(config: Config) -> Check:
    package, loop = config.xt.package, asyncio.get_running_loop()
    started = loop.time()
    worker = ThreadWorker("xt check")
    try:
        found = await worker.call("import", partial(differences, package), config.xt.import_s)
    except GatewayError as error:
        return Check("package", "FAIL", str(error), package_remedy(sys.platform))
    finally:
        worker.end(lambda: None)
    text = f"{package} {_version(package)} was imported in {loop.time() - started:.1f} s"
    if found:
        remedy = "install the version this program was written for, and try it on paper first"
        return Check("package", "WARN", f"{text}; it differs: {'; '.join(found)}", remedy)
    if loop.time() - started > _IMPORT_SLOW_S:
        return Check("package", "WARN", text, "let the virus scanner leave the Python folder alone")
    return Check("package", "OK", text)


def package_remedy(platform: str) -> str:
    """What helps where the package cannot be imported: its native part exists for Windows only."""
    if platform != "win32":
        return f"nothing to install: xtquant cannot work on this system; {ELSEWHERE}, or set xt.package to a bridge"
    return "install it, or set xt.package"


def _version(package: str) -> str:
    try:
        return version(package.partition(".")[0])
    except PackageNotFoundError:
        return "of unknown version"


async def _connected(config: Config) -> AsyncIterator[Check]:
    terminal = terminal_of(config)
    terminal.lock.parent.mkdir(parents=True, exist_ok=True)
    lock = AccountLock(terminal.lock)
    connection = Connection(terminal, deadlines_of(config), ThreadWorker, lambda kind, row: None)
    try:
        lock.acquire()
    except QwsError as error:
        yield Check("connect", "FAIL", str(error), "do what the text says, then check again")
        for name in ("subscribe", "account"):
            yield skipped(name, "no connection", "see the line about the connection")
        return
    try:
        async for check in _asked(connection, terminal):
            yield check
    finally:
        await connection.end()
        lock.release()
    if connection.is_stuck:
        yield Check("stuck", "WARN", "a call of the vendor's library hangs", "restart the terminal")


async def _asked(connection: Connection, terminal: Terminal) -> AsyncIterator[Check]:
    shown = masked(terminal.account)
    try:
        await connection.begin(SessionPool(terminal.folder, first_session(terminal.account)))
    except GatewayError as error:
        text = str(error)
        if text.startswith("subscribe"):
            yield Check("connect", "OK", "connect answered 0")
            yield Check("subscribe", "FAIL", text, f"log in with account {shown} as a stock account, or correct it")
        else:
            yield Check("connect", "FAIL", text, _START_TERMINAL)
            yield skipped("subscribe", "no connection", "see the line before")
        yield skipped("account", "no connection", "see the lines before")
        return
    yield Check("connect", "OK", "connect answered 0")
    yield Check("subscribe", "OK", f"subscribe answered 0 for {shown} as a stock account")
    try:
        row = next(rows.of_account(await connection.query("status") or [], terminal.account), None)
        status = None if row is None else rows.whole(row, "status")
    except GatewayError as error:
        yield Check("account", "FAIL", str(error), _START_TERMINAL)
        return
    yield account_check(shown, status)


def account_check(shown: str, status: int | None) -> Check:
    """Whether the terminal lets the account trade (XTQUANT.md 4.2)."""
    if status is None:
        return Check("account", "WARN", f"the terminal says nothing about {shown}", "look at it in the terminal")
    text = f"account {shown} has status {status}"
    if rows.is_normal(status):
        return Check("account", "OK", f"{text}, normal")
    if rows.is_coming(status):
        return Check("account", "WARN", f"{text}, getting ready", "wait a minute and look again")
    return Check("account", "FAIL", f"{text}: it may not trade", "log in again at the terminal, and look there")


async def _quoted(home: Home, config: Config) -> AsyncIterator[Check]:
    try:
        rules, calendar = tables(config, home.config_folder)
    except ConfigError:
        for name in ("quotes", "skew", "holidays"):
            yield skipped(name, "the tables cannot be read", "see the lines about tables and calendar")
        return
    clock, line = SystemClock(), QuoteLine(config.xt.package, deadlines_of(config), port=config.xt.port)
    trading = calendar if isinstance(calendar, TradingCalendar) else None
    try:
        newest = None
        try:
            found = await XtQuotes(line, rules, clock).quotes(_ASKED)
            newest = max((quote.at for quote in found.values()), default=None)
            is_due = trading is None or _moves(trading, clock.now())
            yield quotes_check(newest, clock.now(), config.plan.quote_age_max_s, is_due=is_due)
        except GatewayError as error:
            yield Check("quotes", "FAIL", str(error), f"{_START_TERMINAL}; with several terminals set xt.port")
        yield skew_check(newest, clock.now())
        if trading is not None:
            yield await _holidays(XtCalendar(line, trading), f"{home.config_folder / 'calendar.toml'}")
    finally:
        line.close()


async def _holidays(calendar: XtCalendar, own: str) -> Check:
    try:
        return holidays_check([f"{day}" for day in await calendar.refresh()], own)
    except GatewayError as error:
        return Check("holidays", "WARN", str(error), f"the tables and {own} alone hold until the terminal answers")


def _moves(calendar: TradingCalendar, now: datetime) -> bool:
    in_hours = any(start <= now.time() < end for start, end in _MOVING)
    return in_hours and now.date() <= calendar.known_until and calendar.is_session(now.date())


def quotes_check(newest: datetime | None, now: datetime, age_max_s: float, *, is_due: bool) -> Check:
    """Whether quotes are fresh; old ones prove nothing where none newer is due."""
    if newest is None:
        text = f"none of {', '.join(_ASKED)} has a quote"
        return Check("quotes", "FAIL", text, _START_TERMINAL) if is_due else skipped("quotes", text, _LOOK_AGAIN)
    text, age_s = f"the newest quote is of {newest:%Y-%m-%d %H:%M:%S}", (now - newest).total_seconds()
    if age_s < -_SKEW_MAX_S:
        return skipped("quotes", f"{text}, which is yet to come", "see the line about skew")
    if age_s <= age_max_s:
        return Check("quotes", "OK", f"{text}, {max(age_s, 0):.0f} s ago")
    if not is_due:
        return skipped("quotes", f"{text}, and no newer one is due now", _LOOK_AGAIN)
    remedy = "choose another quote server in the terminal, or restart it; compare this computer's clock"
    return Check("quotes", "FAIL", f"{text}, {age_s:.0f} s ago", remedy)


def skew_check(newest: datetime | None, now: datetime) -> Check:
    """Whether this computer's clock is the exchange's; only a fresh quote tells."""
    if newest is None:
        return skipped("skew", "no quote to compare with", "see the line about quotes")
    behind_s = (newest - now).total_seconds()
    if behind_s > _SKEW_MAX_S:
        return Check("skew", "FAIL", f"this computer's clock is {behind_s:.0f} s behind the quotes", "w32tm /resync")
    if behind_s < -_TELLING_S:
        return skipped("skew", f"the newest quote is {-behind_s:.0f} s old, or this clock is ahead", _LOOK_AGAIN)
    return Check("skew", "OK", f"this computer's clock and the newest quote are {abs(behind_s):.0f} s apart")


def holidays_check(days: list[str], own: str) -> Check:
    """Whether the terminal's calendar is ours; where they differ the day counts as closed."""
    if days:
        text = f"the terminal's calendar differs from the tables, and counts as closed: {', '.join(days)}"
        return Check("holidays", "WARN", text, f"correct {own} when the exchange announced it")
    return Check("holidays", "OK", "the terminal's calendar and the tables agree on the days that both know")
