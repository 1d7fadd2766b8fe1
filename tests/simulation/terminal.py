"""The exchange with all that people and the broker may do to the account, and a witness of every order it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal

from qws.domain.fees import FeePlan
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.domain.tags import is_ours
from qws.gateways.sim.account import Holding, Ticket
from qws.gateways.sim.agenda import Latency
from qws.gateways.sim.books import Books, Opening, State
from qws.gateways.sim.counter import Counter
from qws.gateways.sim.exchange import SimExchange
from qws.gateways.sim.market import SimMarket
from tests.simulation.ex_dates import ExDate

TERMS = FeePlan(Decimal("0.00025"), Decimal(5), commission_includes_exchange_fees=True)


class MoodyCounter(Counter):
    """The broker's counter, which may turn an order down for no reason that an order could have avoided."""

    refuses_next = False

    def verdict(self, ticket: Ticket, state: State, now: datetime) -> str:
        """Why an order is turned down, empty when it is taken."""
        if self.refuses_next:
            self.refuses_next = False
            return "STORM: [COUNTER][999999] 系统忙"
        return super().verdict(ticket, state, now)


class Terminal(SimExchange):
    """One account; `orders` and `trades` of days that are over stay readable in `past_orders` and `past_trades`."""

    def __init__(self, market: SimMarket, opening: Opening, now: datetime) -> None:
        super().__init__(market, Books(None), TERMS, opening, now, Latency())
        self.mood = MoodyCounter(market, TERMS)
        self._counter = self.mood
        self.witness: Callable[[OrderRequest, datetime], None] | None = None
        self.past_orders: list[BrokerOrder] = []
        self.past_trades: list[Trade] = []
        self._first = self._state.serial
        self._serials: dict[date, int] = {now.date(): 0}

    def submit(self, order: OrderRequest, now: datetime) -> str:
        """Take an order, ours or a stranger's."""
        self.advance_to(now)
        if self.witness is not None and is_ours(order.tag):
            self.witness(order, now)
        return super().submit(order, now)

    def double(self, order: OrderRequest, now: datetime) -> None:
        """Take an order once more, of its own accord."""
        self.advance_to(now)
        super().submit(order, now)

    def advance_to(self, now: datetime) -> None:
        """Let everything happen that is due, and hand nothing out."""
        self._settle(now)

    def move_cash(self, amount: Decimal) -> bool:
        """Money comes or, where there is enough of it, goes; whether it did."""
        if self._state.account.available + amount < 0:
            return False
        self._state.account.cash += amount
        return True

    def pay(self, ex: ExDate, shares: int, cash: Decimal) -> None:
        """Book what an ex-date brings, before the day begins."""
        account = self._state.account
        holding = account.holdings.setdefault(ex.code, Holding(ex.code, 0, 0, 0))
        holding.shares += shares
        holding.opened += shares
        account.cash += cash
        if ex.lowers_cost:
            holding.cost = max(holding.cost - cash, Decimal(0))

    def serial_before(self, day: date) -> int:
        """How many numbers were given away before a day began."""
        return self._serials.get(day, 0)

    def working(self) -> list[BrokerOrder]:
        """Every order that may still trade, as it stands."""
        return [row for row in self._state.orders.values() if not row.status.is_terminal]

    def held(self, code: str) -> int:
        """Shares of a code as they stand."""
        holding = self._state.account.holdings.get(code)
        return 0 if holding is None else holding.shares

    def cost(self, code: str) -> Decimal:
        """CNY that a share of a code cost on average, as the broker counts."""
        holding = self._state.account.holdings.get(code)
        return holding.cost / holding.shares if holding is not None and holding.shares else Decimal(0)

    def cash(self) -> Decimal:
        """Money that may be spent, as it stands."""
        return self._state.account.available

    def all_orders(self) -> list[BrokerOrder]:
        """Every order of every day."""
        return [*self.past_orders, *self._state.orders.values()]

    def all_trades(self) -> list[Trade]:
        """Every fill of every day."""
        return [*self.past_trades, *self._state.trades]

    def forget_news(self) -> int:
        """Nobody was there to hear: reports and fills that wait are gone; how many."""
        lost, self._outbox = len(self._outbox), []
        return lost

    def _turn(self, now: datetime) -> None:
        orders, trades = self._state.orders, self._state.trades
        super()._turn(now)
        self.past_orders += orders.values()
        self.past_trades += trades
        self._serials[self._state.day] = self._state.serial - self._first


def shares_of(orders: Iterable[BrokerOrder], code: str, side: Side) -> int:
    """Shares that orders of a code and side may still trade."""
    return sum(order.shares - order.traded for order in orders if (order.code, order.side) == (code, side))
