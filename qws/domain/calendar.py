"""Which days the exchanges trade. RULES.md section 15: weekends never, unknown years are not guessed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

_DAY = timedelta(days=1)
_SATURDAY = 5


class UnknownDay(ValueError):
    """Raised when nobody has told yet whether the exchanges trade on a day; the text says how to tell."""


@dataclass(frozen=True, slots=True)
class TradingCalendar:
    """The exchanges' calendar from `known_from` to `known_until`, both included; `closed` lists weekdays off."""

    known_from: date
    known_until: date
    closed: frozenset[date]

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day; raises UnknownDay outside the known range."""
        if not self.known_from <= day <= self.known_until:
            raise UnknownDay(
                f"trading days are known from {self.known_from} to {self.known_until}, not for {day}: add the closed "
                f"weekdays of {day.year} and a later known_until to calendar.toml in the configuration folder, "
                "from the exchange's notice of closures"
            )
        return day.weekday() < _SATURDAY and day not in self.closed

    def next_session(self, day: date) -> date:
        """The first trading day after `day`; raises UnknownDay where it is not known."""
        day += _DAY
        while not self.is_session(day):
            day += _DAY
        return day

    def previous_session(self, day: date) -> date:
        """The last trading day before `day`; raises UnknownDay where it is not known."""
        day -= _DAY
        while not self.is_session(day):
            day -= _DAY
        return day


@dataclass(frozen=True, slots=True)
class AlwaysOpenCalendar:
    """A calendar on which every day is a session, for demonstrations and simulated markets."""

    def is_session(self, day: date) -> bool:
        """Always true."""
        return True

    def next_session(self, day: date) -> date:
        """The day after `day`."""
        return day + _DAY

    def previous_session(self, day: date) -> date:
        """The day before `day`."""
        return day - _DAY
