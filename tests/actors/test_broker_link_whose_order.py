"""Whose row is it? By the broker's id, by the tag, by the only match; else nothing is decided without a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from qws.domain.known_orders import ASK
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderStatus
from qws.errors import GatewayTimeout
from qws.messages import FillReceived, OrderSettled, OrderUpdated, SnapshotTaken, StrayOrderSeen
from qws.ports import LinkUp
from qws.runtime.message import Later, Message
from tests.support.builders import DAY, RUN, TARGET, a_position, a_report, a_snapshot, an_order
from tests.support.fake_broker import FakeBroker
from tests.support.link_rig import ORDER, RULES, Rig, a_rig, played, statuses
from tests.support.outputs import of, told

TWIN = an_order(shares=1000, index=1)  # asks for the same


def lost() -> FakeBroker:
    return FakeBroker(place_error=GatewayTimeout("no answer"), arrives=False)


def unsigned(rig: Rig, remark: str = "", number: int = 1) -> BrokerOrder:
    """The lists show the order under a remark that is not its tag."""
    row = replace(a_report(ORDER, OrderStatus.REPORTED, order_id=f"{number}"), tag=remark, at=rig.clock.now())
    rig.broker.listed[f"row {number}"] = row
    return row


async def looked_for_long(rig: Rig) -> list[Message]:
    return [news for _ in range(6) for news in told(await rig.sweep(5.0)) if isinstance(news, Message)]


@played
async def test_the_answer_of_the_broker_names_the_order_even_when_its_remark_is_gone() -> None:
    rig = a_rig(FakeBroker(arrives=False, acknowledges=True))

    assert statuses(await rig.place()) == [OrderStatus.UNREPORTED]
    known_as = a_report(ORDER, OrderStatus.REPORTED).order_id
    row = replace(unsigned(rig), order_id=known_as)
    rig.broker.listed["row 1"] = row
    rig.broker.fills.append(replace(rig.broker.trades_of(ORDER, 400), tag="", order_id=known_as))
    rig.broker.fills.pop(0)
    news = await rig.sweep()

    assert [(each.order.tag, each.order.status) for each in of(OrderUpdated, news)] == [
        (ORDER.tag, OrderStatus.REPORTED)
    ]
    assert [each.trade.tag for each in of(FillReceived, news)] == [ORDER.tag]


@played
async def test_an_order_that_was_acknowledged_is_never_taken_for_absent_a_person_is_asked() -> None:
    rig = a_rig(FakeBroker(arrives=False, acknowledges=True))
    await rig.open()
    await rig.place()

    news = [*await looked_for_long(rig), *await looked_for_long(rig), *await looked_for_long(rig)]

    (asked,) = of(OrderUpdated, news)
    assert (asked.order.status, asked.order.message.startswith(ASK)) == (OrderStatus.UNREPORTED, True)
    settled = await rig.link.on_order_settled(OrderSettled(ORDER.tag, "", "me"))
    assert statuses(settled) == [OrderStatus.JUNK]
    late = await rig.push(rig.broker.moves(ORDER, OrderStatus.REPORTED))
    assert [each.stray.reason for each in of(StrayOrderSeen, late)] == ["ghost"]


@played
async def test_one_order_that_no_list_shows_keeps_no_other_one_from_a_person() -> None:
    rig = a_rig(FakeBroker(arrives=False, acknowledges=True))
    await rig.place()
    rig.broker.place_error = GatewayTimeout("no answer")
    await rig.place(TWIN)

    news = [*await looked_for_long(rig), *await looked_for_long(rig), *await looked_for_long(rig)]

    asked = {each.order.tag for each in of(OrderUpdated, news) if each.order.message.startswith(ASK)}
    assert asked == {ORDER.tag, TWIN.tag}


@played
async def test_a_row_that_came_much_later_is_no_match_but_for_a_person() -> None:
    rig = a_rig(lost())
    await rig.place()
    row = unsigned(rig)
    rig.broker.listed["row 1"] = replace(row, at=row.at + timedelta(hours=3))

    (asked,) = of(OrderUpdated, await looked_for_long(rig))

    assert (asked.order.order_id, asked.order.message.startswith(ASK)) == ("", True)


@played
async def test_a_row_that_traded_more_than_it_asked_for_is_a_collision() -> None:
    rig = a_rig()
    await rig.place()
    rig.broker.moves(ORDER, OrderStatus.SUCCEEDED, 1100)

    assert [each.stray.reason for each in of(StrayOrderSeen, await rig.sweep())] == ["collision"]


@played
async def test_news_are_told_also_while_the_account_cannot_be_read() -> None:
    rig = a_rig(lost())
    await rig.place()
    rig.broker.account_errors = [GatewayTimeout("slow")] * 9
    await looked_for_long(rig)

    rig.broker.moves(ORDER, OrderStatus.REPORTED)

    assert statuses(await rig.sweep()) == [OrderStatus.REPORTED]


@played
async def test_the_only_row_without_a_remark_that_fits_is_the_order_once_it_was_looked_for_long_enough() -> None:
    rig = a_rig(lost())
    await rig.place()
    unsigned(rig)

    assert statuses(await rig.sweep()) == []
    news = await looked_for_long(rig)

    assert [(each.order.order_id, each.order.status) for each in of(OrderUpdated, news)] == [
        ("1", OrderStatus.REPORTED)
    ]
    rig.broker.listed["row 1"] = replace(rig.broker.listed["row 1"], status=OrderStatus.SUCCEEDED, traded=1000)
    assert statuses(await rig.sweep()) == [OrderStatus.SUCCEEDED]


@played
async def test_a_restart_knows_by_the_journal_whose_row_without_a_remark_it_is() -> None:
    rig = a_rig(FakeBroker(arrives=False, acknowledges=True))
    journal = told(await rig.place())
    row = replace(unsigned(rig), order_id=a_report(ORDER, OrderStatus.REPORTED).order_id)
    rig.broker.listed["row 1"] = row

    reborn = rig.reborn([each for each in journal if isinstance(each, Message)])

    assert statuses(await reborn.sweep()) == [OrderStatus.REPORTED]


@played
async def test_rows_that_are_older_or_of_another_program_or_ask_for_something_else_fit_nothing() -> None:
    rig = a_rig(lost())
    await rig.place()
    old, foreign, other = unsigned(rig), unsigned(rig, "another program", 2), unsigned(rig, "", 3)
    rig.broker.listed["row 1"] = replace(old, at=old.at - timedelta(seconds=60))
    rig.broker.listed["row 2"] = foreign
    rig.broker.listed["row 3"] = replace(other, shares=900)

    assert statuses(await looked_for_long(rig)) == [OrderStatus.JUNK]


@played
async def test_two_rows_or_two_orders_that_fit_are_left_to_a_person_and_said_so_once() -> None:
    for orders, rows in (((ORDER,), 2), ((ORDER, TWIN), 1)):
        rig = a_rig(lost())
        for order in orders:
            await rig.place(order)
        for number in range(1, rows + 1):
            unsigned(rig, number=number)

        updates = of(OrderUpdated, await looked_for_long(rig))

        assert {each.order.status for each in updates} == {OrderStatus.UNKNOWN}
        assert len(updates) == len(orders)
        assert all("qws settle" in each.order.message for each in updates)


@played
async def test_a_person_says_which_row_it_is_or_that_it_never_arrived() -> None:
    rig = a_rig(lost())
    await rig.place()
    first, _ = unsigned(rig), unsigned(rig, number=2)
    await looked_for_long(rig)

    wrong = await rig.link.on_order_settled(OrderSettled(ORDER.tag, "9", "me"))
    right = await rig.link.on_order_settled(OrderSettled(ORDER.tag, first.order_id, "me"))
    late = await rig.link.on_order_settled(OrderSettled(ORDER.tag, "", "me"))

    assert [(each.order.order_id, each.order.status) for each in of(OrderUpdated, [wrong, right])] == [
        ("", OrderStatus.UNKNOWN),
        ("1", OrderStatus.REPORTED),
    ]
    assert late is None

    rig = a_rig(lost())
    await rig.place()
    assert statuses(await rig.link.on_order_settled(OrderSettled(ORDER.tag, "", "me"))) == [OrderStatus.JUNK]


@played
async def test_what_a_person_says_waits_while_the_broker_does_not_answer() -> None:
    rig = a_rig(lost())
    await rig.place()
    rig.broker.query_errors = [GatewayTimeout("slow")]
    said = OrderSettled(ORDER.tag, "", "me")

    assert await rig.link.on_order_settled(said) == Later(RULES.sweep_s, said)


@played
async def test_an_order_whose_money_is_frozen_for_nothing_that_the_lists_show_is_not_absent() -> None:
    rig = a_rig(lost())
    rig.broker.money = replace(rig.broker.money, frozen=Decimal(10_005))
    await rig.place()

    assert [each.order.status for each in of(OrderUpdated, await looked_for_long(rig))] == [OrderStatus.UNKNOWN]
    rig.broker.money = replace(rig.broker.money, frozen=Decimal(0))
    assert statuses(await rig.sweep()) == []  # answers may be of different moments
    assert statuses(await rig.sweep()) == [OrderStatus.JUNK]


@played
async def test_a_sell_whose_shares_are_held_back_for_nothing_that_the_lists_show_is_not_absent() -> None:
    sell = an_order(side=Side.SELL, shares=1000)
    rig = a_rig(lost())
    rig.broker.holdings = (a_position(sell.code, 3000, sellable=2000),)
    await rig.place(sell)

    assert [each.order.status for each in of(OrderUpdated, await looked_for_long(rig))] == [OrderStatus.UNKNOWN]
    rig.broker.trades_of(replace(an_order(index=2, shares=1000), tag="by hand"), 1000)  # bought today: explained
    assert [statuses(await rig.sweep()) for _ in range(2)] == [[], [OrderStatus.JUNK]]


@played
async def test_what_was_held_back_before_the_order_left_is_no_sign_of_it() -> None:
    sell, buy = an_order(side=Side.SELL, shares=1000, index=2), an_order("000001.SZ", shares=1000, index=3)
    rig = a_rig(lost())
    rig.broker.holdings = (a_position(sell.code, 3000, sellable=1000),)
    rig.broker.money = replace(rig.broker.money, frozen=Decimal(50_000))  # for a subscription
    before = replace(a_snapshot("100000"), asset=rig.broker.money, positions=rig.broker.holdings)
    rig.link.on_snapshot_taken(SnapshotTaken(RUN, TARGET, DAY, 0, False, before))

    for order in (sell, buy):
        await rig.place(order)

    assert statuses(await looked_for_long(rig)) == [OrderStatus.JUNK] * 2


@played
async def test_a_fill_of_a_row_that_is_not_known_yet_is_told_when_it_is() -> None:
    rig = a_rig(FakeBroker(place_error=GatewayTimeout("no answer")))
    await rig.open()
    await rig.place()
    fill = rig.broker.trades_of(ORDER, 400)

    assert of(FillReceived, await rig.push(fill)) == []
    assert of(FillReceived, await rig.push(rig.broker.moves(ORDER, OrderStatus.PART_SUCC, 400))) == [FillReceived(fill)]
    assert of(FillReceived, await rig.sweep()) == []


@played
async def test_lunch_and_a_lost_connection_prove_nothing() -> None:
    rig = a_rig(lost())
    await rig.open()
    rig.clock.set("11:29:50")
    await rig.place()
    rig.clock.set("11:30:00")
    assert await looked_for_long(rig) == []

    rig.clock.set("13:00:00")
    assert statuses([*told(await rig.sweep(9.0)), *told(await rig.sweep(9.0))]) == []
    assert statuses(await rig.push(LinkUp())) == []  # what was seen before it counts no more
    assert [statuses(await rig.sweep(9.0)) for _ in range(4)] == [[], [], [], [OrderStatus.JUNK]]
