"""What must still be readable in ten years? Targets, results and equity, written when nobody is in a hurry."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from loguru import logger

from qws.domain.newest import Newest
from qws.domain.rest import KEPT
from qws.messages import (
    EquityRecorded,
    LedgerDrift,
    RecordDisputed,
    RunFinished,
    SessionPhaseChanged,
    TargetAccepted,
)
from qws.ports import Offload
from qws.runtime.actor import Actor
from qws.runtime.message import Started

_RECALLED_MAX, _WAITING_MAX, _TARGETS_MAX, _RUNS_MAX = 8, 100, 64, 20
Note = LedgerDrift | RecordDisputed
_Result = tuple[RunFinished, list[Note]]


class Archive(Protocol):
    """Where files for keeping go; every method may be called twice with the same message."""

    def write_target(self, target: TargetAccepted) -> None:
        """Keep an accepted target with its original's hash."""
        ...

    def write_result(self, target: TargetAccepted | None, result: RunFinished, notes: Sequence[Note]) -> None:
        """Put the result of a run beside the file it came from."""
        ...

    def append_equity(self, record: EquityRecorded) -> None:
        """Keep an equity record."""
        ...


class Archivist(Actor):
    """Writes files after the run they belong to: nothing of it is on the way to the first order.

    What cannot be written (the disk is full, the share is gone) is tried again at the next run, record or phase.
    """

    on_crash = "restart"

    def __init__(self, archive: Archive, offload: Offload) -> None:
        self._archive, self._offload = archive, offload
        self._targets: dict[str, TargetAccepted] = {}
        self._files: dict[str, TargetAccepted] = {}
        self._notes: Newest[list[Note]] = Newest(list, _RUNS_MAX)
        self._recalled: deque[_Result | EquityRecorded] = deque(maxlen=_RECALLED_MAX)
        self._waiting: deque[Callable[[], None]] = deque(maxlen=_WAITING_MAX)

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._recalled.append(self._result_of(msg))

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        self._recalled.append(msg)

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._targets[msg.target_id] = msg
        for written in tuple(self._targets)[:-_TARGETS_MAX]:
            del self._targets[written]
        oldest = msg.at.date() - KEPT  # what an older target left is carried over no more
        self._files = {key: each for key, each in self._files.items() if each.days[-1].day >= oldest}
        self._files[msg.target_id] = msg
        for overtaken in tuple(self._files)[:-_TARGETS_MAX]:
            del self._files[overtaken]

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self.recall_target_accepted(msg)

    def recall_ledger_drift(self, msg: LedgerDrift) -> None:
        self._notes[msg.run_id].append(msg)

    def recall_record_disputed(self, msg: RecordDisputed) -> None:
        self._notes[msg.run_id].append(msg)

    on_ledger_drift = recall_ledger_drift
    on_record_disputed = recall_record_disputed

    async def on_started(self, msg: Started) -> None:
        """A kill may have come before the newest results and records were written; writing twice changes nothing."""
        await self._write(
            *(
                self._record(each) if isinstance(each, EquityRecorded) else self._result(*each)
                for each in self._recalled
            )
        )

    async def on_session_phase_changed(self, msg: SessionPhaseChanged) -> None:
        await self._write(*self._accepted())

    async def on_run_finished(self, msg: RunFinished) -> None:
        await self._write(*self._accepted(), self._result(*self._result_of(msg)))

    async def on_equity_recorded(self, msg: EquityRecorded) -> None:
        await self._write(self._record(msg))

    def _result_of(self, msg: RunFinished) -> _Result:
        return msg, self._notes.pop(msg.run_id, [])

    def _record(self, msg: EquityRecorded) -> Callable[[], None]:
        return partial(self._archive.append_equity, msg)

    def _result(self, msg: RunFinished, notes: list[Note]) -> Callable[[], None]:
        return partial(self._archive.write_result, self._files.get(msg.target_id), msg, notes)

    def _accepted(self) -> list[Callable[[], None]]:
        targets, self._targets = self._targets, {}
        return [partial(self._archive.write_target, target) for target in targets.values()]

    async def _write(self, *calls: Callable[[], None]) -> None:
        told, waiting = len(self._waiting), (*self._waiting, *calls)
        self._waiting.clear()
        for number, call in enumerate(waiting):
            try:
                await self._offload(call)
            except OSError as error:
                self._waiting.append(call)
                if number >= told:  # once each, however often it is tried
                    logger.warning("archive: {}; it is tried again later", error)
