"""What does the broker know of our orders? Owns the one connection; the only actor that places and cancels."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace

from qws import messages as m
from qws.domain.account import Look
from qws.domain.handover import Handover
from qws.domain.known_orders import NOT_SENT, KnownOrders
from qws.domain.orders import BrokerOrder, LinkRules, OrderStatus, Trade
from qws.domain.rest import STOPS
from qws.domain.schedule import Schedule
from qws.domain.trading_state import state_after
from qws.errors import GatewayError
from qws.link_news import News, heard, unwanted
from qws.ports import Broker, BrokerEvent, Clock, LinkDown, LinkUp
from qws.runtime.actor import Actor
from qws.runtime.message import Later, Stopping


class BrokerLink(Actor):
    """Hands orders over once, and turns pushes and sweeps into news: each change and each fill is told once.

    A halt or the end of a run overtakes the orders that wait here: what was not handed over by then never is.
    """

    on_crash = "halt"
    source_until = "idle"
    overtaking = (m.ControlOrdered, m.RunStopOrdered, Stopping)

    def __init__(self, broker: Broker, clock: Clock, schedule: Schedule, rules: LinkRules) -> None:
        self._broker, self._clock, self._rules = broker, clock, rules
        self._known, self._handover = KnownOrders(rules.absent_after_s), Handover(schedule)
        self._is_sweeping = False

    def recall_place_order(self, msg: m.PlaceOrder) -> None:
        self._known.intend(msg.order, msg.good_until, self._clock.now())

    def recall_snapshot_taken(self, msg: m.SnapshotTaken) -> None:
        self._known.note_account(msg.snapshot)

    def recall_order_updated(self, msg: m.OrderUpdated) -> None:
        self._known.note_order(msg.order)

    def recall_fill_received(self, msg: m.FillReceived) -> None:
        self._known.note_trade(msg.trade)

    def recall_stray_order_seen(self, msg: m.StrayOrderSeen) -> None:
        self._known.note_stray(msg.stray)

    def recall_control_ordered(self, msg: m.ControlOrdered) -> None:
        self._handover.state = state_after(self._handover.state, msg.command)
        if msg.command in STOPS:
            self._known.unwant_open()  # whichever run they are of

    on_control_ordered = recall_control_ordered
    on_snapshot_taken = recall_snapshot_taken

    def on_run_stop_ordered(self, msg: m.RunStopOrdered) -> None:
        self._handover.end(msg.due.day, msg.due.target_id, msg.due.attempt, msg.reason)

    def on_stopping(self, msg: Stopping) -> None:
        self._handover.is_stopping = True

    async def on_place_order(self, msg: m.PlaceOrder) -> list[News | Later[m.SweepDue]]:
        self.recall_place_order(msg)
        now = self._clock.now()
        if obstacle := self._handover.obstacle(msg.order, msg.good_until, now):
            return [m.OrderUpdated(self._known.withdraw(msg.order.tag, f"{NOT_SENT}: {obstacle}"))]
        told = BrokerOrder.unknown(msg.order, now)
        try:
            if order_id := await self._broker.place(msg.order):
                told = replace(told, order_id=order_id, status=OrderStatus.UNREPORTED)
        except GatewayError as error:  # never sent again: the broker's lists settle it
            told = replace(told, message=str(error))
        first_look = [] if self._is_sweeping else [Later(self._rules.sweep_s, m.SweepDue())]
        self._is_sweeping = True
        return [*heard(self._known, [told], [], now.date()), *first_look]

    async def on_cancel_order(self, msg: m.CancelOrder) -> None:
        if not self._handover.is_stopping:  # then working orders go on living; the next start settles them
            with suppress(GatewayError):  # the order's status tells; the executor asks again
                await self._broker.cancel(msg.order_id)

    def on_stray_order_seen(self, msg: m.StrayOrderSeen) -> Iterator[m.CancelOrder]:
        yield from unwanted(self._known, [msg.stray.order])

    async def on_order_settled(self, msg: m.OrderSettled) -> m.OrderUpdated | Later[m.OrderSettled] | None:
        try:
            order = self._known.settle(msg.tag, msg.order_id, await self._broker.orders(), self._clock.now().date())
        except GatewayError:
            return Later(self._rules.sweep_s, msg)
        return m.OrderUpdated(order) if order is not None else None

    async def on_sweep_due(self, msg: m.SweepDue) -> list[News | Later[m.SweepDue]]:
        news: list[News] = []
        with suppress(GatewayError):  # no information is not absence: look again
            news = await self._sweep()
        self._is_sweeping = self._known.has_open(self._clock.now().date())
        return [*news, *([Later(self._rules.sweep_s, m.SweepDue())] if self._is_sweeping else ())]

    async def on_lists_due(self, msg: m.ListsDue) -> list[News | m.ListsRead | Later[m.ListsDue]]:
        with suppress(GatewayError):
            return [*await self._sweep(), m.ListsRead(msg.run_id, msg.attempt, msg.look)]
        return [Later(self._rules.sweep_s, msg)]

    async def source(self) -> AsyncIterator[News | m.LinkLost | m.LinkReady | m.SweepDue]:
        await self._broker.open()
        events, event = self._broker.events(), LinkUp()  # type: AsyncIterator[BrokerEvent], BrokerEvent | None
        while event is not None:
            for news in await self._heard(event):
                yield news
            if not self._is_sweeping and self._known.has_open(self._clock.now().date()):
                self._is_sweeping = True
                yield m.SweepDue()
            event = await anext(events, None)

    async def _heard(self, event: BrokerEvent) -> Iterable[News | m.LinkLost | m.LinkReady]:
        match event:
            case BrokerOrder():
                return heard(self._known, [event], [], self._clock.now().date())
            case Trade():
                return heard(self._known, [], [event], self._clock.now().date())
            case LinkDown():
                return [m.LinkLost(event.reason)]
            case LinkUp():
                self._known.look_again(self._clock.now())
                while True:  # trading may go on only when the lists have been read
                    with suppress(GatewayError):
                        return [*await self._sweep(), m.LinkReady()]
                    await self._clock.sleep(self._rules.sweep_s)

    async def _sweep(self) -> list[News]:
        orders, trades = await self._broker.orders(), await self._broker.trades()
        now, look = self._clock.now(), None
        if not self._handover.is_pause(now) and self._known.look(orders, now):
            with suppress(GatewayError):
                look = Look(now, await self._broker.asset(), await self._broker.positions(), orders, trades)
        news = heard(self._known, orders, trades, now.date())
        news += map(m.OrderUpdated, self._known.decide(look) if look is not None else ())
        return [*news, *unwanted(self._known, orders)]
