"""The paper broker behind a bad line: answers and pushes are lost, doubled, late and out of order, by a seed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from random import Random

from qws.domain.account import Asset
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.errors import GatewayTimeout
from qws.gateways.sim.broker import PaperBroker
from qws.gateways.sim.exchange import SimExchange
from qws.ports import BrokerEvent, Clock, LinkDown, LinkUp


class FaultyBroker(PaperBroker):
    """`rate` is how often each call and each push goes wrong; `handed` is what it was asked to place, in all lives."""

    def __init__(
        self, exchange: SimExchange, clock: Clock, handed: list[OrderRequest], chance: Random, rate: float
    ) -> None:
        super().__init__(exchange, clock)
        self._handed, self._chance, self._rate = handed, chance, rate

    async def place(self, order: OrderRequest) -> str:
        self._handed.append(order)
        self._fail("the order never left", self._rate / 2)
        order_id = await super().place(order)
        self._fail("no answer, and the order is live", self._rate / 2)
        return order_id

    async def cancel(self, order_id: str) -> None:
        self._fail("the cancel never left", self._rate)
        await super().cancel(order_id)
        self._fail("no answer", self._rate)

    async def orders(self) -> tuple[BrokerOrder, ...]:
        self._fail("orders", self._rate)
        return await super().orders()

    async def trades(self) -> tuple[Trade, ...]:
        self._fail("trades", self._rate)
        return await super().trades()

    async def asset(self) -> Asset:
        self._fail("asset", self._rate / 2)
        return await super().asset()

    async def events(self) -> AsyncIterator[BrokerEvent]:
        late: list[BrokerEvent] = []
        async for event in super().events():
            fate = self._chance.random()
            if fate < 2 * self._rate:
                late += [event] if fate < self._rate else []
                continue
            yield event
            if fate < 3 * self._rate:
                yield event
            if late and self._chance.random() < 0.5:
                yield late.pop()
            if fate > 1 - self._rate / 4:
                yield LinkDown("the terminal hangs")
                yield LinkUp()

    def _fail(self, text: str, rate: float) -> None:
        if self._chance.random() < rate:
            raise GatewayTimeout(text)
