"""Paper orders in a real market: an account of our own whose orders trade at the levels that live quotes show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from decimal import Decimal

from qws.domain.account import Asset, Position
from qws.domain.calendar import UnknownDay
from qws.domain.fees import FeePlan
from qws.domain.market import Instrument, Level, Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.domain.rules import RuleBook
from qws.domain.sessions import Phase, PhaseRules
from qws.errors import GatewayError
from qws.gateways.sim.account import Ticket
from qws.gateways.sim.books import Books, Opening, State, audit, opened
from qws.gateways.sim.counter import form, refusal
from qws.ports import BrokerEvent, Calendar, Clock, Quotes

_LOOK_S = 1.0
_LOT = 100


class ShadowBroker:
    """A `Broker` that sends nothing anywhere. Its account begins as `opening` tells it, once, and is kept in `books`.

    An order takes what the other side shows at its limit or better, whole lots and every snapshot once; the rest waits
    for later snapshots, until the day's trading is over. It has no place in a queue and moves no price.
    """

    def __init__(
        self,
        books: Books,
        quotes: Quotes,
        market: tuple[RuleBook, Calendar, FeePlan],
        clock: Clock,
        opening: Callable[[], Awaitable[Opening]],
    ) -> None:
        self._books, self._quotes, self._clock, self._opening = books, quotes, clock, opening
        self._rules, self._calendar, self._plan = market
        self._known: State | None = None
        self._outbox: list[BrokerEvent] = []
        self._taken: dict[tuple[str, Side], tuple[datetime, int]] = {}  # from the book of that moment, in shares
        self._prices: dict[str, Decimal] = {}
        self._poked = asyncio.Event()
        self._is_closed = False

    async def open(self) -> None:
        """Open the account, the first time as `opening` tells it."""
        self._is_closed = False
        self._known = self._books.load()
        if self._known is None:
            self._known = opened(await self._opening(), self._clock.now().date())
            self._books.turn(self._known)

    async def close(self) -> None:
        """End the stream of events; orders of today go on working at the next start."""
        self._is_closed = True
        self._poked.set()

    async def place(self, order: OrderRequest) -> str:
        """Take an order; raises GatewayError, and takes nothing, while there are no quotes."""
        record = (await self._quotes.instruments([order.code])).get(order.code)
        state, now = self._state(), self._clock.now()
        state.serial += 1
        ticket = Ticket(state.serial, order, OrderStatus.REPORTED, now, now, "")
        ticket.verdict = self._verdict(ticket, record, state, now)
        if ticket.verdict:
            ticket.status, ticket.message = OrderStatus.JUNK, ticket.verdict
        else:
            state.account.reserve(ticket)
        state.tickets[ticket.order_id] = ticket
        self._report([ticket])
        return ticket.order_id

    async def cancel(self, order_id: str) -> None:
        """End an order that still works."""
        ticket = self._state().tickets.get(order_id)
        if ticket is not None and not ticket.status.is_terminal:
            self._end(ticket, "cancelled on request")

    async def asset(self) -> Asset:
        """The account's money, holdings valued at live prices. Raises GatewayError where a price was never seen."""
        await self._look_at(self._state().account.holdings)
        account = self._state().account
        value = sum((held.shares * self._price(held.code) for held in account.holdings.values()), Decimal(0))
        return Asset(account.available, account.frozen, value, account.cash + value)

    async def positions(self) -> tuple[Position, ...]:
        """All holdings with shares > 0, by code. Raises GatewayError where a price was never seen."""
        await self._look_at(self._state().account.holdings)
        held = self._state().account.holdings
        return tuple(held[code].position(self._price(code)) for code in sorted(held) if held[code].shares)

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of today."""
        return tuple(self._state().orders.values())

    async def trades(self) -> tuple[Trade, ...]:
        """Every fill of today."""
        return tuple(self._state().trades)

    async def events(self) -> AsyncIterator[BrokerEvent]:
        """Order reports and fills, as they come, until `close`. One consumer at a time."""
        while not self._is_closed:
            self._poked.clear()
            await self._trade()
            events, self._outbox = self._outbox, []
            for event in events:
                yield event
            try:
                async with asyncio.timeout(_LOOK_S if self._working() else None):
                    await self._poked.wait()
            except TimeoutError:
                continue

    def _state(self) -> State:
        """The account on its present day."""
        state, today = self._known, self._clock.now().date()
        if state is None:
            raise GatewayError("the shadow account is not open")
        if today > state.day:
            for ticket in self._working():
                self._end(ticket, "expired at the end of the day")
            audit(state)
            state.begin(today)
            self._taken.clear()
            self._books.turn(state)
        return state

    def _working(self) -> list[Ticket]:
        tickets = self._known.tickets.values() if self._known is not None else ()
        return [ticket for ticket in tickets if not ticket.status.is_terminal]

    def _verdict(self, ticket: Ticket, record: Instrument | None, state: State, now: datetime) -> str:
        order, account = ticket.request, state.account
        if record is None:
            return refusal("UNKNOWN_CODE", order.code)
        phase = self._phase(record, now)
        if phase is None or not phase.accepts_limit_order:
            return refusal("PHASE_CLOSED", f"{now:%H:%M:%S}")
        sellable = account.sellable(order.code)
        if refused := form(order, record, sellable):
            return refused
        if order.side is Side.SELL and order.shares > sellable:
            return refusal("INSUFFICIENT_SHARES", f"wants {order.shares}, sellable {sellable}")
        ticket.fee_bound = self._fees(order, now, order.shares * order.price)
        if ticket.frozen > account.available:
            return refusal("INSUFFICIENT_CASH", f"needs {ticket.frozen}, available {account.available}")
        return ""

    def _phase(self, record: Instrument, now: datetime) -> PhaseRules | None:
        """What the exchange takes now; None on a day off, and on a day the calendar does not know."""
        with suppress(UnknownDay):
            if self._calendar.is_session(now.date()):
                return self._rules.sessions.phase_at(record.board, record.kind, now.date(), now.time())
        return None

    async def _trade(self) -> None:
        """Let the orders that work meet the newest snapshots."""
        self._state()
        codes = {ticket.request.code for ticket in self._working()}
        if not codes:
            return
        try:
            quotes, records = await self._quotes.quotes(codes), await self._quotes.instruments(codes)
        except GatewayError:  # looked at again soon
            return
        self._note(quotes)
        now = self._clock.now()
        for code in sorted(codes & records.keys()):
            phase = self._phase(records[code], now)
            if phase is None or phase.phase is Phase.CLOSED:
                for ticket in self._of(code):
                    self._end(ticket, "expired at the end of the day")
            elif phase.phase is Phase.CONTINUOUS and code in quotes and not quotes[code].suspended:
                self._match(quotes[code], records[code], now)

    def _of(self, code: str) -> list[Ticket]:
        return [ticket for ticket in self._working() if ticket.request.code == code]

    def _match(self, quote: Quote, record: Instrument, now: datetime) -> None:
        for side in Side:
            sign = -1 if side is Side.BUY else 1
            queue = [ticket for ticket in self._of(quote.code) if ticket.request.side is side]
            queue.sort(key=lambda ticket: (sign * ticket.request.price, ticket.serial))
            left = self._left(quote, side) if queue else []
            trades = [trade for ticket in queue for trade in self._met(ticket, record, left, now)]
            if trades:
                at, taken = self._taken.get((quote.code, side), (quote.at, 0))
                before = taken if at == quote.at else 0
                self._taken[quote.code, side] = quote.at, before + sum(trade.shares for trade in trades)
                self._report(queue, trades)

    def _left(self, quote: Quote, side: Side) -> list[Level]:
        """The other side's levels without what this snapshot gave already."""
        at, taken = self._taken.get((quote.code, side), (quote.at, 0))
        gone, left = taken if at == quote.at else 0, []
        for level in quote.asks if side is Side.BUY else quote.bids:
            used = min(gone, level.volume)
            gone -= used
            left.append(Level(level.price, level.volume - used))
        return left

    def _met(self, ticket: Ticket, record: Instrument, left: list[Level], now: datetime) -> list[Trade]:
        """What an order trades with the levels, which shrink."""
        ask, trades = ticket.request, []
        for place, (price, volume) in enumerate(left):
            reached = price <= ask.price if ask.side is Side.BUY else price >= ask.price
            shares = min(ticket.open_shares, volume // _LOT * _LOT) if reached else 0
            if shares:
                left[place] = Level(price, volume - shares)
                trades.append(self._fill(ticket, shares, price, now, locked=0 if record.same_day_sell else shares))
        return trades

    def _fill(self, ticket: Ticket, shares: int, price: Decimal, now: datetime, *, locked: int) -> Trade:
        ask, state = ticket.request, self._known
        assert state is not None
        fee = self._fees(ask, now, ticket.amount + shares * price) - ticket.fee
        state.account.fill(ticket, shares, price, fee, locked)
        state.serial += 1
        trade = Trade(str(state.serial), ticket.order_id, ask.tag, ask.code, ask.side, shares, price, now, fee)
        state.trades.append(trade)
        ticket.at = now
        return trade

    def _fees(self, order: OrderRequest, now: datetime, amount: Decimal) -> Decimal:
        return self._rules.fees.fees_of(order.code, order.side, now.date(), amount, self._plan).total

    def _end(self, ticket: Ticket, message: str) -> None:
        assert self._known is not None  # who has a ticket has opened the account
        self._known.account.release(ticket, OrderStatus.PART_CANCEL if ticket.traded else OrderStatus.CANCELED)
        ticket.at, ticket.message = self._clock.now(), message
        self._report([ticket])

    def _report(self, tickets: Iterable[Ticket], trades: Sequence[Trade] = ()) -> None:
        """Write what changed, then tell it."""
        changed = list(tickets)
        codes = {ticket.request.code for ticket in changed}
        assert self._known is not None
        rows = [self._known.report(ticket) for ticket in changed]
        self._books.save(self._known, changed, codes, trades)
        self._outbox += [*trades, *rows]
        self._poked.set()

    async def _look_at(self, codes: Iterable[str]) -> None:
        self._note(await self._quotes.quotes(sorted(codes)))

    def _note(self, quotes: Mapping[str, Quote]) -> None:
        self._prices |= {code: quote.last or quote.prev_close for code, quote in quotes.items()}

    def _price(self, code: str) -> Decimal:
        if code not in self._prices:
            raise GatewayError(f"the terminal has no price of {code}: the account's value is unknown")
        return self._prices[code]
