"""The simulated exchange: a synchronous object that time is passed into and that says when it wants to be woken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from qws.domain.account import Asset, Position
from qws.domain.fees import FeePlan
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.gateways.sim.account import Ticket
from qws.gateways.sim.agenda import Agenda, Due, Latency
from qws.gateways.sim.books import Books, Opening, audit, opened
from qws.gateways.sim.counter import Counter, refusal
from qws.gateways.sim.market import SimMarket, second_of_day
from qws.gateways.sim.matching import Fills, Floor
from qws.gateways.sim.wakeups import Wakeups

Event = BrokerOrder | Trade


class SimExchange:
    """One account at one exchange: order states, T+1, frozen cash and fees as at a MiniQMT broker.

    Every call first brings the exchange up to `now`, and commits before it returns. Orders trade in call auctions and
    in continuous trading and expire at the end of the day. Raises InvariantBroken when money or shares do not add up.
    """

    def __init__(
        self, market: SimMarket, books: Books, plan: FeePlan, opening: Opening, now: datetime, latency: Latency
    ) -> None:
        self.market = market
        self._books, self._agenda, self._counter = books, Agenda(market.seed, latency), Counter(market, plan)
        self._now = now
        self._outbox: list[Event] = []
        self._dirty: tuple[dict[str, Ticket], dict[str, None], list[Trade]] = ({}, {}, [])
        self._floor = Floor(market)
        self._wakeups = Wakeups(market, self._floor, self._agenda)
        state = books.load()
        self._state = state if state is not None else opened(_bought_at(market, opening, now), now.date())
        if state is None:
            books.turn(self._state)
        else:
            self._restore()

    def submit(self, order: OrderRequest, now: datetime) -> str:
        """Take an order and return its id; what becomes of it comes as events (RULES.md section 16)."""
        self._run(now)
        state = self._state
        state.serial += 1
        ticket = Ticket(state.serial, order, OrderStatus.WAIT_REPORTING, now, now, "")
        ticket.verdict = self._counter.verdict(ticket, state, now)
        is_queued = not ticket.verdict and self._counter.queues(order.code, now)
        starts = self._wakeups.trading_from(now) if is_queued else now
        ticket.due = self._agenda.report_at(starts, "report", ticket.order_id)
        if not ticket.verdict:
            state.account.reserve(ticket)
        state.tickets[ticket.order_id] = ticket
        self._agenda.push(ticket.due, Due.REPORT, ticket.order_id)
        self._wakeups.plan_close(state.day, self._now)
        self._report(ticket)
        self._commit()
        return ticket.order_id

    def cancel(self, order_id: str, now: datetime) -> None:
        """Ask for a cancel. A refusal repeats the order's report, saying CANCEL_NOT_ALLOWED; unknown ids do nothing."""
        self._run(now)
        row, ticket = self._state.orders.get(order_id), self._state.tickets.get(order_id)
        if row is not None and row.status is not OrderStatus.JUNK and (ticket is None or not ticket.verdict):
            if ticket is None or row.status.is_terminal or not self._counter.takes_cancel(row.code, now):
                text = refusal("CANCEL_NOT_ALLOWED", f"order {order_id}")
                self._outbox.append(replace(row, message=text))
            elif ticket.status is OrderStatus.WAIT_REPORTING:
                ticket.cancel_asked = True
                self._dirty[0][order_id] = ticket
            elif ticket.status in (OrderStatus.REPORTED, OrderStatus.PART_SUCC):
                self._begin_cancel(ticket, now)
        self._commit()

    def advance(self, now: datetime) -> list[Event]:
        """Everything that happened up to `now` and was not handed out yet, in order."""
        self._settle(now)
        events, self._outbox = self._outbox, []
        return events

    def next_due(self) -> datetime | None:
        """When `advance` will next have something to do; None while nothing is under way."""
        if self._outbox:
            return self._now
        return self._agenda.next_due()

    def asset(self, now: datetime) -> Asset:
        """The account's money; holdings are valued at the last trade, or the last close of a suspended name."""
        self._settle(now)
        account = self._state.account
        value = sum(
            (held.shares * self.market.last_price(held.code, now) for held in account.holdings.values()), Decimal(0)
        )
        return Asset(account.available, account.frozen, value, account.cash + value)

    def positions(self, now: datetime) -> tuple[Position, ...]:
        """All holdings with shares > 0, by code."""
        self._settle(now)
        held = self._state.account.holdings
        return tuple(
            held[code].position(self.market.last_price(code, now)) for code in sorted(held) if held[code].shares
        )

    def orders(self, now: datetime) -> tuple[BrokerOrder, ...]:
        """Every order of today, in the order of entry."""
        self._settle(now)
        return tuple(self._state.orders.values())

    def trades(self, now: datetime) -> tuple[Trade, ...]:
        """Every fill of today, in the order of booking."""
        self._settle(now)
        return tuple(self._state.trades)

    def close(self) -> None:
        """Let go of the account's file."""
        self._books.close()

    def _settle(self, now: datetime) -> None:
        self._run(now)
        self._commit()

    def _run(self, now: datetime) -> None:
        """Let everything happen that is due by `now`, in order of time, and begin a new day where one has begun."""
        while (item := self._agenda.pop(now)) is not None:
            self._now = max(self._now, item[0])
            self._happen(*item)
        self._now = max(self._now, now)
        if now.date() > self._state.day:
            self._turn(now)

    def _happen(self, at: datetime, due: Due, key: str) -> None:
        ticket = self._state.tickets.get(key)  # None too for an order that has ended
        match due:
            case Due.CLOSE:
                for code in self._floor.codes():
                    self._call(code, at)
                self._expire(at)
            case Due.MATCH:
                # What has ended, or met the book together with another order, does not wake its code again.
                if ticket is not None and ticket.arriving and not ticket.status.is_terminal:
                    self._match(ticket.request.code, at)
            case Due.LOOK:
                if self._wakeups.take_look(key, at):
                    self._match(key, at)
            case Due.CALL:
                self._call(key, at)
            case Due.CANCEL:
                if ticket is not None and not ticket.status.is_terminal:
                    self._end(ticket, at, "cancelled on request")
            case Due.REPORT:
                if ticket is not None:
                    self._accept(ticket, at)

    def _accept(self, ticket: Ticket, at: datetime) -> None:
        if ticket.status is not OrderStatus.WAIT_REPORTING:
            return
        if not ticket.verdict and self._counter.queues(ticket.request.code, ticket.at):
            self._refuse(ticket, self._counter.entry(ticket.request, at))
        ticket.at = at
        if ticket.verdict:
            ticket.status, ticket.message = OrderStatus.JUNK, ticket.verdict
            self._report(ticket)
            return
        ticket.status = OrderStatus.REPORTED
        self._report(ticket)
        self._floor.enter(ticket)
        ticket.arrives = self._wakeups.arrival(ticket, at)
        self._wakeups.plan_arrival(ticket)
        self._wakeups.plan_call(ticket.request.code, at)
        if ticket.cancel_asked:
            self._begin_cancel(ticket, at)

    def _refuse(self, ticket: Ticket, verdict: str) -> None:
        """The exchange turns down what the broker had queued: what was frozen for it is free again."""
        if verdict:
            self._state.account.release(ticket, OrderStatus.JUNK)
            ticket.verdict = verdict

    def _match(self, code: str, at: datetime) -> None:
        self._book(self._floor.match(code, at), at)
        self._wakeups.plan_look(code, at.date(), self.market.grid.step_at(second_of_day(at)))

    def _call(self, code: str, at: datetime) -> None:
        """End a call auction; what is left goes on into continuous trading where that begins at once."""
        self._book(self._floor.call(code, at), at)
        listing = self.market.listing(code, at.date())
        if listing is not None and listing.is_continuous(second_of_day(at)):
            self._match(code, at)
        self._wakeups.plan_call(code, at)

    def _book(self, traded: Iterable[tuple[Ticket, Fills]], at: datetime) -> None:
        for ticket, fills in traded:
            for shares, price in fills:
                self._fill(ticket, shares, price, at)
            self._dirty[0][ticket.order_id] = ticket
            if fills:
                ticket.at = at
                self._report(ticket)
            if not ticket.open_shares:
                self._floor.leave(ticket)

    def _fill(self, ticket: Ticket, shares: int, price: Decimal, at: datetime) -> None:
        ask, state = ticket.request, self._state
        listing = self.market.listing(ask.code, at.date())
        total = self._counter.fees(ticket.request, at.date(), ticket.amount + shares * price)
        fee = total - ticket.fee
        locked = 0 if listing is not None and listing.instrument.same_day_sell else shares
        state.account.fill(ticket, shares, price, fee, locked)
        state.serial += 1
        trade = Trade(str(state.serial), ticket.order_id, ask.tag, ask.code, ask.side, shares, price, at, fee)
        state.trades.append(trade)
        self._outbox.append(trade)
        self._dirty[1][ask.code] = None
        self._dirty[2].append(trade)

    def _begin_cancel(self, ticket: Ticket, at: datetime) -> None:
        has_traded = ticket.status is OrderStatus.PART_SUCC
        ticket.status = OrderStatus.PARTSUCC_CANCEL if has_traded else OrderStatus.REPORTED_CANCEL
        ticket.at = at
        ticket.due = self._agenda.report_at(at, "cancel", ticket.order_id)
        self._agenda.push(ticket.due, Due.CANCEL, ticket.order_id)
        self._report(ticket)

    def _end(self, ticket: Ticket, at: datetime, message: str) -> None:
        self._floor.leave(ticket)
        self._state.account.release(ticket, OrderStatus.PART_CANCEL if ticket.traded else OrderStatus.CANCELED)
        ticket.at, ticket.message = at, message
        self._report(ticket)

    def _expire(self, at: datetime) -> None:
        for ticket in self._state.tickets.values():
            if not ticket.verdict and not ticket.status.is_terminal:
                self._end(ticket, at, "expired at the end of the day")

    def _turn(self, now: datetime) -> None:
        """Begin a new day when the one before has come to its end."""
        state = self._state
        self._expire(self._wakeups.closes_at(state.day))
        for ticket in state.tickets.values():
            self._accept(ticket, ticket.due)
        self._commit()
        audit(state)
        state.begin(now.date())
        self._floor.clear()
        self._wakeups.clear()
        self._books.turn(state)

    def _restore(self) -> None:
        """Put a file's working orders back to where they were; all that was due by the newest report has happened."""
        state = self._state
        audit(state)
        for trade in state.trades:
            self._floor.take(trade.code, trade.side, trade.at, trade.shares)
        for ticket in state.tickets.values():
            if ticket.status is OrderStatus.WAIT_REPORTING:
                self._agenda.push(ticket.due, Due.REPORT, ticket.order_id)
            else:
                self._floor.enter(ticket)
                self._wakeups.plan_arrival(ticket)
                if ticket.status in (OrderStatus.REPORTED_CANCEL, OrderStatus.PARTSUCC_CANCEL):
                    self._agenda.push(ticket.due, Due.CANCEL, ticket.order_id)
        if state.orders:
            self._now = done = max(row.at for row in state.orders.values())
            self._wakeups.plan_close(state.day, done)
            self._wakeups.resume_looks(done)
            for code in self._floor.codes():
                self._wakeups.plan_call(code, done)

    def _report(self, ticket: Ticket) -> None:
        self._outbox.append(self._state.report(ticket))
        self._dirty[0][ticket.order_id] = ticket

    def _commit(self) -> None:
        tickets, codes, trades = self._dirty
        if tickets:
            self._books.save(self._state, tickets.values(), codes, trades)
            self._dirty = ({}, {}, [])


def _bought_at(market: SimMarket, opening: Opening, now: datetime) -> Opening:
    """An opening whose shares cost what they are worth at `now`: a cost of zero would make any price a profit."""
    costs = {code: market.last_price(code, now) for code, _, _ in opening.positions} | dict(opening.costs)
    return replace(opening, costs=tuple(costs.items()))
