"""A counter behind a socket: the account lives in an exchange process, and outlives this one."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from datetime import datetime
from typing import Any, TypeVar

from qws.domain.account import Asset, Position
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from qws.gateways.wire.client import WireBroker
from qws.gateways.wire.protocol import Address
from qws.runtime.clock import SystemClock
from tests.xt_native.ports import Event

T = TypeVar("T")
_LISTEN_S = 0.001


class RemoteCounter:
    """A `Counter` at an address; it has a loop of its own, which runs while somebody asks."""

    def __init__(self, address: Address) -> None:
        self._loop = asyncio.new_event_loop()
        self._broker = WireBroker(address, SystemClock())
        self._news: list[Event] = []
        self._run(self._broker.open())
        self._hearing = self._loop.create_task(self._hear())

    def submit(self, order: OrderRequest, now: datetime) -> str:
        """Hand an order over; its id."""
        return self._run(self._broker.place(order))

    def cancel(self, order_id: str, now: datetime) -> None:
        """Ask for a cancel."""
        self._run(self._broker.cancel(order_id))

    def advance(self, now: datetime) -> Sequence[Event]:
        """What was told since the last time."""
        self._run(asyncio.sleep(_LISTEN_S))
        news, self._news = self._news, []
        return news

    def next_due(self) -> datetime | None:
        """Nobody knows."""
        return None

    def asset(self, now: datetime) -> Asset:
        """The account's money."""
        return self._run(self._broker.asset())

    def positions(self, now: datetime) -> tuple[Position, ...]:
        """All holdings."""
        return self._run(self._broker.positions())

    def orders(self, now: datetime) -> tuple[BrokerOrder, ...]:
        """Every order of today."""
        return self._run(self._broker.orders())

    def trades(self, now: datetime) -> tuple[Trade, ...]:
        """Every fill of today."""
        return self._run(self._broker.trades())

    def close(self) -> None:
        """Hang up."""
        self._run(self._broker.close())
        self._run(asyncio.wait([self._hearing]))
        self._loop.close()

    def _run(self, call: Coroutine[Any, Any, T]) -> T:
        return self._loop.run_until_complete(call)

    async def _hear(self) -> None:
        async for event in self._broker.events():
            if isinstance(event, BrokerOrder | Trade):
                self._news.append(event)
