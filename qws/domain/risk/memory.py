"""What the rules remember from plan to plan, told by the journal: it is the same after a restart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from qws.domain.account import Snapshot
from qws.domain.risk.losses import Worth
from qws.domain.risk.rule import Breach, Facts
from qws.domain.tags import day_part, same_day_part
from qws.domain.trading_state import TradingState, state_after
from qws.domain.unsettled import Unsettled


class RiskMemory:
    """Orders that are out, how many left today, closes, the trading state, and what a person was asked and allowed."""

    def __init__(self) -> None:
        self.out = Unsettled()
        self._day, self._sent = "", 0
        self.worth = Worth()
        self._state = TradingState.ACTIVE
        self._asked: dict[str, Mapping[str, Decimal]] = {}  # by run: the rules and what was measured
        self._approved: dict[str, Mapping[str, Decimal]] = {}

    def count(self, tag: str) -> None:
        """An order or a cancel of this tag leaves."""
        day = same_day_part(tag)  # of equal length, so that a later day sorts behind
        if day > self._day:
            self._day, self._sent = day, 0
        self._sent += day == self._day

    def command(self, command: str, run_id: str) -> None:
        """A person ordered something; who resumes takes the losses until then as they are."""
        self._state = state_after(self._state, command)
        if command == "resume":
            self.worth.begin_anew()
        if command == "approve" and run_id in self._asked:
            self._approved[run_id] = {**self._approved.get(run_id, {}), **self._asked.pop(run_id)}

    def ask(self, run_id: str, breaches: Iterable[Breach]) -> None:
        """A person is asked to allow these in this run."""
        self._asked[run_id] = {breach.rule: breach.value for breach in breaches}

    def end(self, run_id: str) -> None:
        """The run is over, and with it what was allowed for it."""
        self._asked.pop(run_id, None)
        self._approved.pop(run_id, None)

    def approved(self, run_id: str) -> Mapping[str, Decimal]:
        """The rules that a person waived for a run, and how much was measured then."""
        return self._approved.get(run_id, {})

    def facts(self, day: date, seen: Snapshot | None) -> Facts:
        """What the rules may look at for a plan of this day."""
        return Facts(
            {quote.code: quote for quote in seen.quotes} if seen is not None else {},
            {record.code: record for record in seen.instruments} if seen is not None else {},
            self.out.open_on(day),
            self._sent if self._day == day_part(day) else 0,
            self.worth.peak,
            self.worth.last_close,
            reduces_only=self._state is TradingState.REDUCE_ONLY,
            volumes={each.code: each.shares for each in seen.volumes} if seen is not None else {},
        )
