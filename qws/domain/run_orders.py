"""The orders of one run: what each was asked for and traded, and what money is certain. RELIABILITY.md 4, 6.3."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal

from qws.domain.costs import Fee, fees_of
from qws.domain.known_orders import ASK, NOT_SENT
from qws.domain.lots import largest_legal_buy, largest_legal_sell, split
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade, merge
from qws.domain.plan import PlanRow
from qws.errors import InvariantBroken

_ZERO = Decimal(0)


@dataclass(slots=True)
class Leg:
    """One order of a run: what was asked and when, what the broker last said, what has been booked."""

    request: OrderRequest
    sent_at: datetime | None = field(default=None, compare=False)
    order: BrokerOrder | None = None
    filled: int = 0
    amount: Decimal = _ZERO
    fees: Decimal = _ZERO
    owed: Decimal = _ZERO
    cancels: int = field(default=0, compare=False)
    rounds: int = field(default=0, compare=False)  # of cancels, since when it had ended and a fill was missing

    @property
    def order_id(self) -> str:
        """The broker's id, empty while it is not known."""
        return self.order.order_id if self.order is not None else ""

    @property
    def ids(self) -> tuple[str, str]:
        """The tag and the broker's id."""
        return self.request.tag, self.order_id

    @property
    def rest(self) -> int:
        """The shares that have not traded."""
        return max(self.request.shares - self.filled, 0)  # a second order under one tag may trade more

    @property
    def is_for_a_person(self) -> bool:
        """Whether only a person can say what became of the order."""
        return self.order is not None and self.order.message.startswith(ASK)

    def can_be_cancelled(self) -> bool:
        """Whether the broker knows the order and has not ended it."""
        return self.order is not None and bool(self.order.order_id) and not self.order.status.is_terminal

    def was_sent(self) -> bool:
        """Whether the order may have left: it did not only when it is known that it was never handed over."""
        order = self.order
        return order is None or order.status is not OrderStatus.JUNK or not order.message.startswith(NOT_SENT)

    def is_settled(self) -> bool:
        """Whether nothing more can come: the order is terminal and every share it traded is booked."""
        return self.order is not None and self.order.status.is_terminal and self.filled >= self.order.traded


class RunOrders:
    """A ledger in CNY and shares. `cash` is certain money: the start, plus proceeds, less costs of recorded fills.

    `owed` is what open orders may still take of it: buys with their fees, sells that cost more than they bring. What
    open sells may bring is not certain and counts nothing.
    """

    def __init__(self, cash: Decimal, fee: Fee) -> None:
        self.cash, self.fees, self.owed = cash, _ZERO, _ZERO
        self.legs: dict[str, Leg] = {}
        self.given_up: set[str] = set()
        self._fee = fee
        self._seen: set[tuple[str, str, str]] = set()
        self._unsettled: dict[str, Leg] = {}
        self._by_code: defaultdict[str, list[Leg]] = defaultdict(list)

    def adopt(self, request: OrderRequest, sent_at: datetime | None = None) -> None:
        """Take over an order that is journalled, by this life of the process or an earlier one."""
        if request.tag not in self.legs:
            leg = self.legs[request.tag] = Leg(request, sent_at)
            self._by_code[request.code].append(leg)
            self._note(leg)

    def on_order(self, order: BrokerOrder) -> bool:
        """Note what the broker says of an order; false when it is not of this run."""
        leg = self.legs.get(order.tag)
        if leg is None:
            return False
        leg.order = merge(leg.order, order)
        if order.traded > leg.request.shares:
            raise InvariantBroken(f"{order.tag} traded {order.traded} of {leg.request.shares} shares")
        self._note(leg)
        return True

    def on_fill(self, trade: Trade) -> bool:
        """Book a fill, each once; false when it is not of this run. The minimum commission counts once per order."""
        leg = self.legs.get(trade.tag)
        key = (trade.code, trade.order_id, trade.trade_id)
        if leg is None or key in self._seen:
            return leg is not None
        self._seen.add(key)
        amount = trade.shares * trade.price
        leg.filled += trade.shares
        leg.amount += amount
        cost = trade.fee if trade.fee is not None else self._fee(trade.code, trade.side, 1, leg.amount) - leg.fees
        leg.fees += cost
        self.cash += amount - cost if trade.side is Side.SELL else -amount - cost
        self.fees += cost
        self._note(leg)
        return True

    def open_legs(self, side: Side | None = None) -> list[Leg]:
        """Orders that may still trade."""
        return [leg for leg in self._unsettled.values() if side is None or leg.request.side is side]

    def legs_of(self, code: str) -> list[Leg]:
        """The orders of one name, in the order they were sent."""
        return self._by_code.get(code, [])

    def is_settled(self) -> bool:
        """Whether nothing more can come of any order."""
        return not self._unsettled

    def awaited(self, side: Side | None = None) -> bool:
        """Whether an order is open that was not given up, and of which news may come by itself."""
        legs = (leg for leg in self.open_legs(side) if leg.request.tag not in self.given_up)
        return any(not leg.is_for_a_person for leg in legs)

    def filled(self, code: str) -> int:
        """Shares of a name that this run traded."""
        return sum(leg.filled for leg in self.legs_of(code))

    def under_way(self, code: str) -> int:
        """Shares of a name that open orders may still trade."""
        return sum(leg.rest for leg in self.legs_of(code) if leg.request.tag in self._unsettled)

    def left_of(self, row: PlanRow, wanted: int) -> PlanRow:
        """As much of a row as may leave yet, at most `wanted`: with what left before never more than the plan wants."""
        if row.side is None or (wanted == row.shares and not self.legs_of(row.code)):
            return row
        taken = self.filled(row.code) + self.under_way(row.code)
        sellable, most = row.sellable - taken, min(wanted, row.shares - taken)
        is_buy = row.side is Side.BUY
        shares = largest_legal_buy(row, most) if is_buy else largest_legal_sell(row, sellable, most)
        children = split(row, row.side, shares, sellable) if shares else ()
        fee = fees_of(row.code, row.side, children, row.price, self._fee)
        return replace(row, shares=shares, children=children, fee=fee)

    def _note(self, leg: Leg) -> None:
        if leg.is_settled():
            self._unsettled.pop(leg.request.tag, None)
        else:
            self._unsettled[leg.request.tag] = leg
        before, leg.owed = leg.owed, self._owed_of(leg)
        self.owed += leg.owed - before

    def _owed_of(self, leg: Leg) -> Decimal:
        request, amount = leg.request, leg.rest * leg.request.price
        if request.tag not in self._unsettled or not leg.rest:
            return _ZERO
        costs = max(_ZERO, self._fee(request.code, request.side, 1, leg.amount + amount) - leg.fees)
        return amount + costs if request.side is Side.BUY else max(_ZERO, costs - amount)
