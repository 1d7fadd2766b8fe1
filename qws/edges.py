"""Broker and quotes of a paper account: inside the daemon, or those of an exchange that is its own process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass

from qws.config import Config
from qws.domain.rules import RuleBook
from qws.errors import AlreadyRunning
from qws.gateways.wire.client import WireBroker, WireQuotes
from qws.gateways.wire.protocol import parse_address
from qws.home import Home
from qws.paper import open_paper, tables
from qws.ports import Broker, Calendar, Clock, Quotes
from qws.store.lock import HomeLock


@dataclass(frozen=True, slots=True)
class Edges:
    """What a daemon trades through, and the rules and the calendar of its own tables."""

    rules: RuleBook
    calendar: Calendar
    broker: Broker
    quotes: Quotes


@asynccontextmanager
async def open_edges(home: Home, config: Config, clock: Clock) -> AsyncIterator[Edges]:
    """The ports of the account that the configuration names, until the block ends.

    Raises ConfigError, and AlreadyRunning while an exchange of its own has this home's account open.
    """
    if config.paper.exchange:
        rules, calendar = tables(config, home.config_folder)
        address = parse_address(config.paper.exchange, named="paper.exchange")
        broker, quotes = WireBroker(address, clock), WireQuotes(address)
        try:
            yield Edges(rules, calendar, broker, quotes)
        finally:
            await broker.close()
            await quotes.close()
        return
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
