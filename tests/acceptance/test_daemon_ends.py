"""A crash ends the process soon, whatever slow thing a thread is at, and a stop ends it whatever never answers."""

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
from qws.store.reading import Views
from qws.store.views import Projector
from qws.text import describe
from tests.acceptance.living import a_home, living

_LOOKS, _LOOK_S = 300, 0.05
HUNG = """
import sys
from threading import Event

import qws.daemon
from qws.cli import main
from qws.store.inbox import InboxFolder


def scan(folder):
    (folder._root / ".asked").touch()
    Event().wait()


qws.daemon._END_S = 1.0
InboxFolder.scan = scan
main()
"""


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
        views = _Views(Projector(tmp_path / "views.sqlite", describe), clock, clock.now(), "paper", None)
        return await _live(system, views, clock, asked)

    assert (asyncio.run(life()), looks[-1]) == (3, True)


def test_a_stop_ends_although_the_inbox_never_answers_and_the_next_start_finds_all_in_order(tmp_path: Path) -> None:
    home = a_home(tmp_path / "home")
    with living(home, program=("-c", HUNG)) as daemon:
        daemon.until_ready()
        daemon.until((home.inbox / ".asked").exists, "asked what lies in the inbox")
        code, err = daemon.stop()

    assert (code, err) == (0, "")
    assert "has not answered for 1 s since the end was asked for" in daemon.log()
    assert Views(home.views).daemon()["state"] == "stopped"
    with living(home) as again:
        again.until_ready()
        assert again.stop() == (0, "")
