"""The seams of the fake: an account at a counter, a native client, and the terminal between them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from qws.domain.account import Asset, Position
from qws.domain.orders import BrokerOrder, OrderRequest, Trade
from tests.xt_native.faults import Faults

Event = BrokerOrder | Trade


class Counter(Protocol):
    """One account where orders go: a `SimExchange` is one, an exchange behind a socket could be.

    It is opened, used and closed on the terminal's thread only.
    """

    def submit(self, order: OrderRequest, now: datetime) -> str: ...
    def cancel(self, order_id: str, now: datetime) -> None: ...
    def advance(self, now: datetime) -> Sequence[Event]: ...
    def next_due(self) -> datetime | None: ...
    def asset(self, now: datetime) -> Asset: ...
    def positions(self, now: datetime) -> tuple[Position, ...]: ...
    def orders(self, now: datetime) -> tuple[BrokerOrder, ...]: ...
    def trades(self, now: datetime) -> tuple[Trade, ...]: ...
    def close(self) -> None: ...


class Client(Protocol):
    """The native client of one trader object, as the terminal sees it."""

    session: int
    is_subscribed: bool

    def deliver(self, name: str, *given: object, after_s: float = 0.0) -> None: ...
    def lose(self, *, tell: bool) -> None: ...


class Room(Protocol):
    """The terminal, as its desk sees it."""

    faults: Faults
    account_id: str
    latency_s: float
    status: int

    def now(self) -> datetime: ...
    def subscribers(self) -> list[Client]: ...
