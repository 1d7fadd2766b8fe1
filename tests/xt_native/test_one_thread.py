"""The fake native layer without threads: in due order, at once where the vendor waits, and never blocking."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from qws.domain.orders import OrderStatus
from qws.errors import GatewayError, GatewayLost, GatewayTimeout
from qws.gateways.xt.broker import XtBroker
from qws.gateways.xt.client import LinkState
from qws.gateways.xt.settings import Terminal
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.tables import load_calendar
from tests.conformance.brokers import ACCOUNT, TEN, Ear, an_account, heard_by, the_market
from tests.gateways.xt.xt_rig import a_buy
from tests.xt_native import Faults, Native, SimTerminal, install
from tests.xt_native.one_thread import Agenda, Hangs, InlineExecutor, InlineWorker, Traders, on_one_thread


def virtually(body: Callable[[], Coroutine[object, object, None]]) -> None:
    """Run in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(body())


@dataclass
class Stand:
    """A broker on one thread, and the terminal behind it."""

    broker: XtBroker
    terminal: SimTerminal
    traders: Traders
    native: Native
    ear: Ear = field(default_factory=Ear)


def played(path: Path, body: Callable[[Stand], Coroutine[object, object, None]], faults: Faults | None = None) -> None:
    """Play with an unopened broker at a terminal, and expect that nothing but this thread was needed."""
    before = threading.active_count()

    async def run() -> None:
        clock, market, native = LoopClock(TEN), the_market(), install()
        terminal = SimTerminal(
            lambda: an_account(path, clock.now(), market),
            market,
            load_calendar(),
            clock,
            account_id=ACCOUNT,
            faults=faults,
            lanes=Agenda().lane,
        )
        native.attach(terminal)
        terminal.begin()
        broker = XtBroker(Terminal("xtquant", path, ACCOUNT, path / "xt.lock"), clock, workers=InlineWorker)
        try:
            with on_one_thread(native) as traders:
                await body(Stand(broker, terminal, traders, native))
                await broker.close()
        finally:
            native.detach()

    virtually(run)
    assert threading.active_count() == before


def test_an_order_lives_its_whole_life_on_one_thread(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        async with heard_by(stand.broker, stand.ear):
            order_id = await stand.broker.place(a_buy("q1", 300, Decimal("10.03")))
            await stand.ear.until(lambda _: any(o.status is OrderStatus.SUCCEEDED for o in stand.ear.orders("q1")))
            (order,) = await stand.broker.orders()
            trades = await stand.broker.trades()

        assert (order.order_id, order.traded, sum(trade.shares for trade in trades)) == (order_id, 300, 300)
        assert stand.native.errors == []

    played(tmp_path, body)


def test_the_vendor_class_and_its_executors_are_back_afterwards(tmp_path: Path) -> None:
    xttrader = install().module("xttrader")
    real = xttrader.XtQuantTrader

    async def body(stand: Stand) -> None:
        assert issubclass(xttrader.XtQuantTrader, real)
        assert xttrader.XtQuantTrader is not real
        await stand.broker.open()
        (trader,) = stand.traders.made
        assert not isinstance(trader.executor, ThreadPoolExecutor)

    played(tmp_path, body)
    assert xttrader.XtQuantTrader is real


@pytest.mark.parametrize("fault", ["connect_hangs", "connect_refused", "subscribe_refused", "early_push"])
def test_a_connection_that_fails_at_first_is_made_in_the_end_and_only_virtual_time_passes(
    tmp_path: Path, fault: str
) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()
        assert stand.broker.state is LinkState.READY
        assert stand.broker.stuck_threads == (fault == "connect_hangs")

    played(tmp_path, body, Faults(**{fault: 1}))  # type: ignore[arg-type]


def test_a_terminal_that_dies_silently_is_found_out_and_sought_although_nobody_listens(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()
        stand.terminal.die(tell=False)
        for _ in range(2):
            with pytest.raises(GatewayError):
                await stand.broker.orders()
        assert stand.broker.reason
        stand.terminal.revive()
        await asyncio.sleep(60)

        assert stand.broker.state is LinkState.READY
        assert await stand.broker.orders() == ()

    played(tmp_path, body)


def test_a_terminal_that_dies_silently_while_the_account_is_barred_is_found_out_too(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()
        stand.terminal.set_status(5)
        await asyncio.sleep(5)
        assert "account status 5" in stand.broker.reason
        stand.terminal.die(tell=False)
        stand.terminal.revive()
        stand.terminal.set_status(0)
        await asyncio.sleep(60)

        assert stand.broker.state is LinkState.READY

    played(tmp_path, body)


def test_what_a_dropped_process_was_to_hear_is_heard_by_nobody(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        await stand.broker.open()
        await stand.broker.place(a_buy("q1", 300, Decimal("10.03")))
        (trader,) = stand.traders.made
        stand.traders.drop()
        assert trader.loop.is_closed()
        assert stand.terminal.subscribers() == []
        with pytest.raises(GatewayTimeout):
            await stand.broker.orders()

    played(tmp_path, body)


def test_work_is_done_in_the_order_of_its_due_times_and_of_putting() -> None:
    done: list[str] = []

    async def body() -> None:
        agenda, errors = Agenda(), list[BaseException]()
        one, other = agenda.lane("one", errors), agenda.lane("other", errors)
        one.put(lambda: done.append("late"), 2.0)
        one.put(lambda: done.append("first"), 1.0)
        other.put(lambda: done.append("second"), 1.0)
        other.put(lambda: int("broken"), 1.0)
        other.put(lambda: done.append("dropped"), 3.0)
        one.put(lambda: done.append("now"))
        one.catch_up()
        assert done == ["now"]
        await asyncio.sleep(2.5)
        other.end()
        await asyncio.sleep(10)

        assert done == ["now", "first", "second", "late"]
        assert [type(error) for error in errors] == [ValueError]

    virtually(body)


def test_a_call_that_hangs_takes_its_deadline_and_ends_the_worker() -> None:
    def hang() -> None:
        raise Hangs

    async def body() -> None:
        worker, loop = InlineWorker("test"), asyncio.get_running_loop()
        assert await worker.call("sum", lambda: 7, 1.0) == 7
        with pytest.raises(GatewayError, match="sum: ValueError"):
            await worker.call("sum", lambda: int("x"), 1.0)
        hanging = asyncio.create_task(worker.call("connect", hang, 30.0))
        await asyncio.sleep(1)
        with pytest.raises(GatewayLost, match="not begun"):
            await worker.call("order", lambda: 1, 5.0)
        with pytest.raises(GatewayTimeout, match="connect did not return within 30 s"):
            await hanging
        with pytest.raises(GatewayLost, match="connect did not return"):
            await worker.call("order", lambda: 1, 5.0)
        assert loop.time() == pytest.approx(30.0)

    virtually(body)


def test_an_inline_executor_keeps_what_was_raised_as_a_real_one_does() -> None:
    executor = InlineExecutor()

    assert executor.submit(max, 1, 2).result() == 2
    assert isinstance(executor.submit(int, "x").exception(), ValueError)
