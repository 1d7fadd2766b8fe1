"""What does the broker know of our orders? Owns the one connection; the only actor that places and cancels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from qws import messages as m
from qws.domain.known_orders import NOT_SENT, STALE_PRICE, KnownOrders
from qws.domain.orders import BrokerOrder, LinkRules, Trade
from qws.domain.schedule import Schedule
from qws.domain.tags import make_tag, same_attempt_part
from qws.errors import GatewayError
from qws.ports import Broker, BrokerEvent, Clock, LinkDown, LinkUp
from qws.runtime.actor import Actor
from qws.runtime.message import Later, Stopping

_News = m.OrderUpdated | m.FillReceived | m.ControlOrdered


class BrokerLink(Actor):
    """Hands orders over once, and turns pushes and sweeps into news: each change and each fill is told once.

    A halt or the end of a run overtakes the orders that wait here: what was not handed over by then never is.
    """

    on_crash = "halt"
    source_until = "idle"
    overtaking = (m.ControlOrdered, m.RunStopOrdered, Stopping)

    def __init__(self, broker: Broker, clock: Clock, schedule: Schedule, rules: LinkRules) -> None:
        self._broker, self._clock, self._schedule, self._rules = broker, clock, schedule, rules
        self._known = KnownOrders(rules.absent_after_s)
        self._is_sweeping, self._is_halted, self._is_stopping = False, False, False
        self._ended: dict[str, str] = {}  # attempts that were stopped, and why

    def recall_place_order(self, msg: m.PlaceOrder) -> None:
        self._known.intend(msg.order, self._clock.now())

    def recall_order_updated(self, msg: m.OrderUpdated) -> None:
        self._known.note_order(msg.order)

    def recall_fill_received(self, msg: m.FillReceived) -> None:
        self._known.note_trade(msg.trade)

    def recall_control_ordered(self, msg: m.ControlOrdered) -> None:
        if msg.command in ("halt", "resume"):
            self._is_halted = msg.command == "halt"

    def on_control_ordered(self, msg: m.ControlOrdered) -> None:
        self.recall_control_ordered(msg)

    def on_run_stop_ordered(self, msg: m.RunStopOrdered) -> None:
        due = msg.due
        self._ended[same_attempt_part(make_tag(due.day, due.target_id, due.attempt, 0))] = msg.reason

    def on_stopping(self, msg: Stopping) -> None:
        self._is_stopping = True

    async def on_place_order(self, msg: m.PlaceOrder) -> list[m.OrderUpdated | Later[m.SweepDue]]:
        self.recall_place_order(msg)
        if obstacle := self._obstacle(msg):
            return [m.OrderUpdated(self._known.withdraw(msg.order.tag, f"{NOT_SENT}: {obstacle}"))]
        news: list[m.OrderUpdated | Later[m.SweepDue]] = []
        try:
            await self._broker.place(msg.order)
        except GatewayError as error:  # never sent again: the broker's lists settle it
            now = self._clock.now()
            unknown = replace(BrokerOrder.unknown(msg.order, now), message=str(error))
            news += map(m.OrderUpdated, self._known.merge_orders([unknown], now.date()))
        if not self._is_sweeping:
            self._is_sweeping = True
            news.append(Later(self._rules.sweep_s, m.SweepDue()))
        return news

    async def on_cancel_order(self, msg: m.CancelOrder) -> None:
        if not self._is_stopping:  # then working orders go on living; the next start settles them
            with suppress(GatewayError):  # the order's status tells; the executor asks again
                await self._broker.cancel(msg.order_id)

    async def on_sweep_due(self, msg: m.SweepDue) -> list[_News | Later[m.SweepDue]]:
        news: list[_News | Later[m.SweepDue]] = []
        with suppress(GatewayError):  # no information is not absence: look again
            news.extend(await self._sweep())
        self._is_sweeping = self._known.has_open(self._clock.now().date())
        if self._is_sweeping:
            news.append(Later(self._rules.sweep_s, m.SweepDue()))
        return news

    async def on_lists_due(self, msg: m.ListsDue) -> list[_News | m.ListsRead | Later[m.ListsDue]]:
        with suppress(GatewayError):
            return [*await self._sweep(), m.ListsRead(msg.run_id, msg.attempt, msg.look)]
        return [Later(self._rules.sweep_s, msg)]

    async def source(self) -> AsyncIterator[_News | m.LinkLost | m.LinkReady | m.SweepDue]:
        await self._broker.open()
        events, event = self._broker.events(), LinkUp()  # type: AsyncIterator[BrokerEvent], BrokerEvent | None
        while event is not None:
            for news in await self._heard(event):
                yield news
            if not self._is_sweeping and self._known.has_open(self._clock.now().date()):
                self._is_sweeping = True
                yield m.SweepDue()
            event = await anext(events, None)

    async def _heard(self, event: BrokerEvent) -> Iterable[_News | m.LinkLost | m.LinkReady]:
        match event:
            case BrokerOrder():
                return self._merged([event])
            case Trade():
                return map(m.FillReceived, self._known.merge_trades([event], self._clock.now().date()))
            case LinkDown():
                return [m.LinkLost(event.reason)]
            case LinkUp():
                while True:  # trading may go on only when the lists have been read
                    with suppress(GatewayError):
                        return [*await self._sweep(), m.LinkReady()]
                    await self._clock.sleep(self._rules.sweep_s)

    def _obstacle(self, msg: m.PlaceOrder) -> str:
        """Why an order must not be handed over now; empty when it may."""
        if self._is_halted or self._is_stopping:
            return "halted" if self._is_halted else "stopping"
        if ended := self._ended.get(same_attempt_part(msg.order.tag)):
            return ended
        now = self._clock.now()
        if self._schedule.next_send(now) != now:
            return "session_over"
        return STALE_PRICE if now > msg.good_until else ""

    def _merged(self, orders: Iterable[BrokerOrder]) -> list[_News]:
        """What is new about orders; one that was never intended here stops all trading (RELIABILITY.md 6.4)."""
        news: list[_News] = [*map(m.OrderUpdated, self._known.merge_orders(orders, self._clock.now().date()))]
        if tags := self._known.unintended():
            news.append(m.ControlOrdered("halt", f"the journal is behind the broker: {', '.join(tags)}"))
        return news

    async def _sweep(self) -> Iterator[_News]:
        orders, trades = await self._broker.orders(), await self._broker.trades()
        now = self._clock.now()
        return iter(
            [
                *map(m.FillReceived, self._known.merge_trades(trades, now.date())),
                *self._merged(orders),
                *map(m.OrderUpdated, self._known.absent({order.tag for order in orders}, now)),
            ]
        )
