"""What ex-dates bring to the account, early on their day or on a later one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial

from qws.runtime.clock import SHANGHAI
from tests.simulation.ex_dates import ExDate
from tests.simulation.life import Outside
from tests.simulation.terminal import Terminal
from tests.simulation.weather import Weather

_EARLY = time(8)
_PRICES_MOVE = Decimal("1.3")  # from one close to the next, at most


@dataclass(frozen=True)
class _Payment:
    when: datetime
    ex: ExDate
    shares: int
    cash: Decimal


class Payments:
    """Whoever holds a name at the close before is owed something, and gets it."""

    def __init__(self, terminal: Terminal, outside: Outside, weather: Weather, ex_dates: tuple[ExDate, ...]) -> None:
        self._terminal, self._outside, self._weather = terminal, outside, weather
        self._made: list[_Payment] = []
        self._left: dict[str, Decimal] = {}
        for ex in ex_dates:
            outside.at(_early(ex.day), partial(self._owe, ex))

    def between(self, after: datetime, until: datetime) -> Decimal:
        """CNY that came in."""
        return sum((each.cash for each in self._made if after < each.when <= until), Decimal(0))

    def unclear(self, after: datetime, until: datetime, *, is_blind: bool) -> Decimal:
        """CNY, at most, of payments that nobody can tell from a deposit, shares at their price.

        Nobody was there at the close before, or they came late: a round sum, or of a name that was traded meanwhile,
        or together with another payment.
        """
        made = [each for each in self._made if after < each.when <= until]
        late = (each for each in made if each.ex.paid_on > each.ex.day)
        if not is_blind and not any(len(made) > 1 or self._is_unclear(each, until) for each in late):
            return Decimal(0)
        prices = self._terminal.market.last_price
        return sum((each.cash + each.shares * prices(each.ex.code, until) * _PRICES_MOVE for each in made), Decimal(0))

    def _is_unclear(self, late: _Payment, until: datetime) -> bool:
        is_round = late.cash and late.cash == late.cash.to_integral_value()
        return is_round or self._was_traded(late.ex, until)

    def _was_traded(self, ex: ExDate, until: datetime) -> bool:
        trades = (each for each in self._terminal.all_trades() if each.code == ex.code)
        return any(_early(ex.day) < each.at <= until for each in trades)

    def factor(self, ex: ExDate) -> Decimal:
        """What an ex-date makes of a price of before."""
        bars = self._terminal.market.bars
        close, bar = bars.last_close(ex.code, ex.day), bars.bar(ex.code, ex.day)
        return bar.prev_close / close if bar is not None and close else Decimal(1)

    def left_in_cost(self, code: str) -> Decimal:
        """What the newest ex-date makes of the average cost, as far as the broker has not."""
        return self._left.get(code, Decimal(1))

    def _owe(self, ex: ExDate, when: datetime) -> None:
        self._terminal.advance_to(when)
        shares, cash = ex.paid(self._terminal.held(ex.code))
        if shares or cash:
            self._weather.note("ex_date_held")
            self._left[ex.code] = self.factor(ex)
            self._outside.at(_early(ex.paid_on), partial(self._pay, ex, shares, cash))

    def _pay(self, ex: ExDate, shares: int, cash: Decimal, when: datetime) -> None:
        self._terminal.advance_to(when)
        self._terminal.pay(ex, shares, cash)
        self._left[ex.code] = Decimal(1) if ex.lowers_cost or ex.bonus else self.factor(ex)  # half of it is enough
        self._made.append(_Payment(when, ex, shares, cash))
        happened = self._weather.happened
        for kind, has_happened in (
            ("ex_dividend_paid", cash), ("ex_shares_booked", shares), ("ex_paid_late", ex.paid_on > ex.day)
        ):  # fmt: skip
            happened[kind] += bool(has_happened)


def _early(day: date) -> datetime:
    return datetime.combine(day, _EARLY, SHANGHAI)
