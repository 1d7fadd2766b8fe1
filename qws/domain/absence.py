"""When is it proven that an order never arrived? Evidence, not a timeout: RELIABILITY.md 6.5."""

from __future__ import annotations

from collections.abc import Iterable, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from qws.domain.account import Look, Position, Snapshot
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder

_LOOKS_MIN = 3
_FREE_LOOKS_MIN = 2
_VAIN = 3  # times as long as it takes to prove something: then a person is asked
_COUNTED_MAX = timedelta(seconds=10)  # of the time between two looks: nobody looked in the rest of it
_LONGEST = timedelta(seconds=600)


@dataclass(slots=True)
class _Missing:
    """How long, and in how many lists, an order was looked for in vain."""

    looked_at: datetime
    for_: timedelta = timedelta(0)
    looks: int = 0
    in_vain: timedelta = timedelta(0)  # also in lists that prove nothing
    free_looks: int = 0  # in a row, that showed nothing held back for it


class Absence:
    """Counts the looks at lists that do not show an order. Only time in which somebody looked is counted."""

    def __init__(self, after_s: float) -> None:
        self._after = timedelta(seconds=after_s)
        self._missing: dict[str, _Missing] = {}

    def expect(self, tag: str, now: datetime) -> None:
        """An order is on its way: the lists should show it."""
        self._missing[tag] = _Missing(now)

    def found(self, tag: str) -> None:
        """An order is over."""
        self._missing.pop(tag, None)

    def forget(self) -> None:
        """A new day: no list shows yesterday's orders again."""
        self._missing.clear()

    def begin_again(self, now: datetime) -> None:
        """The connection was lost: what was seen before it says nothing of what is on its way now."""
        self._missing = {tag: _Missing(now) for tag in self._missing}

    def be_warier(self) -> None:
        """An order turned up after it had been written off: from now on wait twice as long, up to 600 s."""
        self._after = min(2 * self._after, max(self._after, _LONGEST))

    def look(self, seen: Set[str], now: datetime, *, proves: bool) -> None:
        """The lists showed the tags that were `seen`; they prove something when all that is known to be there is."""
        self._missing = {tag: each for tag, each in self._missing.items() if tag not in seen}
        for missing in self._missing.values():
            passed, missing.looked_at = min(now - missing.looked_at, _COUNTED_MAX), now
            missing.in_vain += passed
            if proves:
                missing.for_, missing.looks = missing.for_ + passed, missing.looks + 1

    def overdue(self) -> dict[str, bool]:
        """Orders that were looked for long enough, and whether that proves anything: lists may show too little."""
        missing, vain_max = self._missing.items(), _VAIN * self._after
        proven = {tag: each.looks >= _LOOKS_MIN and each.for_ >= self._after for tag, each in missing}
        return {tag: proven[tag] for tag, each in missing if proven[tag] or each.in_vain >= vain_max}

    def is_free(self, tag: str, *, is_held: bool) -> bool:
        """Whether looks in a row saw nothing held back for it: answers may be of different moments."""
        missing = self._missing[tag]
        missing.free_looks = 0 if is_held else missing.free_looks + 1
        return missing.free_looks >= _FREE_LOOKS_MIN

    def longest(self) -> timedelta:
        """How long an order may take to turn up."""
        return self._after


def is_held_for(order: BrokerOrder, look: Look, before: Snapshot | None) -> bool:
    """Whether the account holds back what this order needs, for no order that the lists show.

    For a buy that is frozen money (CNY), for a sell shares that may not be sold: a witness that it did arrive. What was
    held back when it was planned, for a subscription or for T+1, is none.
    """
    open_orders = [each for each in look.orders if each.side is order.side and not each.status.is_terminal]
    if order.side is Side.BUY:
        told = sum(((each.shares - each.traded) * each.price for each in open_orders), Decimal(0))
        frozen = before.asset.frozen if before is not None else Decimal(0)
        return look.asset.frozen - frozen - told >= order.shares * order.price
    selling = sum(each.shares - each.traded for each in open_orders if each.code == order.code)
    bought = sum(
        each.shares
        for each in look.trades
        if each.code == order.code and each.side is Side.BUY and (before is None or each.at > before.at)
    )
    locked = _locked(before.positions, order.code) if before is not None else 0
    return _locked(look.positions, order.code) - locked - selling - bought >= order.shares


def _locked(positions: Iterable[Position], code: str) -> int:
    """Shares of a name that may not be sold now."""
    return sum(each.shares - each.sellable for each in positions if each.code == code)
