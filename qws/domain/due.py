"""What is due: the targets of each day, their runs, and the moments of the schedule that were served. Pure memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase

from qws.domain.calendar import UnknownDay
from qws.domain.rest import KEPT
from qws.domain.schedule import DEFAULT, Moment, Schedule


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target of a day, the file that it came from, and when it was accepted."""

    target_id: str
    file: str
    accepted_at: datetime


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

    def accept(self, target: Candidate, days: Iterable[date]) -> None:
        """A file is a target of these days, the newest one."""
        oldest = target.accepted_at.date() - KEPT
        self._targets = {day: kept for day, kept in self._targets.items() if day >= oldest}
        self._runs = {run: attempt for run, attempt in self._runs.items() if run[0] >= oldest}
        self._served = {moment for moment in self._served if moment.at.date() >= oldest}
        self._told = {moment for moment in self._told if moment.at.date() >= oldest}
        for day in days:
            self._targets.setdefault(day, []).append(target)

    def carry(self, day: date | None, target_id: str) -> None:
        """What was left of a target is to be planned on `day`, if that has no target; None: nothing is left."""
        self._carried = (day, target_id) if day is not None else None

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

    def startable(self, day: date, files: str = "") -> list[Candidate]:
        """The targets of a day that may be started, oldest first: the one place where that is decided."""
        return [
            each for each in self._targets.get(day, []) if not files or fnmatchcase(each.file.lower(), files.lower())
        ]

    def newest(self, day: date) -> str | None:
        """The target of a day: the newest one, else what was carried over into it."""
        if own := self.startable(day):
            return own[-1].target_id
        return self._carried[1] if self._carried is not None and self._carried[0] == day else None

    def is_of(self, day: date, target_id: str) -> bool:
        """Whether a target has weights for a day and may be started on it."""
        return any(each.target_id == target_id for each in self.startable(day))

    def is_newest(self, day: date, target_id: str) -> bool:
        """Whether it is the newest target that was accepted for the day; what was carried over is not."""
        return self._targets.get(day, [])[-1:] != [] and self._targets[day][-1].target_id == target_id

    def target_at(self, moment: Moment) -> str | None:
        """What a moment starts: the newest target of its files, if that was there by then; the default one only once.

        A newer target makes it void: nothing trades against that, which starts by itself or at the next moment.
        """
        day = moment.at.date()
        if moment in self._served:
            return None
        own = self.startable(day, self._schedule.files_of(moment))
        if own and own[-1].accepted_at > moment.at:
            return None
        found = own[-1].target_id if own else self.newest(day) if moment.name == DEFAULT else None
        return None if moment.name == DEFAULT and found and (day, found) in self._runs else found

    def look(self, now: datetime) -> tuple[list[Moment], Moment | None]:
        """The moments until now that were not served: those that are missed, and the one to be made up for.

        Of several the latest is made up for. Each is told once in a life, until its journalled fact comes back.
        """
        passed = [moment for moment in self._passed(now) if self.target_at(moment) is not None]
        self._told.update(passed)
        in_time = [moment for moment in passed if now <= self._schedule.catch_up_until(moment)]
        due = in_time[-1] if in_time else None
        return [moment for moment in passed if moment != due], due

    def is_owed(self, now: datetime) -> bool:
        """Whether the newest target of today should have been started when it came, and was not."""
        default, own = self._schedule.default_of(now.date(), now.tzinfo), self.newest(now.date())
        if self._schedule.waits or own is None or (now.date(), own) in self._runs or not self._is_session(now.date()):
            return False
        if now < default.at:
            return self._schedule.always_open
        return any(each.target_id == own and each.accepted_at > default.at for each in self.startable(now.date()))

    def next_moment(self, day: date, file: str, now: datetime) -> Moment | None:
        """The next moment of a day that takes a file's target."""
        for moment in self._schedule.moments_of(day, now.tzinfo):
            files = self._schedule.files_of(moment)
            if moment.at > now and (not files or fnmatchcase(file.lower(), files.lower())):
                return moment
        return None

    def _passed(self, now: datetime) -> list[Moment]:
        days = set(self._targets) | ({self._carried[0]} if self._carried is not None else set())
        first, closed_at = self._closed or (min(days, default=now.date()), None)
        return [
            moment
            for day in sorted(days)
            if first <= day <= now.date() and self._is_session(day)
            for moment in self._schedule.moments_of(day, now.tzinfo)
            if moment.at <= now and moment not in self._told and (closed_at is None or moment.at > closed_at)
        ]

    def _is_session(self, day: date) -> bool:
        try:
            return self._schedule.calendar.is_session(day)
        except UnknownDay:
            return False
