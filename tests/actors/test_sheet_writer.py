"""After each close the sheets are written, once; what failed is tried again, and nothing waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import TypeVar

from actors.sheet_writer import SheetWriter
from qws.messages import EquityRecorded, SessionPhaseChanged
from qws.runtime.message import Started
from tests.support.specimens import MESSAGES

T = TypeVar("T")
CLOSE = replace(next(each for each in MESSAGES if isinstance(each, EquityRecorded)), kind="close")
PHASE = next(each for each in MESSAGES if isinstance(each, SessionPhaseChanged))


class Shelf:
    """Notes what is asked of it, and fails the first so many times."""

    def __init__(self, failures: int = 0) -> None:
        self.asked: list[tuple[date, bool]] = []
        self._failures = failures

    def write(self, day: date, *, again: bool) -> bool:
        self.asked.append((day, again))
        return len(self.asked) > self._failures


async def inline(call: Callable[[], T]) -> T:
    return call()


def test_a_close_writes_its_sheets_and_a_run_does_not() -> None:
    shelf = Shelf()
    writer = SheetWriter(shelf, inline)

    asyncio.run(writer.on_equity_recorded(CLOSE))
    asyncio.run(writer.on_equity_recorded(replace(CLOSE, kind="run")))

    assert shelf.asked == [(CLOSE.day, True)]


def test_a_start_asks_only_for_what_is_missing_of_the_newest_closes() -> None:
    shelf = Shelf()
    writer = SheetWriter(shelf, inline)
    for count in range(9):
        writer.recall_equity_recorded(replace(CLOSE, day=CLOSE.day + timedelta(days=count)))

    asyncio.run(writer.on_started(Started()))
    asyncio.run(writer.on_started(Started()))

    assert shelf.asked == [(CLOSE.day + timedelta(days=count), False) for count in range(4, 9)]


def test_what_failed_is_tried_again_at_the_next_phase_but_not_for_ever() -> None:
    shelf = Shelf(failures=99)
    writer = SheetWriter(shelf, inline)

    asyncio.run(writer.on_equity_recorded(CLOSE))
    for _ in range(9):
        asyncio.run(writer.on_session_phase_changed(PHASE))

    assert 1 < len(shelf.asked) < 9


def test_where_no_sheets_are_wanted_nothing_is_done() -> None:
    writer = SheetWriter(None, inline)

    asyncio.run(writer.on_equity_recorded(CLOSE))

    assert not writer._waiting
