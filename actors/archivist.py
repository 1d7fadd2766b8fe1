"""What must still be readable in ten years? Targets, results and equity, written when nobody is in a hurry."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from functools import partial
from typing import Protocol

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

_RECALLED_MAX = 8
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
    """Writes files after the run they belong to: nothing of it is on the way to the first order."""

    on_crash = "restart"

    def __init__(self, archive: Archive, offload: Offload) -> None:
        self._archive, self._offload = archive, offload
        self._targets: dict[str, TargetAccepted] = {}
        self._files: dict[str, TargetAccepted] = {}
        self._notes: defaultdict[str, list[Note]] = defaultdict(list)
        self._recalled: deque[_Result | EquityRecorded] = deque(maxlen=_RECALLED_MAX)

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._recalled.append(self._result_of(msg))

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        self._recalled.append(msg)

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._targets[msg.target_id] = msg
        oldest = msg.at.date() - KEPT  # what an older target left is carried over no more
        self._files = {key: each for key, each in self._files.items() if each.days[-1].day >= oldest}
        self._files[msg.target_id] = msg

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
        for each in self._recalled:
            await (self.on_equity_recorded(each) if isinstance(each, EquityRecorded) else self._write_result(*each))

    async def on_session_phase_changed(self, msg: SessionPhaseChanged) -> None:
        await self._write_targets()

    async def on_run_finished(self, msg: RunFinished) -> None:
        await self._write_targets()
        await self._write_result(*self._result_of(msg))

    async def on_equity_recorded(self, msg: EquityRecorded) -> None:
        await self._offload(partial(self._archive.append_equity, msg))

    def _result_of(self, msg: RunFinished) -> _Result:
        return msg, self._notes.pop(msg.run_id, [])

    async def _write_result(self, msg: RunFinished, notes: list[Note]) -> None:
        target = self._files.get(msg.target_id)
        await self._offload(partial(self._archive.write_result, target, msg, notes))

    async def _write_targets(self) -> None:
        while self._targets:
            _, target = self._targets.popitem()
            await self._offload(partial(self._archive.write_target, target))
