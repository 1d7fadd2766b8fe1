"""What a person should hear of: alerts, how urgent they are, when they may disturb, and what a channel carries."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

_OWED_MAX = 64
TEXT_MAX = 600  # characters of one alert: a robot of WeCom takes 2048 bytes a message


class Severity(StrEnum):
    """How urgent an alert is; the least urgent first."""

    NOTE = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for the least urgent."""
        return tuple(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Draft:
    """What deserves an alert: `kind` is a stable code, repeats of one `key` are folded, `text` is for people."""

    kind: str
    severity: Severity
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A draft that was raised at a time, under a unique id, for the `channels` that its severity goes to."""

    alert_id: str
    at: datetime
    severity: Severity
    kind: str
    key: str
    text: str
    channels: tuple[str, ...]


class AlertBook:
    """The numbers of a day's alerts, and the newest ones that an earlier life was killed before it could raise."""

    def __init__(self) -> None:
        self._day, self._number = date.min, 0
        self._owed: deque[Draft] = deque(maxlen=_OWED_MAX)

    def owe(self, drafts: Iterable[Draft]) -> None:
        """These were deserved."""
        self._owed.extend(drafts)

    def pay(self, alert: Alert) -> None:
        """This one was raised."""
        self._day, self._number = alert.at.date(), int(alert.alert_id.rpartition("-")[2])
        paid = next((each for each in self._owed if (each.kind, each.key) == (alert.kind, alert.key)), None)
        if paid is not None:
            self._owed.remove(paid)

    @property
    def owed(self) -> tuple[Draft, ...]:
        """What is still to be raised; a journal from before there were alerts owes none."""
        return tuple(self._owed) if self._number else ()

    def next_id(self, now: datetime) -> str:
        """The id of an alert that is raised now."""
        self._number = self._number + 1 if now.date() == self._day else 1
        self._day = now.date()
        return f"{now:%y%m%d}-{self._number}"


@dataclass(frozen=True, slots=True)
class Quiet:
    """The hours (Asia/Shanghai, over midnight where `since` is the later) in which only `passes` and above is told."""

    since: time
    until: time
    passes: Severity

    def ends(self, severity: Severity, now: datetime) -> datetime:
        """When an alert of this severity may be told: `now`, or the end of the quiet hours."""
        if severity.rank >= self.passes.rank or not self._is_on(now.time()):
            return now
        end = datetime.combine(now.date(), self.until, now.tzinfo)
        return end if end > now else end + timedelta(days=1)

    def _is_on(self, moment: time) -> bool:
        if self.since <= self.until:
            return self.since <= moment < self.until
        return moment >= self.since or moment < self.until


@dataclass(frozen=True, slots=True)
class NotifyRules:
    """Who is told what: channels by severity, the channel that takes over, seconds in which repeats are folded, quiet
    hours, tries before the fallback, the most alerts that wait, and seconds until a lost link is an alert."""

    routes: Mapping[Severity, tuple[str, ...]]
    fallback: str
    fold_s: float
    quiet: Quiet
    tries: int
    pending_max: int
    link_lost_s: float


@dataclass(frozen=True, slots=True)
class Entry:
    """One alert of a message, with the number of folded repeats and the time of the first of them."""

    alert: Alert
    more: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """Alerts, and the channels for which nothing more is to be told of them."""

    alert_ids: tuple[str, ...]
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parcel:
    """What leaves by one channel: entries, which alerts that settles for which channels, the channels it stands
    in for with their errors, and how many alerts were dropped because too many waited."""

    channel: str
    entries: tuple[Entry, ...]
    settles: tuple[Part, ...]
    instead: tuple[tuple[str, str], ...]
    dropped: int


@dataclass(frozen=True, slots=True)
class Notice:
    """A message as a channel sends it: a title of one line, and a text that begins with the title."""

    title: str
    text: str
    severity: Severity
    alerts: tuple[Alert, ...]


def clipped(text: str, bytes_max: int) -> str:
    """The text, or as much of it as fits into so many bytes of UTF-8, with an ellipsis."""
    encoded = text.encode("utf-8", "replace")
    if len(encoded) <= bytes_max:
        return encoded.decode("utf-8")
    return encoded[: bytes_max - 3].decode("utf-8", "ignore") + "…"
