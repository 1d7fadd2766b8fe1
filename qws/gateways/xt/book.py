"""Which of today's orders is which? Ids, remarks and, when neither came back, what was ordered. XTQUANT.md G4."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade

_PREFIX_MIN = 8  # a shorter rest of a remark says nothing
_EARLIEST, _LATEST = timedelta(seconds=10), timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class _Sent:
    request: OrderRequest
    at: datetime


class Book:
    """What this process sent and heard today. It forgets at midnight: ids may be used again on another day."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._requests: dict[str, OrderRequest] = {}
        self._sent: dict[str, _Sent] = {}  # not yet seen at the broker, by tag
        self._tags: dict[str, str] = {}  # by order id
        self._ended: set[str] = set()
        self._junk: set[str] = set()
        self._turned_down: dict[str, BrokerOrder] = {}  # by tag
        self._has_remarks = False
        self.has_trades = False

    def begin(self, day: date) -> None:
        """Forget another day's orders."""
        if day != self._day:
            self._day, self._has_remarks, self.has_trades = day, False, False
            memories = self._requests, self._sent, self._tags, self._ended, self._junk, self._turned_down
            for memory in memories:
                memory.clear()

    def send(self, request: OrderRequest, now: datetime) -> None:
        """Before an order leaves: its answer may be quicker than the call that sent it (H8)."""
        self._requests[request.tag], self._sent[request.tag] = request, _Sent(request, now)

    def answer(self, tag: str, order_id: str) -> None:
        """The broker said which id an order has."""
        self._sent.pop(tag, None)
        self._tags[order_id] = tag

    def turn_down(self, tag: str, why: str, now: datetime) -> BrokerOrder | None:
        """The broker said that it does not take an order: its end, once, unless it has an id; then the list decides."""
        if tag not in self._requests or tag in self._turned_down:
            return None
        order_id = next((each for each, named in self._tags.items() if named == tag), "")
        order = BrokerOrder.unknown(self._requests[tag], now)
        order = self._turned_down[tag] = replace(order, order_id=order_id, status=OrderStatus.JUNK, message=why)
        self._sent.pop(tag, None)
        return None if order_id else order

    def turned_down_unlisted(self, listed: Collection[BrokerOrder]) -> tuple[BrokerOrder, ...]:
        """The orders that were turned down and that the list, just read, does not show."""
        tags = {order.tag for order in listed}
        return tuple(self.named(order) for tag, order in self._turned_down.items() if tag not in tags)

    @property
    def has_orders(self) -> bool:
        """Whether the broker must know of orders today; a terminal may forget what it turned down itself."""
        return len(self._tags) > len(self._junk)

    def knows(self, order_id: str) -> bool:
        """Whether an order was seen."""
        return order_id in self._tags

    def has_ended(self, order_id: str) -> bool:
        """Whether an order was seen at its end."""
        return order_id in self._ended

    def sent_as(self, remark: str) -> str:
        """The tag that was sent and came back as `remark`, whole or cut; empty when that is not certain."""
        if remark in self._sent:
            return remark
        found = [tag for tag in self._sent if len(remark) >= _PREFIX_MIN and tag.startswith(remark)]
        return found[0] if len(found) == 1 else ""

    def named(self, order: BrokerOrder) -> BrokerOrder:
        """The order with the tag that was sent, and remembered."""
        tag = self._tags.get(order.order_id) or self.sent_as(order.tag) or order.tag
        if order.tag:
            self._has_remarks = True
        elif not tag and not self._has_remarks:
            tag = self._only_match(order)
        if order.order_id:
            self.answer(tag, order.order_id)
            if order.status.is_terminal:
                self._ended.add(order.order_id)
            if order.status is OrderStatus.JUNK:
                self._junk.add(order.order_id)
        return replace(order, tag=tag)

    def joined(self, trade: Trade) -> Trade:
        """The fill with its order's tag: terminals leave the remark out, or cut it."""
        self.has_trades = True
        return replace(trade, tag=self._tags.get(trade.order_id) or self.sent_as(trade.tag) or trade.tag)

    def _only_match(self, order: BrokerOrder) -> str:
        """The one order that was sent for this at about that time, on a terminal that loses every remark."""
        found = [
            tag
            for tag, sent in self._sent.items()
            if (sent.request.code, sent.request.side, sent.request.shares) == (order.code, order.side, order.shares)
            and sent.request.price == order.price
            and -_EARLIEST <= order.at - sent.at <= _LATEST
        ]
        return found[0] if len(found) == 1 else ""
