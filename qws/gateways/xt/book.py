"""Which of today's orders is which? Ids, remarks and, when neither came back, what was ordered. XTQUANT.md G4."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from qws.domain.known_orders import TURNED_DOWN
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.domain.tags import is_ours
from qws.gateways.xt.agreement import Steady

_PREFIX_MIN = 8  # a shorter rest of a remark says nothing
_GIVEN_UP = timedelta(seconds=120)
_STRANGE_MAX = 1000
_LOOKS_MIN, _MISSED_FOR = 3, timedelta(seconds=30)  # lists lag by seconds (XTQUANT.md 4.2)
_EARLIEST, _LATEST = timedelta(seconds=10), timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class _Sent:
    request: OrderRequest
    at: datetime


@dataclass(slots=True)
class _Error:
    """What was said of an order, and for how long lists have lacked it."""

    why: str
    missed: Steady = field(default_factory=Steady)


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
        self._errors: dict[str, _Error] = {}  # by tag
        self._strange: dict[str, str] = {}  # errors of orders of which only the id was told, by it
        self._missing: dict[str, Steady] = {}  # ids that lists lack
        self._no_trades = Steady()
        self._has_remarks = False
        self.has_trades = False

    def begin(self, day: date) -> None:
        """Forget another day's orders."""
        if day != self._day:
            self._day, self._has_remarks, self.has_trades = day, False, False
            self._ended.clear()
            self._junk.clear()
            for memory in (self._requests, self._sent, self._tags, self._turned_down, self._errors, self._strange):
                memory.clear()
            self.look_again()

    def look_again(self) -> None:
        """The connection was lost: what lists lack they lack only from now on."""
        self._missing.clear()
        self._no_trades = Steady()
        for error in self._errors.values():
            error.missed = Steady()

    def send(self, request: OrderRequest, now: datetime) -> None:
        """Before an order leaves: its answer may be quicker than the call that sent it (H8)."""
        self._requests[request.tag], self._sent[request.tag] = request, _Sent(request, now)

    def answer(self, tag: str, order_id: str) -> None:
        """The broker said which id an order has."""
        self._sent.pop(tag, None)
        self._tags[order_id] = tag
        if order_id in self._strange:
            self.note_error("", order_id, self._strange.pop(order_id))

    def turn_down(self, tag: str, why: str, now: datetime) -> BrokerOrder | None:
        """The answer to an order was that there is none: its end, once; None when it was seen at the broker."""
        if tag not in self._requests or tag in self._turned_down or tag in self._tags.values():
            return None
        self._errors.pop(tag, None)
        return self._end(tag, why, now)

    def note_error(self, remark: str, order_id: str, why: str) -> None:
        """The broker called an order an error. It may be another one's (H9): only the lists make that its end."""
        tag = self._tags.get(order_id, "")
        if remark in self._requests or not tag.startswith(remark):
            tag = remark
        if tag in self._requests and tag not in self._turned_down:
            self._errors.setdefault(tag, _Error(why))
        elif not remark and order_id and len(self._strange) < _STRANGE_MAX:
            self._strange[order_id] = why

    def is_short(self, ids: Collection[str], now: datetime) -> bool:
        """Whether a list that was read now lacks an order of ours that it must show, and has not lacked it for long.

        No list is right because it is empty (XTQUANT.md 4.2); one that stays as it is for minutes bars nobody: whoever
        misses an order in it asks a person.
        """
        must = {order_id for order_id, tag in self._tags.items() if self._must_be_listed(order_id, tag)}
        for order_id in must.intersection(ids) | (self._missing.keys() - must):
            self._missing.pop(order_id, None)
        for order_id in must.difference(ids):
            self._missing.setdefault(order_id, Steady()).again(now)
        return any(each.lasted < _GIVEN_UP for each in self._missing.values())

    def lacks_trades(self, now: datetime) -> bool:
        """Whether a list of no trades, read now, is none: some were seen, and it has not been so for long."""
        self._no_trades.again(now)
        return self.has_trades and self._no_trades.lasted < _GIVEN_UP

    def turned_down(self, listed: Collection[BrokerOrder], now: datetime, *, proves: bool) -> tuple[BrokerOrder, ...]:
        """The orders that were turned down, as far as a list that was read now does not show them.

        `proves`: what the list lacks is not at the broker, as far as one list can tell.
        """
        rows = {order.tag: order for order in listed}
        for tag, error in list(self._errors.items()):
            if tag in self._turned_down or (tag in rows and rows[tag].status.is_terminal):
                del self._errors[tag]
            elif tag in rows or not proves:
                error.missed = Steady() if tag in rows else error.missed
            else:
                error.missed.again(now)
                if error.missed.looks >= _LOOKS_MIN and error.missed.lasted >= _MISSED_FOR:
                    self._end(tag, error.why, now)
        return tuple(order for tag, order in self._turned_down.items() if tag not in rows)

    def _end(self, tag: str, why: str, now: datetime) -> BrokerOrder:
        order_id = next((each for each, named in self._tags.items() if named == tag), "")
        text = f"{TURNED_DOWN}: {why or 'no reason given'}"
        order = BrokerOrder.unknown(self._requests[tag], now)
        self._turned_down[tag] = replace(order, order_id=order_id, status=OrderStatus.JUNK, message=text)
        self._sent.pop(tag, None)
        return self._turned_down[tag]

    def _must_be_listed(self, order_id: str, tag: str) -> bool:
        """Ours only; and a terminal may forget what it turned down."""
        is_of_us = tag in self._requests or is_ours(tag)
        is_doubtful = tag in self._errors or tag in self._turned_down
        return is_of_us and not is_doubtful and order_id not in self._junk

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
        tag = order.tag
        if not is_ours(tag):
            tag = self._tags.get(order.order_id) or self.sent_as(tag) or tag
        if order.tag:
            self._has_remarks = True
        elif not tag and not self._has_remarks:
            tag = self._only_match(order)
        if order.order_id:
            self.answer(tag, order.order_id)
            if order.status.is_terminal:
                self._ended.add(order.order_id)
                self._errors.pop(tag, None)
            if order.status is OrderStatus.JUNK:
                self._junk.add(order.order_id)
        return replace(order, tag=tag)

    def joined(self, trade: Trade) -> Trade:
        """The fill with its order's tag: terminals leave the remark out, or cut it."""
        self.has_trades, self._no_trades = True, Steady()
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
