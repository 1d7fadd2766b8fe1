"""A fill tracker on a clock that is moved from timer to timer, beside an account of which everything is known."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from actors.fill_tracker import FillTracker
from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.domain.tags import make_tag
from qws.messages import (
    AccountDue,
    ExecutionEnded,
    FillReceived,
    FillsReconciled,
    LedgerDrift,
    OrderUpdated,
    PlaceOrder,
    SnapshotTaken,
)
from qws.runtime.message import Message
from tests.support.account_truth import PRICE, START, Placed, Truth, TruthBroker, moment
from tests.support.builders import COSTS, DAY, RUN, TARGET, HandClock, a_quote
from tests.support.fake_broker import FakeQuotes
from tests.support.outputs import of, timers

A, B = "600000.SH", "600004.SH"
ACCOUNT_S = 5.0
ENDED = ExecutionEnded(RUN, DAY, (A, B))
DUE = AccountDue(RUN, 0)
SELL = Placed(OrderRequest(make_tag(DAY, TARGET, 0, 0), A, Side.SELL, 600, PRICE), 0.5, ((1, 600),))
BUY = Placed(OrderRequest(make_tag(DAY, TARGET, 0, 1), B, Side.BUY, 300, PRICE), 1.5, ((2, 100), (3, 200)))


def by_hand(code: str, side: Side, shares: int, second: float) -> Placed:
    return Placed(OrderRequest("", code, side, shares, PRICE), second, ((second, shares),))


def an_account(*strangers: Placed) -> Truth:
    return Truth(Decimal(50_000), {A: 1000}, [SELL, BUY, *strangers])


class Life:
    """One tracker on a clock that is moved from timer to timer."""

    def __init__(self, truth: Truth, clock: HandClock | None = None) -> None:
        self.clock = clock or HandClock(START)
        self.broker, self.quotes = TruthBroker(truth, self.clock), FakeQuotes({A: a_quote(A)})
        self.tracker = FillTracker(self.broker, self.quotes, self.clock, COSTS, ACCOUNT_S)
        self.due: list[tuple[float, AccountDue]] = []
        self.drifts: list[LedgerDrift] = []

    def snapshot(self, *, preview: bool = False, attempt: int = 0) -> SnapshotTaken:
        truth = self.broker.truth.snapshot(self.second())
        return SnapshotTaken(RUN, TARGET, DAY, attempt, preview, replace(truth, at=self.clock.now()))

    def trades(self, orders: Iterable[Placed] = (SELL, BUY)) -> list[Message]:
        """The plan's snapshot, then intents, reports and fills of our orders, told at once and in order."""
        messages: list[tuple[float, Message]] = []
        for order in orders:
            messages.append((order.second, PlaceOrder(RUN, order.request, moment(600))))
            messages += [(second, OrderUpdated(order.row(second))) for second in order.changes()]
            messages += [((fill.at - START).total_seconds(), FillReceived(fill)) for fill in order.trades()]
        return [self.snapshot(), *(message for _, message in sorted(messages, key=lambda each: each[0]))]

    def hear(self, messages: Iterable[Message]) -> None:
        for message in messages:
            match message:
                case SnapshotTaken():
                    self.tracker.on_snapshot_taken(message)
                case PlaceOrder():
                    self.note(self.tracker.on_place_order(message))
                case OrderUpdated():
                    self.tracker.on_order_updated(message)
                case FillReceived():
                    self.tracker.on_fill_received(message)
                case _:
                    raise AssertionError(message)

    def note(self, answer: object) -> None:
        self.due += [(self.second() + seconds, message) for seconds, message in timers(AccountDue, answer)]
        self.drifts += of(LedgerDrift, answer)

    def until(self, second: float) -> list[LedgerDrift]:
        """Let every timer come that is due; all drifts so far."""
        while self.due and self.due[0][0] <= second:
            when, message = self.due.pop(0)
            self.clock.time = max(self.clock.now(), moment(when))
            self.note(asyncio.run(self.tracker.on_account_due(message)))
        self.clock.time = max(self.clock.now(), moment(second))
        return self.drifts

    def end(self) -> list[FillsReconciled]:
        """The run ends; the tracker comes back until its books are compared."""
        for _ in range(50):
            answer = asyncio.run(self.tracker.on_execution_ended(ENDED))
            self.note(answer)
            if found := of(FillsReconciled, answer):
                return found
            ((seconds, _again),) = timers(ExecutionEnded, answer)
            asyncio.run(self.clock.sleep(seconds))
        raise AssertionError("it never ends")

    def second(self) -> float:
        return (self.clock.now() - START).total_seconds()


def a_life(truth: Truth) -> Life:
    life = Life(truth)
    life.hear(life.trades())
    life.until(4)
    return life


def kinds(drifts: Iterable[LedgerDrift]) -> list[tuple[str, Decimal, str]]:
    return sorted((drift.code, drift.theirs - drift.ours, drift.explanation) for drift in drifts)


def recalled(truth: Truth, journal: Iterable[Message], second: float) -> Life:
    """A life that begins with what earlier ones journalled."""
    life = Life(truth, HandClock(moment(second)))
    for message in journal:
        name = {"SnapshotTaken": "snapshot_taken", "PlaceOrder": "place_order", "OrderUpdated": "order_updated"}
        name |= {"FillReceived": "fill_received", "LedgerDrift": "ledger_drift", "ExecutionEnded": "execution_ended"}
        getattr(life.tracker, f"recall_{name[type(message).__name__]}")(message)
    return life
