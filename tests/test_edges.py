"""The edges of a live account: the terminal's ports while a block lasts, and its calendar read every morning."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from qws.config import load_config
from qws.domain.account import Position
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.edges import deadlines_of, end_when_stuck, keep_current, open_edges, terminal_of
from qws.errors import AlreadyRunning, GatewayLost
from qws.home import Home, account_lock
from qws.runtime.clock import SHANGHAI, LoopClock, SystemClock, VirtualLoop
from qws.store.lock import is_held
from tests.cli.live import ACCOUNT, a_live_home
from tests.xt_native.rig import BOUGHT, HELD, a_terminal, attached

MORNING = datetime(2026, 11, 19, 8, 0, tzinfo=SHANGHAI)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return a_live_home(tmp_path / "home", order_gap_s="0", query_gap_s="0", quote_s="2.5")


@pytest.fixture
def terminal() -> Iterator[None]:
    with attached(a_terminal(start=SystemClock().now(), always_open=True)):
        yield


def test_a_live_home_has_the_terminals_account_quotes_and_calendar(home: Home, terminal: None) -> None:
    async def look() -> tuple[tuple[Position, ...], set[str], bool]:
        async with open_edges(home, load_config(home.config_file), SystemClock()) as edges:
            await edges.broker.open()
            quotes = await edges.quotes.quotes([BOUGHT, HELD])
            return await edges.broker.positions(), set(quotes), edges.calendar.is_session(MORNING.date())

    positions, quoted, is_session = asyncio.run(look())

    assert [position.code for position in positions] == [HELD]
    assert (quoted, is_session) == ({BOUGHT, HELD}, True)
    assert not is_held(account_lock(ACCOUNT))


def test_a_shadow_home_begins_with_the_real_holdings_and_orders_nothing_at_the_terminal(home: Home) -> None:
    text = home.config_file.read_text(encoding="utf-8").replace('mode = "live"', 'mode = "shadow"')
    home.config_file.write_text(text.replace("always_open = false", "always_open = true"), encoding="utf-8")
    config, clock = load_config(home.config_file), SystemClock()

    async def trade() -> tuple[set[str], OrderStatus, list[Trade]]:
        async with open_edges(home, config, clock) as edges:
            await edges.broker.open()
            held = {position.code for position in await edges.broker.positions()}
            price = (await edges.quotes.quotes([BOUGHT]))[BOUGHT].asks[0].price
            await edges.broker.place(OrderRequest("q1", BOUGHT, Side.BUY, 100, price))
            trades = []
            async for event in edges.broker.events():
                if isinstance(event, Trade):
                    trades.append(event)
                if isinstance(event, BrokerOrder) and event.status.is_terminal:
                    break
            return held, (await edges.broker.orders())[0].status, trades

    with attached(terminal := a_terminal(start=clock.now(), always_open=True)):
        held, status, trades = asyncio.run(trade())
        assert terminal.ask(lambda: terminal._desk._counter.orders(terminal.now())) == ()

    assert (held, status) == ({HELD}, OrderStatus.SUCCEEDED)
    assert [(trade.code, trade.shares) for trade in trades] == [(BOUGHT, 100)]
    assert not is_held(account_lock(ACCOUNT))


def test_two_homes_do_not_trade_one_account(home: Home, tmp_path: Path, terminal: None) -> None:
    other = a_live_home(tmp_path / "other")

    async def both() -> None:
        clock = SystemClock()
        async with open_edges(home, load_config(home.config_file), clock) as first:
            await first.broker.open()
            async with open_edges(other, load_config(other.config_file), clock) as second:
                await second.broker.open()

    with pytest.raises(BaseExceptionGroup) as raised:
        asyncio.run(both())
    assert raised.value.subgroup(AlreadyRunning) is not None


def test_the_settings_of_the_terminal_reach_the_gateway(home: Home) -> None:
    config = load_config(home.config_file)

    assert terminal_of(config).folder == home.root / "userdata_mini"
    assert terminal_of(config).account == ACCOUNT
    assert deadlines_of(config).quote_s == 2.5
    assert deadlines_of(config).query_s == config.xt.query_s


def test_the_calendar_is_read_at_start_and_every_day_before_the_open_and_again_after_a_failure() -> None:
    reads: list[datetime] = []

    async def play() -> None:
        clock = LoopClock(MORNING)

        async def refresh() -> None:
            reads.append(clock.now())
            if len(reads) in (1, 4):
                raise GatewayLost("the terminal is not there")

        with suppress(TimeoutError):
            async with asyncio.timeout(timedelta(days=3).total_seconds()):
                await keep_current(refresh, clock)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())

    assert [f"{read:%d %H:%M}" for read in reads] == [
        "19 08:00", "19 08:05", "19 08:50", "20 08:50", "20 08:55", "21 08:50",
    ]  # fmt: skip


def test_a_process_with_too_many_stuck_threads_ends() -> None:
    async def play() -> float:
        clock, loop = LoopClock(MORNING), asyncio.get_running_loop()
        with pytest.raises(GatewayLost, match="threads hang"):
            await end_when_stuck(lambda: int(loop.time() // 60), clock)
        return loop.time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(play()) >= 60
