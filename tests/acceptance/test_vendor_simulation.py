"""Seeded histories of the whole system through the vendor's own Python, in virtual time and on one thread."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.moods import VENDOR_RATES
from tests.simulation.seeds import Report, run_seed
from tests.simulation.vendor import draw_vendor_world

CHUNKS = [range(start, start + 25) for start in range(0, 25, 25)]


def run(seed: int) -> Report:
    return run_seed(seed, draw_vendor_world)


def complaints(report: Report) -> list[str]:
    """What did not hold, with the command that shows it again."""
    replay = f"uv run python -m tests.simulation --vendor --seed {report.seed}"
    return [f"{violation.invariant}: {violation.text} ({replay})" for violation in report.violations]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_no_invariant_is_broken_by_what_the_native_layer_gets_wrong(seeds: range) -> None:
    reports = [run(seed) for seed in seeds]
    faults = sum((report.faults for report in reports), Counter[str]())

    found = [text for report in reports for text in complaints(report)]
    assert not found, "\n".join(found)
    assert sum(faults[kind] > 0 for kind in VENDOR_RATES) > len(VENDOR_RATES) / 2
    assert sum(report.orders for report in reports) > len(seeds)
    assert sum(report.lives for report in reports) > 1.5 * len(seeds)


def test_one_seed_is_one_history_through_the_vendor_layer_too() -> None:
    seeds = (7, 13, 33)
    first, second = [run(seed) for seed in seeds], [run(seed) for seed in seeds]

    assert first == second
    assert len({report.digest for report in first}) == len(seeds)
