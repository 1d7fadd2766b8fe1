"""A simulated year of daily rebalances of 300 real names through the real actors, beside the bare exchange.

`uv run python -m tests.bench.replay --prices FILE [--json] [--days N]`
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from time import perf_counter

from qws.cli.home import make_home
from qws.config import make_config
from qws.domain.account import Snapshot
from qws.paper import open_paper
from qws.preview import FrozenClock
from qws.replay import Story, equal_weights, replay
from qws.runtime.clock import SHANGHAI
from qws.tables import load_calendar
from tests.bench.measure import Figure, Goal, at_most, figure, report

CASH = Decimal(100_000_000)


def year(count: int) -> list[date]:
    """The last `count` sessions up to 2022-12-20."""
    calendar, days = load_calendar(), [date(2022, 12, 20)]
    while len(days) < count:
        days.append(calendar.previous_session(days[-1]))
    return days[::-1]


def ours(prices: Path, days: Sequence[date]) -> tuple[float, Story]:
    """Seconds for all days through every actor."""
    config = make_config({"paper": {"prices": str(prices), "cash": CASH}}, "bench")
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        began = perf_counter()
        story = replay(home, config, days, equal_weights)
        return perf_counter() - began, story


def looking_only(prices: Path, days: Sequence[date]) -> float:
    """The anchor: the same market, opened once, and each day only looked at: quotes and records of every name."""
    config = make_config({"paper": {"prices": str(prices), "cash": CASH}}, "bench")
    began = perf_counter()
    start = datetime.combine(days[0], time(9, 30, 3), SHANGHAI)
    paper = open_paper(config, prices.parent, FrozenClock(start), None, None)
    seen: list[Snapshot] = []
    for day in days:
        now = datetime.combine(day, time(9, 30, 3), SHANGHAI)
        market = paper.exchange.market
        names = paper.bars.codes(day)
        quotes = tuple(quote for name in names if (quote := market.quote(name, now)) is not None)
        records = tuple(record for name in names if (record := market.instrument(name, now)) is not None)
        seen = [Snapshot(now, paper.exchange.asset(now), paper.exchange.positions(now), quotes, records)]
    assert seen
    return perf_counter() - began


def measure(prices: Path, count: int, rounds: int) -> tuple[dict[str, Figure], list[Goal]]:
    """Both, in turns."""
    days = year(count)
    taken, looks, story = [], [], Story()
    for _ in range(rounds):
        looks.append(looking_only(prices, days))
        seconds, story = ours(prices, days)
        taken.append(seconds)
    figures = {
        f"{count} days through all actors, s": figure(taken),
        "anchor: the same days only looked at, s": figure(looks),
        "orders a day": figure([story.orders / count]),
        "messages a second": figure([story.messages / seconds for seconds in taken]),
        "resident memory at the end, MB": figure([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]),
    }
    wrong = story.rejected_orders + len(story.audit.broken) + count - story.runs["completed"]
    per_year = figures[f"{count} days through all actors, s"].median * 240 / count
    return figures, [
        at_most("rejected orders, broken invariants and unfinished runs", wrong, 0),
        at_most("seconds for 240 days", per_year, 10),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--prices", type=Path, required=True)
    parser.add_argument("--days", type=int, default=240)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures, goals = measure(options.prices.resolve(), options.days, options.rounds)
    print(report("replay", figures, goals, as_json=options.json))
    sys.exit(0 if goals[0].is_met else 1)


if __name__ == "__main__":
    main()
