"""What does the one who dropped a file get to read? A receipt at once, a page when its run is over."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from qws.domain.newest import Newest
from qws.domain.story import Gathering, RunStory
from qws.messages import (
    FillReceived,
    LedgerDrift,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    RecordDisputed,
    RunFinished,
    SessionPhaseChanged,
    SnapshotTaken,
    TargetAccepted,
    TargetRejected,
)
from qws.ports import Clock, Offload
from qws.runtime.actor import Actor
from qws.runtime.message import Started

_RECALLED_MAX, _FILES_MAX, _WAITING_MAX, _RUNS_MAX = 8, 64, 100, 20
Note = LedgerDrift | RecordDisputed


class Pages(Protocol):
    """Where receipts and pages go; writing twice changes nothing, False means that it has to be tried again."""

    def write_receipt(self, answer: TargetAccepted | TargetRejected) -> bool:
        """Tell what became of a file when it was read."""
        ...

    def write_result(
        self, target: TargetAccepted | None, end: RunFinished, story: RunStory, notes: Sequence[Note]
    ) -> bool:
        """Tell what became of its run."""
        ...


class ResultWriter(Actor):
    """Only listens; what cannot be written (the share is gone) is tried again at the next file, run or phase."""

    on_crash = "restart"

    def __init__(self, pages: Pages | None, offload: Offload, clock: Clock) -> None:
        self._pages, self._offload, self._clock = pages, offload, clock
        self._files: dict[str, TargetAccepted] = {}
        self._runs: Newest[Gathering] = Newest(Gathering, _RUNS_MAX)
        self._notes: Newest[list[Note]] = Newest(list, _RUNS_MAX)
        self._run_of: dict[str, str] = {}  # by tag
        self._waiting: deque[Callable[[], bool]] = deque(maxlen=_WAITING_MAX)
        self._recalled: deque[Callable[[], bool]] = deque(maxlen=_RECALLED_MAX)

    def recall_target_accepted(self, msg: TargetAccepted) -> None:
        self._recalled.extend(self._receipt(msg))

    def recall_target_rejected(self, msg: TargetRejected) -> None:
        self._recalled.extend(self._receipt(msg))

    def recall_snapshot_taken(self, msg: SnapshotTaken) -> None:
        if self._pages is not None and not msg.preview:
            self._runs[msg.run_id].look(msg.snapshot.quotes)

    def recall_plan_ready(self, msg: PlanReady) -> None:
        if self._pages is not None and not msg.plan.preview:
            self._runs[msg.plan.run_id].plan(msg.plan)

    def recall_place_order(self, msg: PlaceOrder) -> None:
        if self._pages is not None:
            self._run_of[msg.order.tag] = msg.run_id

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        if run_id := self._run_of.get(msg.order.tag):
            self._runs[run_id].sent(msg.order.code, msg.order.side, msg.order.at)

    def recall_fill_received(self, msg: FillReceived) -> None:
        if run_id := self._run_of.get(msg.trade.tag):
            self._runs[run_id].fill(msg.trade)

    def recall_ledger_drift(self, msg: LedgerDrift) -> None:
        self._notes[msg.run_id].append(msg)

    def recall_record_disputed(self, msg: RecordDisputed) -> None:
        self._notes[msg.run_id].append(msg)

    def recall_run_finished(self, msg: RunFinished) -> None:
        self._recalled.extend(self._result(msg))

    on_snapshot_taken = recall_snapshot_taken
    on_plan_ready = recall_plan_ready
    on_order_updated = recall_order_updated
    on_fill_received = recall_fill_received
    on_ledger_drift = recall_ledger_drift
    on_record_disputed = recall_record_disputed

    def on_place_order(self, msg: PlaceOrder) -> None:
        self.recall_place_order(msg)
        if self._pages is not None:
            self._runs[msg.run_id].sent(msg.order.code, msg.order.side, self._clock.now())

    async def on_started(self, msg: Started) -> None:
        """A kill may have come before the newest were written."""
        recalled, self._recalled = tuple(self._recalled), deque(maxlen=_RECALLED_MAX)
        await self._write(*recalled)

    async def on_target_accepted(self, msg: TargetAccepted) -> None:
        await self._write(*self._receipt(msg))

    async def on_target_rejected(self, msg: TargetRejected) -> None:
        await self._write(*self._receipt(msg))

    async def on_run_finished(self, msg: RunFinished) -> None:
        await self._write(*self._result(msg))

    async def on_session_phase_changed(self, msg: SessionPhaseChanged) -> None:
        await self._write()

    def _receipt(self, msg: TargetAccepted | TargetRejected) -> Sequence[Callable[[], bool]]:
        if isinstance(msg, TargetAccepted):
            days = tuple(replace(each, weights=()) for each in msg.days)
            self._files[msg.target_id] = replace(msg, days=days)  # pages tell its name, its mode, what was filtered
            for oldest in tuple(self._files)[:-_FILES_MAX]:
                del self._files[oldest]
        return [] if self._pages is None else [partial(self._pages.write_receipt, msg)]

    def _result(self, msg: RunFinished) -> Sequence[Callable[[], bool]]:
        story, notes = self._runs.pop(msg.run_id, Gathering()).story(), self._notes.pop(msg.run_id, [])
        self._run_of = {tag: run_id for tag, run_id in self._run_of.items() if run_id in self._runs}
        if self._pages is None:
            return []
        return [partial(self._pages.write_result, self._files.get(msg.target_id), msg, story, notes)]

    async def _write(self, *calls: Callable[[], bool]) -> None:
        waiting = (*self._waiting, *calls)
        self._waiting.clear()
        for call in waiting:
            if not await self._offload(call):
                self._waiting.append(call)
