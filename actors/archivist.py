"""What must still be readable in ten years? Targets, results and equity, written when nobody is in a hurry."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial, reduce
from typing import Protocol

from qws.domain.report import whole
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
        self._recalled: deque[RunFinished | EquityRecorded] = deque(maxlen=_RECALLED_MAX)
        self._attempts: defaultdict[str, dict[int, RunFinished]] = defaultdict(dict)  # of runs that go on

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._recalled.append(self._whole(msg))

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        self._recalled.append(msg)

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._targets[msg.target_id] = msg
        today = msg.at.date()  # older targets can have no run any more
        self._files = {key: each for key, each in self._files.items() if each.days[-1].day >= today}
        self._files[msg.target_id] = msg

    def on_target_accepted(self, msg: TargetAccepted) -> None:
        self.recall_target_accepted(msg)

    def on_ledger_drift(self, msg: LedgerDrift) -> None:
        self._notes[msg.run_id].append(msg)

    def on_record_disputed(self, msg: RecordDisputed) -> None:
        self._notes[msg.run_id].append(msg)

    async def on_started(self, msg: Started) -> None:
        """A kill may have come before the newest results and records were written; writing twice changes nothing."""
        for each in self._recalled:
            await (self._write_result(each) if isinstance(each, RunFinished) else self.on_equity_recorded(each))

    async def on_session_phase_changed(self, msg: SessionPhaseChanged) -> None:
        await self._write_targets()

    async def on_run_finished(self, msg: RunFinished) -> None:
        await self._write_targets()
        await self._write_result(self._whole(msg))

    async def on_equity_recorded(self, msg: EquityRecorded) -> None:
        await self._offload(partial(self._archive.append_equity, msg))

    def _whole(self, msg: RunFinished) -> RunFinished:
        """A run that was planned again has one result: fees and trades of all its attempts."""
        attempts = self._attempts[msg.run_id]
        if msg.outcomes or msg.attempt not in attempts:  # an attempt may be told of twice, with less the second time
            attempts[msg.attempt] = msg
        if msg.status != "interrupted":
            del self._attempts[msg.run_id]
        fees = sum((each.fees for each in attempts.values()), Decimal(0))
        return replace(msg, fees=fees, outcomes=reduce(whole, (each.outcomes for each in attempts.values())))

    async def _write_result(self, msg: RunFinished) -> None:
        notes, target = self._notes.pop(msg.run_id, []), self._files.get(msg.target_id)
        if msg.status != "interrupted":
            await self._offload(partial(self._archive.write_result, target, msg, notes))

    async def _write_targets(self) -> None:
        while self._targets:
            _, target = self._targets.popitem()
            await self._offload(partial(self._archive.write_target, target))
