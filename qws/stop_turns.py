"""Which run may sell what a stop ended: the one that is on, again and without the name, or one of its own."""

from __future__ import annotations

from datetime import datetime, timedelta

from qws.domain.plan import STOPS_ONLY
from qws.domain.rest import EXIT, STOP, STOPS
from qws.domain.tags import ATTEMPT_MAX
from qws.domain.trading_state import TradingState, state_after
from qws.messages import PlanningDue, RebalanceDue, RunFinished

AGAIN = timedelta(minutes=15)  # what could not be sold is tried again
_AT_ONCE = ATTEMPT_MAX // 2  # so often a day; what crosses later waits for that: attempts must not run out


class StopTurns:
    """Remembers the run that is on, the newest one that only sold, and when something was tried."""

    def __init__(self) -> None:
        self._on, self._exit = None, None  # type: RebalanceDue | None, RebalanceDue | None
        self._state = TradingState.ACTIVE
        self._tried: datetime | None = None
        self.goes_on = False  # whether what is on is to go on without a name

    def begin(self, due: RebalanceDue) -> None:
        """A run is due, the newest one."""
        self._on, self.goes_on = due, due.target_id != STOPS_ONLY
        self._exit = self._exit if self.goes_on else due

    def end(self, end: RunFinished) -> None:
        """A run has ended; what was to be sold with one that was refused is sold without it, at once."""
        if self._on is not None and end.run_id == self._on.run_id:
            self._tried = None if self.goes_on and end.status == "refused" else self._tried
            self._on, self.goes_on = None, False

    def command(self, command: str) -> None:
        """A person ordered something: what they end does not go on."""
        self._state = state_after(self._state, command)
        self.goes_on = self.goes_on and command not in STOPS

    def may_at_once(self, now: datetime) -> bool:
        """Whether what has just crossed may be planned now."""
        return self._state is not TradingState.HALTED and self._has_room(now, _AT_ONCE)

    def may_again(self, now: datetime) -> bool:
        """Whether what was left may be tried again now."""
        is_time = self._tried is None or now - self._tried >= AGAIN
        is_free = self._on is None and self._state is not TradingState.HALTED
        return is_time and is_free and self._has_room(now, ATTEMPT_MAX)

    def due(self, now: datetime) -> PlanningDue:
        """What is to be planned: the target that is on, or nothing but what stops ended."""
        self._tried = now
        if self._on is not None and self.goes_on:
            return PlanningDue(now.date(), STOP, target=self._on.target_id)
        return PlanningDue(now.date(), EXIT)

    def _has_room(self, now: datetime, most: int) -> bool:
        last = self._on if self.goes_on else self._exit
        return last is None or last.day != now.date() or last.attempt < most
