"""Start-up of `qws status`, and memory and idle CPU of the daemon, beside a bare interpreter.

`uv run python -m tests.bench.process [--json] [--idle-s N]`
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, sleep

import psutil

from qws.cli.home import make_home
from tests.bench.measure import Figure, Goal, at_most, figure, interleaved, report


def timed(*command: str) -> float:
    """Milliseconds of a whole process."""
    began = perf_counter()
    subprocess.run([sys.executable, *command], check=True, stdout=subprocess.DEVNULL)
    return (perf_counter() - began) * 1000


def idle(home: Path, seconds: float) -> tuple[float, float]:
    """Resident MB of a daemon that has just started, and its CPU in percent of a core while nothing happens."""
    daemon = subprocess.Popen([sys.executable, "-m", "qws", "run", "--home", str(home), "--quiet"])
    try:
        process = psutil.Process(daemon.pid)
        sleep(3)
        resident = process.memory_info().rss / 2**20
        before = process.cpu_times()
        sleep(seconds)
        after = process.cpu_times()
        return resident, (after.user + after.system - before.user - before.system) / seconds * 100
    finally:
        daemon.terminate()
        daemon.wait(20)


def measure(rounds: int, idle_s: float) -> tuple[dict[str, Figure], list[Goal]]:
    """All of it."""
    with tempfile.TemporaryDirectory() as folder:
        home = make_home(Path(folder))
        resident, cpu = idle(home.root, idle_s)
        status = ("-m", "qws", "status", "--home", str(home.root))
        cases = {
            "qws status, ms": lambda: timed(*status),
            "anchor: python -c pass, ms": lambda: timed("-c", "pass"),
            "anchor: python -c 'import pandas', ms": lambda: timed("-c", "import pandas"),
        }
        figures = interleaved(cases, rounds=rounds)
    figures["daemon resident after start, MB"] = figure([resident])
    figures["daemon idle CPU, % of a core"] = figure([cpu])
    return figures, [
        at_most("qws status ms", figures["qws status, ms"].median, 100),
        at_most("daemon resident MB", resident, 45),
        at_most("daemon idle CPU %", cpu, 0.3),
    ]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--idle-s", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    figures, goals = measure(options.rounds, options.idle_s)
    print(report("process", figures, goals, as_json=options.json))


if __name__ == "__main__":
    main()
