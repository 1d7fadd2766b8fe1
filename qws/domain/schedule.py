"""When things are due on a trading day: planning, sending, equity. RULES.md section 7, pure functions of a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Protocol

from qws.domain.calendar import UnknownDay

_DAY = timedelta(days=1)
# Phases of the auction market for stocks; half-open, RULES.md section 7.
_PHASES = (
    (time(9, 15), "open_call_cancellable"),
    (time(9, 20), "open_call_locked"),
    (time(9, 25), "open_pause"),
    (time(9, 30), "continuous"),
    (time(11, 30), "lunch"),
    (time(13, 0), "continuous"),
    (time(14, 57), "close_call"),
    (time(15, 0), "closed"),
)
_LUNCH_START, _LUNCH_END = time(11, 30), time(13, 0, 3)


def may_send(at: time, send_at: time, last_order_at: time) -> bool:
    """Whether orders may leave at this time of a trading day of the exchanges."""
    return send_at <= at < last_order_at and not _LUNCH_START <= at < _LUNCH_END


class Sessions(Protocol):
    """What the schedule needs of a calendar; both raise `UnknownDay` beyond what is known."""

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day."""
        ...

    def next_session(self, day: date) -> date:
        """The first trading day after `day`."""
        ...


DEFAULT = "default"  # the run of `plan_at`
DROP = "drop"  # no run of the schedule: a target that was to start when it came
_ON_TIME = timedelta(seconds=30)  # a process that is busy for so long was not off


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run of the schedule is due: `name` is that of its entry, or `default`."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A further run of trading days: its times on a day, and the files whose targets it takes ("" for all)."""

    name: str
    times: Callable[[date], Sequence[time]]
    files: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something due at a moment: a phase name, `run` or `equity`."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of a trading day in Asia/Shanghai; with `always_open` every hour of every day is a session.

    `runs` follow the default one; a target `waits` for the next of them or starts when it comes; a run that was missed
    is made up for within `catch_up_s` seconds (None: until the last order time).
    """

    calendar: Sessions
    always_open: bool
    plan_at: time
    send_at: time
    last_order_at: time
    equity_at: time
    runs: tuple[ListedRun, ...] = ()
    waits: bool = False
    catch_up_s: float | None = None

    def effective_day(self, now: datetime) -> date:
        """The trading day for which a target that arrives now is meant. Raises `UnknownDay`."""
        today = now.date()
        if self.calendar.is_session(today) and (self.always_open or now.time() < self.last_order_at):
            return today
        return self.calendar.next_session(today)

    def session_after(self, day: date) -> date | None:
        """The trading day after `day`; None beyond the calendar."""
        try:
            return self.calendar.next_session(day)
        except UnknownDay:
            return None

    def session_before(self, day: date) -> date:
        """The trading day before `day`. Raises `UnknownDay` before the calendar's first."""
        day -= timedelta(days=1)
        while not self.calendar.is_session(day):
            day -= timedelta(days=1)
        return day

    def phase_at(self, now: datetime) -> str:
        """The phase of the market at `now`: a name of RULES.md section 7, or `holiday`. Raises `UnknownDay`."""
        if not self.calendar.is_session(now.date()):
            return "holiday"
        if self.always_open:
            return "continuous"
        return next((name for start, name in reversed(_PHASES) if now.time() >= start), "pre_open")

    def known_phase(self, now: datetime) -> str:
        """The phase of the market at `now`, `unknown` beyond the calendar."""
        try:
            return self.phase_at(now)
        except UnknownDay:
            return "unknown"

    def next_send(self, now: datetime) -> datetime | None:
        """The first moment from `now` on at which an order may leave today; None when the day is over."""
        if not self.calendar.is_session(now.date()):
            return None
        if self.always_open:
            return now
        if now.time() >= self.last_order_at:
            return None
        if now.time() < self.send_at:
            return datetime.combine(now.date(), self.send_at, now.tzinfo)
        if _LUNCH_START <= now.time() < _LUNCH_END:
            return datetime.combine(now.date(), _LUNCH_END, now.tzinfo)
        return now

    def left_s(self, now: datetime) -> float:
        """Seconds until orders of today may leave no more: the last order time, or midnight where it never closes."""
        day, close = (now.date() + _DAY, time(0)) if self.always_open else (now.date(), self.last_order_at)
        return max(0.0, (datetime.combine(day, close, now.tzinfo) - now).total_seconds())

    def wait_s(self, now: datetime, trading_s: float) -> float:
        """Seconds of clock time in which `trading_s` seconds of trading pass, never beyond the last order time."""
        end = now + timedelta(seconds=trading_s)
        if self.always_open:
            return trading_s
        lunch_start, lunch_end = (datetime.combine(now.date(), at, now.tzinfo) for at in (_LUNCH_START, _LUNCH_END))
        if now < lunch_end and end > lunch_start:
            end += lunch_end - max(now, lunch_start)
        last = datetime.combine(now.date(), self.last_order_at, now.tzinfo)
        return max(0.0, (min(end, last) - now).total_seconds())

    def pause_s(self, now: datetime, seconds: float) -> float:
        """Seconds of clock time in which a broker has `seconds` to answer: over lunch it does not."""
        return max(seconds, self.wait_s(now, seconds))

    def default_of(self, day: date, zone: tzinfo | None) -> Moment:
        """When the day's first run is due."""
        return Moment(DEFAULT, datetime.combine(day, self.plan_at, zone))

    def moments_of(self, day: date, zone: tzinfo | None) -> list[Moment]:
        """When runs are due on a trading day, in order; a time at which no order may leave is none."""
        listed = [
            Moment(run.name, datetime.combine(day, at, zone))
            for run in self.runs
            for at in run.times(day)
            if self.always_open or may_send(at, self.send_at, self.last_order_at)
        ]
        return sorted([self.default_of(day, zone), *listed], key=lambda each: (each.at, each.name != DEFAULT))

    def starts_at_once(self, now: datetime) -> bool:
        """Whether a target of today that comes now starts without waiting for a moment of the schedule."""
        return not self.waits and (self.always_open or now.time() >= self.plan_at)

    def files_of(self, moment: Moment) -> str:
        """The files whose targets a run takes, "" for all."""
        return next((run.files for run in self.runs if run.name == moment.name), "")

    def catch_up_until(self, moment: Moment) -> datetime:
        """Until when a run that was missed is made up for."""
        day_s = self.left_s(moment.at)
        if self.catch_up_s is not None:
            return moment.at + min(timedelta(seconds=day_s), max(_ON_TIME, timedelta(seconds=self.catch_up_s)))
        if moment.name == DEFAULT:  # too late it is refused, so that the file gets a result
            return datetime.combine(moment.at.date(), time.max, moment.at.tzinfo)
        return moment.at + timedelta(seconds=day_s)

    def events_after(self, moment: datetime) -> Iterator[Event]:
        """Everything due after `moment`, day after day without end. Raises `UnknownDay` where the calendar ends."""
        day = moment.date()
        while True:
            if self.calendar.is_session(day):
                yield from (event for event in self._events_of(day, moment) if event.at > moment)
            day += _DAY

    def _events_of(self, day: date, moment: datetime) -> list[Event]:
        def at(when: time, what: str) -> Event:
            return Event(datetime.combine(day, when, moment.tzinfo), what)

        phases = [at(time(0), "continuous")] if self.always_open else [at(when, name) for when, name in _PHASES]
        runs = [Event(moment.at, "run") for moment in self.moments_of(day, moment.tzinfo)]
        return sorted([*phases, *runs, at(self.equity_at, "equity")], key=lambda event: event.at)
