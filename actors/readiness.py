"""Could today's target be traded? People hear before the open what is in the way, not after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterator
from datetime import date, datetime, timedelta
from typing import Protocol

from qws import messages as m
from qws.domain import readiness as look
from qws.domain.calendar import UnknownDay
from qws.domain.readiness import Problem, ReadinessRules, Seen, codes_of
from qws.domain.schedule import Schedule
from qws.domain.target_records import DayTarget
from qws.domain.trading_state import STATE_OF, TradingState
from qws.ports import Calendar, Clock
from qws.runtime.actor import Actor
from qws.runtime.message import ActorCrashed, Started

_LINK_WAIT_S, _LOOK_S, _AGAIN_S, _REST_S = 60, 1.0, 60.0, 900.0
_LONGEST = timedelta(minutes=15)  # of looking again after a start in the session
_MOVING = ("open_call_cancellable", "open_call_locked", "continuous", "close_call")
_KEPT = timedelta(days=40)  # five trading days, over the longest holidays


class Watch(Protocol):
    """What is looked at; nothing is changed."""

    async def look(self, codes: Collection[str], *, is_linked: bool) -> Seen:
        """Account, quotes of its holdings and of `codes`, disk; what fails is a problem, never raised."""
        ...


class Readiness(Actor):
    """Looks at `ready_at`, and after a start in the session; each minute until orders leave while something is wrong.

    Nobody waits for it, and it forbids nothing. Without `watch` it is silent; a market that never closes is looked at
    after a start.
    """

    on_crash = "restart"

    def __init__(
        self, watch: Watch | None, clock: Clock, schedule: Schedule, calendar: Calendar, rules: ReadinessRules
    ) -> None:
        self._watch, self._clock, self._schedule, self._calendar = watch, clock, schedule, calendar
        self._rules = rules
        self._targets: dict[date, DayTarget] = {}
        self._state, self._by = TradingState.ACTIVE, ""
        self._lost: tuple[str, date] = "", date.min  # the newest run whose orders nobody knows the end of
        self._is_linked, self._why, self._rest_s = False, "", 0.0
        self._told: tuple[date, frozenset[str]] = date.min, frozenset()

    def recall_target_accepted(self, msg: m.TargetAccepted) -> None:
        oldest = msg.at.date() - _KEPT
        self._targets = {day: target for day, target in self._targets.items() if day >= oldest}
        self._targets |= {each.day: each for each in msg.days}

    def recall_control_ordered(self, msg: m.ControlOrdered) -> None:
        if msg.command in STATE_OF:
            self._state, self._by = STATE_OF[msg.command], msg.by

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        if msg.reason == "unknown":
            self._lost = msg.run_id, msg.day

    def recall_started(self, msg: Started) -> None:
        self._is_linked, self._why, self._rest_s = False, "", 0.0

    def recall_actor_crashed(self, msg: ActorCrashed) -> None:
        self._rest_s = _REST_S  # what fails at every look must not end the program

    def recall_link_ready(self, msg: m.LinkReady) -> None:
        self._is_linked = True

    def recall_link_lost(self, msg: m.LinkLost) -> None:
        self._is_linked, self._why = False, msg.reason

    def recall_readiness_checked(self, msg: m.ReadinessChecked) -> None:
        self._told = msg.day, codes_of(msg.problems)

    on_target_accepted, on_control_ordered = recall_target_accepted, recall_control_ordered
    on_run_finished, on_started = recall_run_finished, recall_started
    on_link_ready, on_link_lost = recall_link_ready, recall_link_lost

    async def source(self) -> AsyncIterator[m.ReadinessChecked]:
        if self._watch is None:
            return
        await self._clock.sleep(self._rest_s)
        now = self._clock.now()
        if self._is_on(now) and (self._schedule.always_open or now.time() >= self._rules.ready_at):
            for _ in range(_LINK_WAIT_S):
                await self._clock.sleep(_LOOK_S)  # first: until Started is heard the link is that of the life before
                if self._is_linked:
                    break
            async for told in self._looks(self._watch):
                yield told
        while not self._schedule.always_open:
            today = self._clock.now()
            moment = datetime.combine(today.date(), self._rules.ready_at, today.tzinfo)
            moment += timedelta(days=moment <= today)
            await self._clock.sleep_until(moment)
            now = self._clock.now()  # a day without trading, or one that the computer slept through; or it was set back
            if now >= moment and self._is_on(now):
                async for told in self._looks(self._watch):
                    yield told

    def _is_on(self, now: datetime) -> bool:
        try:
            return self._schedule.next_send(now) is not None
        except UnknownDay:  # the market clock tells
            return False

    async def _looks(self, watch: Watch) -> AsyncIterator[m.ReadinessChecked]:
        began, last = self._clock.now(), None  # type: datetime, tuple[Problem, ...] | None
        end = max(datetime.combine(began.date(), self._schedule.send_at, began.tzinfo), began + _LONGEST)
        while True:
            now, known = self._clock.now(), codes_of(last or ())
            weights = self._targets[now.date()].weights if now.date() in self._targets else ()
            seen = await watch.look([each.code for each in weights], is_linked=self._is_linked)
            moves = self._moves(now) and self._moves(now - timedelta(seconds=self._rules.quote_age_max_s))
            problems = (*self._problems(now, known), *look.problems_of(seen, self._rules, last or (), moves=moves))
            is_sure = bool(problems) or moves or now >= end
            if is_sure and (last is None or codes_of(problems) != known):
                told = known if last is not None or self._told[0] != now.date() else self._told[1]
                new = tuple(sorted(codes_of(problems) - known))  # again after a start: a kill costs a repeat
                yield m.ReadinessChecked(now.date(), now, problems, new, not told <= codes_of(problems))
                last = problems
            if (is_sure and not problems) or now >= end:
                return
            await self._clock.sleep(_AGAIN_S)

    def _moves(self, moment: datetime) -> bool:
        return self._schedule.phase_at(moment) in _MOVING

    def _problems(self, now: datetime, known: Collection[str]) -> Iterator[Problem]:
        if not self._is_linked:
            yield Problem("link_down", self._why)
        if self._state is not TradingState.ACTIVE:
            yield Problem(str(self._state), self._by)
        if self._schedule.always_open:
            return
        day, opens_at = now.date(), datetime.combine(now.date(), self._schedule.send_at, now.tzinfo)
        if day in self._targets and (now < opens_at or "target_expired" in known):  # else its run has had its turn
            yield from look.expires_before(opens_at, self._targets[day])
        yield from look.without_target(day, self._targets, self._calendar, self._rules.target_expected)
        yield from look.lost_before(day, *self._lost, self._calendar)
        yield from look.calendar_ends(day, self._calendar, self._rules.calendar_days_min)
