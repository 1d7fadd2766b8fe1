"""The watcher on the real loop, with the real source of hints."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

import anyio
import anyio.lowlevel

from actors.file_watcher import WatchSettings
from qws.messages import TargetAccepted
from qws.ports import Hints
from qws.runtime.clock import SystemClock
from qws.store.inbox import folder_changes
from tests.intake.world import World, live, weights


def a_target(number: int) -> bytes:
    """A correct file for the day of the system's clock."""
    return weights(("600000.SH", f"0.{number:05}"), day=SystemClock().now().date())


def with_hints(tmp_path: Path, test: Callable[[World, Hints], object]) -> None:
    """Run the test on the real loop with the system's own report of changes."""
    world = World(tmp_path / "inbox")
    world.clock = SystemClock()
    anyio.run(test, world, partial(folder_changes, world.root))  # type: ignore[arg-type]


def test_with_hints_a_renamed_file_does_not_wait_for_the_scan(tmp_path: Path) -> None:
    async def drop(world: World, hints: Hints) -> None:
        async with world.running(hints=hints, settings=WatchSettings(scan_s=60)):
            world.drop("0.csv", a_target(99))
            await world.ears.verdicts()
            for number in range(1, 4):
                unfinished = world.root / f"{number}.csv.tmp"
                unfinished.write_bytes(a_target(number))
                with anyio.fail_after(5):
                    unfinished.replace(world.root / f"{number}.csv")
                    await world.ears.verdicts(1 + number)
        assert all(isinstance(msg, TargetAccepted) for msg in world.ears.judged)

    with_hints(tmp_path, drop)


def test_hints_that_fail_leave_the_scan(tmp_path: Path) -> None:
    world = World(tmp_path / "inbox")
    world.clock = SystemClock()
    tries: list[int] = []

    async def broken() -> AsyncIterator[frozenset[str]]:
        tries.append(1)
        raise OSError(28, "no inotify watches left")
        yield frozenset()

    async def drop() -> None:
        async with world.running(hints=broken, settings=WatchSettings(scan_s=0.02)):
            for number in (1, 2):
                world.drop(f"{number}.csv", a_target(number))
                await world.ears.verdicts(number)

    live(drop)
    assert world.names("accepted") == ["1.csv", "2.csv"]
    assert len(tries) >= 2


def test_a_watch_that_dies_silently_is_set_again(tmp_path: Path) -> None:
    async def drop(world: World, hints: Hints) -> None:
        settings = WatchSettings(scan_s=0.3)
        async with world.running(hints=hints, settings=settings):
            world.drop("1.csv", a_target(1))
            await world.ears.verdicts(1)
            shutil.rmtree(world.root)
            world.root.mkdir()
            for number in (2, 3):
                world.drop(f"{number}.csv", a_target(number))
                await world.ears.verdicts(number)
        assert all(isinstance(msg, TargetAccepted) for msg in world.ears.judged)

    with_hints(tmp_path, drop)


def test_stopping_does_not_wait_for_the_watch(tmp_path: Path) -> None:
    async def stop(world: World, hints: Hints) -> None:
        with anyio.fail_after(3):
            async with world.running(hints=hints):
                world.drop("1.csv", a_target(1))
                await world.ears.verdicts(1)
        assert world.names("accepted") == ["1.csv"]
        for _ in range(10):
            await anyio.lowlevel.checkpoint()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    with_hints(tmp_path, stop)
