"""What does the broker know of our orders? Owns the one connection; the only actor that places and cancels."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta

from qws.domain.orders import BrokerOrder, LinkRules, OrderStatus, Trade, merge
from qws.domain.tags import day_part, is_ours, same_day_part
from qws.errors import GatewayError
from qws.messages import CancelOrder, FillReceived, LinkLost, LinkReady, OrderUpdated, PlaceOrder, SweepDue
from qws.ports import Broker, BrokerEvent, Clock, LinkDown, LinkUp
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_News = OrderUpdated | FillReceived
_ABSENT_LOOKS_MIN = 3


class BrokerLink(Actor):
    """Hands orders over once, and turns pushes and sweeps into news: each change and each fill is told once."""

    on_crash = "halt"
    source_until = "idle"

    def __init__(self, broker: Broker, clock: Clock, rules: LinkRules) -> None:
        self._broker, self._clock, self._rules = broker, clock, rules
        self._orders: dict[str, BrokerOrder] = {}
        self._trades: set[tuple[date, str, str, str]] = set()
        self._filled: Counter[str] = Counter()
        self._missing: dict[str, tuple[datetime, int]] = {}  # since when, and in how many lists not seen
        self._is_sweeping, self._day_part = False, ""

    def recall_place_order(self, msg: PlaceOrder) -> None:
        now, tag = self._clock.now(), msg.order.tag
        if same_day_part(tag) != self._day_part:  # orders are good for the day: no list shows yesterday's again
            self._day_part = same_day_part(tag)
            for memory in (self._orders, self._trades, self._filled, self._missing):
                memory.clear()
        self._orders[tag] = BrokerOrder.unknown(msg.order, now)
        self._missing[tag] = now, 0

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._orders[msg.order.tag] = msg.order
        if msg.order.order_id or msg.order.status.is_terminal:
            self._missing.pop(msg.order.tag, None)

    def recall_fill_received(self, msg: FillReceived) -> None:
        self._trades.add(_key(msg.trade))
        self._filled[msg.trade.tag] += msg.trade.shares

    async def on_place_order(self, msg: PlaceOrder) -> list[OrderUpdated | Later[SweepDue]]:
        self.recall_place_order(msg)
        news: list[OrderUpdated | Later[SweepDue]] = []
        try:
            await self._broker.place(msg.order)
        except GatewayError as error:  # never sent again: the broker's lists settle it
            unknown = BrokerOrder.unknown(msg.order, self._clock.now())
            news.extend(self._merge_orders([replace(unknown, message=str(error))]))
        if not self._is_sweeping:
            self._is_sweeping = True
            news.append(Later(self._rules.sweep_s, SweepDue()))
        return news

    async def on_cancel_order(self, msg: CancelOrder) -> None:
        with suppress(GatewayError):  # the order's status tells; the executor asks again
            await self._broker.cancel(msg.order_id)

    async def on_sweep_due(self, msg: SweepDue) -> list[_News | Later[SweepDue]]:
        news: list[_News | Later[SweepDue]] = []
        with suppress(GatewayError):  # no information is not absence: look again
            news.extend(await self._sweep())
        self._is_sweeping = self._has_open()
        if self._is_sweeping:
            news.append(Later(self._rules.sweep_s, SweepDue()))
        return news

    async def source(self) -> AsyncIterator[_News | LinkLost | LinkReady | SweepDue]:
        await self._broker.open()
        events, event = self._broker.events(), LinkUp()  # type: AsyncIterator[BrokerEvent], BrokerEvent | None
        while event is not None:
            for news in await self._heard(event):
                yield news
            if not self._is_sweeping and self._has_open():
                self._is_sweeping = True
                yield SweepDue()
            event = await anext(events, None)

    async def _heard(self, event: BrokerEvent) -> Iterable[_News | LinkLost | LinkReady]:
        match event:
            case BrokerOrder():
                return self._merge_orders([event])
            case Trade():
                return self._merge_trades([event])
            case LinkDown():
                return [LinkLost(event.reason)]
            case LinkUp():
                while True:  # trading may go on only when the lists have been read
                    with suppress(GatewayError):
                        return [*await self._sweep(), LinkReady()]
                    await self._clock.sleep(self._rules.sweep_s)

    def _has_open(self) -> bool:
        """Whether news may come: an order of today still works, or trades that its status counts were not told."""
        return any(
            self._is_current(tag) and (not order.status.is_terminal or self._filled[tag] < order.traded)
            for tag, order in self._orders.items()
        )

    def _is_current(self, tag: str) -> bool:
        return is_ours(tag) and same_day_part(tag) == day_part(self._clock.now().date())

    async def _sweep(self) -> list[_News]:
        orders, trades = await self._broker.orders(), await self._broker.trades()
        seen = {order.tag for order in orders}
        return [*self._merge_trades(trades), *self._merge_orders(orders), *self._absent(seen)]

    def _merge_orders(self, heard: Iterable[BrokerOrder]) -> Iterator[OrderUpdated]:
        for order in heard:
            merged = merge(self._orders.get(order.tag), order)
            if self._is_current(order.tag) and merged != self._orders.get(order.tag):
                self.recall_order_updated(OrderUpdated(merged))
                yield OrderUpdated(merged)

    def _merge_trades(self, heard: Iterable[Trade]) -> Iterator[FillReceived]:
        for trade in heard:
            if self._is_current(trade.tag) and _key(trade) not in self._trades:
                self.recall_fill_received(FillReceived(trade))
                yield FillReceived(trade)

    def _absent(self, seen: set[str]) -> Iterator[OrderUpdated]:
        """Orders that the broker's lists do not show, looked for often and long enough: they never arrived."""
        now, quarantine = self._clock.now(), timedelta(seconds=self._rules.absent_after_s)
        if any(order.order_id and tag not in seen for tag, order in self._orders.items() if self._is_current(tag)):
            return  # a list without what is known to be there proves nothing
        for tag, (since, looks) in list(self._missing.items()):
            self._missing[tag] = since, 0 if tag in seen else looks + 1
            if now - since >= quarantine and tag not in seen and looks + 1 >= _ABSENT_LOOKS_MIN:
                del self._missing[tag]
                self._orders[tag] = replace(self._orders[tag], status=OrderStatus.JUNK, message="never arrived")
                yield OrderUpdated(self._orders[tag])


def _key(trade: Trade) -> tuple[date, str, str, str]:
    return trade.at.date(), trade.code, trade.order_id, trade.trade_id
