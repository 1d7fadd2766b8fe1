"""From a target and a snapshot to a plan that never needs more than the money.

Weights become shares by the allocator; the difference on TOTAL shares is traded, sells first, at most what is sellable
today. Whatever cannot be priced is held with a reason (DESIGN.md truths 2 and 5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, time
from decimal import Decimal
from math import inf

from qws.domain.account import Position, Snapshot
from qws.domain.affordable import fit_to_cash, payable
from qws.domain.allocator import Allotment, Budget, allocate
from qws.domain.candidate import Candidate
from qws.domain.costs import DayCosts, fees_of
from qws.domain.goal import Goal as Goal
from qws.domain.goal import PlanRules as PlanRules
from qws.domain.goal import Sizing as Sizing
from qws.domain.legaliser import Context, Wish, buy_cap, legalise
from qws.domain.lots import largest_legal_buy, largest_legal_sell
from qws.domain.market import Instrument, Quote, Side
from qws.domain.orders import OrderRequest
from qws.domain.ours import is_managed, may_mean_a_share
from qws.domain.plan import Plan, PlanRow
from qws.domain.pricing import NoPrice, Price, hold_reason, limit_price, mark_price
from qws.domain.target_modes import LEFT_ALONE, mark_of, weight_of
from qws.domain.target_records import Mode

_AUCTION = time(9, 25)
_IN_SESSION = time(10, 0)  # a plan made while nothing is accepted is priced for continuous trading
_ZERO = Decimal(0)
_SETTLED = "settled"  # left alone: an earlier attempt dealt with it
Market = tuple[tuple[Quote, ...], tuple[Instrument, ...]]


def plan_rebalance(goal: Goal, snapshot: Snapshot, rules: PlanRules, settled: Plan | None = None) -> Plan:
    """Plan one rebalance; every name of target and account gets a row. Money in CNY, quantities in shares.

    `settled` is an earlier plan of the same goal whose shares stand: only the prices are of this snapshot then.
    """
    if goal.preview:  # quotes stand still before the opening, over lunch and in the evening
        rules = replace(rules, quote_age_max_s=inf)
    costs, asset = rules.costs.on(snapshot.at.date()), snapshot.asset
    owed, asset = asset.cash, replace(asset, cash=max(asset.cash - _reserved(goal.unsettled, costs), _ZERO))
    names = _names(goal, snapshot, rules)
    candidates = [name.candidate for name in names]
    if settled is None:
        budget = Budget(asset.cash, asset.total, rules.cash_reserve)
        allotments = allocate(candidates, budget, rules.allocation, costs)
    else:
        planned = {row.code: row for row in settled.rows}
        allotments = [_as_settled(each, planned.get(each.code)) for each in candidates]
    found = (_row(name, allotment, costs) for name, allotment in zip(names, allotments, strict=True))
    asked = {each.code: each.weight for each in goal.weights}
    drafts = [
        replace(row, reason=row.reason or goal.caps.reason(row.code, asked.get(row.code, _ZERO))) for row in found
    ]
    sells = sorted(
        (row for row in drafts if row.side is Side.SELL), key=lambda row: (-row.shares * row.price, row.code)
    )
    buys = sorted((row for row in drafts if row.side is Side.BUY), key=lambda row: (-row.shares * row.price, row.code))
    sells = payable(sells, asset.cash)
    proceeds = sum((row.shares * row.price - row.fee for row in sells), _ZERO)
    affordable = fit_to_cash(buys, asset.cash + proceeds - rules.cash_reserve, costs)
    idle = (row for row in drafts if row.side is None)
    told = (replace(row, reason=goal.rest.reasons.get(row.code, "")) if row.reason == _SETTLED else row for row in idle)
    rows, whose = (*sells, *affordable, *told), (goal.run_id, goal.target_id, goal.attempt, goal.preview)
    scaled_by = goal.caps.rule if settled is None else settled.scaled_by
    capped = tuple(sorted(goal.caps.exits.keys() & {row.code for row in rows}))
    cash = min(owed, asset.cash)  # what is below nothing is told: the guard refuses it
    return Plan(*whose, snapshot.at, asset.total, cash, rows, scaled_by, capped)


def is_of_today(plan: Plan, snapshot: Snapshot) -> bool:
    """Whether every name that trades was sized on a price of the day's opening auction or later."""
    opening = datetime.combine(snapshot.at.date(), _AUCTION, snapshot.at.tzinfo)
    fresh = {quote.code for quote in snapshot.quotes if quote.at >= opening}
    return all(row.code in fresh for row in plan.rows if row.shares)


def repriced(
    rows: tuple[PlanRow, ...], at: datetime, market: Market, rules: PlanRules, worst: Mapping[str, Decimal]
) -> tuple[PlanRow, ...]:
    """These rows with the prices of now, none worse than its `worst`; one that cannot be priced trades nothing."""
    quotes = {quote.code: quote for quote in market[0]}
    instruments = {instrument.code: instrument for instrument in market[1]}
    return tuple(
        _repriced(row, at, quotes.get(row.code), instruments.get(row.code), rules, worst.get(row.code)) for row in rows
    )


@dataclass(frozen=True, slots=True)
class _Name:
    """One name on its way to a row: what may be traded, at which prices, and what its orders must obey."""

    candidate: Candidate
    buy: Price | NoPrice | None
    sell: Price | NoPrice | None
    context: Context | None


def _names(goal: Goal, snapshot: Snapshot, rules: PlanRules) -> list[_Name]:
    wanted = {weight.code: weight.weight for weight in goal.weights}
    positions = {position.code: position for position in snapshot.positions}
    quotes = {quote.code: quote for quote in snapshot.quotes}
    instruments = {instrument.code: instrument for instrument in snapshot.instruments}
    unsettled = {order.code for order in goal.unsettled}
    filtered = goal.filtered - wanted.keys()
    if goal.mode is Mode.FULL and any(map(may_mean_a_share, filtered)):  # any absent name may be the one that was meant
        filtered |= positions.keys() - wanted.keys()
    names, caps = [], goal.caps
    for code in sorted(wanted.keys() | positions.keys()):
        quote, instrument, position = quotes.get(code), instruments.get(code), positions.get(code)
        is_exit = code in caps.exits
        is_listed = goal.mode is Mode.FULL or code in wanted or is_exit
        held = "row_filtered" if code in filtered and not is_exit else "" if is_listed else LEFT_ALONE
        is_ours = is_managed(code, rules.managed)
        held = held or ("protected" if code in rules.protected else "" if is_ours else "not_managed")
        is_left = goal.rest.leaves(code) and not is_exit
        held = held or (_SETTLED if is_left else "unknown" if code in unsettled else "")
        held = held or ("never_arrived" if code in goal.lost else "")
        held = held or hold_reason(quote, instrument, snapshot.at, rules.quote_age_max_s)
        weight = caps.weight(code, wanted.get(code, _ZERO))
        if held == LEFT_ALONE and position is not None:
            weight = weight_of(position, quote, snapshot.asset.total)
        if held or quote is None or instrument is None:
            names.append(_held(code, weight, position, quote, held))
        else:
            names.append(_tradable(weight, position, quote, instrument, snapshot.at, rules))
    return names


def _held(code: str, weight: Decimal, position: Position | None, quote: Quote | None, reason: str) -> _Name:
    shares, sellable = _holding(position)
    mark = mark_of(position, quote)
    candidate = Candidate(code, weight, shares, sellable, mark, _ZERO, _ZERO, reason, reason, 0, 0, 0)
    return _Name(candidate, None, None, None)


def _tradable(
    weight: Decimal, position: Position | None, quote: Quote, instrument: Instrument, at: datetime, rules: PlanRules
) -> _Name:
    shares, sellable = _holding(position)
    context = _context(at, quote, instrument, shares, sellable, rules)
    buy = limit_price(Side.BUY, rules.level(Side.BUY), context) if weight else NoPrice("")
    sell = limit_price(Side.SELL, rules.level(Side.SELL), context) if shares else NoPrice("")
    buy_price, no_buy = _price_or_reason(buy)
    sell_price, no_sell = _price_or_reason(sell)
    candidate = Candidate(
        quote.code, weight, shares, sellable, mark_price(quote), buy_price, sell_price, no_buy, no_sell,
        instrument.buy_min, instrument.buy_step, instrument.order_max, *buy_cap(context),
    )  # fmt: skip
    return _Name(candidate, buy, sell, context)


def _repriced(
    row: PlanRow,
    at: datetime,
    quote: Quote | None,
    instrument: Instrument | None,
    rules: PlanRules,
    worst: Decimal | None,
) -> PlanRow:
    assert row.side is not None
    reason = hold_reason(quote, instrument, at, rules.quote_age_max_s)
    price: Price | NoPrice = NoPrice(reason)
    if not reason and quote is not None and instrument is not None:
        context = _context(at, quote, instrument, row.held, row.sellable, rules)
        price = limit_price(row.side, rules.level(row.side), context, worst)
    if isinstance(price, NoPrice):
        return row.without_trade(price.reason)
    fee = fees_of(row.code, row.side, row.children, price.value, rules.costs.on(at.date()))
    return replace(row, price=price.value, price_from=price.origin, fee=fee)


def _price_or_reason(found: Price | NoPrice) -> tuple[Decimal, str]:
    return (found.value, "") if isinstance(found, Price) else (_ZERO, found.reason)


def _reserved(orders: tuple[OrderRequest, ...], costs: DayCosts) -> Decimal:
    """CNY that these orders may still take, fees included."""
    buys = (each for each in orders if each.side is Side.BUY)
    return sum(
        (each.shares * each.price + costs(each.code, each.side, each.shares, each.price) for each in buys), _ZERO
    )


def _holding(position: Position | None) -> tuple[int, int]:
    """Shares, and how many of them may be sold today: neither can be trusted to be above zero."""
    held = position.shares if position else 0
    return held, max(0, min(position.sellable, held)) if position else 0


def _context(at: datetime, quote: Quote, instrument: Instrument, held: int, sellable: int, rules: PlanRules) -> Context:
    """What an order of a name must obey when it is sent: now, or once orders are accepted."""
    phase = rules.book.sessions.phase_at(instrument.board, instrument.kind, instrument.day, at.time())
    moment = datetime.combine(instrument.day, at.time() if phase.accepts_limit_order else _IN_SESSION, at.tzinfo)
    return Context(rules.book, moment, instrument, quote, sellable, max(0, held - sellable), rules.margin)


def _as_settled(each: Candidate, row: PlanRow | None) -> Allotment:
    """The legal trade towards shares that were settled before."""
    if row is None:
        return Allotment(each.held, 0, "not_planned")
    gap = row.ends - each.held
    blocked = (each.no_buy if gap > 0 else each.no_sell) if gap else ""
    if not gap or blocked:
        return Allotment(row.wanted, 0, blocked or row.reason)
    if gap > 0:
        trade = largest_legal_buy(each, gap)
        return Allotment(row.wanted, trade, row.reason if trade == gap else "lot")
    trade = -largest_legal_sell(each, each.sellable, -gap)
    return Allotment(row.wanted, trade, row.reason if trade == gap else "t_plus_1" if each.sellable < -gap else "lot")


def _row(name: _Name, allotment: Allotment, costs: DayCosts) -> PlanRow:
    each = name.candidate
    idle = PlanRow(
        each.code, each.weight, each.held, each.sellable, allotment.wanted, None, 0, (), each.mark, "", each.mark,
        _ZERO, allotment.reason, each.buy_min, each.buy_step, each.order_max,
    )  # fmt: skip
    side = Side.BUY if allotment.trade > 0 else Side.SELL
    price = name.buy if side is Side.BUY else name.sell
    if not allotment.trade or not isinstance(price, Price) or name.context is None:
        is_too_little = each.weight > 0 and not each.held and not allotment.reason
        return replace(idle, reason="min_order") if is_too_little else idle
    legal = legalise(Wish(side, abs(allotment.trade), price.value), name.context)
    if not legal.children:
        return replace(idle, reason=legal.reason)
    children = tuple(child.shares for child in legal.children)
    return replace(
        idle,
        side=side,
        shares=sum(children),
        children=children,
        price=price.value,
        price_from=price.origin,
        fee=fees_of(each.code, side, children, price.value, costs),
        reason=legal.reason or allotment.reason,
    )
