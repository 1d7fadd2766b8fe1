"""Spend money on legal steps so that holdings come as near to their targets as it allows: greedy, then exact at the edge.

Floats order the steps; whoever calls checks the money exactly. Values are CNY, quantities shares, signed: buys above 0.
The error is max(shortfall, excess) over all names: half the sum of all deviations, with cash before the trades' costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush, nsmallest
from math import floor, inf

from qws.domain.lots import Lots, largest_legal_buy, largest_legal_sell, smallest_legal_sell

_EDGE = 14  # steps on each side of the edge that are decided together
_FULL_STEPS = 6  # whole steps inside the target that may be given up for a better use of their money
_NODES_MAX = 4000  # bounds the search; small accounts are searched completely
_TIE = 1e-4  # of two equal errors, the one with less deviation and less cost


@dataclass(frozen=True, slots=True)
class FeeCurve:
    """An estimate of an order's fee: max(least, rate x amount) + extra x amount."""

    least: float
    rate: float
    extra: float

    def of(self, amount: float, orders: int) -> float:
        """The fee in CNY of `amount` CNY traded in that many equal orders."""
        return max(self.least * orders, self.rate * amount) + self.extra * amount


@dataclass(slots=True)
class Slot:
    """One name that may trade: prices in CNY, `ideal` the trade that would meet the target, `trade` the one planned.

    A trade is 0, or worth at least `value_min`, and goes towards the target: never more than one step past it.
    """

    lots: Lots
    sellable: int
    mark: float
    price: float
    fee: FeeCurve
    ideal: float
    value_min: float
    trade: int = 0
    cost: float = 0.0

    def gap(self) -> float:
        """The value still missing; negative when too much is held."""
        return (self.ideal - self.trade) * self.mark

    def cost_of(self, trade: int) -> float:
        """What a trade takes from the money, fees included; a sell gives."""
        if not trade:
            return 0.0
        amount = trade * self.price
        return amount + self.fee.of(abs(amount), -(-abs(trade) // self.lots.order_max))

    def move(self, trade: int) -> float:
        """Plan another trade; the answer is what it costs more than the last one."""
        before, self.trade, self.cost = self.cost, trade, self.cost_of(trade)
        return self.cost - before

    def at_most(self, trade: int) -> int:
        """The greatest possible trade that does not exceed `trade`; a sell sells all when nothing else reaches it."""
        least = self._least()
        if self.ideal > 0:
            return largest_legal_buy(self.lots, trade) if trade >= least else 0
        sold = max(-trade, least)
        if sold > self.sellable:
            return -self.sellable if self.sellable >= least else 0
        return -smallest_legal_sell(self.lots, self.sellable, sold)

    def above(self) -> int:
        """The next greater possible trade."""
        least = self._least()
        if self.ideal > 0:
            if self.trade:
                return self.trade + self.lots.buy_step
            return least + (self.lots.buy_min - least) % self.lots.buy_step
        sold = largest_legal_sell(self.lots, self.sellable, -self.trade - 1)
        return -sold if sold >= least else 0

    def below(self) -> int:
        """The next smaller buy."""
        return self.at_most(self.trade - self.lots.buy_step)

    def _least(self) -> int:
        needed = -int(-self.value_min // self.price) if self.value_min else 0
        return max(needed, self.lots.buy_min if self.ideal > 0 else 1)


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of one name: value of shortfall covered, of excess made, cost, and the step that must come before it."""

    slot: Slot
    start: int
    end: int
    covered: float
    excess: float
    cost: float

    @property
    def ratio(self) -> float:
        """Shortfall covered per CNY."""
        return self.covered / self.cost if self.cost > 0 else inf

    @property
    def loss(self) -> float:
        """Fees and spread."""
        return self.cost - self.covered - self.excess


def _step(slot: Slot, end: int) -> _Step:
    gap, value = slot.gap(), (end - slot.trade) * slot.mark
    covered = max(0.0, min(gap, value))
    return _Step(slot, slot.trade, end, covered, value - covered, slot.cost_of(end) - slot.cost)


class Filling:
    """The state of one fill: what is planned, the money left, and the error's two sides."""

    def __init__(self, slots: Sequence[Slot], money: float, *, shortfall: float, excess: float) -> None:
        """`shortfall` and `excess` are what the names outside `slots` contribute."""
        self.slots = slots
        self.money, self.shortfall, self.excess = money, shortfall, excess
        self._taken: list[_Step] = []
        self._left: list[_Step] = []

    def run(self) -> None:
        """Plan a trade for every slot."""
        gaps = [slot.gap() for slot in self.slots]
        shortfall = self.shortfall + sum(gap for gap in gaps if gap > 0)
        excess = self.excess - sum(gap for gap in gaps if gap < 0)
        still = max(shortfall, excess), shortfall + excess
        self._start()
        self._greedy(self.slots)
        self._improve()
        losses = sum(slot.cost - slot.trade * slot.mark for slot in self.slots)
        gain = max(still[0] - self.error(), (still[1] - self.shortfall - self.excess) / 2)
        if gain <= losses:
            for slot in self.slots:
                slot.move(0)

    def error(self) -> float:
        """Half the sum of all deviations."""
        return max(self.shortfall, self.excess)

    def _start(self) -> None:
        """Every name at the last step before its target, buys in proportion where the money does not reach that far."""
        for slot in self.slots:
            self.money -= slot.move(slot.at_most(floor(slot.ideal)))
        if self.money < 0:
            buys = [slot for slot in self.slots if slot.trade > 0]
            wanted = sum(slot.cost for slot in buys)
            share = max(0.0, 1 + self.money / wanted) if wanted else 0.0
            for slot in buys:
                self.money -= slot.move(slot.at_most(int(slot.trade * share)))
            for slot in sorted(buys, key=lambda each: each.cost):
                if self.money >= 0:
                    break
                self.money -= slot.move(0)
        for slot in self.slots:
            gap = slot.gap()
            self.shortfall, self.excess = self.shortfall + max(gap, 0.0), self.excess + max(-gap, 0.0)

    def _greedy(self, slots: Sequence[Slot]) -> None:
        """Take the step that covers most per CNY, the greater gap first, while it fits and the error falls."""
        heap: list[tuple[int, float, int, _Step]] = []

        def offer(slot: Slot, index: int) -> None:
            gap = slot.gap()
            if gap <= 0 or (slot.ideal <= 0 and not slot.trade):
                return
            whole = slot.at_most(floor(slot.ideal)) if slot.ideal > 0 else slot.trade
            step = _step(slot, whole if whole > slot.trade else slot.above())
            if step.covered > step.loss:
                heap.append((-int(step.ratio * 50), -gap, index, step))

        for index, slot in enumerate(slots):
            offer(slot, index)
        heapify(heap)
        while heap:
            *_, index, step = heappop(heap)
            slot = step.slot
            if step.cost > self.money and slot.ideal > 0 and not step.excess:
                whole = slot.at_most(slot.trade + max(0, int(self.money / (slot.price * 1.004))))
                if whole > slot.trade:
                    self._take(_step(slot, whole))
                step = _step(slot, slot.above())
            if step.end == slot.trade or step.cost > self.money or not self._helps(step):
                self._left.append(step)
                continue
            self._take(step)
            grown = len(heap)
            offer(slot, index)
            if len(heap) > grown:
                heappush(heap, heap.pop())

    def _helps(self, step: _Step) -> bool:
        shortfall, excess = self.shortfall - step.covered, self.excess + step.excess
        new, old = max(shortfall, excess), self.error()
        return new < old - 1e-9 or (new <= old + 1e-9 and step.covered > step.excess)

    def _take(self, step: _Step) -> None:
        self.money -= step.slot.move(step.end)
        self.shortfall -= step.covered
        self.excess += step.excess
        self._taken.append(step)

    def _undo(self, step: _Step) -> None:
        self.money -= step.slot.move(step.start)
        self.shortfall += step.covered
        self.excess -= step.excess

    def _improve(self) -> None:
        """Decide the steps around the edge of the money together."""
        taken, sponge = self._loose_steps()
        steps = sorted([*taken, *self._left[:_EDGE]], key=lambda step: -step.ratio)
        flexible = sum(step.cost for step in sponge)
        for step in (*reversed(taken), *sponge):
            self._undo(step)
        search = Search(steps, self, flexible, frozenset(map(id, taken)))
        for step in search.best:
            self._take(_step(step.slot, step.end))
        self._left = []
        self._greedy([step.slot for step in sponge] or ())

    def _loose_steps(self) -> tuple[list[_Step], list[_Step]]:
        """The last steps taken that may be given back, and buys of single shares that take up any small change."""
        sponge: list[_Step] = []
        last = {id(step.slot): step for step in self._taken if step.slot.trade == step.end}
        taken = [step for step in self._taken if last.get(id(step.slot)) is step and step.excess][-_EDGE:]
        partial = {id(step.slot) for step in taken}
        buys = [slot for slot in self.slots if slot.trade > 0 and id(slot) not in partial]
        for slot in nsmallest(_FULL_STEPS, buys, key=lambda each: each.price * each.lots.buy_step * each.lots.buy_min):
            slot_start = slot.at_most(0) if slot.lots.buy_step == 1 else slot.below()
            taken.append(self._back_to(slot, slot_start))
        return taken, sponge

    def _back_to(self, slot: Slot, start: int) -> _Step:
        end = slot.trade
        value = (end - start) * slot.mark
        return _Step(slot, start, end, value, 0.0, slot.cost - slot.cost_of(start))
