from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from datetime import date
from decimal import Decimal
from typing import TypeVar

from qws.domain.orders import BrokerOrder, OrderStatus, Trade
from qws.edges import opening_now
from qws.gateways.sim.agenda import Latency
from qws.gateways.sim.books import Books
from qws.gateways.sim.broker import PaperBroker, PaperQuotes
from qws.gateways.sim.exchange import SimExchange
from qws.gateways.sim.market import SimMarket
from qws.ports import Broker, BrokerEvent, Quotes
from qws.runtime.clock import LoopClock, VirtualLoop
from tests.gateways.sim_rig import DAY, PLAN, FixedBars, a_market, an_exchange, at, bar, buy, flat, later

CODE = "600000.SH"
TEN = at("10:00:00")
T = TypeVar("T")


def run(work: Coroutine[object, object, T]) -> T:
    """Run on virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def a_broker(market: SimMarket) -> PaperBroker:
    return PaperBroker(an_exchange(market, TEN), LoopClock(TEN))


async def listen(broker: Broker, heard: list[BrokerEvent]) -> None:
    async for event in broker.events():
        heard += [event]


def test_events_arrive_on_virtual_time_when_they_happen() -> None:
    async def work() -> list[tuple[object, float]]:
        broker, clock = a_broker(a_market(FixedBars({CODE: flat("10.00")}))), LoopClock(TEN)
        seen: list[tuple[object, float]] = []
        await broker.open()
        await broker.place(buy(CODE, 100, "10.05"))
        async for event in broker.events():
            assert isinstance(event, BrokerOrder | Trade)
            seen.append((type(event), (clock.now() - event.at).total_seconds()))
            if isinstance(event, BrokerOrder) and event.status.is_terminal:
                break
        return seen

    seen = run(work())

    assert [kind for kind, _ in seen] == [BrokerOrder, BrokerOrder, Trade, BrokerOrder]
    assert all(0 <= late < 0.001 for _, late in seen)


def test_a_whole_day_of_waiting_costs_a_handful_of_wake_ups() -> None:
    async def work() -> tuple[list[BrokerEvent], int]:
        market = a_market(FixedBars({CODE: bar("10.00", "10.50", "9.50", "10.20", "10.00")}))
        exchange = an_exchange(market, TEN)
        broker, woken = PaperBroker(exchange, LoopClock(TEN)), 0
        heard: list[BrokerEvent] = []
        advance = exchange.advance

        def counted(now):  # type: ignore[no-untyped-def]
            nonlocal woken
            woken += 1
            return advance(now)

        exchange.advance = counted  # type: ignore[method-assign]
        await broker.open()
        listener = asyncio.create_task(listen(broker, heard))
        await broker.place(buy(CODE, 100, "9.20"))
        await asyncio.sleep(6 * 3600)
        await broker.close()
        await listener
        return heard, woken

    heard, woken = run(work())

    assert [event.status for event in heard if isinstance(event, BrokerOrder)] == [
        OrderStatus.WAIT_REPORTING,
        OrderStatus.REPORTED,
        OrderStatus.CANCELED,
    ]
    assert woken < 10


def test_a_sleeping_stream_hears_of_a_new_order_and_of_a_cancel() -> None:
    async def work() -> list[BrokerEvent]:
        broker = a_broker(a_market(FixedBars({CODE: flat("10.00")})))
        heard: list[BrokerEvent] = []
        await broker.open()
        listener = asyncio.create_task(listen(broker, heard))
        await asyncio.sleep(100)
        await broker.place(buy(CODE, 100, "9.00"))
        await asyncio.sleep(100)
        (order,) = await broker.orders()
        await broker.cancel(order.order_id)
        await asyncio.sleep(1)
        await broker.close()
        await listener
        return heard

    heard = run(work())

    assert next(event.at for event in heard if isinstance(event, BrokerOrder)) == later(TEN, 100)
    assert [event.status for event in heard if isinstance(event, BrokerOrder)][-2:] == [
        OrderStatus.REPORTED_CANCEL,
        OrderStatus.CANCELED,
    ]


def test_queries_see_what_happened_up_to_now_without_stealing_its_events() -> None:
    async def work() -> tuple[int, list[BrokerEvent]]:
        broker = a_broker(a_market(FixedBars({CODE: flat("10.00")})))
        heard: list[BrokerEvent] = []
        await broker.open()
        await broker.place(buy(CODE, 100, "10.05"))
        await asyncio.sleep(5)
        assert (await broker.asset()).market_value == 1000
        (held,) = await broker.positions()
        assert len(await broker.trades()) == 1
        listener = asyncio.create_task(listen(broker, heard))
        await asyncio.sleep(1)
        await broker.close()
        await listener
        return held.shares, heard

    shares, heard = run(work())

    assert shares == 100
    assert len(heard) == 4


def test_quotes_and_records_of_unknown_codes_are_absent() -> None:
    async def work() -> tuple[object, object, Decimal | None, Decimal | None]:
        market = a_market(FixedBars({CODE: flat("10.00"), "000300.SH": flat("3500.00")}))
        source: Quotes = PaperQuotes(market, market.bars, LoopClock(TEN))
        return (
            list(await source.quotes((CODE, "600001.SH"))),
            list(await source.instruments((CODE, "000300.SH"))),
            await source.index_close("000300.SH", DAY),
            await source.index_close("000905.SH", date(2026, 11, 18)),
        )

    assert run(work()) == ([CODE], [CODE], Decimal("3500.00"), None)


def test_three_hundred_orders_are_placed_and_filled() -> None:
    market = a_market()
    codes = market.bars.codes(DAY)

    async def work() -> int:
        broker = PaperBroker(an_exchange(market, TEN, cash=Decimal(10**9)), LoopClock(TEN))
        quotes = await PaperQuotes(market, market.bars, LoopClock(TEN)).quotes(codes)
        heard: list[BrokerEvent] = []
        await broker.open()
        listener = asyncio.create_task(listen(broker, heard))
        for code in codes:
            await broker.place(buy(code, 200, quotes[code].asks[2].price))
        await asyncio.sleep(60)
        await broker.close()
        await listener
        return sum(isinstance(event, BrokerOrder) and event.status is OrderStatus.SUCCEEDED for event in heard)

    assert run(work()) == 300


def test_an_account_that_begins_as_another_one_has_its_shares_at_their_costs() -> None:
    async def work() -> tuple[Decimal, Decimal]:
        market = a_market(FixedBars({CODE: bar("10.00", "10.50", "9.50", "10.20", "10.00")}))
        held = PaperBroker(an_exchange(market, TEN, positions=((CODE, 1000, 600),)), LoopClock(TEN))
        opening = await opening_now(held)
        books = Books(None)
        later_one = SimExchange(market, books, PLAN, opening, later(TEN, 3600), Latency())
        (before,), (after,) = await held.positions(), later_one.positions(later(TEN, 3600))
        books.close()
        return before.cost_price, after.cost_price

    before, after = run(work())
    assert before == after > 0
