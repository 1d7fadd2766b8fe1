from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from actors.snapshotter import Snapshotter
from qws.domain.account import DayVolume, does_not_add_up
from qws.domain.bars import DailyBar
from qws.domain.orders import OrderStatus
from qws.domain.rest import KEPT
from qws.errors import GatewayLost, GatewayTimeout
from qws.messages import OrderUpdated, PlanRefused, SnapshotDue, SnapshotTaken
from tests.support.builders import (
    DAY,
    NEXT_DAY,
    RUN,
    TARGET,
    HandClock,
    a_position,
    a_quote,
    a_report,
    a_target,
    an_asset,
    an_instrument,
    an_order,
    at,
)
from tests.support.fake_broker import FakeBroker, FakeQuotes

A, B = "600000.SH", "600004.SH"
HELD = (a_position(A, 1000),)
DUE = SnapshotDue(RUN, TARGET, DAY, 0, preview=False)


def a_broker() -> FakeBroker:
    return FakeBroker(money=an_asset("5000", HELD), holdings=HELD)


def some_quotes() -> FakeQuotes:
    return FakeQuotes({code: a_quote(code) for code in (A, B)}, {code: an_instrument(code) for code in (A, B)})


def taken(
    broker: FakeBroker, quotes: FakeQuotes | None = None, clock: HandClock | None = None, due: SnapshotDue = DUE
) -> SnapshotTaken | PlanRefused:
    actor = Snapshotter(broker, quotes or some_quotes(), clock or HandClock(at("10:00:00")))
    actor.on_target_accepted(a_target({B: "0.5"}))
    return asyncio.run(actor.on_snapshot_due(due))


def test_a_snapshot_shows_account_and_market_of_every_name_held_or_wanted() -> None:
    answer = taken(a_broker())

    assert isinstance(answer, SnapshotTaken)
    assert (answer.run_id, answer.target_id, answer.day, answer.attempt, answer.preview) == (RUN, TARGET, DAY, 0, False)
    assert answer.snapshot.asset == an_asset("5000", HELD)
    assert answer.snapshot.positions == HELD
    assert {quote.code for quote in answer.snapshot.quotes} == {A, B}
    assert {record.code for record in answer.snapshot.instruments} == {A, B}


def test_a_code_without_a_quote_is_absent_not_zero() -> None:
    answer = taken(a_broker(), FakeQuotes({A: a_quote(A)}, {A: an_instrument(A)}))

    assert isinstance(answer, SnapshotTaken)
    assert [quote.code for quote in answer.snapshot.quotes] == [A]


def test_while_an_order_of_ours_still_works_there_is_no_snapshot() -> None:
    broker, clock = a_broker(), HandClock(at("10:00:00"))
    order = an_order()
    broker.moves(order, OrderStatus.PARTSUCC_CANCEL, 300)

    answer = taken(broker, clock=clock)

    assert isinstance(answer, PlanRefused)
    assert (answer.run_id, answer.reason) == (RUN, "no_snapshot")
    assert order.tag in answer.text
    assert clock.now() == at("10:00:04")


def test_an_order_that_was_told_to_work_and_is_missing_in_a_short_list_still_works() -> None:
    actor = Snapshotter(a_broker(), some_quotes(), HandClock(at("10:00:00")))
    order = an_order()

    actor.on_order_updated(OrderUpdated(a_report(order, OrderStatus.REPORTED)))
    answer = asyncio.run(actor.on_snapshot_due(DUE))
    assert isinstance(answer, PlanRefused)
    assert order.tag in answer.text

    actor.on_order_updated(OrderUpdated(a_report(order, OrderStatus.CANCELED)))
    assert isinstance(asyncio.run(actor.on_snapshot_due(DUE)), SnapshotTaken)


def test_a_list_that_lacks_an_order_for_a_minute_is_believed() -> None:
    clock = HandClock(at("10:00:00"))
    actor = Snapshotter(a_broker(), some_quotes(), clock)
    actor.on_order_updated(OrderUpdated(a_report(an_order(), OrderStatus.REPORTED)))
    assert isinstance(asyncio.run(actor.on_snapshot_due(DUE)), PlanRefused)

    asyncio.run(clock.sleep(60))

    assert isinstance(asyncio.run(actor.on_snapshot_due(DUE)), SnapshotTaken)


def test_an_order_that_is_listed_without_its_remark_still_works() -> None:
    broker, order = a_broker(), an_order()
    reported = a_report(order, OrderStatus.REPORTED)
    broker.listed[order.tag] = replace(reported, tag="")
    actor = Snapshotter(broker, some_quotes(), HandClock(at("10:00:00")))
    actor.on_order_updated(OrderUpdated(reported))

    answer = asyncio.run(actor.on_snapshot_due(DUE))

    assert isinstance(answer, PlanRefused)
    assert order.tag in answer.text


def test_a_list_that_shows_the_order_knows_better_and_one_of_yesterday_works_no_more() -> None:
    broker, order = a_broker(), an_order()
    reported = a_report(order, OrderStatus.REPORTED)
    broker.moves(order, OrderStatus.CANCELED)
    for told in (reported, replace(reported, order_id="77", at=reported.at - timedelta(days=1))):
        actor = Snapshotter(broker, some_quotes(), HandClock(at("10:00:00")))
        actor.recall_order_updated(OrderUpdated(told))

        assert isinstance(asyncio.run(actor.on_snapshot_due(DUE)), SnapshotTaken)


@pytest.mark.parametrize("status", [status for status in OrderStatus if status.is_terminal])
def test_an_order_that_has_ended_and_one_by_hand_are_no_obstacle(status: OrderStatus) -> None:
    broker = a_broker()
    broker.moves(an_order(), status)
    broker.listed["by hand"] = replace(a_report(an_order(), OrderStatus.REPORTED), tag="by hand")

    assert isinstance(taken(broker), SnapshotTaken)


def test_an_account_that_does_not_add_up_is_refused_and_one_that_soon_does_is_used() -> None:
    broken = FakeBroker(money=an_asset("5000", HELD), holdings=())

    answer = taken(broken)

    assert isinstance(answer, PlanRefused)
    assert "market value 10000.00" in answer.text
    soon = FakeBroker(money=an_asset("5000", HELD), holdings=(), later_accounts=[(an_asset("5000", HELD), HELD)])
    assert isinstance(taken(soon), SnapshotTaken)


def test_positions_that_come_back_empty_are_not_flat() -> None:
    assert does_not_add_up(an_asset("5000", HELD), ()) != ""


@pytest.mark.parametrize(
    ("cash", "frozen", "value", "total", "adds_up"),
    [
        ("5000", "0", "10000", "15000", True),
        ("5000", "100", "10000", "15100", True),
        ("5000", "0", "10029", "15029", True),  # 0.2 % of total asset
        ("5000", "0", "10031", "15031", False),
        ("5000", "0", "10000", "15031", False),
        ("0", "0", "0", "0", False),
    ],
)
def test_worked_table_of_accounts_that_add_up(cash: str, frozen: str, value: str, total: str, adds_up: bool) -> None:
    asset = replace(
        an_asset("0"), cash=Decimal(cash), frozen=Decimal(frozen), market_value=Decimal(value), total=Decimal(total)
    )

    assert (does_not_add_up(asset, HELD) == "") == adds_up


@pytest.mark.parametrize("error", [GatewayTimeout("slow"), GatewayLost("gone")])
def test_a_broker_that_does_not_answer_is_asked_five_times(error: GatewayTimeout | GatewayLost) -> None:
    recovers, stays = a_broker(), a_broker()
    recovers.account_errors = [error] * 4
    stays.account_errors = [error] * 5

    assert isinstance(taken(recovers), SnapshotTaken)
    answer = taken(stays)
    assert isinstance(answer, PlanRefused)
    assert str(error) in answer.text


def test_quotes_that_time_out_once_are_asked_for_again() -> None:
    quotes = some_quotes()
    quotes.errors = [GatewayTimeout("slow")]

    assert isinstance(taken(a_broker(), quotes), SnapshotTaken)


def test_targets_of_days_gone_by_are_forgotten_and_future_ones_kept() -> None:
    broker, quotes = a_broker(), some_quotes()
    later = DAY + KEPT + timedelta(days=1)
    actor = Snapshotter(broker, quotes, HandClock(at("10:00:00", later)))
    actor.recall_target_accepted(a_target({B: "0.5"}, days=(DAY, NEXT_DAY)))
    actor.recall_target_accepted(replace(a_target({A: "0.5"}, target_id="b" * 64), at=at("08:00:00", later)))

    asyncio.run(actor.on_snapshot_due(replace(DUE, day=NEXT_DAY)))
    asyncio.run(actor.on_snapshot_due(DUE))

    assert quotes.asked == [(A, B), (A,)]


def test_on_a_day_without_weights_of_its_own_those_of_the_last_day_before_it_are_looked_up() -> None:
    quotes = some_quotes()
    actor = Snapshotter(a_broker(), quotes, HandClock(at("10:00:00", NEXT_DAY)))
    actor.recall_target_accepted(a_target({B: "0.5"}, days=(DAY,)))

    asyncio.run(actor.on_snapshot_due(replace(DUE, day=NEXT_DAY)))

    assert quotes.asked == [(A, B)]


def test_the_time_of_a_snapshot_is_that_after_everything_was_read() -> None:
    broker, clock = a_broker(), HandClock(at("10:00:00"))
    broker.account_errors = [GatewayTimeout("slow")]

    answer = taken(broker, clock=clock)

    assert isinstance(answer, SnapshotTaken)
    assert answer.snapshot.at == at("10:00:00") + timedelta(seconds=1)


def test_average_volumes_are_read_once_a_day_where_a_rule_asks_for_them_and_their_lack_stops_nothing() -> None:
    bars = tuple(
        DailyBar(DAY - timedelta(days=each), Decimal(11), Decimal(9), Decimal(10), Decimal(10), 1000 * each)
        for each in (3, 2, 1)
    )
    quotes, clock = replace(some_quotes(), bars={A: bars}), HandClock(at("10:00:00"))
    actor = Snapshotter(a_broker(), quotes, clock, 2)
    actor.on_target_accepted(a_target({B: "0.5"}))

    first = asyncio.run(actor.on_snapshot_due(DUE))
    quotes.bars = {}
    second = asyncio.run(actor.on_snapshot_due(DUE))
    clock.set("10:00:00", NEXT_DAY)
    third = asyncio.run(actor.on_snapshot_due(DUE))

    assert isinstance(first, SnapshotTaken)
    assert isinstance(third, SnapshotTaken)
    assert isinstance(second, SnapshotTaken)
    assert first.snapshot.volumes == second.snapshot.volumes == (DayVolume(A, Decimal(1500)),)
    assert third.snapshot.volumes == ()
    assert taken(a_broker(), quotes) == replace(first, snapshot=replace(first.snapshot, volumes=()))
