"""Where the broker's answers differ from our books: for how long the same difference stands, and what explains it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from qws.domain.account import Look, Snapshot
from qws.domain.market import Side
from qws.domain.orders import Trade
from qws.domain.prices import half_up

# How far our estimate of a fee that the broker does not tell may be off: a part of the amount (twice the usual
# commission), and CNY for each order (the usual least commission).
FEE_OF_AMOUNT, FEE_OF_ORDER = Decimal("0.0005"), Decimal(5)
_FEE_MAX = Decimal("0.0035")  # of the amount: the commission's legal ceiling and stamp duty (RULES.md section 12)
_LOOKS_MIN = 3
_CENT, _PER_SHARE = Decimal("0.01"), Decimal("0.0001")
_YIELD_MAX = Decimal("0.1")  # of a holding's value: a cash dividend is less
_BONUS_MAX = 300  # new shares for each hundred held


class What(StrEnum):
    """What is compared: cash with what is frozen, cash that may be spent, shares held, shares that may be sold."""

    MONEY = "money"
    CASH = "cash"
    SHARES = "shares"
    SELLABLE = "sellable"


class Question(NamedTuple):
    """Theirs beside ours: all that was true while an answer may lag, the newest first; how far it may be off, and when
    ours changed last."""

    what: What
    code: str
    theirs: Decimal
    said: Sequence[Decimal]
    slack: Decimal
    changed: datetime | None


class Difference(NamedTuple):
    """Theirs less ours, in CNY or shares."""

    what: What
    code: str
    size: Decimal
    slack: Decimal


class Verdict(StrEnum):
    """Of a question: the answer is ours of now, may become so, or stays another one."""

    AGREES = "agrees"
    OPEN = "open"
    DIFFERS = "differs"


@dataclass(slots=True)
class _Seen:
    since: datetime
    looks: int
    size: Decimal


class Standing:
    """Counts in how many looks in a row, and for how long, the same difference was seen.

    A difference counts in the third look in a row at the earliest, and when nothing of ours changed for as long as an
    answer may lag: whatever is told as late as that is told by then, so it is no news of ours.
    """

    def __init__(self, lag: timedelta) -> None:
        self._lag = lag
        self._seen: dict[tuple[What, str], _Seen] = {}

    def clear(self) -> None:
        """Nothing was seen."""
        self._seen.clear()

    def judge(self, question: Question, now: datetime) -> tuple[Verdict, Difference]:
        """Count one more look; theirs is compared with what is ours now."""
        what, code, theirs, said, slack, changed = question
        found = Difference(what, code, theirs - said[0], slack)
        if any(abs(theirs - each) <= slack for each in said):
            self._seen.pop((what, code), None)
            return (Verdict.AGREES if abs(found.size) <= slack else Verdict.OPEN), found
        seen = self._seen.get((what, code))
        is_same = seen is not None and abs(seen.size - found.size) <= slack
        if seen is None or not is_same or (changed is not None and changed > seen.since):
            seen = self._seen[what, code] = _Seen(now, 0, found.size)
        seen.looks += 1
        counts = seen.looks >= _LOOKS_MIN and now - seen.since >= self._lag
        return (Verdict.DIFFERS if counts else Verdict.OPEN), found


@dataclass(frozen=True, slots=True)
class Causes:
    """What the broker's own lists, the snapshot the books began with, and the terms of the account explain."""

    base: Snapshot
    look: Look
    lag: timedelta
    fees_max: Decimal  # CNY that a fee may be off

    def of(self, found: Difference) -> str:
        """The explanation: manual_trade, manual_order, transfer, dividend, fees or unexplained."""
        match found.what:
            case What.MONEY:
                return self._of_money(found)
            case What.SHARES:
                return self._of_shares(found)
            case What.CASH:
                return self._of_cash(found)
            case What.SELLABLE:
                return self._of_sellable(found)

    def _of_money(self, found: Difference) -> str:
        trades = self.look.foreign_trades
        if self._is_sum(trades, found, _money_of):
            return "manual_trade"
        if abs(found.size) <= self.fees_max:
            return "fees"
        if self._has_new(trades):
            return "unexplained"
        return "dividend" if any(pays(found.size, *each) for each in self._holdings()) else "transfer"

    def _of_shares(self, found: Difference) -> str:
        trades = [trade for trade in self.look.foreign_trades if trade.code == found.code]
        if self._is_sum(trades, found, _shares_of):
            return "manual_trade"
        if found.size < 0 or self._has_new(trades):
            return "unexplained"
        shown = {each.code: each.shares for each in self.look.positions}
        held = shown.get(found.code, 0) - found.size
        return "dividend" if is_bonus(found.size, held) else "transfer"

    def _of_cash(self, found: Difference) -> str:
        """Orders of others freeze money, and freed it when they were there at the start and are not any more."""
        orders = [order for order in self.look.foreign_orders if order.side is Side.BUY]
        rests = [(order.shares - order.traded) * order.price for order in orders]
        least, most = sum(rests, Decimal(0)), sum((_with_fees(rest) for rest in rests), Decimal(0))
        held = self.base.asset.frozen - found.size
        return "manual_order" if least - found.slack <= held <= most + found.slack else "unexplained"

    def _of_sellable(self, found: Difference) -> str:
        code, size = found.code, found.size
        orders = [order for order in self.look.foreign_orders if (order.code, order.side) == (code, Side.SELL)]
        held_back = sum(each.shares - each.sellable for each in self.base.positions if each.code == code)
        if -sum(order.shares - order.traded for order in orders) <= size <= held_back:
            return "manual_order"
        sold = sum(trade.shares for trade in self._of_code(code) if trade.side is Side.SELL)
        return "manual_trade" if -sold <= size < 0 else "unexplained"

    def _of_code(self, code: str) -> list[Trade]:
        return [trade for trade in self.look.foreign_trades if trade.code == code]

    def _holdings(self) -> list[tuple[int, Decimal]]:
        return [(each.shares, each.market_value) for each in self.look.positions if each.shares > 0]

    def _has_new(self, trades: Sequence[Trade]) -> bool:
        return any(trade.at > self.base.at for trade in trades)

    def _is_sum(self, trades: Sequence[Trade], found: Difference, worth: Callable[[Trade], Decimal]) -> bool:
        """Whether trades in a row make up the difference: the first that the books do not begin with, to the last that
        the answer has. Which these are is not known better than an answer lags."""
        moments, count = [trade.at for trade in trades], len(trades)
        sums = list(accumulate((worth(trade) for trade in trades), initial=Decimal(0)))
        slack = list(accumulate((_slack_of(trade, found.what) for trade in trades), initial=found.slack))
        first, last = bisect_left(moments, self.base.at - self.lag), bisect_left(moments, self.base.at + self.lag)
        newest = range(bisect_left(moments, self.look.at - self.lag), count + 1)
        return any(
            abs(sums[end] - sums[start] - found.size) <= slack[end] - slack[start] + found.slack
            for start in range(first, last + 1)
            for end in newest
            if start < end
        )


def _shares_of(trade: Trade) -> Decimal:
    return Decimal(trade.shares if trade.side is Side.BUY else -trade.shares)


def _money_of(trade: Trade) -> Decimal:
    return -_shares_of(trade) * trade.price - (trade.fee or 0)


def _slack_of(trade: Trade, what: What) -> Decimal:
    """How far the fee of a trade may be off where the broker does not tell it."""
    is_open = what is What.MONEY and trade.fee is None
    return trade.shares * trade.price * _FEE_MAX + FEE_OF_ORDER if is_open else Decimal(0)


def _with_fees(amount: Decimal) -> Decimal:
    return amount + amount * _FEE_MAX + FEE_OF_ORDER


def pays(amount: Decimal, shares: int, value: Decimal) -> bool:
    """Whether so much CNY can be the dividend of a holding: so many hundredths of a cent a share, and not too much."""
    return 0 < amount <= value * _YIELD_MAX and abs(half_up(amount / shares, _PER_SHARE) * shares - amount) <= _CENT


def is_bonus(shares: Decimal, held: Decimal) -> bool:
    """Whether so many new shares fit so many for each hundred held, what is less than a share left out."""
    per_hundred = half_up(shares * 100 / held, Decimal(1)) if held > 0 else Decimal(0)
    return 1 <= per_hundred <= _BONUS_MAX and abs(held * per_hundred / 100 - shares) < 1
