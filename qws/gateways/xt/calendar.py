"""The port `Calendar` from the terminal and our own tables: where they differ, the stricter one holds. H18, G13."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date, datetime, timedelta

from loguru import logger

from qws.domain.calendar import TradingCalendar
from qws.errors import GatewayError
from qws.gateways.xt.quotes import QuoteLine
from qws.gateways.xt.rows import SHANGHAI
from qws.gateways.xt.vendor import QuoteSide

_DAY = timedelta(days=1)
_SATURDAY = 5
_HOLIDAYS_MIN = 8  # weekdays off; a year has some 18
_DIFFERENCES_MAX = 5  # more is no late notice of a closure, but a terminal without its calendar


class XtCalendar:
    """A day is a session when neither the terminal nor the tables say otherwise; `refresh` reads the terminal.

    Until the first `refresh`, and for as long as the terminal's calendar cannot be used, the tables alone hold.
    """

    def __init__(self, line: QuoteLine, tables: TradingCalendar) -> None:
        self._line, self._tables, self._calendar = line, tables, tables

    async def refresh(self) -> tuple[date, ...]:
        """Read the terminal's calendar again; the days on which it differs from the tables.

        Raises GatewayError when it cannot be read or differs so much that it cannot be one; then nothing changes.
        """
        sessions, holidays = await self._line.ask("get_trading_dates", _read)
        calendar, differences = merged(self._tables, sessions, holidays)
        for day in differences:
            told = "open" if day in sessions else "closed"
            logger.warning("calendar: {} is {} at the terminal and not in the tables: it counts as closed", day, told)
        self._calendar = calendar
        return differences

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day; raises UnknownDay beyond the last day that is known."""
        return self._calendar.is_session(day)

    def next_session(self, day: date) -> date:
        """The first trading day after `day`; raises UnknownDay where it is not known."""
        return self._calendar.next_session(day)

    def previous_session(self, day: date) -> date:
        """The last trading day before `day`; raises UnknownDay where it is not known."""
        return self._calendar.previous_session(day)


def merged(
    tables: TradingCalendar, sessions: Collection[date], holidays: Collection[date]
) -> tuple[TradingCalendar, tuple[date, ...]]:
    """The stricter of both calendars, and the days on which they differ.

    Past sessions are the terminal's list; after its end, weekdays that are no holidays are sessions, up to the end of
    the last year whose holidays are known: one notice may name a first day of the next year. Raises GatewayError.
    """
    if not sessions:
        raise GatewayError("the terminal has no trading days: let it download its calendar")
    first, last = min(sessions), max(sessions)
    known_years = Counter(day.year for day in holidays if day.weekday() < _SATURDAY)
    years = [year for year, days in known_years.items() if days >= _HOLIDAYS_MIN]
    until = max(last, date(max(years), 12, 31)) if years else last
    closed = {day for day in _weekdays(first, until) if day not in sessions and (day <= last or day in holidays)}
    shared = _weekdays(max(first, tables.known_from), min(until, tables.known_until))
    differences = tuple(day for day in shared if (day in closed) != (day in tables.closed))
    if len(differences) > _DIFFERENCES_MAX:
        raise GatewayError(
            f"the terminal's calendar differs from the tables on {len(differences)} days from {differences[0]} on: "
            "let the terminal download its calendar, or correct calendar.toml"
        )
    known = TradingCalendar(tables.known_from, max(tables.known_until, until), tables.closed | closed)
    return known, differences


def _weekdays(first: date, last: date) -> list[date]:
    days = (first + _DAY * number for number in range((last - first).days + 1))
    return [day for day in days if day.weekday() < _SATURDAY]


def _read(side: QuoteSide) -> tuple[frozenset[date], frozenset[date]]:
    """On the vendor's thread: midnights of China in milliseconds, and texts such as 20261001."""
    sessions = side.get_trading_dates("SH", "", "", -1)
    holidays = side.get_holidays()
    return (
        frozenset(datetime.fromtimestamp(each / 1000, SHANGHAI).date() for each in sessions),
        frozenset(datetime.strptime(str(each), "%Y%m%d").replace(tzinfo=SHANGHAI).date() for each in holidays),
    )
