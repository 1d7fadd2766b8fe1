"""Cards that place one order in the life of an account: one lot, bought at the lower limit, and cancelled."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from qws.conformance.stand import Lot, Stand
from qws.conformance.verdict import CardFailed, NotChecked, within
from qws.domain.calendar import UnknownDay
from qws.domain.market import Instrument, Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.domain.rules import RuleBook
from qws.domain.sessions import Phase
from qws.ports import Calendar

_AWAY = Decimal("1.02")  # nothing may be for sale within 2 % of the price
_TAKES_S = 60  # that long trading must go on
_OLD = timedelta(seconds=15)  # a terminal goes on quoting what it has when its source has gone (XTQUANT.md 4.3)
_RESTING = (OrderStatus.UNREPORTED, OrderStatus.WAIT_REPORTING, OrderStatus.REPORTED)


def lot_of(record: Instrument, now: datetime) -> OrderRequest | None:
    """One legal lot at the lower limit, None where there is none. Its tag is of this second, and never one of a plan's:
    a program that finds it must take it for somebody else's order."""
    if record.limit_down is None:
        return None
    return OrderRequest(f"qwscard-{now:%d%H%M%S}", record.code, Side.BUY, record.buy_min, record.limit_down)


def obstacle_to(
    order: OrderRequest,
    quote: Quote | None,
    record: Instrument | None,
    hours: tuple[RuleBook, Calendar],
    now: datetime,
) -> str:
    """Why an order would not rest, or could not be cancelled again (RULES.md section 7); empty when it may leave."""
    if record is None or quote is None:
        return f"{order.code} has no quote or no record now"
    if record.day != now.date() or record.limit_down != order.price or record.buy_min != order.shares:
        return f"the record of {order.code} is of {record.day} and says {record.buy_min} at {record.limit_down}"
    if record.suspended or quote.suspended:
        return f"{order.code} is suspended"
    if not -_OLD <= now - quote.at <= _OLD:
        return f"the quote of {order.code} is of {quote.at:%Y-%m-%d %H:%M:%S}: the order could trade"
    rules, calendar = hours
    for moment in (now, now + timedelta(seconds=_TAKES_S)):
        if not _is_trading(record, rules, calendar, moment):
            return f"the market is not in continuous trading at {moment:%H:%M:%S}: it could not be cancelled"
    if not quote.asks or quote.asks[0].price < order.price * _AWAY:
        return f"{order.code} is near its lower limit {order.price}: the order could trade"
    return ""


async def place_is_answered(stand: Stand) -> str:
    """The answer tells the id under which the order is listed, as it was asked for."""
    lot = _lot(stand)
    code, amount = lot.order.code, lot.order.shares * lot.order.price
    quotes, records = await stand.quotes.quotes([code]), await stand.quotes.instruments([code])
    if obstacle := lot.obstacle(quotes.get(code), records.get(code)):
        raise NotChecked(obstacle)
    if (cash := (await stand.broker.asset()).cash) < 2 * amount:
        raise NotChecked(f"the account has {cash} CNY, and the order needs {amount} and its fees")
    lot.cash = cash
    lot.order_id = await stand.broker.place(lot.order)
    if not lot.order_id:
        raise CardFailed("the answer told no id")

    async def look() -> str:
        return "" if await _listed(stand, lot) else f"order {lot.order_id} is not listed"

    await within(stand, look)
    listed = await _listed(stand, lot)
    asked = (lot.order.code, lot.order.side, lot.order.shares, lot.order.price)
    if listed is None or (listed.code, listed.side, listed.shares, listed.price) != asked:
        raise CardFailed(f"asked for {lot.order}, listed as {listed}")
    return f"{lot.order.shares} {code} at {lot.order.price} is order {lot.order_id}"


async def remark_comes_back(stand: Stand) -> str:
    """A later connection, which was told nothing, sees the tag as it was sent."""
    lot = _placed(stand)
    await stand.restart()
    listed = await _listed(stand, lot)
    if listed is None or listed.tag != lot.order.tag:
        raise CardFailed(f"sent [{lot.order.tag}], listed as [{listed.tag if listed else 'nothing'}]")
    return f"[{lot.order.tag}], {len(lot.order.tag)} characters"


async def resting_order_freezes_money(stand: Stand) -> str:
    """It works, has traded nothing, and its money is no longer there to spend."""
    lot = _placed(stand)
    amount = lot.order.shares * lot.order.price

    async def look() -> str:
        listed, cash = await _listed(stand, lot), (await stand.broker.asset()).cash
        if listed is None or listed.status not in _RESTING or listed.traded:
            return f"it should rest, and is {listed}"
        if listed.status is not OrderStatus.REPORTED:
            return f"it has status {listed.status}, and never {OrderStatus.REPORTED}"
        return "" if lot.cash - cash >= amount else f"cash was {lot.cash} and is {cash}, {amount} should be frozen"

    await within(stand, look)
    return f"{amount} CNY frozen"


async def cancel_ends_it(stand: Stand) -> str:
    """The cancel is told as the order's end, with nothing traded, and the money comes back."""
    lot = _placed(stand)
    await stand.broker.cancel(lot.order_id)
    await stand.ear.until(lambda _: any(each.status.is_terminal for each in stand.ear.orders(lot.order.tag)))

    async def look() -> str:
        listed, cash = await _listed(stand, lot), (await stand.broker.asset()).cash
        if listed is None or listed.status is not OrderStatus.CANCELED or listed.traded:
            return f"it should be cancelled, and is {listed}"
        return "" if cash >= lot.cash else f"cash was {lot.cash} before the order and is {cash} after it"

    await within(stand, look)
    return f"order {lot.order_id} ended with nothing traded"


async def cancel_of_the_ended_changes_nothing(stand: Stand) -> str:
    """A second cancel comes too late, and that is no error."""
    lot = _placed(stand)
    before = await _listed(stand, lot)
    if before is None or not before.status.is_terminal:
        raise NotChecked("the order has not ended")
    await stand.broker.cancel(lot.order_id)
    if (after := await _listed(stand, lot)) != before:
        raise CardFailed(f"{before} became {after}")
    return f"order {lot.order_id} is as it was"


async def let_go(stand: Stand) -> str:
    """Cancel the order if it may still work; what a person must look at when that cannot be seen to succeed.

    An order that is not listed yet is waited for: its answer may have been lost, or the list may lag. Raises CardFailed
    when one that is listed does not end.
    """
    lot = stand.lot
    if lot is None or not lot.cash:
        return ""  # it never left
    asked: set[str] = set()
    listed: list[BrokerOrder] = []

    async def look() -> str:
        listed[:] = [each for each in await stand.broker.orders() if _is_of(each, lot)]
        working = [each.order_id for each in listed if not each.status.is_terminal]
        for order_id in [lot.order_id] if lot.order_id and not listed else working:
            if order_id not in asked:
                asked.add(order_id)
                await stand.broker.cancel(order_id)
        if working:
            return f"order {working[0]} may still work: cancel it at the terminal"
        return "" if listed else _unlisted(lot)

    try:
        await within(stand, look)
    except CardFailed as error:
        if listed:
            raise
        return str(error)
    return ""


def _unlisted(lot: Lot) -> str:
    name = f"order {lot.order_id} with remark {lot.order.tag}" if lot.order_id else f"remark {lot.order.tag}"
    what = f"{lot.order.shares} {lot.order.code} at {lot.order.price}"
    return f"the terminal does not list {name}: it may still live; see there that no order for {what} works"


def _lot(stand: Stand) -> Lot:
    if stand.lot is None:
        raise NotChecked("it places one order: ask for it with --one-lot")
    return stand.lot


def _placed(stand: Stand) -> Lot:
    lot = _lot(stand)
    if not lot.order_id:
        raise NotChecked("no order was placed")
    return lot


async def _listed(stand: Stand, lot: Lot) -> BrokerOrder | None:
    return next((each for each in await stand.broker.orders() if each.order_id == lot.order_id), None)


def _is_of(row: BrokerOrder, lot: Lot) -> bool:
    return row.tag == lot.order.tag or (bool(lot.order_id) and row.order_id == lot.order_id)


def _is_trading(record: Instrument, rules: RuleBook, calendar: Calendar, moment: datetime) -> bool:
    try:
        is_session = calendar.is_session(moment.date())
    except UnknownDay:
        return False
    phase = rules.sessions.phase_at(record.board, record.kind, moment.date(), moment.time()).phase
    return is_session and phase is Phase.CONTINUOUS
