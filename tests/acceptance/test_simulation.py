"""Seeded histories of the whole system under faults, and one workload killed at many points of its life.

`.ci/run` plays 1,250 more (`python -m tests.simulation --seeds 1250`), and kills at every point (`--sweep`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice

import pytest

from qws.domain.market import Side
from qws.messages import CancelOrder, PlaceOrder
from tests.simulation.life import POINTS
from tests.simulation.seeds import Report, run_seed
from tests.simulation.sweep import STEP_KINDS, WEATHERS, Point, killed_at, points, stepped, steps
from tests.simulation.weather import RATES

pytestmark = pytest.mark.timeout(600)  # on a machine that does other work too
PARTS = [range(start, start + 125) for start in range(0, 250, 125)]
KINDS_MIN = 25
MARKET_KINDS = {"ex_date_held", "ex_dividend_paid", "ex_shares_booked", "stopped_by_stop_loss"}
POINT_STRIDE = 4  # of the commits and calls, which are hundreds, each fourth
STEP_STRIDE = 13  # of the steps, which are thousands, each thirteenth


def complaints(report: Report) -> list[str]:
    """What did not hold, with the command that shows it again."""
    replay = f"uv run python -m tests.simulation --seed {report.seed}"
    return [f"{violation.invariant}: {violation.text} ({replay})" for violation in report.violations]


@pytest.mark.parametrize("seeds", PARTS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_no_invariant_is_broken_by_any_fault_and_many_faults_really_happen(seeds: range) -> None:
    reports = [run_seed(seed) for seed in seeds]
    faults = sum((report.faults for report in reports), Counter[str]())

    found = [text for report in reports for text in complaints(report)]
    assert not found, "\n".join(found)
    assert sum(times > 0 for times in faults.values()) >= KINDS_MIN
    assert RATES.keys() | MARKET_KINDS <= faults.keys()
    assert sum(report.orders for report in reports) > len(seeds)
    assert sum(report.lives for report in reports) > 1.5 * len(seeds)


def killed_at_each(where: Iterable[Point]) -> Counter[str]:
    """How many deaths of each kind were survived; what a death broke is told."""
    struck: Counter[str] = Counter()
    found: list[str] = []
    for point in where:
        struck[point[1]] += 1
        found += [f"{point}: {violation.invariant}: {violation.text}" for violation in killed_at(point).violations]
    assert not found, "\n".join(found)
    return struck


@pytest.mark.parametrize("weather", WEATHERS)
def test_a_workload_killed_at_commits_and_calls_is_finished_by_the_next_life(weather: str) -> None:
    struck = killed_at_each(islice(points(weather), 0, None, POINT_STRIDE))

    assert struck.keys() == set(POINTS)
    assert min(struck.values()) * POINT_STRIDE > 40


@pytest.mark.parametrize("weather", WEATHERS)
def test_a_workload_killed_before_steps_of_its_tasks_is_finished_by_the_next_life(weather: str) -> None:
    struck = killed_at_each(islice(steps(weather), 0, None, STEP_STRIDE))

    assert struck.keys() == set(STEP_KINDS)
    assert max(struck.values()) * STEP_STRIDE > 500


@pytest.mark.parametrize("weather", WEATHERS)
def test_the_workload_that_is_killed_at_every_step_sells_buys_cancels_and_sends_again(weather: str) -> None:
    world = stepped(weather, None)
    world.run()
    told = [envelope.body for envelope in world.diary.kept]
    world.close()

    placed = [each.order for each in told if isinstance(each, PlaceOrder)]
    (cancelled,) = (each.tag for each in told if isinstance(each, CancelOrder))
    sell, buy, again = placed
    assert (sell.side, buy.side, again.side) == (Side.SELL, Side.BUY, Side.BUY)
    assert (cancelled, again.code) == (buy.tag, buy.code)
    assert again.price > buy.price


def test_one_seed_is_one_history_and_another_seed_is_another() -> None:
    seeds = (7, 11, 13, 24)
    first, second = [run_seed(seed) for seed in seeds], [run_seed(seed) for seed in seeds]

    assert first == second
    assert len({report.digest for report in first}) == len(seeds)
    assert all(report.messages > 0 for report in first)
