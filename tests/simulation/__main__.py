"""`python -m tests.simulation`: run seeds or the sweep; which faults happened how often, and what did not hold."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from io import TextIOWrapper
from time import perf_counter

from qws.language import speak
from qws.messages import SweepDue
from qws.text import describe
from tests.simulation.life import POINTS
from tests.simulation.seeds import Draw, Report, draw_moded_world, draw_world, judge, run_seed
from tests.simulation.sweep import STEP_KINDS, WEATHERS, killed_at, points, steps
from tests.simulation.vendor import draw_vendor_world

_CHUNK = 10
_COMMAND = "uv run python -m tests.simulation"


def run_seeds(seeds: Sequence[int], jobs: int, draw: Draw = draw_world) -> Iterator[Report]:
    """The report of each seed, in order."""
    run = partial(run_seed, draw=draw)
    if jobs == 1:
        yield from map(run, seeds)
        return
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(run, seeds, chunksize=_CHUNK)


def summary(reports: Iterable[Report], command: str = _COMMAND) -> dict[str, object]:
    """What a number of seeds came to."""
    began, faults, days, seeds, counts = perf_counter(), Counter[str](), 0, 0, Counter[str]()
    violations: list[dict[str, object]] = []
    for report in reports:
        seeds, days = seeds + 1, days + report.days
        faults.update(report.faults)
        counts.update({"lives": report.lives, "messages": report.messages, "orders": report.orders})
        for violation in report.violations:
            replay = f"{command} --seed {report.seed}"
            found = {"seed": report.seed, "invariant": violation.invariant, "text": violation.text, "replay": replay}
            violations.append(found)
    wall_s = perf_counter() - began
    return {
        "seeds": seeds,
        "virtual_days": days,
        **counts,
        "fault_kinds": len(faults),
        "faults": dict(faults.most_common()),
        "violations": violations,
        "wall_seconds": round(wall_s, 1),
        "seeds_per_second": round(seeds / wall_s, 1),
        "days_per_minute": round(60 * days / wall_s),
    }


def show(seed: int, draw: Draw = draw_world) -> int:
    """The whole history of one seed, sweeps left out: there is one each three seconds."""
    speak("en")
    world = draw(seed)
    world.run()
    report = judge(world)
    print(f"seed {seed}: {world.workload.cash} CNY, {world.workload.positions}, names {dict(world.workload.traits)}")
    for deed in world.workload.deeds:
        print(f"{deed.when:%Y-%m-%d %H:%M:%S.%f} | {deed.what} {deed.name}")
    for life in world.lives:
        print(f"life: planned {life.crash}, died of {life.died_of or 'nothing'}")
    for envelope in (each for each in world.diary.kept if not isinstance(each.body, SweepDue)):
        cause = f"<-#{envelope.cause}" if envelope.cause is not None else ""
        number, sender = f"#{envelope.id}{cause}", envelope.sender
        print(f"{envelope.at:%Y-%m-%d %H:%M:%S.%f} | {number:<14} | {sender:<16} | {describe(envelope.body)}")
    for tag, when in world.witness.handed.items():
        print(f"{when:%Y-%m-%d %H:%M:%S.%f} | handed over {tag}, taken {world.witness.taken[tag]} times")
    print(f"faults: {dict(report.faults)}\ndigest: {report.digest}")
    return _complain(report.violations)


def show_sweep(jobs: int) -> int:
    """Every point of every weather of the sweep."""
    complaints, kinds = 0, Counter[str]()
    where = [point for weather in WEATHERS for point in (*points(weather), *steps(weather))]
    with ProcessPoolExecutor(jobs) as pool:
        for point, report in zip(where, pool.map(killed_at, where, chunksize=_CHUNK), strict=True):
            kinds[point[1]] += 1
            if report.violations:
                print(*point)
            complaints += _complain(report.violations)
    print("\n".join(f"{kind}: {number}" for kind, number in kinds.items()))
    print(f"{len(where)} points, {complaints} of them with violations")
    missed = {*POINTS, *STEP_KINDS} - kinds.keys()
    print(f"never struck: {', '.join(sorted(missed))}" if missed else "every kind of point was struck")
    return int(bool(complaints or missed))


def _complain(violations: Iterable[object]) -> int:
    lines = [f"VIOLATION {violation}" for violation in violations]
    print("\n".join(lines) if lines else "", end="\n" if lines else "")
    return int(bool(lines))


def main() -> int:
    """Read the command line; exit code 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many seeds")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--json", action="store_true", help="one object instead of lines")
    parser.add_argument("--seed", type=int, help="one seed, with its whole history")
    parser.add_argument("--sweep", action="store_true", help="kill one workload at every point")
    parser.add_argument("--vendor", action="store_true", help="through the vendor's own Python and the adapter")
    parser.add_argument("--modes", action="store_true", help="with files that are subsets or deltas, or expire")
    asked = parser.parse_args()
    draw: Draw = draw_vendor_world if asked.vendor else draw_moded_world if asked.modes else draw_world
    command = f"{_COMMAND} --vendor" if asked.vendor else f"{_COMMAND} --modes" if asked.modes else _COMMAND
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    if asked.seed is not None:
        return show(asked.seed, draw)
    if asked.sweep:
        return show_sweep(asked.jobs)
    seeds = range(asked.first_seed, asked.first_seed + asked.seeds)
    found = summary(run_seeds(seeds, asked.jobs, draw), command)
    violations = found["violations"]
    if asked.json:
        print(json.dumps(found, ensure_ascii=False))
    else:
        for key, value in found.items():
            lines = value if isinstance(value, list) else [value]
            print("\n".join(f"{key}: {line}" for line in lines) or f"{key}: none")
    return int(bool(violations))


if __name__ == "__main__":
    sys.exit(main())
