"""What is due: the targets of each day, their runs, and the moments of the schedule that were served. Pure memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase

from qws.domain.calendar import UnknownDay
from qws.domain.rest import KEPT
from qws.domain.schedule import DEFAULT, DROP, Moment, Schedule
from qws.domain.target_records import DayTarget


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target of a day, the file that it came from, and when that was accepted."""

    target_id: str
    file: str
    accepted_at: datetime
    target: DayTarget


class Due:
    """Remembers what was accepted, started and missed; tells what is to be started. Times are of one zone."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._targets: dict[date, list[Candidate]] = {}  # oldest first
        self._carried: tuple[date, str] | None = None
        self._runs: dict[tuple[date, str], int] = {}  # the newest attempt
        self._served: set[Moment] = set()
        self._told: set[Moment] = set()  # in this life
        self._closed: tuple[date, datetime] | None = None

    def accept(self, target_id: str, file: str, at: datetime, days: Iterable[DayTarget]) -> None:
        """A file is the newest target of each of its days."""
        self._forget(at.date() - KEPT)
        for each in days:
            self._targets.setdefault(each.day, []).append(Candidate(target_id, file, at, each))
            if self._carried is not None and each.day < self._carried[0]:
                self._carried = None  # it is newer than what that is the rest of, whether it runs or not

    def _forget(self, oldest: date) -> None:
        self._targets = {day: kept for day, kept in self._targets.items() if day >= oldest}
        self._runs = {run: attempt for run, attempt in self._runs.items() if run[0] >= oldest}
        self._served = {moment for moment in self._served if moment.at.date() >= oldest}
        self._told = {moment for moment in self._told if moment.at.date() >= oldest}

    def end(self, day: date, target_id: str, *, is_left: bool) -> None:
        """A run ended: what it left of its day's newest target is planned on the next session without one."""
        if self.is_newest(day, target_id):  # what was carried is not again
            following = self._schedule.session_after(day) if is_left else None
            self._carried = (following, target_id) if following is not None else None

    def start(self, day: date, target_id: str, attempt: int, moment: Moment | None) -> None:
        """A run was started, by a moment of the schedule or otherwise."""
        self._runs[day, target_id] = attempt
        if moment is not None:
            self._served.add(moment)

    def miss(self, moment: Moment) -> None:
        """It was told that a run was missed."""
        self._served.add(moment)

    def close(self, day: date, at: datetime) -> None:
        """The day was closed: what was due before was told before."""
        self._closed = day, at

    def is_unclosed(self, now: datetime) -> bool:
        """Whether today is a trading day that is over, and whose close was not recorded."""
        is_closed = self._closed is not None and self._closed[0] == now.date()
        return now.time() >= self._schedule.equity_at and not is_closed and self._is_session(now.date())

    def next_attempt(self, day: date, target_id: str) -> int:
        """The number of a target's next attempt on a day; the first is 0."""
        return self._runs.get((day, target_id), -1) + 1

    def startable(self, day: date, now: datetime) -> list[Candidate]:
        """The targets of a day that a person may start now, oldest first."""
        return [each for each in self._targets.get(day, []) if not each.target.is_expired(now)]

    def newest(self, day: date, files: str = "") -> Candidate | None:
        """The one target of a day that may start by itself, the newest of these files.

        No older one takes its place when it has expired: who starts it then is answered by its planner's refusal.
        """
        own = [each for each in self._targets.get(day, []) if _takes(files, each.file)]
        return own[-1] if own else None

    def target_of(self, day: date) -> str | None:
        """What is started on a day: its newest target, else what was carried over into it."""
        if (own := self.newest(day)) is not None:
            return own.target_id
        return self._carried[1] if self._carried is not None and self._carried[0] == day else None

    def is_of(self, day: date, target_id: str, now: datetime) -> bool:
        """Whether a target has weights for a day and may be started on it."""
        return any(each.target_id == target_id for each in self.startable(day, now))

    def is_carried(self, day: date, target_id: str) -> bool:
        """Whether it is the rest of an earlier day's target, on a day that has none of its own."""
        return not self._targets.get(day) and self._carried == (day, target_id)

    def is_newest(self, day: date, target_id: str) -> bool:
        """Whether it is the newest target that was accepted for the day; what was carried over is not."""
        return [each.target_id for each in self._targets.get(day, [])][-1:] == [target_id]

    def target_at(self, moment: Moment, now: datetime) -> str | None:
        """What a moment starts: the newest target of its files, if that was there by then; the default one only once.

        A newer target makes it void: nothing trades against that, which starts by itself or at the next moment.
        """
        day = moment.at.date()
        if moment in self._served:
            return None
        if moment.name == DEFAULT and not self._targets.get(day):
            found = self.target_of(day)  # what was carried over
        else:
            own = self.newest(day, self._schedule.files_of(moment))
            found = own.target_id if own is not None and own.accepted_at <= moment.at else None
            if own is not None and own.target.is_expired(now) and (day, own.target_id) in self._runs:
                return None  # it has its result
        return None if moment.name == DEFAULT and found and (day, found) in self._runs else found

    def look(self, now: datetime) -> tuple[list[Moment], Moment | None]:
        """The moments until now that were not served: those that are missed, and the one to be made up for.

        Of several the latest is made up for. Each is told once in a life, until its journalled fact comes back.
        """
        passed = [moment for moment in self._passed(now) if self.target_at(moment, now) is not None]
        self._told.update(passed)
        in_time = [moment for moment in passed if now <= self._schedule.catch_up_until(moment)]
        due = in_time[-1] if in_time else None
        return [moment for moment in passed if moment != due], due

    def is_owed(self, now: datetime) -> bool:
        """Whether the newest target of today should have been started when it came, and was not."""
        day, default = now.date(), self._schedule.default_of(now.date(), now.tzinfo)
        target_id, own = self.target_of(day), self.newest(day)
        if self._schedule.waits or target_id is None or (day, target_id) in self._runs or not self._is_session(day):
            return False
        return self._schedule.always_open if now < default.at else own is not None and own.accepted_at > default.at

    def next_moment(self, day: date, file: str, now: datetime) -> Moment | None:
        """The next moment of a day that takes a file's target."""
        for moment in self._schedule.moments_of(day, now.tzinfo):
            if moment.at > now and _takes(self._schedule.files_of(moment), file):
                return moment
        return None

    def _passed(self, now: datetime) -> list[Moment]:
        days = set(self._targets) | ({self._carried[0]} if self._carried is not None else set())
        closed = self._closed if self._closed is not None and self._closed[1] <= now else None  # else a clock was ahead
        first, closed_at = closed or (min(days, default=now.date()), None)
        return [
            moment
            for day in sorted(days)
            if first <= day <= now.date() and self._is_session(day)
            for moment in (*self._schedule.moments_of(day, now.tzinfo), *self._drop_of(day, now))
            if moment.at <= now and moment not in self._told and (closed_at is None or moment.at > closed_at)
        ]

    def _drop_of(self, day: date, now: datetime) -> list[Moment]:
        """When the newest target of an earlier day came, if it was to start then, or after lunch, and did not."""
        own = self.newest(day)
        if own is None or day >= now.date() or self._schedule.waits or (day, own.target_id) in self._runs:
            return []
        is_drop = own.accepted_at > self._schedule.default_of(day, now.tzinfo).at
        return [Moment(DROP, own.accepted_at)] if is_drop else []

    def _is_session(self, day: date) -> bool:
        try:
            return self._schedule.calendar.is_session(day)
        except UnknownDay:
            return False


def _takes(files: str, file: str) -> bool:
    return not files or fnmatchcase(file.lower(), files.lower())
