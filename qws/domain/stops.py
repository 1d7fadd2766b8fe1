"""Protective stops: when is a held name sold whatever the target says? Pure; a doubtful quote triggers nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from qws.domain.account import Position
from qws.domain.bars import SAME, DailyBar, adjusted, average_true_range, ex_dates
from qws.domain.market import Instrument, Kind, Quote
from qws.domain.ours import is_managed
from qws.domain.pricing import hold_reason, is_beyond_limits
from qws.domain.targets import DayTarget

BARS = 250  # sessions: a year to look back for the highest price
STOP_LOSS, TAKE_PROFIT, TRAILING = "stop_loss", "take_profit", "trailing_stop"
STOP_RULES = frozenset({STOP_LOSS, TAKE_PROFIT, TRAILING})
_ZERO, _ONE = Decimal(0), Decimal(1)


@dataclass(frozen=True, slots=True)
class StopRules:
    """Fractions below and above the average cost, times the ATR below the highest price, 0 is off; seconds between
    two looks, the oldest quote in seconds, the kinds that are ours to trade, codes never to be touched."""

    stop_loss: Decimal
    take_profit: Decimal
    trailing_atr: Decimal
    check_s: float
    age_max_s: float
    managed: frozenset[Kind]
    protected: frozenset[str]

    def is_ours(self, code: str) -> bool:
        """Whether a plan would trade the name."""
        return code not in self.protected and is_managed(code, self.managed)


@dataclass(frozen=True, slots=True)
class Crossing:
    """A held name beyond its level: rule, level and price in CNY, shares, and how many may be sold today."""

    code: str
    rule: str
    level: Decimal
    price: Decimal
    shares: int
    sellable: int


@dataclass(frozen=True, slots=True)
class View:
    """What is looked at: a moment, quotes and records by code, the session before it, the oldest quote in seconds."""

    at: datetime
    quotes: Mapping[str, Quote]
    records: Mapping[str, Instrument]
    previous: date
    age_max_s: float

    def may_sell(self, code: str) -> bool:
        """Whether the name has a sound quote, and somebody who bids."""
        quote, record = self.quotes.get(code), self.records.get(code)
        return quote is not None and record is not None and bool(quote.bids) and is_sound(quote, record, self)


class Stopped:
    """Names that a stop ended, as the journal tells; a file that comes later lets one in again, from a later day on."""

    def __init__(self) -> None:
        self._stops: dict[str, tuple[str, date, date | None]] = {}  # rule, its day, from when it holds no more

    def stop(self, code: str, rule: str, day: date) -> None:
        """A stop ends this name from this day on."""
        self._stops[code] = rule, day, None

    def note_target(self, days: Iterable[DayTarget]) -> None:
        """A file that names it with a weight, for a day after the stop's."""
        for target in days:
            for code in (weight.code for weight in target.weights if weight.weight > 0):
                rule, day, again = self._stops.get(code, ("", target.day, None))
                if target.day > day and (again is None or target.day < again):
                    self._stops[code] = rule, day, target.day

    def on(self, day: date) -> Mapping[str, str]:
        """The names that are out on this day, and the rules behind it."""
        found = self._stops.items()
        return MappingProxyType({code: rule for code, (rule, _, again) in found if again is None or day < again})


@dataclass(slots=True)
class _Course:
    """What is known of a held name: the first and the newest close that had it, the closes at which its cost was new,
    its bars, ex-dates that were seen, today's highest price and the quote that was looked at before."""

    since: date | None = None
    closed: tuple[date, Decimal] | None = None
    costs: tuple[tuple[date, Decimal], ...] = ()
    bars: tuple[DailyBar, ...] = ()
    ex_dates: dict[date, Decimal] = field(default_factory=dict)
    highest: tuple[date, Decimal] | None = None
    before: tuple[datetime, Decimal] | None = None

    def rise(self, at: datetime, price: Decimal) -> None:
        """What two quotes of a day in a row have reached was reached."""
        if self.before is not None and self.before[0].date() == at.date() and self.before[0] < at:
            today = self.highest[1] if self.highest and self.highest[0] == at.date() else _ZERO
            self.highest = at.date(), max(today, min(self.before[1], price))
        self.before = at, price


class StopWatch:
    """Compares held names with their levels; what two looks at different quotes in a row show has crossed."""

    def __init__(self, rules: StopRules | None) -> None:
        self._rules = rules
        self._courses: dict[str, _Course] = {}
        self._suspects: dict[str, tuple[str, datetime]] = {}
        self._looked: datetime | None = None

    def close(self, day: date, positions: Iterable[Position]) -> None:
        """What was held at a close, and its value then."""
        held = {each.code: each for each in positions if each.shares > 0}
        self._courses = {code: course for code, course in self._courses.items() if code in held}
        for code, each in held.items():
            course = self._courses.setdefault(code, _Course())
            course.since = course.since or day
            course.closed = day, each.market_value / each.shares
            if each.cost_price > 0 and (not course.costs or course.costs[-1][1] != each.cost_price):
                course.costs = (*course.costs, (day, each.cost_price))[-BARS:]

    def note_bars(self, bars: Mapping[str, tuple[DailyBar, ...]]) -> None:
        """The sessions before today."""
        for code, found in bars.items():
            self._courses.setdefault(code, _Course()).bars = found

    def look(self, positions: Iterable[Position], view: View) -> tuple[Crossing, ...]:
        """The names that have crossed; the first look at one that seems to only makes it a suspect."""
        crossed, before, self._suspects = list[Crossing](), self._suspects, {}
        if not self._is_next(view):
            before = {}
        self._looked = view.at
        for each in positions:
            self._courses.setdefault(each.code, _Course())  # a list may lack a name for once: a close lets it go
            quote = view.quotes.get(each.code)
            found = self._crossing(each, quote, view) if quote is not None else None
            if found is None or quote is None:
                continue
            rule, at = before.get(each.code, ("", quote.at))
            if rule == found.rule and quote.at > at:
                crossed.append(found)
            else:
                self._suspects[each.code] = found.rule, quote.at if rule != found.rule else at
        return tuple(crossed)

    def _is_next(self, view: View) -> bool:
        """Whether the look before was the one before this: not of before lunch, an outage or the night."""
        if self._rules is None or self._looked is None:
            return False
        return view.at - self._looked <= timedelta(seconds=2 * self._rules.check_s + view.age_max_s)

    def _crossing(self, held: Position, quote: Quote, view: View) -> Crossing | None:
        record = view.records.get(held.code)
        if held.shares <= 0 or record is None or not is_sound(quote, record, view):
            return None
        last = quote.last or _ZERO
        low = max(last, quote.bids[0].price) if quote.bids else last  # both say so, or nothing is done
        high = min(last, quote.bids[0].price) if quote.bids else last
        course, rules, cost = self._courses[held.code], self._rules, held.cost_price
        course.rise(quote.at, high)
        if rules is None:
            return None
        if cost > 0 and _is_comparable(course, quote, view):
            same = _ex_factor(course, cost)
            stop, goal = (
                cost * min(same, _ONE) * (1 - rules.stop_loss),
                cost * max(same, _ONE) * (1 + rules.take_profit),
            )
            if rules.stop_loss and low <= stop:
                return Crossing(held.code, STOP_LOSS, stop, low, held.shares, held.sellable)
            if rules.take_profit and high >= goal:
                return Crossing(held.code, TAKE_PROFIT, goal, high, held.shares, held.sellable)
        level = _trailing(course, quote, view, rules.trailing_atr) if rules.trailing_atr else None
        if level is not None and low <= level:
            return Crossing(held.code, TRAILING, level, low, held.shares, held.sellable)
        return None


def is_sound(quote: Quote, record: Instrument, view: View) -> bool:
    """Whether a quote may trigger anything: fresh, of a name that trades, within the day's limits, of one reference."""
    if hold_reason(quote, record, view.at, view.age_max_s) or quote.last is None or quote.last <= 0:
        return False
    if abs(quote.prev_close - record.prev_close) > SAME:
        return False
    return not is_beyond_limits(quote, record)


def _is_comparable(course: _Course, quote: Quote, view: View) -> bool:
    """Whether today's reference is the close before: on an ex-date a cost of before compares with nothing."""
    closes = [(bar.day, bar.close) for bar in course.bars[-1:]] + ([course.closed] if course.closed else [])
    before = next((close for day, close in closes if day == view.previous), None)
    if before is None or before <= 0 or abs(before - quote.prev_close) <= SAME:
        return before is not None and before > 0
    course.ex_dates[view.at.date()] = quote.prev_close / before
    return False


def _ex_factor(course: _Course, cost: Decimal) -> Decimal:
    """What the ex-dates since a cost was paid make of it, as far as the broker has not (by half of it at least)."""
    product = _ONE
    for day, factor in (course.ex_dates | ex_dates(course.bars)).items():
        paid = next((each for at, each in reversed(course.costs) if at < day), None)
        if paid is None:
            continue
        later, half = [each for at, each in course.costs if at >= day], paid * (1 + factor) / 2
        if not any((each <= half) == (factor < 1) for each in (*later, cost)):
            product *= factor
    return product


def _trailing(course: _Course, quote: Quote, view: View, times: Decimal) -> Decimal | None:
    """So many ATR below the highest price since it is held, in prices of today; None where that is not known."""
    if not course.bars or course.bars[-1].day != view.previous or course.since is None:
        return None
    bars = adjusted(course.bars, quote.prev_close)
    reach = average_true_range(bars)
    if reach is None:
        return None
    since = course.since
    highs = [bar.high if bar.day > since else bar.close for bar in bars if bar.day >= since]
    today = course.highest[1] if course.highest and course.highest[0] == view.at.date() else _ZERO
    level = max([*highs, today]) - times * reach
    return level if level > 0 else None
