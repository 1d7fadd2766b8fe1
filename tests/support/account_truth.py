"""An account as it is at the broker at any second: what was ordered, traded and moved, and what queries answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from qws.domain.account import Asset, Look, Position, Snapshot
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.errors import GatewayTimeout
from tests.support.builders import FEE, HandClock, at
from tests.support.fake_broker import FakeBroker

PRICE = Decimal(10)
START = at("10:00:00")


def moment(second: float) -> datetime:
    """So many seconds after the snapshot."""
    return START + timedelta(seconds=second)


@dataclass(frozen=True)
class Placed:
    """An order: when the broker has it, its fills as (second, shares), and when it is cancelled, if it is."""

    request: OrderRequest
    second: float
    fills: tuple[tuple[float, int], ...] = ()
    ends: float | None = None
    price: Decimal = PRICE

    def trades(self) -> list[Trade]:
        """Its fills, each with its part of the order's fee."""
        ask, traded, paid, trades = self.request, 0, Decimal(0), []
        for number, (second, shares) in enumerate(self.fills):
            traded += shares
            fee = FEE(ask.code, ask.side, traded, self.price)
            name = f"{ask.tag}-{number}", f"id-{ask.tag}", ask.tag
            trades.append(Trade(*name, ask.code, ask.side, shares, self.price, moment(second), fee - paid))
            paid = fee
        return trades

    def row(self, second: float) -> BrokerOrder:
        """How the broker lists it."""
        ask = self.request
        traded = sum(shares for when, shares in self.fills if when <= second)
        status = OrderStatus.PART_SUCC if traded else OrderStatus.REPORTED
        if traded == ask.shares:
            status = OrderStatus.SUCCEEDED
        elif self.ends is not None and self.ends <= second:
            status = OrderStatus.PART_CANCEL if traded else OrderStatus.CANCELED
        known = ask.tag, ask.code, ask.side, ask.shares, ask.price, traded, status
        return BrokerOrder(f"id-{ask.tag}", *known, "", moment(self.second))

    def changes(self) -> list[float]:
        """The seconds at which its row changes."""
        return [self.second, *(second for second, _ in self.fills), *([] if self.ends is None else [self.ends])]


@dataclass
class Truth:
    """`moves` are CNY, and `bonus` shares of a code, that come or go at a second without a trade."""

    cash: Decimal
    holdings: dict[str, int]
    placed: list[Placed] = field(default_factory=list)
    moves: list[tuple[float, Decimal]] = field(default_factory=list)
    bonus: list[tuple[float, str, int]] = field(default_factory=list)

    def asset(self, second: float) -> Asset:
        """The account's money; open buys hold their limit and their fees."""
        frozen, cash = Decimal(0), self.cash + sum(amount for when, amount in self.moves if when <= second)
        for order in self._at(second):
            row, fees = order.row(second), Decimal(0)
            for trade in self._of([order], second):
                fees += trade.fee or 0
                cash += trade.shares * trade.price * (1 if trade.side is Side.SELL else -1) - (trade.fee or 0)
            if row.side is Side.BUY and not row.status.is_terminal:
                full = FEE(row.code, row.side, row.shares, row.price)
                frozen += (row.shares - row.traded) * row.price + full - fees
        value = sum((position.market_value for position in self.positions(second)), Decimal(0))
        return Asset(cash - frozen, frozen, value, cash + value)

    def positions(self, second: float) -> tuple[Position, ...]:
        """The holdings; what was bought today, and what open sells hold, is not sellable."""
        shares, held_back = Counter(self.holdings), Counter[str]()
        for when, code, more in self.bonus:
            shares[code] += more if when <= second else 0
        for order in self._at(second):
            row, code = order.row(second), order.request.code
            shares[code] += row.traded if row.side is Side.BUY else -row.traded
            if row.side is Side.BUY:
                held_back[code] += row.traded
            elif not row.status.is_terminal:
                held_back[code] += row.shares - row.traded
        return tuple(
            Position(code, held, held - held_back[code], held * PRICE) for code, held in sorted(shares.items()) if held
        )

    def snapshot(self, second: float = 0) -> Snapshot:
        """What a plan is made of."""
        return Snapshot(moment(second), self.asset(second), self.positions(second), (), ())

    def look(self, second: float, ages: tuple[float, float, float, float] = (0, 0, 0, 0)) -> Look:
        """What asset, positions, orders and trades answer when each of them is so many seconds old."""
        asset, positions, orders, trades = (second - age for age in ages)
        rows = tuple(order.row(orders) for order in self._at(orders))
        fills = tuple(self._of(self.placed, trades))
        return Look(moment(second), self.asset(asset), self.positions(positions), rows, fills)

    def _at(self, second: float) -> list[Placed]:
        return [order for order in self.placed if order.second <= second]

    def _of(self, orders: Iterable[Placed], second: float) -> list[Trade]:
        fills = (trade for order in orders for trade in order.trades() if trade.at <= moment(second))
        return sorted(fills, key=lambda trade: trade.at)


class TruthBroker(FakeBroker):
    """Answers with the truth as it was `age_s` seconds before the clock, unless `is_silent` or `has_no_lists`."""

    def __init__(self, truth: Truth, clock: HandClock) -> None:
        super().__init__()
        self.truth, self.clock, self.age_s = truth, clock, 0.0
        self.is_silent, self.has_no_lists, self.looks = False, False, 0

    async def asset(self) -> Asset:
        self.looks += 1
        return self.truth.asset(self._second())

    async def positions(self) -> tuple[Position, ...]:
        return self.truth.positions(self._second())

    async def orders(self) -> tuple[BrokerOrder, ...]:
        return self._look().orders

    async def trades(self) -> tuple[Trade, ...]:
        return self._look().trades

    def _look(self) -> Look:
        if self.has_no_lists:
            raise GatewayTimeout("no answer")
        return self.truth.look(self._second())

    def _second(self) -> float:
        if self.is_silent:
            raise GatewayTimeout("no answer")
        return (self.clock.now() - START).total_seconds() - self.age_s
