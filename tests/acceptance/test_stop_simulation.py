"""Seeded histories with stops so near that names cross them every day: faults, kills and people as in the others."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from qws.config import StopsSection
from qws.gateways.sim.quirks import Quirks
from tests.acceptance.test_simulation import complaints
from tests.simulation.seeds import draw_world, run_seed
from tests.simulation.weather import Weather
from tests.simulation.workload import Workload
from tests.simulation.world import Death, World

SEEDS = range(10)
NEAR = StopsSection(stop_loss=Decimal("0.004"), take_profit=Decimal("0.01"))


class StoppedWorld(World):
    """The world of a seed, with stops."""

    def __init__(
        self, seed: int, workload: Workload, weather: Weather, deaths: Sequence[Death], quirks: Quirks
    ) -> None:
        super().__init__(seed, workload, weather, deaths, quirks)
        self._config = self._config.model_copy(update={"stops": NEAR})


def test_no_invariant_is_broken_while_stops_end_names() -> None:
    without = [run_seed(seed) for seed in SEEDS]

    reports = [run_seed(seed, lambda each: draw_world(each, StoppedWorld)) for seed in SEEDS]

    assert [text for report in reports for text in complaints(report)] == []
    differ = [report.seed for report, other in zip(reports, without, strict=True) if report.digest != other.digest]
    assert len(differ) > len(SEEDS) / 2
