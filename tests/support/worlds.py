"""Random accounts and markets that obey the exchanges' rules, for properties of the planner."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from hypothesis import strategies as st

from qws.domain.account import Position, Snapshot
from qws.domain.allocator import Rounding
from qws.domain.market import Instrument, Level, Quote
from qws.domain.planner import Goal, PlanRules
from tests.support.builders import BOOK, DAY, PRD, RULES, a_goal, an_asset, at, changed

CODES = (
    "600000.SH",
    "601318.SH",
    "000001.SZ",
    "002415.SZ",
    "300750.SZ",
    "301001.SZ",
    "688001.SH",
    "688981.SH",
    "920002.BJ",
    "510300.SH",
    "159915.SZ",
    "161725.SZ",
    "508000.SH",
    "113050.SH",
    "180101.SZ",
    "900901.SH",
)
NOW = at("10:00:00")
_BANDS = (Decimal(0), Decimal(0), Decimal("0.02"))


@dataclass(frozen=True)
class World:
    """What a plan is made from."""

    goal: Goal
    snapshot: Snapshot
    rules: PlanRules

    def instrument(self, code: str) -> Instrument:
        return next(each for each in self.snapshot.instruments if each.code == code)

    def quote(self, code: str) -> Quote:
        return next(each for each in self.snapshot.quotes if each.code == code)

    def position(self, code: str) -> Position | None:
        return next((each for each in self.snapshot.positions if each.code == code), None)


@st.composite
def instruments(draw: st.DrawFn, code: str) -> Instrument:
    tick = BOOK.instrument(code, DAY, Decimal(1)).tick
    prev_close = draw(st.integers(100, 30_000)) * tick
    return BOOK.instrument(code, DAY, prev_close, st=draw(st.booleans()), suspended=draw(st.integers(0, 9)) == 0)


@st.composite
def quotes(draw: st.DrawFn, instrument: Instrument) -> Quote:
    tick, low, high = instrument.tick, instrument.limit_down, instrument.limit_up
    assert low is not None
    assert high is not None
    last = low + draw(st.integers(0, int((high - low) / tick))) * tick
    gap = draw(st.integers(1, 40)) * tick
    asks = [last + gap * n for n in range(1, draw(st.integers(0, 5)) + 1)]
    bids = [last - gap * n for n in range(draw(st.integers(0, 5)))]
    return Quote(
        instrument.code,
        NOW - timedelta(seconds=draw(st.sampled_from((0.0, 3.0, 15.0, 16.0, 3600.0)))),
        draw(st.sampled_from((last, last, last, None))),
        instrument.prev_close,
        tuple(Level(price, 100) for price in bids if price >= low),
        tuple(Level(price, 100) for price in asks if price <= high),
        draw(st.integers(0, 9)) == 0,
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    codes = draw(st.lists(st.sampled_from(CODES), min_size=1, max_size=7, unique=True))
    records = [draw(instruments(code)) for code in codes]
    book = [draw(quotes(record)) for record in records]
    held = {code: draw(st.integers(1, 6000)) for code in codes if draw(st.booleans())}
    marks = {quote.code: quote.last or quote.prev_close for quote in book}
    positions = tuple(
        Position(code, shares, draw(st.one_of(st.just(shares), st.integers(0, shares))), shares * marks[code])
        for code, shares in held.items()
    )
    parts = {code: draw(st.integers(0, 100)) for code in codes if draw(st.booleans())}
    whole = max(sum(parts.values()), draw(st.integers(1, 300)))
    weights = {
        code: str((Decimal(part) / whole).quantize(Decimal("0.000001"), "ROUND_DOWN")) for code, part in parts.items()
    }
    cash = Decimal(draw(st.integers(0, 100_000_000))) / 100
    seen = [quote for quote in book if draw(st.integers(0, 9))]
    snapshot = Snapshot(NOW, an_asset(cash, positions), positions, tuple(seen), tuple(records))
    protected = frozenset(code for code in codes if draw(st.integers(0, 9)) == 0)
    reserve = Decimal(draw(st.integers(0, 20_000)))
    filtered = [code for code in codes if draw(st.integers(0, 9)) == 0]
    rules = changed(
        RULES,
        cash_reserve=reserve,
        protected=protected,
        sell_level=draw(st.integers(1, 5)),
        buy_level=draw(st.integers(1, 5)),
        allocation=replace(PRD, rounding=draw(st.sampled_from(Rounding)), drift_band=draw(st.sampled_from(_BANDS))),
    )
    return World(a_goal(weights, filtered), snapshot, rules)
