"""From a wanted order to legal child orders, or the reason why not. RULES.md sections 3 to 7, 16 and 17."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from qws.domain.limits import auction_range, opening_cap
from qws.domain.lots import largest_legal_buy, largest_legal_sell, split
from qws.domain.market import Instrument, Quote, Side
from qws.domain.prices import ceil_tick, floor_tick
from qws.domain.rules import RuleBook
from qws.domain.sessions import Phase

_OPENING = frozenset({Phase.OPEN_CALL_CANCELLABLE, Phase.OPEN_CALL_LOCKED})


class Illegal(StrEnum):
    """Why shares of a wish are not sent.

    `limit_down` refuses a buy below the lowest valid price, `limit_up` a sell above the highest: going there would be
    worse than wished. `cage` means that cage and limits leave no price at all. `lot` is a rest that no step or odd-lot
    rule covers, `min_order` less than the board's smallest order, `order_max` a record whose maximum allows no split.
    """

    PHASE_CLOSED = "phase_closed"
    SUSPENDED = "suspended"
    NO_QUOTE = "no_quote"
    LIMIT_UP = "limit_up"
    LIMIT_DOWN = "limit_down"
    CAGE = "cage"
    ST_CAP = "st_cap"
    T_PLUS_1 = "t_plus_1"
    MIN_ORDER = "min_order"
    LOT = "lot"
    ORDER_MAX = "order_max"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants: shares, and a limit price in CNY per share that need not be on the tick."""

    side: Side
    shares: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class Child:
    """One limit order the exchange accepts: shares, CNY per share."""

    code: str
    side: Side
    shares: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class CageMargin:
    """A quote older than `quote_age_max_s` seconds loses the share `given_up` of the cage's width (0.25: 2% to 1.5%).

    The exchange measures the cage from its live book, not from our snapshot.
    """

    quote_age_max_s: float
    given_up: Decimal


@dataclass(frozen=True, slots=True)
class Context:
    """What an order's legality hangs on at one instant of a session day, quantities in shares.

    `bought_today` counts all buys of this code, through whatever channel, working ones included; `halted` is an
    intraday halt, during which the exchange still collects orders.
    """

    book: RuleBook = field(repr=False)
    at: datetime
    instrument: Instrument
    quote: Quote | None
    sellable: int
    bought_today: int
    margin: CageMargin
    halted: bool = False


@dataclass(frozen=True, slots=True)
class Legalised:
    """The orders to send, in this order, and what of the wish is not among them.

    `unplaced` shares carry `reason` (empty when nothing is missing); `clamp` says what moved the price: `tick`,
    `limit`, `cage`, or nothing.
    """

    children: tuple[Child, ...]
    unplaced: int
    reason: str
    clamp: str


def legalise(wish: Wish, context: Context) -> Legalised:
    """Cut a wish into orders that the exchange accepts now; never more shares and never a worse price than wished.

    Prices move to the safe side only: buys down, sells up to the tick, but into the price cage and the day's range
    where the wish goes beyond them. RULES.md sections 4 to 7; whether the day is a session, only the calendar tells.
    """
    if wish.shares <= 0:
        return Legalised((), 0, "", "")
    instrument = context.instrument
    found = legal_price(wish, context)
    if isinstance(found, Illegal):
        return Legalised((), wish.shares, found, "")
    price, clamp = found
    shares, reason = _shares(wish, context)
    if not shares:
        return Legalised((), wish.shares, reason, "")
    children = tuple(
        Child(instrument.code, wish.side, each, price)
        for each in split(instrument, wish.side, shares, context.sellable)
    )
    return Legalised(children, wish.shares - shares, reason, clamp)


def legal_price(wish: Wish, context: Context) -> tuple[Decimal, str] | Illegal:
    """The legal price in CNY nearest to the wish on its safe side, and what moved it: `tick`, `limit`, `cage` or ""."""
    return _unavailable(context) or _price(wish, context)


def buy_cap(context: Context) -> tuple[int | None, str]:
    """The most shares that may be bought now, and what says so; None where nothing does."""
    instrument = context.instrument
    cap = context.book.st_buy_cap(instrument)
    most = None if cap is None else largest_legal_buy(instrument, max(0, cap - context.bought_today))
    whole = instrument.order_max - instrument.order_max % instrument.buy_step
    if whole < 2 * instrument.buy_min and (most is None or most > whole):  # what cannot be split goes as one order
        return largest_legal_buy(instrument, whole), Illegal.ORDER_MAX
    return most, "" if most is None else Illegal.ST_CAP


def _unavailable(context: Context) -> Illegal | None:
    instrument, quote = context.instrument, context.quote
    rules = context.book.sessions.phase_at(instrument.board, instrument.kind, instrument.day, context.at.time())
    if context.at.date() != instrument.day or not rules.accepts_limit_order:
        return Illegal.PHASE_CLOSED
    if instrument.suspended or (quote is not None and quote.suspended and not context.halted):
        return Illegal.SUSPENDED
    return Illegal.NO_QUOTE if quote is None else None


def _price(wish: Wish, context: Context) -> tuple[Decimal, str] | Illegal:
    assert context.quote is not None  # `_unavailable` saw to it
    instrument = context.instrument
    rules = context.book.sessions.phase_at(instrument.board, instrument.kind, instrument.day, context.at.time())
    low, high = _day_range(context, context.quote, rules.phase)
    is_caged = rules.phase is Phase.CONTINUOUS and not context.halted
    cage = _cage(wish.side, context, context.quote) if is_caged else None
    if wish.side is Side.BUY:
        price = floor_tick(wish.price, instrument.tick)
        legal = min(each for each in (price, high, cage) if each is not None)
        is_outside, is_cage_outside = legal < low, cage is not None and cage < low
    else:
        price = ceil_tick(wish.price, instrument.tick)
        legal = max(each for each in (price, low, cage) if each is not None)
        is_outside = high is not None and legal > high
        is_cage_outside = cage is not None and high is not None and cage > high
    if is_cage_outside:
        return Illegal.CAGE
    if is_outside:
        return Illegal.LIMIT_DOWN if wish.side is Side.BUY else Illegal.LIMIT_UP
    if legal != price:
        return legal, "cage" if legal == cage else "limit"
    return legal, "tick" if legal != wish.price else ""


def _day_range(context: Context, quote: Quote, phase: Phase) -> tuple[Decimal, Decimal | None]:
    """The lowest and highest price that is valid whatever the cage says, on the tick. RULES.md section 5."""
    instrument = context.instrument
    low, high = instrument.limit_down, instrument.limit_up
    rule = context.book.free_days.at(None, instrument.day)
    if low is None and high is None and rule is not None:
        if phase in _OPENING:
            high = opening_cap(rule, instrument.prev_close, instrument.tick)
        elif context.halted or phase is Phase.CLOSE_CALL:
            low, high = auction_range(rule, quote.last or instrument.prev_close, instrument.tick)
    tick = instrument.tick
    return max(tick, tick if low is None else ceil_tick(low, tick)), None if high is None else floor_tick(high, tick)


def _cage(side: Side, context: Context, quote: Quote) -> Decimal | None:
    """The cage's bound, pulled in for a quote that is not fresh; None where there is no cage."""
    instrument = context.instrument
    cage = context.book.cage(instrument, side, quote)
    if cage is None:
        return None
    base, bound = cage
    if (context.at - quote.at).total_seconds() <= context.margin.quote_age_max_s:
        return bound
    kept = base + (bound - base) * (1 - context.margin.given_up)
    return floor_tick(kept, instrument.tick) if side is Side.BUY else ceil_tick(kept, instrument.tick)


def _shares(wish: Wish, context: Context) -> tuple[int, str]:
    """The most of the wish that is legal, and why it is not all."""
    instrument, sellable = context.instrument, max(0, context.sellable)
    if wish.side is Side.BUY:
        cap = context.book.st_buy_cap(instrument)
        room = wish.shares if cap is None else min(wish.shares, max(0, cap - context.bought_today))
        shares = largest_legal_buy(instrument, room)
        reason = Illegal.ST_CAP if room < wish.shares else Illegal.LOT
    else:
        shares = largest_legal_sell(instrument, sellable, wish.shares)
        reason = Illegal.T_PLUS_1 if sellable < wish.shares else Illegal.LOT
    if reason is Illegal.LOT and wish.shares < instrument.buy_min:
        reason = Illegal.MIN_ORDER
    largest = instrument.order_max - instrument.order_max % instrument.buy_step
    if shares > largest and largest < 2 * instrument.buy_min:  # what cannot be split goes as one order
        reason = Illegal.ORDER_MAX
        if wish.side is Side.BUY:
            shares = largest_legal_buy(instrument, largest)
        else:
            shares = largest_legal_sell(instrument, sellable, largest)
    return shares, "" if shares == wish.shares else reason
