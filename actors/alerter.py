"""What must a person hear of? Facts become alerts, each raised once, whatever is killed in between."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from qws import messages as m
from qws.domain.alerts import Alert, AlertBook, Draft, Severity
from qws.fact_listener import FactListener, Raised
from qws.ports import Clock
from qws.runtime.message import Later, Message, Started, Stopping

_OPENS = "open_call_cancellable"


class Alarms(Protocol):
    """What deserves an alert."""

    def heard(self, message: Message) -> Draft | None: ...
    def lost(self, since: datetime, reason: str, now: datetime) -> Draft: ...
    def back(self, since: datetime, now: datetime) -> Draft: ...
    def started(self, *, was_cut: bool) -> Draft: ...
    def unready(self, msg: m.ReadinessChecked) -> Iterator[Draft]: ...


Raise = Callable[[Draft, str, datetime, tuple[str, ...]], Alert]


class Alerter(FactListener):
    """Only listens: nothing here can hold up or stop a trade. Without `alarms` it is silent."""

    on_crash = "restart"

    def __init__(
        self,
        alarms: Alarms | None,
        clock: Clock,
        routes: Mapping[Severity, tuple[str, ...]],
        link_lost_s: float,
        raised: Raise,
    ) -> None:
        self._alarms, self._clock, self._routes = alarms, clock, routes
        self._link_lost_s, self._raised = link_lost_s, raised
        self._book, self._was_cut = AlertBook(), False
        self._lost_at, self._told, self._reason = None, None, ""  # type: datetime | None, Draft | None, str

    def recall_started(self, msg: Started) -> None:
        self._was_cut = True

    def recall_stopping(self, msg: Stopping) -> None:
        self._was_cut = False

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        self._book.owe(self._drafts(msg))

    def recall_equity_recorded(self, msg: m.EquityRecorded) -> None:
        self._book.owe(self._drafts(msg))

    def recall_run_missed(self, msg: m.RunMissed) -> None:
        self._book.owe(self._drafts(msg))

    def recall_alert_raised(self, msg: m.AlertRaised) -> None:
        self._book.pay(msg.alert)

    def on_started(self, msg: Started) -> Iterator[m.AlertRaised | Later[m.OutageDue]]:
        if self._alarms is None:
            return
        yield from map(self._alert, [*self._book.owed, self._alarms.started(was_cut=self._was_cut)])
        yield self._watch()

    def on_readiness_checked(self, msg: m.ReadinessChecked) -> Raised:
        if self._alarms is not None:
            yield from map(self._alert, self._alarms.unready(msg))

    def on_session_phase_changed(self, msg: m.SessionPhaseChanged) -> Raised:
        yield from self.heard(msg)
        if msg.phase == _OPENS and self._told is not None and self._lost_at is not None:  # it was no matter at night
            yield from self._outage(self._lost_at)

    def on_link_lost(self, msg: m.LinkLost) -> Later[m.OutageDue] | None:
        self._reason = msg.reason
        return self._watch() if self._lost_at is None and self._alarms is not None else None

    def on_link_ready(self, msg: m.LinkReady) -> Raised:
        if self._alarms is not None and self._told is not None and self._lost_at is not None:
            yield self._alert(self._alarms.back(self._lost_at, self._clock.now()))
        self._lost_at, self._told, self._reason = None, None, ""

    def on_outage_due(self, msg: m.OutageDue) -> Raised:
        if msg.since == self._lost_at:
            yield from self._outage(msg.since)

    def _watch(self) -> Later[m.OutageDue]:
        self._lost_at = self._clock.now()
        return Later(self._link_lost_s, m.OutageDue(self._lost_at))

    def _outage(self, since: datetime) -> Raised:
        if self._alarms is not None:
            self._told = self._alarms.lost(since, self._reason, self._clock.now())
            yield self._alert(self._told)

    def _drafts(self, message: Message) -> list[Draft]:
        draft = self._alarms.heard(message) if self._alarms is not None else None
        return [draft] if draft is not None else []

    def heard(self, message: Message) -> Raised:
        yield from map(self._alert, self._drafts(message))

    def _alert(self, draft: Draft) -> m.AlertRaised:
        now = self._clock.now()
        return m.AlertRaised(self._raised(draft, self._book.next_id(now), now, self._routes.get(draft.severity, ())))
