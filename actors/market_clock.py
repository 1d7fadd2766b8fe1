"""When is something due? Calendar and schedule become messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from qws import messages as m
from qws.domain.calendar import UnknownDay
from qws.domain.rest import LEFT_OVER, OF_ITSELF
from qws.domain.schedule import Event, Schedule
from qws.domain.tags import ATTEMPT_MAX
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_Fired = m.RebalanceDue | m.RunFinished
_LOOK_AGAIN_S = 3600.0  # beyond the calendar: a person may add days to the table at any time


class MarketClock(Actor):
    """Fires the newest target of the day once, at its time or at once when it arrives during the session."""

    on_crash = "restart"

    def __init__(self, clock: Clock, schedule: Schedule, *, carries: bool) -> None:
        self._clock, self._schedule, self._carries = clock, schedule, carries
        self._carried: tuple[date, str] | None = None
        self._targets: dict[date, str] = {}
        self._runs: dict[tuple[date, str], tuple[str, int]] = {}
        self._closed: date | None = None

    def recall_target_accepted(self, msg: m.TargetAccepted) -> None:
        self._targets.update({target.day: msg.target_id for target in msg.days})

    def recall_rebalance_due(self, msg: m.RebalanceDue) -> None:
        self._runs[msg.day, msg.target_id] = msg.run_id, msg.attempt

    def recall_equity_recorded(self, msg: m.EquityRecorded) -> None:
        if msg.kind == "close":
            self._closed = msg.day

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        if self._targets.get(msg.day) == msg.target_id:  # what was carried is not again
            is_left = self._carries and msg.status == "incomplete" and msg.reason in LEFT_OVER
            day = self._schedule.session_after(msg.day) if is_left else None
            self._carried = (day, msg.target_id) if day is not None else None

    on_run_finished = recall_run_finished

    def on_target_accepted(self, msg: m.TargetAccepted) -> Iterator[_Fired | Later[m.PlanningDue]]:
        self.recall_target_accepted(msg)
        now = self._clock.now()
        if now.date() not in {target.day for target in msg.days}:
            return
        if not self._schedule.always_open and now.time() < self._schedule.plan_at:
            return
        send_at = self._send_at(now)
        if send_at is None:
            return
        due = m.PlanningDue(now.date(), "drop")
        if send_at > now and now.time() > self._schedule.send_at:  # lunch: nothing can be priced before it ends
            yield Later((send_at - now).total_seconds(), due)
        else:
            yield from self.on_planning_due(due)

    def on_planning_due(self, msg: m.PlanningDue) -> Iterator[_Fired]:
        now = self._clock.now()
        target_id, trigger = msg.target_id or self._targets.get(msg.day), msg.trigger
        if target_id is None and self._carried is not None and self._carried[0] == msg.day:
            target_id, trigger = self._carried[1], "carry" if trigger == "schedule" else trigger
        if target_id is None or msg.day != now.date():
            return
        send_at = self._send_at(now)
        if send_at is None:
            return
        known = self._runs.get((msg.day, target_id))
        if known is not None and trigger in ("drop", "schedule", "carry"):
            return  # once is enough
        run_id, attempt = known or (f"{msg.day:%Y%m%d}-{target_id[:6]}", -1)
        attempt += 1
        run_id = msg.run_id or run_id
        if trigger in OF_ITSELF and attempt:
            run_id = f"{msg.day:%Y%m%d}-{target_id[:6]}-{attempt}"
        due = m.RebalanceDue(run_id, target_id, msg.day, attempt, trigger, send_at, msg.before)
        if attempt > ATTEMPT_MAX:
            text = f"a target has {ATTEMPT_MAX + 1} attempts a day; drop a new file"
            yield m.RunFinished.without_trades(replace(due, attempt=ATTEMPT_MAX), "refused", "attempts", text, now)
            return
        self.recall_rebalance_due(due)
        yield due

    def on_control_ordered(self, msg: m.ControlOrdered) -> Iterator[_Fired]:
        if msg.command == "rebalance":
            yield from self.on_planning_due(m.PlanningDue(self._clock.now().date(), "manual"))

    async def source(self) -> AsyncIterator[m.SessionPhaseChanged | m.PlanningDue | m.EquityDue]:
        now = self._clock.now()
        yield self._phase(now)
        for past in self._due_already(now):
            yield past
        events = self._schedule.events_after(now)
        while True:
            try:
                event = next(events)
            except UnknownDay:
                await self._clock.sleep(_LOOK_AGAIN_S)
                now = self._clock.now()
                yield m.SessionPhaseChanged(now.date(), "unknown", now)
                events = self._schedule.events_after(now)
                continue
            await self._clock.sleep_until(event.at)
            if self._clock.now() - event.at < timedelta(hours=12):  # older: the PC slept through the day
                yield self._message(event)

    def _due_already(self, now: datetime) -> Iterator[m.PlanningDue | m.EquityDue]:
        """What a start in the middle of the day finds due: the run of the day, and its equity record."""
        try:
            if not self._schedule.calendar.is_session(now.date()):
                return
        except UnknownDay:
            return
        if self._schedule.always_open or now.time() >= self._schedule.plan_at:
            yield m.PlanningDue(now.date(), "schedule")
        if now.time() >= self._schedule.equity_at and self._closed != now.date():
            yield m.EquityDue(now.date())

    def _send_at(self, now: datetime) -> datetime | None:
        """When orders may leave; on a day that is over at once, for the gate to refuse."""
        return self._schedule.next_send(now) or (now if self._schedule.calendar.is_session(now.date()) else None)

    def _message(self, event: Event) -> m.SessionPhaseChanged | m.PlanningDue | m.EquityDue:
        day = event.at.date()
        match event.what:
            case "plan":
                return m.PlanningDue(day, "schedule")
            case "equity":
                return m.EquityDue(day)
            case phase:
                return m.SessionPhaseChanged(day, phase, event.at)

    def _phase(self, now: datetime) -> m.SessionPhaseChanged:
        try:
            return m.SessionPhaseChanged(now.date(), self._schedule.phase_at(now), now)
        except UnknownDay:
            return m.SessionPhaseChanged(now.date(), "unknown", now)
