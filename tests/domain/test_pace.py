from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from qws.domain.execution import Execution
from qws.domain.orders import OrderStatus
from qws.domain.pace import Pace, Rate
from qws.domain.run_orders import Leg
from tests.support.builders import FEE, a_plan, a_report, an_order, at, leave
from tests.support.desk import RULES


def legs(count: int) -> list[Leg]:
    return [Leg(an_order(index=number)) for number in range(count)]


def take(leg: Leg) -> None:
    """The broker answers that it has the order."""
    leg.order = a_report(leg.request, OrderStatus.REPORTED)


def too_late(leg: Leg) -> None:
    """The order was not handed over in time."""
    leg.order = a_report(leg.request, OrderStatus.JUNK, order_id="", message="not sent: stale_price")


def sent(pace: Pace, count: int, taken: int) -> Pace:
    """So many leave together, the first of them are taken, the others come too late."""
    batch = legs(count)
    pace.note_sent(batch)
    for number, leg in enumerate(batch):
        if number < taken:
            take(leg)
        else:
            too_late(leg)
            pace.note_late()
    return pace


def test_until_an_order_comes_too_late_any_number_leaves() -> None:
    pace = Pace()
    assert pace.room() is None

    pace.note_sent(legs(5000))

    assert pace.room() is None
    assert sent(pace, 3000, 3000).room() is None


def test_after_some_came_too_late_as_many_leave_as_were_taken() -> None:
    assert sent(Pace(), 100, 40).room() == 40
    assert sent(Pace(), 100, 0).room() == 1  # never none at all


def test_nothing_leaves_while_an_order_that_left_has_not_been_answered() -> None:
    pace, batch = Pace(), legs(3)
    pace.note_sent(batch)
    take(batch[0])
    too_late(batch[1])
    pace.note_late()

    assert pace.room() == 0
    too_late(batch[2])
    pace.note_late()
    assert pace.room() == 1


def test_an_order_of_which_nobody_knows_has_been_answered() -> None:
    pace = sent(Pace(), 4, 2)
    batch = legs(2)
    pace.note_sent(batch)
    take(batch[0])
    assert pace.room() == 0

    batch[1].order = a_report(batch[1].request, OrderStatus.UNKNOWN, order_id="")

    assert pace.room() == 2


def test_a_batch_that_was_taken_in_time_lets_twice_as_many_leave_as_the_next() -> None:
    pace = sent(Pace(), 100, 10)

    rooms = [sent(pace, pace.room() or 0, pace.room() or 0).room() for _ in range(4)]

    assert rooms == [10, 20, 40, 80]  # the batch after a late one proves only itself


def test_a_batch_that_is_late_again_lets_fewer_leave() -> None:
    pace = sent(Pace(), 100, 10)
    sent(pace, 10, 10)
    sent(pace, 10, 10)

    assert pace.room() == 20
    assert sent(pace, 20, 5).room() == 5


@given(st.lists(st.tuples(st.integers(1, 300), st.floats(0, 1)), min_size=1, max_size=12))
def test_whatever_the_broker_takes_something_may_leave_and_never_more_than_twice_what_it_took(
    batches: list[tuple[int, float]],
) -> None:
    pace, most = Pace(), None  # type: Pace, int | None
    for wanted, part in batches:
        count = wanted if pace.room() is None else min(wanted, pace.room() or 0)
        taken = int(count * part)
        sent(pace, count, taken)
        if taken < count:
            most = max(1, taken)
            assert pace.room() == most
        elif most is not None:
            assert 1 <= (pace.room() or 0) <= 2 * most
            most = pace.room()


def test_what_is_put_back_leaves_in_the_order_of_the_plan_whatever_came_back_first() -> None:
    run = Execution(a_plan(sells=dict.fromkeys(("600000.SH", "600001.SH", "600004.SH"), 1000)), RULES, FEE)
    first, second, third = leave(run)
    run.on_order(a_report(second, OrderStatus.REPORTED))

    for late in (third, first):
        run.on_order(a_report(late, OrderStatus.JUNK, order_id="", message="not sent: stale_price"))

    assert [row.code for row in run.due()] == [first.code]  # and no more at once than the broker takes
    (again,) = run.send(run.due(), run.plan.at)
    run.on_order(a_report(again, OrderStatus.REPORTED))
    assert [row.code for row in run.due()] == [third.code]


def test_no_more_than_the_limit_leave_in_any_second_and_the_next_may_when_the_oldest_is_a_second_old() -> None:
    rate, start = Rate(3), at("10:00:00")
    half, whole = start + timedelta(milliseconds=500), start + timedelta(seconds=1)
    rate.note(2, start)
    assert rate.room(half) == 1
    rate.note(1, half)

    assert (rate.room(half), rate.opens_at()) == (0, whole)
    assert rate.room(whole) == 2
    rate.note(2, whole)
    assert rate.opens_at() == half + timedelta(seconds=1)


def test_cancels_count_and_are_never_kept_back() -> None:
    rate, now = Rate(2), at("10:00:00")
    rate.note(5, now)

    assert (rate.room(now), rate.opens_at()) == (0, now + timedelta(seconds=1))


def test_without_a_limit_any_number_leaves() -> None:
    rate = Rate(0)
    rate.note(1000, at("10:00:00"))

    assert rate.room(at("10:00:00")) is None


@given(st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 9)), max_size=30), st.integers(1, 6))
def test_whatever_waits_no_second_has_more_orders_than_the_limit(steps: list[tuple[int, int]], most: int) -> None:
    rate, now, left = Rate(most), at("10:00:00"), list[datetime]()
    for pause_ms, wanted in steps:
        now += timedelta(milliseconds=pause_ms)
        room = rate.room(now)
        assert room is not None
        rate.note(min(room, wanted), now)
        left += [now] * min(room, wanted)

    for moment in left:
        assert sum(moment <= each < moment + timedelta(seconds=1) for each in left) <= most
