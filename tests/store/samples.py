"""Messages for the store's tests: any message of a type, and one whole run as envelopes."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from qws.domain.account import Asset, Position, Snapshot
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.domain.plan import Outcome, Plan, PlanRow
from qws.domain.targets import DayTarget, DroppedRow, Refusal, Weight
from qws.messages import (
    EquityRecorded,
    FillReceived,
    OrderUpdated,
    PlaceOrder,
    PlanDrafted,
    PlanningDue,
    PlanReady,
    RebalanceDue,
    RunFinished,
    SnapshotDue,
    SnapshotTaken,
    SweepDue,
    TargetAccepted,
    TargetRejected,
    WeightFileSettled,
)
from qws.runtime.message import ActorCrashed, Envelope, Message
from qws.store.codec import SHANGHAI

DAY = date(2026, 9, 1)
OPEN = datetime(2026, 9, 1, 9, 30, tzinfo=SHANGHAI)
MOUTAI, BANK = "600519.SH", "000001.SZ"

MILLENNIUM = datetime(2000, 1, 1, tzinfo=SHANGHAI)
LEAVES: dict[object, st.SearchStrategy[object]] = {
    str: st.text(max_size=8),
    int: st.integers(),
    bool: st.booleans(),
    NoneType: st.none(),
    date: st.dates(),
    datetime: st.timedeltas(timedelta(0), timedelta(days=36_500)).map(lambda since: MILLENNIUM + since),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
}


def anything(kind: object) -> st.SearchStrategy[object]:
    """Any value of a field's type."""
    if kind in LEAVES:
        return LEAVES[kind]
    if get_origin(kind) is tuple:
        return st.lists(anything(get_args(kind)[0]), max_size=3).map(tuple)
    if isinstance(kind, UnionType):
        return st.one_of([anything(part) for part in get_args(kind)])
    assert isinstance(kind, type), kind
    if issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)] if is_dataclass(kind) else list(hints)
    return st.builds(kind, **{name: anything(hints[name]) for name in names})


def logged(*bodies: Message, start: int = 1) -> list[Envelope]:
    """Roots, one second apart."""
    return [Envelope(id_, id_, None, at(id_), "test", body) for id_, body in enumerate(bodies, start)]


def at(seconds: int) -> datetime:
    """So many seconds after the opening."""
    return OPEN + timedelta(seconds=seconds)


def intent(tag: str, run_id: str = "R1") -> PlaceOrder:
    """A buy of 100 shares."""
    return PlaceOrder(run_id, OrderRequest(tag, MOUTAI, Side.BUY, 100, Decimal("1688.00")), at(10))


def report(tag: str, status: OrderStatus, traded: int = 0) -> OrderUpdated:
    """What the broker says of that buy."""
    order = BrokerOrder("77", tag, MOUTAI, Side.BUY, 100, Decimal("1688.00"), traded, status, "", at(8))
    return OrderUpdated(order)


def fill(tag: str, trade_id: str, shares: int, fee: Decimal | None = None) -> FillReceived:
    """A part of that buy traded."""
    return FillReceived(Trade(trade_id, "77", tag, MOUTAI, Side.BUY, shares, Decimal("1687.50"), at(9), fee))


def asset(total: str) -> Asset:
    """An account worth that much, half of it in shares."""
    half = Decimal(total) / 2
    return Asset(half, Decimal(0), half, Decimal(total))


def plan(run_id: str = "R1", reason: str = "", *, preview: bool = False) -> Plan:
    """A buy and a name that is held."""
    price = Decimal("1688.00")
    buy = PlanRow(
        MOUTAI, Decimal("0.5"), 0, 0, 100, Side.BUY, 100, (100,), price, "ask1", price, Decimal("5.00"), reason
    )
    kept = PlanRow(
        BANK, Decimal(0), 200, 0, 0, None, 0, (), Decimal("11.20"), "last", Decimal("11.20"), Decimal(0), "t_plus_one"
    )
    return Plan(run_id, "T1", 1, preview, at(5), Decimal("400000.00"), Decimal("200000.00"), (buy, kept))


def a_run() -> list[Envelope]:
    """From the file to the close: a run with one order filled in two parts, told twice, and a refused file."""
    holdings = (Position(BANK, 200, 0, Decimal("2240.00")), Position("600000.SH", 0, 0, Decimal(0)))
    after = (Position(MOUTAI, 100, 0, Decimal("168800.00")), *holdings)
    weights = (Weight(MOUTAI, Decimal("0.5")),)
    dropped = (DroppedRow(3, "430047.BJ", "not_a_share", "row 3: 430047.BJ is not a share"),)
    outcomes = (Outcome(MOUTAI, Decimal("0.5"), Decimal("0.422"), 100, 100, ""),)
    story: list[tuple[int | None, Message]] = [
        (None, WeightFileSettled("weights.csv", "inbox/accepted/weights.csv", "ab12", 80)),
        (1, TargetAccepted("T1", "weights.csv", "a", "ab12", at(2), (DayTarget(DAY, weights),), dropped)),
        (2, PlanningDue(DAY, "drop")),
        (3, RebalanceDue("R1", "T1", DAY, 1, "drop", at(3))),
        (4, SnapshotDue("R1", "T1", DAY, 1, preview=False)),
        (5, SnapshotTaken("R1", "T1", DAY, 1, False, Snapshot(at(4), asset("400000.00"), holdings, (), ()))),
        (6, PlanDrafted(plan(reason="draft"))),
        (7, PlanReady(plan())),
        (8, intent("q1a")),
        (9, SweepDue()),
        (None, report("q1a", OrderStatus.REPORTED)),
        (10, fill("q1a", "F1", 40)),
        (None, fill("q1a", "F1", 40, Decimal("5.00"))),
        (None, fill("q1a", "F2", 60)),
        (11, report("q1a", OrderStatus.SUCCEEDED, 60)),
        (15, ActorCrashed("fill_tracker", "KeyError", 15)),
        (
            15,
            RunFinished(
                "R1", "T1", DAY, 1, "completed", "", "all traded", at(16), asset("399990.00"), after, outcomes,
                Decimal("10.00"), Decimal("0.078"),
            ),
        ),
        (None, TargetRejected("bad.csv", "b", "cd34", at(18), (Refusal("empty_file", "no rows"),))),
        (None, EquityRecorded(DAY, at(19), "close", "", asset("400100.00"), after, Decimal("3500.25"))),
    ]  # fmt: skip
    batch: list[Envelope] = []
    for id_, (cause, body) in enumerate(story, 1):
        corr = id_ if cause is None else batch[cause - 1].corr
        batch.append(Envelope(id_, corr, cause, at(id_), "test", body))
    return batch
