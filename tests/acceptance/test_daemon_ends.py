"""A crash ends the process soon, whatever slow thing a thread is at: who starts it again waits for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import anyio

from qws.daemon import _live, _Views, in_thread
from qws.runtime.actor import Actor
from qws.runtime.clock import SystemClock
from qws.runtime.message import Started
from qws.runtime.system import System
from qws.store.parquet_file import pause
from qws.store.views import Projector
from qws.text import describe

_LOOKS, _LOOK_S = 300, 0.05


class Crasher(Actor):
    on_crash = "halt"

    def on_started(self, msg: Started) -> None:
        raise ValueError("the disk of the terminal is gone")


class Drawer(Actor):
    """Is at something slow, and looks whether it is asked to stop, as sheets and backups do."""

    on_crash = "restart"

    def __init__(self, is_stopped: Callable[[], bool], looks: list[bool]) -> None:
        self._is_stopped, self._looks = is_stopped, looks

    async def on_started(self, msg: Started) -> None:
        await in_thread(self._draw)

    def _draw(self) -> None:
        for _ in range(_LOOKS):
            self._looks.append(self._is_stopped())
            if self._looks[-1]:
                return
            pause(_LOOK_S)


def test_a_crash_asks_slow_threads_to_stop(tmp_path: Path) -> None:
    looks: list[bool] = []

    async def life() -> int:
        clock, asked = SystemClock(), anyio.Event()
        system = System([Crasher, lambda: Drawer(asked.is_set, looks)], clock=clock)
        views = _Views(Projector(tmp_path / "views.sqlite", describe), clock, "paper", None)
        return await _live(system, views, asked)

    assert (asyncio.run(life()), looks[-1]) == (3, True)
