from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from qws.errors import ConfigError, GatewayError
from qws.gateways.wire import protocol as wire
from qws.gateways.wire.client import WireBroker
from qws.gateways.wire.protocol import parse_address
from tests.conformance.brokers import BOUGHT, INDEX, TEN, DayClock, Ear, an_account, served
from tests.gateways.sim_rig import buy
from tests.gateways.wire_rig import HurriedClock, a_trader, an_exchange_at, hello, line, play, raised, talking_to, until

NEXT_WEEK = TEN + timedelta(days=7)


@pytest.mark.parametrize("text", ["127.0.0.1:5000", "127.8.9.1:1", "[::1]:0"])
def test_an_address_of_this_computer_is_taken(text: str) -> None:
    assert str(parse_address(text, named="--listen")) == text


@pytest.mark.parametrize("text", ["0.0.0.0:5000", "10.0.0.1:5000", "[::]:1", "localhost:1", "127.0.0.1:x", "127.0.0.1"])
def test_any_other_address_is_refused_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match=r"--listen = .*write 127\.0\.0\.1:PORT"):
        parse_address(text, named="--listen")


def test_the_exchange_lives_on_while_nobody_is_connected(tmp_path: Path) -> None:
    async def work() -> None:
        clock = DayClock(TEN)
        exchange = an_account(tmp_path, TEN)
        async with served(exchange, clock) as address:
            async with a_trader(address, clock, Ear()) as broker:
                await broker.place(buy(BOUGHT, 300, "10.05", "b1"))
            report = exchange.next_due()
            assert report is not None
            assert report < clock.now() + timedelta(seconds=1)  # the order has not arrived
            await until(lambda: (exchange.next_due() or NEXT_WEEK) > report + timedelta(minutes=5))  # nobody asks
            async with a_trader(address, clock, Ear()) as broker:
                assert [trade.shares for trade in await broker.trades()] == [300]
        exchange.close()

    play(work)


def test_one_client_trades_and_the_next_one_waits_until_it_has_gone(tmp_path: Path) -> None:
    async def work() -> None:
        clock, ear = HurriedClock(), Ear()
        async with an_exchange_at(tmp_path, clock) as address:
            async with a_trader(address, clock, Ear()) as first:
                async with talking_to(address) as second:
                    refusal = await second.ask(hello("trade"))
                    assert refusal["word"] == "error"
                    assert "already trades" in str(refusal["body"])
                    assert await second.is_cut_off()
                waiting = WireBroker(address, clock)
                opening = asyncio.create_task(waiting.open())
                await until(lambda: len(clock.slept) > 3)
                assert not opening.done()
                await first.place(buy(BOUGHT, 300, "10.05", "b1"))
            await opening
            listening = asyncio.create_task(ear.listen(waiting))
            await waiting.place(buy(BOUGHT, 300, "10.05", "b2"))
            await ear.until(lambda heard: bool(ear.orders("b2")))
            await waiting.close()
            await listening

    play(work)


def test_a_trader_that_no_longer_answers_is_replaced(tmp_path: Path) -> None:
    async def work() -> None:
        clock = DayClock(TEN)
        async with an_exchange_at(tmp_path, clock) as address, talking_to(address) as hung:
            assert (await hung.ask(hello("trade")))["word"] == "hello"
            async with a_trader(address, clock, Ear()) as broker:
                await broker.place(buy(BOUGHT, 300, "10.05"))
                assert await hung.is_cut_off()

    play(work)


def test_a_reader_reads_beside_the_trader_and_may_not_place(tmp_path: Path) -> None:
    async def work() -> None:
        clock, ear = DayClock(TEN), Ear()
        async with an_exchange_at(tmp_path, clock) as address, a_trader(address, clock, ear) as trader:
            reader = WireBroker(address, clock, role="read")
            await reader.open()
            assert "read only" in str(await raised(reader.place(buy(BOUGHT, 300, "10.05"))))
            await trader.place(buy(BOUGHT, 300, "10.05", "b1"))
            assert "read only" in str(await raised(reader.cancel((await reader.orders())[0].order_id)))
            await ear.until(lambda heard: any(order.status.is_terminal for order in ear.orders("b1")))
            assert await reader.asset() == await trader.asset()
            await reader.close()

    play(work)


JUNK = {
    "no_json": b"GET / HTTP/1.1\r\n\r\n",
    "no_object": b"[1,2]\n",
    "no_greeting": line(1, "asset"),
    "half_a_greeting": line(1, "hello", {"version": 1}),
    "another_version": hello(version=99),
    "not_utf8": b"\xff\xfe\x00\n",
    "deep": b"[" * 100_000 + b"\n",
    "long": b'"' + b"x" * (wire.FRAME_MAX + 1) + b'"\n',
    "unknown_word": hello() + line(2, "withdraw", 1_000_000),
    "extra_key": hello() + b'{"id":2,"word":"asset","body":null,"more":1}\n',
    "negative_number": hello() + b'{"id":-2,"word":"asset"}\n',
    "order_of_text": hello("trade") + line(2, "place", "buy everything"),
    "order_without_price": hello("trade")
    + line(2, "place", {"tag": "x", "code": BOUGHT, "side": "buy", "shares": 100, "price": "NaN"}),
    "order_beyond_numbers": hello("trade")
    + line(2, "place", {"tag": "x", "code": BOUGHT, "side": "buy", "shares": 10**30, "price": "10"}),
    "year_zero": hello() + line(2, "index_close", [INDEX, "0001-01-01"]),
    "asset_of_something": hello() + line(2, "asset", BOUGHT),
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_ends_its_own_connection_only(tmp_path: Path, kind: str) -> None:
    async def work() -> None:
        clock = DayClock(TEN)
        async with an_exchange_at(tmp_path, clock) as address, talking_to(address) as reader:
            assert (await reader.ask(hello()))["word"] == "hello"
            async with talking_to(address) as vandal:
                vandal.writer.write(JUNK[kind])
                assert await vandal.is_cut_off()
            answer = await reader.ask(line(2, "orders"))
            assert answer == {"id": 2, "word": "orders", "body": []}

    play(work)


def test_a_port_that_is_taken_says_so(tmp_path: Path) -> None:
    async def work() -> None:
        clock = DayClock(TEN)
        async with an_exchange_at(tmp_path, clock) as address:
            (tmp_path / "other").mkdir()
            with pytest.raises(GatewayError, match="choose another port"):
                async with an_exchange_at(tmp_path / "other", clock, address):
                    pass

    play(work)
