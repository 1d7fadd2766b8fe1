"""What the market says: sides, instruments of a day, quotes. RULES.md sections 2-6, XTQUANT.md 4.3."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Side(StrEnum):
    """Buy (买入, MiniQMT 23) or sell (卖出, MiniQMT 24)."""

    BUY = "buy"
    SELL = "sell"


class Exchange(StrEnum):
    """The suffix of a code: Shanghai, Shenzhen, Beijing."""

    SH = "SH"
    SZ = "SZ"
    BJ = "BJ"


class Board(StrEnum):
    """Where an instrument trades; lots, limits, cage and maxima hang on it (RULES.md section 2)."""

    SH_MAIN = "SH_MAIN"
    SH_STAR = "SH_STAR"
    SH_FUND = "SH_FUND"
    SH_BOND = "SH_BOND"
    SZ_MAIN = "SZ_MAIN"
    SZ_CHINEXT = "SZ_CHINEXT"
    SZ_FUND = "SZ_FUND"
    SZ_BOND = "SZ_BOND"
    BJ = "BJ"
    BJ_OLD_CODE = "BJ_OLD_CODE"


class Kind(StrEnum):
    """The type of an instrument (RULES.md section 2)."""

    STOCK = "stock"
    CDR = "cdr"
    B_SHARE = "b_share"
    ETF = "etf"
    LOF = "lof"
    REIT = "reit"
    CB = "cb"
    REPO = "repo"
    INDEX = "index"


@dataclass(frozen=True, slots=True)
class Instrument:
    """One code's record for one trading day: the limits, the tick and the lot sizes an order must respect.

    Prices are CNY per share, quantities shares. `None` for a limit means that none applies today
    (first days after an IPO). `order_max` bounds one limit order. `sell_min` is the quantity below which a
    balance must be sold in one order.
    """

    code: str
    day: date
    exchange: Exchange
    board: Board
    kind: Kind
    prev_close: Decimal
    tick: Decimal
    limit_up: Decimal | None
    limit_down: Decimal | None
    buy_min: int
    buy_step: int
    order_max: int
    suspended: bool = False
    st: bool = False
    same_day_sell: bool = False


class Level(NamedTuple):
    """One price level of the book: CNY per share, shares."""

    price: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class Quote:
    """One code's five-level snapshot. Empty sides are empty tuples, never zeros; `last` is None before any trade.

    `at` is when the market made it, not when it was fetched. Volumes are shares.
    """

    code: str
    at: datetime
    last: Decimal | None
    prev_close: Decimal
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    suspended: bool = False
