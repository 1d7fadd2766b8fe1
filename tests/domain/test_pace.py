from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qws.domain.execution import Execution
from qws.domain.orders import OrderStatus
from qws.domain.pace import Pace
from qws.domain.run_orders import Leg
from tests.support.builders import FEE, a_plan, a_report, an_order, leave
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
