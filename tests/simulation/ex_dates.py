"""Ex-dates: a name's reference price falls overnight, and its holders get money and shares, at once or a day later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random

from qws.domain.limits import ex_rights_reference
from qws.domain.prices import half_up

_SHARE = 0.4  # of the seeds with more than one day have some
_CENT, _PER_SHARE = Decimal("0.01"), Decimal("0.0001")


@dataclass(frozen=True)
class ExDate:
    """CNY and new shares for each share held at the close before `day`, booked early on `paid_on`.

    `lowers_cost`: the broker takes what was paid off the cost, as some do.
    """

    code: str
    day: date
    cash: Decimal
    bonus: Decimal
    paid_on: date
    lowers_cost: bool

    def reference(self, close: Decimal) -> Decimal:
        """The previous close of that day, for names whose tick is a cent."""
        none = Decimal(0)
        return ex_rights_reference(
            close, cash_per_share=self.cash, bonus_per_share=self.bonus, rights_price=none, rights_per_share=none,
            tick=_CENT,
        )  # fmt: skip

    def paid(self, shares: int) -> tuple[int, Decimal]:
        """New shares, and CNY."""
        return int(shares * self.bonus), half_up(shares * self.cash, _CENT)


def draw_ex_dates(chance: Random, days: Sequence[date], prices: Mapping[str, Decimal]) -> tuple[ExDate, ...]:
    """Some names of these prices go ex after the first day."""
    if len(days) == 1 or not prices or chance.random() > _SHARE:
        return ()
    found = []
    for code in chance.sample(sorted(prices), min(len(prices), chance.choice((1, 1, 2)))):
        place = chance.randrange(1, len(days))
        kind = chance.choice(("dividend", "bonus", "both"))
        cash = half_up(prices[code] * Decimal(chance.uniform(0.004, 0.06)), _PER_SHARE)
        bonus = Decimal(chance.choice(("0.1", "0.3", "0.5", "1")))
        paid_on = days[min(place + chance.choice((0, 1)), len(days) - 1)]
        none, lowers = Decimal(0), chance.random() < 0.5
        terms = (none if kind == "bonus" else cash, none if kind == "dividend" else bonus)
        found.append(ExDate(code, days[place], *terms, paid_on, lowers))
    return tuple(found)
