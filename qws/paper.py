"""The paper account: a simulated exchange opened from the configuration."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from qws.config import Config
from qws.domain.calendar import AlwaysOpenCalendar
from qws.domain.codes import classify
from qws.domain.fees import FeePlan
from qws.domain.rules import RuleBook
from qws.errors import ConfigError
from qws.gateways.sim.agenda import Latency
from qws.gateways.sim.bars import Bars, GeneratedBars
from qws.gateways.sim.books import Books, Opening
from qws.gateways.sim.broker import PaperBroker, PaperQuotes
from qws.gateways.sim.exchange import SimExchange
from qws.gateways.sim.files import FileBars
from qws.gateways.sim.market import SimMarket
from qws.ports import Calendar, Clock
from qws.tables import load_calendar, load_rules

_SHARES_MAX = 10**9  # of one name: more would only be thousands of orders


@dataclass(frozen=True, slots=True)
class Paper:
    """Everything a paper account needs: rules, calendar, market, broker and quotes."""

    rules: RuleBook
    calendar: Calendar
    bars: Bars
    exchange: SimExchange
    broker: PaperBroker
    quotes: PaperQuotes


def fee_plan(config: Config) -> FeePlan:
    """The account's own fee terms."""
    fees = config.fees
    return FeePlan(fees.commission_rate, fees.commission_min, fees.commission_includes_exchange_fees)


def tables(config: Config, folder: Path | None) -> tuple[RuleBook, Calendar]:
    """Rule book and calendar; tables in the user's config folder override the shipped ones. Raises ConfigError."""
    override = folder if folder is not None and any(folder.glob("*.toml")) else None
    rules, calendar = load_rules(override), load_calendar(override)
    if not config.paper.always_open:
        return rules, calendar
    return replace(rules, sessions=rules.sessions.always_continuous()), AlwaysOpenCalendar()


def open_market(config: Config, root: Path, rules: RuleBook, calendar: Calendar) -> tuple[SimMarket, Bars, Bars]:
    """The market, its bars, and the bars of the benchmark. Raises ConfigError for a price file that is none."""
    paper = config.paper
    generated = GeneratedBars(paper.seed, calendar)
    bars: Bars = FileBars(root / paper.prices) if paper.prices else generated
    indexes: Bars = FileBars(root / paper.index) if paper.index else bars
    market = SimMarket(bars, rules, calendar, seed=paper.seed, always_open=paper.always_open)
    return market, bars, indexes


def open_paper(config: Config, root: Path, clock: Clock, books: Path | None, override: Path | None) -> Paper:
    """Open the paper account; `books` is its file, or None to keep it in memory. Raises ConfigError."""
    if config.broker.kind != "paper":
        raise ConfigError('this looks at the simulated account, and broker.kind = "xt": it would say nothing of yours')
    rules, calendar = tables(config, override)
    market, bars, indexes = open_market(config, root, rules, calendar)
    positions = read_positions(root / config.paper.positions) if config.paper.positions else ()
    opening = Opening(config.paper.cash, positions)
    exchange = SimExchange(market, Books(books), fee_plan(config), opening, clock.now(), Latency())
    return Paper(rules, calendar, bars, exchange, PaperBroker(exchange, clock), PaperQuotes(market, indexes, clock))


def read_positions(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Opening holdings from a CSV of stock_code, shares and optionally sellable. Raises ConfigError naming the row."""
    holdings: list[tuple[str, int, int]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file)
            holdings.extend(
                _holding(path, rows.line_num, {str(key): value or "" for key, value in row.items()}) for row in rows
            )
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    codes = [code for code, _, _ in holdings]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        raise ConfigError(f"{path}: {twice[0]} appears twice; write each code once")
    return tuple(holdings)


def _holding(path: Path, number: int, row: dict[str, str]) -> tuple[str, int, int]:
    try:
        code, shares = row["stock_code"].strip(), _whole(row["shares"])
        sellable = _whole(row.get("sellable") or row["shares"])
    except (KeyError, InvalidOperation, ValueError) as error:
        raise ConfigError(f"{path}: row {number} needs stock_code, shares and whole numbers: {row}") from error
    if classify(code) is None or shares < 0 or not 0 <= sellable <= shares:
        raise ConfigError(f"{path}: row {number}: {code} with {shares} shares, {sellable} sellable, cannot be held")
    return code, shares, sellable


def _whole(text: str) -> int:
    number = Decimal(text)
    if not number.is_finite() or abs(number) > _SHARES_MAX or number != int(number):
        raise ValueError(f"{text} is no number of shares")
    return int(number)


def session_of(calendar: Calendar, day: date) -> date:
    """`day` when it is a session, else the last session before it."""
    return day if calendar.is_session(day) else calendar.previous_session(day)
