"""Alerts, rules and channels for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, time

import anyio

from qws.domain.alerts import Alert, Notice, NotifyRules, Quiet, Severity
from qws.errors import GatewayLost
from qws.ports import Clock
from tests.support.builders import at

NOTE, WARNING, CRITICAL = Severity
AWAKE = Quiet(time(0), time(0), CRITICAL)


def an_alert(
    number: int = 1,
    severity: Severity = WARNING,
    *,
    when: datetime | None = None,
    key: str = "",
    channels: tuple[str, ...] = ("group",),
    kind: str = "kind",
    text: str = "",
) -> Alert:
    """An alert of which only some things matter."""
    text = text or f"text {number}"
    return Alert(f"d-{number}", when or at("10:00:00"), severity, kind, key or f"key {number}", text, channels)


def rules(
    fallback: str = "",
    *,
    fold_s: float = 600.0,
    quiet: Quiet = AWAKE,
    tries: int = 3,
    pending_max: int = 500,
    routes: dict[Severity, tuple[str, ...]] | None = None,
) -> NotifyRules:
    """Rules with nothing special."""
    return NotifyRules(routes or {}, fallback, fold_s, quiet, tries, pending_max, 60.0)


@dataclass
class Lane:
    """What a channel bears."""

    name: str = "group"
    per_minute: int = 20
    size_max: int = 2048


@dataclass
class FakeChannel:
    """A channel that notes what it took and when; it fails while `fails` says so, and takes its time."""

    clock: Clock
    name: str = "group"
    per_minute: int = 20
    size_max: int = 2048
    fails: Callable[[datetime], bool] = lambda moment: False
    takes_s: float = 0.1
    took: list[tuple[datetime, Notice]] = field(default_factory=list)
    tried: list[datetime] = field(default_factory=list)

    async def send(self, notice: Notice) -> str:
        self.tried.append(self.clock.now())
        await anyio.sleep(self.takes_s)
        if self.fails(self.clock.now()):
            raise GatewayLost(f"{self.name} is not there")
        self.took.append((self.clock.now(), notice))
        return "ok"

    def texts(self) -> list[str]:
        return [notice.text for _, notice in self.took]

    def ids(self) -> list[str]:
        return [alert.alert_id for _, notice in self.took for alert in notice.alerts]
