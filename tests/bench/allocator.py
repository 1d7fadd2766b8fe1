"""Rounding rules beside the exact optimum: overspending, illegal orders, tracking error and time, on the same accounts.

`uv run --group bench python -m tests.bench.allocator [--prices FILE] [--json] [--accounts N] [--exact-seconds N]`

Real closing prices; of every cell half of the accounts start from cash, half hold up to 90 % of their worth at random.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from functools import partial
from math import inf
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from qws.domain.account import Asset, Position, Snapshot
from qws.domain.allocator import AllocationRules, Budget, Rounding, Unplaced, allocate
from qws.domain.candidate import Candidate
from qws.domain.legaliser import Child, Context
from qws.domain.market import Level, Quote, Side
from qws.domain.planner import Goal as Wanted
from qws.domain.planner import plan_rebalance
from qws.domain.targets import Weight
from qws.gateways.sim.files import FileBars
from qws.runtime.clock import SHANGHAI
from tests.bench.exact import best_orders
from tests.bench.measure import Goal, at_most, machine
from tests.support.builders import BOOK, COSTS, MARGIN, RULES
from tests.support.reject_matrix import rejection

PRICES = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "csi300_daily_2017_2022.parquet"
DAY = date(2022, 12, 20)
AT = datetime.combine(DAY, time(10), SHANGHAI)
FEE = COSTS.on(DAY)
TOTALS, COUNTS = (100_000, 300_000, 1_000_000, 10_000_000), (10, 50, 300)
MANY, MANY_TOTAL, MANY_ROUNDS = 5000, 500_000_000, 5
ZERO, LOT = Decimal(0), 100
CHOICES = {rounding: AllocationRules(rounding, Unplaced.CASH, ZERO, Decimal(1)) for rounding in Rounding}


@dataclass(frozen=True, slots=True)
class Account:
    """One account before its rebalance: what the planner sees, and the same names with their prices."""

    wanted: Wanted
    snapshot: Snapshot
    names: tuple[Candidate, ...]


Rule = Callable[[Account], Sequence[Child] | None]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule's orders come to, whatever the rule says of itself. Money in CNY, error as a fraction."""

    money_left: Decimal
    orders: int
    illegal: int
    error: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Spread:
    """The middle and the upper end of some numbers: the p95 is the least value that 95 % do not exceed."""

    count: int
    median: float
    p95: float
    highest: float


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the table: numbers of runs and orders, errors as fractions, ratios to the exact optimum."""

    total: int
    names: int
    rule: str
    runs: int
    overspent_runs: int
    illegal_runs: int
    illegal: int
    orders: int
    error: Spread
    ms: Spread
    ratio: Spread | None


def closes(path: Path) -> dict[str, Decimal]:
    """The closing price of every name on the day."""
    bars = FileBars(path)
    return {code: bar.close for code in bars.codes(DAY) if (bar := bars.bar(code, DAY))}


def generated() -> dict[str, Decimal]:
    """Names of every board at lognormal prices."""
    ranges = (("600", "SH"), ("601", "SH"), ("000", "SZ"), ("002", "SZ"), ("300", "SZ"), ("688", "SH"))
    codes = [f"{prefix}{number:03d}.{suffix}" for number in range(1, 999) for prefix, suffix in ranges]
    draw = Random("generated")
    return {code: Decimal(f"{draw.lognormvariate(2.6, 0.7):.2f}") for code in codes[:MANY]}


def drawn(prices: Mapping[str, Decimal], total: int, count: int, number: int) -> Account:
    """A random account: weights that sum to one; every second one holds shares, a fifth of the names an odd number.

    One name in ten was bought today. The five levels of a book lie a tick apart around the close.
    """
    draw = Random(f"{total}:{count}:{number}")
    codes = sorted(draw.sample(sorted(prices), count))
    parts, shares = ([draw.expovariate(1) for _ in codes] for _ in range(2))
    names, quotes, records = [], [], []
    for code, part, share in zip(codes, parts, shares, strict=True):
        price, record = prices[code], BOOK.instrument(code, DAY, prices[code])
        held = int(0.9 * total * share / sum(shares) / float(price)) if number % 2 else 0
        held -= 0 if draw.random() < 0.2 else held % LOT
        sellable = 0 if draw.random() < 0.1 else held
        asks, bids = (tuple(Level(price + sign * n * record.tick, 10**6) for n in range(1, 6)) for sign in (1, -1))
        weight = (Decimal(part) / Decimal(sum(parts))).quantize(Decimal("0.000001"), "ROUND_DOWN")
        ask_and_bid = asks[RULES.buy_level - 1].price, bids[RULES.sell_level - 1].price
        lots = record.buy_min, record.buy_step, record.order_max
        names.append(Candidate(code, weight, held, sellable, price, *ask_and_bid, "", "", *lots))
        quotes.append(Quote(code, AT, price, price, bids, asks))
        records.append(record)
    held_names = [Position(each.code, each.held, each.sellable, each.held * each.mark) for each in names if each.held]
    worth = sum((each.market_value for each in held_names), ZERO)
    asset = Asset(total - worth, ZERO, worth, Decimal(total))
    weights = tuple(Weight(each.code, each.weight) for each in names)
    wanted = Wanted("bench", "target", 0, preview=False, weights=weights, filtered=frozenset())
    return Account(wanted, Snapshot(AT, asset, tuple(held_names), tuple(quotes), tuple(records)), tuple(names))


def raw(account: Account) -> list[Child]:
    """The requirement's rule alone: targets half up to 100 shares, one order each, no look at money or board.

    What is missing from an odd holding is bought in whole lots only, so that odd holdings are not held against it.
    """
    orders = []
    for each in account.names:
        lots = each.weight * account.snapshot.asset.total / each.buy_price / LOT
        gap = int(lots.quantize(Decimal(1), ROUND_HALF_UP)) * LOT - each.held
        if gap >= LOT:
            orders.append(Child(each.code, Side.BUY, gap - gap % LOT, each.buy_price))
        elif gap < 0 < each.sellable:
            orders.append(Child(each.code, Side.SELL, min(each.sellable, -gap), each.sell_price))
    return orders


def planned(account: Account, rounding: Rounding) -> list[Child]:
    """The orders of the product's plan."""
    rows = plan_rebalance(account.wanted, account.snapshot, replace(RULES, allocation=CHOICES[rounding])).rows
    return [Child(row.code, row.side, shares, row.price) for row in rows if row.side for shares in row.children]


def exact(account: Account, limit_s: float) -> list[Child] | None:
    """The orders of the exact optimum, None where it was not found in time."""
    return best_orders(account.names, account.snapshot.asset.cash, account.snapshot.asset.total, FEE, limit_s)


def judged(account: Account, rule: Rule) -> Verdict | None:
    """Run a rule and judge its orders one by one: money with fees, the exchange's reject matrix, what is held then."""
    began = perf_counter()
    orders = rule(account)
    seconds = perf_counter() - began
    if orders is None:
        return None
    seen, money, illegal = account.snapshot, account.snapshot.asset.cash, 0
    contexts = {
        record.code: Context(BOOK, AT, record, quote, each.sellable, 0, MARGIN)
        for record, quote, each in zip(seen.instruments, seen.quotes, account.names, strict=True)
    }
    held = {each.code: each.held for each in account.names}
    sellable = {each.code: each.sellable for each in account.names}
    for order in orders:
        illegal += bool(rejection(order, contexts[order.code], sellable[order.code], 0))
        sign = 1 if order.side is Side.BUY else -1
        money -= sign * order.shares * order.price + FEE(order.code, order.side, order.shares, order.price)
        held[order.code] += sign * order.shares
        sellable[order.code] -= order.shares if order.side is Side.SELL else 0
    gaps = [each.weight * seen.asset.total - held[each.code] * each.mark for each in account.names]
    off = sum(map(abs, gaps), ZERO) + abs(sum(gaps, ZERO))  # of cash too, with what spread and fees take of it
    return Verdict(money, len(orders), illegal, float(off / 2 / seen.asset.total), seconds)


def cell(prices: Mapping[str, Decimal], total: int, count: int, accounts: int, exact_s: float) -> list[Line]:
    """Every rule on the same accounts; `exact_s` seconds at most for the exact optimum of each."""
    drawn_accounts = [drawn(prices, total, count, number) for number in range(accounts)]
    rules: dict[str, Rule] = {"raw prd": raw}
    rules |= {rounding.value: partial(planned, rounding=rounding) for rounding in Rounding}
    rules["exact"] = partial(exact, limit_s=exact_s)
    found = {name: [judged(account, rule) for account in drawn_accounts] for name, rule in rules.items()}
    return [line(total, count, name, runs, found["exact"]) for name, runs in found.items() if any(runs)]


def line(total: int, names: int, rule: str, all_runs: Sequence[Verdict | None], best: Sequence[Verdict | None]) -> Line:
    """The figures of one rule."""
    runs = [run for run in all_runs if run]
    ratios = [run.error / top.error for run, top in zip(all_runs, best, strict=True) if run and top and top.error]
    return Line(
        total, names, rule, len(runs), sum(run.money_left < 0 for run in runs), sum(run.illegal > 0 for run in runs),
        sum(run.illegal for run in runs), sum(run.orders for run in runs), spread([run.error for run in runs]),
        spread([run.seconds * 1000 for run in runs]), spread(ratios) if ratios else None,
    )  # fmt: skip


def spread(values: Sequence[float]) -> Spread:
    """Of one number or more."""
    return Spread(len(values), median(values), sorted(values)[-(-len(values) * 95 // 100) - 1], max(values))


def many() -> dict[str, float]:
    """Median milliseconds of a whole plan and of the allocation in it, for a market of names bought from cash."""
    account = drawn(generated(), MANY_TOTAL, MANY, 0)
    budget = Budget(account.snapshot.asset.cash, account.snapshot.asset.total, ZERO)
    times: dict[str, list[float]] = {}
    for _ in range(MANY_ROUNDS):
        for rounding in Rounding:
            began = perf_counter()
            allocate(account.names, budget, CHOICES[rounding], FEE)
            between = perf_counter()
            planned(account, rounding)
            times.setdefault(f"{rounding} allocation", []).append((between - began) * 1000)
            times.setdefault(f"{rounding} plan", []).append((perf_counter() - between) * 1000)
    return {name: median(taken) for name, taken in times.items()}


def goals(lines: Sequence[Line]) -> list[Goal]:
    """No overspending, no illegal order, at most 2 % above the exact optimum."""
    ours = [each for each in lines if each.rule in set(Rounding)]
    ratios = [each.ratio for each in ours if each.rule == Rounding.OPTIMAL and each.ratio]
    return [
        at_most("overspent runs of the product's rules", sum(each.overspent_runs for each in ours), 0),
        at_most("illegal orders of the product's rules", sum(each.illegal for each in ours), 0),
        at_most("optimal / exact, median of the worst cell", max((each.median for each in ratios), default=inf), 1.02),
        at_most("optimal / exact, worst account", max((each.highest for each in ratios), default=inf), 1.02),
    ]


HEADING = (
    f"{'CNY':>10} {'names':>5} {'rule':<8} {'overspent':>9} {'illegal runs':>12} {'illegal orders':>15}"
    f" {'error p50':>9} {'p95':>8} {'ms p50':>8} {'/ exact p50':>12} {'p95':>7} {'max':>7} {'accounts':>8}"
)


def as_text(each: Line) -> str:
    """One row for people."""
    text = f"{each.total:>10,} {each.names:>5} {each.rule:<8} {each.overspent_runs / each.runs:>9.0%}"
    text += f" {each.illegal_runs / each.runs:>12.0%} {f'{each.illegal} of {each.orders}':>15}"
    text += f" {each.error.median:>9.3%} {each.error.p95:>8.3%} {each.ms.median:>8.1f}"
    if each.ratio is None:
        return f"{text}{each.runs:>38}"
    return f"{text} {each.ratio.median:>12.4f} {each.ratio.p95:>7.4f} {each.ratio.highest:>7.4f} {each.ratio.count:>8}"


def main() -> None:
    """Run, judge and print; 1 for an overspent run or an illegal order, 2 without prices."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prices", type=Path, default=PRICES)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--exact-seconds", type=float, default=10)
    options = parser.parse_args()
    if not options.prices.is_file():
        print(f"price file {options.prices}: there is no such file; name one with --prices", file=sys.stderr)
        sys.exit(2)
    sys.stdout = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # now and then the solver prints a line of its own
    prices = closes(options.prices)
    lines: list[Line] = []
    if not options.json:
        print(f"allocator: {machine()}\n{HEADING}")
    for total in TOTALS:
        for count in COUNTS:
            lines += (rows := cell(prices, total, count, options.accounts, options.exact_seconds))
            if not options.json:
                print("\n".join(map(as_text, rows)), flush=True)
    times, outcome = many(), goals(lines)
    if options.json:
        found = {"lines": list(map(asdict, lines)), f"{MANY} names, ms": times, "goals": list(map(asdict, outcome))}
        print(json.dumps({"benchmark": "allocator", "machine": machine(), **found}, indent=2))
    else:
        print("\n".join(f"  {MANY:,} names, {name}: {taken:,.0f} ms" for name, taken in times.items()))
        for goal in outcome:
            print(f"  {'met ' if goal.is_met else 'MISSED'} {goal.text}: {goal.measured:.4f} (wanted {goal.wanted:g})")
    sys.exit(0 if outcome[0].is_met and outcome[1].is_met else 1)


if __name__ == "__main__":
    main()
