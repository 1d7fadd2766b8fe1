"""What a card is played on: a broker and its quotes, the time, and ears for what is told. DESIGN.md, ports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from decimal import Decimal

from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.ports import Broker, BrokerEvent, Calendar, Clock, LinkDown, LinkUp, Quotes

PATIENCE_S = 10.0


@dataclass
class Ear:
    """Hears the events of one broker in a task of its own."""

    heard: list[BrokerEvent] = field(default_factory=list)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    async def listen(self, broker: Broker) -> None:
        """Until the stream ends."""
        async for event in broker.events():
            self.heard.append(event)
            self._more.set()

    async def until(self, enough: Callable[[list[BrokerEvent]], bool]) -> None:
        """Wait for news until they are enough; raises TimeoutError when that takes more than 10 s."""
        async with asyncio.timeout(PATIENCE_S):
            while not enough(self.heard):
                self._more.clear()
                await self._more.wait()

    def orders(self, tag: str) -> list[BrokerOrder]:
        """What was told of an order."""
        return [event for event in self.heard if isinstance(event, BrokerOrder) and event.tag == tag]

    def trades(self, tag: str) -> list[Trade]:
        """The fills that were told of an order."""
        return [event for event in self.heard if isinstance(event, Trade) and event.tag == tag]

    def links(self) -> list[type[BrokerEvent]]:
        """What was told of the connection."""
        return [type(event) for event in self.heard if isinstance(event, LinkDown | LinkUp)]


@dataclass
class Lot:
    """The one order of a live account: a buy that nobody meets. `obstacle` says why it must not leave now, or "".

    What came of it is noted here: its id, and the account's cash in CNY just before it left, 0 until it has left.
    """

    order: OrderRequest
    obstacle: Callable[[Quote | None, Instrument | None], str]
    order_id: str = ""
    cash: Decimal = Decimal(0)


@dataclass(kw_only=True)
class Stand:
    """A broker with an account, its market, the time, and how to begin again over the same account.

    `codes` are looked at beside those that the account holds; `index` is one whose closes are known.
    """

    broker: Broker
    quotes: Quotes
    calendar: Calendar
    clock: Clock
    ear: Ear
    restart: Callable[[], Awaitable[None]]
    codes: tuple[str, ...]
    index: str
    lot: Lot | None = None
