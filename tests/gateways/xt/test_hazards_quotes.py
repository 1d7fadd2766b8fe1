"""The hazards of the vendor's quote side (XTQUANT.md section 3), by their numbers."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from qws.errors import GatewayError, GatewayTimeout
from qws.gateways.xt.calendar import XtCalendar
from qws.tables import load_calendar
from tests.conformance.brokers import BOUGHT
from tests.gateways.sim_rig import DAY, at
from tests.gateways.xt.xt_rig import Stand, closed


@contextmanager
def zone(name: str) -> Iterator[None]:
    """The computer is there."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="needs a system where a process can move")
@pytest.mark.parametrize("name", ["UTC", "America/New_York", "Asia/Shanghai"])
def test_h18_a_holiday_is_no_session_wherever_the_computer_is(tmp_path: Path, name: str) -> None:
    async def body(stand: Stand) -> None:
        tables = load_calendar()
        calendar = XtCalendar(stand.line, tables)
        with zone(name):
            differences = await calendar.refresh()

        assert differences == ()
        assert not calendar.is_session(date(2026, 10, 1))
        assert calendar.is_session(DAY)
        assert calendar.next_session(date(2026, 9, 30)) == tables.next_session(date(2026, 9, 30))
        assert calendar.previous_session(DAY) == tables.previous_session(DAY)

    closed(tmp_path, body)


def test_h19_quotes_of_a_dead_terminal_are_an_error_and_come_back(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        stand.terminal.die()
        with pytest.raises(GatewayError, match="get_full_tick: "):
            await stand.quotes.quotes([BOUGHT])
        stand.terminal.revive()

        assert (await stand.quotes.quotes([BOUGHT]))[BOUGHT].at <= at("10:01:00")

    closed(tmp_path, body)


def test_h19_a_quote_call_that_hangs_is_left_behind(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        assert await stand.quotes.quotes([BOUGHT])
        stand.faults.quotes_hang = 1
        with pytest.raises(GatewayTimeout, match="get_full_tick did not return"):
            await stand.quotes.quotes([BOUGHT])

        assert await stand.quotes.quotes([BOUGHT])
        assert stand.line.stuck_threads == 1

    closed(tmp_path, body)
