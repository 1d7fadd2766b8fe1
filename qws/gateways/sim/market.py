"""The simulated market: today's record, tape and five-level quote of every code, from daily bars and a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from qws.domain.calendar import UnknownDay
from qws.domain.market import Board, Instrument, Kind, Level, Quote
from qws.domain.rules import RuleBook
from qws.domain.sessions import Phase, PhaseRules
from qws.gateways.sim.auctions import Call, CallAuction
from qws.gateways.sim.bars import Bar, Bars
from qws.gateways.sim.tape import ALWAYS_GRID, SESSION_GRID, STEP_S, StepGrid, Tape
from qws.ports import Calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")
SHARES = frozenset({Kind.STOCK, Kind.CDR})  # what the rules for days without a daily limit are about
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


class Hours(NamedTuple):
    """The call auctions of a timetable in seconds of the day: opening from, to, closing from (None: there is none)."""

    call_from: int
    call_to: int
    close_from: int | None


@dataclass(frozen=True, slots=True)
class Listing:
    """One code on one day; `tape` is None when it is suspended, `last_close` is what it is then worth in CNY.

    `hours` is None where there are no call auctions: in a market that is always open.
    """

    instrument: Instrument
    tape: Tape | None
    last_close: Decimal
    grid: StepGrid
    hours: Hours | None

    def price(self, ticks: int) -> Decimal:
        """A price in ticks as CNY."""
        return ticks * self.instrument.tick

    def step_at(self, second: float) -> int:
        """The step whose trade is the newest: -1 before trading; it stands still in the closing auction."""
        step = self.grid.step_at(second)
        if self.tape is None or step < self.tape.end or step >= self.grid.steps:
            return step
        return self.tape.end - 1

    def is_continuous(self, second: float) -> bool:
        """Whether the code trades continuously: not in an auction, not at lunch, not halted."""
        if self.tape is None or not self.grid.is_trading(second):
            return False
        step = self.grid.step_at(second)
        return step < self.tape.end and not (self.tape.halts and self.tape.is_halted(step))

    def in_call(self, second: float) -> bool:
        """Whether the opening or the closing auction is on."""
        if self.hours is None:
            return False
        closing = self.hours.close_from
        is_closing = closing is not None and closing <= second < self.grid.halves[-1][1]
        return is_closing or self.hours.call_from <= second < self.hours.call_to

    def is_halted(self, second: float) -> bool:
        """Whether an intraday halt is on."""
        tape = self.tape
        return tape is not None and bool(tape.halts) and tape.is_halted(self.grid.step_at(second))

    def next_call_end(self, second: float) -> int | None:
        """When the next auction, other than the closing one, ends; None when there is none after `second`."""
        if self.hours is None or self.tape is None:
            return None
        if second < self.hours.call_to:
            return self.hours.call_to
        if not self.tape.halts:
            return None
        ends = (self.grid.second_of(stop) for _, stop in self.tape.halts)
        return next((end for end in ends if end > second), None)

    def calls(self) -> tuple[CallAuction, ...]:
        """The day's call auctions in order: opening, after each halt, closing."""
        tape, tick = self.tape, self.instrument.tick
        if tape is None or self.hours is None:
            return ()
        opening, uncrossed, closing = self.hours
        calls = [Call(opening, uncrossed, tape.price(0), self.instrument.prev_close)]
        for start, stop in tape.halts:
            begins, ends = self.grid.second_of(start), self.grid.second_of(stop)
            calls.append(Call(begins, ends, tape.price(stop), self.price(tape.price(start))))
        if closing is not None:
            last, close = tape.price(tape.end - 1), tape.price(self.grid.steps)
            calls.append(Call(closing, self.grid.halves[-1][1], close, self.price(last)))
        return tuple(CallAuction(call, tape, self.instrument.exchange, tick) for call in calls)


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
        self._hours: dict[tuple[Board, Kind], Hours] = {}

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day; a day the calendar does not know is none."""
        try:
            return self._calendar.is_session(day)
        except UnknownDay:
            return False

    def listing(self, code: str, day: date) -> Listing | None:
        """The code on a trading day; None when the code is unknown or cannot be traded. Kept for one day only."""
        if day != self._day:
            self._listings, self._hours, self._day = {}, {}, day
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
        prev_close, tape, hours = listing.instrument.prev_close, listing.tape, listing.hours
        at = moment_of(day, self._snapshot_second(second, hours))
        if tape is None:
            return Quote(code, at, listing.last_close, prev_close, (), (), suspended=True)
        if hours is not None and second < hours.call_from:
            return Quote(code, at, None, prev_close, (), ())
        step = listing.step_at(second)
        last = listing.price(tape.price(max(step, 0)))
        for auction in listing.calls() if listing.in_call(second) else ():
            if auction.call.begins <= second < auction.call.ends:
                return _call_quote(listing, auction, second, at)
        if listing.is_halted(second):
            return Quote(code, at, last, prev_close, (), (), suspended=True)
        book = tape.book(max(step, 0))
        shown = 1 if step < 0 else None  # between 09:25 and 09:30 there are no deep levels
        bids = tuple(Level(listing.price(price), volume) for price, volume in book.bids[:shown])
        asks = tuple(Level(listing.price(price), volume) for price, volume in book.asks[:shown])
        return Quote(code, at, last, prev_close, bids, asks)

    def last_price(self, code: str, now: datetime) -> Decimal:
        """What a share is worth at `now` in CNY: last trade, else last close; zero for a code without any price."""
        moment = self._moment(now)
        listing = self.listing(code, moment[0]) if moment is not None else None
        if moment is None or listing is None:
            return self.bars.last_close(code, now.date()) or Decimal(0)
        if listing.tape is None or (listing.hours is not None and moment[1] < listing.hours.call_to):
            return listing.last_close
        return listing.price(listing.tape.price(max(listing.step_at(moment[1]), 0)))

    def _list(self, code: str, day: date) -> Listing | None:
        bar = self.bars.bar(code, day) if self.bars.is_known(code) else None
        reference = self.bars.last_close(code, day) if bar is None else bar.prev_close
        if reference is None:
            return None
        instrument = self._record(code, day, reference, bar)
        if instrument is None:
            return None
        hours = None if self.always_open else self._hours_of(instrument)
        if bar is None:
            return Listing(instrument, None, reference, self.grid, hours)
        if not _fits(bar, instrument) and not bar.is_reference:
            # A corporate action lies between: the open is the best reference there is.
            ex_rights = self._record(code, day, bar.open, bar)
            instrument = ex_rights if ex_rights is not None else instrument
        if not _fits(bar, instrument):
            instrument = replace(instrument, limit_up=None, limit_down=None)
        end = self.grid.steps if hours is None or hours.close_from is None else self.grid.step_at(hours.close_from)
        # Halts are for stocks without a daily limit.
        may_halt = hours is not None and instrument.limit_up is None and instrument.kind in SHARES
        halts = self.rules.halts.at(None, day) if may_halt else None
        return Listing(
            instrument, Tape(self.seed, instrument, bar, self.grid, end=end, halts=halts), reference, self.grid, hours
        )

    def _record(self, code: str, day: date, reference: Decimal, bar: Bar | None) -> Instrument | None:
        try:
            return self.rules.instrument(
                code, day, reference, suspended=bar is None, st=bar is not None and bar.st,
                listing_day=bar.listing_day if bar is not None else None, star20=code.startswith(_WIDE),
                same_day_sell=code.startswith(_SAME_DAY) and code.endswith(".SH"),
            )  # fmt: skip
        except ValueError:  # an index, or a board that did not exist on that day
            return None

    def _hours_of(self, instrument: Instrument) -> Hours:
        key = instrument.board, instrument.kind
        if key not in self._hours:
            starts = {row.phase: row.start for row in self.rules.sessions.timetable(*key, instrument.day)}
            closing = starts.get(Phase.CLOSE_CALL)
            self._hours[key] = Hours(
                _second(starts[Phase.OPEN_CALL_CANCELLABLE]),
                _second(starts[Phase.OPEN_PAUSE]),
                None if closing is None else _second(closing),
            )
        return self._hours[key]

    def _moment(self, now: datetime) -> tuple[date, float] | None:
        """The trading day `now` belongs to and the second of it; on a day off, the end of the session before."""
        day = now.date()
        try:
            if self._calendar.is_session(day):
                return day, second_of_day(now)
            return self._calendar.previous_session(day), 86_399.0
        except UnknownDay:
            return None

    def _snapshot_second(self, second: float, hours: Hours | None) -> int:
        if hours is not None and self.grid.step_at(second) < 0:
            return 0 if second < hours.call_from else int(min(second, hours.call_to)) // STEP_S * STEP_S
        return int(second) // STEP_S * STEP_S if self.grid.is_trading(second) else self.grid.end_of(second)


def _call_quote(listing: Listing, auction: CallAuction, second: float, at: datetime) -> Quote:
    """The quote of a call auction: the virtual price on both first levels, what would be left over on the second.

    The last price is the virtual one before the open, and the last trade before the close (XTQUANT.md 4.3).
    """
    instrument, standing = listing.instrument, auction.virtual(second)
    price, matched = standing.result.price, standing.result.volume
    bids = asks = ()
    if price is not None:
        bids = (Level(price, matched), *((Level(price, standing.buys_left),) if standing.buys_left else ()))
        asks = (Level(price, matched), *((Level(price, standing.sells_left),) if standing.sells_left else ()))
    is_opening = listing.hours is not None and second < listing.hours.call_to
    last = price if is_opening else auction.call.reference
    return Quote(instrument.code, at, last, instrument.prev_close, bids, asks)


def _second(at: time) -> int:
    return at.hour * 3600 + at.minute * 60 + at.second


def second_of_day(now: datetime) -> float:
    """Seconds since midnight."""
    return now.hour * 3600 + now.minute * 60 + now.second + now.microsecond / 1e6


def moment_of(day: date, second: float) -> datetime:
    """The time in Asia/Shanghai `second` seconds after midnight of `day`."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI) + timedelta(seconds=second)


def _fits(bar: Bar, instrument: Instrument) -> bool:
    up, down = instrument.limit_up, instrument.limit_down
    return (up is None or bar.high <= up) and (down is None or bar.low >= down)
