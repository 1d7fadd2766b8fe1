"""The trades with the least tracking error that the money allows: floor every name, then spend what is left best.

Amounts are whole 1/10,000 CNY here; fees are never estimated too low, so what is chosen can be paid. RULES.md 17.1.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from qws.domain.candidate import Candidate, Choice
from qws.domain.costs import DayCosts, FeeCeiling
from qws.domain.knapsack import State, Step, badness, best_choice, in_order
from qws.domain.lots import largest_legal_buy, largest_legal_sell, smallest_legal_sell
from qws.domain.market import Side

_UNIT = 10_000
_STEPS_UP = 3  # a name may take so many steps up at a time
_CORE = 12  # of each kind: steps nearly taken, nearly not taken, and fine ones to make change with
_NODES = 200_000
_DOWNS = 64  # steps that may be taken back, over all names
_SHARES_DOWN = 100  # so many more shares may be sold to make change
SEARCHED_MAX, _LEAPS = 600, 2000  # with more names a lot is too little to search for; names looked at in all


@dataclass(slots=True)
class _Slot:
    """A name on its way; `ends` is where it stands, in shares to hold."""

    name: Candidate
    value: int
    most: int
    mark: int
    price: int
    is_buy: bool
    ceiling: FeeCeiling
    ends: int = 0

    def off(self, shares: int) -> int:
        """What is missing with so many shares; below 0 what is too much."""
        return self.value - shares * self.mark

    def outlay(self, shares: int) -> tuple[int, int]:
        """The money that going there takes (below 0: brings), fees included, and the fees."""
        trade = shares - self.name.held
        fee = self.ceiling.of(abs(trade) * self.price, -(-abs(trade) // self.name.order_max))
        return trade * self.price + fee, fee

    def step(self, number: int, start: int, end: int) -> Step:
        """The step between two holdings, `end` the greater."""
        before, after = self.off(start), self.off(end)
        (paid, fee), (pays, fees) = self.outlay(start), self.outlay(end)
        covered, excess = max(before, 0) - max(after, 0), max(-after, 0) - max(-before, 0)
        return Step(number, start, end, covered, excess, max(1, pays - paid), fees - fee)

    def above(self, shares: int) -> int | None:
        """The next greater holding that is worth thinking of: none beyond the target."""
        if self.off(shares) <= 0:
            return None
        name = self.name
        if not self.is_buy:
            kept = self._kept()
            return kept if kept > shares and not (name.buy_step == 1 and kept - self.floor(1, 1) <= 1) else None
        if shares > name.held and name.buy_step == 1:  # the rest is filled share by share
            return None
        end = shares + (name.buy_step if shares > name.held else name.buy_min)
        return end if end * self.mark <= self.most else None

    def below(self, shares: int) -> int | None:
        """The next smaller holding; a sell goes one step beyond its floor at most."""
        name = self.name
        if name.buy_step == 1:  # its shares make change one by one, but for a smallest order beyond the target
            floor = self.floor(1, 1)
            if shares > floor + 1:
                return floor
            return self._further(shares) if not self.is_buy and shares == floor < self._kept() - 1 else None
        if not self.is_buy:
            more = smallest_legal_sell(name, name.sellable, name.held - shares + 1)
            return name.held - more if more and shares >= self.floor(1, 1) else None
        bought = shares - name.held
        return shares - (name.buy_step if bought > name.buy_min else name.buy_min) if bought else None

    def room(self) -> int:
        """Shares that may still be taken on one by one."""
        if self.name.buy_step > 1 or self.ends == self.name.held:
            return 0
        if self.is_buy:
            return max(0, self.off(self.ends) // self.mark)
        return max(0, self.floor(1, 1) - self.ends)

    def least(self) -> int:
        """The smallest holding from which `room` leads back to where it stands: its shares make change for others."""
        name = self.name
        if name.buy_step > 1 or self.ends == name.held:
            return self.ends
        if self.is_buy:
            return min(self.ends, name.held + name.buy_min)
        return self._further(self.ends) if self._kept() - 1 <= self.ends == self.floor(1, 1) else self.ends

    def _further(self, shares: int) -> int:
        """What a sell on a board with a step of one leaves that goes beyond its floor to make change."""
        name = self.name
        sold = name.held - shares + _SHARES_DOWN
        return name.held - smallest_legal_sell(name, name.sellable, min(name.sellable, sold))

    def _kept(self) -> int:
        """What a sell leaves that stops short of the target."""
        name = self.name
        return name.held - largest_legal_sell(name, name.sellable, -self.off(name.held) // self.mark)

    def floor(self, part: int, whole: int) -> int:
        """For a buy the greatest holding within part/whole of the way; for a sell the first not above the target."""
        name = self.name
        if self.is_buy:
            return name.held + largest_legal_buy(name, self.off(name.held) // self.mark * part // whole)
        over = -(self.off(name.held) // self.mark)
        return name.held - smallest_legal_sell(name, name.sellable, min(name.sellable, over))


def nearest(choices: Sequence[Choice], fixed: Iterable[Choice], cash: Decimal, costs: DayCosts) -> list[int]:
    """The signed trade of each choice, in the order given.

    `fixed` are the names whose trades are settled; `cash` in CNY may be spent.
    """
    slots = [_slot(each, costs) for each in choices]
    given = _given(fixed, cash, costs)
    idle = _standing(slots, given)
    state = _exchanged(slots, _leapt(slots, given))
    _fill(slots, _greedy(slots, state))
    if badness(idle, 0) <= badness(_standing(slots, given), 0):
        return [0 for _ in slots]
    return [slot.ends - slot.name.held for slot in slots]


def _units(amount: Decimal) -> int:
    return int(amount * _UNIT)


def _slot(choice: Choice, costs: DayCosts) -> _Slot:
    name = choice.name
    value, mark = _units(choice.value), max(1, _units(name.mark))
    is_buy = value > name.held * mark
    side, price = (Side.BUY, name.buy_price) if is_buy else (Side.SELL, name.sell_price)
    slot = _Slot(
        name, value, max(value, _units(choice.most)), mark, _units(price), is_buy, costs.ceiling(name.code, side, _UNIT)
    )
    slot.ends = name.held
    return slot


def _given(fixed: Iterable[Choice], cash: Decimal, costs: DayCosts) -> State:
    """What the names without a choice leave: money, and what they lack or have too much."""
    state = State(_units(cash), 0, 0, 0)
    for each in fixed:
        slot, ends = _slot(each, costs), each.name.held + each.trade
        off = slot.off(ends)
        pays = slot.outlay(ends)[0] if each.trade else 0
        state = State(state.money - pays, state.shortfall + max(off, 0), state.excess + max(-off, 0), 0)
    return state


def _leapt(slots: Sequence[_Slot], given: State) -> State:
    """Floor and fill; then try whether a single costly lot is worth what all others must give up for it."""
    forced: dict[int, int] = {}
    state, ends = _attempted(slots, given, forced)
    least = badness(state, _room(slots))
    gains: list[tuple[int, int, int]] = []
    for number, slot in enumerate(slots):
        end = slot.above(slot.ends)
        if end is not None:
            step = slot.step(number, slot.ends, end)
            gains.append((max(0, step.cost - state.money) - step.covered, number, end))
    for _, number, end in sorted(gains)[: _LEAPS // max(1, len(slots))]:
        tried, reached = _attempted(slots, given, {**forced, number: end})
        if tried.money >= 0 and (found := badness(tried, _room(slots))) < least:
            forced[number] = end
            state, ends, least = tried, reached, found
    for slot, shares in zip(slots, ends, strict=True):
        slot.ends = shares
    return state


def _attempted(slots: Sequence[_Slot], given: State, forced: Mapping[int, int]) -> tuple[State, list[int]]:
    return _greedy(slots, _floored(slots, given, forced)), [slot.ends for slot in slots]


def _floored(slots: Sequence[_Slot], state: State, forced: Mapping[int, int]) -> State:
    """Put every name at its floor; where the money is less, every buy at the floor of the same part of its way."""
    money, wanted, fees = state.money, 0, 0
    for number, slot in enumerate(slots):
        slot.ends = forced.get(number, slot.floor(1, 1))
        pays, fee = slot.outlay(slot.ends)
        money -= pays
        if slot.is_buy and number not in forced:
            wanted += max(0, slot.off(slot.name.held)) * slot.price // slot.mark
            fees += fee
    if money < 0:
        free = [slot for number, slot in enumerate(slots) if slot.is_buy and number not in forced]
        spent = sum(slot.outlay(slot.ends)[0] for slot in free)
        for slot in free:
            slot.ends = slot.floor(max(0, money + spent - fees), max(1, wanted))
    return _standing(slots, state)


def _standing(slots: Sequence[_Slot], given: State) -> State:
    """Where everything is with every name where it stands now."""
    money, shortfall, excess, fees = given
    for slot in slots:
        pays, fee = slot.outlay(slot.ends) if slot.ends != slot.name.held else (0, 0)
        off = slot.off(slot.ends)
        money, fees = money - pays, fees + fee
        shortfall, excess = shortfall + max(off, 0), excess + max(-off, 0)
    return State(money, shortfall, excess, fees)


def _room(slots: Iterable[_Slot]) -> int:
    return sum(slot.room() * slot.price for slot in slots)


def _ups(number: int, slot: _Slot, steps: int) -> Iterator[Step]:
    """The next steps that could be taken."""
    start = slot.ends
    for _ in range(steps):
        end = slot.above(start)
        if end is None:
            return
        yield slot.step(number, start, end)
        start = end


def _greedy(slots: Sequence[_Slot], state: State) -> State:
    """Spend the rest: the steps that cover the most per CNY first, as long as they help."""
    steps = [step for number, slot in enumerate(slots) for step in _ups(number, slot, _STEPS_UP)]
    room = _room(slots)
    least = badness(state, room)
    for step in in_order(steps):
        slot = slots[step.name]
        if step.start == slot.ends and step.cost <= state.money:
            after = state.after(step)
            room_after = room
            if slot.name.buy_step == 1:
                room_after += max(0, slot.off(step.end) // slot.mark) * slot.price
            if (found := badness(after, room_after)) < least:
                state, least, room, slot.ends = after, found, room_after, step.end
    return state


def _exchanged(slots: Sequence[_Slot], state: State) -> State:
    """Look for a better choice among the steps that matter most; small accounts are searched completely."""
    if len(slots) > SEARCHED_MAX:
        return state
    for slot in slots:
        least = slot.least()
        if least < slot.ends:
            state, slot.ends = state.before(slot.step(0, least, slot.ends)), least
    steps, taken = _core(slots)
    for step in taken:
        state = state.before(step)
        slots[step.name].ends = min(slots[step.name].ends, step.start)
    for step in best_choice(steps, taken, state, _room(slots), max(200, _NODES // max(10, len(slots)))):
        state = state.after(step)
        slots[step.name].ends = max(slots[step.name].ends, step.end)
    return state


def _core(slots: Sequence[_Slot]) -> tuple[list[Step], list[Step]]:
    """The steps to choose among, and those of them that are taken now."""
    ups = {number: list(_ups(number, slot, _STEPS_UP)) for number, slot in enumerate(slots)}
    downs = {number: list(_downs(number, slot, max(2, _DOWNS // len(slots)))) for number, slot in enumerate(slots)}
    late = sorted((each for each in ups if ups[each]), key=lambda number: (-ups[number][0].worth, number))
    early = sorted((each for each in downs if downs[each]), key=lambda number: (downs[number][0].worth, number))
    fine = sorted((each for each in downs if downs[each]), key=lambda number: (downs[number][0].cost, number))
    chosen = sorted({*late[:_CORE], *early[:_CORE], *fine[:_CORE]})
    taken = [step for number in chosen for step in reversed(downs[number])]
    return [*taken, *(step for number in chosen for step in ups[number])], taken


def _downs(number: int, slot: _Slot, steps: int) -> Iterator[Step]:
    """The last steps that were taken, the latest first."""
    end = slot.ends
    for _ in range(steps):
        start = slot.below(end)
        if start is None:
            return
        yield slot.step(number, start, end)
        end = start


def _fill(slots: Sequence[_Slot], state: State) -> None:
    """Buy share by share what boards with a step of one still have room for."""
    money = state.money
    for slot in slots:
        shares = min(slot.room(), max(0, money) // slot.price) if slot.price else 0
        while shares:
            cost = slot.outlay(slot.ends + shares)[0] - slot.outlay(slot.ends)[0]
            if cost <= money:
                money, slot.ends = money - cost, slot.ends + shares
                break
            shares -= max(1, (cost - money) // slot.price)
