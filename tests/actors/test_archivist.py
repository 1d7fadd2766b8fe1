"""What is kept of runs: one result each, beside the right file, with everything that was noted of it."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal

import anyio
import pytest
from loguru import logger

from actors.archivist import Archivist, Note
from qws.domain.rest import KEPT
from qws.messages import (
    EquityRecorded,
    LedgerDrift,
    RecordDisputed,
    RunFinished,
    RunPaused,
    SessionPhaseChanged,
    TargetAccepted,
)
from qws.runtime.actor import contract_of
from qws.runtime.message import Message, Started
from qws.virtual import inline
from tests.support.builders import DAY, NEXT_DAY, RUN, TARGET, a_due, a_target, an_asset, at

CODE = "600000.SH"
OTHER = "b" * 64
DRIFT = LedgerDrift(RUN, 0, CODE, Decimal(400), Decimal(500), "manual_trade")
DISPUTE = RecordDisputed(RUN, CODE, "tick", "0.01", "0.001")
END = RunFinished.without_trades(a_due(), "incomplete", "not_filled", "", at("10:05:00"))
CLOSE = EquityRecorded(DAY, at("15:10:00"), "close", "", an_asset("1000.00"), (), None)


@dataclass
class Shelf:
    """An archive that only remembers; while `is_gone` nothing can be written."""

    targets: list[str] = field(default_factory=list)
    results: list[tuple[str, RunFinished, list[Note]]] = field(default_factory=list)
    equity: list[EquityRecorded] = field(default_factory=list)
    is_gone: bool = False

    def _reach(self) -> None:
        if self.is_gone:
            raise OSError(errno.ENOSPC, "no space left on device", "w.csv")

    def write_target(self, target: TargetAccepted) -> None:
        self._reach()
        self.targets.append(target.name)

    def write_result(self, target: TargetAccepted | None, result: RunFinished, notes: Sequence[Note]) -> None:
        self._reach()
        self.results.append((target.name if target is not None else "", result, list(notes)))

    def append_equity(self, record: EquityRecorded) -> None:
        self._reach()
        self.equity.append(record)


@dataclass
class Rig:
    """An archivist and its shelf; a new life recalls what was told, and writes to an empty one."""

    shelf: Shelf = field(default_factory=Shelf)
    journal: list[Message] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.actor = Archivist(self.shelf, inline)
        self.contract = contract_of(Archivist)
        for message in self.journal:
            if type(message) in self.contract.recalls:
                getattr(self.actor, self.contract.recalls[type(message)])(message)

    def tell(self, *messages: Message) -> Rig:
        for message in messages:
            self.journal.append(message)
            anyio.run(self._tell, message)
        return self

    async def _tell(self, message: Message) -> None:
        answer = getattr(self.actor, self.contract.handlers[type(message)])(message)
        if answer is not None:
            await answer

    def reborn(self) -> Rig:
        return Rig(journal=list(self.journal)).tell(Started())


def named(name: str, **changes: object) -> TargetAccepted:
    return replace(a_target({CODE: "0.5"}, target_id=str(changes.pop("target_id", TARGET))), name=name, **changes)  # type: ignore[arg-type]


def test_a_result_lies_beside_its_file_with_what_was_noted_and_the_target_is_kept() -> None:
    rig = Rig().tell(named("a.csv"), DRIFT, DISPUTE, END)

    assert rig.shelf.results == [("a.csv", END, [DRIFT, DISPUTE])]
    assert rig.shelf.targets == ["a.csv"]


def test_a_pause_is_no_result_and_the_notes_of_all_attempts_are_in_the_one_of_their_run() -> None:
    assert RunPaused not in contract_of(Archivist).handlers
    rig = Rig().tell(named("a.csv"), DRIFT, replace(DRIFT, attempt=1), replace(END, attempt=1))

    assert [notes for _, _, notes in rig.shelf.results] == [[DRIFT, replace(DRIFT, attempt=1)]]


@pytest.mark.parametrize("is_reborn", [False, True])
def test_what_was_carried_over_has_its_result_beside_the_older_file(*, is_reborn: bool) -> None:
    later = named("later.csv", target_id=OTHER, at=at("08:00:00", NEXT_DAY))
    carried = RunFinished.without_trades(a_due(day=NEXT_DAY), "completed", "", "", at("10:00:00", NEXT_DAY))
    rig = Rig().tell(named("older.csv"), later)

    rig = (rig.reborn() if is_reborn else rig).tell(carried)

    assert [name for name, _, _ in rig.shelf.results] == ["older.csv"]


def test_a_target_of_which_nothing_can_be_carried_any_more_is_forgotten() -> None:
    later = named("later.csv", target_id=OTHER, at=at("08:00:00", DAY + KEPT + timedelta(days=1)))

    assert [name for name, _, _ in Rig().tell(named("older.csv"), later, END).shelf.results] == [""]


def test_a_new_life_writes_the_newest_results_and_records_once_more_exactly_as_they_were() -> None:
    before = Rig().tell(named("a.csv"), DRIFT, DISPUTE, END, CLOSE)

    after = before.reborn()

    assert after.shelf.results == before.shelf.results
    assert after.shelf.equity == before.shelf.equity == [CLOSE]


def test_notes_of_a_run_that_a_restart_cut_are_in_its_result() -> None:
    rig = Rig().tell(named("a.csv"), DRIFT).reborn().tell(DISPUTE, END)

    assert rig.shelf.results == [("a.csv", END, [DRIFT, DISPUTE])]


PHASE = SessionPhaseChanged(DAY, "closed", at("15:00:00"))


def test_what_cannot_be_written_ends_nothing_and_is_written_once_when_the_folder_is_back() -> None:
    rig, lines = Rig(), list[str]()
    sink = logger.add(lines.append, format="{message}")
    rig.shelf.is_gone = True
    try:
        rig.tell(named("a.csv"), DRIFT, END, CLOSE, replace(END, run_id="later"), PHASE, PHASE)
    finally:
        logger.remove(sink)
    assert (rig.shelf.targets, rig.shelf.results, rig.shelf.equity) == ([], [], [])
    assert len(lines) == 4  # each file is told of once

    rig.shelf.is_gone = False
    rig.tell(PHASE, PHASE)

    assert (rig.shelf.targets, rig.shelf.equity) == (["a.csv"], [CLOSE])
    later = ("a.csv", replace(END, run_id="later"), list[Note]())
    assert rig.shelf.results == [("a.csv", END, [DRIFT]), later]


def test_a_start_beside_an_unwritable_folder_lives_and_writes_the_newest_later() -> None:
    again = Rig(Shelf(is_gone=True), Rig().tell(named("a.csv"), DRIFT, END, CLOSE).journal).tell(Started())

    again.shelf.is_gone = False
    again.tell(PHASE)

    assert (again.shelf.results, again.shelf.equity) == ([("a.csv", END, [DRIFT])], [CLOSE])


def test_a_folder_that_is_gone_for_long_keeps_the_newest_and_no_more_than_it_may() -> None:
    rig = Rig(Shelf(is_gone=True))
    ends = [replace(END, run_id=f"r{number}") for number in range(150)]
    rig.tell(*ends)

    rig.shelf.is_gone = False
    rig.tell(PHASE)

    kept = [end for _, end, _ in rig.shelf.results]
    assert 0 < len(kept) < len(ends)
    assert kept == ends[-len(kept) :]
