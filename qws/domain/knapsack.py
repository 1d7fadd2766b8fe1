"""Which steps towards a target to take when money allows only some: a small knapsack, searched depth first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

# A hundredth of all that is off, so that going far beyond a target for a trifle is never an improvement.
_PER_DEVIATION = 100


class Step(NamedTuple):
    """One name's step from `start` to `end` shares: shortfall covered, excess made, cost with fee, fee.

    Amounts are whole units of money; `cost` may be lowered by a fee saved but is above zero.
    """

    name: int
    start: int
    end: int
    covered: int
    excess: int
    cost: int
    fee: int

    @property
    def worth(self) -> float:
        """Shortfall covered per unit of money."""
        return (self.covered - self.fee) / self.cost


class State(NamedTuple):
    """Money left, what all names lack, what all have too much, and the fees paid, in the same units as the steps."""

    money: int
    shortfall: int
    excess: int
    fees: int

    def after(self, step: Step) -> State:
        """The state with one more step taken."""
        return State(
            self.money - step.cost, self.shortfall - step.covered, self.excess + step.excess, self.fees + step.fee
        )

    def before(self, step: Step) -> State:
        """The state with one step undone."""
        return State(
            self.money + step.cost, self.shortfall + step.covered, self.excess - step.excess, self.fees - step.fee
        )


def badness(state: State, room: int) -> int:
    """What is to be least: the tracking error in money, and the fees; `room` can still be filled to the share."""
    shortfall = state.shortfall - min(max(state.money, 0), room)
    most = max(shortfall, state.excess)
    return most + (shortfall + state.excess) // _PER_DEVIATION + state.fees


def in_order(steps: Sequence[Step]) -> list[Step]:
    """Best worth first, but a name's steps in their own order."""
    keys: dict[tuple[int, int], float] = {}
    for step in sorted(steps, key=lambda step: (step.name, step.start)):
        keys[step.name, step.end] = min(step.worth, keys.get((step.name, step.start), step.worth))
    return sorted(steps, key=lambda step: (-keys[step.name, step.end], step.name, step.start))


def best_choice(steps: Sequence[Step], taken: Sequence[Step], base: State, room: int, nodes_max: int) -> list[Step]:
    """The steps to take, of which `taken` stand unless something is better; `base` is the state without any.

    `room` is what could be filled share by share with money that is left. The search looks at `nodes_max` nodes.
    """
    search = _Search(in_order(steps), room, nodes_max)
    return search.run(base, list(taken))


class _Search:
    def __init__(self, steps: list[Step], room: int, nodes_max: int) -> None:
        self._steps, self._room, self._nodes = steps, room, nodes_max
        starts = {(step.name, step.end): number for number, step in enumerate(steps)}
        self._needs = [starts.get((step.name, step.start), -1) for step in steps]
        self._best, self._choice = 0, list[Step]()
        self._is_taken = [False] * len(steps)

    def run(self, base: State, taken: list[Step]) -> list[Step]:
        state = base
        for step in taken:
            state = state.after(step)
        self._best, self._choice = badness(state, self._room), taken
        self._visit(0, base)
        return self._choice

    def _visit(self, at: int, state: State) -> None:
        self._nodes -= 1
        if self._nodes < 0 or self._reach(at, state) >= self._best:
            return
        if at == len(self._steps):
            self._best = badness(state, self._room)
            self._choice = [step for step, is_taken in zip(self._steps, self._is_taken, strict=True) if is_taken]
            return
        step, need = self._steps[at], self._needs[at]
        if step.cost <= state.money and (need < 0 or self._is_taken[need]):
            self._is_taken[at] = True
            self._visit(at + 1, state.after(step))
            self._is_taken[at] = False
        self._visit(at + 1, state)

    def _reach(self, at: int, state: State) -> int:
        """No choice among the rest is better than this: as if steps could be taken in part, and for no fee."""
        if at == len(self._steps):
            return badness(state, self._room)
        money, shortfall, excess = state.money, state.shortfall, state.excess
        free = min(money, self._room)
        money, shortfall = money - free, shortfall - free
        for number in range(at, len(self._steps)):
            step = self._steps[number]
            if shortfall <= excess:
                break
            if step.cost > money or shortfall - step.covered < excess + step.excess:
                by_money = money / step.cost
                by_balance = (shortfall - excess) / max(1, step.covered + step.excess)
                part = min(by_money, by_balance)
                shortfall -= int(step.covered * part) + 1
                excess += int(step.excess * part)
                break
            money, shortfall, excess = money - step.cost, shortfall - step.covered, excess + step.excess
        return max(shortfall, excess) + (shortfall + excess) // _PER_DEVIATION + state.fees
