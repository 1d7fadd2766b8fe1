"""Real kills: no order twice, no intent lost, one result for every file. `python -m tests.crashes` makes many more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crashes.__main__ import KILLS_PER_EXCHANGE_KILL, crash

KILLS = 25
LINES_MIN = 10  # different places in a life's log at which it was cut
PLACES_MIN = 8  # different rows of a life's journal at which it was cut, before or after their commit


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1])
def test_real_kills_double_nothing_and_lose_nothing(tmp_path: Path, seed: int) -> None:
    figures = crash(tmp_path / "home", kills=KILLS, seed=seed)
    assert figures["violations"] == [], figures
    assert (figures["duplicates"], figures["lost_intents"]) == (0, 0)
    assert (figures["kills"], figures["exchange_kills"]) == (KILLS, KILLS // KILLS_PER_EXCHANGE_KILL)
    assert figures["files"] == figures["files_with_one_final_result"]
    for figure, least in {
        "lines": LINES_MIN,
        "places": PLACES_MIN,
        "runs_cut_twice": 1,
        "files_killed_twice": 2,
        "orders": KILLS,
    }.items():
        found = figures[figure]
        assert isinstance(found, int)
        assert found >= least, figures
