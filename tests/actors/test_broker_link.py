from __future__ import annotations

import asyncio

import pytest

from qws.domain.orders import OrderStatus
from qws.errors import GatewayLost, GatewayTimeout
from qws.messages import CancelOrder, ControlOrdered, FillReceived, LinkReady, OrderUpdated, PlaceOrder, SweepDue
from qws.ports import LinkUp
from qws.runtime.message import Later
from tests.support.builders import DAY, NEXT_DAY, RUN, a_report, an_order, at
from tests.support.fake_broker import FakeBroker, of_another
from tests.support.link_rig import ORDER, RULES, a_rig, played, statuses
from tests.support.outputs import of, timers, told


@played
async def test_an_order_is_handed_over_once_and_its_list_is_read_later() -> None:
    rig = a_rig()

    answer = await rig.place()

    assert rig.broker.placed == [ORDER]
    assert told(answer) == [Later(RULES.sweep_s, SweepDue())]
    assert statuses(await rig.sweep()) == [OrderStatus.REPORTED]


@played
async def test_many_orders_start_one_chain_of_sweeps_and_it_ends_with_the_last_of_them() -> None:
    rig = a_rig()

    answers = [await rig.place(an_order(index=n)) for n in range(3)]

    assert [len(timers(SweepDue, answer)) for answer in answers] == [1, 0, 0]
    assert len(timers(SweepDue, await rig.sweep())) == 1
    for n in range(3):
        rig.broker.moves(an_order(index=n), OrderStatus.CANCELED)
    assert timers(SweepDue, await rig.sweep()) == []
    assert len(timers(SweepDue, await rig.place(an_order(index=3)))) == 1


@played
async def test_a_doubled_or_late_push_is_told_once() -> None:
    rig = a_rig()
    await rig.open()
    await rig.place()
    whole, fill = rig.broker.moves(ORDER, OrderStatus.SUCCEEDED, 1000), rig.broker.trades_of(ORDER, 1000)

    heard = await rig.push(fill, whole, fill, whole, a_report(ORDER, OrderStatus.REPORTED))

    assert (len(of(FillReceived, heard)), statuses(heard)) == (1, [OrderStatus.SUCCEEDED])
    assert told(await rig.sweep()) == []


@played
async def test_a_lost_push_is_found_by_the_sweep() -> None:
    rig = a_rig()
    await rig.place()
    fill = rig.broker.trades_of(ORDER, 400)
    rig.broker.moves(ORDER, OrderStatus.PART_SUCC, 400)

    news = await rig.sweep()

    assert [each.trade for each in of(FillReceived, news)] == [fill]
    assert told(news).index(FillReceived(fill)) < told(news).index(of(OrderUpdated, news)[0])


@played
async def test_sweeps_go_on_after_the_end_of_an_order_until_every_fill_of_it_is_told() -> None:
    rig = a_rig()
    await rig.open()
    await rig.place()

    await rig.push(rig.broker.moves(ORDER, OrderStatus.SUCCEEDED, 1000))

    assert len(timers(SweepDue, await rig.sweep())) == 1  # the list of trades comes late
    rig.broker.trades_of(ORDER, 1000)
    last = await rig.sweep()
    assert (len(of(FillReceived, last)), timers(SweepDue, last)) == (1, [])


@played
async def test_a_timeout_with_the_order_live_is_unknown_and_then_found() -> None:
    rig = a_rig(FakeBroker(place_error=GatewayTimeout("no answer in 5 s")))

    answer = await rig.place()

    assert [(update.order.status, update.order.message) for update in of(OrderUpdated, answer)] == [
        (OrderStatus.UNKNOWN, "no answer in 5 s")
    ]
    assert statuses(await rig.sweep()) == [OrderStatus.REPORTED]
    assert rig.broker.placed == [ORDER]


@played
async def test_a_row_of_unknown_state_does_not_hide_what_is_known() -> None:
    rig = a_rig()
    await rig.place()
    await rig.sweep()

    rig.broker.moves(ORDER, OrderStatus.UNKNOWN)

    assert statuses(await rig.sweep()) == []


@played
async def test_an_order_that_never_arrived_is_absent_after_three_looks_and_the_quarantine_told_once() -> None:
    rig = a_rig(FakeBroker(place_error=GatewayTimeout("gone"), arrives=False))
    await rig.place()

    looks = [statuses(await rig.sweep(5.0)) for _ in range(6)]

    assert looks == [[], [], [], [], [OrderStatus.JUNK], []]
    assert timers(SweepDue, await rig.sweep()) == []


@played
async def test_two_looks_prove_nothing_however_long_they_lie_apart() -> None:
    rig = a_rig(FakeBroker(arrives=False))
    await rig.place()

    looks = [statuses(await rig.sweep(100.0)) for _ in range(4)]

    assert looks == [[], [], [], [OrderStatus.JUNK]]


@played
async def test_an_unanswered_or_a_partial_list_is_no_look() -> None:
    rig = a_rig(FakeBroker(arrives=False))
    await rig.place()
    rig.broker.query_errors = [GatewayTimeout("slow")] * 5
    for _ in range(5):
        assert len(timers(SweepDue, await rig.sweep(100.0))) == 1
    rig.broker.arrives = True
    other = an_order(index=1)
    await rig.place(other)
    await rig.sweep(0)
    shown = rig.broker.listed.pop(other.tag)
    for _ in range(2):
        assert statuses(await rig.sweep(100.0)) == []  # an order that must be there is missing

    rig.broker.listed[other.tag] = shown
    looks = [statuses(await rig.sweep(100.0)) for _ in range(3)]

    assert looks == [[], [], [OrderStatus.JUNK]]


@played
async def test_an_order_that_turns_up_after_it_was_absent_is_followed_again() -> None:
    rig = a_rig(FakeBroker(arrives=False))
    await rig.open()
    await rig.place()
    for _ in range(5):
        await rig.sweep(100.0)

    heard = await rig.push(rig.broker.moves(ORDER, OrderStatus.REPORTED))

    assert statuses(heard) == [OrderStatus.REPORTED]
    assert SweepDue() in heard
    rig.broker.trades_of(ORDER, 1000)
    rig.broker.moves(ORDER, OrderStatus.SUCCEEDED, 1000)
    assert statuses(await rig.sweep()) == [OrderStatus.SUCCEEDED]


@played
async def test_orders_by_hand_and_of_other_programs_are_ignored() -> None:
    rig = a_rig()
    await rig.open()
    foreign = [of_another(a_report(ORDER, OrderStatus.REPORTED), tag) for tag in ("", "manual", "q1" + "0" * 14)]
    rig.broker.listed = {report.tag: report for report in foreign}

    assert await rig.push(*foreign) == []
    assert told(await rig.sweep()) == []


@played
async def test_a_replay_of_yesterdays_orders_and_fills_is_ignored() -> None:
    old = an_order(day=DAY)
    rig = a_rig()
    await rig.place(old)
    fill = rig.broker.trades_of(old, 400)
    await rig.sweep()
    rig.clock.set("09:20:00", NEXT_DAY)
    await rig.open()
    await rig.place(an_order(day=NEXT_DAY, index=1))

    heard = await rig.push(fill, a_report(old, OrderStatus.PART_SUCC, 400))

    assert heard == []


@played
async def test_an_open_order_of_yesterday_is_not_swept_for_on_the_next_day() -> None:
    rig = a_rig()
    await rig.place()
    await rig.sweep()
    rig.broker.listed.clear()
    rig.clock.set("09:20:00", NEXT_DAY)

    assert timers(SweepDue, await rig.sweep()) == []


@played
async def test_opening_reads_the_lists_before_it_says_ready() -> None:
    rig = a_rig()
    rig.link.recall_place_order(PlaceOrder(RUN, ORDER, at("10:00:00")))
    rig.broker.listed[ORDER.tag] = a_report(ORDER, OrderStatus.PART_SUCC, 400)
    rig.broker.trades_of(ORDER, 400)

    heard = await rig.open()

    assert [type(message) for message in heard] == [FillReceived, OrderUpdated, LinkReady, SweepDue]


@played
async def test_an_order_of_ours_that_was_never_intended_here_stops_all_trading_once() -> None:
    rig = a_rig()
    rig.broker.listed[ORDER.tag] = a_report(ORDER, OrderStatus.PART_SUCC, 400)

    halts = of(ControlOrdered, await rig.open())

    assert [(halt.command, ORDER.tag in halt.by) for halt in halts] == [("halt", True)]
    assert of(ControlOrdered, await rig.sweep()) == []


@played
async def test_a_list_that_times_out_after_a_reconnect_is_asked_for_again_and_only_then_ready_is_told() -> None:
    rig = a_rig()
    await rig.open()
    rig.broker.query_errors = [GatewayTimeout("loading"), GatewayLost("again")]

    heard = await rig.push(LinkUp())

    assert heard == [LinkReady()]
    assert rig.clock.now() == at("10:00:06")


@played
async def test_fills_during_a_disconnect_are_told_before_ready() -> None:
    rig = a_rig()
    await rig.open()
    await rig.place()
    rig.broker.trades_of(ORDER, 1000)
    rig.broker.moves(ORDER, OrderStatus.SUCCEEDED, 1000)

    heard = await rig.push(LinkUp())

    assert [type(message) for message in heard] == [FillReceived, OrderUpdated, LinkReady]


@pytest.mark.parametrize("error", [GatewayTimeout("slow"), GatewayLost("gone")])
def test_a_cancel_that_fails_says_nothing_because_only_the_status_tells(error: GatewayTimeout | GatewayLost) -> None:
    async def story() -> None:
        rig = a_rig(FakeBroker(cancel_error=error))

        await rig.link.on_cancel_order(CancelOrder(RUN, ORDER.tag, "7"))

        assert rig.broker.cancelled == ["7"]

    asyncio.run(story())
