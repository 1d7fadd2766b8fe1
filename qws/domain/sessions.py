"""The trading day's clock: phases and what each accepts. RULES.md sections 7 and 8."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from enum import StrEnum
from typing import NamedTuple

from qws.domain.dated import Dated, Term
from qws.domain.market import Board, Kind


class Phase(StrEnum):
    """A part of the trading day, half-open: it starts at its first instant and ends before the next one's."""

    PRE_OPEN = "pre_open"
    OPEN_CALL_CANCELLABLE = "open_call_cancellable"
    OPEN_CALL_LOCKED = "open_call_locked"
    OPEN_PAUSE = "open_pause"
    CONTINUOUS = "continuous"
    LUNCH = "lunch"
    CLOSE_CALL = "close_call"
    CLOSED = "closed"


_TAKES_LIMIT = frozenset({Phase.OPEN_CALL_CANCELLABLE, Phase.OPEN_CALL_LOCKED, Phase.CONTINUOUS, Phase.CLOSE_CALL})
_TAKES_MARKET = frozenset({Phase.CONTINUOUS})
_TAKES_CANCEL = frozenset({Phase.OPEN_CALL_CANCELLABLE, Phase.CONTINUOUS})


@dataclass(frozen=True, slots=True)
class PhaseRules:
    """What the exchange's host takes at an instant; a broker may still queue the rest.

    `accepts_market_order` assumes a daily price limit; `accepts_after_hours` is for fixed-price orders.
    """

    phase: Phase
    accepts_limit_order: bool
    accepts_market_order: bool
    accepts_cancel: bool
    accepts_after_hours: bool


class PhaseStart(NamedTuple):
    """One row of a timetable."""

    start: time
    phase: Phase


Timetable = tuple[PhaseStart, ...]
Hours = tuple[tuple[time, time], ...]


@dataclass(frozen=True, slots=True)
class SessionTable:
    """Timetables and after-hours entry hours by board, type and day; times are Asia/Shanghai."""

    timetables: Dated[tuple[Board, Kind], Timetable]
    after_hours: Dated[tuple[Board, Kind], Hours]

    def timetable(self, board: Board, kind: Kind, day: date) -> Timetable:
        """The phases of a session day in order, the first from midnight; raises ValueError where none is known."""
        found = self.timetables.at((board, kind), day)
        if found is None:
            raise ValueError(f"no trading hours are known for {kind} on {board} on {day}")
        return found

    def always_continuous(self) -> SessionTable:
        """The same boards and days with continuous trading around the clock, for a market that never closes."""
        start: Timetable = (PhaseStart(time(0), Phase.CONTINUOUS),)
        terms = {
            key: tuple(Term(term.first, term.last, start) for term in terms)
            for key, terms in self.timetables.terms.items()
        }
        return SessionTable(Dated(terms), self.after_hours)

    def phase_at(self, board: Board, kind: Kind, day: date, at: time) -> PhaseRules:
        """The phase at a wall-clock time of a session day; whether `day` is one, only the calendar tells."""
        phase = next(row.phase for row in reversed(self.timetable(board, kind, day)) if row.start <= at)
        hours = self.after_hours.at((board, kind), day) or ()
        return PhaseRules(
            phase=phase,
            accepts_limit_order=phase in _TAKES_LIMIT,
            accepts_market_order=phase in _TAKES_MARKET,
            accepts_cancel=phase in _TAKES_CANCEL,
            accepts_after_hours=any(start <= at < end for start, end in hours),
        )
