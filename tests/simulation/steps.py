"""Death between any two steps: of every callback that the loop runs, each step of each task among them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVarTuple, Unpack

from qws.gateways.sim.quirks import PERFECT
from qws.runtime.clock import VirtualLoop
from tests.simulation.life import Life
from tests.simulation.weather import Weather
from tests.simulation.workload import Workload
from tests.simulation.world import Death, World

Ts = TypeVarTuple("Ts")
# What is left behind: all but what was being written, that too, or nothing that the disk did not have for certain.
FATES = KILLED, WRITTEN, POWER_LOST = "kill", "commit_kept", "commit_lost"


@dataclass(frozen=True)
class Step:
    """What is not safe on the disk right before one step: a batch on its way there; renames and files."""

    is_writing: bool
    is_loose: bool

    def fates(self) -> tuple[str, ...]:
        """The deaths that leave different things behind here."""
        return KILLED, *(WRITTEN,) * self.is_writing, *(POWER_LOST,) * self.is_loose


class StepLoop(VirtualLoop):
    """A virtual loop that asks before each step whether life goes on; when it does not, nothing more is run."""

    def __init__(self, goes_on: Callable[[float], bool]) -> None:
        super().__init__()
        self._goes_on, self._is_dead, self._is_idle = goes_on, False, False
        self._left: list[Callable[[], object]] = []

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Queue a step."""
        return super().call_soon(self._step, callback, args, context=context)

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Queue a step for later."""
        return super().call_at(when, self._step, callback, args, context=context)

    def bury(self) -> None:
        """Every port is closed: let what is left come to rest at this moment, so that it can be torn down."""
        self._goes_on, self._is_dead = lambda second: True, False
        for run in self._left:
            self.call_soon(run)
        while not self._is_idle:
            self._is_idle = True
            self.stop()
            self.run_forever()  # one turn, in which no time passes

    def _step(self, callback: Callable[[Unpack[Ts]], object], args: tuple[*Ts]) -> None:
        self._is_idle = False
        if not self._is_dead and not self._goes_on(self.now):
            self._is_dead = True
            self.stop()
        if self._is_dead:
            self._left.append(partial(copy_context().run, callback, *args))
        else:
            callback(*args)


class SteppedWorld(World):
    """A world whose first life notes each of its steps, or dies of the given fate before the step of that number."""

    def __init__(self, seed: int, workload: Workload, weather: Weather, dies: tuple[int, str] | None) -> None:
        super().__init__(seed, workload, weather, [], PERFECT)
        self._dies = dies
        self.steps: list[Step] = []
        self.passed = 0

    def _run(self, life: Life, began: datetime, death: Death | None) -> datetime:
        if len(self.lives) > 1:
            return super()._run(life, began, death)
        loop = StepLoop(lambda second: self._goes_on(life, second))
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            try:
                ended = runner.run(self._act(life, began, death))
            except RuntimeError:  # the loop was stopped
                if not life.died_of:
                    raise
                ended = began + timedelta(seconds=loop.now)
            left = self._traces()
            loop.bury()
        self.outside.is_held = False
        if self._traces() != left:
            self.witness.blame("tripwire", "a dead life went on")
        if life.died_of == WRITTEN:
            asyncio.run(self.diary.write(life.writing))
        return ended

    def _goes_on(self, life: Life, second: float) -> bool:
        self.passed += 1
        if self._dies is None:
            now = self.began + timedelta(seconds=second)
            is_loose = bool(self.folder.claimed.keys() - self.witness.paths or self.shelf.loose(now))
            self.steps.append(Step(bool(life.writing), is_loose))
        elif self.passed == self._dies[0]:
            life.died_of, self.outside.is_held = self._dies[1], True
        return not life.died_of

    def _traces(self) -> tuple[object, ...]:
        """Everything that a process can leave behind outside of itself."""
        folder, terminal = self.folder, self.terminal
        files = sorted(folder.dropped), sorted(folder.claimed), len(folder.accepted), len(folder.rejected)
        books = terminal.cash(), terminal.all_orders(), len(terminal.all_trades()), terminal.next_due()
        answered = sum(row.is_answered for row in self.desk.rows)
        return len(self.diary.kept), files, books, answered, dict(self.shelf.results), len(self.shelf.equity)
