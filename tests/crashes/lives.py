"""One exchange that lives on, many daemon lives, each ended by a kill at a drawn place."""

from __future__ import annotations

import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Event
from time import monotonic

from tests.acceptance.living import Daemon, a_home, living
from tests.acceptance.processes import Program
from tests.crashes.doomed import KILL, NEVER, PLACES, Place, doomed
from tests.crashes.workload import SETTINGS, Files, write_opening

LINES_MAX = 50  # a run with its start-up writes about as many lines of log
_POLL_S, _FOLDERS_S, _PATIENCE_S = 0.002, 0.04, 45.0
_FINISHED_EACH, _OTHERS_EACH = 6, 10  # so many kills: one life may finish; one is cut by time and one by its log
_LATEST_S = 1.2  # after the start: a kill by time comes before
_OVERTAKING = 0.12  # how often a file comes while another has no result yet


@dataclass(slots=True)
class Tally:
    """What happened, and what should not have."""

    kills: int = 0
    lives: int = 0
    exchange_kills: int = 0
    lines: Counter[int] = field(default_factory=Counter)  # at which line of a life's log it was killed
    places: Counter[Place] = field(default_factory=Counter)  # at which row of its journal, before or after the commit
    ways: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class LogTail:
    """Counts the messages that one life logged, timers of the sweep left out; its own reading never disturbs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read = {path: path.stat().st_size for path in folder.glob("*.jsonl")}
        self.seen, self.is_ready = 0, False

    def look(self) -> None:
        """Read what is new."""
        for path in self._folder.glob("*.jsonl"):
            start = self._read.get(path, 0)
            if path.stat().st_size > start:
                with path.open("rb") as file:
                    file.seek(start)
                    whole, newline, _ = file.read().rpartition(b"\n")
                self._read[path] = start + len(whole) + len(newline)
                for line in whole.splitlines():
                    self.seen += b'"kind": ""' not in line and b'"kind": "SweepDue"' not in line
                    self.is_ready = self.is_ready or b'"kind": "LinkReady"' in line


class Plant:
    """A home with an exchange in a process of its own, which may be killed and started again at the same address."""

    def __init__(self, folder: Path, seed: int, places: Sequence[Place] = PLACES, module: str = "") -> None:
        self.chance = Random(f"{seed}:crashes")
        self.places, self._module = tuple(places), module
        self.home = a_home(folder, **SETTINGS)
        write_opening(self.home)
        self.files = Files(self.home, Random(f"{seed}:files"))
        self.tally = Tally()
        self._exchange: Program | None = None
        self._lines: list[int] = []
        self._places: list[Place] = []
        self.start_exchange()
        text = self.home.config_file.read_text(encoding="utf-8")
        changed = text.replace('\nexchange = ""', f'\nexchange = "{self._address()}"')
        assert changed != text
        self.home.config_file.write_text(changed, encoding="utf-8")

    def start_exchange(self) -> None:
        """Start it where it was, or anywhere the first time; wait until it listens."""
        said = self.home.root / "exchange.out"
        before = said.read_text(encoding="utf-8").count("listens at") if said.exists() else 0
        place = self._address() if before else "127.0.0.1:0"
        self._exchange = Program(self.home, "exchange", "--listen", place)
        wait_for(lambda: said.read_text(encoding="utf-8").count("listens at") > before, "the exchange to listen")

    def kill_exchange(self) -> None:
        """Take the exchange's power away."""
        if self._exchange is not None:
            self._exchange.kill()

    def next_line(self) -> int:
        """The line to be killed at; every one comes once before any comes again."""
        if not self._lines:
            self._lines = self.chance.sample(range(1, LINES_MAX + 1), LINES_MAX)
        return self._lines.pop()

    def next_place(self) -> Place:
        """The row of the journal to die at; every one comes once before any comes again."""
        if not self._places:
            self._places = self.chance.sample(self.places, len(self.places))
        return self._places.pop()

    def life_to_be_killed(self, number: int) -> None:
        """One life of the daemon with its end."""
        if number % _FINISHED_EACH == 0:
            self._live("finished", lambda tail, lived_s: False)
        elif number % _OTHERS_EACH == 1:
            latest_s = self.chance.uniform(0, _LATEST_S)
            self._live("time", lambda tail, lived_s: lived_s >= latest_s)
        elif number % _OTHERS_EACH == 3:
            line = self.next_line()
            self._live("line", lambda tail, lived_s: tail.seen >= line)
        else:
            self._live("journal", lambda tail, lived_s: False, self.next_place())
        if self.chance.random() < 0.25:  # the exchange works on alone for a while
            pause(self.chance.uniform(0, 0.4))

    def life_beside_a_killed_exchange(self) -> None:
        """The exchange goes in the middle of a life; now and then the daemon goes with it."""
        with self._life() as (daemon, tail):
            self._drop_if_wanted()
            place = self.chance.randint(10, LINES_MAX)
            self._until(daemon, tail, lambda: tail.seen >= place)
            self.kill_exchange()
            self.tally.exchange_kills += 1
            if self.chance.random() < 0.5:
                self._kill(daemon, tail, "with the exchange")
                self.start_exchange()
                return
            pause(self.chance.uniform(0, 0.2))
            self.start_exchange()
            self._until(daemon, tail, lambda: False)
            self._kill(daemon, tail, "finished")

    def warm_up(self) -> None:
        """One whole file, and an orderly stop."""
        self.files.drop_next()
        self._live_orderly()

    def finish(self) -> None:
        """Everything that is still due is done, then daemon and exchange stop in order."""
        self._live_orderly()
        self.close()

    def _live_orderly(self) -> None:
        with self._life() as (daemon, tail):
            self._until(daemon, tail, lambda: False)
            pause(0.5)  # records of equity, receipts of the last sweep
            if sys.platform == "win32":
                daemon.kill()
                return
            code, err = daemon.stop()
            if (code, err) != (0, ""):
                self.tally.violations.append(f"an orderly stop ended with {code}: {err}")

    def close(self) -> None:
        """End the exchange, in order where the system can ask for it."""
        exchange, self._exchange = self._exchange, None
        if exchange is not None:
            if sys.platform == "win32":
                exchange.kill()
            elif exchange.stop() != 0:
                self.tally.violations.append(f"the exchange did not stop in order: {exchange.text()[-500:]}")

    def refused_life(self, what: str, before: Callable[[], None] | None, words: tuple[str, ...]) -> None:
        """A daemon whose journal cannot be written ends by itself, with code 3 and one of the words."""
        self.tally.lives += 1
        with living(self.home, before) as daemon:
            code, err = daemon.ended()
        self.tally.ways[what] += 1
        told = err.splitlines()[-1] if err else ""
        if code != 3 or not told.startswith("qws: ") or not any(word in told for word in words) or "Traceback" in err:
            self.tally.violations.append(f"{what}: exit code {code}, {err[-500:]!r}")

    def _address(self) -> str:
        return f"127.0.0.1:{self.home.exchange_port.read_text(encoding='utf-8').strip()}"

    def _live(self, way: str, is_over: Callable[[LogTail, float], bool], place: Place | None = None) -> None:
        """One life that gets more work until it is over, or until it has died at its place."""
        lies_there = self.chance.random() < 0.5
        if lies_there:
            self._drop_if_wanted()
        with self._life(place) as (daemon, tail):
            began, is_dropped = monotonic(), lies_there
            looked = began
            while not is_over(tail, monotonic() - began) and self._lives(daemon, began, place):
                tail.look()
                now = monotonic()
                if not tail.is_ready or now - looked < _FOLDERS_S:
                    continue
                looked = now
                if not is_dropped:
                    is_dropped = True
                    self._drop_if_wanted()
                elif self.files.are_filed():
                    if way == "finished":
                        break
                    self.files.drop_next()  # not killed yet: more work
            self._kill(daemon, tail, way)
            if place is not None:
                self.tally.places[place] += 1

    def _drop_if_wanted(self) -> None:
        if not self.files.unanswered() or self.chance.random() < _OVERTAKING:
            self.files.drop_next()

    @contextmanager
    def _life(self, place: Place | None = None) -> Iterator[tuple[Daemon, LogTail]]:
        tail = LogTail(self.home.logs)
        self.tally.lives += 1
        with self._daemon(place) as daemon:
            yield daemon, tail

    def _daemon(self, place: Place | None) -> AbstractContextManager[Daemon]:
        if self._module:
            return doomed(self.home, place or NEVER, module=self._module)
        return living(self.home) if place is None else doomed(self.home, place)

    def _until(self, daemon: Daemon, tail: LogTail, is_so: Callable[[], bool]) -> None:
        """Wait until something is so, at the latest until everything is answered and filed away."""
        began = looked = monotonic()
        while not is_so():
            self._lives(daemon, began, None)
            tail.look()
            if tail.is_ready and monotonic() - looked >= _FOLDERS_S:
                looked = monotonic()
                if self.files.are_filed():
                    return

    def _lives(self, daemon: Daemon, began: float, place: Place | None) -> bool:
        """Let it work; false when it died at its place, and a failure when it ended by itself or never answers."""
        code = daemon.process.poll()
        if code is not None and place is not None and code == (KILL if sys.platform == "win32" else -KILL):
            return False
        if code is not None:
            raise AssertionError(f"the daemon ended with {daemon.ended()} by itself: {daemon.log()[-3000:]}")
        if monotonic() - began > _PATIENCE_S:
            raise AssertionError(f"never answered: {self.files.unanswered()}: {daemon.log()[-3000:]}")
        pause(_POLL_S)
        return True

    def _kill(self, daemon: Daemon, tail: LogTail, way: str) -> None:
        daemon.kill()
        tail.look()
        self.tally.kills += 1
        self.tally.ways[way] += 1
        self.tally.lines[tail.seen] += 1
        self.files.count_cut()
        if sys.platform != "win32" and daemon.process.returncode != -signal.SIGKILL:
            self.tally.violations.append(f"killed, it ended with {daemon.process.returncode}")


def pause(seconds: float) -> None:
    """Let the processes work; this one has nothing to do."""
    Event().wait(seconds)


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    """Look again and again; fails when that takes too long."""
    end = monotonic() + _PATIENCE_S
    while not is_so():
        assert monotonic() < end, f"waited in vain for {what}"
        pause(0.005)
