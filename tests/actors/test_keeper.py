"""When is a backup made, and what does nobody have to fear of it?"""

from __future__ import annotations

import sqlite3
from datetime import date, datetime, timedelta
from decimal import Decimal

import anyio
import pytest

from actors.keeper import Keeper
from qws.domain.account import Asset
from qws.errors import StoreError
from qws.messages import BackupDue, BackupEnded, EquityRecorded
from qws.preview import FrozenClock
from qws.runtime.clock import SHANGHAI

MONDAY = date(2026, 9, 7)
ASSET = Asset(Decimal(10), Decimal(0), Decimal(0), Decimal(10))


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 15, 10, tzinfo=SHANGHAI)


class Shelf:
    """Takes backups, or fails."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.paths = failure, list[str]()

    async def back_up(self, path: str) -> str:
        self.paths.append(path)
        if self.failure is not None:
            raise self.failure
        return "12 files"


def closed(day: date, kind: str = "close") -> EquityRecorded:
    return EquityRecorded(day, at(day), kind, "", ASSET, (), None)


def days_with_a_backup(shelf: Shelf, every_days: int, count: int, *, restarts: bool = False) -> list[int]:
    """Which of so many days after the first, closed twice each, had one."""
    kept: list[BackupEnded] = []
    found = []

    async def body() -> None:
        keeper = Keeper(shelf, FrozenClock(at(MONDAY)), every_days)
        for number in range(count):
            day = MONDAY + timedelta(days=number)
            if restarts or number == 0:
                keeper = Keeper(shelf, FrozenClock(at(day)), every_days)
                for each in kept:
                    keeper.recall_backup_ended(each)
            keeper._clock = FrozenClock(at(day))
            for record in (closed(day, "run"), closed(day), closed(day)):
                ended = await keeper.on_equity_recorded(record)
                if ended is not None:
                    kept.append(ended)
                    keeper.on_backup_ended(ended)
                    found.append(number)

    anyio.run(body)
    return found


@pytest.mark.parametrize("restarts", [False, True])
def test_a_backup_is_made_at_the_first_close_and_then_every_week(restarts: bool) -> None:
    shelf = Shelf()

    assert days_with_a_backup(shelf, 7, 22, restarts=restarts) == [0, 7, 14, 21]
    assert shelf.paths == [""] * 4


def test_none_is_made_when_none_is_wanted_or_nothing_can_make_one() -> None:
    shelf = Shelf()

    assert days_with_a_backup(shelf, 0, 10) == []
    assert shelf.paths == []
    assert anyio.run(Keeper(None, FrozenClock(at(MONDAY)), 7).on_equity_recorded, closed(MONDAY)) is None


@pytest.mark.parametrize(
    "failure", [StoreError("no room"), OSError(28, "No space left"), sqlite3.OperationalError("locked")]
)
def test_a_failure_is_told_and_tried_again_at_the_next_close(failure: Exception) -> None:
    shelf = Shelf(failure)

    assert days_with_a_backup(shelf, 7, 3) == [0, 1, 2]


def test_a_person_is_answered_and_the_week_goes_on_from_the_last_automatic_one() -> None:
    shelf = Shelf()
    keeper = Keeper(shelf, FrozenClock(at(MONDAY)), 7)

    asked = anyio.run(keeper.on_backup_due, BackupDue("/b.zip", "me", 5))

    assert asked == BackupEnded(at(MONDAY), "/b.zip", 5, "12 files", "")
    keeper.on_backup_ended(asked)
    assert anyio.run(keeper.on_equity_recorded, closed(MONDAY)) is not None
    assert shelf.paths == ["/b.zip", ""]


def test_a_failure_that_a_person_waits_for_says_why() -> None:
    keeper = Keeper(Shelf(StoreError("no\nroom")), FrozenClock(at(MONDAY)), 7)

    asked = anyio.run(keeper.on_backup_due, BackupDue("/b.zip", "me", 5))

    assert asked == BackupEnded(at(MONDAY), "/b.zip", 5, "", "no room")
