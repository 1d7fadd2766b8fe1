"""Which file in the inbox is finished? Each is taken out once, and filed away when its fate is known."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from functools import partial

import anyio

from qws.domain.drops import Drop, Settling, refusal_notice, safe_name
from qws.messages import TargetAccepted, TargetRejected, WeightFileSettled
from qws.ports import Clock, DropFolder, Hints, Offload
from qws.runtime.actor import Actor


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """How long a file must look the same: renamed into the inbox, or written there; and the pause between scans."""

    settle_ms: int = 60
    in_place_settle_ms: int = 1000
    scan_s: float = 5.0


class FileWatcher(Actor):
    """Hints make it quick, the scan makes it right: a file is told when it looked the same twice and nobody writes."""

    on_crash = "restart"

    def __init__(
        self, inbox: DropFolder, clock: Clock, settings: WatchSettings, offload: Offload, hints: Hints | None
    ) -> None:
        self._inbox, self._clock, self._offload, self._hints = inbox, clock, offload, hints
        self._scan_s = settings.scan_s
        self._settling = Settling(settings.settle_ms / 1000, settings.in_place_settle_ms / 1000)
        self._unfiled: dict[str, TargetAccepted | TargetRejected] = {}
        self._answered_before: set[str] = set()
        self._whole: set[str] = set()
        self._wake = asyncio.Event()

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._unfiled[msg.path] = replace(msg, days=(), dropped=())  # of all files ever: only where they lie

    def recall_target_rejected(self, msg: TargetRejected) -> None:
        if msg.path:
            self._unfiled[msg.path] = msg
        else:
            self._answered_before.add(msg.name)

    async def on_target_accepted(self, msg: TargetAccepted) -> None:
        await self._file_away(msg)

    async def on_target_rejected(self, msg: TargetRejected) -> None:
        await self._file_away(msg)

    async def source(self) -> AsyncIterator[WeightFileSettled | TargetRejected]:
        watching = asyncio.create_task(self._watch())
        try:
            await self._clock.sleep(0)  # now the watch is set: what comes after the first scan gives a hint
            left = {claimed.path: claimed for claimed in await self._offload(self._inbox.leftovers)}
            self._unfiled = {path: msg for path, msg in self._unfiled.items() if path in left}
            for claimed in [left[path] for path in left if path not in self._unfiled]:
                yield WeightFileSettled(claimed.name, claimed.path, claimed.sha256, claimed.size_bytes)
            is_silent = False
            while True:
                whole, self._whole = self._whole, set()
                drops = await self._offload(self._inbox.scan) or []
                if is_silent and (watching.done() or not all(map(self._settling.knows, drops))):
                    watching.cancel()  # a watch may die without a word, as on a share that went and came back
                    watching = asyncio.create_task(self._watch())
                self._answered_before.intersection_update(safe_name(drop.name) for drop in drops)
                is_held = False  # by an older file that may go on; no newer one overtakes it
                for drop in self._settling.look(drops, whole, anyio.current_time()):
                    is_held = is_held or await self._may_go_on(drop)
                    if (not is_held or drop.refusal) and (message := await self._take(drop)) is not None:
                        yield message
                for msg in tuple(self._unfiled.values()):
                    await self._file_away(msg)
                is_silent = await self._pause()
        finally:
            watching.cancel()

    async def _may_go_on(self, drop: Drop) -> bool:
        is_cut = self._settling.may_be_cut(drop) and await self._offload(partial(self._inbox.is_cut, drop))
        return is_cut and self._settling.expect_more(drop, anyio.current_time())

    async def _take(self, drop: Drop) -> WeightFileSettled | TargetRejected | None:
        now = self._clock.now()
        if drop.refusal is not None:
            self._settling.answered(drop)
            name = safe_name(drop.name)
            return None if name in self._answered_before else TargetRejected(name, "", "", now, (drop.refusal,))
        claimed = await self._offload(partial(self._inbox.claim, drop, now))
        if claimed is None:
            self._settling.postpone(drop, anyio.current_time())
            return None
        self._settling.forget(drop)
        return WeightFileSettled(claimed.name, claimed.path, claimed.sha256, claimed.size_bytes)

    async def _file_away(self, msg: TargetAccepted | TargetRejected) -> None:
        if isinstance(msg, TargetAccepted):
            move = partial(self._inbox.accept, msg.path, msg.name)
        else:
            text = refusal_notice(msg.name, msg.at, msg.refusals, is_moved=bool(msg.path))
            move = partial(self._inbox.reject, msg.path, msg.name, text)
        try:
            await self._offload(move)
        except OSError:
            # Somebody holds it, or the share is gone: tried again at each scan.
            self._unfiled[msg.path or msg.name] = msg
        else:
            self._unfiled.pop(msg.path or msg.name, None)

    async def _pause(self) -> bool:
        """Wait for a hint, for a file to settle or for the next scan; true when a whole scan pause gave no hint."""
        wait_s = min(self._settling.wait_s(anyio.current_time()), self._scan_s)
        if self._hints is None:
            await self._clock.sleep(wait_s)
            return False
        with anyio.move_on_after(wait_s):
            await self._wake.wait()
        if not self._wake.is_set():
            return wait_s >= self._scan_s
        self._wake.clear()
        self._settling.hurry()
        return False

    async def _watch(self) -> None:
        if self._hints is None:
            return
        try:
            async for whole in self._hints():
                self._whole.update(whole)
                self._wake.set()
        except (OSError, RuntimeError):  # the folder is gone, or the system has no watches left: scans go on
            return
