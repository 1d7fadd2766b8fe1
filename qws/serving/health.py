"""Is the daemon well? What makes it unwell is a list of problems, each with a stable code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from qws.serving.facts import Facts
from qws.serving.watched_journal import WatchedJournal

_HEARTBEAT_MAX_S, _COMMIT_MAX_S, _STUCK_MAX_S = 10.0, 10.0, 120.0
TRADING_PHASES = frozenset({"open_call_cancellable", "open_call_locked", "open_pause", "continuous", "close_call"})


class Worker(NamedTuple):
    """One actor: its state, the messages that wait, and those it has handled."""

    name: str
    state: str
    waiting: int
    handled: int


class Problem(NamedTuple):
    """Why the daemon is not well."""

    code: str
    text: str


class Looks(Protocol):
    """How the actors are now."""

    def __call__(self) -> Sequence[Worker]: ...


class Health:
    """Judges by the facts, the journal, the actors and the heartbeat."""

    def __init__(self, facts: Facts, journal: WatchedJournal, actors: Looks, link_lost_s: float) -> None:
        self._facts, self._journal, self.actors, self._link_lost_s = facts, journal, actors, link_lost_s
        self._moved: dict[str, tuple[int, datetime]] = {}
        self.beaten_at = facts.started_at

    def beat(self, now: datetime) -> None:
        """The heartbeat was written; meanwhile note who moves."""
        self.beaten_at = now
        for each in self.actors():
            handled, _ = self._moved.get(each.name, (-1, now))
            if handled != each.handled or not each.waiting:
                self._moved[each.name] = each.handled, now

    def problems(self, now: datetime) -> Iterator[Problem]:
        """Everything that is wrong; nothing when all is well."""
        facts, since = self._facts, self._journal.waiting_since
        if facts.is_stopping:
            yield Problem("stopping", "the daemon is about to end")
        if (silent_s := (now - self.beaten_at).total_seconds()) > _HEARTBEAT_MAX_S:
            yield Problem("heartbeat", f"no heartbeat could be written for {silent_s:.0f} s: is the disk full?")
        if since is not None and (waits_s := (now - since).total_seconds()) > _COMMIT_MAX_S:
            yield Problem("journal", f"the journal has been waiting for the disk for {waits_s:.0f} s")
        for each in self.actors():
            _, moved_at = self._moved.get(each.name, (0, now))
            if each.state != "ready":
                yield Problem("actor", f"{each.name} is {each.state}")
            elif each.waiting and (stuck_s := (now - moved_at).total_seconds()) > _STUCK_MAX_S:
                yield Problem("stuck", f"{each.name} has not moved for {stuck_s:.0f} s; {each.waiting} messages wait")
        if not facts.is_linked and facts.phase in TRADING_PHASES:
            lost_s = (now - (facts.unlinked_since or facts.started_at)).total_seconds()
            if lost_s > self._link_lost_s:
                yield Problem("link", f"the exchanges trade, and the broker has not been ready for {lost_s:.0f} s")
