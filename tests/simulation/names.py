"""The names of a simulated market: boards with their lots, locked, suspended, ST and freshly listed ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from random import Random

from qws.domain.prices import half_up
from qws.domain.rules import RuleBook
from qws.gateways.sim.bars import Bar, GeneratedBars
from qws.ports import Calendar
from tests.simulation.ex_dates import ExDate

_POOLS = (
    [f"{number}.SH" for number in range(600000, 600100)],
    [f"{number:06d}.SZ" for number in range(1, 60)],
    [f"{number}.SZ" for number in range(300001, 300051)],
    [f"{number}.SH" for number in range(688001, 688031)],
)
_CENT = Decimal("0.01")
# How a name is special, and how likely.
_TRAITS = {"limit_up": 0.08, "limit_down": 0.08, "suspended": 0.08, "st": 0.08, "new_listing": 0.04}


def draw_names(chance: Random, *, calm: bool) -> dict[str, str]:
    """Two to six codes, each with its trait, empty for an ordinary name; a calm market has only ordinary ones."""
    codes: dict[str, str] = {}
    for _ in range(chance.randint(2, 6)):
        code, trait = chance.choice(chance.choice(_POOLS)), ""
        fate = chance.random()
        for name, share in _TRAITS.items():
            if 0 <= fate < share and not calm:
                trait = name
            fate -= share
        codes[code] = trait
    return codes


class TraitBars(GeneratedBars):
    """Generated bars; a trait bends each bar of its name from the first day on, an ex-date those from its day on.

    A name's reference price is its close before, also where a trait made that close: a gap is an ex-date.
    """

    def __init__(
        self,
        seed: int,
        calendar: Calendar,
        rules: RuleBook,
        traits: Mapping[str, str],
        since: date,
        ex_dates: Sequence[ExDate] = (),
    ) -> None:
        super().__init__(seed, calendar)
        self._rules, self._by_code, self._since = rules, traits, since
        self._ex = {each.code: each for each in ex_dates}

    def bar(self, code: str, day: date) -> Bar | None:
        """The bar of a code; None while it is suspended."""
        bar, trait = super().bar(code, day), self._by_code.get(code, "") if day >= self._since else ""
        if bar is None or trait == "suspended":
            return None
        if trait == "new_listing":
            return Bar(bar.open, bar.high, bar.low, bar.close, bar.prev_close, is_reference=True, listing_day=3)
        if trait:
            return self._still(trait, code, day, bar)
        ex = self._ex.get(code)
        return bar if ex is None or day < ex.day else self._lowered(bar, ex, day)

    def last_close(self, code: str, day: date) -> Decimal | None:
        """The newest close before `day`: one of before it was suspended."""
        is_suspended = self._by_code.get(code, "") == "suspended"
        return super().last_close(code, min(day, self._since) if is_suspended else day)

    def _still(self, trait: str, code: str, day: date, bar: Bar) -> Bar:
        """A day of one price: at a limit, or near the reference where limits are narrow."""
        before = self.bar(code, self._calendar.previous_session(day)) if day > self._since else None
        reference = before.close if before is not None else bar.prev_close
        if trait == "st":
            price = bar.open if before is None else reference
            return Bar(price, price, price, price, reference, is_reference=True, st=True)
        record = self._rules.instrument(code, day, reference)
        limit = record.limit_up if trait == "limit_up" else record.limit_down
        assert limit is not None
        return Bar(limit, limit, limit, limit, reference, is_reference=True)

    def _lowered(self, bar: Bar, ex: ExDate, day: date) -> Bar:
        origin = super().bar(ex.code, ex.day)
        assert origin is not None
        part = ex.reference(origin.prev_close) / origin.prev_close
        opened, high, low, close, before = (
            half_up(price * part, _CENT) for price in (bar.open, bar.high, bar.low, bar.close, bar.prev_close)
        )
        return Bar(opened, high, low, close, before, is_reference=day == ex.day)
