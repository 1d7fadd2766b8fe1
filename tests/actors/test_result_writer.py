"""Receipts at once and pages at the end, whoever dies in between, and nothing but files comes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest

from actors.result_writer import Note, ResultWriter
from qws.domain.orders import OrderStatus
from qws.domain.quality import quality_of
from qws.domain.story import RunStory
from qws.domain.targets import Refusal
from qws.messages import (
    FillReceived,
    LedgerDrift,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    RunFinished,
    SessionPhaseChanged,
    SnapshotTaken,
    TargetAccepted,
    TargetRejected,
)
from qws.runtime.actor import contract_of
from qws.runtime.message import Message, Started
from qws.virtual import inline
from tests.support.builders import (
    DAY,
    RUN,
    TARGET,
    HandClock,
    a_due,
    a_fill,
    a_market_of,
    a_plan,
    a_report,
    a_snapshot,
    a_target,
    an_order,
    at,
)  # fmt: skip

ORDER = an_order(shares=1000)
QUOTES, RECORDS = a_market_of(ORDER.code)
FILE = a_target({ORDER.code: "0.5"})
LATER_LOOK = replace(QUOTES[0], bids=QUOTES[0].asks[3:], asks=QUOTES[0].asks[4:])
DRIFT = LedgerDrift(RUN, 0, ORDER.code, Decimal(400), Decimal(500), "manual_trade")
END = RunFinished.without_trades(a_due(), "completed", "", "", at("10:05:00"))


def a_look(quote: object = QUOTES[0], *, preview: bool = False) -> SnapshotTaken:
    return SnapshotTaken(RUN, TARGET, DAY, 0, preview, replace(a_snapshot("1000"), quotes=(quote,)))  # type: ignore[arg-type]


STORY: tuple[Message, ...] = (
    FILE,
    a_look(LATER_LOOK, preview=True),
    PlanReady(a_plan(buys={ORDER.code: 700}, preview=True)),
    a_look(),
    PlanReady(a_plan(buys={ORDER.code: 1000})),
    PlaceOrder(RUN, ORDER, at("10:00:03")),
    OrderUpdated(a_report(ORDER, OrderStatus.REPORTED)),
    FillReceived(a_fill(ORDER, 600, price="10.01")),
    FillReceived(a_fill(ORDER, 600, price="10.01")),
    DRIFT,
    a_look(LATER_LOOK),
    FillReceived(a_fill(ORDER, 400, 2, price="10.02", when=at("10:00:05"))),
    FillReceived(a_fill(an_order(shares=500, index=9), 500, 7)),  # of another run, or of nobody
)


@dataclass
class Shelf:
    """Pages that only remember; while `is_gone` nothing can be written."""

    receipts: list[str] = field(default_factory=list)
    results: list[tuple[str, str, RunStory, list[Note]]] = field(default_factory=list)
    is_gone: bool = False

    def write_receipt(self, answer: TargetAccepted | TargetRejected) -> bool:
        if not self.is_gone:
            self.receipts.append(answer.name)
        return not self.is_gone

    def write_result(
        self, target: TargetAccepted | None, end: RunFinished, story: RunStory, notes: Sequence[Note]
    ) -> bool:
        if not self.is_gone:
            self.results.append((target.name if target is not None else "", end.run_id, story, list(notes)))
        return not self.is_gone


class Rig:
    """A result writer; a new life recalls what was told."""

    def __init__(self, shelf: Shelf | None, journal: Sequence[Message] = ()) -> None:
        self.shelf, self.journal, self.contract = shelf, list(journal), contract_of(ResultWriter)
        self.actor = ResultWriter(shelf, inline, HandClock(at("10:00:00")))
        for message in journal:
            if type(message) in self.contract.recalls:
                getattr(self.actor, self.contract.recalls[type(message)])(message)

    def tell(self, *messages: Message) -> Rig:
        for message in messages:
            self.journal.append(message)
            answer = getattr(self.actor, self.contract.handlers[type(message)])(message)
            if answer is not None:
                asyncio.run(answer)
        return self


def test_it_only_listens_and_remembers_all_that_it_hears() -> None:
    contract = contract_of(ResultWriter)

    assert contract.emits == frozenset()
    assert contract.handlers.keys() - contract.recalls.keys() == {Started, SessionPhaseChanged}


def test_a_receipt_comes_at_once_for_what_was_accepted_and_for_what_was_refused() -> None:
    shelf = Shelf()
    refused = TargetRejected("bad.csv", "p", "c", at("09:00:00"), (Refusal("empty_file", "no rows"),))

    Rig(shelf).tell(FILE, refused)

    assert (shelf.receipts, shelf.results) == (["w.csv", "bad.csv"], [])


@pytest.mark.parametrize("lived", range(len(STORY) + 1))
def test_the_page_tells_the_same_wherever_a_restart_cut_the_run(lived: int) -> None:
    shelf = Shelf()
    rig = Rig(Shelf()).tell(*STORY[:lived])

    Rig(shelf, rig.journal).tell(Started(), *STORY[lived:], END)

    ((file, run_id, story, notes),) = shelf.results
    (work,) = story.works
    assert (file, run_id, notes) == ("w.csv", RUN, [DRIFT])
    assert (work.planned, work.filled, work.fees, work.fill_s) == (1000, 1000, 10, 5.0)
    assert quality_of(story.works).slippage_mid_bp == pytest.approx(14)
    assert shelf.receipts == ["w.csv"]


def test_what_a_kill_may_have_left_unwritten_is_written_again_with_everything_in_it() -> None:
    before, after = Shelf(), Shelf()
    rig = Rig(before).tell(*STORY, END)

    Rig(after, rig.journal).tell(Started())

    assert (after.receipts, after.results) == (before.receipts, before.results)


def test_what_cannot_be_written_is_tried_again_until_it_can_and_nothing_is_lost() -> None:
    shelf = Shelf(is_gone=True)
    rig = Rig(shelf).tell(*STORY, END)
    assert (shelf.receipts, shelf.results) == ([], [])

    shelf.is_gone = False
    rig.tell(SessionPhaseChanged(DAY, "lunch", at("11:30:00")), SessionPhaseChanged(DAY, "closed", at("15:00:00")))

    assert shelf.receipts == ["w.csv"]
    assert [len(story.works) for _, _, story, _ in shelf.results] == [1]


def test_without_pages_it_keeps_nothing() -> None:
    rig = Rig(None).tell(*STORY, END)

    kept = {name: value for name, value in vars(rig.actor).items() if isinstance(value, dict) and name != "_files"}
    assert kept
    assert not any(kept.values())
