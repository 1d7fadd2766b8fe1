"""Is what we know kept somewhere else? Backups, when they are due and when a person asks."""

from __future__ import annotations

import sqlite3
from datetime import date, timedelta
from typing import Protocol

from qws.errors import QwsError
from qws.messages import BackupDue, BackupEnded, EquityRecorded
from qws.ports import Clock
from qws.runtime.actor import Actor


class Keeping(Protocol):
    """Makes backups off the loop."""

    async def back_up(self, path: str) -> str:
        """Write one to `path`, "" for an automatic one, and say what was written. Raises OSError and QwsError."""
        ...


class Keeper(Actor):
    """Backs the home up after a close when the last automatic backup is `every_days` old; 0: only when asked.

    Nobody waits for it, and a failure is a message; the next close tries again.
    """

    on_crash = "restart"

    def __init__(self, keeping: Keeping | None, clock: Clock, every_days: int) -> None:
        self._keeping, self._clock, self._every_days = keeping, clock, every_days
        self._last: date | None = None
        self._tried: date | None = None

    def recall_backup_ended(self, msg: BackupEnded) -> None:
        if not msg.ask and not msg.problem:
            self._last = msg.at.date()

    on_backup_ended = recall_backup_ended

    async def on_equity_recorded(self, msg: EquityRecorded) -> BackupEnded | None:
        if msg.kind != "close" or not self._every_days or self._tried == msg.day:
            return None
        if self._last is not None and msg.day - self._last < timedelta(days=self._every_days):
            return None
        self._tried = msg.day
        return await self.on_backup_due(BackupDue("", "schedule", 0))

    async def on_backup_due(self, msg: BackupDue) -> BackupEnded | None:
        if self._keeping is None:
            return None
        try:
            text, problem = await self._keeping.back_up(msg.path), ""
        except (QwsError, OSError, sqlite3.Error) as error:
            text, problem = "", " ".join(str(error).split())
        return BackupEnded(self._clock.now(), msg.path, msg.ask, text, problem)
