"""The edges of the system. Every port has a real and a simulated adapter that pass the same conformance tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeVar

from qws.domain.account import Asset, Position
from qws.domain.alerts import Notice
from qws.domain.bars import DailyBar
from qws.domain.drops import Claimed, Drop
from qws.domain.market import Instrument, Quote
from qws.domain.orders import BrokerOrder, OrderRequest, Trade

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The connection to the broker is gone; the fate of what was under way is unknown."""

    reason: str


@dataclass(frozen=True, slots=True)
class LinkUp:
    """The broker answers again and its account is ready to trade."""


BrokerEvent = BrokerOrder | Trade | LinkDown | LinkUp


class Offload(Protocol):
    """Run a slow call where the loop does not wait for it: a thread in life, inline in virtual time."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Run the call and give its result, or raise what it raised."""
        ...


class Clock(Protocol):
    """The only source of time and of waiting."""

    def now(self) -> datetime:
        """The time in Asia/Shanghai, zone included."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock."""
        ...

    async def sleep_until(self, when: datetime) -> None:
        """Wait until the clock shows `when`; return at once when it is past, and early when the clock was set back."""
        ...


class Broker(Protocol):
    """One account at one broker. Only `actors/broker_link.py` may place or cancel.

    Every call has a deadline of its own and raises `GatewayTimeout` (the outcome is unknown) or `GatewayLost`.
    A query that cannot be trusted raises; it never answers with an empty collection.
    """

    async def open(self) -> None:
        """Connect, subscribe and wait until the account is ready."""
        ...

    async def close(self) -> None:
        """Let go of the connection; working orders go on living at the exchange."""
        ...

    async def place(self, order: OrderRequest) -> str:
        """Hand one order over; the id it has at the broker, or "" when the answer did not tell it.

        Acceptance, rejection and fills arrive as events.
        """
        ...

    async def cancel(self, order_id: str) -> None:
        """Ask for a cancel. Only the order's status tells whether it happened."""
        ...

    async def asset(self) -> Asset:
        """The account's money now."""
        ...

    async def positions(self) -> tuple[Position, ...]:
        """All holdings with shares > 0."""
        ...

    async def orders(self) -> tuple[BrokerOrder, ...]:
        """Every order of today, whoever placed it."""
        ...

    async def trades(self) -> tuple[Trade, ...]:
        """Every fill of today, whoever placed the order."""
        ...

    def events(self) -> AsyncIterator[BrokerEvent]:
        """Order reports, fills and link changes, as they come; they may be lost, doubled or reordered."""
        ...


class Quotes(Protocol):
    """Where prices come from."""

    async def quotes(self, codes: Collection[str]) -> Mapping[str, Quote]:
        """The newest five-level snapshot of each code; a code without one is absent."""
        ...

    async def instruments(self, codes: Collection[str]) -> Mapping[str, Instrument]:
        """Today's record of each code; an unknown code is absent."""
        ...

    async def index_close(self, code: str, day: date) -> Decimal | None:
        """The closing level of an index on `day`, or None where it is not known."""
        ...

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        """At most so many sessions before today of each code, oldest first; those without trading, and codes without
        any, are left out."""
        ...


class Calendar(Protocol):
    """When the exchanges trade. Every method raises `UnknownDay` beyond the last day that is known."""

    def is_session(self, day: date) -> bool:
        """Whether `day` is a trading day."""
        ...

    def next_session(self, day: date) -> date:
        """The first trading day after `day`."""
        ...

    def previous_session(self, day: date) -> date:
        """The last trading day before `day`."""
        ...


class Channel(Protocol):
    """One way to tell people something: a robot in a group, a mailbox, a webhook."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""
        ...

    @property
    def per_minute(self) -> int:
        """How many messages it takes in a minute."""
        ...

    @property
    def size_max(self) -> int:
        """How many bytes a message may have."""
        ...

    async def send(self, notice: Notice) -> str:
        """Hand a message over; the reply, for people. Has a deadline of its own. Raises `GatewayError`, without
        secrets in its text, when the service does not say that it took the message."""
        ...


class DropFolder(Protocol):
    """The folder into which people drop files. Every call is short, blocking and made through `Offload`."""

    def scan(self) -> Sequence[Drop] | None:
        """Every entry that deserves an answer, or None while the folder cannot be reached."""
        ...

    def is_cut(self, drop: Drop) -> bool:
        """Whether a text file ends within a line, so that more of it may come; true where that cannot be seen."""
        ...

    def claim(self, drop: Drop, at: datetime) -> Claimed | None:
        """Take the file out of the folder, or None when somebody writes, holds, changed or removed it, or it cannot be
        read."""
        ...

    def leftovers(self) -> Sequence[Claimed]:
        """What was claimed in an earlier life and not filed away, in the order of the claims."""
        ...

    def accept(self, path: str, name: str) -> None:
        """File a claimed file under `accepted`. Raises `OSError`."""
        ...

    def reject(self, path: str, name: str, reason: str) -> None:
        """File it under `rejected` with its reason; an empty path writes only the reason. Raises `OSError`."""
        ...


# Yields at each change in a folder, with the names that were renamed into it as a whole. Raises `OSError`.
Hints = Callable[[], AsyncIterator[Collection[str]]]
