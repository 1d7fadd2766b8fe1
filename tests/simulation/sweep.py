"""One small workload, killed at every commit and at every call to the broker, started again, and judged each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from qws.gateways.sim.quirks import PERFECT
from qws.messages import RunFinished
from tests.simulation.life import POINTS
from tests.simulation.seeds import Report, judge
from tests.simulation.weather import Weather
from tests.simulation.workload import Deed, Workload
from tests.simulation.world import Death, World, at

_DAY = date(2026, 11, 19)
_FILES = {
    "09:20:00": {"600000.SH": "0.3", "000001.SZ": "0.3", "688001.SH": "0.3"},
    "10:00:00": {"000001.SZ": "0.6", "300001.SZ": "0.3"},
    "10:00:02": {"600000.SH": "0.5", "000001.SZ": "0.4"},
}
_POSITIONS = (("600000.SH", 20_000, 20_000), ("600010.SH", 5_000, 5_000))
# In the second weather nobody is told anything, and every third order gets no answer.
WEATHERS: Mapping[str, Mapping[str, float]] = {"calm": {}, "deaf": {"push_lost": 1.0, "ack_lost": 0.33}}


def sweep(weather: str, *, points_max: int) -> Iterator[tuple[str, int, Report]]:
    """One report for each point at which the first life can die, of each kind up to `points_max` of them."""
    passed = _passed(weather)
    for point in POINTS:
        for number in range(1, min(passed[point], points_max) + 1):
            yield point, number, _killed_at(weather, point, number)


def _killed_at(weather: str, point: str, number: int) -> Report:
    world = _world(weather, [Death(point, number, None, 5.0)])
    try:
        world.run()
        ends = [envelope.body for envelope in world.diary.kept if isinstance(envelope.body, RunFinished)]
        struck = world.lives[0].passed[point] == number
        if not struck or not ends or ends[-1].status != "completed":
            end = f"{ends[-1].run_id} {ends[-1].status} {ends[-1].reason}" if ends else "no run ended"
            world.witness.blame("I13", f"{world.lives[0].passed[point]} points passed, at last: {end}")
        return judge(world)
    finally:
        world.close()


def _passed(weather: str) -> Mapping[str, int]:
    world = _world(weather, [])
    world.run()
    (life,) = world.lives
    world.close()
    return life.passed


def _world(weather: str, deaths: list[Death]) -> World:
    traits = {code: "" for weights in _FILES.values() for code in weights}
    deeds = [
        Deed(at(clock, _DAY), "drop", f"{clock.replace(':', '')}.csv", _text(weights))
        for clock, weights in _FILES.items()
    ]
    workload = Workload((_DAY,), traits, Decimal(500_000), _POSITIONS, deeds)
    return World(1, workload, Weather(1, WEATHERS[weather]), deaths, PERFECT)


def _text(weights: Mapping[str, str]) -> bytes:
    rows = [f"{_DAY},{code},{weight}" for code, weight in weights.items()]
    return "\n".join(["date,stock_code,weight", *rows, ""]).encode()
