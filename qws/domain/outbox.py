"""Which alert leaves when, by which channel: routes, folding, quiet hours, rates, tries, fallback. Time is given."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from qws.domain.alerts import Alert, Entry, NotifyRules, Parcel, Part

_MINUTE = timedelta(minutes=1)
_LINE_BYTES, _HEAD_BYTES = 64, 400  # of a message: around each alert, and around them all
_WAIT_S, _WAIT_GROWTH, _WAIT_MAX_S = 2.0, 4.0, 300.0


class LaneRules(Protocol):
    """What a channel bears."""

    @property
    def name(self) -> str: ...
    @property
    def per_minute(self) -> int: ...
    @property
    def size_max(self) -> int: ...


@dataclass(slots=True)
class _Lane:
    rules: LaneRules
    last: dict[str, tuple[datetime, Alert]] = field(default_factory=dict)  # what was told last, by key
    sent: deque[datetime] = field(default_factory=deque)
    failures: int = 0
    retry_at: datetime | None = None
    error: str = ""
    parcel: Parcel | None = None  # on its way

    def free_at(self, now: datetime) -> datetime:
        """When it may try again: after a failure, and within its rate."""
        while self.sent and self.sent[0] <= now - _MINUTE:
            self.sent.popleft()
        is_full = len(self.sent) >= self.rules.per_minute
        return max(self.retry_at or now, self.sent[0] + _MINUTE if is_full else now)


@dataclass(slots=True)
class _Waiting:
    alert: Alert
    homes: set[str]  # the channels that have not had it
    sending: set[str] = field(default_factory=set)  # of these, those for which it is on its way
    is_told: bool = False


class Outbox:
    """Alerts that wait for their channels; bounded: the oldest of the least urgent is dropped first."""

    def __init__(self, lanes: Iterable[LaneRules], rules: NotifyRules) -> None:
        self._lanes = {each.name: _Lane(each) for each in lanes}
        self._rules, self._fold = rules, timedelta(seconds=rules.fold_s)
        self._waiting: dict[str, _Waiting] = {}
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, alert: Alert) -> list[Part]:
        """Take an alert; what must be dropped for it, or because none of its channels is there any more."""
        if not alert.channels:
            return []
        homes = set(alert.channels) & set(self._lanes)
        if not homes:  # the configuration has changed: any channel is better than none
            homes = set(self._rules.routes.get(alert.severity, ())) & set(self._lanes) or set(self._lanes)
        self._waiting[alert.alert_id] = _Waiting(alert, homes)
        if not homes:
            return [self._drop(alert.alert_id)]
        idle = [each.alert for each in self._waiting.values() if not each.sending]
        if len(self._waiting) <= self._rules.pending_max or not idle:
            return []
        return [self._drop(min(idle, key=lambda each: (each.severity.rank, each.at)).alert_id)]

    def settle(self, parts: Iterable[Part], via: str, at: datetime) -> None:
        """These alerts were told by `via`, or with "" given up or dropped, for these channels."""
        self.landed(via)
        self._dropped = 0 if via else self._dropped
        for waiting, homes in self._known(parts):
            waiting.homes -= set(homes)
            waiting.is_told |= bool(via)
            if via in self._lanes:
                self._lanes[via].last[waiting.alert.key] = at, waiting.alert
            if not waiting.homes:
                del self._waiting[waiting.alert.alert_id]
        if (lane := self._lanes.get(via)) is not None:
            lane.failures, lane.retry_at, lane.error = 0, None, ""
            lane.last = {key: each for key, each in lane.last.items() if each[0] > at - self._fold}

    def count_dropped(self, count: int) -> None:
        """So many alerts were dropped because too many waited; the next message says so."""
        self._dropped += count

    def fail(self, channel: str, error: str, at: datetime) -> None:
        """A channel did not take its message: it pauses, the longer the oftener, and what waits may go another way."""
        self.landed(channel)
        if (lane := self._lanes.get(channel)) is not None:
            lane.failures += 1
            pause_s = min(_WAIT_S * _WAIT_GROWTH ** min(lane.failures - 1, 9), _WAIT_MAX_S)
            lane.retry_at, lane.error = at + timedelta(seconds=pause_s), error

    def given_up(self, now: datetime) -> list[Part]:
        """Alerts that were told elsewhere and whose channel does not work: nobody needs to hear of them again."""
        found = list[Part]()
        for waiting in self._waiting.values():
            down = tuple(sorted(home for home in waiting.homes if self._is_down(home, now)))
            if down and waiting.is_told and not waiting.sending:
                found.append(Part((waiting.alert.alert_id,), down))
        return found

    def forget(self, ids: Iterable[str]) -> None:
        """A person knows of these already."""
        for each in ids:
            self._waiting.pop(each, None)

    def take(self, now: datetime) -> list[Parcel]:
        """What is to leave now, one message for each channel that is free until `settle`, `fail` or `landed` of it."""
        parcels = []
        for name, lane in self._lanes.items():
            due = self._due(name, now)
            if due and lane.free_at(now) <= now:
                lane.parcel = self._packed(name, lane, due)
                lane.sent.append(now)
                parcels.append(lane.parcel)
        return parcels

    def landed(self, channel: str) -> None:
        """The channel has answered, or was told to stop: it is free again."""
        lane = self._lanes.get(channel)
        if lane is not None and lane.parcel is not None:
            for waiting, homes in self._known(lane.parcel.settles):
                waiting.sending -= set(homes)
            lane.parcel = None

    def _known(self, parts: Iterable[Part]) -> list[tuple[_Waiting, tuple[str, ...]]]:
        return [
            (self._waiting[each], part.channels) for part in parts for each in part.alert_ids if each in self._waiting
        ]

    def next_at(self, now: datetime) -> datetime | None:
        """When something is due; None while nothing waits for more than an answer."""
        return min((self._when(*each, now) for each in self._idle(now)), default=None)

    def _idle(self, now: datetime) -> Iterator[tuple[_Waiting, str]]:
        for waiting in self._waiting.values():
            for lane in sorted({self._lane_of(home, now) for home in waiting.homes - waiting.sending}):
                if self._lanes[lane].parcel is None:
                    yield waiting, lane

    def _when(self, waiting: _Waiting, lane: str, now: datetime) -> datetime:
        return max(self._lanes[lane].free_at(now), self._ripe_at(waiting.alert, lane, now))

    def _ripe_at(self, alert: Alert, lane: str, now: datetime) -> datetime:
        """When an alert may be told by this channel: not in quiet hours, not soon after another of its kind."""
        ripe_at = self._rules.quiet.ends(alert.severity, now)
        if (last := self._lanes[lane].last.get(alert.key)) is not None:
            at, told = last
            if told.kind == alert.kind and alert.severity.rank <= told.severity.rank:
                ripe_at = max(ripe_at, at + self._fold)
        return ripe_at

    def _due(self, name: str, now: datetime) -> list[_Waiting]:
        found = [waiting for waiting, lane in self._idle(now) if lane == name]
        ripe = [each for each in found if self._ripe_at(each.alert, name, now) <= now]
        return sorted(ripe, key=lambda each: (-each.alert.severity.rank, each.alert.at))

    def _packed(self, name: str, lane: _Lane, due: list[_Waiting]) -> Parcel:
        if lane.failures >= self._rules.tries:  # a text that is refused for ever must not hold up the others
            due = [due[lane.failures % len(due)]]
        groups: defaultdict[tuple[str, str], list[_Waiting]] = defaultdict(list)
        for waiting in due:
            groups[waiting.alert.key, waiting.alert.kind].append(waiting)
        entries, taken, left = list[Entry](), list[_Waiting](), lane.rules.size_max - _HEAD_BYTES
        for group in groups.values():
            newest = max((each.alert for each in group), key=lambda each: (each.severity.rank, each.at))
            left -= len(newest.text.encode("utf-8", "replace")) + _LINE_BYTES
            if entries and left < 0:
                break
            entries.append(Entry(newest, len(group) - 1, min(each.alert.at for each in group)))
            taken += group
        settles: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
        for waiting in taken:
            homes = {home for home in waiting.homes - waiting.sending if self._serves(name, home)}
            waiting.sending |= homes
            settles[tuple(sorted(homes))].append(waiting.alert.alert_id)
        stands_for = sorted({home for homes in settles for home in homes} - {name})
        instead = tuple((home, self._lanes[home].error) for home in stands_for)
        return Parcel(
            name, tuple(entries), tuple(Part(tuple(v), k) for k, v in settles.items()), instead, self._dropped
        )

    def _serves(self, name: str, home: str) -> bool:
        """Whether a message by this channel settles an alert for that one."""
        return home == name or (name == self._rules.fallback and self._lanes[home].failures >= self._rules.tries)

    def _lane_of(self, home: str, now: datetime) -> str:
        """The channel itself, or the fallback while it does not work; the sooner of both when neither does."""
        lanes = [home, self._rules.fallback] if self._rules.fallback in self._lanes else [home]
        up = [each for each in lanes if not self._is_down(each, now)]
        return up[0] if up else min(lanes, key=lambda each: self._lanes[each].retry_at or now)

    def _is_down(self, name: str, now: datetime) -> bool:
        lane = self._lanes[name]
        return lane.failures >= self._rules.tries and lane.retry_at is not None and now < lane.retry_at

    def _drop(self, alert_id: str) -> Part:
        waiting = self._waiting.pop(alert_id)
        return Part((alert_id,), tuple(sorted(waiting.homes)))
