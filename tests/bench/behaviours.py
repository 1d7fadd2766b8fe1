"""The same accounts, files, prices and faults, played by four behaviours of other programs and by this one.

`uv run python -m tests.bench.behaviours [--seeds N] [--first-seed M] [--json | --readme] [--jobs N]`

Two worlds: in `calm` nothing goes wrong; in `foul` answers never come for orders that live or never left, pushes and
cancels get lost, lists stand still, the line breaks, and the program is killed and started again at the same moments.
All that is counted stands on the exchange's own books. What a plan wants is taken at the prices of 09:30:03, down to
100 shares; a holding may miss it by 10 % or two lots (slack), one that is to be sold off by nothing.

duplicates   orders that reached the exchange though what was held and under way did what they ask for, slack included
beyond       CNY by which holdings went beyond what was wanted, bought too much or sold too much, of total asset; mean
oversells    sells refused for want of shares, and names sold below what was wanted
overspends   buys refused for want of cash, and cash below zero
short        days at whose close more than a tenth of the wanted turnover has not traded
lost         those of them of which nobody was told: no result says that and why names are missing
invested_s   seconds from 09:30:03 until 95 % of the wanted buys (in CNY) were bought; `never` counts the days without
error        half the absolute differences of weights at the close, cash included, at the prices of 09:30:03
rejected     orders that the exchange refused, for whatever reason; it refuses none without one
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from io import TextIOWrapper
from math import inf
from statistics import mean
from time import perf_counter

from qws.config import Config
from qws.domain.execution_rules import Release
from qws.domain.rest import Absent
from qws.language import speak
from tests.bench.arena import Outcome, draw_case, play
from tests.bench.measure import machine
from tests.bench.naive import PROGRAMS, Program
from tests.simulation.world import config_of

WORLDS = ("calm", "foul")
RIVALS = {
    "qws strict": (Release.STRICT, Absent.HOLD),
    "qws": (Release.PIPELINED, Absent.HOLD),
    "qws absent again": (Release.PIPELINED, Absent.AGAIN),
}
BEHAVIOURS = (*PROGRAMS, *RIVALS)
Outcomes = Mapping[tuple[str, str], Outcome]  # by world and behaviour


@dataclass(frozen=True, slots=True)
class Row:
    """A behaviour in a world: `short`, `lost` and `never` in days, times in seconds (null: never)."""

    world: str
    behaviour: str
    days: int
    orders: int
    duplicates: int
    duplicate_days: int
    beyond: float
    oversells: int
    overspends: int
    short: int
    lost: int
    invested_p50_s: float | None
    invested_p95_s: float | None
    never: int
    error_p50: float
    error_p95: float
    rejected: int
    reasons: Mapping[str, int]


def contender(behaviour: str) -> Program | Config:
    """Who plays: a naive program, or the configuration of this one."""
    return config_of(*RIVALS[behaviour]) if behaviour in RIVALS else PROGRAMS[behaviour]


def play_seed(seed: int) -> dict[tuple[str, str], Outcome]:
    """Every behaviour in both worlds of a seed."""
    speak("en")
    cases = {world: draw_case(seed, is_foul=world == "foul") for world in WORLDS}
    return {(world, each): play(case, contender(each)) for world, case in cases.items() for each in BEHAVIOURS}


def play_seeds(seeds: Sequence[int], jobs: int) -> Iterator[Outcomes]:
    """Seed by seed, in order."""
    if jobs == 1:
        yield from map(play_seed, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(play_seed, seeds, chunksize=4)


def rows(played: Iterable[Outcomes]) -> list[Row]:
    """The whole table, world by world."""
    by_seed = list(played)
    keys = [(world, behaviour) for world in WORLDS for behaviour in BEHAVIOURS]
    return [row(*key, [outcomes[key] for outcomes in by_seed]) for key in keys]


def row(world: str, behaviour: str, days: Sequence[Outcome]) -> Row:
    """What a behaviour's days come to together."""
    times, errors = ([getattr(day, name) for day in days] for name in ("invested_s", "error"))
    reasons = sum((Counter(day.rejected) for day in days), Counter[str]())
    return Row(
        world, behaviour, len(days), sum(day.orders for day in days), sum(day.duplicates for day in days),
        sum(day.duplicates > 0 for day in days), mean(day.beyond for day in days),
        sum(day.oversells for day in days), sum(day.overspends for day in days),
        sum(day.is_short for day in days), sum(day.is_lost for day in days),
        finite(upper(times, 50)), finite(upper(times, 95)), times.count(inf), upper(errors, 50), upper(errors, 95),
        reasons.total(), dict(reasons.most_common()),
    )  # fmt: skip


def upper(values: Sequence[float], percent: int) -> float:
    """The least of the values that `percent` of them do not exceed; it may be infinite."""
    return sorted(values)[-(-len(values) * percent // 100) - 1]


def finite(value: float) -> float | None:
    """JSON knows no infinity."""
    return None if value == inf else value


def seconds(value: float | None) -> str:
    """For people."""
    return "never" if value is None else f"{value:.1f} s" if value < 100 else f"{value:,.0f} s"


COLUMNS: Mapping[str, Callable[[Row], str]] = {
    "duplicates": lambda each: f"{each.duplicates:,}",
    "beyond": lambda each: f"{each.beyond:.2%}" if each.beyond else "0",
    "oversells": lambda each: f"{each.oversells:,}",
    "overspends": lambda each: f"{each.overspends:,}",
    "short": lambda each: f"{each.short:,}",
    "lost": lambda each: f"{each.lost:,}",
    "95 % invested, p50": lambda each: seconds(each.invested_p50_s),
    "p95": lambda each: seconds(each.invested_p95_s),
    "never": lambda each: f"{each.never:,}",
    "error, p50": lambda each: f"{each.error_p50:.2%}",
    "error, p95": lambda each: f"{each.error_p95:.2%}",
    "rejected / orders": lambda each: f"{each.rejected:,} / {each.orders:,}",
}


def as_markdown(each: Row) -> str:
    """One row of the table in the README."""
    return f"| {each.world} | `{each.behaviour}` | {' | '.join(text(each) for text in COLUMNS.values())} |"


def as_text(each: Row) -> str:
    """One row for people."""
    cells = (f"{text(each):>{max(len(name), 9)}}" for name, text in COLUMNS.items())
    return f"{each.world} {each.behaviour:<22} {'  '.join(cells)}"


def main() -> None:
    """Play, count and print; 1 when this program doubled, oversold, overspent or lost a target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--readme", action="store_true", help="the rows of the table in Markdown")
    asked = parser.parse_args()
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    began = perf_counter()
    table = rows(play_seeds(range(asked.first_seed, asked.first_seed + asked.seeds), asked.jobs))
    wall_s = round(perf_counter() - began, 1)
    if asked.json:
        found = {"rows": list(map(asdict, table)), "first_seed": asked.first_seed, "wall_seconds": wall_s}
        print(json.dumps({"benchmark": "behaviours", "machine": machine(), **found}, indent=2))
    elif asked.readme:
        print(f"| world | behaviour | {' | '.join(COLUMNS)} |\n|---|---|{'--:|' * len(COLUMNS)}")
        print("\n".join(map(as_markdown, table)))
    else:
        heading = "  ".join(f"{name:>9}" for name in COLUMNS)
        print(f"behaviours, {asked.seeds} seeds, {wall_s} s: {machine()}\n{'':<27} {heading}")
        print("\n".join(map(as_text, table)))
    ours = [each for each in table if each.behaviour in RIVALS]
    sys.exit(any(each.duplicates or each.oversells or each.overspends or each.lost for each in ours))


if __name__ == "__main__":
    main()
