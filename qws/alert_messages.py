"""The messages of alerts: raised, told, acknowledged. `qws.messages` has them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from qws.domain.alerts import Alert, Part
from qws.runtime.message import Message


@dataclass(frozen=True, slots=True)
class OutageDue(Message):
    """The broker has had its time to come back; `since` names the outage that is meant."""

    since: datetime


@dataclass(frozen=True, slots=True)
class AlertRaised(Message):
    """Something happened of which a person should hear; from here on it is told at least once."""

    alert: Alert


@dataclass(frozen=True, slots=True)
class AlertsSettled(Message):
    """For some channels nothing more is to be told of some alerts.

    `outcome` is sent (channel `via` took them, `text` is its reply), failed (told elsewhere, and the channel does not
    work) or dropped (too many waited, or no channel is left).
    """

    parts: tuple[Part, ...]
    via: str
    outcome: str
    text: str
    at: datetime

    @property
    def alert_ids(self) -> tuple[str, ...]:
        """Of all parts."""
        return tuple(each for part in self.parts for each in part.alert_ids)


@dataclass(frozen=True, slots=True)
class ChannelFailed(Message):
    """A channel did not take a message; what was in it goes on waiting."""

    channel: str
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertAcknowledged(Message):
    """A person has seen these alerts; what was not told of them yet need not be any more."""

    alert_ids: tuple[str, ...]
    by: str
