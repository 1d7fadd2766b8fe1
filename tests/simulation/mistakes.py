"""The mistakes themselves: each stands in for one function or method of the product, which knows better."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from actors import broker_link
from actors.broker_link import BrokerLink
from actors.run_gate import RunGate
from actors.weight_validator import WeightValidator
from qws import messages as m
from qws.domain import known_orders, rest
from qws.domain import planner as planning
from qws.domain.absence import Absence
from qws.domain.account import Position, Snapshot
from qws.domain.affordable import fit_to_cash
from qws.domain.costs import Fee
from qws.domain.due import Due
from qws.domain.execution import Execution, Phase
from qws.domain.handover import Handover
from qws.domain.known_orders import KnownOrders
from qws.domain.market import Quote, Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.domain.plan import Outcome, Plan, PlanRow
from qws.domain.planner import Goal, PlanRules
from qws.domain.rest import Rest
from qws.domain.run_orders import Leg, RunOrders
from qws.domain.schedule import Moment, Schedule
from qws.domain.tags import is_ours, make_tag
from qws.domain.unsettled import Unsettled
from qws.errors import GatewayError
from qws.ports import Clock
from qws.runtime.actor import Actor
from qws.runtime.message import Envelope, Journal, Later
from qws.runtime.system import System, Tap
from qws.store import journal_file

JOURNAL_WITHOUT_LOCK = tuple(line for line in journal_file._TABLES if "intent_once" not in line)
ALL_IS_CURABLE = rest._TOGETHER | {"never_arrived"}
_News = broker_link.News | Later[m.SweepDue]
Begun = m.SnapshotDue | m.RunFinished | m.RunStopOrdered | Later[m.SendWindowDue]
Makers = Sequence[Callable[[], Actor]]
_ENDING = (OrderStatus.REPORTED_CANCEL, OrderStatus.PARTSUCC_CANCEL)
_obstacle = Handover.obstacle
_place, _merge_trades = BrokerLink.on_place_order, KnownOrders.merge_trades
_free, _is_over, _on_fill = Execution._free, Execution.is_phase_over, Execution.on_fill
_cancel_round, _reprice = Execution.cancel_round, Execution.reprice
_holding, _plan = planning._holding, planning.plan_rebalance
_target_at = Due.target_at
_accept, _due, _settled = WeightValidator.on_weight_file_settled, RunGate.on_rebalance_due, Leg.is_settled
_started, _fits = System.__init__, fit_to_cash


async def send_again(self: BrokerLink, msg: m.PlaceOrder) -> list[_News]:
    news = await _place(self, msg)
    if any(isinstance(each, m.OrderUpdated) and each.order.status is OrderStatus.UNKNOWN for each in news):
        with suppress(GatewayError):
            await self._broker.place(msg.order)
    return news


async def silence_is_refusal(self: BrokerLink, msg: m.PlaceOrder) -> list[_News]:
    news = await _place(self, msg)
    if any(isinstance(each, m.OrderUpdated) and each.order.status is OrderStatus.UNKNOWN for each in news):
        return [m.OrderUpdated(self._known.withdraw(msg.order.tag, "no answer"))]
    return news


def settled_by_a_wish(self: Leg) -> bool:
    return _settled(self) or (self.order is not None and self.order.status in _ENDING)


def spend_planned_proceeds(self: Execution) -> Decimal:
    sells = self.open_legs(Side.SELL)
    return _free(self) + sum((leg.rest * leg.request.price for leg in sells), Decimal(0))


def spend_what_buys_hold(self: Execution) -> Decimal:
    return _free(self) + self.owed


def replace_before_it_ended(self: Execution, at: datetime, rows: Sequence[PlanRow]) -> list[Leg]:
    worse = _reprice(self, at, rows)
    self.chase.forget()
    for leg in worse:
        self._put_back(leg)
    return worse


def counts_what_traded(self: RunOrders, code: str) -> int:
    return 0


def plan_with_frozen_cash(goal: Goal, snapshot: Snapshot, rules: PlanRules, settled: Plan | None = None) -> Plan:
    asset = replace(snapshot.asset, cash=snapshot.asset.cash + snapshot.asset.frozen)
    return _plan(goal, replace(snapshot, asset=asset), rules, settled)


def plan_missing_as_nothing(goal: Goal, snapshot: Snapshot, rules: PlanRules, settled: Plan | None = None) -> Plan:
    quoted = {quote.code for quote in snapshot.quotes}
    missing = [each for each in snapshot.instruments if each.code not in quoted]
    made_up = [Quote(each.code, snapshot.at, None, each.prev_close, (), ()) for each in missing]
    weights = tuple(weight for weight in goal.weights if weight.code in quoted)
    seen = replace(snapshot, quotes=(*snapshot.quotes, *made_up))
    return _plan(replace(goal, weights=weights), seen, rules, settled)


def only_what_is_sellable(position: Position | None) -> tuple[int, int]:
    _, sellable = _holding(position)
    return sellable, sellable


def all_is_sellable(position: Position | None) -> tuple[int, int]:
    held, _ = _holding(position)
    return held, held


def sells_are_not_waited_for(self: Execution) -> bool:
    return self.phase is Phase.SELLING or _is_over(self)


def tag_of_two(day: date, target_id: str, attempt: int, index: int) -> str:
    return make_tag(day, target_id, attempt, index // 2)


def tag_of_all_attempts(day: date, target_id: str, attempt: int, index: int) -> str:
    return make_tag(day, target_id, 0, index)


def fill_in_time(self: Execution, trade: Trade) -> bool:
    is_late = self.phase is Phase.ENDING or self._is_overdue
    return trade.tag in self.legs if is_late else _on_fill(self, trade)


def settled_without_fills(self: Leg) -> bool:
    return self.order is not None and self.order.status.is_terminal


def every_push_is_new(self: KnownOrders, heard: Sequence[Trade], today: date) -> Iterator[Trade]:
    for trade in heard:
        self._trades.discard(known_orders._key(trade))
        yield from _merge_trades(self, [trade], today)


def cancelled_when_asked(self: Execution, today: date) -> list[Leg]:
    legs = _cancel_round(self, today)
    self.given_up.update(leg.request.tag for leg in legs)
    return legs


def absent_at_once(self: Absence) -> dict[str, bool]:
    return {tag: True for tag, missing in self._missing.items() if missing.looks}


def no_waiting_is_too_long(self: Handover, order: OrderRequest, good_until: datetime, now: datetime) -> str:
    return _obstacle(self, order, now, now)


def nothing() -> Callable[[object, object], None]:
    return lambda self, msg: None


async def accepted_by_name(
    self: WeightValidator, msg: m.WeightFileSettled
) -> m.TargetAccepted | m.TargetRejected | None:
    known = dict(self._accepted)
    same_name = [first for first in known.values() if first[0] == msg.name]
    self._accepted = {msg.sha256: same_name[-1]} if same_name else {}
    try:
        return await _accept(self, msg)
    finally:
        self._accepted = {**known, **self._accepted}


class LateJournal:
    """Keeps each batch back until the next one comes."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._waiting = journal, []  # type: Journal, Sequence[Envelope]

    async def append(self, batch: Sequence[Envelope]) -> None:
        waiting, self._waiting = self._waiting, list(batch)
        await self._journal.append(waiting) if waiting else None

    def read(self, kinds: Collection[str], after: int = 0) -> AsyncIterator[Envelope]:
        return self._journal.read(kinds, after)

    async def last_id(self) -> int:
        return await self._journal.last_id()


def keep_the_journal_back(self: System, makers: Makers, *, clock: Clock, journal: Journal, taps: Sequence[Tap]) -> None:
    _started(self, makers, clock=clock, journal=LateJournal(journal), taps=taps)


def start_beside(self: RunGate, msg: m.RebalanceDue) -> Iterator[Begun]:
    yield from _due(self, msg)
    if self._turns.waiting is not None and self._turns.current is not None:
        yield from self._start_waiting()


def prices_stay_good(self: Execution, rows: Sequence[PlanRow], now: datetime) -> tuple[str, ...]:
    return ()


def any_time_is_good(self: Schedule, now: datetime) -> datetime | None:
    return now


def latest_report_wins(known: BrokerOrder | None, heard: BrokerOrder) -> BrokerOrder:
    return heard


def any_remark_is_a_tag(self: KnownOrders, row: BrokerOrder | Trade) -> str:
    return row.tag


def all_are_ours(tag: str, today: date) -> bool:
    return bool(tag)


async def intended_now(self: BrokerLink, msg: m.PlaceOrder) -> object:
    self._known.intend(msg.order, msg.good_until, self._clock.now())
    return await _place(self, msg)


def nothing_was_lost(self: Unsettled, day: date, run_id: str) -> frozenset[str]:
    return frozenset()


def all_is_left(outcomes: Iterable[Outcome]) -> Rest:
    return Rest()


def carried_first(self: Due, moment: Moment, now: datetime) -> str | None:
    day = moment.at.date()
    is_carried = self._carried is not None and self._carried[0] == day
    return self._carried[1] if self._carried is not None and is_carried else _target_at(self, moment, now)


def nothing_works(order: BrokerOrder) -> bool:
    return False


def buys_cost_no_fees(buys: Sequence[PlanRow], cash: Decimal, fee: Fee) -> list[PlanRow]:
    free = _fits([replace(row, fee=Decimal(0)) for row in buys], cash, lambda code, side, shares, price: Decimal(0))
    return free


def works_until_a_wish(order: BrokerOrder) -> bool:
    return is_ours(order.tag) and not order.status.is_terminal and order.status not in _ENDING
