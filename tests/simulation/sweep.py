"""Small workloads, killed at every commit, call and step, started again, and judged each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

from qws.gateways.sim.quirks import PERFECT
from qws.messages import RunFinished
from tests.simulation.life import POINTS
from tests.simulation.seeds import Report, judge
from tests.simulation.steps import FATES, SteppedWorld
from tests.simulation.weather import Weather
from tests.simulation.workload import Deed, Workload
from tests.simulation.world import Death, World, at

_DAY = date(2026, 11, 19)
# Three files, of which the last overtakes the second: for each commit and each call.
_FILES = {
    "09:20:00": {"600000.SH": "0.3", "000001.SZ": "0.3", "688001.SH": "0.3"},
    "10:00:00": {"000001.SZ": "0.6", "300001.SZ": "0.3"},
    "10:00:02": {"600000.SH": "0.5", "000001.SZ": "0.4"},
}
_POSITIONS = (("600000.SH", 20_000, 20_000), ("600010.SH", 5_000, 5_000))
_CASH, _SEED = Decimal(500_000), 1
# One file, one sell, one buy that rests, is cancelled and sent again at a better price: for each step.
_FILE = {"10:00:00": {"600000.SH": "0.9"}}
_POSITION = (("600010.SH", 40_000, 40_000),)
_STEPS_CASH, _STEPS_SEED = Decimal(28_000_000), 3
# In the second weather nobody is told anything, and every third order gets no answer.
WEATHERS: Mapping[str, Mapping[str, float]] = {"calm": {}, "deaf": {"push_lost": 1.0, "ack_lost": 0.33}}
_STEP = "step: "
STEP_KINDS = tuple(_STEP + fate for fate in FATES)
Point = tuple[str, str, int]  # the weather, what kills, and when that many of its kind were passed


def points(weather: str) -> Iterator[Point]:
    """Every commit and every call at which the first life of the larger workload can die."""
    world = _world(weather, [])
    world.run()
    (life,) = world.lives
    world.close()
    for kind in POINTS:
        yield from ((weather, kind, number) for number in range(1, life.passed[kind] + 1))


def steps(weather: str) -> Iterator[Point]:
    """Every step before which the first life of the smaller workload can die, with all it may leave behind there."""
    world = stepped(weather, None)
    world.run()
    world.close()
    for number, step in enumerate(world.steps, 1):
        yield from ((weather, _STEP + fate, number) for fate in step.fates())


def killed_at(point: Point) -> Report:
    """The judgement of a world whose first life died there."""
    weather, kind, number = point
    is_step = kind.startswith(_STEP)
    fate = kind.removeprefix(_STEP)
    world = stepped(weather, (number, fate)) if is_step else _world(weather, [Death(kind, number, None, 5.0)])
    try:
        world.run()
        ends = [envelope.body for envelope in world.diary.kept if isinstance(envelope.body, RunFinished)]
        first = world.lives[0]
        is_struck = first.died_of == fate if is_step else first.passed[kind] == number
        if not is_struck or not ends or ends[-1].status != "completed":
            end = f"{ends[-1].run_id} {ends[-1].status} {ends[-1].reason}" if ends else "no run ended"
            world.witness.blame("I13", f"died of {first.died_of!r}, at last: {end}")
        return judge(world)
    finally:
        world.close()


def stepped(weather: str, dies: tuple[int, str] | None) -> SteppedWorld:
    """The smaller workload."""
    workload = _workload(_FILE, _STEPS_CASH, _POSITION)
    return SteppedWorld(_STEPS_SEED, workload, Weather(_STEPS_SEED, WEATHERS[weather]), dies)


def _world(weather: str, deaths: list[Death]) -> World:
    workload = _workload(_FILES, _CASH, _POSITIONS)
    return World(_SEED, workload, Weather(_SEED, WEATHERS[weather]), deaths, PERFECT)


def _workload(
    files: Mapping[str, Mapping[str, str]], cash: Decimal, positions: tuple[tuple[str, int, int], ...]
) -> Workload:
    traits = {code: "" for weights in files.values() for code in weights}
    deeds = [
        Deed(at(clock, _DAY), "drop", f"{clock.replace(':', '')}.csv", _text(weights))
        for clock, weights in files.items()
    ]
    return Workload((_DAY,), traits, cash, positions, deeds)


def _text(weights: Mapping[str, str]) -> bytes:
    rows = [f"{_DAY},{code},{weight}" for code, weight in weights.items()]
    return "\n".join(["date,stock_code,weight", *rows, ""]).encode()
