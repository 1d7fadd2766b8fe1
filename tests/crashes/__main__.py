"""`python -m tests.crashes`: real processes, killed many times, and what their books say afterwards."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.crashes.barred import disk_full, read_only
from tests.crashes.doomed import PLACES, ROOT, Place
from tests.crashes.lives import Plant, Tally
from tests.crashes.vendor import MODULE
from tests.crashes.verdict import Judgement, judge

KILLS_PER_EXCHANGE_KILL = 25


def crash(
    folder: Path, *, kills: int, seed: int, places: Sequence[Place] = PLACES, module: str = ""
) -> dict[str, object]:
    """Kill the daemon of a new home in `folder` so many times, then judge; figures, and what did not hold."""
    began = perf_counter()
    plant = Plant(folder, seed, places, module)
    try:
        _run(plant, kills, beside=not module)
    except AssertionError as error:
        plant.close()
        return {"kills": plant.tally.kills, "violations": [f"it never came to its end: {error}"]}
    finally:
        plant.kill_exchange()
    tally, found = plant.tally, judge(plant.home, plant.files)
    figures = _plain(tally) | _plain(found) | {"violations": tally.violations + found.violations}
    figures |= {"ways": dict(tally.ways), "results": dict(found.results), "lines": len(tally.lines)}
    missed = sorted(f"{row} {moment}" for row, moment in set(places) - tally.places.keys())
    figures |= {"places": len(tally.places), "places_missed": missed}
    figures["kills_per_file_max"] = max(plant.files.cuts.values(), default=0)
    figures["files_killed_twice"] = sum(number > 1 for number in plant.files.cuts.values())
    return {**figures, "wall_seconds_max": round(perf_counter() - began, 1)}


def _plain(figures: Tally | Judgement) -> dict[str, object]:
    return {each.name: getattr(figures, each.name) for each in fields(figures)}


def _run(plant: Plant, kills: int, *, beside: bool) -> None:
    plant.warm_up()
    disk_full(plant)
    is_barred, exchange_due = True, KILLS_PER_EXCHANGE_KILL // 2 if beside else kills
    while plant.tally.kills < kills:
        if is_barred and plant.tally.kills >= kills // 2:
            is_barred = False
            read_only(plant)
        if plant.tally.kills >= exchange_due:
            exchange_due += KILLS_PER_EXCHANGE_KILL
            plant.life_beside_a_killed_exchange()
        else:
            plant.life_to_be_killed(plant.tally.kills)
    plant.finish()


def shared(kills: int, seed: int, jobs: int, *words: str) -> dict[str, object]:
    """The same by several processes, each with a home and a share of the journal's rows of its own."""
    command = [sys.executable, "-m", "tests.crashes", "--kills", str(-(-kills // jobs)), "--json", *words]
    shares = [
        subprocess.Popen(
            [*command, "--seed", str(seed + number), "--share", f"{number}/{jobs}"],
            stdout=subprocess.PIPE, encoding="utf-8", cwd=ROOT,
        )
        for number in range(jobs)
    ]  # fmt: skip
    figures: dict[str, object] = {}
    for share in shares:
        out, _ = share.communicate()
        for key, value in json.loads(out).items():
            figures[key] = _added(key, figures[key], value) if key in figures else value
    return figures


def _added(key: str, one: object, other: object) -> object:
    match one, other:
        case dict(), dict():
            return dict(Counter(one) + Counter(other))
        case list(), list():
            return one + other
        case ((int() | float()), (int() | float())):
            return max(one, other) if key.endswith("_max") else one + other
    raise AssertionError(f"{key}: {one!r} and {other!r}")


def main() -> int:
    """Read the command line; exit code 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.crashes", description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="so many processes, each with a home of its own")
    parser.add_argument("--share", default="0/1", help="of the journal's rows: which part of how many, as 0/2")
    parser.add_argument("--keep", type=Path, help="a new folder for the home, kept afterwards")
    parser.add_argument("--vendor", action="store_true", help="a terminal between daemon and exchange")
    parser.add_argument("--json", action="store_true", help="one object instead of lines")
    asked = parser.parse_args()
    if asked.jobs > 1:
        figures = shared(asked.kills, asked.seed, asked.jobs, *["--vendor"] * asked.vendor)
    else:
        part, parts = map(int, asked.share.split("/"))
        with TemporaryDirectory() as folder:
            home = asked.keep or Path(folder) / "home"
            module = MODULE if asked.vendor else ""
            figures = crash(home, kills=asked.kills, seed=asked.seed, places=PLACES[part::parts], module=module)
    figures = {**figures, "seed": asked.seed}
    lines = [f"{key}: {value}" for key, value in figures.items()]
    print(json.dumps(figures, ensure_ascii=False) if asked.json else "\n".join(lines))
    return int(bool(figures["violations"]))


if __name__ == "__main__":
    sys.exit(main())
