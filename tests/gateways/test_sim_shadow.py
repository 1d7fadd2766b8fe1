"""Paper orders in a real market: what live levels show is what they trade with, and the account adds up."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Level, Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.errors import GatewayError, GatewayLost
from qws.gateways.sim.books import Books, Opening
from qws.gateways.sim.shadow import ShadowBroker
from qws.ports import BrokerEvent
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.tables import load_calendar, load_rules
from tests.gateways.sim_rig import PLAN, at

CODE, HELD, FUND = "600000.SH", "600004.SH", "518880.SH"
CASH = Decimal(100_000)
RULES = load_rules()
TEN = at("10:00:00")


@dataclass
class Screen:
    """Quotes that a test sets; with `is_dark` the terminal does not answer."""

    clock: LoopClock
    shown: dict[str, Quote] = field(default_factory=dict)
    is_dark: bool = False

    def show(
        self, code: str, asks: list[tuple[str, int]], bids: list[tuple[str, int]], *, suspended: bool = False
    ) -> None:
        """A new snapshot of now."""
        shown_bids, shown_asks = (
            tuple(Level(Decimal(price), volume) for price, volume in levels) for levels in (bids, asks)
        )
        last = (shown_asks or shown_bids or (Level(Decimal(10), 0),))[0].price
        self.shown[code] = Quote(code, self.clock.now(), last, Decimal(10), shown_bids, shown_asks, suspended)

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        if self.is_dark:
            raise GatewayLost("the terminal is not there")
        return {code: quote for code, quote in self.shown.items() if code in codes}

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        if self.is_dark:
            raise GatewayLost("the terminal is not there")
        day = self.clock.now().date()
        known = [code for code in codes if code in (CODE, HELD, FUND)]
        return {
            code: RULES.instrument(code, day, Decimal(10), suspended=False, st=False, same_day_sell=code == FUND)
            for code in known
        }

    async def index_close(self, code: str, day: date) -> Decimal | None:
        return None

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        return {}


@dataclass
class Stage:
    """A shadow account in virtual time, and what it told."""

    clock: LoopClock
    screen: Screen
    broker: ShadowBroker
    told: list[BrokerEvent] = field(default_factory=list)

    async def pass_s(self, seconds: float) -> None:
        await self.clock.sleep(seconds)

    async def order(self, side: Side, code: str, shares: int, price: str, tag: str = "q1") -> BrokerOrder:
        order_id = await self.broker.place(OrderRequest(tag, code, side, shares, Decimal(price)))
        await self.pass_s(0.01)
        return await self.listed(order_id)

    async def listed(self, order_id: str) -> BrokerOrder:
        return {order.order_id: order for order in await self.broker.orders()}[order_id]

    async def fills(self) -> list[tuple[str, Side, int, Decimal]]:
        return [(trade.code, trade.side, trade.shares, trade.price) for trade in await self.broker.trades()]


@asynccontextmanager
async def staged(path: Path | None, start: datetime) -> AsyncIterator[Stage]:
    async def opening() -> Opening:
        return Opening(CASH, ((HELD, 1000, 600),))

    clock = LoopClock(start)
    screen, books = Screen(clock), Books(path)
    broker = ShadowBroker(books, screen, (RULES, load_calendar(), PLAN), clock, opening)
    stage = Stage(clock, screen, broker)
    for code in (CODE, HELD, FUND):
        screen.show(code, [("10.00", 500), ("10.01", 300)], [("9.99", 500)])

    async def hear() -> None:
        async for event in broker.events():
            stage.told.append(event)

    await broker.open()
    ear = asyncio.create_task(hear())
    try:
        yield stage
    finally:
        await broker.close()
        await ear
        books.close()


def played(story: Callable[[Stage], Awaitable[None]], start: datetime = TEN, path: Path | None = None) -> None:
    async def play() -> None:
        async with staged(path, start) as stage:
            await story(stage)
            asset, held = await stage.broker.asset(), await stage.broker.positions()
            assert asset.total == asset.cash + asset.frozen + asset.market_value
            assert asset.market_value == sum(each.market_value for each in held)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())


def test_an_order_takes_what_the_levels_show_up_to_its_limit_and_the_rest_waits_for_the_next_snapshot() -> None:
    async def story(stage: Stage) -> None:
        order = await stage.order(Side.BUY, CODE, 2000, "10.01")
        assert (order.status, order.traded) == (OrderStatus.PART_SUCC, 800)
        await stage.pass_s(10)
        assert await stage.fills() == [(CODE, Side.BUY, 500, Decimal("10.00")), (CODE, Side.BUY, 300, Decimal("10.01"))]
        stage.screen.show(CODE, [("10.01", 5000)], [])
        await stage.pass_s(2)
        assert (await stage.listed(order.order_id)).status is OrderStatus.SUCCEEDED
        assert [event.shares for event in stage.told if isinstance(event, Trade)] == [500, 300, 1200]
        assert isinstance(stage.told[-1], BrokerOrder)

    played(story)


def test_a_limit_that_nobody_meets_waits_and_is_cancelled_and_frees_its_money() -> None:
    async def story(stage: Stage) -> None:
        order = await stage.order(Side.BUY, CODE, 1000, "9.50")
        assert order.status is OrderStatus.REPORTED
        assert (await stage.broker.asset()).frozen > 9500
        await stage.broker.cancel(order.order_id)
        await stage.broker.cancel(order.order_id)
        await stage.broker.cancel("never heard of")
        assert (await stage.listed(order.order_id)).status is OrderStatus.CANCELED
        assert (await stage.broker.asset()).cash == CASH

    played(story)


def test_two_orders_never_take_the_same_shares_and_the_better_price_goes_first() -> None:
    async def story(stage: Stage) -> None:
        stage.screen.shown.pop(CODE)
        low = await stage.order(Side.BUY, CODE, 500, "10.00", "q1")
        high = await stage.order(Side.BUY, CODE, 500, "10.01", "q2")
        stage.screen.show(CODE, [("10.00", 600)], [])
        await stage.pass_s(2)
        assert (await stage.listed(high.order_id)).traded == 500
        assert (await stage.listed(low.order_id)).traded == 100

    played(story)


def test_what_was_bought_today_may_not_be_sold_today_but_tomorrow() -> None:
    async def story(stage: Stage) -> None:
        await stage.order(Side.BUY, CODE, 500, "10.00")
        refused = await stage.order(Side.SELL, CODE, 500, "9.99", "q2")
        assert refused.status is OrderStatus.JUNK
        assert refused.message.startswith("INSUFFICIENT_SHARES")
        await stage.pass_s(timedelta(days=1).total_seconds())
        stage.screen.show(CODE, [], [("9.99", 500)])
        sold = await stage.order(Side.SELL, CODE, 500, "9.99", "q3")
        assert (sold.status, sold.traded) == (OrderStatus.SUCCEEDED, 500)
        assert {order.tag for order in await stage.broker.orders()} == {"q3"}

    played(story)


def test_a_fund_that_may_be_sold_on_the_same_day_is() -> None:
    async def story(stage: Stage) -> None:
        await stage.order(Side.BUY, FUND, 500, "10.00")
        assert (await stage.order(Side.SELL, FUND, 500, "9.99", "q2")).traded == 500

    played(story)


@pytest.mark.parametrize(
    ("code", "side", "shares", "price", "clock", "refusal"),
    [
        ("999999.SH", Side.BUY, 100, "10.00", "10:00:00", "UNKNOWN_CODE"),
        (CODE, Side.BUY, 100, "11.01", "10:00:00", "PRICE_LIMIT"),
        (CODE, Side.BUY, 10_000, "10.00", "10:00:00", "INSUFFICIENT_CASH"),
        (HELD, Side.SELL, 700, "9.99", "10:00:00", "INSUFFICIENT_SHARES"),
        (CODE, Side.BUY, 100, "10.00", "15:30:00", "PHASE_CLOSED"),
    ],
)
def test_what_no_broker_takes_is_refused(
    code: str, side: Side, shares: int, price: str, clock: str, refusal: str
) -> None:
    async def story(stage: Stage) -> None:
        order = await stage.order(side, code, shares, price)
        assert (order.status, order.traded) == (OrderStatus.JUNK, 0)
        assert order.message.startswith(refusal)
        assert (await stage.broker.asset()).cash == CASH

    played(story, at(clock))


def test_nothing_trades_on_a_day_off() -> None:
    async def story(stage: Stage) -> None:
        assert (await stage.order(Side.BUY, CODE, 100, "10.00")).message.startswith("PHASE_CLOSED")

    played(story, at("10:00:00", date(2026, 11, 21)))


def test_nothing_trades_while_suspended_or_at_lunch_and_what_is_left_expires_at_the_close() -> None:
    async def story(stage: Stage) -> None:
        stage.screen.show(CODE, [("10.00", 5000)], [], suspended=True)
        order = await stage.order(Side.BUY, CODE, 1000, "10.00")
        await stage.pass_s(60)
        assert (await stage.listed(order.order_id)).traded == 0
        await stage.pass_s(timedelta(hours=5).total_seconds())
        assert (await stage.listed(order.order_id)).status is OrderStatus.CANCELED

    played(story)


def test_a_terminal_that_does_not_answer_takes_no_order_and_loses_none() -> None:
    async def story(stage: Stage) -> None:
        order = await stage.order(Side.BUY, CODE, 2000, "10.01")
        stage.screen.is_dark = True
        with pytest.raises(GatewayLost):
            await stage.order(Side.BUY, CODE, 100, "10.00", "q2")
        await stage.pass_s(5)
        assert len(await stage.broker.orders()) == 1
        stage.screen.is_dark = False
        stage.screen.show(CODE, [("10.00", 5000)], [])
        await stage.pass_s(2)
        assert (await stage.listed(order.order_id)).status is OrderStatus.SUCCEEDED

    played(story)


def test_a_holding_without_a_price_is_no_account_of_zero() -> None:
    async def story(stage: Stage) -> None:
        stage.screen.shown.pop(HELD)
        with pytest.raises(GatewayError, match=HELD):
            await stage.broker.asset()
        stage.screen.show(HELD, [("10.00", 100)], [])

    played(story)


def test_the_account_and_its_orders_survive_a_restart_and_the_real_one_is_not_read_again(tmp_path: Path) -> None:
    path, ids = tmp_path / "shadow.sqlite", []

    async def before(stage: Stage) -> None:
        ids.append((await stage.order(Side.BUY, CODE, 2000, "10.01")).order_id)

    async def after(stage: Stage) -> None:
        order = await stage.listed(ids[0])
        assert order.traded >= 800
        assert (await stage.broker.asset()).cash < CASH - 8000
        stage.screen.show(CODE, [("10.00", 5000)], [])
        await stage.pass_s(2)
        assert (await stage.listed(ids[0])).status is OrderStatus.SUCCEEDED
        assert sum(trade.shares for trade in await stage.broker.trades()) == 2000

    played(before, path=path)
    played(after, at("10:01:00"), path)


def test_an_account_that_was_not_opened_answers_nothing() -> None:
    async def ask() -> None:
        clock = LoopClock(at("10:00:00"))

        async def opening() -> Opening:
            return Opening(CASH, ())

        books = Books(None)
        broker = ShadowBroker(books, Screen(clock), (RULES, load_calendar(), PLAN), clock, opening)
        with pytest.raises(GatewayError, match="not open"):
            await broker.orders()
        books.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(ask())
