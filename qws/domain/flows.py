"""Deposits and withdrawals between two looks at the account: what trades, fees and dividends do not explain."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from qws.domain.account import Asset, Position
from qws.domain.costs import Costs
from qws.domain.drifts import FEE_OF_AMOUNT, FEE_OF_ORDER, is_bonus, pays
from qws.domain.market import Quote, Side
from qws.domain.orders import Trade
from qws.domain.prices import half_up

_CENT, _SLACK = Decimal("0.01"), Decimal(1)  # CNY: cents that the broker rounds otherwise
_MOVED = Decimal("0.25")  # how far a price may be from that of a trade nobody listed
_TAXED = Decimal("0.75")  # of a dividend, when tax was taken off
_INTEREST_MAX = Decimal("0.001")  # of idle cash, for a quarter
_QUARTER_ENDS, _INTEREST_DAYS = (3, 6, 9, 12), range(20, 27)


@dataclass(frozen=True, slots=True)
class Stand:
    """The account at one instant: money in CNY, holdings in shares."""

    at: datetime
    asset: Asset
    positions: tuple[Position, ...]

    @property
    def money(self) -> Decimal:
        """Cash and what is frozen: it moves with fills, fees and flows only."""
        return self.asset.cash + self.asset.frozen


@dataclass(frozen=True, slots=True)
class Unexplained:
    """What known trades leave over: CNY, and shares by code; `slack` is how far the fees may be off, in CNY."""

    money: Decimal
    shares: Mapping[str, int]
    slack: Decimal

    @property
    def is_nothing(self) -> bool:
        """Whether trades and fees explain everything."""
        return abs(self.money) <= self.slack and not self.shares


def unexplained(before: Stand, now: Stand, trades: Iterable[Trade], costs: Costs) -> Unexplained:
    """Hold the account against the trades since `before`; each counts once, its fee is estimated where not told."""
    known = {(each.at.date(), each.code, each.order_id, each.trade_id): each for each in trades}
    meant = [each for each in known.values() if before.at < each.at <= now.at]
    shares, money, slack = Counter[str](), now.money - before.money, _SLACK
    for position in now.positions:
        shares[position.code] += position.shares
    for position in before.positions:
        shares[position.code] -= position.shares
    untold: defaultdict[tuple[date, str, str, Side], Decimal] = defaultdict(Decimal)
    for each in meant:
        sign, amount = (1 if each.side is Side.BUY else -1), each.shares * each.price
        shares[each.code] -= sign * each.shares
        money += sign * amount + (each.fee or 0)
        if each.fee is None:
            untold[each.at.date(), each.order_id, each.code, each.side] += amount
    for (day, _, code, side), amount in untold.items():
        money += costs.on(day)(code, side, 1, amount)
        slack += amount * FEE_OF_AMOUNT + FEE_OF_ORDER
    return Unexplained(money, {code: count for code, count in sorted(shares.items()) if count}, slack)


def flow_of(found: Unexplained, before: Stand, now: Stand, quotes: Mapping[str, Quote]) -> Decimal:
    """CNY that came in from outside (negative: went out), shares at their value; 0 when it was earned.

    Not from outside are dividends (the previous close that `quotes` tell is lower than the close of `before`, or an
    odd amount that fits a holding), bonus shares, interest on cash at the end of a quarter, and trades that nobody
    listed, whose money and shares make up for each other.
    """
    held = {each.code: each for each in before.positions if each.shares > 0}
    moved = {
        code: count
        for code, count in found.shares.items()
        if not (count > 0 and code in held and is_bonus(Decimal(count), Decimal(held[code].shares)))
    }
    values = {each.code: each.market_value / each.shares for each in (*held.values(), *now.positions) if each.shares}
    in_kind = sum((count * values.get(code, Decimal(0)) for code, count in moved.items()), Decimal(0))
    money = Decimal(0) if abs(found.money) <= found.slack else found.money
    if money * in_kind < 0 and abs(money + in_kind) <= _MOVED * abs(in_kind):
        return Decimal(0)
    if money > 0 and (_is_dividend(money, held, quotes) or _is_interest(money, before, now)):
        money = Decimal(0)
    return half_up(money + in_kind, _CENT)


def _is_dividend(money: Decimal, held: Mapping[str, Position], quotes: Mapping[str, Quote]) -> bool:
    expected = rounding = Decimal(0)
    for code, position in held.items():
        quote = quotes.get(code)
        gap = position.market_value / position.shares - quote.prev_close if quote is not None else Decimal(0)
        if gap > 0:
            expected += gap * position.shares
            rounding += _CENT * position.shares
    if expected and _TAXED * expected - rounding <= money <= expected + rounding:
        return True
    is_odd = money != money.to_integral_value()
    return is_odd and any(pays(money, each.shares, each.market_value) for each in held.values())


def _is_interest(money: Decimal, before: Stand, now: Stand) -> bool:
    day = now.at.date()
    is_time = day.month in _QUARTER_ENDS and day.day in _INTEREST_DAYS
    return is_time and money <= before.asset.cash * _INTEREST_MAX
