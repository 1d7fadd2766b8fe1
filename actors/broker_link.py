"""What does the broker know of our orders? Owns the one connection; the only actor that places and cancels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from qws.domain.orders import BrokerOrder, LinkRules, OrderStatus, Trade, merge
from qws.domain.tags import is_ours, same_day_part
from qws.errors import GatewayError, GatewayLost
from qws.messages import CancelOrder, FillReceived, LinkLost, LinkReady, OrderUpdated, PlaceOrder, SweepDue
from qws.ports import Broker, BrokerEvent, Clock, LinkDown, LinkUp
from qws.runtime.actor import Actor
from qws.runtime.message import Later

_News = OrderUpdated | FillReceived
_ABSENT_LOOKS_MIN = 3


@dataclass(slots=True)
class _Missing:
    since: datetime
    looks: int = 0


class BrokerLink(Actor):
    """Hands orders over once, and turns pushes and sweeps into news: each change and each fill is told once."""

    on_crash = "halt"
    source_until = "idle"

    def __init__(self, broker: Broker, clock: Clock, rules: LinkRules) -> None:
        self._broker, self._clock, self._rules = broker, clock, rules
        self._orders: dict[str, BrokerOrder] = {}
        self._trades: set[tuple[date, str, str, str]] = set()
        self._missing: dict[str, _Missing] = {}
        self._is_sweeping, self._day_part = False, ""

    def recall_place_order(self, msg: PlaceOrder) -> None:
        now, tag = self._clock.now(), msg.order.tag
        if same_day_part(tag) != self._day_part:  # a new day: what ended before it is not asked for again
            self._day_part = same_day_part(tag)
            self._trades.clear()
            self._orders = {each: order for each, order in self._orders.items() if not order.status.is_terminal}
        self._orders[tag] = BrokerOrder.unknown(msg.order, now)
        self._missing[tag] = _Missing(now)

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        self._orders[msg.order.tag] = msg.order
        if msg.order.order_id:
            self._missing.pop(msg.order.tag, None)

    def recall_fill_received(self, msg: FillReceived) -> None:
        self._trades.add(_key(msg.trade))

    async def on_place_order(self, msg: PlaceOrder) -> list[OrderUpdated | Later[SweepDue]]:
        self.recall_place_order(msg)
        news: list[OrderUpdated | Later[SweepDue]] = []
        if self._rules.orders_per_second:
            await self._clock.sleep(1 / self._rules.orders_per_second)
        try:
            await self._broker.place(msg.order)
        except GatewayError as error:  # never sent again: the broker's lists settle it
            news.append(OrderUpdated(replace(self._orders[msg.order.tag], message=str(error))))
        if not self._is_sweeping:
            self._is_sweeping = True
            news.append(Later(self._rules.sweep_s, SweepDue()))
        return news

    async def on_cancel_order(self, msg: CancelOrder) -> LinkLost | None:
        try:
            await self._broker.cancel(msg.order_id)
        except GatewayError as error:  # the order's status tells; the executor asks again
            return LinkLost(str(error)) if isinstance(error, GatewayLost) else None
        return None

    async def on_sweep_due(self, msg: SweepDue) -> list[_News | Later[SweepDue]]:
        news: list[_News | Later[SweepDue]] = []
        with suppress(GatewayError):  # no information is not absence: look again
            news.extend(await self._sweep())
        self._is_sweeping = any(not order.status.is_terminal for order in self._orders.values())
        if self._is_sweeping:
            news.append(Later(self._rules.sweep_s, SweepDue()))
        return news

    async def source(self) -> AsyncIterator[_News | LinkLost | LinkReady | SweepDue]:
        await self._broker.open()
        for news in await self._sweep():
            yield news
        yield LinkReady()
        if any(not order.status.is_terminal for order in self._orders.values()):
            self._is_sweeping = True
            yield SweepDue()
        async for event in self._broker.events():
            if isinstance(event, LinkUp):
                for news in await self._sweep():
                    yield news
                yield LinkReady()
            else:
                for told in self._heard(event):
                    yield told

    def _heard(self, event: BrokerEvent) -> Iterator[_News | LinkLost]:
        match event:
            case LinkDown():
                yield LinkLost(event.reason)
            case BrokerOrder():
                yield from self._merge_orders([event])
            case Trade():
                yield from self._merge_trades([event])

    async def _sweep(self) -> list[_News]:
        orders, trades = await self._broker.orders(), await self._broker.trades()
        news: list[_News] = [*self._merge_trades(trades), *self._merge_orders(orders)]
        return [*news, *self._absent({order.tag for order in orders})]

    def _merge_orders(self, heard: Iterable[BrokerOrder]) -> Iterator[OrderUpdated]:
        for order in heard:
            if is_ours(order.tag):
                known = self._orders.get(order.tag)
                merged = merge(known, order)
                if merged != known:
                    self.recall_order_updated(OrderUpdated(merged))
                    yield OrderUpdated(merged)

    def _merge_trades(self, heard: Iterable[Trade]) -> Iterator[FillReceived]:
        for trade in heard:
            if is_ours(trade.tag) and _key(trade) not in self._trades:
                self._trades.add(_key(trade))
                yield FillReceived(trade)

    def _absent(self, seen: set[str]) -> Iterator[OrderUpdated]:
        """Orders that the broker's lists do not show, looked for often and long enough: they never arrived."""
        now = self._clock.now()
        for tag, missing in list(self._missing.items()):
            missing.looks = 0 if tag in seen else missing.looks + 1
            is_old = now - missing.since >= timedelta(seconds=self._rules.absent_after_s)
            if missing.looks >= _ABSENT_LOOKS_MIN and is_old:
                del self._missing[tag]
                self._orders[tag] = replace(self._orders[tag], status=OrderStatus.JUNK, message="never arrived")
                yield OrderUpdated(self._orders[tag])


def _key(trade: Trade) -> tuple[date, str, str, str]:
    return trade.at.date(), trade.code, trade.order_id, trade.trade_id
