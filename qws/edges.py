"""Broker, quotes and calendar: of a MiniQMT terminal, or of a paper account inside the daemon or beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import partial
from pathlib import Path

import anyio
from loguru import logger

from qws.config import Config
from qws.domain.calendar import TradingCalendar
from qws.domain.rules import RuleBook
from qws.errors import AlreadyRunning, ConfigError, GatewayError, GatewayLost
from qws.gateways.sim.books import Books, Opening
from qws.gateways.sim.shadow import ShadowBroker
from qws.gateways.wire.client import WireBroker, WireQuotes
from qws.gateways.wire.protocol import parse_address
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.calendar import XtCalendar
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.settings import Deadlines, Pace, Terminal
from qws.gateways.xt.vendor import VendorMissing, load_trade_side
from qws.gateways.xt.worker import ThreadWorker
from qws.home import Home, account_lock
from qws.paper import fee_plan, open_paper, tables
from qws.ports import Broker, Calendar, Clock, Quotes
from qws.store.lock import HomeLock

_CALENDAR_AT, _CALENDAR_RETRY = time(8, 50), timedelta(minutes=5)
_AGAIN_S = 0.5
_STUCK_MAX, _STUCK_LOOK_S = 8, 5.0  # each may hold one of the 16 session ids for ever


@dataclass(frozen=True, slots=True)
class Edges:
    """What a daemon trades through, and the rules and the calendar of its own tables."""

    rules: RuleBook
    calendar: Calendar
    broker: Broker
    quotes: Quotes


def open_edges(home: Home, config: Config, clock: Clock) -> AbstractAsyncContextManager[Edges]:
    """The ports of the account that the configuration names, until the block ends.

    Raises ConfigError, and AlreadyRunning while somebody else has this account open.
    """
    if config.broker.kind == "xt":
        return _at_terminal(home, config, clock)
    return _beside(home, config, clock) if config.paper.exchange else _inside(home, config, clock)


@asynccontextmanager
async def _beside(home: Home, config: Config, clock: Clock) -> AsyncIterator[Edges]:
    rules, calendar = tables(config, home.config_folder)
    address = parse_address(config.paper.exchange, named="paper.exchange")
    broker, quotes = WireBroker(address, clock), WireQuotes(address)
    try:
        yield Edges(rules, calendar, broker, quotes)
    finally:
        await broker.close()
        await quotes.close()


@asynccontextmanager
async def _inside(home: Home, config: Config, clock: Clock) -> AsyncIterator[Edges]:
    lock = HomeLock(home.exchange_lock)
    try:
        lock.acquire()
    except AlreadyRunning as error:
        raise AlreadyRunning(f"{error}, or set paper.exchange to where it listens") from error
    try:
        paper = open_paper(config, home.root, clock, home.exchange, home.config_folder)
        with closing(paper.exchange):
            yield Edges(paper.rules, paper.calendar, paper.broker, paper.quotes)
    finally:
        lock.release()


@asynccontextmanager
async def _at_terminal(home: Home, config: Config, clock: Clock) -> AsyncIterator[Edges]:
    rules, calendar = tables(config, home.config_folder)
    xt, limits = config.xt, deadlines_of(config)
    line, terminal = QuoteLine(xt.package, limits, port=xt.port), terminal_of(config)
    terminal.lock.parent.mkdir(parents=True, exist_ok=True)
    await require_package(config)
    live = XtBroker(terminal, clock, limits, pace_of(config, patient=True))
    quotes, books = XtQuotes(line, rules, clock, any_day=config.paper.always_open), None
    broker: Broker = live
    try:
        async with anyio.create_task_group() as tasks:
            if isinstance(calendar, TradingCalendar):  # else paper.always_open: the terminal is a simulator
                calendar = known = XtCalendar(line, calendar)
                tasks.start_soon(keep_current, known.refresh, clock)
            tasks.start_soon(end_when_stuck, lambda: live.stuck_threads + line.stuck_threads, clock)
            if config.mode != "live":
                books = Books(home.shadow)
                market = rules, calendar, fee_plan(config)
                broker = ShadowBroker(books, quotes, market, clock, partial(opening_of, live))
            yield Edges(rules, calendar, broker, quotes)
            tasks.cancel_scope.cancel()
    finally:
        await broker.close()
        await live.close()
        await quotes.close()
        if books is not None:
            books.close()


async def require_package(config: Config) -> None:
    """Raises ConfigError when the vendor's package cannot be used: trying again does not help, a person must look."""
    worker = ThreadWorker("xt import")
    try:
        await worker.call("import", partial(load_trade_side, config.xt.package), config.xt.import_s)
    except VendorMissing as error:
        raise ConfigError(str(error)) from error
    except GatewayError as error:  # it may come yet: the link tries on
        logger.warning("{}", error)
    finally:
        worker.end(lambda: None)


async def opening_of(live: Broker) -> Opening:
    """What the real account holds now; the connection is given back, since nothing is ever ordered through it."""
    await live.open()
    try:
        return await opening_now(live)
    finally:
        await live.close()


async def opening_now(live: Broker) -> Opening:
    """What an account holds now as the beginning of another one. Raises GatewayError."""
    asset, held = await live.asset(), await live.positions()
    shares = tuple((each.code, each.shares, each.sellable) for each in held)
    return Opening(asset.cash + asset.frozen, shares, tuple((each.code, each.cost_price) for each in held))


async def keep_current(refresh: Callable[[], Awaitable[object]], clock: Clock) -> None:
    """Read the terminal's calendar now and every day before the open; until that works our tables alone hold."""
    while True:
        now = clock.now()
        again = datetime.combine(now.date(), _CALENDAR_AT, now.tzinfo)
        try:
            await refresh()
            again += timedelta(days=1 if now >= again else 0)
        except GatewayError as error:
            logger.warning("calendar of the terminal: {}; the shipped tables hold", error)
            again = now + _CALENDAR_RETRY
        await clock.sleep_until(again)


async def end_when_stuck(stuck_threads: Callable[[], int], clock: Clock) -> None:
    """Raises GatewayLost when so many threads hang inside the vendor's library that only a new process helps (G8)."""
    while (stuck := stuck_threads()) < _STUCK_MAX:
        await clock.sleep(_STUCK_LOOK_S)
    raise GatewayLost(f"{stuck} threads hang inside the vendor's library: this process ends; start it again")


def terminal_of(config: Config) -> Terminal:
    """The terminal that [xt] names; the account's lock is this user's, so that two homes cannot share an account."""
    xt = config.xt
    return Terminal(xt.package, Path(xt.path), xt.account, account_lock(xt.account))


def deadlines_of(config: Config) -> Deadlines:
    """How long the terminal may take."""
    xt = config.xt
    return Deadlines(xt.import_s, xt.connect_s, xt.stop_s, xt.call_s, xt.query_s, xt.quote_s)


def pace_of(config: Config, *, patient: bool) -> Pace:
    """How fast the terminal may be asked; without patience a person waits for the connection."""
    pace = Pace(order_gap_s=config.xt.order_gap_s, query_gap_s=config.xt.query_gap_s)
    return pace if patient else replace(pace, reconnect_s=(_AGAIN_S,))
