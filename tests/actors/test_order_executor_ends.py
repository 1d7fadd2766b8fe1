from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from qws.domain.execution import INTERRUPTED
from qws.domain.orders import OrderStatus
from qws.messages import (
    BuysOverdue,
    CancelOrder,
    ExecutionEnded,
    FillsReconciled,
    LinkReady,
    PlaceOrder,
    RunFinished,
    RunPaused,
    RunStopOrdered,
    SellsOverdue,
    SendWindowDue,
)
from qws.runtime.message import Stopping
from tests.support.builders import (
    RUN,
    a_plan,
    a_snapshot,
)
from tests.support.desk import BOTH, DUE, A, B, C, Desk, a_desk, closed, end_of, orders, ready, told_of_end
from tests.support.outputs import of, timers


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("superseded", "superseded"),
        ("halted", "incomplete"),
        ("cancelled", "incomplete"),
    ],
)
def test_a_stopped_run_cancels_what_works_sends_nothing_more_and_ends_with_its_reason(reason: str, status: str) -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.report(second, OrderStatus.REPORTED)

    answer = desk.tell(RunStopOrdered(DUE, reason))

    assert [each.tag for each in of(CancelOrder, answer)] == [second.tag]
    rest = desk.report(second, OrderStatus.CANCELED)
    assert (orders(answer), orders(rest), len(of(ExecutionEnded, rest))) == ([], [], 1)
    end = end_of(desk)
    assert (end.status, end.reason) == (status, reason)


@pytest.mark.parametrize(
    ("reason", "status"),
    [("superseded", "superseded"), ("halted", "refused"), ("cancelled", "refused"), (INTERRUPTED, "refused")],
)
def test_a_stop_before_the_plan_is_ready_ends_the_run_and_the_late_plan_is_not_executed(
    reason: str, status: str
) -> None:
    desk = a_desk()

    word = told_of_end(desk.tell(RunStopOrdered(DUE, reason)))

    assert isinstance(word, RunPaused) is (reason == INTERRUPTED)
    end = word.end if isinstance(word, RunPaused) else word
    assert (end.run_id, end.status, end.reason) == (RUN, status, reason)
    assert desk.tell(ready(BOTH)) == []
    assert not desk.executor.busy()
    again = desk.reborn()
    assert again.tell(LinkReady()) == []
    assert not again.executor.busy()


def test_a_late_plan_of_any_run_that_is_over_is_not_executed_not_only_of_the_last() -> None:
    desk = a_desk()
    later = replace(DUE, run_id="later")
    desk.tell(RunStopOrdered(DUE, "superseded"))
    desk.tell(RunStopOrdered(later, "halted"))
    desk.tell(
        RunFinished.without_trades(replace(DUE, run_id="refused"), "refused", "no_snapshot", "", desk.clock.now())
    )

    for each in (desk, desk.reborn()):
        each.tell(LinkReady())
        for run_id in (RUN, "later", "refused"):
            assert each.tell(ready(a_plan(buys={C: 100}, cash="5000", run_id=run_id))) == []


def test_a_second_stop_neither_cancels_twice_nor_changes_the_reason() -> None:
    desk = a_desk()
    first, _ = orders(desk.tell(ready(a_plan(sells={A: 1000, B: 1000}))))
    desk.report(first, OrderStatus.REPORTED)
    desk.tell(RunStopOrdered(DUE, "cancelled"))

    assert desk.tell(RunStopOrdered(DUE, "superseded")) == []


def test_a_preview_is_never_sent() -> None:
    desk = a_desk()

    assert desk.tell(ready(replace(BOTH, preview=True))) == []
    assert desk.reborn().tell(LinkReady()) == []


def test_a_second_plan_does_not_disturb_a_run() -> None:
    desk = a_desk()
    desk.tell(ready(BOTH))

    assert desk.tell(ready(a_plan(buys={C: 100}, cash="5000", run_id="other"))) == []


def test_a_stopping_system_sends_nothing_more_and_does_not_wait_for_the_run() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.tell(Stopping())

    assert not desk.executor.busy()
    assert [*desk.whole(first), *desk.whole(second)] == []


def _a_day(desk: Desk) -> Iterator[None]:
    """A run with a fill in parts, a cancel, a rejection and buys, step by step."""
    first, second = orders(desk.tell(ready(BOTH)))
    yield
    desk.report(first, OrderStatus.REPORTED)
    yield
    desk.fill(first, 400, 1)
    yield
    desk.report(second, OrderStatus.PART_SUCC, 300)
    yield
    desk.fill(second, 300)
    yield
    desk.fill(first, 600, 2)
    yield
    desk.report(first, OrderStatus.SUCCEEDED, 1000)
    yield
    desk.tell(SellsOverdue(RUN, 0))
    yield
    bought = orders(desk.report(second, OrderStatus.PART_CANCEL, 300))
    yield
    desk.report(bought[0], OrderStatus.REPORTED)
    yield
    desk.whole(bought[0])
    yield
    desk.report(bought[1], OrderStatus.JUNK)
    yield
    desk.tell(FillsReconciled(RUN, a_snapshot("10000")))
    yield


def test_a_recalled_run_never_sends_anything_again_whenever_it_was_cut() -> None:
    desk = a_desk()
    for _ in _a_day(desk):
        pass
    assert len(orders(desk.journal)) == 4

    for cut in range(1, len(desk.journal) + 1):
        again = desk.reborn(cut)
        sent = list(again.tell(LinkReady()))
        for order in [each.order for each in of(PlaceOrder, desk.journal[:cut])]:
            for report in (OrderStatus.REPORTED, OrderStatus.CANCELED):
                sent += again.report(order, report)
        for timer in (SendWindowDue(RUN, 0), SellsOverdue(RUN, 0), BuysOverdue(RUN, 0)):
            sent += again.tell(timer)
        assert orders(sent) == []


def test_a_recalled_run_knows_the_same_money_fills_and_open_orders_as_the_live_one() -> None:
    desk = a_desk()
    for _ in _a_day(desk):
        live, recalled = desk.executor._book.run, desk.reborn().executor._book.run

        assert (live is None) == (recalled is None)
        if live is not None and recalled is not None:
            assert (recalled.key, recalled.cash, recalled.fees) == (live.key, live.cash, live.fees)
            assert recalled.legs == live.legs
            assert recalled.open_legs() == live.open_legs()


def test_a_recalled_run_cancels_what_still_works_and_ends_interrupted_when_all_is_known() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.report(second, OrderStatus.REPORTED)
    again = desk.reborn()

    answer = again.tell(LinkReady())

    assert [each.tag for each in of(CancelOrder, answer)] == [second.tag]
    assert timers(BuysOverdue, answer) == [(5.0, BuysOverdue(RUN, 0))]
    assert again.tell(RunStopOrdered(DUE, "interrupted")) == []
    assert of(ExecutionEnded, again.report(second, OrderStatus.CANCELED))
    word = closed(again)
    assert isinstance(word, RunPaused)
    assert (word.reason, word.follow_ups, word.was_sent) == (INTERRUPTED, 0, True)
    assert (word.end.status, [each.filled for each in word.end.outcomes if each.code == A]) == ("incomplete", [1000])


def test_a_recalled_run_that_a_person_had_cancelled_stays_cancelled() -> None:
    desk = a_desk()
    first, _ = orders(desk.tell(ready(BOTH)))
    desk.report(first, OrderStatus.REPORTED)
    desk.tell(RunStopOrdered(DUE, "cancelled"))
    again = desk.reborn()
    again.tell(LinkReady())
    for order in [each.order for each in of(PlaceOrder, desk.journal)]:
        again.report(order, OrderStatus.CANCELED)

    assert (end_of(again).status, end_of_reason(again)) == ("incomplete", "cancelled")


def end_of_reason(desk: Desk) -> str:
    return of(RunFinished, desk.journal)[-1].reason


def test_a_recalled_run_that_was_superseded_ends_superseded() -> None:
    desk = a_desk()
    desk.tell(ready(BOTH))
    again = desk.reborn()
    again.tell(RunStopOrdered(DUE, "superseded"))
    again.tell(LinkReady())
    for order in [each.order for each in of(PlaceOrder, desk.journal)]:
        again.report(order, OrderStatus.CANCELED)

    assert end_of(again).status == "superseded"


def test_the_recovery_of_a_cut_run_has_tags_of_its_own() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(BOTH)))
    for order in (first, second):
        desk.report(order, OrderStatus.CANCELED)
    again = desk.reborn()
    again.tell(LinkReady())
    again.tell(FillsReconciled(RUN, a_snapshot("10000")))

    answer = again.tell(ready(replace(BOTH, attempt=1)))

    assert [order.code for order in orders(answer)] == [A, B]
    assert not {order.tag for order in orders(answer)} & {first.tag, second.tag}
