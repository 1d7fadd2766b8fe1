"""The simulated market: today's record, tape and five-level quote of every code, from daily bars and a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from qws.domain.calendar import UnknownDay
from qws.domain.market import Instrument, Level, Quote
from qws.domain.rules import RuleBook
from qws.domain.sessions import Phase, PhaseRules
from qws.gateways.sim.bars import Bar, Bars
from qws.gateways.sim.tape import ALWAYS_GRID, SESSION_GRID, STEP_S, Tape
from qws.ports import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
_CALL_S = 9 * 3600 + 15 * 60
_UNCROSS_S = 9 * 3600 + 25 * 60  # the opening price is known from 09:25 on
# RULES.md sections 5 and 11 ask for a record per code; without one these ranges are the exchanges' own examples.
_SAME_DAY = ("511", "513", "518", "520", "551")
_WIDE = ("588", "589", "159915")
_ALWAYS = PhaseRules(
    Phase.CONTINUOUS,
    accepts_limit_order=True,
    accepts_market_order=True,
    accepts_cancel=True,
    accepts_after_hours=False,
)


@dataclass(frozen=True, slots=True)
class Listing:
    """One code on one day; `tape` is None when it is suspended, `last_close` is what it is then worth in CNY."""

    instrument: Instrument
    tape: Tape | None
    last_close: Decimal

    def price(self, ticks: int) -> Decimal:
        """A price in ticks as CNY."""
        return ticks * self.instrument.tick


class SimMarket:
    """Prices of a seeded market; the same seed, bars and time give the same quote in every process.

    `always_open` makes every second of every day continuous trading and wants an AlwaysOpenCalendar.
    """

    def __init__(self, bars: Bars, rules: RuleBook, calendar: Calendar, *, seed: int, always_open: bool) -> None:
        self.rules = rules
        self.seed = seed
        self.always_open = always_open
        self.grid = ALWAYS_GRID if always_open else SESSION_GRID
        self.bars, self._calendar = bars, calendar
        self._day: date | None = None
        self._listings: dict[str, Listing | None] = {}

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day; a day the calendar does not know is none."""
        try:
            return self._calendar.is_session(day)
        except UnknownDay:
            return False

    def listing(self, code: str, day: date) -> Listing | None:
        """The code on a trading day; None when the code is unknown or cannot be traded. Kept for one day only."""
        if day != self._day:
            self._listings, self._day = {}, day
        if code not in self._listings:
            self._listings[code] = self._list(code, day)
        return self._listings[code]

    def instrument(self, code: str, now: datetime) -> Instrument | None:
        """The record that holds at `now` (on a day off: of the session before); None for an unknown code."""
        moment = self._moment(now)
        listing = self.listing(code, moment[0]) if moment is not None else None
        return listing.instrument if listing is not None else None

    def phase(self, instrument: Instrument, now: datetime) -> PhaseRules:
        """What the exchange takes at `now`, on a trading day."""
        if self.always_open:
            return _ALWAYS
        return self.rules.sessions.phase_at(instrument.board, instrument.kind, now.date(), now.time())

    def quote(self, code: str, now: datetime) -> Quote | None:
        """The five-level snapshot at `now`, frozen outside the session; None for an unknown code."""
        moment = self._moment(now)
        listing = self.listing(code, moment[0]) if moment is not None else None
        if moment is None or listing is None:
            return None
        day, second = moment
        prev_close, tape = listing.instrument.prev_close, listing.tape
        at = moment_of(day, self._snapshot_second(second))
        if tape is None:
            return Quote(code, at, listing.last_close, prev_close, (), (), suspended=True)
        step = self.grid.step_at(second)
        if step < 0 and second < _UNCROSS_S:
            return Quote(code, at, None, prev_close, (), ())
        last, book = tape.price(max(step, 0)), tape.book(max(step, 0))
        shown = 1 if step < 0 else None
        bids = tuple(Level(listing.price(price), volume) for price, volume in book.bids[:shown])
        asks = tuple(Level(listing.price(price), volume) for price, volume in book.asks[:shown])
        return Quote(code, at, listing.price(last), prev_close, bids, asks)

    def last_price(self, code: str, now: datetime) -> Decimal:
        """What a share is worth at `now` in CNY: last trade, else last close; zero for a code without any price."""
        moment = self._moment(now)
        listing = self.listing(code, moment[0]) if moment is not None else None
        if moment is None or listing is None:
            return self.bars.last_close(code, now.date()) or Decimal(0)
        step = self.grid.step_at(moment[1])
        if listing.tape is None or (step < 0 and moment[1] < _UNCROSS_S):
            return listing.last_close
        return listing.price(listing.tape.price(max(step, 0)))

    def _list(self, code: str, day: date) -> Listing | None:
        bar = self.bars.bar(code, day) if self.bars.is_known(code) else None
        reference = self.bars.last_close(code, day) if bar is None else bar.prev_close
        if reference is None:
            return None
        instrument = self._record(code, day, reference, suspended=bar is None)
        if instrument is None or bar is None:
            return None if instrument is None else Listing(instrument, None, reference)
        if not _fits(bar, instrument):
            # A corporate action lies between: the open is the best reference there is.
            ex_rights = self._record(code, day, bar.open, suspended=False)
            instrument = ex_rights if ex_rights is not None else instrument
        if not _fits(bar, instrument):
            instrument = replace(instrument, limit_up=None, limit_down=None)
        return Listing(instrument, Tape(self.seed, instrument, bar, self.grid), reference)

    def _record(self, code: str, day: date, reference: Decimal, *, suspended: bool) -> Instrument | None:
        try:
            return self.rules.instrument(
                code, day, reference, suspended=suspended, star20=code.startswith(_WIDE),
                same_day_sell=code.startswith(_SAME_DAY) and code.endswith(".SH"),
            )  # fmt: skip
        except ValueError:  # an index, or a board that did not exist on that day
            return None

    def _moment(self, now: datetime) -> tuple[date, float] | None:
        """The trading day `now` belongs to and the second of it; on a day off, the end of the session before."""
        day = now.date()
        try:
            if self._calendar.is_session(day):
                return day, second_of_day(now)
            return self._calendar.previous_session(day), 86_399.0
        except UnknownDay:
            return None

    def _snapshot_second(self, second: float) -> int:
        step = self.grid.step_at(second)
        if step < 0:
            return 0 if second < _CALL_S else int(min(second, _UNCROSS_S)) // STEP_S * STEP_S
        return int(second) // STEP_S * STEP_S if self.grid.is_trading(second) else self.grid.end_of(second)


def second_of_day(now: datetime) -> float:
    """Seconds since midnight."""
    return now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6


def moment_of(day: date, second: float) -> datetime:
    """The time in Asia/Shanghai `second` seconds after midnight of `day`."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(seconds=second)


def _fits(bar: Bar, instrument: Instrument) -> bool:
    up, down = instrument.limit_up, instrument.limit_down
    return (up is None or bar.high <= up) and (down is None or bar.low >= down)
