"""Is this file a target? Every reason why not, and never the same bytes twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from typing import NamedTuple, Protocol

from qws.domain.calendar import UnknownDay
from qws.domain.targets import (
    DayTarget,
    ParsedTarget,
    Refusal,
    Row,
    Sessions,
    TargetRules,
    parse_target,
    unless_expired,
)
from qws.messages import TargetAccepted, TargetRejected, WeightFileSettled
from qws.ports import Clock, Offload
from qws.runtime.actor import Actor

# The rows of a claimed file whose bytes still have its hash, or why it cannot be read; bounded before it is read.
ReadFile = Callable[[WeightFileSettled], list[Row] | Refusal]

_ID_DIGITS = 12
_DUPLICATE = "the same bytes were accepted as {name} at {at:%Y-%m-%d %H:%M:%S} (target {target_id}); "
_NEWEST = "it is the newest target of today: to trade it again use `qws rebalance`"
_WAITS = "it is the newest target of {day} and waits for that day"
_OVERTAKEN = (
    "the newest target of {day} is {newest}: to trade this one again, change the file in any way, "
    "such as the order of its rows, and drop it"
)
_EXPIRED = "it expired at {at:%Y-%m-%d %H:%M}: drop a file with a later expiry"
_PAST = "its last day {day} is over: drop a file with a current date"


class _Accepted(NamedTuple):
    name: str
    at: datetime
    target_id: str
    path: str
    days: tuple[DayTarget, ...]


class EffectiveDays(Protocol):
    """For which trading day a file that arrives now is meant."""

    @property
    def calendar(self) -> Sessions:
        """When the exchanges trade."""
        ...

    def effective_day(self, now: datetime) -> date:
        """The trading day in force at `now`. Raises `UnknownDay`."""
        ...


class WeightValidator(Actor):
    """Reads a settled file off the loop; accepts it as a target or refuses it as a whole."""

    on_crash = "restart"

    def __init__(
        self, clock: Clock, schedule: EffectiveDays, rules: TargetRules, read: ReadFile, offload: Offload
    ) -> None:
        self._clock, self._schedule, self._rules, self._read, self._offload = clock, schedule, rules, read, offload
        self._accepted: dict[str, _Accepted] = {}
        self._newest: dict[date, str] = {}

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._accepted[msg.sha256] = _Accepted(msg.name, msg.at, msg.target_id, msg.path, msg.days)
        self._newest.update({target.day: msg.target_id for target in msg.days})

    async def on_weight_file_settled(self, msg: WeightFileSettled) -> TargetAccepted | TargetRejected | None:
        first = self._accepted.get(msg.sha256)
        if first is not None and first.path == msg.path:
            return None  # the same drop, told again after the watcher restarted
        now = self._clock.now()
        if first is not None:
            refusal = Refusal("duplicate", self._receipt(first, now))
            return TargetRejected(msg.name, msg.path, msg.sha256, now, (refusal,))
        try:
            day = self._schedule.effective_day(now)
        except UnknownDay as unknown:
            refusal = Refusal("unknown_calendar", f"the trading day in force is not known: {unknown}")
            return TargetRejected(msg.name, msg.path, msg.sha256, now, (refusal,))
        parsed = await self._offload(partial(self._parse, msg, day))
        parsed = unless_expired(parsed, now)
        if not isinstance(parsed, ParsedTarget):
            return TargetRejected(msg.name, msg.path, msg.sha256, now, parsed)
        target_id = msg.sha256[:_ID_DIGITS]
        accepted = TargetAccepted(
            target_id, msg.name, msg.path, msg.sha256, now, parsed.days, parsed.dropped, parsed.unread
        )
        self.recall_target_accepted(accepted)
        return accepted

    def _receipt(self, first: _Accepted, now: datetime) -> str:
        """What became of bytes that were accepted before, and how their target can be traded again."""
        text = _DUPLICATE.format(name=first.name, at=first.at, target_id=first.target_id)
        today, days = now.date(), [target.day for target in first.days]
        day = min((each for each in days if each >= today), default=None)
        if day is None:
            return text + _PAST.format(day=max(days))
        if first.days[0].is_expired(now):
            return text + _EXPIRED.format(at=first.days[0].expires_at)
        if self._newest[day] != first.target_id:
            return text + _OVERTAKEN.format(day=day, newest=self._newest[day])
        return text + (_NEWEST if day == today else _WAITS.format(day=day))

    def _parse(self, msg: WeightFileSettled, day: date) -> ParsedTarget | tuple[Refusal, ...]:
        rows = self._read(msg)
        if isinstance(rows, Refusal):
            return (rows,)
        return parse_target(rows, today=day, calendar=self._schedule.calendar, rules=self._rules)
