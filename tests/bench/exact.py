"""The least tracking error there is: the allocation as a mixed-integer program, solved by HiGHS through SciPy.

Every legal trade of every name may be chosen: boards' minima and steps, odd-lot sells, shares locked by T+1, the least
commission of an order; a name is bought or sold, never both. Orders are not split here: that changes no fee.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from math import ceil

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore
from scipy.sparse import coo_array  # type: ignore

from qws.domain.candidate import Candidate
from qws.domain.costs import DayCosts
from qws.domain.legaliser import Child
from qws.domain.lots import split
from qws.domain.market import Side

GAP = 0.001  # of the optimum: what is nearer to its bound counts as solved
_ROUNDED_UP = 0.015  # CNY: three items of a fee, each rounded by half a cent at most
_INFINITE = float("inf")
_SOLVE_ERROR = 4


@dataclass(frozen=True, slots=True)
class Lots:
    """The legal quantities of one side: `base` shares at least, `steps` times `step` more, and `odd` once."""

    base: int
    step: int
    steps: int
    odd: int

    @property
    def is_open(self) -> bool:
        """Whether anything can trade."""
        return self.base + self.step * self.steps + self.odd > 0


@dataclass(slots=True)
class Program:
    """Rows and columns as they are added: the cost, the bounds and the type of each variable, the rows' entries."""

    uppers: list[float] = field(default_factory=list)
    whole: list[int] = field(default_factory=list)
    entries: list[tuple[int, int, float]] = field(default_factory=list)
    ranges: list[tuple[float, float]] = field(default_factory=list)

    def variable(self, upper: float = _INFINITE, *, whole: bool = False) -> int:
        """A new variable from 0 to `upper`."""
        self.uppers.append(upper)
        self.whole.append(int(whole))
        return len(self.uppers) - 1

    def row(self, terms: Mapping[int, float], low: float, high: float) -> None:
        """A new constraint: the sum of the terms lies between `low` and `high`."""
        self.entries += [(len(self.ranges), column, value) for column, value in terms.items() if value]
        self.ranges.append((low, high))

    def solve(self, goal: int, limit_s: float) -> Sequence[float] | None:
        """Make one variable least; None where the solver could not prove that in time."""
        rows, columns, values = zip(*self.entries, strict=True)
        matrix = coo_array((values, (rows, columns)), shape=(len(self.ranges), len(self.uppers))).tocsr()
        low, high = zip(*self.ranges, strict=True)
        cost = np.zeros(len(self.uppers))
        cost[goal] = 1
        for presolve in (True, False):  # a few programs end in an error of the solver with it
            found = milp(
                cost,
                constraints=LinearConstraint(matrix, low, high),
                integrality=self.whole,
                bounds=Bounds(0, self.uppers),
                options={"time_limit": limit_s, "mip_rel_gap": GAP, "presolve": presolve},
            )
            if found.status != _SOLVE_ERROR:
                break
        return None if found.status else list(found.x)


@dataclass(frozen=True, slots=True)
class Trade:
    """The variables of one side of a name: whether it trades, how many steps, and whether the odd lot goes."""

    lots: Lots
    is_on: int
    steps: int
    odd: int

    def shares(self, per_share: float) -> dict[int, float]:
        """What is traded, times a value per share."""
        lots = self.lots
        return {
            self.is_on: lots.base * per_share,
            self.steps: lots.step * per_share,
            self.odd: lots.odd * per_share,
        }

    def of(self, solution: Sequence[float]) -> int:
        """The shares of a solution."""
        return round(sum(value * solution[column] for column, value in self.shares(1).items()))


def best_orders(
    names: Sequence[Candidate], cash: Decimal, total: Decimal, costs: DayCosts, limit_s: float
) -> list[Child] | None:
    """The orders of the optimum, or None where the solver did not come within `GAP` of it in `limit_s` seconds."""
    trades = _best_trades(names, cash, total, costs, limit_s)
    if trades is None:
        return None
    orders = []
    for each, trade in zip(names, trades, strict=True):
        side, price = (Side.BUY, each.buy_price) if trade > 0 else (Side.SELL, each.sell_price)
        children = split(each, side, abs(trade), each.sellable) if trade else ()
        orders += [Child(each.code, side, shares, price) for shares in children]
    return orders


def _best_trades(
    names: Sequence[Candidate], cash: Decimal, total: Decimal, costs: DayCosts, limit_s: float
) -> list[int] | None:
    """The signed trade of each name; the error is all shortfalls or all excesses, cash included: what is greater."""
    program = Program()
    error = program.variable()
    shortfalls, excesses, money = {error: -1.0}, {error: -1.0}, dict[int, float]()
    pairs = []
    for each in names:
        buy, sell = _trade(program, buy_lots(each, total)), _trade(program, sell_lots(each))
        pairs.append((buy, sell))
        program.row({buy.is_on: 1, sell.is_on: 1}, 0, 1)
        short, over = program.variable(), program.variable()
        shortfalls[short] = excesses[over] = 1
        mark, off = float(each.mark), float(each.weight * total - each.held * each.mark)
        program.row({**buy.shares(mark), **sell.shares(-mark), short: 1, over: -1}, off, off)
        money |= {**buy.shares(float(each.buy_price)), **sell.shares(-float(each.sell_price))}
        money[_fee(program, each, buy, sell, costs)] = 1
    short, over = program.variable(), program.variable()  # of cash, at marks: spread and fees are counted as cash
    shortfalls[short] = excesses[over] = 1
    idle = float(total - sum((each.weight for each in names), Decimal(0)) * total)
    worth = float(sum((each.held * each.mark for each in names), Decimal(0)))
    moved = {short: -1.0, over: 1.0}
    for each, (buy, sell) in zip(names, pairs, strict=True):
        moved |= {**buy.shares(float(each.mark)), **sell.shares(-float(each.mark))}
    program.row(moved, float(total) - worth - idle, float(total) - worth - idle)
    program.row(shortfalls, -_INFINITE, 0)
    program.row(excesses, -_INFINITE, 0)
    program.row(money, -_INFINITE, float(cash))
    found = program.solve(error, limit_s)
    return None if found is None else [buy.of(found) - sell.of(found) for buy, sell in pairs]


def buy_lots(each: Candidate, total: Decimal) -> Lots:
    """Up to the first quantity beyond the target: a step further costs money and covers nothing."""
    missing = ceil((each.weight * total - each.held * each.mark) / each.mark)
    if missing <= 0 or each.no_buy:
        return Lots(0, each.buy_step, 0, 0)
    return Lots(each.buy_min, each.buy_step, max(0, -(-(missing - each.buy_min) // each.buy_step)), 0)


def sell_lots(each: Candidate) -> Lots:
    """Whole lots and the odd one once; from 200 share by share on the STAR board, less only as all that is there."""
    sellable = 0 if each.no_sell else each.sellable
    if each.buy_step > 1:
        return Lots(0, each.buy_step, sellable // each.buy_step, sellable % each.buy_step)
    base = min(sellable, each.buy_min)
    return Lots(base, 1, sellable - base, 0)


def _trade(program: Program, lots: Lots) -> Trade:
    trade = Trade(
        lots,
        program.variable(int(lots.is_open), whole=True),
        program.variable(lots.steps, whole=True),
        program.variable(int(lots.odd > 0), whole=True),
    )
    program.row({trade.steps: 1, trade.is_on: -lots.steps}, -_INFINITE, 0)
    program.row({trade.odd: 1, trade.is_on: -1}, -_INFINITE, 0)
    return trade


def _fee(program: Program, each: Candidate, buy: Trade, sell: Trade, costs: DayCosts) -> int:
    """The fee of the name's order: at least the least commission, at least the commission's rate, and the duties."""
    terms, fee = costs.terms, program.variable()
    duties = [float(costs.table.statutory_rate(each.code, side, costs.day, terms)) for side in (Side.BUY, Side.SELL)]
    prices = float(each.buy_price), float(each.sell_price)
    for least, rate in ((float(terms.commission_min), 0.0), (0.0, float(terms.commission_rate))):
        charged = {fee: -1.0}
        for trade, price, duty in zip((buy, sell), prices, duties, strict=True):
            charged |= trade.shares(price * (rate + duty))
            charged[trade.is_on] += least + _ROUNDED_UP
        program.row(charged, -_INFINITE, 0)
    return fee
