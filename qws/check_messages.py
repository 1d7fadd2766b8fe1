"""The messages of the day's two checks: before the open, and after the close. `qws.messages` has them all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from qws.domain.readiness import Problem
from qws.domain.reconciling import Difference
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


@dataclass(frozen=True, slots=True)
class DayReconciled(Message):
    """The day was held against the broker's lists, once; or it could not be until midnight, because of `problem`.

    `since` is the close that holdings and cash were counted from, None when there is none: then only orders and fills
    were compared. `orders` and `fills` count ours.
    """

    day: date
    at: datetime
    problem: str
    differences: tuple[Difference, ...]
    orders: int
    fills: int
    since: date | None

    @property
    def unexplained(self) -> tuple[Difference, ...]:
        """Differences that a person should look into."""
        return tuple(each for each in self.differences if not each.is_explained)
