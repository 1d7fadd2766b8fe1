"""Rows that are ours and should not be there, and orders that nobody wants any more: cancelled, told, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from qws.domain.market import Side
from qws.domain.orders import LinkRules, OrderStatus
from qws.messages import CancelOrder, ControlOrdered, FillReceived, OrderUpdated, StrayOrderSeen
from tests.actors.test_broker_link_whose_order import TWIN, looked_for_long, lost, unsigned
from tests.support.builders import a_report, an_order, at
from tests.support.fake_broker import FakeBroker
from tests.support.link_rig import ORDER, a_rig, played, statuses
from tests.support.outputs import of, told


@played
async def test_a_second_row_under_one_tag_halts_and_is_cancelled_and_its_fills_are_none_of_ours() -> None:
    rig = a_rig()
    await rig.open()
    await rig.place()
    await rig.sweep()
    double = a_report(ORDER, OrderStatus.REPORTED, order_id="double")
    rig.broker.listed["double"] = double

    news = told(await rig.sweep())

    assert [(each.stray.order, each.stray.reason) for each in of(StrayOrderSeen, news)] == [(double, "duplicate")]
    assert [each.command for each in of(ControlOrdered, news)] == ["halt"]
    assert [each.order_id for each in of(CancelOrder, news)] == ["double"]
    rig.broker.trades_of(ORDER, 1000, 1)
    rig.broker.fills.append(replace(rig.broker.trades_of(ORDER, 1000, 2), order_id="double"))
    rig.broker.fills.pop(1)
    again = await rig.sweep()
    assert [each.trade.trade_id for each in of(FillReceived, again)] == ["t1"]
    assert of(StrayOrderSeen, again) == []


@played
async def test_a_row_of_another_day_with_an_id_of_ours_is_none_of_ours() -> None:
    rig = a_rig(FakeBroker(acknowledges=True))
    await rig.open()
    await rig.place()
    row = a_report(an_order("600010.SH", shares=500, index=2), OrderStatus.SUCCEEDED, 500)
    known_as = a_report(ORDER, OrderStatus.REPORTED).order_id

    late = replace(row, tag="", order_id=known_as, at=at("10:00:00", date(2026, 9, 30)))

    assert await rig.push(late) == []


@played
async def test_an_order_that_was_turned_down_and_turns_up_alive_is_a_ghost_and_as_refused_it_is_none() -> None:
    for status, traded, reasons in ((OrderStatus.JUNK, 0, []), (OrderStatus.REPORTED, 0, ["ghost"])):
        rig = a_rig(lost())
        await rig.open()
        await rig.place()
        refused = a_report(ORDER, OrderStatus.JUNK, order_id="", message="no money")
        assert statuses(await rig.push(refused)) == [OrderStatus.JUNK]
        rig.broker.listed["row"] = a_report(ORDER, status, traded, order_id="9")

        news = told(await rig.sweep())

        assert statuses(news) == [status]
        assert [each.stray.reason for each in of(StrayOrderSeen, news)] == reasons
        assert [each.order_id for each in of(CancelOrder, news)] == ["9"] * len(reasons)


@played
async def test_an_order_with_an_id_that_was_turned_down_and_turns_up_alive_is_followed_again() -> None:
    rig = a_rig(FakeBroker(acknowledges=True))
    await rig.open()
    await rig.place()
    row = a_report(ORDER, OrderStatus.REPORTED)
    refused = replace(row, status=OrderStatus.JUNK, message="turned down: no money")
    assert statuses(await rig.push(refused)) == [OrderStatus.JUNK]
    rig.broker.listed[row.order_id] = row

    news = told(await rig.sweep())

    assert statuses(news) == [OrderStatus.REPORTED]
    assert [each.stray.reason for each in of(StrayOrderSeen, news)] == ["ghost"]
    assert {each.order_id for each in of(CancelOrder, news)} == {row.order_id}


@played
async def test_other_fields_under_our_tag_halt_and_change_nothing_we_know() -> None:
    for change in ({"shares": 900}, {"code": "000001.SZ"}, {"side": Side.SELL}, {"price": Decimal("10.01")}):
        rig = a_rig(lost())
        await rig.place()
        rig.broker.listed["row"] = replace(a_report(ORDER, OrderStatus.REPORTED, order_id="9"), **change)  # type: ignore[arg-type]

        news = told(await rig.sweep())

        assert [each.stray.reason for each in of(StrayOrderSeen, news)] == ["collision"]
        assert (statuses(news), [each.command for each in of(ControlOrdered, news)]) == ([], ["halt"])


@played
async def test_a_mangled_tag_is_the_only_order_that_it_fits_at_once() -> None:
    rig = a_rig(lost())
    await rig.place()
    unsigned(rig, ORDER.tag[:14])

    assert [each.order.order_id for each in of(OrderUpdated, await rig.sweep())] == ["1"]


@played
async def test_no_person_is_asked_for_an_order_whose_mangled_row_is_seen_at_the_last_moment() -> None:
    rig = a_rig(lost())
    await rig.place()
    for _ in range(3):
        await rig.sweep(5.0)
    unsigned(rig, ORDER.tag[:14])

    (update,) = of(OrderUpdated, await rig.sweep(5.0))

    assert (update.order.order_id, update.order.status, update.order.message) == ("1", OrderStatus.REPORTED, "")


@played
async def test_a_mangled_tag_that_fits_no_order_halts_and_is_cancelled() -> None:
    rig = a_rig()
    unsigned(rig, ORDER.tag[:14])

    news = await rig.open()

    assert [each.stray.reason for each in of(StrayOrderSeen, news)] == ["mangled"]
    assert [each.command for each in of(ControlOrdered, news)] == ["halt"]
    assert [each.order_id for each in of(CancelOrder, news)] == ["1"]


@played
async def test_a_ghost_is_taken_over_and_cancelled_and_makes_the_next_wait_twice_as_long() -> None:
    rig = a_rig(lost(), rules=LinkRules(sweep_s=3.0, absent_after_s=20.0))
    await rig.open()
    await rig.place()
    await looked_for_long(rig)

    news = await rig.push(rig.broker.moves(ORDER, OrderStatus.REPORTED))

    assert statuses(news) == [OrderStatus.REPORTED]
    assert [each.stray.reason for each in of(StrayOrderSeen, news)] == ["ghost"]
    assert of(ControlOrdered, news) == []
    assert [each.order_id for each in of(CancelOrder, await rig.sweep())] == [f"id-{ORDER.tag}"]
    rig.broker.moves(ORDER, OrderStatus.CANCELED)
    await rig.sweep()
    await rig.place(TWIN)
    assert statuses(await looked_for_long(rig)) == []
    assert statuses(await looked_for_long(rig)) == [OrderStatus.JUNK]


@played
async def test_a_stray_is_told_and_halts_once_in_all_lives() -> None:
    rig = a_rig()
    rig.broker.moves(ORDER, OrderStatus.REPORTED)
    journal = await rig.open()

    reborn = rig.reborn(journal)

    assert of(StrayOrderSeen, await reborn.open()) == []


@played
async def test_whoever_stops_trading_has_every_open_order_cancelled_whichever_run_it_is_of_at_most_three_times() -> (
    None
):
    for command in ("halt", "cancel"):
        rig = a_rig()
        early, late = an_order(index=1), an_order(index=2)
        await rig.place(early)
        await rig.sweep()

        rig.link.on_control_ordered(ControlOrdered(command, "me"))
        rig.link.on_control_ordered(ControlOrdered("resume", "me"))
        await rig.place(late)
        cancels = [each for _ in range(5) for each in of(CancelOrder, await rig.sweep())]

        assert [each.tag for each in cancels] == [early.tag] * 3


@played
async def test_an_order_that_was_on_its_way_when_trading_stopped_is_cancelled_when_it_turns_up() -> None:
    rig = a_rig(lost())
    await rig.place()
    rig.link.on_control_ordered(ControlOrdered("cancel", "me"))

    assert of(CancelOrder, await rig.sweep()) == []
    rig.broker.moves(ORDER, OrderStatus.REPORTED)
    assert [each.tag for each in of(CancelOrder, await rig.sweep())] == [ORDER.tag]
    assert rig.clock.now() > at("10:00:00")
