"""The end of an attempt that is not the first one, or of which nothing was sent."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.execution import INTERRUPTED
from qws.domain.orders import OrderStatus
from qws.messages import ExecutionEnded, LinkReady, PricesDue, RunFinished, RunPaused, RunStopOrdered, SendWindowDue
from qws.runtime.message import Later, Message
from tests.support.builders import a_plan, at
from tests.support.desk import BOTH, DUE, RULES, A, B, a_desk, closed, end_of, orders, ready
from tests.support.outputs import of


@pytest.mark.parametrize(
    ("reason", "status"), [("halted", "refused"), ("cancelled", "refused"), ("superseded", "superseded")]
)
@pytest.mark.parametrize(("clock", "waits_for"), [("11:30:00", SendWindowDue), ("10:00:10", PricesDue)])
def test_a_run_whose_plan_waits_and_of_which_nothing_was_sent_is_refused_when_a_person_stops_it(
    clock: str, waits_for: type[Message], reason: str, status: str
) -> None:
    desk = a_desk(at(clock), rules=replace(RULES, price_age_max_s=3.0))
    waiting = desk.tell(ready(BOTH))
    assert [type(each.message if isinstance(each, Later) else each) for each in waiting] == [waits_for]

    assert of(ExecutionEnded, desk.tell(RunStopOrdered(DUE, reason)))

    end = end_of(desk)
    assert (end.status, end.reason) == (status, reason)


def test_a_stop_in_a_further_attempt_ends_the_run_with_what_the_earlier_ones_traded() -> None:
    desk = a_desk()
    first, _ = orders(desk.tell(ready(BOTH)))
    desk.whole(first)
    desk.tell(RunStopOrdered(DUE, INTERRUPTED))
    for order in orders(desk.journal)[1:]:
        desk.report(order, OrderStatus.CANCELED)
    cut = closed(desk)
    assert isinstance(cut, RunPaused)
    desk.tell(cut)

    for each in (desk, desk.reborn()):
        each.tell(LinkReady())
        again = replace(DUE, attempt=1, trigger="recovery", before=cut)
        (end,) = of(RunFinished, each.tell(RunStopOrdered(again, "halted")))
        assert (end.status, end.reason, end.attempt) == ("incomplete", "halted", 1)
        assert [outcome.filled for outcome in end.outcomes if outcome.code == first.code] == [first.shares]


def test_the_result_of_a_further_attempt_counts_what_the_earlier_ones_traded_also_after_a_restart() -> None:
    desk = a_desk()
    first, second = orders(desk.tell(ready(a_plan(sells={A: 1000, B: 1000}))))
    desk.whole(first)
    desk.fill(second, 400)
    desk.report(second, OrderStatus.PART_CANCEL, 400)
    left = closed(desk)
    assert isinstance(left, RunPaused)
    assert (left.reason, left.follow_ups) == ("follow_up", 1)
    desk.tell(left)
    (rest,) = orders(desk.tell(ready(a_plan(sells={B: 600}, attempt=1))))

    for each in (desk, desk.reborn()):
        each.tell(LinkReady())
        each.whole(rest)
        end = end_of(each)
        assert [(outcome.planned, outcome.filled) for outcome in end.outcomes if outcome.code == B] == [(1000, 1000)]
        assert end.fees == left.end.fees + Decimal(5)
