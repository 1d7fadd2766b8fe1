"""What others did to account, orders and quotes: it explains what would be wrong without it."""

from __future__ import annotations

from datetime import datetime, timedelta

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest
from qws.domain.tags import is_ours

_SANE = timedelta(minutes=5)  # after one absurd quote of a name all are sound: for longer than two looks take
_VIEW_OLD = timedelta(seconds=10)  # an account may be seen as it was so long ago


class Others:
    """People at the terminal, the broker's own mistakes, the feed, and a computer that sleeps."""

    def __init__(self) -> None:
        self.codes: set[str] = set()  # that somebody else traded
        self.dirty: set[str] = set()  # codes of which a wrong book was shown
        self.doubled: set[str] = set()  # tags of orders that the broker took twice: nobody can tell which is which
        self.late: set[str] = set()  # tags of orders that were long on their way, at the price of then
        self.unreadable: set[str] = set()  # tags of orders whose remark the broker lost
        self.has_gap = False
        self._misled: dict[str, datetime] = {}
        self._cash_gone: list[datetime] = []

    def trade(self, code: str, side: Side, when: datetime) -> None:
        """Somebody else traded."""
        self.codes.add(code)
        if side is Side.BUY:
            self.take_cash(when)

    def double(self, order: OrderRequest, when: datetime) -> None:
        """The broker took an order of ours once more than it was told to."""
        self.doubled.add(order.tag)
        self.trade(order.code, order.side, when)

    def take_cash(self, when: datetime) -> None:
        """Somebody else took money."""
        self._cash_gone.append(when)

    def may_mislead(self, code: str, now: datetime) -> bool:
        """Whether the last absurd quote of a name is long ago."""
        return code not in self._misled or now >= self._misled[code] + _SANE

    def mislead(self, code: str, now: datetime) -> None:
        """One look shows a name at a price that means nothing, or its order book so."""
        self._misled[code] = now
        self.dirty.add(code)

    def has_cash_gone(self, since: datetime) -> bool:
        """Whether money went that a plan of that moment had counted."""
        return any(when > since - _VIEW_OLD for when in self._cash_gone)

    def is_ours(self, order: BrokerOrder) -> bool:
        """Whether an order is for certain the one that the system asked for."""
        return is_ours(order.tag) and order.tag not in self.doubled
