"""Messages through four actors, with and without the journal, beside bare queues, pykka, SQLite and the disk.

`uv run python -m tests.bench.runtime [--json] [--rounds N]`
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial

from tests.bench.chains import actors, bare_queues, hops_us, pykka_chain
from tests.bench.durable import append_us, fsync_us, journalled, sqlite_us
from tests.bench.measure import Figure, Goal, at_least, at_most, interleaved, percentile, report

BURST = 300  # as many orders as a rebalance of the whole index


def at_percent(measure: Callable[[int], list[float]], times: int, percent: int) -> float:
    """One percentile of a series of timings."""
    return percentile(measure(times), percent)


def measured(rounds: int) -> dict[str, Figure]:
    """Every case once a round."""
    cases: dict[str, Callable[[], float]] = {
        "actors, bursts: messages/s": partial(actors, 60, BURST),
        "asyncio.Queue, bursts: messages/s": partial(bare_queues, 60, BURST),
        "pykka, bursts: messages/s": partial(pykka_chain, 20, BURST),
        "actors, one at a time: messages/s": partial(actors, 5000, 1),
        "asyncio.Queue, one at a time: messages/s": partial(bare_queues, 5000, 1),
        "pykka, one at a time: messages/s": partial(pykka_chain, 1500, 1),
        "hop p50: us": partial(at_percent, hops_us, 10_000, 50),
        "hop p99: us": partial(at_percent, hops_us, 10_000, 99),
        "journalled, bursts: messages/s": partial(journalled, 20, BURST),
        "journalled, one at a time: messages/s": partial(journalled, 150, 1),
        "append of one p50: us": partial(at_percent, append_us, 500, 50),
        "append of one p99: us": partial(at_percent, append_us, 500, 99),
        "append of 300 p50: us": partial(at_percent, partial(append_us, size=BURST), 50, 50),
        "sqlite3 alone p50: us": partial(at_percent, sqlite_us, 500, 50),
        "raw fsync p50: us": partial(at_percent, fsync_us, 500, 50),
    }
    return interleaved(cases, rounds=rounds)


def judged(figures: dict[str, Figure]) -> list[Goal]:
    """The pass lines of the runtime and its journal, as ratios to the anchors of the same run."""
    value = {name: figure.median for name, figure in figures.items()}
    chain, journal = value["actors, bursts: messages/s"], value["journalled, bursts: messages/s"]
    single, raw = value["append of one p50: us"], value["raw fsync p50: us"]
    return [
        at_least("chain / asyncio.Queue", chain / value["asyncio.Queue, bursts: messages/s"], 0.5),
        at_least("chain / pykka", chain / value["pykka, bursts: messages/s"], 1.5),
        at_most("hop p99, us", value["hop p99: us"], 50),
        at_least("journalled messages/s through 4 actors", journal, 20_000),
        at_most("single append p50 / sqlite3 FULL p50", single / value["sqlite3 alone p50: us"], 1.5),
        at_most("single append p50 / raw fsync p50", single / raw, 2.5),
        at_least("rows of a batch / raw fsyncs, per second", BURST * raw / value["append of 300 p50: us"], 6),
    ]


def main() -> None:
    """Run, judge and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    figures = measured(options.rounds)
    print(report("runtime", figures, judged(figures), as_json=options.json))


if __name__ == "__main__":
    main()
