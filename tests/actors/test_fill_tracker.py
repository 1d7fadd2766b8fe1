from __future__ import annotations

import asyncio
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from actors.fill_tracker import FillTracker
from qws.domain.account import Position
from qws.domain.market import Side
from qws.errors import GatewayLost
from qws.messages import ExecutionEnded, FillReceived, FillsReconciled, PositionDrift, SnapshotTaken
from qws.runtime.message import Later
from tests.support.builders import (
    DAY,
    RUN,
    TARGET,
    HandClock,
    a_fill,
    a_position,
    a_quote,
    a_snapshot,
    an_asset,
    an_order,
    at,
)
from tests.support.fake_broker import FakeBroker, FakeQuotes
from tests.support.outputs import of, told

A, B = "600000.SH", "600004.SH"
ENDED = ExecutionEnded(RUN, DAY, (A, B))
BEFORE = (a_position(A, 1000),)
AFTER = (a_position(A, 400), a_position(B, 300))


def snapshot_taken(positions: tuple[Position, ...] = BEFORE) -> SnapshotTaken:
    return SnapshotTaken(RUN, TARGET, DAY, 0, preview=False, snapshot=a_snapshot("0", positions))


def fills() -> list[FillReceived]:
    sold, bought = an_order(A, Side.SELL, 600), an_order(B, Side.BUY, 300, 1)
    return [FillReceived(a_fill(sold, 600)), FillReceived(a_fill(bought, 100, 1)), FillReceived(a_fill(bought, 200, 2))]


def a_tracker(broker: FakeBroker, clock: HandClock | None = None, quotes: FakeQuotes | None = None) -> FillTracker:
    tracker = FillTracker(broker, quotes or FakeQuotes({A: a_quote(A)}), clock or HandClock(at("10:05:00")))
    tracker.on_snapshot_taken(snapshot_taken())
    for fill in fills():
        tracker.on_fill_received(fill)
    return tracker


def test_books_that_agree_are_reconciled_at_once_with_the_account_and_quotes_of_the_moment() -> None:
    clock, quotes = HandClock(at("10:05:00")), FakeQuotes({A: a_quote(A)})
    broker = FakeBroker(money=an_asset("1", AFTER), holdings=AFTER)

    answer = asyncio.run(a_tracker(broker, clock, quotes).on_execution_ended(ENDED))

    (end,) = told(answer)
    assert isinstance(end, FillsReconciled)
    assert (end.snapshot.positions, end.snapshot.asset) == (AFTER, an_asset("1", AFTER))
    assert (end.snapshot.at, end.snapshot.quotes) == (at("10:05:00"), (a_quote(A),))


def test_a_query_that_lags_is_no_drift() -> None:
    clock = HandClock(at("10:05:00"))
    lagging = FakeBroker(
        holdings=BEFORE, later_accounts=[(an_asset("1", BEFORE), BEFORE), (an_asset("1", AFTER), AFTER)]
    )

    answer = asyncio.run(a_tracker(lagging, clock).on_execution_ended(ENDED))

    assert of(PositionDrift, answer) == []
    assert len(of(FillsReconciled, answer)) == 1
    assert clock.now() == at("10:05:01")


def test_a_difference_that_stays_is_drift_for_each_code_and_does_not_hold_the_run() -> None:
    wrong = (a_position(A, 500), a_position("000001.SZ", 100))
    clock = HandClock(at("10:05:00"))

    answer = asyncio.run(a_tracker(FakeBroker(holdings=wrong), clock).on_execution_ended(ENDED))

    assert of(PositionDrift, answer) == [
        PositionDrift(RUN, "000001.SZ", 0, 100),
        PositionDrift(RUN, A, 400, 500),
        PositionDrift(RUN, B, 300, 0),
    ]
    assert len(of(FillsReconciled, answer)) == 1
    assert clock.now() == at("10:05:04")


def test_a_broker_that_does_not_answer_is_asked_again_later_and_never_read_as_flat() -> None:
    broker = FakeBroker(holdings=AFTER, account_errors=[GatewayLost("gone")] * 5)
    tracker = a_tracker(broker)

    first, second = (asyncio.run(tracker.on_execution_ended(ENDED)) for _ in range(2))

    assert first == Later(30.0, ENDED)
    assert len(of(FillsReconciled, second)) == 1


def test_a_name_that_was_sold_out_is_no_drift_when_the_broker_no_longer_lists_it() -> None:
    tracker = FillTracker(FakeBroker(), FakeQuotes(), HandClock(at("10:05:00")))
    tracker.on_snapshot_taken(snapshot_taken())
    tracker.on_fill_received(FillReceived(a_fill(an_order(A, Side.SELL, 1000), 1000)))

    assert of(PositionDrift, asyncio.run(tracker.on_execution_ended(ENDED))) == []


@given(st.integers(0, 4), st.integers(0, 4))
def test_memory_after_a_restart_is_that_of_the_live_ledger(told_before: int, snapshot_at: int) -> None:
    journal: list[SnapshotTaken | FillReceived] = [*fills()]
    journal.insert(min(snapshot_at, len(journal)), snapshot_taken())
    live, recalled = (FillTracker(FakeBroker(), FakeQuotes(), HandClock(at("10:05:00"))) for _ in range(2))

    for number, message in enumerate(journal):
        if isinstance(message, SnapshotTaken):
            live.on_snapshot_taken(message)
            (recalled.recall_snapshot_taken if number < told_before else recalled.on_snapshot_taken)(message)
        else:
            live.on_fill_received(message)
            (recalled.recall_fill_received if number < told_before else recalled.on_fill_received)(message)

    answers = [of(PositionDrift, asyncio.run(each.on_execution_ended(ENDED))) for each in (live, recalled)]
    assert answers[0] == answers[1]
    assert Decimal(0) == sum(drift.theirs for drift in answers[0])
