"""A broker link over the fake broker: what it is told, what it tells, and new lives from its journal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from actors.broker_link import BrokerLink
from qws.domain.orders import BrokerOrder, LinkRules, OrderRequest, OrderStatus, Trade
from qws.messages import FillReceived, OrderUpdated, PlaceOrder, StrayOrderSeen, SweepDue
from qws.ports import LinkUp
from qws.runtime.message import Message
from tests.support.builders import RUN, HandClock, a_schedule, an_order, at
from tests.support.fake_broker import FakeBroker, until_quiet
from tests.support.outputs import of

RULES = LinkRules(sweep_s=3.0, absent_after_s=20.0)


ORDER = an_order(shares=1000)


@dataclass
class Rig:
    """One link over one fake broker."""

    broker: FakeBroker
    clock: HandClock
    link: BrokerLink
    source: AsyncIterator[Message]

    async def open(self) -> list[Message]:
        return await until_quiet(self.broker, self.source)

    async def place(self, order: OrderRequest = ORDER, good_s: float = 3.0) -> object:
        until = self.clock.now() + timedelta(seconds=good_s)
        return await self.link.on_place_order(PlaceOrder(RUN, order, until))

    async def sweep(self, after_s: float = 3.0) -> object:
        await self.clock.sleep(after_s)
        return await self.link.on_sweep_due(SweepDue())

    async def push(self, *events: BrokerOrder | Trade | LinkUp) -> list[Message]:
        return await until_quiet(self.broker, self.source, *events)

    def reborn(self, journal: list[Message]) -> Rig:
        """A new life of the link: what was journalled is recalled, the broker lives on."""
        rig = a_rig(self.broker, self.clock)
        for message in journal:
            match message:
                case PlaceOrder():
                    rig.link.recall_place_order(message)
                case OrderUpdated():
                    rig.link.recall_order_updated(message)
                case FillReceived():
                    rig.link.recall_fill_received(message)
                case StrayOrderSeen():
                    rig.link.recall_stray_order_seen(message)
        return rig


def a_rig(broker: FakeBroker | None = None, clock: HandClock | None = None, rules: LinkRules = RULES) -> Rig:
    broker, clock = broker or FakeBroker(), clock or HandClock(at("10:00:00"))
    link = BrokerLink(broker, clock, a_schedule(), rules)
    return Rig(broker, clock, link, link.source())


def played(story: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """A test that waits."""

    def test() -> None:
        asyncio.run(story())  # type: ignore[arg-type]

    test.__name__ = story.__name__
    return test


def statuses(answer: object) -> list[OrderStatus]:
    return [update.order.status for update in of(OrderUpdated, answer)]
