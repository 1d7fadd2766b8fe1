"""Does somebody ask for a halt with a file? Whoever sits behind a remote desktop has no command line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from typing import Protocol

from qws.messages import ControlOrdered
from qws.ports import Clock, Offload
from qws.runtime.actor import Actor


class HaltFolder(Protocol):
    """The folder into which people put a file named HALT. Both calls are short, blocking and made through `Offload`."""

    def asked(self) -> str:
        """The name of a file that asks for a halt, "" for none."""
        ...

    def take(self, name: str) -> bool:
        """Rename it into a receipt; false while somebody holds it."""
        ...


class HaltWatcher(Actor):
    """Orders a halt once for each file, and renames it, however long that takes."""

    on_crash = "restart"

    def __init__(self, folder: HaltFolder | None, clock: Clock, offload: Offload, look_every_s: float) -> None:
        self._folder, self._clock, self._offload, self._look_every_s = folder, clock, offload, look_every_s

    async def source(self) -> AsyncIterator[ControlOrdered]:
        folder, told = self._folder, ""
        while folder is not None:
            name = await self._offload(folder.asked)
            if name and name != told:
                yield ControlOrdered("halt", f"file {name}")
            is_taken = bool(name) and await self._offload(partial(folder.take, name))
            told = "" if is_taken else name
            await self._clock.sleep(self._look_every_s)
