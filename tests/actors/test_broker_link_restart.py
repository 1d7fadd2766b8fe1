from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.orders import BrokerOrder, OrderStatus
from qws.errors import GatewayTimeout
from qws.messages import FillReceived, LinkReady, OrderUpdated, PlaceOrder, SweepDue
from qws.ports import LinkUp
from qws.runtime.message import Message
from tests.support.builders import RUN, a_fill, an_order, at
from tests.support.fake_broker import FakeBroker
from tests.support.link_rig import ORDER, Rig, a_rig, played, statuses
from tests.support.outputs import of, told


@played
async def test_after_a_restart_nothing_is_placed_again_and_an_intent_that_never_left_is_found_absent() -> None:
    rig = a_rig(FakeBroker(arrives=False)).reborn([PlaceOrder(RUN, ORDER, at("10:00:00"))])

    heard = await rig.open()
    looks = [statuses(await rig.sweep(10.0)) for _ in range(4)]

    assert heard == [LinkReady(), SweepDue()]
    assert looks == [[], [], [OrderStatus.JUNK], []]
    assert rig.broker.placed == []


@played
async def test_what_was_told_before_a_restart_is_not_told_again() -> None:
    rig = a_rig(FakeBroker(arrives=False))
    lost, live = an_order(index=1), an_order(index=2)
    journal: list[Message] = [PlaceOrder(RUN, lost, at("10:00:00")), PlaceOrder(RUN, live, at("10:00:00"))]
    await rig.place(lost)
    rig.broker.arrives = True
    await rig.place(live)
    rig.broker.trades_of(live, 300)
    rig.broker.moves(live, OrderStatus.PART_SUCC, 300)
    for _ in range(4):
        answer = await rig.sweep(10.0)
        journal += [*of(FillReceived, answer), *of(OrderUpdated, answer)]

    again = rig.reborn(journal)
    heard = await again.open()
    later = [told(await again.sweep(10.0)) for _ in range(5)]

    assert heard == [LinkReady(), SweepDue()]
    assert [message for answer in later for message in answer if isinstance(message, OrderUpdated)] == []


steps = st.lists(
    st.sampled_from(("place", "report", "fill", "end", "sweep", "timeout", "replay", "reconnect")), max_size=25
)


@settings(deadline=None, max_examples=60)
@given(steps, st.integers(0, 25))
def test_whatever_is_lost_doubled_or_late_each_fill_and_change_is_told_once_also_across_a_restart(
    plan: list[str], dies_at: int
) -> None:
    async def story() -> None:
        rig = a_rig()
        journal: list[Message] = list(await rig.open())
        for n, step in enumerate(plan):
            if n == dies_at:
                rig = rig.reborn(journal)
                journal += await rig.open()
            journal += await _step(rig, step, n, journal)
        journal += told(await rig.sweep(0))  # type: ignore[arg-type]
        fills = of(FillReceived, journal)
        assert sorted(each.trade.trade_id + each.trade.tag for each in fills) == sorted(
            each.trade_id + each.tag for each in rig.broker.fills
        )
        last: dict[str, BrokerOrder] = {}
        for update in of(OrderUpdated, journal):
            assert update.order != last.get(update.order.tag)
            last[update.order.tag] = update.order
        assert {tag: (order.status, order.traded) for tag, order in last.items()} == {
            tag: (order.status, order.traded) for tag, order in rig.broker.listed.items()
        }
        assert len({order.tag for order in rig.broker.placed}) == len(rig.broker.placed)

    asyncio.run(story())


async def _step(rig: Rig, step: str, n: int, journal: list[Message]) -> list[Message]:
    """One thing that happens; every second push is lost."""
    broker, order = rig.broker, rig.broker.placed[n % len(rig.broker.placed)] if rig.broker.placed else None
    pushes = n % 2 == 0
    match step:
        case "place":
            request = an_order(index=n)
            journal.append(PlaceOrder(RUN, request, at("10:00:00")))
            return told(await rig.place(request))  # type: ignore[return-value]
        case "sweep":
            return told(await rig.sweep())  # type: ignore[return-value]
        case "timeout":
            broker.query_errors.append(GatewayTimeout("slow"))
            return told(await rig.sweep())  # type: ignore[return-value]
        case "reconnect":
            return await rig.push(LinkUp())
        case "replay":
            return await rig.push(*broker.listed.values(), *broker.fills)
    if order is None or broker.listed[order.tag].status.is_terminal:
        return []
    traded = broker.listed[order.tag].traded
    if step == "fill" and traded < order.shares:
        fill = broker.trades_of(order, 100, n)
        report = broker.moves(order, OrderStatus.PART_SUCC, traded + 100)
        return await rig.push(report, fill) if pushes else []
    if step == "end":
        ends = OrderStatus.SUCCEEDED if traded == order.shares else OrderStatus.CANCELED
        report = broker.moves(order, ends, traded)
        return await rig.push(report, report) if pushes else []
    return []


def test_fill_ids_are_unique_only_within_an_order() -> None:
    async def story() -> None:
        rig = a_rig()
        await rig.open()
        for order in (an_order(index=1), an_order(index=2)):
            await rig.place(order)
        await rig.sweep()
        heard = await rig.push(a_fill(an_order(index=1), 100, 1), a_fill(an_order(index=2), 100, 1))

        assert len(of(FillReceived, heard)) == 2

    asyncio.run(story())
