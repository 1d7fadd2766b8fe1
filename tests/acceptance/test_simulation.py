"""A thousand seeded histories of the whole system under faults, and one workload killed at every point of its life."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.life import POINTS
from tests.simulation.seeds import Report, run_seed
from tests.simulation.sweep import WEATHERS, sweep
from tests.simulation.weather import RATES

QUARTERS = [range(start, start + 250) for start in range(0, 1000, 250)]
KINDS_MIN = 25


def complaints(report: Report) -> list[str]:
    """What did not hold, with the command that shows it again."""
    replay = f"uv run python -m tests.simulation --seed {report.seed}"
    return [f"{violation.invariant}: {violation.text} ({replay})" for violation in report.violations]


@pytest.mark.parametrize("seeds", QUARTERS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_no_invariant_is_broken_by_any_fault_and_many_faults_really_happen(seeds: range) -> None:
    reports = [run_seed(seed) for seed in seeds]
    faults = sum((report.faults for report in reports), Counter[str]())

    found = [text for report in reports for text in complaints(report)]
    assert not found, "\n".join(found)
    assert sum(times > 0 for times in faults.values()) >= KINDS_MIN
    assert RATES.keys() - faults.keys() == set()
    assert sum(report.orders for report in reports) > len(seeds)
    assert sum(report.lives for report in reports) > 1.5 * len(seeds)


@pytest.mark.parametrize("weather", WEATHERS)
def test_a_workload_killed_at_any_commit_or_call_is_finished_by_the_next_life(weather: str) -> None:
    struck: Counter[str] = Counter()
    found: list[str] = []
    for point, number, report in sweep(weather, points_max=10_000):
        struck[point] += 1
        found += [f"{point} {number}: {violation.text}" for violation in report.violations]

    assert not found, "\n".join(found)
    assert struck.keys() == set(POINTS)
    assert min(struck.values()) > 40


def test_one_seed_is_one_history_and_another_seed_is_another() -> None:
    seeds = (7, 11, 13, 24)
    first, second = [run_seed(seed) for seed in seeds], [run_seed(seed) for seed in seeds]

    assert first == second
    assert len({report.digest for report in first}) == len(seeds)
    assert all(report.messages > 0 for report in first)
