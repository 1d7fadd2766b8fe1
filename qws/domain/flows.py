"""Deposits and withdrawals between two looks at the account: what trades, fees and dividends do not explain."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from qws.domain.account import Asset, Position
from qws.domain.costs import Costs
from qws.domain.drifts import FEE_OF_AMOUNT, FEE_OF_ORDER, is_bonus, pays
from qws.domain.market import Quote, Side
from qws.domain.orders import Trade
from qws.domain.prices import half_up
from qws.domain.pricing import mark_price

_CENT, _SLACK = Decimal("0.01"), Decimal(1)  # CNY: cents that the broker rounds otherwise
_FRIDAY = 4
_MOVED = Decimal("0.25")  # how far a price may be from that of a trade nobody listed
_KEPT = Decimal(1), Decimal("0.9"), Decimal("0.8")  # of a dividend: tax may be taken off at once
_PER_SHARE = Decimal("0.0001")
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
    bonus = {
        code: count
        for code, count in found.shares.items()
        if count > 0 and code in held and is_bonus(Decimal(count), Decimal(held[code].shares))
    }
    values = {code: mark_price(quote) for code, quote in quotes.items()}  # of what was bought and sold in between
    values |= {each.code: each.market_value / each.shares for each in (*held.values(), *now.positions) if each.shares}
    worth = {code: count * values.get(code, Decimal(0)) for code, count in found.shares.items()}
    is_overnight = _is_next_day(before, now)  # a previous close says nothing of a night further back
    maybe_bought = [
        each
        for code, each in worth.items()
        if code not in bonus or not (is_overnight and _is_diluted(held[code], bonus[code], quotes))
    ]
    moved = [each for code, each in worth.items() if code not in bonus]
    money = Decimal(0) if abs(found.money) <= found.slack else found.money
    if _make_up(money, maybe_bought) or _make_up(money, moved):
        return Decimal(0)
    in_kind = sum(moved, Decimal(0))
    if money > 0 and (_is_dividend(found, held, bonus, quotes) or _is_interest(money, before, now)):
        money = Decimal(0)
    return half_up(money + in_kind, _CENT)


def _is_next_day(before: Stand, now: Stand) -> bool:
    days = (now.at.date() - before.at.date()).days
    return days == 1 or (days == 3 and before.at.weekday() == _FRIDAY)


def _is_diluted(held: Position, bonus: int, quotes: Mapping[str, Quote]) -> bool:
    """Whether the previous close is as much lower as so many new shares make it, or more: nobody bought these."""
    quote, factor = quotes.get(held.code), 1 + Decimal(bonus) / held.shares
    if quote is None or quote.prev_close <= 0:
        return False
    return (quote.prev_close - _CENT) * factor <= held.market_value / held.shares


def _make_up(money: Decimal, moved: Sequence[Decimal]) -> bool:
    """Whether shares that came and went are about worth what was paid for them, at prices of other days."""
    is_trade = any(each < 0 for each in (money, *moved)) and any(each > 0 for each in (money, *moved))
    return is_trade and abs(money + sum(moved, Decimal(0))) <= _MOVED * sum(map(abs, moved), Decimal(0))


class _Payer(NamedTuple):
    """A name whose previous close was lowered: CNY that explains, and how far off its rounding to a cent may be."""

    shares: int
    paid: Decimal
    rounding: Decimal


def _is_dividend(
    found: Unexplained, held: Mapping[str, Position], bonus: Mapping[str, int], quotes: Mapping[str, Quote]
) -> bool:
    """Whether money is what names paid whose previous close was lowered, or an odd amount that fits a holding.

    A previous close is rounded to a cent, and the amount a share to a hundredth of one (RULES.md section 13): a deposit
    of about that size fits the first, and with thousands of shares hardly ever the second.
    """
    payers: list[_Payer] = []
    for code, position in held.items():
        quote, factor = quotes.get(code), 1 + Decimal(bonus.get(code, 0)) / position.shares
        gap = position.market_value / position.shares - quote.prev_close * factor if quote is not None else Decimal(0)
        if gap > 0:
            rounding = _CENT / 2 * factor * position.shares
            payers.append(_Payer(position.shares, gap * position.shares, rounding))
    money = found.money
    if any(_pay(group, money / kept, found.slack) for group in _groups(payers) for kept in _KEPT):
        return True
    is_odd = money != money.to_integral_value()
    return is_odd and any(
        pays(money, each.shares, each.market_value * (1 + Decimal(bonus.get(code, 0)) / each.shares))
        for code, each in held.items()
    )


def _groups(payers: list[_Payer]) -> list[list[_Payer]]:
    """Who may have paid together: one, or all."""
    return [[each] for each in payers] + ([payers] if len(payers) > 1 else [])


def _pay(group: list[_Payer], money: Decimal, slack: Decimal) -> bool:
    """Whether these paid so much together; fees that are estimated blur it by `slack`."""
    is_blurred = slack > _SLACK
    off = sum((each.rounding for each in group), _CENT) + (slack if is_blurred else 0)
    if abs(money - sum((each.paid for each in group), Decimal(0))) > off:
        return False
    return is_blurred or len(group) > 1 or _is_per_share(money, group[0].shares)


def _is_per_share(amount: Decimal, shares: int) -> bool:
    return abs(half_up(amount / shares, _PER_SHARE) * shares - amount) <= 2 * _CENT


def _is_interest(money: Decimal, before: Stand, now: Stand) -> bool:
    day = now.at.date()
    is_time = day.month in _QUARTER_ENDS and day.day in _INTEREST_DAYS
    return is_time and money <= before.asset.cash * _INTEREST_MAX
