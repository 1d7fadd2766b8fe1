"""From a target and a snapshot to a plan: the requirement's own rule (preset `prd`), never more than the money.

Target value = total asset x weight; target shares = value / buy price, half up to 100; the difference on TOTAL shares;
sells first, at most what is sellable today. Whatever cannot be priced is held with a reason (DESIGN.md truths 2 and 5).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from math import inf

from qws.domain.account import Position, Snapshot
from qws.domain.codes import classify
from qws.domain.costs import Costs, Fee
from qws.domain.lots import largest_legal_buy, largest_legal_sell, split
from qws.domain.market import Exchange, Instrument, Kind, Quote, Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.pricing import NoPrice, hold_reason, limit_price, mark_price
from qws.domain.rules import RuleBook
from qws.domain.targets import Weight

_ROUND_LOT = 100
_FOREIGN = re.compile(r"\.(HK|US|N|O|L|T)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlanRules:
    """How a plan is made: the rule book, the account's costs, book levels to price from, the oldest quote in seconds,
    CNY never to be spent, the kinds that are ours to trade, and codes never to be touched."""

    book: RuleBook
    costs: Costs
    sell_level: int
    buy_level: int
    quote_age_max_s: float
    cash_reserve: Decimal
    managed: frozenset[Kind]
    protected: frozenset[str]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a run wants: the weights of a target, and the codes of rows that were filtered out of its file.

    A filtered row says that something was meant for its code: the holding is kept, never sold for being absent.
    """

    run_id: str
    target_id: str
    attempt: int
    preview: bool
    weights: tuple[Weight, ...]
    filtered: frozenset[str]


def plan_rebalance(goal: Goal, snapshot: Snapshot, rules: PlanRules) -> Plan:
    """Plan one rebalance; every name of target and account gets a row. Money in CNY, quantities in shares."""
    if goal.preview:  # quotes stand still before the opening, over lunch and in the evening
        rules = replace(rules, quote_age_max_s=inf)
    fee = rules.costs.on(snapshot.at.date())
    wanted = {weight.code: weight.weight for weight in goal.weights}
    positions = {position.code: position for position in snapshot.positions}
    quotes = {quote.code: quote for quote in snapshot.quotes}
    instruments = {instrument.code: instrument for instrument in snapshot.instruments}
    filtered = goal.filtered - wanted.keys()
    if any(may_mean_a_share(code) for code in filtered):  # any name that is absent may be the one that was meant
        filtered |= positions.keys() - wanted.keys()
    drafts = [
        _draft(
            _Name(code, wanted.get(code, Decimal(0)), positions.get(code), quotes.get(code), instruments.get(code)),
            "row_filtered" if code in filtered else _untouchable(code, rules),
            snapshot,
            rules,
            fee,
        )
        for code in sorted(wanted.keys() | positions.keys())
    ]
    sells = sorted(
        (row for row in drafts if row.side is Side.SELL), key=lambda row: (-row.shares * row.price, row.code)
    )
    buys = sorted((row for row in drafts if row.side is Side.BUY), key=lambda row: (-row.shares * row.price, row.code))
    proceeds = sum((row.shares * row.price - row.fee for row in sells), Decimal(0))
    affordable = fit_to_cash(buys, snapshot.asset.cash + proceeds - rules.cash_reserve, fee)
    idle = [row for row in drafts if row.side is None]
    rows = (*sells, *affordable, *idle)
    asset = snapshot.asset
    return Plan(goal.run_id, goal.target_id, goal.attempt, goal.preview, snapshot.at, asset.total, asset.cash, rows)


def fit_to_cash(buys: Iterable[PlanRow], cash: Decimal, fee: Fee) -> list[PlanRow]:
    """Cut buys to the money, fees included: in the given order (largest first) each takes what it can of the rest."""
    fitted: list[PlanRow] = []
    for row in buys:
        shares = row.shares
        if shares * row.price > cash:
            shares = largest_legal_buy(row, int(cash / row.price))
        costs = row.fee if shares == row.shares else _buy_fee(row, shares, fee)
        while shares and shares * row.price + costs > cash:
            shares = largest_legal_buy(row, shares - row.buy_step)
            costs = _buy_fee(row, shares, fee)
        if shares == row.shares:
            fitted.append(row)
        elif shares:
            children = split(row, Side.BUY, shares)
            fitted.append(replace(row, shares=shares, children=children, fee=costs, reason="cash"))
        else:
            fitted.append(replace(row, side=None, shares=0, children=(), fee=Decimal(0), reason="cash"))
        cash -= shares * row.price + fitted[-1].fee
    return fitted


def _buy_fee(row: PlanRow, shares: int, fee: Fee) -> Decimal:
    return (
        Decimal(0)
        if not shares
        else sum((fee(row.code, Side.BUY, child, row.price) for child in split(row, Side.BUY, shares)), Decimal(0))
    )


@dataclass(frozen=True, slots=True)
class _Name:
    code: str
    weight: Decimal
    position: Position | None
    quote: Quote | None
    instrument: Instrument | None


def _draft(name: _Name, untouchable: str, snapshot: Snapshot, rules: PlanRules, fee: Fee) -> PlanRow:
    held = name.position.shares if name.position else 0
    sellable = max(0, min(name.position.sellable, held)) if name.position else 0
    mark = _mark(name, held)
    idle = PlanRow(name.code, name.weight, held, sellable, held, None, 0, (), mark, "", mark, Decimal(0), "")
    reason = untouchable or hold_reason(name.quote, name.instrument, snapshot.at, rules.quote_age_max_s)
    if reason:
        return replace(idle, reason=reason)
    assert name.quote is not None  # hold_reason saw to both
    assert name.instrument is not None
    sizing = limit_price(Side.BUY, name.quote, name.instrument, rules.buy_level, rules.book)
    value = snapshot.asset.total * name.weight
    wanted = _half_up_lot(value / (mark if isinstance(sizing, NoPrice) else sizing.value))
    if wanted == held:
        return replace(idle, wanted=wanted)
    side = Side.BUY if wanted > held else Side.SELL
    gap = abs(wanted - held)
    if side is Side.BUY:
        shares = largest_legal_buy(name.instrument, gap)
    else:
        shares = sellable if wanted == 0 else largest_legal_sell(name.instrument, sellable, min(gap, sellable))
    if not shares:
        return replace(idle, wanted=wanted, reason="t_plus_1" if side is Side.SELL and not sellable else "lot")
    price = sizing
    if side is Side.SELL:
        price = limit_price(side, name.quote, name.instrument, rules.sell_level, rules.book)
    if isinstance(price, NoPrice):
        return replace(idle, wanted=wanted, reason=price.reason)
    children = split(name.instrument, side, shares, sellable)
    shortfall = "" if shares == gap else ("t_plus_1" if side is Side.SELL and sellable < gap else "lot")
    return replace(
        idle,
        wanted=wanted,
        buy_min=name.instrument.buy_min,
        buy_step=name.instrument.buy_step,
        order_max=name.instrument.order_max,
        side=side,
        shares=shares,
        children=children,
        price=price.value,
        price_from=price.origin,
        fee=sum((fee(name.code, side, child, price.value) for child in children), Decimal(0)),
        reason=shortfall,
    )


def may_mean_a_share(text: str) -> bool:
    """Whether a code that no exchange knows may be a mistyped A share: most of a code's digits, or a Chinese name."""
    if classify(text) is not None or _FOREIGN.search(text):
        return False
    return sum(character.isdigit() for character in text) >= 4 or not text.isascii()


def _untouchable(code: str, rules: PlanRules) -> str:
    if code in rules.protected:
        return "protected"
    kind = classify(code)
    is_ours = kind is not None and kind.kind in rules.managed and kind.exchange is not Exchange.BJ
    return "" if is_ours else "not_managed"


def _mark(name: _Name, held: int) -> Decimal:
    if name.quote is not None and mark_price(name.quote) > 0:
        return mark_price(name.quote)
    if name.position is not None and held:
        return name.position.market_value / held
    return Decimal(0)


def _half_up_lot(shares: Decimal) -> int:
    return int((shares / _ROUND_LOT).quantize(Decimal(1), ROUND_HALF_UP)) * _ROUND_LOT
