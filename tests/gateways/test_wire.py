from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.errors import GatewayLost, GatewayTimeout
from qws.gateways.wire import protocol as wire
from qws.gateways.wire.client import WireBroker, WireQuotes
from qws.gateways.wire.protocol import Address
from qws.ports import LinkDown, LinkUp
from tests.conformance.brokers import BOUGHT, HELD, INDEX, TEN, DayClock, Ear, an_account, papers, served
from tests.gateways.sim_rig import buy, sell
from tests.gateways.wire_rig import (
    HurriedClock,
    Record,
    a_trader,
    an_exchange_at,
    line,
    play,
    pretending,
    raised,
    until,
    welcoming,
)

NOBODY = Address("127.0.0.1", 9)  # discard: nothing listens there


def test_every_method_answers_as_the_exchange_itself_does(tmp_path: Path) -> None:
    async def work() -> None:
        clock, ear = DayClock(TEN), Ear()
        exchange = an_account(tmp_path, TEN)
        there, prices = papers(exchange, clock)
        async with served(exchange, clock) as address, a_trader(address, clock, ear) as here:
            quotes = WireQuotes(address)
            await here.place(buy(BOUGHT, 300, "10.05", "b1"))
            await here.place(sell(HELD, 100, "22.00", "s1"))
            await ear.until(lambda heard: any(order.status.is_terminal for order in ear.orders("b1")))
            codes = (BOUGHT, HELD, "600099.SH")
            pairs = [
                (await here.asset(), await there.asset()),
                (await here.positions(), await there.positions()),
                (await here.orders(), await there.orders()),
                (await here.trades(), await there.trades()),
                (await quotes.quotes(codes), await prices.quotes(codes)),
                (await quotes.instruments(codes), await prices.instruments(codes)),
                (await quotes.index_close(INDEX, TEN.date()), await prices.index_close(INDEX, TEN.date())),
                (await quotes.daily_bars(codes, 3), await prices.daily_bars(codes, 3)),
            ]
            assert all(far == near and near for far, near in pairs)
            assert {each.at.tzinfo for each in await here.orders()} == {TEN.tzinfo}
            await quotes.close()
        exchange.close()

    play(work)


@settings(deadline=None)  # the first example waits for what is built once
@given(
    st.builds(
        BrokerOrder,
        st.text(max_size=12),
        st.text(st.characters(codec="utf-8"), max_size=24),
        st.just(BOUGHT),
        st.sampled_from(Side),
        st.integers(0, 10**9),
        st.decimals(0, 10**9, places=3),
        st.integers(0, 10**9),
        st.sampled_from(OrderStatus),
        st.text(st.characters(codec="utf-8"), max_size=80),
        st.integers(0, 10**9).map(lambda seconds: TEN + timedelta(seconds=seconds)),
    )
)
def test_an_order_is_read_as_it_was_written(order: BrokerOrder) -> None:
    written = wire.frame(0, "order", wire.ORDER, order)

    assert written.count(b"\n") == 1
    assert wire.ORDER.validate_python(wire.parse_frame(written).body) == order


def test_a_silent_exchange_is_a_timeout_and_the_order_is_not_sent_again() -> None:
    async def work() -> None:
        async with pretending(welcoming) as (impostor, address):
            ear, clock = Ear(), HurriedClock()
            broker = WireBroker(address, clock, deadline_s=0.2)
            await broker.open()
            listening = asyncio.create_task(ear.listen(broker))
            began = time.monotonic()
            problems = [await raised(broker.place(buy(BOUGHT, 100, "10")))]
            assert 0.1 < time.monotonic() - began < 5
            problems += [await raised(broker.orders()), await raised(broker.asset())]
            assert {type(each) for each in problems} == {GatewayTimeout}
            assert "unknown" in str(problems[0])
            await ear.until(lambda heard: len(heard) == 2)
            assert ear.links() == [LinkDown, LinkUp]
            assert impostor.words() == ["hello", "place", "orders", "asset", "hello"]
            await broker.close()
            await listening

    play(work)


def test_an_answer_that_comes_too_late_is_nobodys_answer() -> None:
    def script(heard: list[Record], writer: asyncio.StreamWriter) -> None:
        welcoming(heard, writer)
        if [each["word"] for each in heard][-2:] == ["orders", "trades"]:
            writer.write(line(2, "orders", []))
            writer.write(line(3, "trades", []))

    async def work() -> None:
        async with pretending(script) as (_, address):
            broker = WireBroker(address, HurriedClock(), deadline_s=0.2)
            await broker.open()
            assert isinstance(await raised(broker.orders()), GatewayTimeout)
            assert await broker.trades() == ()
            await broker.close()

    play(work)


def test_a_connection_lost_during_a_call_leaves_its_outcome_open_and_is_not_repeated() -> None:
    def script(heard: list[Record], writer: asyncio.StreamWriter) -> None:
        welcoming(heard, writer)
        if heard[-1]["word"] == "place":
            writer.transport.abort()

    async def work() -> None:
        async with pretending(script) as (impostor, address):
            ear, clock = Ear(), HurriedClock()
            async with a_trader(address, clock, ear) as broker:
                assert isinstance(await raised(broker.place(buy(BOUGHT, 100, "10"))), GatewayLost)
                await ear.until(lambda heard: ear.links() == [LinkDown, LinkUp])
            assert impostor.words() == ["hello", "place", "hello"]

    play(work)


def test_without_a_connection_every_call_raises_and_none_is_empty() -> None:
    async def work() -> None:
        broker, quotes = WireBroker(NOBODY, HurriedClock()), WireQuotes(NOBODY)
        calls = [
            broker.asset(), broker.positions(), broker.orders(), broker.trades(), broker.cancel("1"),
            broker.place(buy(BOUGHT, 100, "10")), quotes.quotes(()), quotes.instruments(()),
            quotes.index_close(INDEX, TEN.date()),
        ]  # fmt: skip
        assert {type(await raised(call)) for call in calls} == {GatewayLost}

    play(work)


def test_an_exchange_that_is_down_is_waited_for_with_growing_pauses(tmp_path: Path) -> None:
    async def work() -> None:
        clock = HurriedClock()
        async with an_exchange_at(tmp_path, clock) as address:
            pass
        broker = WireBroker(address, clock)
        opening = asyncio.create_task(broker.open())
        await until(lambda: len(clock.slept) == 8)
        assert clock.slept == [0, 1, 2, 4, 8, 10, 10, 10]
        async with an_exchange_at(tmp_path, clock, address):
            await opening
            assert len(await broker.positions()) == 1
            await broker.close()

    play(work)


def test_waiting_for_an_exchange_ends_at_once_when_it_is_cancelled() -> None:
    async def work() -> None:
        async with pretending(lambda heard, writer: None) as (impostor, address):
            for where in (NOBODY, address):
                opening = asyncio.create_task(WireBroker(where, DayClock(TEN)).open())
                await until(lambda where=where: where == NOBODY or impostor.words() == ["hello"])  # type: ignore[misc]
                began = time.monotonic()
                opening.cancel()
                assert isinstance((await asyncio.gather(opening, return_exceptions=True))[0], asyncio.CancelledError)
                assert time.monotonic() - began < 0.5

    play(work)


def test_closing_ends_the_stream_while_it_seeks_the_exchange(tmp_path: Path) -> None:
    async def work() -> None:
        clock, ear = DayClock(TEN), Ear()
        async with an_exchange_at(tmp_path, clock) as address:
            broker = WireBroker(address, clock)
            await broker.open()
            listening = asyncio.create_task(ear.listen(broker))
        await ear.until(lambda heard: ear.links() == [LinkDown])
        began = time.monotonic()
        await broker.close()
        await listening
        assert time.monotonic() - began < 0.5

    play(work)


def test_after_a_break_the_link_is_told_and_the_lists_hold_what_was_missed(tmp_path: Path) -> None:
    async def work() -> None:
        clock, ear = HurriedClock(), Ear()
        async with an_exchange_at(tmp_path, clock) as address:
            broker = WireBroker(address, clock)
            await broker.open()
            listening = asyncio.create_task(ear.listen(broker))
            await broker.place(buy(BOUGHT, 300, "10.05", "b1"))
        await ear.until(lambda heard: LinkDown in ear.links())
        assert isinstance(await raised(broker.orders()), GatewayLost)
        async with an_exchange_at(tmp_path, clock, address):
            await ear.until(lambda heard: LinkUp in ear.links())
            assert [order.tag for order in await broker.orders()] == ["b1"]
            await broker.place(buy(BOUGHT, 300, "10.05", "b2"))
            await ear.until(lambda heard: any(order.status.is_terminal for order in ear.orders("b2")))
            assert isinstance(ear.heard[-1], BrokerOrder)
            assert ear.links() == [LinkDown, LinkUp]
            assert clock.slept[1] == 1
            await broker.close()
            await listening

    play(work)


@pytest.mark.parametrize("noise", [b"220 mail ready\r\n", b'{"id":1,"word":"hello","body":7}\n', b"x" * 70_000])
def test_what_is_no_exchange_is_never_taken_for_one(noise: bytes) -> None:
    def script(heard: list[Record], writer: asyncio.StreamWriter) -> None:
        writer.write(noise)
        writer.close()

    async def work() -> None:
        async with pretending(script) as (_, address):
            assert isinstance(await raised(WireQuotes(address).quotes((BOUGHT,))), GatewayLost)

    play(work)


def test_an_answer_that_makes_no_sense_is_no_answer() -> None:
    def script(heard: list[Record], writer: asyncio.StreamWriter) -> None:
        welcoming(heard, writer)
        if heard[-1]["word"] == "quotes":
            writer.write(line(int(str(heard[-1]["id"])), "quotes", {BOUGHT: {"last": "much"}}))

    async def work() -> None:
        async with pretending(script) as (impostor, address):
            quotes = WireQuotes(address)
            for _ in range(2):
                assert isinstance(await raised(quotes.quotes((BOUGHT,))), GatewayLost)
            assert impostor.words() == ["hello", "quotes", "hello", "quotes"]

    play(work)


def test_amounts_that_no_float_holds_arrive_exactly(tmp_path: Path) -> None:
    price = Decimal("10.000000000000000001")

    async def work() -> None:
        clock, ear = DayClock(TEN), Ear()
        async with an_exchange_at(tmp_path, clock) as address, a_trader(address, clock, ear) as broker:
            await broker.place(OrderRequest("x", BOUGHT, Side.BUY, 100, price))
            await ear.until(lambda heard: any(order.status is OrderStatus.JUNK for order in ear.orders("x")))
            assert {order.price for order in (*ear.orders("x"), *await broker.orders())} == {price}

    play(work)


def test_a_lost_link_is_mended_although_nobody_listens_just_now(tmp_path: Path) -> None:
    async def work() -> None:
        clock = HurriedClock()
        async with an_exchange_at(tmp_path, clock) as address:
            broker = WireBroker(address, clock)
            await broker.open()
        assert isinstance(await raised(broker.orders()), GatewayLost)
        async with an_exchange_at(tmp_path, clock, address), asyncio.timeout(20):
            assert broker._seeking is not None
            await broker._seeking  # no event is taken in the meantime
            assert await broker.orders() == ()
            events = broker.events()
            assert [type(await anext(events)) for _ in range(2)] == [LinkDown, LinkUp]
            await broker.close()

    play(work)
