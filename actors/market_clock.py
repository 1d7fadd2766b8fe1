"""When is something due? Calendar and schedule become messages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from qws import messages as m
from qws.domain.calendar import UnknownDay
from qws.domain.due import Due
from qws.domain.rest import DAY_OVER, LEFT_OVER
from qws.domain.schedule import Event, Moment, Schedule
from qws.domain.tags import ATTEMPT_MAX
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_Fired = m.RebalanceDue | m.RunFinished | m.RunMissed
_Passed = m.PlanningDue | m.RunMissed
_Waits = m.TargetWaits | m.PlanningDue | Later[m.PlanningDue]
_LOOK_AGAIN_S = 3600.0  # beyond the calendar: a person may add days to the table at any time


class MarketClock(Actor):
    """Starts the newest target of the day: at each moment of the schedule, and when it comes in the session."""

    on_crash = "restart"

    def __init__(self, clock: Clock, schedule: Schedule, *, carries: bool) -> None:
        self._clock, self._schedule, self._carries, self._due = clock, schedule, carries, Due(schedule)

    def recall_target_accepted(self, msg: m.TargetAccepted) -> None:
        self._due.accept(msg.target_id, msg.name, msg.at, msg.days)

    def recall_rebalance_due(self, msg: m.RebalanceDue) -> None:
        self._due.start(msg.day, msg.target_id, msg.attempt, msg.moment)

    def recall_run_missed(self, msg: m.RunMissed) -> None:
        self._due.miss(Moment(msg.name, msg.at))

    def recall_equity_recorded(self, msg: m.EquityRecorded) -> None:
        if msg.kind == "close":
            self._due.close(msg.day, msg.at)

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        if (msg.status, msg.reason) != DAY_OVER:  # that came too late to change what was left
            is_left = self._carries and msg.status == "incomplete" and msg.reason in LEFT_OVER
            self._due.end(msg.day, msg.target_id, is_left=is_left)

    def on_run_finished(self, msg: m.RunFinished) -> Iterator[_Passed]:
        self.recall_run_finished(msg)
        yield from self._passed(self._clock.now())  # one of an earlier day: the moment of what it left may be over

    def on_target_accepted(self, msg: m.TargetAccepted) -> Iterator[_Fired | _Waits]:
        self.recall_target_accepted(msg)
        now, days = self._clock.now(), [target.day for target in msg.days]
        if now.date() in days and self._schedule.starts_at_once(now):
            days.remove(now.date())
            yield from self._dropped(now)
        elif now.date() in days:
            yield from self._passed(now)  # it was there in time, and is told late
        found = {day: self._due.next_moment(day, msg.name, now) for day in days if day >= now.date()}
        if found:
            idle = next((day for day, moment in found.items() if moment is None), None)
            yield m.TargetWaits(msg.target_id, tuple(filter(None, found.values())), idle)

    def on_planning_due(self, msg: m.PlanningDue) -> Iterator[_Fired]:
        own = self._due.target_of(msg.day) if msg.moment is None else self._due.target_at(msg.moment, self._clock.now())
        yield from self._start(msg, msg.target_id or own)

    def on_control_ordered(self, msg: m.ControlOrdered) -> Iterator[_Fired]:
        due = m.PlanningDue(self._clock.now().date(), "manual")
        is_meant = not msg.target_id or self._due.is_of(due.day, msg.target_id, self._clock.now())
        if msg.command == "rebalance" and is_meant:
            yield from self._start(due, msg.target_id or self._due.target_of(due.day))

    async def source(self) -> AsyncIterator[m.SessionPhaseChanged | _Passed | m.EquityDue]:
        now = self._clock.now()
        yield m.SessionPhaseChanged(now.date(), self._schedule.known_phase(now), now)
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
            if (now := self._clock.now()) < event.at:  # it was set back: what is due from then on may not be known yet
                events = self._schedule.events_after(now)
                continue
            for told in self._events(event, now):
                yield told

    def _dropped(self, now: datetime) -> Iterator[_Fired | Later[m.PlanningDue]]:
        send_at, due = self._send_at(now), m.PlanningDue(now.date(), "drop")
        if send_at is not None and send_at > now and now.time() > self._schedule.send_at:
            yield Later((send_at - now).total_seconds(), due)  # lunch: nothing can be priced before it ends
        else:
            yield from self.on_planning_due(due)

    def _start(self, msg: m.PlanningDue, target_id: str | None) -> Iterator[_Fired]:
        now = self._clock.now()
        send_at = self._send_at(now) if target_id is not None and msg.day == now.date() else None
        if target_id is None or send_at is None:
            return
        attempt = self._due.next_attempt(msg.day, target_id)
        if attempt and msg.trigger in ("drop", "schedule") and msg.moment is None:
            return  # once is enough
        run_id = msg.run_id or f"{msg.day:%Y%m%d}-{target_id[:6]}" + (f"-{attempt}" if attempt else "")
        trigger = "carry" if msg.trigger == "schedule" and self._due.is_carried(msg.day, target_id) else msg.trigger
        due = m.RebalanceDue(run_id, target_id, msg.day, attempt, trigger, send_at, msg.before, msg.moment)
        if attempt > ATTEMPT_MAX:
            text = f"a target has {ATTEMPT_MAX + 1} attempts a day; drop a new file"
            yield m.RunFinished.without_trades(replace(due, attempt=ATTEMPT_MAX), "refused", "attempts", text, now)
            if msg.moment is not None:
                yield m.RunMissed(msg.day, msg.moment.name, msg.moment.at)
            return
        self.recall_rebalance_due(due)
        yield due

    def _passed(self, now: datetime) -> Iterator[_Passed]:
        missed, due = self._due.look(now)
        yield from (m.RunMissed(each.at.date(), each.name, each.at) for each in missed)
        if due is not None:
            yield m.PlanningDue(due.at.date(), "schedule", moment=due)

    def _due_already(self, now: datetime) -> Iterator[_Passed | m.EquityDue]:
        """What a start finds due: runs of the schedule, a target that came and was not started, the equity record."""
        yield from self._passed(now)
        if self._due.is_owed(now):
            yield m.PlanningDue(now.date(), "schedule")
        if self._due.is_unclosed(now):
            yield m.EquityDue(now.date())

    def _events(self, event: Event, now: datetime) -> Iterator[m.SessionPhaseChanged | _Passed | m.EquityDue]:
        if event.what == "run":
            yield from self._passed(now)
        elif now - event.at < timedelta(hours=12):  # older: the PC slept through the day
            day = event.at.date()
            yield m.EquityDue(day) if event.what == "equity" else m.SessionPhaseChanged(day, event.what, event.at)

    def _send_at(self, now: datetime) -> datetime | None:
        """When orders may leave; on a day that is over at once, for the gate to refuse."""
        return self._schedule.next_send(now) or (now if self._schedule.calendar.is_session(now.date()) else None)
