"""A halt by file: ordered once, however long the file cannot be renamed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from actors.halt_watcher import HaltWatcher
from qws.messages import ControlOrdered
from tests.support.builders import HandClock, at

T = TypeVar("T")


async def inline(call: Callable[[], T], /) -> T:
    return call()


@dataclass
class Folder:
    """What lies there at each look; a name with a star is held by somebody."""

    looks: list[str]
    taken: list[str] = field(default_factory=list)

    def asked(self) -> str:
        if not self.looks:
            raise EOFError
        return self.looks[0].rstrip("*")

    def take(self, name: str) -> bool:
        is_free = not self.looks[0].endswith("*")
        if is_free:
            self.taken.append(name)
        return is_free


@dataclass
class Looks(HandClock):
    """Every pause leads to the next look."""

    folder: Folder

    def __post_init__(self) -> None:
        super().__init__(at("10:00:00"))

    async def sleep(self, seconds: float) -> None:
        del self.folder.looks[0]
        await super().sleep(seconds)


def heard(*looks: str) -> tuple[list[str], list[str]]:
    """What was ordered, and the files that were renamed."""
    folder, told = Folder(list(looks)), list[ControlOrdered]()

    async def listen() -> None:
        async for message in HaltWatcher(folder, Looks(folder), inline, 0.4).source():
            told.append(message)

    try:
        asyncio.run(listen())
    except EOFError:
        assert {message.command for message in told} <= {"halt"}
    return [message.by for message in told], folder.taken


def test_a_file_is_a_halt_and_is_renamed() -> None:
    assert heard("", "HALT", "") == (["file HALT"], ["HALT"])


def test_a_file_that_cannot_be_renamed_halts_once_and_is_renamed_when_it_can_be() -> None:
    assert heard("HALT*", "HALT*", "HALT", "") == (["file HALT"], ["HALT"])


def test_a_second_file_is_a_second_halt() -> None:
    assert heard("HALT", "HALT") == (["file HALT"] * 2, ["HALT", "HALT"])
    assert heard("HALT*", "", "HALT") == (["file HALT"] * 2, ["HALT"])


def test_without_a_folder_nothing_is_looked_at() -> None:
    async def listen() -> list[ControlOrdered]:
        return [message async for message in HaltWatcher(None, HandClock(at("10:00:00")), inline, 0.4).source()]

    assert asyncio.run(listen()) == []
