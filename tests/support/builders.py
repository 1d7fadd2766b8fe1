"""Builders: a market, an account, a plan, orders and fills of one session day, with nothing left to chance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from qws.domain.account import Asset, Position, Snapshot
from qws.domain.allocator import AllocationRules, Rounding, Unplaced
from qws.domain.calendar import AlwaysOpenCalendar
from qws.domain.costs import Costs
from qws.domain.execution import Execution, Phase
from qws.domain.fees import FeePlan
from qws.domain.legaliser import CageMargin
from qws.domain.market import Instrument, Kind, Level, Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.domain.plan import Plan, PlanRow
from qws.domain.planner import Goal, PlanRules
from qws.domain.rest import Rest
from qws.domain.schedule import Schedule
from qws.domain.tags import make_tag
from qws.domain.targets import DayTarget, DroppedRow, Mode, Weight
from qws.messages import RebalanceDue, TargetAccepted
from qws.runtime.clock import SHANGHAI
from qws.tables import load_calendar, load_rules

DAY = date(2026, 11, 19)
NEXT_DAY = date(2026, 11, 20)
BOOK = load_rules()
COSTS = Costs(BOOK.fees, FeePlan(Decimal("0.00025"), Decimal(5), commission_includes_exchange_fees=True))
FEE = COSTS.on(DAY)
MANAGED = frozenset({Kind.STOCK, Kind.CDR, Kind.ETF, Kind.LOF})
PRD = AllocationRules(Rounding.PRD, Unplaced.CASH, Decimal(0), Decimal(1))
MARGIN = CageMargin(3.0, Decimal("0.25"))
RULES = PlanRules(BOOK, COSTS, 5, 3, 15.0, Decimal(0), MANAGED, frozenset(), PRD, MARGIN)
TARGET = "a" * 64
RUN = "20261119-aaaaaa"


def at(clock: str, day: date = DAY) -> datetime:
    """A time of day in Shanghai."""
    return datetime.combine(day, time.fromisoformat(clock), SHANGHAI)


class HandClock:
    """A clock that a test moves; a sleep moves it too."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    def set(self, clock: str, day: date | None = None) -> None:
        self.time = at(clock, day or self.time.date())

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    async def sleep_until(self, when: datetime) -> None:
        self.time = max(self.time, when)


def a_schedule(*, always_open: bool = False) -> Schedule:
    calendar = AlwaysOpenCalendar() if always_open else load_calendar()
    return Schedule(calendar, always_open, time(9, 25), time(9, 30, 3), time(14, 56), time(15, 10))


def an_instrument(code: str, prev_close: str = "10.00", *, suspended: bool = False) -> Instrument:
    return BOOK.instrument(code, DAY, Decimal(prev_close), suspended=suspended)


def levels(*prices: str) -> tuple[Level, ...]:
    return tuple(Level(Decimal(price), 100_000) for price in prices)


def a_quote(
    code: str,
    last: str | None = "10.00",
    *,
    bids: tuple[str, ...] = ("9.99", "9.98", "9.97", "9.96", "9.95"),
    asks: tuple[str, ...] = ("10.01", "10.02", "10.03", "10.04", "10.05"),
    prev_close: str = "10.00",
    when: str = "10:00:00",
    suspended: bool = False,
) -> Quote:
    price = None if last is None else Decimal(last)
    return Quote(code, at(when), price, Decimal(prev_close), levels(*bids), levels(*asks), suspended)


def a_position(code: str, shares: int, sellable: int | None = None, price: str = "10.00") -> Position:
    return Position(code, shares, shares if sellable is None else sellable, shares * Decimal(price))


def an_asset(cash: str | Decimal, positions: Iterable[Position] = ()) -> Asset:
    value = sum((position.market_value for position in positions), Decimal(0))
    return Asset(Decimal(cash), Decimal(0), value, Decimal(cash) + value)


def a_snapshot(
    cash: str,
    positions: tuple[Position, ...] = (),
    quotes: tuple[Quote, ...] = (),
    instruments: tuple[Instrument, ...] = (),
    when: str = "10:00:00",
) -> Snapshot:
    return Snapshot(at(when), an_asset(cash, positions), positions, quotes, instruments)


def a_market_of(*codes: str) -> tuple[tuple[Quote, ...], tuple[Instrument, ...]]:
    return tuple(map(a_quote, codes)), tuple(map(an_instrument, codes))


def a_goal(weights: Mapping[str, str], filtered: Iterable[str] = (), mode: Mode = Mode.FULL) -> Goal:
    rows = tuple(Weight(code, Decimal(weight)) for code, weight in weights.items())
    return Goal(
        RUN,
        TARGET,
        0,
        preview=False,
        weights=rows,
        filtered=frozenset(filtered),
        rest=Rest(),
        unsettled=(),
        lost=frozenset(),
        mode=mode,
    )


def a_row(code: str, side: Side, shares: int, price: str = "10.00") -> PlanRow:
    held = shares if side is Side.SELL else 0
    wanted = 0 if side is Side.SELL else shares
    money = Decimal(price)
    fee = FEE(code, side, shares, money)
    lots = (100, 100, 1_000_000)
    return PlanRow(code, Decimal(0), held, held, wanted, side, shares, (shares,), money, "bid5", money, fee, "", *lots)


def a_plan(
    *,
    sells: Mapping[str, int] | None = None,
    buys: Mapping[str, int] | None = None,
    cash: str = "0",
    preview: bool = False,
    when: datetime | None = None,
    attempt: int = 0,
    run_id: str = RUN,
) -> Plan:
    rows = [a_row(code, Side.SELL, shares) for code, shares in (sells or {}).items()]
    rows += [a_row(code, Side.BUY, shares) for code, shares in (buys or {}).items()]
    moment = when or at("10:00:00")
    return Plan(run_id, TARGET, attempt, preview, moment, Decimal(1_000_000), Decimal(cash), tuple(rows))


def an_order(
    code: str = "600000.SH", side: Side = Side.BUY, shares: int = 1000, index: int = 0, day: date = DAY
) -> OrderRequest:
    return OrderRequest(make_tag(day, TARGET, 0, index), code, side, shares, Decimal("10.00"))


def a_report(
    order: OrderRequest, status: OrderStatus, traded: int = 0, order_id: str | None = None, message: str = ""
) -> BrokerOrder:
    known_as = f"id-{order.tag}" if order_id is None else order_id
    moment = at("10:00:00")
    return BrokerOrder(
        known_as, order.tag, order.code, order.side, order.shares, order.price, traded, status, message, moment
    )


def a_fill(
    order: OrderRequest,
    shares: int,
    number: int = 1,
    price: str | None = None,
    fee: str | None = "5",
    when: datetime | None = None,
) -> Trade:
    cost = None if fee is None else Decimal(fee)
    money = order.price if price is None else Decimal(price)
    moment = when or at("10:00:01")
    known_as = f"id-{order.tag}"
    return Trade(f"t{number}", known_as, order.tag, order.code, order.side, shares, money, moment, cost)


def a_target(
    weights: Mapping[str, str],
    *,
    days: tuple[date, ...] = (DAY,),
    target_id: str = TARGET,
    dropped: tuple[DroppedRow, ...] = (),
    when: str = "09:00:00",
    mode: Mode = Mode.FULL,
    expires: str = "",
) -> TargetAccepted:
    rows = tuple(Weight(code, Decimal(weight)) for code, weight in weights.items())
    targets = tuple(DayTarget(day, rows, mode, at(expires, days[0]) if expires else None) for day in days)
    return TargetAccepted(target_id, "w.csv", "accepted/w.csv", target_id, at(when, days[0]), targets, dropped)


def a_due(
    *, target_id: str = TARGET, day: date = DAY, attempt: int = 0, trigger: str = "schedule", send_at: str = "09:30:03"
) -> RebalanceDue:
    run_id = f"{day:%Y%m%d}-{target_id[:6]}"
    return RebalanceDue(run_id, target_id, day, attempt, trigger, at(send_at, day))


def changed(rules: PlanRules, **changes: object) -> PlanRules:
    return replace(rules, **changes)  # type: ignore[arg-type]


def leave(run: Execution, when: datetime | None = None) -> list[OrderRequest]:
    """Send what may leave, through as many phases as are over."""
    sent: list[OrderRequest] = []
    while run.phase is not Phase.ENDED:
        if rows := run.due():
            sent += run.send(rows, when or at("10:00:00"))
        elif run.is_phase_over():
            run.turn()
        else:
            break
    return sent
