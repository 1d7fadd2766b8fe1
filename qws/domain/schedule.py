"""When things are due on a trading day: planning, sending, equity. RULES.md section 7, pure functions of a moment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
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


class Sessions(Protocol):
    """What the schedule needs of a calendar; both raise `UnknownDay` beyond what is known."""

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day."""
        ...

    def next_session(self, day: date) -> date:
        """The first trading day after `day`."""
        ...


@dataclass(frozen=True, slots=True)
class Event:
    """Something due at a moment: a phase name, `plan` or `equity`."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """The times of a trading day in Asia/Shanghai; with `always_open` every hour of every day is a session."""

    calendar: Sessions
    always_open: bool
    plan_at: time
    send_at: time
    last_order_at: time
    equity_at: time

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

    def phase_at(self, now: datetime) -> str:
        """The phase of the market at `now`: a name of RULES.md section 7, or `holiday`. Raises `UnknownDay`."""
        if not self.calendar.is_session(now.date()):
            return "holiday"
        if self.always_open:
            return "continuous"
        return next((name for start, name in reversed(_PHASES) if now.time() >= start), "pre_open")

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
        return sorted([*phases, at(self.plan_at, "plan"), at(self.equity_at, "equity")], key=lambda event: event.at)
