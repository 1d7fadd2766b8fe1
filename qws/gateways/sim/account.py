"""The paper account: cash, holdings, and one ticket per order; money is exact and every rule is asserted."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from qws.domain.account import Position
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.errors import InvariantBroken

_COST_STEP = Decimal("0.0001")


@dataclass(slots=True)
class Holding:
    """One code, in shares: `opened` is what the day began with, `bought` today's part that may not be sold today."""

    code: str
    shares: int
    bought: int
    opened: int
    cost: Decimal = Decimal(0)
    working: int = 0

    @property
    def sellable(self) -> int:
        """Shares that may be sold now, working sells taken off (RULES.md section 11)."""
        return self.shares - self.bought - self.working

    def position(self, price: Decimal) -> Position:
        """The row the broker reports, valued at `price` CNY per share."""
        average = (self.cost / self.shares).quantize(_COST_STEP)
        return Position(self.code, self.shares, self.sellable, self.shares * price, average)


@dataclass(slots=True)
class Ticket:
    """One order that may still trade. `due` is when its acknowledgement (49) or cancel (51, 52) takes effect.

    From `arrives` on it may meet the book, until then it is `arriving`; after step `since` it rests behind `ahead`
    shares of others at its price.
    """

    serial: int
    request: OrderRequest
    status: OrderStatus
    at: datetime
    due: datetime
    verdict: str
    message: str = ""
    traded: int = 0
    amount: Decimal = Decimal(0)
    fee: Decimal = Decimal(0)
    fee_bound: Decimal = Decimal(0)
    arriving: bool = True
    cancel_asked: bool = False
    arrives: datetime | None = None
    ahead: int = 0
    since: int = -1
    order_id: str = field(init=False)

    def __post_init__(self) -> None:
        """The id the broker knows the order by is its serial, unique across days."""
        self.order_id = str(self.serial)

    @property
    def open_shares(self) -> int:
        """Shares not yet traded."""
        return self.request.shares - self.traded

    @property
    def frozen(self) -> Decimal:
        """Cash held for what may still trade: price x shares + fees for a buy; for a sell, fees beyond its proceeds."""
        if self.verdict or self.status.is_terminal:
            return Decimal(0)
        value = self.open_shares * self.request.price
        fees = self.fee_bound - self.fee
        return value + fees if self.request.side is Side.BUY else max(fees - value, Decimal(0))

    def report(self) -> BrokerOrder:
        """The row of the broker's order list."""
        ask = self.request
        return BrokerOrder(
            self.order_id, ask.tag, ask.code, ask.side, ask.shares, ask.price, self.traded, self.status, self.message,
            self.at,
        )  # fmt: skip


@dataclass(slots=True)
class Account:
    """All that the broker knows about one account. `cash` includes what is frozen, in CNY."""

    cash: Decimal
    holdings: dict[str, Holding] = field(default_factory=dict)
    frozen: Decimal = Decimal(0)

    @property
    def available(self) -> Decimal:
        """Cash that may be spent now (可用), in CNY."""
        return self.cash - self.frozen

    def sellable(self, code: str) -> int:
        """Shares of `code` that may be sold now."""
        holding = self.holdings.get(code)
        return holding.sellable if holding is not None else 0

    def reserve(self, ticket: Ticket) -> None:
        """Freeze the cash and the shares of a ticket that has just been accepted, or read back."""
        self.frozen += ticket.frozen
        if ticket.request.side is Side.SELL:
            self.holdings[ticket.request.code].working += ticket.open_shares

    def release(self, ticket: Ticket, status: OrderStatus) -> None:
        """End a ticket in `status` and free what it still held."""
        self.frozen -= ticket.frozen
        if ticket.request.side is Side.SELL:
            self.holdings[ticket.request.code].working -= ticket.open_shares
        ticket.status = status
        self.check(ticket.request.code)

    def fill(self, ticket: Ticket, shares: int, price: Decimal, fee: Decimal, locked: int) -> None:
        """Book one fill; `locked` is how many of the bought shares may not be sold today."""
        before = ticket.frozen
        value = shares * price
        ticket.traded += shares
        ticket.amount += value
        ticket.fee += fee
        if not ticket.open_shares:
            ticket.status = OrderStatus.SUCCEEDED
        elif ticket.status is OrderStatus.REPORTED:
            ticket.status = OrderStatus.PART_SUCC
        elif ticket.status is OrderStatus.REPORTED_CANCEL:
            ticket.status = OrderStatus.PARTSUCC_CANCEL
        self.frozen += ticket.frozen - before
        code = ticket.request.code
        if ticket.request.side is Side.BUY:
            self.cash -= value + fee
            holding = self.holdings.setdefault(code, Holding(code, 0, 0, 0))
            holding.cost += value + fee
            holding.shares += shares
            holding.bought += locked
        else:
            self.cash += value - fee
            holding = self.holdings[code]
            holding.cost -= (holding.cost * shares / holding.shares).quantize(_COST_STEP)
            holding.shares -= shares
            holding.working -= shares
        self.check(code)

    def check(self, code: str) -> None:
        """Raise InvariantBroken when money or shares of `code` went below zero."""
        holding = self.holdings.get(code)
        if self.frozen < 0 or self.available < 0:
            raise InvariantBroken(f"paper account: cash {self.cash}, frozen {self.frozen}")
        if holding is not None and min(holding.sellable, holding.working, holding.bought) < 0:
            raise InvariantBroken(f"paper account: {holding}")
