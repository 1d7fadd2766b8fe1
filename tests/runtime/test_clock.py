from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta

import anyio
import pytest

from qws.runtime.clock import SHANGHAI, LoopClock, SystemClock
from tests.runtime.stage import START, at, in_virtual_time, now_s


def test_hours_pass_in_milliseconds() -> None:
    begun = time.perf_counter()

    async def main() -> datetime:
        clock = LoopClock(START)
        for _ in range(100):
            await clock.sleep(3600)
        return clock.now()

    assert in_virtual_time(main) == at(360_000)
    assert time.perf_counter() - begun < 2.0


def test_timers_fire_in_order_and_deadlines_hold() -> None:
    fired: list[tuple[float, str]] = []

    async def wait(name: str, seconds: float) -> None:
        await anyio.sleep(seconds)
        fired.append((now_s(), name))

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            for name, seconds in (("c", 90_000.5), ("a", 1.25), ("b", 7200.0), ("never", 1e7)):
                tasks.start_soon(wait, name, seconds)
            with anyio.move_on_after(100_000):
                await anyio.sleep_forever()
            fired.append((now_s(), "deadline"))
            tasks.cancel_scope.cancel()

    in_virtual_time(main)

    assert fired == [(1.25, "a"), (7200.0, "b"), (90_000.5, "c"), (100_000.0, "deadline")]


@pytest.mark.parametrize("day", [2**24 / 86400, 4000.0])
def test_time_moves_on_beyond_194_days(day: float) -> None:
    async def main() -> list[float]:
        steps = []
        await anyio.sleep(day * 86400)
        for seconds in (0.01, 1.0, 60.0):
            begin = now_s()
            await anyio.sleep(seconds)
            steps.append(now_s() - begin)
        return steps

    assert in_virtual_time(main) == pytest.approx([0.01, 1.0, 60.0], abs=1e-5)


def test_a_simulation_in_which_everybody_waits_for_ever_is_stuck() -> None:
    async def main() -> None:
        await asyncio.get_running_loop().create_future()

    with pytest.raises(RuntimeError, match="the simulation is stuck"):
        in_virtual_time(main)


def test_the_virtual_clock_wakes_exactly_when_asked_and_at_once_for_the_past() -> None:
    async def main() -> tuple[datetime, datetime]:
        clock = LoopClock(START)
        await clock.sleep_until(at(12_345.678901))
        first = clock.now()
        await clock.sleep_until(START)
        return first, clock.now()

    assert in_virtual_time(main) == (at(12_345.678901), at(12_345.678901))


def test_the_real_clock_shows_shanghai_and_sleeps_until() -> None:
    async def main() -> tuple[datetime, datetime]:
        clock = SystemClock()
        due = clock.now() + timedelta(milliseconds=60)
        await clock.sleep_until(due)
        await clock.sleep_until(due - timedelta(days=1))
        return due, clock.now()

    due, woken = anyio.run(main)

    assert timedelta(0) <= woken - due < timedelta(seconds=2)
    assert woken.tzinfo is SHANGHAI


def test_a_real_clock_that_jumps_is_looked_at_again_within_30_seconds() -> None:
    class Suspended(SystemClock):
        """A PC that slept for an hour after ten seconds."""

        def now(self) -> datetime:
            return at(now_s() + (3600 if now_s() >= 10 else 0))

    async def main() -> float:
        await Suspended().sleep_until(at(7200))
        return now_s()

    assert in_virtual_time(main) == 3600.0


@pytest.mark.parametrize(("back_s", "woken_s"), [(8 * 3600, 30.0), (59, 36_060.0)])
def test_a_wait_ends_early_when_the_clock_is_set_back_and_is_longer_for_an_adjustment(
    back_s: int, woken_s: float
) -> None:
    class Wrong(SystemClock):
        """A PC whose clock is corrected after ten seconds."""

        def now(self) -> datetime:
            return at(now_s() + (back_s if now_s() < 10 else 0))

    async def main() -> float:
        await Wrong().sleep_until(at(36_060))
        return now_s()

    assert in_virtual_time(main) == woken_s
