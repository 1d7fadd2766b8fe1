"""When an order that does not fill is cancelled and priced again. RELIABILITY.md 6.3 (R3), RULES.md 6 and 14."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from decimal import Decimal

from qws.domain.execution_rules import ChaseRules
from qws.domain.market import Side
from qws.domain.plan import PlanRow
from qws.domain.pricing import SLIPPAGE
from qws.domain.run_orders import Leg

_AT_LIMIT = "at_limit"


class Chase:
    """Which orders were asked to end so that the rest of them can be sent at a better price; what is left, and why."""

    def __init__(self, rules: ChaseRules) -> None:
        self._rules = rules
        self._tries: Counter[str] = Counter()
        self._first: dict[str, Decimal] = {}
        self._ending: dict[str, Leg] = {}  # asked to end, by tag
        self._checked: set[str] = set()  # ended, and being looked for in the lists a last time
        self._look = 0
        self.left: dict[str, str] = {}  # why an order of a name was left where it is

    def note_sent(self, row: PlanRow) -> None:
        """A name goes out; the first price is what the budget counts from."""
        self._first.setdefault(row.code, row.price)

    def worst(self, code: str, side: Side) -> Decimal | None:
        """The worst price the budget allows, off the tick; None for a name that was never sent."""
        first = self._first.get(code)
        part = self._rules.slippage_max if side is Side.BUY else -self._rules.slippage_max
        return None if first is None else first * (1 + part)

    def is_resting(self, leg: Leg, now: datetime) -> bool:
        """Whether an order has rested for so long that its price is looked at again."""
        if leg.sent_at is None or not leg.can_be_cancelled() or self._tries[leg.request.code] >= self._rules.times:
            return False
        return (now - leg.sent_at).total_seconds() >= self._rules.after_s

    def judge(self, row: PlanRow, legs: list[Leg]) -> list[Leg]:
        """The resting orders of a name that a price of now would improve: to be cancelled. The others stay."""
        code = row.code
        is_at_limit = "limit" in (row.price_from if row.side is not None else row.reason)
        self.left[code] = SLIPPAGE if SLIPPAGE in row.price_from else _AT_LIMIT if is_at_limit else ""
        is_buy = row.side is Side.BUY
        better = [
            leg
            for leg in legs
            if row.side is leg.request.side and (row.price > leg.request.price) is is_buy
            and row.price != leg.request.price
        ]  # fmt: skip
        if better:
            self._tries[code] += 1
            self._ending.update({leg.request.tag: leg for leg in better})
        return better

    def waits(self, side: Side | None = None) -> bool:
        """Whether the rest of an order that was asked to end may still be sent again."""
        return any(side is None or leg.request.side is side for leg in self._ending.values())

    def to_check(self) -> int:
        """The number of a new look when orders have ended: a fill may be on its way, the lists are read again."""
        self._ending = {tag: leg for tag, leg in self._ending.items() if leg.rest or not leg.is_settled()}
        if self._checked:
            return 0  # one look at a time
        self._checked = {tag for tag, leg in self._ending.items() if leg.is_settled()}
        self._look += bool(self._checked)
        return self._look if self._checked else 0

    def checked(self, look: int) -> list[Leg]:
        """The lists were read for a look: the orders that have ended for good."""
        if look != self._look:
            return []
        found = [leg for tag, leg in self._ending.items() if tag in self._checked and leg.is_settled()]
        self._checked.clear()
        for leg in found:
            del self._ending[leg.request.tag]
        return found

    def forget(self, side: Side | None = None) -> None:
        """Send nothing again."""
        self._ending = {tag: leg for tag, leg in self._ending.items() if side not in (None, leg.request.side)}
        self._checked &= self._ending.keys()
