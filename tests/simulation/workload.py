"""What people do to the account during a seed's days: files, orders at the command line, trades by hand, money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from qws.domain.calendar import TradingCalendar
from qws.runtime.clock import SHANGHAI
from tests.simulation.ex_dates import ExDate

_HEADER = "date,stock_code,weight"
_BAD = {
    "sum": "{header}\n{day},{code},0.7\n{day},000002.SZ,0.7\n",
    "twice": "{header}\n{day},{code},0.1\n{day},{code},0.2\n",
    "no_header": "{day},{code},0.1\n",
    "no_number": "{header}\n{day},{code},much\n",
    "formula": "{header}\n{day},=1+1,0.1\n",
    "stale": "{header}\n2026-01-05,{code},0.1\n",
    "nothing": "",
}


@dataclass(frozen=True)
class Deed:
    """Something a person does: `what` and what is needed for it."""

    when: datetime
    what: str
    name: str = ""
    content: bytes = b""


@dataclass(frozen=True)
class Workload:
    """An account, its trading days and what people do on them."""

    days: tuple[date, ...]
    traits: Mapping[str, str]
    cash: Decimal
    positions: tuple[tuple[str, int, int], ...]
    deeds: Sequence[Deed]
    ex_dates: tuple[ExDate, ...] = ()


def draw_moment(chance: Random, day: date) -> datetime:
    """A moment of a trading day, more often when something is going on."""
    spans = (("08:35", "09:24"), ("09:24", "09:31"), ("09:30", "11:30"), ("11:25", "13:05"), ("13:00", "14:50"))
    start, end = chance.choice((*spans, ("09:30", "09:40"), ("14:45", "15:05")))
    first, last = (datetime.combine(day, time.fromisoformat(clock), SHANGHAI) for clock in (start, end))
    return first + timedelta(seconds=chance.uniform(0, (last - first).total_seconds()))


def draw_action(chance: Random, drops: Sequence[datetime]) -> datetime:
    """A moment soon after a file came, when something is under way."""
    return first_send(chance.choice(drops)) + _soon(chance)


def first_send(dropped: datetime) -> datetime:
    """When orders of a file can leave at the earliest."""
    return max(dropped, datetime.combine(dropped.date(), time(9, 30, 3), SHANGHAI))


def _soon(chance: Random) -> timedelta:
    """From tenths of a second to minutes, each scale as likely."""
    return timedelta(seconds=10 ** chance.uniform(-1, 2.5))


class Script:
    """Draws the deeds of one seed."""

    def __init__(
        self, chance: Random, days: Sequence[date], traits: Mapping[str, str], calendar: TradingCalendar
    ) -> None:
        self._chance, self._days, self._traits, self._calendar = chance, days, traits, calendar
        self._texts: list[str] = []
        self.deeds: list[Deed] = []

    def files(self, days: Sequence[date]) -> None:
        """One to four files, each at its time: new, again, a revert, bad, two at once, slowly."""
        moment = draw_moment(self._chance, days[0])
        for number in range(self._chance.randint(1, 4)):
            kind = self._chance.choice(("new", "new", "new", "new", "again", "revert", "bad", "pair", "slow"))
            for name, text in self._texts_of(kind, number, moment):
                self.deeds.append(Deed(moment, "drop_slowly" if kind == "slow" else "drop", name, text.encode()))
            if kind == "bad" and self._chance.random() < 0.3:
                self.deeds.append(Deed(moment, "drop", f"{number}.txt", b"read me"))
            if self._chance.random() < 0.4:  # a second one while the first is under way
                moment += _soon(self._chance)
            else:
                moment = draw_moment(self._chance, self._chance.choice(days))

    def commands(self) -> None:
        """Orders at the command line; what was halted is mostly resumed."""
        for command in ("halt", "cancel", "rebalance", "rebalance"):
            if self._chance.random() < 0.25:
                moment = self._moment_of_action()
                self.deeds.append(Deed(moment, command))
                if command == "halt" and self._chance.random() < 0.8:
                    pause = timedelta(seconds=self._chance.expovariate(1 / 1200))
                    self.deeds.append(Deed(moment + pause, "resume"))

    def hasty_halt(self) -> None:
        """Somebody wants it to stop as soon as orders leave; by dice of its own, so that the other deeds stay."""
        chance = Random(repr(self.deeds))
        drops = [deed.when for deed in self.deeds if deed.what.startswith("drop")]
        if chance.random() < 0.3:
            moment = first_send(chance.choice(drops)) + timedelta(seconds=chance.uniform(0.1, 8))
            self.deeds.append(Deed(moment, "halt"))
            self.deeds.append(Deed(moment + timedelta(seconds=chance.expovariate(1 / 600)), "resume"))

    def strangers(self) -> None:
        """What happens to the account without us."""
        for what in ("manual_trade", "manual_trade", "foreign_order", "deposit", "withdrawal"):
            if self._chance.random() < 0.15:
                self.deeds.append(Deed(self._moment_of_action(), what))

    def machines(self) -> None:
        """The terminal loses its connection, the computer goes to sleep."""
        for what, share in (("disconnect", 0.3), ("disconnect", 0.3), ("disconnect", 0.3), ("freeze", 0.15)):
            if self._chance.random() < share:
                self.deeds.append(Deed(self._moment_of_action(), what))

    def _moment_of_action(self) -> datetime:
        """Mostly soon after a file came, when something is under way."""
        drops = [deed.when for deed in self.deeds if deed.what.startswith("drop")]
        if self._chance.random() < 0.6:
            return draw_action(self._chance, drops)
        return draw_moment(self._chance, self._chance.choice(self._days))

    def _texts_of(self, kind: str, number: int, moment: datetime) -> list[tuple[str, str]]:
        day = moment.date()
        if not self._calendar.is_session(day) or moment.time() >= time(14, 56):
            day = self._calendar.next_session(day)
        if kind == "again" and self._texts:
            return [(f"{number}-again.csv", self._texts[-1])]
        if kind == "revert" and len(self._texts) > 1:
            return [(f"{number}-revert.csv", self._texts[-2] + "\n")]
        if kind == "bad":
            pattern, code = self._chance.choice(sorted(_BAD.values())), next(iter(self._traits))
            return [(f"{number}-bad.csv", pattern.format(header=_HEADER, day=day, code=code))]
        drawn = [self._weights(day) for _ in range(2 if kind == "pair" else 1)]
        self._texts += drawn
        return [(f"{number}-{place}.csv", text) for place, text in enumerate(drawn)]

    def _weights(self, day: date) -> str:
        codes = [code for code in self._traits if self._chance.random() < 0.7] or list(self._traits)[:1]
        parts = {code: self._chance.choice((0.0, 0.3, 1.0, 1.0, 2.0)) for code in codes}
        parts[codes[0]] = parts[codes[0]] or 1.0
        invested = self._chance.choice((0.5, 0.9, 0.98))
        days = [day]
        while self._chance.random() < 0.3:
            days.append(self._calendar.next_session(days[-1]))
        rows = [
            f"{each},{code},{part / sum(parts.values()) * invested:.6f}"
            for each in days
            for code, part in parts.items()
        ]
        return "\n".join([_HEADER, *rows, ""])


def draw_workload(
    chance: Random,
    traits: Mapping[str, str],
    prices: Mapping[str, Decimal],
    days: Sequence[date],
    file_days: Sequence[date],
    calendar: TradingCalendar,
    *,
    is_calm: bool,
) -> Workload:
    """An account worth 0.1 to 300 million CNY, partly in shares, of which some were bought today, and a script."""
    worth = 10 ** chance.choice((chance.uniform(5, 7), chance.uniform(5, 7), chance.uniform(7, 8.5)))
    positions = []
    for code, price in prices.items():
        if chance.random() < 0.6:
            shares = int(worth * chance.uniform(0.02, 0.4) / float(price) / 100) * 100
            shares += chance.choice((0, 0, 0, 37))
            bought = chance.choice((0, 0, 0, shares // 2, shares))
            positions += [(code, shares, shares - bought)] if shares else []
    script = Script(chance, days, traits, calendar)
    script.files(file_days)
    if not is_calm:
        script.commands()
        script.strangers()
        script.machines()
        script.hasty_halt()
    deeds = sorted(script.deeds, key=lambda deed: deed.when)
    cash = Decimal(int(worth * chance.uniform(0.05, 0.8)))
    return Workload(tuple(days), traits, cash, tuple(positions), deeds)
