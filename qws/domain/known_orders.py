"""What is known of the day's orders: intents, pushes and lists folded into one. RELIABILITY.md 6.3, XTQUANT.md H11."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade, merge
from qws.domain.tags import day_part, is_ours, same_day_part

_LOOKS_MIN = 3
NEVER_ARRIVED = "never arrived"
NOT_SENT = "not sent"
STALE_PRICE = "stale_price"


class KnownOrders:
    """Each change and each fill comes out once, whatever is lost, doubled, late or out of order."""

    def __init__(self, absent_after_s: float) -> None:
        self._quarantine = timedelta(seconds=absent_after_s)
        self._orders: dict[str, BrokerOrder] = {}
        self._trades: set[tuple[date, str, str, str]] = set()
        self._filled: Counter[str] = Counter()
        self._missing: dict[str, tuple[datetime, int]] = {}  # since when, and in how many lists not seen
        self._day_part = ""
        self._unintended: list[str] = []

    def intend(self, request: OrderRequest, now: datetime) -> None:
        """An order is about to be handed over: from now on nothing is known of it."""
        if same_day_part(request.tag) != self._day_part:  # orders are good for the day: no list shows yesterday's again
            self._day_part = same_day_part(request.tag)
            for memory in (self._orders, self._trades, self._filled, self._missing):
                memory.clear()
        self._orders[request.tag] = BrokerOrder.unknown(request, now)
        self._missing[request.tag] = now, 0

    def note_order(self, order: BrokerOrder) -> None:
        """Take an order as it is told."""
        self._orders[order.tag] = order
        if order.order_id or order.status.is_terminal:
            self._missing.pop(order.tag, None)

    def note_trade(self, trade: Trade) -> None:
        """Take a fill as it is told."""
        self._trades.add(_key(trade))
        self._filled[trade.tag] += trade.shares

    def has_open(self, today: date) -> bool:
        """Whether news may come: an order of today still works, or trades that its status counts were not told."""
        return any(
            _is_current(tag, today) and (not order.status.is_terminal or self._filled[tag] < order.traded)
            for tag, order in self._orders.items()
        )

    def withdraw(self, tag: str, why: str) -> BrokerOrder:
        """An order that was never handed over: it ends here."""
        self.note_order(replace(self._orders[tag], status=OrderStatus.JUNK, message=why))
        return self._orders[tag]

    def merge_orders(self, heard: Iterable[BrokerOrder], today: date) -> Iterator[BrokerOrder]:
        """What is new about our orders of today."""
        for order in heard:
            known = self._orders.get(order.tag)
            merged = merge(known, order)
            if _is_current(order.tag, today) and merged != known:
                self._unintended += [order.tag] if known is None else []
                self.note_order(merged)
                yield merged

    def unintended(self) -> list[str]:
        """Tags of ours that nobody here intended, each once: the journal is behind, or another program is at work."""
        found, self._unintended = self._unintended, []
        return found

    def merge_trades(self, heard: Iterable[Trade], today: date) -> Iterator[Trade]:
        """The fills of our orders of today that were not told."""
        for trade in heard:
            if _is_current(trade.tag, today) and _key(trade) not in self._trades:
                self.note_trade(trade)
                yield trade

    def absent(self, seen: set[str], now: datetime) -> Iterator[BrokerOrder]:
        """Orders that the broker's lists do not show, looked for often and long enough: they never arrived."""
        today = now.date()
        if any(order.order_id and tag not in seen for tag, order in self._orders.items() if _is_current(tag, today)):
            return  # a list without what is known to be there proves nothing
        for tag, (since, looks) in list(self._missing.items()):
            self._missing[tag] = since, 0 if tag in seen else looks + 1
            if now - since >= self._quarantine and tag not in seen and looks + 1 >= _LOOKS_MIN:
                yield self.withdraw(tag, NEVER_ARRIVED)


def _is_current(tag: str, today: date) -> bool:
    return is_ours(tag) and same_day_part(tag) == day_part(today)


def _key(trade: Trade) -> tuple[date, str, str, str]:
    return trade.at.date(), trade.code, trade.order_id, trade.trade_id
