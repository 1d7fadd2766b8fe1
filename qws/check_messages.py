"""The messages of the day's two checks: before the open, and after the close. `qws.messages` has them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from qws.domain.readiness import Problem
from qws.runtime.message import Message


@dataclass(frozen=True, slots=True)
class ReadinessChecked(Message):
    """What stands in the way of trading today, nothing when all is well; `new` are the codes of what was not told yet.

    Told once after each start and at each change, never minute by minute.
    """

    day: date
    at: datetime
    problems: tuple[Problem, ...]
    new: tuple[str, ...]
    is_mended: bool
