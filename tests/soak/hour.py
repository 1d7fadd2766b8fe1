"""The real daemon on the real clock and real files, fed at a hundred times the usual rate and watched from outside.

The usual rate is one file of 300 names in the four hours of a trading day, with an order for most of the names. A
hundred times that is a file each 144 seconds, 25 rebalances in an hour; one in ten is a workbook. In between, as often
as one in five, comes a file that must be refused: bad, or bytes that were traded before. What is remembered of a day
is as large as the day: orders, fills, targets that may still be wanted. A hundred days' worth in one is the worst case.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import monotonic

import psutil

from qws.cli.home import make_home
from qws.gateways.sim.bars import GeneratedBars
from qws.home import Home
from qws.runtime.clock import SHANGHAI
from qws.tables import load_calendar
from tests.soak.files import bad_file, csv_of, names_of, weights_of, workbook_of
from tests.soak.gauges import MB, bytes_below, flatness

_USUAL_S, _TIMES = 4 * 3600.0, 100
_CASH, _HELD = 40_000_000, 160_000_000  # CNY; what is sold in this one day must be held from the day before
_SAMPLE_S = 10.0
_TURN = 40  # files, after which the weights are what they were
_MIDNIGHT_S = 8  # no file is dropped so close to midnight: its only day would be over before it is read
_WARM_PART, _WARM_MAX_S = 6, 600.0
_DRAIN_S = 120.0


@dataclass
class Dropped:
    """What was dropped, by the name of the file."""

    good: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    traded: bytes = b""


class Feeder:
    """Drops files as the README says is safest: written elsewhere, renamed into the inbox."""

    def __init__(self, home: Home, names: int, seed: int) -> None:
        self._home, self._names, self._draw = home, names_of(names), Random(f"{seed}:files")
        self.dropped, self._number = Dropped(), 0

    def feed(self) -> None:
        """The next good file, and sometimes another one that must be refused."""
        now, number = datetime.now(SHANGHAI), self._number
        day, weights = now.date(), weights_of(self._names, number, _TURN)
        is_workbook = number % 10 == 9
        content = workbook_of(day, weights) if is_workbook else csv_of(day, weights, number)
        if number % 5 == 2:
            twin = self.dropped.traded if number % 2 and self.dropped.traded else bad_file(day, number, self._draw)
            self._drop(f"refused-{number:04}.csv", twin)
            self.dropped.refused.append(f"refused-{number:04}.csv")
        name = f"good-{number:04}.{'xlsx' if is_workbook else 'csv'}"
        self._drop(name, content)
        self.dropped.good.append(name)
        self.dropped.traded = content if not is_workbook else self.dropped.traded
        self._number += 1

    def _drop(self, name: str, content: bytes) -> None:
        beside = self._home.inbox / f"{name}.tmp"
        beside.write_bytes(content)
        beside.replace(self._home.inbox / name)


def a_paper_home(folder: Path, names: int) -> Home:
    """Always open; so much of each name is held from the day before that every file of an hour finds shares to sell:
    what was bought today cannot be sold today."""
    home = make_home(folder)
    bars, day = GeneratedBars(1, load_calendar()), datetime.now(SHANGHAI).date()
    rows = ["stock_code,shares"]
    for code in names_of(names):
        close = bars.last_close(code, day)
        assert close is not None
        rows.append(f"{code},{max(int(_HELD / names / float(close)) // 100 * 100, 200)}")
    (home.root / "held.csv").write_text("\n".join([*rows, ""]), encoding="utf-8")
    text = home.config_file.read_text(encoding="utf-8")
    for key, value in {"language": '"en"', "cash": _CASH, "positions": '"held.csv"'}.items():
        text = "\n".join(f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in text.splitlines())
    home.config_file.write_text(f"{text}\n", encoding="utf-8")
    return home


def samples(process: psutil.Process, home: Home) -> dict[str, float]:
    """What the process takes now."""
    with process.oneshot():
        rss, threads = process.memory_info().rss, process.num_threads()
        opened = process.num_fds() if hasattr(process, "num_fds") else process.num_handles()
    return {"rss_mb": round(rss / MB, 2), "threads": threads, "opened": opened, "children": len(process.children())}


def ticks(daemon: subprocess.Popen[bytes], seconds: float) -> Iterator[float]:
    """Each second until the time is over or the daemon has ended; the seconds since the beginning."""
    began = monotonic()
    while daemon.poll() is None and (passed := monotonic() - began) < seconds:
        yield passed
        try:
            daemon.wait(max(0.0, min(1.0, began + int(passed) + 1 - monotonic())))
        except subprocess.TimeoutExpired:
            continue


def _is_near_midnight() -> bool:
    now = datetime.now(SHANGHAI)
    return (now + timedelta(seconds=_MIDNIGHT_S)).date() != now.date()


def soak(folder: Path, seconds: float, names: int, seed: int) -> dict[str, object]:
    """Feed a daemon for so long; what it took and what became of every file."""
    home = a_paper_home(folder / "home", names)
    feeder, seen = Feeder(home, names, seed), list[dict[str, float]]()
    output = (folder / "daemon.txt").open("wb")
    with output:
        command = [sys.executable, "-m", "qws", "run", "--home", str(home.root), "--quiet"]
        daemon = subprocess.Popen(command, stdout=output, stderr=output)
        process, due, look = psutil.Process(daemon.pid), 3.0, 3.0
        try:
            for passed in ticks(daemon, seconds):
                if passed >= due and not _is_near_midnight():
                    feeder.feed()
                    due += _USUAL_S / _TIMES
                if passed >= look:
                    seen.append({"at_s": round(passed), **samples(process, home), "files": len(feeder.dropped.good)})
                    look += _SAMPLE_S
                    _note(folder, seen[-1])
            for _ in ticks(daemon, _DRAIN_S):
                if len(list((home.inbox / "results").glob("*.result.json"))) >= len(feeder.dropped.good):
                    break
        finally:
            daemon.terminate()
            code = daemon.wait(60)
    return _report(home, feeder.dropped, seen, code, seconds)


def _note(folder: Path, sample: dict[str, float]) -> None:
    with (folder / "samples.jsonl").open("a", encoding="utf-8") as file:
        file.write(f"{json.dumps(sample)}\n")


def _report(home: Home, dropped: Dropped, seen: list[dict[str, float]], code: int, seconds: float) -> dict[str, object]:
    warm_s = min(seconds / _WARM_PART, _WARM_MAX_S)
    warm = [each for each in seen if each["at_s"] >= warm_s]
    memory = flatness([(each["at_s"] / 3600, each["rss_mb"]) for each in warm])
    results = [json.loads(path.read_bytes()) for path in (home.inbox / "results").glob("*.result.json")]
    of_file = Counter(each["file"] for each in results)
    reasons = {path.name.removesuffix(".reason.txt") for path in (home.inbox / "rejected").glob("*.reason.txt")}
    levels = Counter(
        json.loads(line)["level"]
        for path in home.logs.glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    )
    wrong = [f"{name}: {of_file[name]} results" for name in dropped.good if of_file[name] != 1]
    wrong += [f"{name}: not refused" for name in dropped.refused if name not in reasons]
    wrong += [f"{levels[level]} log lines of level {level}" for level in ("ERROR", "CRITICAL") if levels[level]]
    wrong += [f"exit code {code}"] if code else []
    wrong += [] if memory["is_flat"] else [f"resident memory is not flat: {memory}"]
    opened = [each["opened"] for each in warm]
    wrong += [f"opened files grew from {opened[0]} to {opened[-1]}"] if opened and opened[-1] > opened[0] + 4 else []
    return {
        "seconds": seconds,
        "usual": f"one file of this many names in {_USUAL_S:.0f} s; here {_TIMES} times that",
        "files": {"good": len(dropped.good), "refused": len(dropped.refused)},
        "runs_by_status": dict(Counter(each["status"] for each in results)),
        "warm_up_s": warm_s,
        "rss_mb": {"first": seen[0]["rss_mb"] if seen else 0, **memory},
        "opened": {"warm": opened[:1], "end": opened[-1:], "most": max(opened, default=0)},
        "threads_most": max((each["threads"] for each in warm), default=0),
        "journal_mb": round(bytes_below(home.state, "journal.sqlite*") / MB, 1),
        "views_mb": round(bytes_below(home.state, "views.sqlite*") / MB, 1),
        "exchange_mb": round(bytes_below(home.state, "exchange.sqlite*") / MB, 1),
        "logs_mb": round(bytes_below(home.logs, "*") / MB, 1),
        "log_levels": dict(levels),
        "exit_code": code,
        "violations": wrong,
    }
