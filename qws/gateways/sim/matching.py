"""The floor: orders at work, and what they trade with in the book of a moment. RULES.md section 9.2."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from qws.domain.market import Side
from qws.gateways.sim.account import Ticket
from qws.gateways.sim.market import Listing, SimMarket, second_of_day
from qws.gateways.sim.tape import in_ticks

_LOT = 100
_LOOK_STEPS = 100  # how far to search for the next book that an order reaches: five minutes

Fills = list[tuple[int, Decimal]]


class Floor:
    """Price-time matching against the visible levels; orders of one account share the depth, never each other.

    An arriving order trades at the resting prices; what is left rests and later trades at its own limit, for as much
    as the book shows at that price or better. What was taken from a book is remembered until the next one.
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

    def match(self, code: str, at: datetime) -> list[tuple[Ticket, Fills]]:
        """What the orders of `code` trade at that moment, by price and then time: (shares, CNY per share) each.

        An order that arrives and finds nothing is listed without fills.
        """
        listing = self._market.listing(code, at.date())
        second = second_of_day(at)
        if code not in self._working or listing is None or listing.tape is None:
            return []
        if not self._market.grid.is_trading(second):
            return []
        step = self._market.grid.step_at(second)
        book = listing.tape.book(step)
        done = []
        for side in Side:
            queue = [ticket for ticket in self._working[code] if ticket.request.side is side]
            if not queue:
                continue
            sign = -1 if side is Side.BUY else 1
            queue.sort(key=lambda ticket: (sign * ticket.request.price, ticket.serial))
            levels = self._left(code, side, step, book.facing(side))
            for ticket in queue:
                fills = _trade(ticket, listing, levels)
                if fills or ticket.arriving:
                    ticket.arriving = False
                    self.take(code, side, at, sum(shares for shares, _ in fills))
                    done.append((ticket, fills))
        return done

    def next_look(self, code: str, after: int) -> int | None:
        """The next step after `after` at which to match again; None when no order of `code` can trade any more today.

        It is the first book that an order reaches, or five minutes on when there is none till then.
        """
        tickets = self._working.get(code, ())
        listing = self._market.listing(code, tickets[0].at.date()) if tickets else None
        if listing is None or listing.tape is None:
            return None
        tape, start, stop = listing.tape, after + 1, after + 1 + _LOOK_STEPS
        found = []
        for side, keenest in ((Side.BUY, max), (Side.SELL, min)):
            prices = [ticket.request.price for ticket in tickets if ticket.request.side is side]
            limit = in_ticks(keenest(prices), listing.instrument.tick) if prices else 0
            if prices and tape.is_reachable(side, limit):
                step = tape.first_touch(side, limit, start, stop)
                found.append(stop if step is None else step)
        look = min(found, default=stop + self._market.grid.steps)
        return look if look < self._market.grid.steps else None

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


def _trade(ticket: Ticket, listing: Listing, levels: list[list[int]]) -> Fills:
    ask = ticket.request
    limit = in_ticks(ask.price, listing.instrument.tick)
    fills: Fills = []
    wanted = ticket.open_shares
    for level in levels:
        if wanted == 0 or (level[0] > limit if ask.side is Side.BUY else level[0] < limit):
            break
        # Whole lots, so that no fill is ever smaller than the minimum commission.
        shares = min(wanted, level[1] // _LOT * _LOT)
        if shares == 0:
            continue
        level[1] -= shares
        wanted -= shares
        if ticket.arriving:
            fills.append((shares, listing.price(level[0])))
        else:
            fills = [(shares + (fills[0][0] if fills else 0), ask.price)]
    return fills
