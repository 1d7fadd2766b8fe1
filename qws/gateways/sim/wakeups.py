"""When the exchange has to look at its orders again: arrivals, auctions, books that reach them, and the day's end."""

from __future__ import annotations

from datetime import date, datetime

from qws.gateways.sim.account import Ticket
from qws.gateways.sim.agenda import Agenda, Due
from qws.gateways.sim.market import SimMarket, moment_of, second_of_day
from qws.gateways.sim.matching import Floor


class Wakeups:
    """Plans on the agenda what the market, and not the account, will cause; nothing is planned for a code at rest."""

    def __init__(self, market: SimMarket, floor: Floor, agenda: Agenda) -> None:
        self._market, self._floor, self._agenda = market, floor, agenda
        self._looks: dict[str, datetime] = {}
        self._calls: dict[str, datetime] = {}
        self._close: datetime | None = None

    def clear(self) -> None:
        """Forget the day."""
        self._looks.clear()
        self._calls.clear()
        self._agenda.clear()

    def take_look(self, code: str, at: datetime) -> bool:
        """Whether the look at `code` planned for this moment still holds; it is then done with."""
        if self._looks.get(code) != at:
            return False
        del self._looks[code]
        return True

    def plan_look(self, code: str, day: date, after: int) -> datetime | None:
        """Plan the next look at a book of `code` after a step; None when none of its orders can trade any more."""
        step = self._floor.next_look(code, after)
        if step is None:
            self._looks.pop(code, None)
            return None
        look = self._agenda.fill_at(moment_of(day, self._market.grid.second_of(step)), f"{code}:{step}")
        if self._looks.get(code) != look:
            self._looks[code] = look
            self._agenda.push(look, Due.LOOK, code)
        return look

    def resume_looks(self, done: datetime) -> None:
        """Plan the looks of a restart: all that was due by `done` has happened."""
        step = self._market.grid.step_at(second_of_day(done))
        for code in self._floor.codes():
            look = self.plan_look(code, done.date(), max(step - 1, -1))
            if look is not None and look <= done:
                self.plan_look(code, done.date(), step)

    def plan_call(self, code: str, at: datetime) -> None:
        """Plan the end of the next call auction of `code` after a moment; the close takes care of its own."""
        listing = self._market.listing(code, at.date())
        second = None if listing is None else listing.next_call_end(second_of_day(at))
        if second is None:
            return
        ends = moment_of(at.date(), second)
        if self._calls.get(code) != ends:
            self._calls[code] = ends
            self._agenda.push(ends, Due.CALL, code)

    def arrival(self, ticket: Ticket, at: datetime) -> datetime:
        """When an order the exchange took at a moment may meet the book; those that wait for it meet it together."""
        code, starts = ticket.request.code, self.trading_from(at)
        if starts > at:
            return self._agenda.fill_at(starts, f"{code}:{starts:%H%M%S}")
        arrives = self._agenda.fill_at(at, ticket.order_id)
        starts = self.trading_from(arrives)
        return arrives if starts == arrives else self._agenda.fill_at(starts, f"{code}:{starts:%H%M%S}")

    def plan_arrival(self, ticket: Ticket) -> None:
        """Plan when an order that arrives meets the book."""
        if ticket.arriving and ticket.arrives is not None:
            self._agenda.push(ticket.arrives, Due.MATCH, ticket.order_id)

    def plan_close(self, day: date, now: datetime) -> None:
        """Plan the end of the day, once."""
        closes = self.closes_at(day)
        if self._close != closes and closes > now:
            self._close = closes
            self._agenda.push(closes, Due.CLOSE, "")

    def trading_from(self, at: datetime) -> datetime:
        """The first moment of trading from `at` on; `at` itself when there is none left today."""
        if self._market.grid.is_trading(second_of_day(at)):
            return at
        second = self._market.grid.resumes_at(second_of_day(at))
        return at if second is None else moment_of(at.date(), second)

    def closes_at(self, day: date) -> datetime:
        """When the day's orders expire."""
        return moment_of(day, self._market.grid.halves[-1][1])
