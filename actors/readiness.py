"""Could today's target be traded? People hear before the open what is in the way, not after."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import Protocol

from qws import messages as m
from qws.domain import readiness as look
from qws.domain.calendar import UnknownDay
from qws.domain.readiness import Problem, ReadinessRules, Seen
from qws.domain.schedule import Schedule
from qws.domain.trading_state import STATE_OF, TradingState
from qws.ports import Calendar, Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Started

_LINK_WAIT_S, _LOOK_S, _AGAIN_S = 60, 1.0, 60.0
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
        self._targets: dict[date, frozenset[str]] = {}
        self._state, self._by = TradingState.ACTIVE, ""
        self._lost: tuple[str, date] = "", date.min  # the newest run whose orders nobody knows the end of
        self._is_linked, self._why = False, ""
        self._told: tuple[date, frozenset[str]] = date.min, frozenset()

    def recall_target_accepted(self, msg: m.TargetAccepted) -> None:
        oldest = msg.at.date() - _KEPT
        self._targets = {day: codes for day, codes in self._targets.items() if day >= oldest}
        self._targets |= {each.day: frozenset(weight.code for weight in each.weights) for each in msg.days}

    def recall_control_ordered(self, msg: m.ControlOrdered) -> None:
        if msg.command in STATE_OF:
            self._state, self._by = STATE_OF[msg.command], msg.by

    def recall_run_finished(self, msg: m.RunFinished) -> None:
        if msg.reason == "unknown":
            self._lost = msg.run_id, msg.day

    def recall_started(self, msg: Started) -> None:
        self._is_linked, self._why = False, ""

    def recall_link_ready(self, msg: m.LinkReady) -> None:
        self._is_linked = True

    def recall_link_lost(self, msg: m.LinkLost) -> None:
        self._is_linked, self._why = False, msg.reason

    def recall_readiness_checked(self, msg: m.ReadinessChecked) -> None:
        self._told = msg.day, _codes(msg.problems)

    on_target_accepted, on_control_ordered = recall_target_accepted, recall_control_ordered
    on_run_finished, on_started = recall_run_finished, recall_started
    on_link_ready, on_link_lost = recall_link_ready, recall_link_lost

    async def source(self) -> AsyncIterator[m.ReadinessChecked]:
        if self._watch is None:
            return
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
            await self._clock.sleep_until(moment if moment > today else moment + timedelta(days=1))
            if self._is_on(self._clock.now()):  # else a day without trading, or one that the computer slept through
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
            now, known = self._clock.now(), _codes(last or ())
            seen = await watch.look(self._targets.get(now.date(), ()), is_linked=self._is_linked)
            moves = self._moves(now) and self._moves(now - timedelta(seconds=self._rules.quote_age_max_s))
            problems = (*self._problems(now.date()), *look.problems_of(seen, self._rules, last or (), moves=moves))
            is_sure = bool(problems) or moves or now >= end
            if is_sure and (last is None or _codes(problems) != known):
                told = known if last is not None or self._told[0] != now.date() else self._told[1]
                new = tuple(sorted(_codes(problems) - known))  # again after a start: a kill costs a repeat
                yield m.ReadinessChecked(now.date(), now, problems, new, not told <= _codes(problems))
                last = problems
            if (is_sure and not problems) or now >= end:
                return
            await self._clock.sleep(_AGAIN_S)

    def _moves(self, moment: datetime) -> bool:
        return self._schedule.phase_at(moment) in _MOVING

    def _problems(self, day: date) -> Iterator[Problem]:
        if not self._is_linked:
            yield Problem("link_down", self._why)
        if self._state is not TradingState.ACTIVE:
            yield Problem(str(self._state), self._by)
        if self._schedule.always_open:
            return
        yield from look.without_target(day, self._targets, self._calendar, self._rules.target_expected)
        yield from look.lost_before(day, *self._lost, self._calendar)
        yield from look.calendar_ends(day, self._calendar, self._rules.calendar_days_min)


def _codes(problems: Iterable[Problem]) -> frozenset[str]:
    return frozenset(each.code for each in problems)
