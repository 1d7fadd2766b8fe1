"""Memory of actors that listen for months: what never ends, or comes without end, takes no more than its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import anyio

from actors.archivist import Archivist, Note
from actors.file_watcher import FileWatcher, WatchSettings
from actors.planner import Planner
from actors.result_writer import ResultWriter
from qws.domain.planner import Sizing
from qws.domain.rest import Absent
from qws.domain.story import RunStory
from qws.messages import RecordDisputed, RunFinished, SnapshotTaken, TargetAccepted, TargetRejected
from qws.runtime.actor import Actor
from qws.runtime.message import Message, Started
from qws.virtual import KeepNothing, inline
from tests.actors.test_planner import RULES
from tests.actors.test_result_writer import END, FILE, a_look
from tests.soak.memory import plain
from tests.support.builders import DAY, HandClock, at

MANY = 60


class Kept(KeepNothing):
    """An archive that remembers which targets were written."""

    def __init__(self) -> None:
        self.targets: list[str] = []

    def write_target(self, target: TargetAccepted) -> None:
        self.targets.append(target.target_id)


class Pages:
    """Pages that are nothing but their notes."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def write_receipt(self, answer: TargetAccepted | TargetRejected) -> bool:
        return True

    def write_result(
        self, target: TargetAccepted | None, end: RunFinished, story: RunStory, notes: Sequence[Note]
    ) -> bool:
        self.notes.extend(notes)
        return True


def told(actor: Actor, messages: Sequence[Message]) -> None:
    """Tell an actor as the system does, its recalls where there is no handler."""

    async def body() -> None:
        for message in messages:
            kinds = {SnapshotTaken: "snapshot_taken", RecordDisputed: "record_disputed", RunFinished: "run_finished"}
            kinds |= {TargetAccepted: "target_accepted", Started: "started"}
            answer = getattr(actor, f"on_{kinds[type(message)]}")(message)
            if answer is not None:
                await answer

    anyio.run(body)


def size(actor: Actor) -> int:
    """How much an actor remembers, as the length of a text of it."""
    return len(repr(plain(actor)))


def of_runs(count: int) -> list[Message]:
    looks = [replace(a_look(), run_id=f"R-{number}") for number in range(count)]
    return [each for look in looks for each in (look, RecordDisputed(look.run_id, "600000.SH", "tick", "1", "2"))]


def test_runs_that_never_end_take_no_more_room_than_twenty() -> None:
    sizes = []
    for count in (MANY, 4 * MANY):
        writer = ResultWriter(Pages(), inline, HandClock(at("10:00:00")))
        told(writer, of_runs(count))
        sizes.append(size(writer))

    assert sizes[1] < 1.1 * sizes[0]


def test_the_newest_runs_keep_their_notes() -> None:
    pages = Pages()
    writer = ResultWriter(pages, inline, HandClock(at("10:00:00")))

    told(writer, [*of_runs(MANY), replace(END, run_id=f"R-{MANY - 1}"), replace(END, run_id="R-0")])

    assert [each.run_id for each in pages.notes] == [f"R-{MANY - 1}"]


def files(count: int) -> list[TargetAccepted]:
    return [replace(FILE, target_id=f"t{number}", at=FILE.at + timedelta(seconds=number)) for number in range(count)]


def test_a_start_writes_the_newest_targets_again_and_not_those_of_a_year() -> None:
    shelf = Kept()
    archivist = Archivist(shelf, inline)
    for file in files(250):
        archivist.recall_target_accepted(file)

    told(archivist, [END])

    assert shelf.targets == [f"t{number}" for number in range(250 - 64, 250)]


def test_what_was_accepted_long_ago_is_remembered_by_its_place_only() -> None:
    watcher = FileWatcher(None, HandClock(at("10:00:00")), WatchSettings(), inline, None)  # type: ignore[arg-type]
    for file in files(3):
        watcher.recall_target_accepted(file)

    (left,) = watcher.__dict__["_unfiled"].values()
    assert (left.path, left.name, left.days, left.dropped) == (FILE.path, FILE.name, (), ())


def test_of_the_targets_of_one_day_the_planner_keeps_those_that_may_still_be_wanted() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    for file in files(MANY):
        planner.recall_target_accepted(file)

    kept = [target_id for target_id, day in planner.__dict__["_book"].__dict__["_targets"] if day == DAY]
    assert kept == [f"t{number}" for number in range(MANY - 41, MANY)]
