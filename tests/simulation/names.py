"""The names of a simulated market: boards with their lots, locked, suspended, ST and freshly listed ones."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from random import Random

from qws.domain.rules import RuleBook
from qws.gateways.sim.bars import Bar, GeneratedBars
from qws.ports import Calendar

_POOLS = (
    [f"{number}.SH" for number in range(600000, 600100)],
    [f"{number:06d}.SZ" for number in range(1, 60)],
    [f"{number}.SZ" for number in range(300001, 300051)],
    [f"{number}.SH" for number in range(688001, 688031)],
)
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
    """Generated bars; a trait bends each bar of its name."""

    def __init__(self, seed: int, calendar: Calendar, rules: RuleBook, traits: Mapping[str, str]) -> None:
        super().__init__(seed, calendar)
        self._rules, self._by_code = rules, traits

    def bar(self, code: str, day: date) -> Bar | None:
        """The bar of a code; None while it is suspended."""
        bar, trait = super().bar(code, day), self._by_code.get(code, "")
        if bar is None or trait == "suspended":
            return None
        if trait == "st":
            return Bar(bar.open, bar.open, bar.open, bar.open, bar.open, is_reference=True, st=True)
        if trait == "new_listing":
            return Bar(bar.open, bar.high, bar.low, bar.close, bar.prev_close, is_reference=True, listing_day=3)
        if trait in ("limit_up", "limit_down"):
            record = self._rules.instrument(code, day, bar.prev_close)
            price = record.limit_up if trait == "limit_up" else record.limit_down
            assert price is not None
            return Bar(price, price, price, price, bar.prev_close, is_reference=True)
        return bar
