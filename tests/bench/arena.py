"""One day of one account, played by any behaviour: drawn from a seed, judged on the exchange's own books."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import inf
from random import Random

import anyio

from qws.config import Config
from qws.domain.market import Side
from qws.domain.orders import OrderRequest, OrderStatus
from qws.gateways.sim.bars import GeneratedBars
from qws.gateways.sim.quirks import PERFECT
from qws.messages import RunFinished
from tests.bench.naive import Client, Program
from tests.simulation.life import Life, PatientClock
from tests.simulation.terminal import shares_of
from tests.simulation.weather import RATES, Weather
from tests.simulation.workload import Deed, Workload
from tests.simulation.world import Death, World, at, tables

DAY, LOT, ZERO = date(2026, 11, 19), 100, Decimal(0)
FIRST_SEND, LAST_SEND = at("09:30:03", DAY), at("14:56:00", DAY)
_POOL = (
    [f"{number}.SH" for number in range(600000, 600100)]
    + [f"{number:06d}.SZ" for number in range(1, 60)]
    + [f"{number}.SZ" for number in range(300001, 300051)]
)
# What goes wrong between a program and its broker. Quotes are sound, and the exchange refuses nothing without a reason.
FAULTS = (
    "ack_lost", "ghost_order", "order_never_left", "order_slow", "push_lost", "push_doubled", "push_reordered",
    "push_late", "day_replayed", "query_error", "query_hang", "query_stale", "cancel_lost", "cancel_unconfirmed",
)  # fmt: skip
_SHARE = 0.4  # of all foul seeds have a given fault
_SLACK = Decimal("0.1")  # a plan made a little later, or rounded otherwise, is no mistake
_SHORT = 0.1
_INVESTED = Decimal("0.95")


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it was at the first possible send: shares wanted and held, CNY per share."""

    wanted: int
    held: int
    mark: Decimal

    @property
    def slack(self) -> int:
        """Shares by which a holding may miss the wanted one; none for what is to be sold off."""
        return max(2 * LOT, int(self.wanted * _SLACK)) if self.wanted else 0

    def beyond(self, side: Side, shares: int) -> int:
        """By how many shares a holding has gone too far on that side; 0 within the slack."""
        excess = shares - self.wanted if side is Side.BUY else self.wanted - shares
        return excess if excess > self.slack else 0


@dataclass(frozen=True, slots=True)
class Case:
    """What all behaviours are given alike: account, file and fate of one seed."""

    seed: int
    workload: Workload
    weights: Mapping[str, Decimal]
    rates: Mapping[str, float]
    deaths: tuple[Death, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a behaviour came to; `beyond`, `shortfall` and `error` are fractions, `invested_s` is infinite for never."""

    seed: int
    orders: int
    duplicates: int
    beyond: float
    oversells: int
    overspends: int
    shortfall: float
    is_short: bool
    is_lost: bool
    invested_s: float
    error: float
    rejected: Mapping[str, int]


def draw_case(seed: int, *, is_foul: bool) -> Case:
    """An account of 2 to 300 million CNY in 10 to 40 names, nearly all in shares; the same in both worlds."""
    chance, (_, calendar) = Random(f"{seed}:behaviours"), tables()
    codes, bars = chance.sample(_POOL, chance.randint(10, 40)), GeneratedBars(seed, calendar)
    worth, positions = 10 ** chance.uniform(6.3, 8.5), []
    held = [code for place, code in enumerate(codes) if place == 0 or (place > 1 and chance.random() < 0.6)]
    parts = {code: chance.uniform(0.3, 1.7) for code in held}
    for code, part in parts.items():
        price = bars.last_close(code, DAY)
        shares = int(worth * part / sum(parts.values()) / float(price or 1) / LOT) * LOT + chance.choice((0, 0, 0, 37))
        positions += [(code, shares, shares)] if shares else []
    wanted = [code for place, code in enumerate(codes) if place == 1 or (place > 1 and chance.random() < 0.6)]
    chance.shuffle(wanted)
    parts, invested = {code: chance.uniform(0.3, 1.7) for code in wanted}, chance.uniform(0.9, 0.98)
    weights = {code: Decimal(f"{part / sum(parts.values()) * invested:.4f}") for code, part in parts.items()}
    rows = [f"{DAY},{code},{weight}" for code, weight in weights.items()]
    deeds = [Deed(at("09:10", DAY), "drop", "weights.csv", "\n".join(["date,stock_code,weight", *rows, ""]).encode())]
    cash, deaths, rates = Decimal(int(worth * chance.uniform(0.01, 0.05))), list[Death](), dict[str, float]()
    if is_foul:
        rates = {kind: RATES[kind] * chance.random() for kind in FAULTS if chance.random() < _SHARE}
        deeds += [Deed(_soon(chance), "disconnect") for _ in range(2) if chance.random() < 0.3]
        kills = sorted(_soon(chance) for _ in range(chance.choice((0, 1, 1, 2))))
        deaths = [Death("kill", 0, moment, chance.choice((5.0, 20.0, 120.0))) for moment in kills]
    deeds.sort(key=lambda deed: deed.when)
    traits = dict.fromkeys(codes, "")
    return Case(seed, Workload((DAY,), traits, cash, tuple(positions), deeds), weights, rates, tuple(deaths))


def _soon(chance: Random) -> datetime:
    """From tenths of a second to five minutes after the first possible send, each scale as likely."""
    return FIRST_SEND + timedelta(seconds=10 ** chance.uniform(-1, 2.5))


class Arena(World):
    """The world of a case; `who` is a naive program or the configuration of the real one."""

    def __init__(self, case: Case, who: Program | Config) -> None:
        super().__init__(case.seed, case.workload, Weather(case.seed, case.rates), case.deaths, PERFECT)
        self._program = None if isinstance(who, Config) else who
        self._config = who if isinstance(who, Config) else self._config
        self._weights, self._is_done, self._duplicates = case.weights, False, 0
        self.names = self._names()
        self.terminal.witness = self._see

    def outcome(self) -> Outcome:
        """Judge the day when it is over."""
        orders = self.terminal.all_orders()
        refused = Counter(order.message.partition(":")[0] for order in orders if order.status is OrderStatus.JUNK)
        beyond, oversold, invested_s = self._traded()
        worth = sum((name.held * name.mark for name in self.names.values()), self.workload.cash)
        needs = {code: name.wanted - name.held for code, name in self.names.items()}
        moved = {code: self.terminal.held(code) - name.held for code, name in self.names.items()}
        missing = (
            max(0, abs(need) - max(0, moved[code] if need > 0 else -moved[code])) * self.names[code].mark
            for code, need in needs.items()
        )
        wanted = sum((abs(need) * self.names[code].mark for code, need in needs.items()), ZERO)
        shortfall = float(sum(missing, ZERO) / wanted)
        is_short = shortfall > _SHORT
        return Outcome(
            self.seed, len(orders), self._duplicates, float(beyond / worth), refused["INSUFFICIENT_SHARES"] + oversold,
            refused["INSUFFICIENT_CASH"] + (self.terminal.cash() < 0), shortfall, is_short,
            is_short and not self._is_told(), invested_s, self._error(), dict(refused),
        )  # fmt: skip

    async def _act(self, life: Life, began: datetime, death: Death | None) -> datetime:
        if self._program is None:
            return await super()._act(life, began, death)
        clock = PatientClock(began)
        with anyio.CancelScope() as scope:
            life.end = scope.cancel
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self.outside.go_on, clock)
                tasks.start_soon(self._end, life, clock, death, scope.cancel)
                tasks.start_soon(self._play, self._program, life, clock)
        return clock.now()

    async def _play(self, program: Program, life: Life, clock: PatientClock) -> None:
        """From 09:30:03, or from the moment it is started again, unless it has come to its end in an earlier life."""
        await clock.sleep_until(FIRST_SEND)
        if not self._is_done:
            ports = self._ports(life, clock)
            with anyio.move_on_after((LAST_SEND - clock.now()).total_seconds()):
                await program(Client(ports, clock, self._weights, len(self.lives)))
            self._is_done = True

    def _see(self, order: OrderRequest, now: datetime) -> None:
        """An order reaches the exchange: does it ask for what is held or under way already?"""
        if self._program is None:
            self.witness.on_taken(order, now)
        sign = 1 if order.side is Side.BUY else -1
        coming = shares_of(self.terminal.working(), order.code, order.side) + order.shares
        self._duplicates += (
            self.names[order.code].beyond(order.side, self.terminal.held(order.code) + sign * coming) > 0
        )

    def _is_told(self) -> bool:
        """Whether a result of the real program says that its run did not do all."""
        ends = (envelope.body for envelope in self.diary.kept if isinstance(envelope.body, RunFinished))
        return any(end.status != "completed" for end in ends)

    def _names(self) -> dict[str, Name]:
        held = {code: shares for code, shares, _ in self.workload.positions}
        marks = {code: self.terminal.market.last_price(code, FIRST_SEND) for code in self.workload.traits}
        worth = sum((shares * marks[code] for code, shares in held.items()), self.workload.cash)
        weights = {code: self._weights.get(code, ZERO) for code in marks}
        lots = {code: int(weights[code] * worth / mark / LOT) for code, mark in marks.items()}
        return {code: Name(lots[code] * LOT, held.get(code, 0), mark) for code, mark in marks.items()}

    def _traded(self) -> tuple[Decimal, int, float]:
        """CNY that holdings went beyond what was wanted, names sold too far, seconds until 95 % was bought."""
        held = {code: name.held for code, name in self.names.items()}
        bought, most, beyond = ZERO, _INVESTED * _buy_value(self.names.values()), dict[tuple[str, Side], int]()
        invested_s = inf
        for trade in self.terminal.all_trades():
            name, before = self.names[trade.code], held[trade.code]
            held[trade.code] += trade.shares if trade.side is Side.BUY else -trade.shares
            key, after = (trade.code, trade.side), held[trade.code]
            beyond[key] = max(beyond.get(key, 0), name.beyond(trade.side, after))
            bought += (max(name.held, min(after, name.wanted)) - max(name.held, min(before, name.wanted))) * name.mark
            if bought >= most and invested_s == inf:
                invested_s = (trade.at - FIRST_SEND).total_seconds()
        value = sum((shares * self.names[code].mark for (code, _), shares in beyond.items()), ZERO)
        return value, sum(shares > 0 for (_, side), shares in beyond.items() if side is Side.SELL), invested_s

    def _error(self) -> float:
        """Half the absolute differences of the weights, cash included, at the prices of the first possible send."""
        values = {code: self.terminal.held(code) * name.mark for code, name in self.names.items()}
        worth = sum(values.values(), self.terminal.cash())
        gaps = [self._weights.get(code, ZERO) - value / worth for code, value in values.items()]
        return float((sum(map(abs, gaps), ZERO) + abs(sum(gaps, ZERO))) / 2)


def _buy_value(names: Iterable[Name]) -> Decimal:
    return sum((max(0, name.wanted - name.held) * name.mark for name in names), ZERO)


def play(case: Case, who: Program | Config) -> Outcome:
    """Let a behaviour live through the day of a case."""
    arena = Arena(case, who)
    try:
        arena.run()
        return arena.outcome()
    finally:
        arena.close()
