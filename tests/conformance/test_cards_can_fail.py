"""A card that cannot fail is a defect: each is played on a broker that lies about what it looks at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from qws.conformance.cards import CARDS
from qws.conformance.looks import UNKNOWN_CODE
from qws.conformance.one_lot import let_go
from qws.conformance.verdict import CardFailed, Verdict, judged
from qws.domain.account import Asset, Position
from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.ports import Broker, BrokerEvent, Quotes
from tests.conformance.brokers import Stand
from tests.conformance.cards import Play
from tests.conformance.test_cards import a_lived_day, one_lot

Orders = tuple[BrokerOrder, ...]
Trades = tuple[Trade, ...]
Positions = tuple[Position, ...]
YUAN, DAY, MUCH = Decimal(1), timedelta(days=1), 10**6


@dataclass
class LyingBroker:
    """Another broker's answers, each through a function."""

    broker: Broker
    asset_of: Callable[[Asset], Asset] = lambda asset: asset
    positions_of: Callable[[Positions], Positions] = lambda positions: positions
    orders_of: Callable[[Orders], Orders] = lambda orders: orders
    trades_of: Callable[[Trades], Trades] = lambda trades: trades
    answer_of: Callable[[str], str] = lambda order_id: order_id
    cancels: bool = True

    async def open(self) -> None: ...
    async def close(self) -> None: ...

    async def place(self, order: OrderRequest) -> str:
        return self.answer_of(await self.broker.place(order))

    async def cancel(self, order_id: str) -> None:
        if self.cancels:
            await self.broker.cancel(order_id)

    async def asset(self) -> Asset:
        return self.asset_of(await self.broker.asset())

    async def positions(self) -> Positions:
        return self.positions_of(await self.broker.positions())

    async def orders(self) -> Orders:
        return self.orders_of(await self.broker.orders())

    async def trades(self) -> Trades:
        return self.trades_of(await self.broker.trades())

    def events(self) -> AsyncIterator[BrokerEvent]:
        return self.broker.events()


@dataclass
class LyingQuotes:
    """Other quotes, each through a function; with `knows` every code has what the first one has."""

    source: Quotes
    quote_of: Callable[[Quote], Quote] = lambda quote: quote
    record_of: Callable[[Instrument], Instrument] = lambda record: record
    level: Decimal | None = YUAN
    knows: bool = True
    invents: bool = False

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        found = await self.source.quotes(["600000.SH"] if self.invents else codes)
        return {code: self.quote_of(quote) for code, quote in found.items()} if self.knows else {}

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        found = await self.source.instruments(codes)
        return {code: self.record_of(record) for code, record in found.items()} if self.knows else {}

    async def index_close(self, code: str, day: date) -> Decimal | None:
        return self.level

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        return {}


class Fewer:
    """One row less with every look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, rows: tuple[object, ...]) -> tuple[object, ...]:
        self.looks += 1
        return rows[self.looks - 1 :]


class Changing:
    """Ended orders that say something else with every look."""

    def __init__(self) -> None:
        self.looks = 0

    def __call__(self, rows: Orders) -> Orders:
        self.looks += 1
        return tuple(replace(row, message=f"{self.looks}") for row in rows)


def each_order(**changes: object) -> Callable[[Orders], Orders]:
    return lambda rows: tuple(replace(row, **changes) for row in rows)  # type: ignore[arg-type]


def the_last(**changes: object) -> Callable[[Orders], Orders]:
    return lambda rows: (*rows[:-1], replace(rows[-1], **changes)) if rows else rows  # type: ignore[arg-type]


ACCOUNT_LIES: list[tuple[int, dict[str, object], str]] = [
    (21, {"asset_of": lambda asset: replace(asset, total=Decimal(0))}, "total is 0"),
    (22, {"asset_of": lambda asset: replace(asset, total=asset.total + MUCH)}, "is not cash"),
    (22, {"positions_of": lambda rows: tuple(replace(row, sellable=row.shares + 1) for row in rows)}, "sellable"),
    (23, {"orders_of": lambda rows: rows * 2}, "more than once"),
    (23, {"orders_of": each_order(order_id="")}, "has no id"),
    (23, {"orders_of": each_order(traded=MUCH)}, "shares traded"),
    (23, {"orders_of": lambda rows: tuple(replace(row, at=row.at - DAY) for row in rows)}, "is of"),
    (24, {"trades_of": lambda rows: rows[1:]}, "add up to"),
    (24, {"trades_of": lambda rows: tuple(replace(row, tag="cut") for row in rows)}, "is told as [cut]"),
    (24, {"trades_of": lambda rows: tuple(replace(row, order_id="77") for row in rows)}, "not listed"),
    (25, {"orders_of": Fewer}, "listed no more"),
    (25, {"orders_of": Changing}, "had ended, and has changed"),
    (25, {"trades_of": Fewer}, "listed no more"),
    (26, {"orders_of": Fewer}, "listed no more"),
]
QUOTE_LIES: list[tuple[int, dict[str, object], str]] = [
    (27, {"knows": False}, "has a quote"),
    (27, {"quote_of": lambda quote: replace(quote, asks=quote.asks[::-1])}, "not in order"),
    (27, {"quote_of": lambda quote: replace(quote, asks=quote.bids[::-1], bids=quote.asks[::-1])}, "is above"),
    (27, {"quote_of": lambda quote: replace(quote, at=quote.at + DAY)}, "and it is"),
    (27, {"quote_of": lambda quote: replace(quote, bids=(*quote.bids, *quote.bids))}, "at most 5"),
    (27, {"quote_of": lambda quote: replace(quote, last=Decimal(0))}, "not above zero"),
    (28, {"knows": False}, "without a record"),
    (28, {"record_of": lambda record: replace(record, tick=Decimal(0))}, "are none"),
    (28, {"record_of": lambda record: replace(record, limit_up=record.limit_up + YUAN / 3)}, "off the tick"),
    (28, {"record_of": lambda record: replace(record, limit_up=record.limit_down)}, "not around"),
    (28, {"record_of": lambda record: replace(record, prev_close=record.prev_close - YUAN / 100)}, "previous close"),
    (28, {"record_of": lambda record: replace(record, limit_up=record.prev_close)}, "outside its limits"),
    (29, {"invents": True}, f"{UNKNOWN_CODE} is known"),
    (30, {"level": Decimal(0)}, "closed on"),
]
ORDER_LIES: list[tuple[int, dict[str, object], str]] = [
    (31, {"answer_of": lambda order_id: ""}, "told no id"),
    (31, {"answer_of": lambda order_id: "77"}, "is not listed"),
    (31, {"orders_of": the_last(shares=200)}, "listed as"),
    (32, {"orders_of": the_last(tag="qwsc")}, "listed as [qwsc]"),
    (33, {"orders_of": the_last(status=OrderStatus.PART_SUCC, traded=50)}, "should rest"),
    (33, {"orders_of": the_last(status=OrderStatus.UNREPORTED)}, "status 48"),
    (33, {"asset_of": lambda asset: replace(asset, cash=asset.cash + asset.frozen)}, "should be frozen"),
    (34, {"cancels": False}, "nothing was told"),
    (34, {"orders_of": the_last(status=OrderStatus.REPORTED_CANCEL)}, "should be cancelled"),
    (35, {"orders_of": Changing}, "became"),
]


def fresh(lie: dict[str, object]) -> dict[str, object]:
    return {name: told() if isinstance(told, type) else told for name, told in lie.items()}


@pytest.mark.parametrize(("number", "lie", "said"), ACCOUNT_LIES)
def test_a_lie_about_the_account_is_found(embedded: Play, number: int, lie: dict[str, object], said: str) -> None:
    async def played(stand: Stand) -> None:
        await a_lived_day(stand)
        stand.broker = LyingBroker(stand.broker, **fresh(lie))  # type: ignore[arg-type]

        async def again() -> None: ...

        stand.restart = again
        result = await judged(CARDS[number - 1], stand)

        assert result.result is Verdict.FAILED
        assert said in result.text

    embedded(played)


@pytest.mark.parametrize(("number", "lie", "said"), QUOTE_LIES)
def test_a_lie_about_the_market_is_found(embedded: Play, number: int, lie: dict[str, object], said: str) -> None:
    async def played(stand: Stand) -> None:
        stand.quotes = LyingQuotes(stand.quotes, **lie)  # type: ignore[arg-type]
        result = await judged(CARDS[number - 1], stand)

        assert result.result is Verdict.FAILED
        assert said in result.text

    embedded(played)


def test_a_terminal_without_bars_of_the_index_is_no_failure_and_is_told_what_to_download(embedded: Play) -> None:
    async def played(stand: Stand) -> None:
        stand.quotes = LyingQuotes(stand.quotes, level=None)
        result = await judged(CARDS[29], stand)

        assert result.result is Verdict.NOT_CHECKED
        assert "download the index's daily bars" in result.text

    embedded(played)


@pytest.mark.parametrize(("number", "lie", "said"), ORDER_LIES)
def test_a_lie_about_the_one_order_is_found(embedded: Play, number: int, lie: dict[str, object], said: str) -> None:
    async def played(stand: Stand) -> None:
        honest = stand.broker
        stand.lot = await one_lot(stand)

        async def again() -> None: ...

        stand.restart = again
        for card in CARDS[30 : number - 1]:
            assert (await judged(card, stand)).result is Verdict.PASSED
        stand.broker = LyingBroker(honest, **fresh(lie))  # type: ignore[arg-type]
        result = await judged(CARDS[number - 1], stand)
        stand.broker = honest

        assert result.result is Verdict.FAILED
        assert said in result.text
        assert await let_go(stand) == ""
        assert all(order.status.is_terminal for order in await honest.orders())

    embedded(played)


def test_an_order_that_cannot_be_cancelled_is_said_aloud(embedded: Play) -> None:
    async def played(stand: Stand) -> None:
        stand.lot = await one_lot(stand)
        await judged(CARDS[30], stand)
        stand.broker = LyingBroker(stand.broker, cancels=False)

        with pytest.raises(CardFailed, match="may still work: cancel it at the terminal"):
            await let_go(stand)
        stand.broker = LyingBroker(stand.broker, orders_of=lambda rows: ())
        assert "see there" in await let_go(stand)

    embedded(played)
