"""The floor: orders at work, and what they trade with in an auction or in the book of a moment. RULES.md section 9."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from qws.domain.market import Side
from qws.gateways.sim.account import Ticket
from qws.gateways.sim.market import SimMarket, second_of_day
from qws.gateways.sim.tape import ALL, LOT, Tape, in_ticks

_LOOK_STEPS = 100  # how far to search for the next book that an order reaches: five minutes

Fills = list[tuple[int, Decimal]]


class Floor:
    """Price-time matching against the visible levels; orders of one account share the depth, never each other.

    An arriving order trades at the resting prices. What is left rests behind the shares that others show at its price
    and trades at its own limit: once those before it have traded, or for as much as a later book shows on the other
    side at that price or better. What was taken from a book is remembered until the next one.
    """

    def __init__(self, market: SimMarket) -> None:
        self._market = market
        self._working: dict[str, list[Ticket]] = {}
        self._taken: dict[tuple[str, Side], tuple[int, int]] = {}

    def enter(self, ticket: Ticket) -> None:
        """Put an order to work, behind those of the same price."""
        self._working.setdefault(ticket.request.code, []).append(ticket)

    def leave(self, ticket: Ticket) -> None:
        """Take an order off, whether or not it was at work."""
        code = ticket.request.code
        kept = [other for other in self._working.get(code, ()) if other is not ticket]
        if kept:
            self._working[code] = kept
        else:
            self._working.pop(code, None)

    def codes(self) -> tuple[str, ...]:
        """The codes with orders at work."""
        return tuple(self._working)

    def clear(self) -> None:
        """Forget the day."""
        self._working.clear()
        self._taken.clear()

    def take(self, code: str, side: Side, at: datetime, shares: int) -> None:
        """Remember that the book of that moment shows so many shares less."""
        step = self._market.grid.step_at(second_of_day(at))
        known = self._taken.get((code, side))
        self._taken[code, side] = (step, shares + (known[1] if known is not None and known[0] == step else 0))

    def call(self, code: str, at: datetime) -> list[tuple[Ticket, Fills]]:
        """What the orders of `code` that came in time trade in the call auction that ends at that moment."""
        listing, second = self._market.listing(code, at.date()), second_of_day(at)
        for auction in listing.calls() if listing is not None and code in self._working else ():
            if auction.call.ends == second:
                price = auction.call.price * auction.tick
                allotted = auction.allot(ticket for ticket in self._working[code] if ticket.at < at)
                for ticket, shares in allotted:
                    self.take(code, ticket.request.side, at, shares)
                return [(ticket, [(shares, price)]) for ticket, shares in allotted]
        return []

    def match(self, code: str, at: datetime) -> list[tuple[Ticket, Fills]]:
        """What the orders of `code` trade at that moment, by price and then time: (shares, CNY per share) each.

        Orders whose place in the queue has to be kept are listed without fills.
        """
        listing = self._market.listing(code, at.date())
        second = second_of_day(at)
        if code not in self._working or listing is None or not listing.is_continuous(second) or listing.tape is None:
            return []
        step = self._market.grid.step_at(second)
        book = listing.tape.book(step)
        done: list[tuple[Ticket, Fills]] = []
        for side in Side:
            queue = [ticket for ticket in self._working[code] if ticket.request.side is side and _has_met(ticket, at)]
            if not queue:
                continue
            sign = -1 if side is Side.BUY else 1
            queue.sort(key=lambda ticket: (sign * ticket.request.price, ticket.serial))
            offer = _Offer(listing.instrument.tick, listing.tape, step, self._left(code, side, step, book.facing(side)))
            is_new = any(ticket.arriving for ticket in queue)
            traded = [(ticket, offer.trade(ticket)) for ticket in queue]
            shares = sum(shares for _, fills in traded for shares, _ in fills)
            if is_new or shares:
                self.take(code, side, at, shares)
                done += traded
        return done

    def next_look(self, code: str, after: int) -> int | None:
        """The next step after `after` at which to match again; None when no order of `code` can trade any more today.

        It is the first step at which an order that rests can trade, or five minutes on when there is none till then.
        """
        listing = None
        resting = [ticket for ticket in self._working.get(code, ()) if not ticket.arriving]
        if resting:
            listing = self._market.listing(code, resting[0].at.date())
        if listing is None or listing.tape is None:
            return None
        tape, start = listing.tape, after + 1
        look, is_reachable = min(start + _LOOK_STEPS, tape.end), False
        for ticket in resting:
            side, limit = ticket.request.side, in_ticks(ticket.request.price, listing.instrument.tick)
            if tape.is_reachable(side, limit):
                is_reachable = True
                look = max(tape.first_trade(side, limit, ticket.ahead, ticket.since + 1, look), start)
        return look if is_reachable and look < tape.end else None

    def _left(self, code: str, side: Side, step: int, levels: tuple[tuple[int, int], ...]) -> list[list[int]]:
        taken_step, taken = self._taken.get((code, side), (step, 0))
        if taken_step != step:
            taken = 0
        left = []
        for price, volume in levels:
            gone = min(taken, volume)
            taken -= gone
            left.append([price, volume - gone])
        return left


def _has_met(ticket: Ticket, at: datetime) -> bool:
    return not ticket.arriving or (ticket.arrives is not None and ticket.arrives <= at)


class _Offer:
    """What one step offers to the orders of one side, best first; it shrinks as they trade."""

    def __init__(self, tick: Decimal, tape: Tape, step: int, levels: list[list[int]]) -> None:
        self._tick, self._tape, self._step = tick, tape, step
        self._levels = levels
        self._queued = 0  # what own orders at the front have traded of this step's prints

    def trade(self, ticket: Ticket) -> Fills:
        """What an order trades; what is left of it keeps its place in the queue."""
        side, price, wanted = ticket.request.side, ticket.request.price, ticket.open_shares
        limit = in_ticks(price, self._tick)
        reached = [level for level in self._levels if (level[0] <= limit if side is Side.BUY else level[0] >= limit)]
        passed = 0 if ticket.arriving else self._pass(ticket, limit)
        fills: Fills = []
        for level in reached:
            # Whole lots, so that no fill is ever smaller than the minimum commission.
            shares = min(wanted, level[1] // LOT * LOT)
            level[1] -= shares
            wanted -= shares
            if shares:
                fills.append((shares, level[0] * self._tick))
        if ticket.arriving:
            ticket.arriving, ticket.since = False, self._step
            ticket.ahead = self._tape.ahead(side, limit, self._step) if wanted else 0
            return fills
        shares = ticket.open_shares - wanted
        if not reached:
            shares = min(wanted, passed) if passed >= wanted else passed // LOT * LOT
            self._queued += shares
        return [(shares, price)] if shares else []

    def _pass(self, ticket: Ticket, limit: int) -> int:
        """Let the queue at the order's price move up to this step; the shares that get to the order in it."""
        left, passed = ticket.ahead, 0
        for step in range(ticket.since + 1, self._step + 1):
            flow = self._tape.flow(ticket.request.side, limit, step)
            if step == self._step and flow:
                passed = max(self._tape.printed(step) - self._queued, 0)
                if flow != ALL:
                    flow, passed = passed, max(passed - left, 0)
            left = max(left - flow, 0)
        ticket.ahead, ticket.since = left, self._step
        return passed
