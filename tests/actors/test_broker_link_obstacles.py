"""What waits in the link when a run is stopped, trading is halted or the day is over is never handed over."""

from __future__ import annotations

import pytest

from actors.broker_link import BrokerLink
from qws.domain.orders import OrderStatus
from qws.errors import GatewayTimeout
from qws.messages import ControlOrdered, FillReceived, ListsDue, ListsRead, OrderUpdated, RunStopOrdered
from qws.runtime.message import Later, Stopping
from tests.support.builders import NEXT_DAY, RUN, TARGET, a_due, an_order
from tests.support.link_rig import ORDER, Rig, a_rig, played
from tests.support.outputs import of

STOP = RunStopOrdered(a_due(target_id=TARGET), "cancelled")


def withdrawn(answer: object) -> list[tuple[OrderStatus, str, str]]:
    return [(told.order.status, told.order.order_id, told.order.message) for told in of(OrderUpdated, answer)]


def halted(rig: Rig) -> str:
    rig.link.on_control_ordered(ControlOrdered("halt", "me"))
    return "halted"


def stopped(rig: Rig) -> str:
    rig.link.on_run_stop_ordered(STOP)
    return "cancelled"


def stopping(rig: Rig) -> str:
    rig.link.on_stopping(Stopping())
    return "stopping"


def over(rig: Rig) -> str:
    rig.clock.set("14:56:00")
    return "session_over"


def at_lunch(rig: Rig) -> str:
    rig.clock.set("11:30:00")
    return "session_over"


@pytest.mark.parametrize("happens", [halted, stopped, stopping, over, at_lunch])
def test_an_order_that_waited_is_not_handed_over_and_ends(happens: object) -> None:
    @played
    async def story() -> None:
        rig = a_rig()
        reason = happens(rig)  # type: ignore[operator]

        assert withdrawn(await rig.place()) == [(OrderStatus.JUNK, "", f"not sent: {reason}")]
        assert rig.broker.placed == []

    story()


@played
async def test_a_resume_and_the_next_attempt_of_a_stopped_run_may_send_again() -> None:
    rig = a_rig()
    halted(rig)
    stopped(rig)
    rig.link.on_control_ordered(ControlOrdered("resume", "me"))
    other = an_order(index=0, day=NEXT_DAY)
    rig.clock.set("10:00:00", NEXT_DAY)

    assert withdrawn(await rig.place(other)) == []
    assert rig.broker.placed == [other]


@played
async def test_an_order_whose_price_is_of_another_moment_when_its_turn_comes_is_not_handed_over() -> None:
    rig = a_rig()

    assert withdrawn(await rig.place(good_s=0.0)) == []
    late = await rig.place(an_order(index=1), good_s=-0.1)
    assert withdrawn(late) == [(OrderStatus.JUNK, "", "not sent: stale_price")]
    assert len(rig.broker.placed) == 1


@played
async def test_a_last_look_reads_the_lists_tells_what_they_know_and_then_that_it_looked() -> None:
    rig = a_rig()
    await rig.open()
    await rig.place()
    rig.broker.trades_of(ORDER, 1000)
    rig.broker.moves(ORDER, OrderStatus.SUCCEEDED, 1000)

    told = await rig.link.on_lists_due(ListsDue(RUN, 0, 1))

    assert [type(each) for each in told] == [FillReceived, OrderUpdated, ListsRead]
    rig.broker.query_errors = [GatewayTimeout("no answer")]
    assert await rig.link.on_lists_due(ListsDue(RUN, 0, 1)) == [Later(3.0, ListsDue(RUN, 0, 1))]


def test_a_halt_of_an_earlier_life_is_remembered() -> None:
    @played
    async def story() -> None:
        rig = a_rig()
        rig.link.recall_control_ordered(ControlOrdered("halt", "me"))

        assert withdrawn(await rig.place())[0][2] == "not sent: halted"

    story()


def test_stops_overtake_the_orders_that_wait() -> None:
    assert set(BrokerLink.overtaking) == {ControlOrdered, RunStopOrdered, Stopping}
    assert BrokerLink.on_crash == "halt"
