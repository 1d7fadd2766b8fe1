"""A proof that cannot fail proves nothing: each planted bug is told of by the simulation, by an invariant it breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.simulation.bug import SEEDS, Bug
from tests.simulation.planted import BUGS
from tests.simulation.seeds import run_seed

pytestmark = pytest.mark.timeout(600)  # a mistake may make a seed long
CRASH = "tripwire"  # what the simulation says of an exception: that something broke, not that it was noticed


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_a_planted_bug_is_told_of_by_an_invariant_that_it_breaks(
    bug: Bug, record_property: Callable[[str, object], None]
) -> None:
    found = bug.catch()

    assert found is not None, f"{bug.text} Nothing broke in {SEEDS} seeds: the simulation is too weak"
    seed, invariant = found
    record_property("told_by", f"{invariant} at seed {seed}")
    assert invariant in bug.told_by
    assert CRASH not in bug.told_by
    assert seed == bug.seed < SEEDS


@pytest.mark.parametrize("seed", sorted({bug.seed for bug in BUGS}))
def test_a_seed_that_tells_of_a_bug_tells_of_nothing_when_no_bug_is_planted(seed: int) -> None:
    assert run_seed(seed).violations == ()


def test_no_bug_is_planted_twice() -> None:
    assert len({bug.name for bug in BUGS}) == len({bug.text for bug in BUGS}) == len(BUGS) >= 12
