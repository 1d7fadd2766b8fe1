"""Cards that only read: account, lists, quotes, records. None of them places or cancels anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from qws.conformance.stand import Stand
from qws.conformance.verdict import CardFailed, NotChecked, within
from qws.domain.account import does_not_add_up
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, Trade
from qws.domain.tags import is_ours

UNKNOWN_CODE = "605999.SH"  # of a range that exists, and far beyond its last number
_LEVELS_MAX = 5
_AHEAD_MAX = timedelta(seconds=3)
_HELD_MAX = 20


async def account_answers(stand: Stand) -> str:
    """The money is known, and is not all zero."""
    asset = await stand.broker.asset()
    if asset.total <= 0:
        raise CardFailed(f"the account's total is {asset.total}")
    return f"total {asset.total:,.2f} CNY"


async def account_adds_up(stand: Stand) -> str:
    """Asset and positions are of one account; prices move between the two answers, so it is asked again."""

    async def look() -> str:
        return does_not_add_up(await stand.broker.asset(), await stand.broker.positions())

    await within(stand, look)
    positions = await stand.broker.positions()
    for each in positions:
        if each.shares <= 0 or not 0 <= each.sellable <= each.shares:
            raise CardFailed(f"{each.code}: {each.sellable} of {each.shares} shares are sellable")
    if len({each.code for each in positions}) < len(positions):
        raise CardFailed("a name is listed twice")
    return f"{len(positions)} names"


async def orders_are_named(stand: Stand) -> str:
    """Every row of today has an id, a time of today, and no more traded than ordered; also those of other programs."""
    orders, today = await stand.broker.orders(), stand.clock.now().date()
    for each in orders:
        if not each.order_id:
            raise CardFailed(f"an order of {each.code} has no id")
        if each.at.date() != today:
            raise CardFailed(f"order {each.order_id} is of {each.at:%Y-%m-%d}")
        if not 0 <= each.traded <= each.shares or each.shares <= 0 or each.price < 0:
            raise CardFailed(f"order {each.order_id}: {each.traded} of {each.shares} shares traded at {each.price}")
    _only_once(each.order_id for each in orders)
    foreign = sum(not is_ours(each.tag) for each in orders)
    return f"{len(orders)} orders, {foreign} of them not of this program"


async def fills_belong_to_orders(stand: Stand) -> str:
    """Each fill has its order's id, tag, code and side, and an order's fills add up to what it traded."""

    async def look() -> str:
        orders, trades = await stand.broker.orders(), await stand.broker.trades()
        return _not_joined(orders, trades)

    await within(stand, look)
    if not (trades := await stand.broker.trades()):
        raise NotChecked("no fill today")
    return f"{len(trades)} fills of {len({each.order_id for each in trades})} orders"


async def lists_stay(stand: Stand) -> str:
    """What was listed is listed again; what has ended stays as it was."""
    orders, trades = await stand.broker.orders(), await stand.broker.trades()
    if not orders:
        raise NotChecked("no order today")
    await _still_listed(stand, orders, trades)
    return f"{len(orders)} orders, {len(trades)} fills"


async def lists_outlive_connections(stand: Stand) -> str:
    """A new connection, as after a restart, lists what the one before it listed."""
    orders, trades = await stand.broker.orders(), await stand.broker.trades()
    await stand.restart()
    await _still_listed(stand, orders, trades)
    await account_answers(stand)
    return f"connected again: {len(orders)} orders, {len(trades)} fills"


async def quotes_are_sound(stand: Stand) -> str:
    """Levels are ordered, prices and shares positive, the time is the market's and not ahead of ours."""
    quotes, now = await stand.quotes.quotes(await _codes(stand)), stand.clock.now()
    if not quotes:
        raise CardFailed(f"none of {', '.join(await _codes(stand))} has a quote")
    for code, quote in quotes.items():
        if problem := _unsound(quote):
            raise CardFailed(f"{code}: {problem}")
        if quote.at > now + _AHEAD_MAX:
            raise CardFailed(f"{code}: its quote is of {quote.at:%H:%M:%S}, and it is {now:%H:%M:%S}")
    newest = max(quote.at for quote in quotes.values())
    return f"{len(quotes)} quotes, the newest of {newest:%Y-%m-%d %H:%M:%S}"


async def records_fit(stand: Stand) -> str:
    """Limits are around the previous close, on the tick, and around every price of the book; lots are positive."""
    codes = await _codes(stand)
    records, quotes = await stand.quotes.instruments(codes), await stand.quotes.quotes(codes)
    if unknown := {each.code for each in await stand.broker.positions()} - set(records):
        raise CardFailed(f"held, and without a record: {', '.join(sorted(unknown))}")
    if not records:
        raise CardFailed(f"none of {', '.join(codes)} has a record")
    for code, record in records.items():
        if problem := _unfit(record, quotes.get(code)):
            raise CardFailed(f"{code}: {problem}")
    return f"{len(records)} records of {', '.join(sorted({f'{each.day}' for each in records.values()}))}"


async def unknown_codes_are_left_out(stand: Stand) -> str:
    """A code that nobody has issued is absent, and no error."""
    codes = [UNKNOWN_CODE]
    if found := {**await stand.quotes.quotes(codes), **await stand.quotes.instruments(codes)}:
        raise CardFailed(f"{UNKNOWN_CODE} is known: {next(iter(found.values()))}")
    return UNKNOWN_CODE


async def index_has_closed(stand: Stand) -> str:
    """The index of the equity record closed above zero on the last session before today, if the terminal has its bar.

    Nothing is traded by it: where it is missing the equity record has no benchmark, and says so.
    """
    day = stand.calendar.previous_session(stand.clock.now().date())
    level = await stand.quotes.index_close(stand.index, day)
    if level is None:
        raise NotChecked(f"{stand.index} has no daily bar of {day}: download the index's daily bars at the terminal")
    if level <= 0:
        raise CardFailed(f"{stand.index} closed on {day} at {level}")
    return f"{stand.index} closed on {day} at {level}"


async def _codes(stand: Stand) -> tuple[str, ...]:
    held = tuple(each.code for each in await stand.broker.positions())
    return tuple(dict.fromkeys((*held[:_HELD_MAX], *stand.codes)))


async def _still_listed(stand: Stand, orders: tuple[BrokerOrder, ...], trades: tuple[Trade, ...]) -> None:
    now = {each.order_id: each for each in await stand.broker.orders()}
    for each in orders:
        if each.order_id not in now:
            raise CardFailed(f"order {each.order_id} is listed no more")
        if each.status.is_terminal and now[each.order_id] != each:
            raise CardFailed(f"order {each.order_id} had ended, and has changed: {each} became {now[each.order_id]}")
    if missing := [each for each in trades if each not in await stand.broker.trades()]:
        raise CardFailed(f"fill {missing[0].trade_id} of order {missing[0].order_id} is listed no more, or has changed")


def _not_joined(orders: tuple[BrokerOrder, ...], trades: tuple[Trade, ...]) -> str:
    listed, filled = {each.order_id: each for each in orders}, Counter[str]()
    for each in trades:
        order = listed.get(each.order_id)
        if order is None:
            return f"fill {each.trade_id} is of order {each.order_id}, which is not listed"
        if (each.tag, each.code, each.side) != (order.tag, order.code, order.side):
            return f"fill {each.trade_id} is told as [{each.tag}] {each.side} {each.code}, and its order is {order}"
        filled[each.order_id] += each.shares
    for order in orders:
        if filled[order.order_id] != order.traded:
            return f"order {order.order_id} traded {order.traded} shares, its fills add up to {filled[order.order_id]}"
    return ""


def _only_once(order_ids: Iterable[str]) -> None:
    if twice := [each for each, times in Counter(order_ids).items() if times > 1]:
        raise CardFailed(f"order {twice[0]} is listed more than once")


def _unsound(quote: Quote) -> str:
    asks, bids = [each.price for each in quote.asks], [each.price for each in quote.bids]
    if len(asks) > _LEVELS_MAX or len(bids) > _LEVELS_MAX:
        return f"{len(asks)} asks and {len(bids)} bids, at most {_LEVELS_MAX}"
    if asks != sorted(asks) or bids != sorted(bids, reverse=True):
        return f"its levels are not in order: asks {asks}, bids {bids}"
    if asks and bids and bids[0] > asks[0]:  # equal in the call auctions
        return f"its best bid {bids[0]} is above its best ask {asks[0]}"
    prices = [*asks, *bids, quote.prev_close, *([quote.last] if quote.last is not None else [])]
    if min(prices) <= 0 or any(each.volume <= 0 for each in (*quote.asks, *quote.bids)):
        return f"a price or a volume is not above zero: {quote}"
    return ""


def _unfit(record: Instrument, quote: Quote | None) -> str:
    if record.tick <= 0 or record.buy_min <= 0 or record.buy_step <= 0 or record.order_max < record.buy_min:
        return f"its tick or its lots are none: {record}"
    up, down = record.limit_up, record.limit_down
    if up is None or down is None:
        return ""
    if not down <= record.prev_close <= up:
        return f"its limits {down} and {up} are not around the previous close {record.prev_close}"
    if up % record.tick or down % record.tick:
        return f"its limits {down} and {up} are off the tick {record.tick}"
    if quote is None or quote.at.date() != record.day:
        return ""
    if quote.prev_close != record.prev_close:
        return f"its quote says previous close {quote.prev_close}, its record {record.prev_close}"
    if outside := [each.price for each in (*quote.asks, *quote.bids) if not down <= each.price <= up]:
        return f"its book has {outside[0]}, outside its limits {down} and {up}"
    return ""
