"""How did the day and the month go? A tear sheet of each after every close."""

from __future__ import annotations

from collections import deque
from datetime import date
from functools import partial
from typing import Protocol

from qws.messages import EquityRecorded, SessionPhaseChanged
from qws.ports import Offload
from qws.runtime.actor import Actor
from qws.runtime.message import Started

_RECALLED_MAX, _TRIES_MAX = 5, 4


class Sheets(Protocol):
    """Where tear sheets go. Slow: called off the loop."""

    def write(self, day: date, *, again: bool) -> bool:
        """Write those of a day and its month, unless `again` is false and they are there; False: try again later."""
        ...


class SheetWriter(Actor):
    """Only listens. A kill may have come before the newest were written: the next start writes what is missing."""

    on_crash = "restart"

    def __init__(self, sheets: Sheets | None, offload: Offload) -> None:
        self._sheets, self._offload = sheets, offload
        self._recalled: deque[date] = deque(maxlen=_RECALLED_MAX)
        self._waiting: dict[date, int] = {}

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            self._recalled.append(msg.day)

    async def on_started(self, msg: Started) -> None:
        recalled, self._recalled = tuple(self._recalled), deque(maxlen=_RECALLED_MAX)
        for day in recalled:
            await self._write(day, again=False)

    async def on_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            await self._write(msg.day, again=True)

    async def on_session_phase_changed(self, msg: SessionPhaseChanged) -> None:
        for day in tuple(self._waiting):
            await self._write(day, again=True)

    async def _write(self, day: date, *, again: bool) -> None:
        if self._sheets is None:
            return
        tries = self._waiting.pop(day, 0) + 1
        if not await self._offload(partial(self._sheets.write, day, again=again)) and tries < _TRIES_MAX:
            self._waiting[day] = tries
