"""Seeded histories with stops so near that names cross them every day: faults, kills and people as in the others."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from qws.domain.account import Position
from qws.domain.stops import Crossing, StopWatch, View
from tests.acceptance.test_simulation import complaints
from tests.simulation.seeds import run_seed

SEEDS = range(10)


def test_no_invariant_is_broken_while_stops_end_names(monkeypatch: pytest.MonkeyPatch) -> None:
    crossed: list[Crossing] = []
    real = StopWatch.look

    def noted(self: StopWatch, positions: Iterable[Position], view: View) -> tuple[Crossing, ...]:
        found = real(self, positions, view)
        crossed.extend(found)
        return found

    monkeypatch.setattr(StopWatch, "look", noted)
    monkeypatch.setenv("QWS_STOPS__STOP_LOSS", "0.004")
    monkeypatch.setenv("QWS_STOPS__TAKE_PROFIT", "0.01")

    reports = [run_seed(seed) for seed in SEEDS]

    assert [text for report in reports for text in complaints(report)] == []
    assert len(crossed) > len(SEEDS)
