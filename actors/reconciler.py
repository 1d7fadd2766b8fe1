"""Do the day's books and the broker's lists say the same? Every evening, once, whatever was restarted in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta

from qws.domain.account import Look, does_not_add_up
from qws.domain.calendar import UnknownDay
from qws.domain.costs import Costs
from qws.domain.flows import Stand
from qws.domain.orders import BrokerOrder, Trade
from qws.domain.reconciling import Books, Difference, differences
from qws.errors import GatewayError
from qws.messages import DayReconciled, EquityRecorded, FillReceived, OrderUpdated
from qws.ports import Broker, Calendar, Clock
from qws.runtime.actor import Actor
from qws.runtime.message import ActorCrashed, Started

_AGAIN_S, _REST_S = 60.0, 900.0
_LAG = timedelta(seconds=15)  # no answer of a broker is older
_PATIENCE = 5  # looks at an account that does not add up; a terminal that counts otherwise is compared all the same


class Reconciler(Actor):
    """Compares after `at` on trading days, when the close is recorded and nothing moves; tries until midnight.

    Reads only, and nobody waits for it. Without `broker` it is silent.
    """

    on_crash = "restart"

    def __init__(self, broker: Broker | None, clock: Clock, calendar: Calendar, costs: Costs, at: time) -> None:
        self._broker, self._clock, self._calendar, self._costs, self._at = broker, clock, calendar, costs, at
        self._done = date.min
        self._before: EquityRecorded | None = None
        self._close: EquityRecorded | None = None
        self._fills: list[Trade] = []  # since the close before the newest
        self._orders: dict[str, BrokerOrder] = {}  # of the newest day
        self._day, self._rest_s = date.min, 0.0

    def recall_started(self, msg: Started) -> None:
        self._rest_s = 0.0

    def recall_actor_crashed(self, msg: ActorCrashed) -> None:
        self._rest_s = _REST_S  # what fails at every look must not end the program

    def recall_day_reconciled(self, msg: DayReconciled) -> None:
        self._done = msg.day

    def recall_equity_recorded(self, msg: EquityRecorded) -> None:
        if msg.kind == "close":
            self._before, self._close = self._close, msg
            begins = self._before.at if self._before is not None else msg.at - timedelta(days=1)
            self._fills = [each for each in self._fills if each.at > begins]

    def recall_order_updated(self, msg: OrderUpdated) -> None:
        day = msg.order.at.date()
        if day > self._day:
            self._day = day
            self._orders.clear()
        if day == self._day:
            self._orders[msg.order.tag] = msg.order

    def recall_fill_received(self, msg: FillReceived) -> None:
        self._fills.append(msg.trade)

    on_equity_recorded, on_order_updated = recall_equity_recorded, recall_order_updated
    on_fill_received, on_started = recall_fill_received, recall_started

    async def source(self) -> AsyncIterator[DayReconciled]:
        past = date.min
        await self._clock.sleep(self._rest_s)
        while self._broker is not None:
            now = self._clock.now()
            moment = datetime.combine(now.date(), self._at, now.tzinfo)
            await self._clock.sleep_until(moment + timedelta(days=max(past, self._done) >= now.date()))
            now = self._clock.now()
            if now.time() < self._at:  # the computer slept through an evening
                continue
            past = now.date()
            if self._done < past and self._is_session(past):
                told = await self._reconciled(self._broker, past)
                self._done = told.day
                yield told

    def _is_session(self, day: date) -> bool:
        try:
            return self._calendar.is_session(day)
        except UnknownDay:  # the market clock tells
            return False

    async def _reconciled(self, broker: Broker, day: date) -> DayReconciled:
        problem, looks = "", 0
        while (now := self._clock.now()).date() == day:
            close = self._close
            if close is None or close.day != day:
                problem = "no_close"
            elif self._fills and now - self._fills[-1].at <= _LAG:
                problem = "moves"
            else:
                try:
                    asset, positions = await broker.asset(), await broker.positions()
                    look = Look(self._clock.now(), asset, positions, await broker.orders(), await broker.trades())
                except GatewayError as error:
                    problem = str(error)
                else:
                    problem, looks = does_not_add_up(asset, positions), looks + 1
                    if not look.orders and any(each.order_id for each in self._orders_of(day).values()):
                        problem = "no_lists"
                    elif not problem or looks >= _PATIENCE:
                        return self._compared(close, look, problem)
            await self._clock.sleep(_AGAIN_S)
        return DayReconciled(day, now, problem, (), 0, 0, None)

    def _orders_of(self, day: date) -> dict[str, BrokerOrder]:
        return dict(self._orders) if self._day == day else {}

    def _compared(self, close: EquityRecorded, look: Look, odd: str) -> DayReconciled:
        day, before, orders = close.day, self._before, self._orders_of(close.day)
        books = Books(
            day, orders, tuple(self._fills), None if before is None else _stand(before), _stand(close), close.flow,
            is_gapless=before is not None and self._follows(before.day, day),
        )  # fmt: skip
        found = differences(books, look, self._costs)
        found += (Difference("account_mismatch", "", "", odd, "unexplained"),) if odd else ()
        fills = sum(each.at.date() == day for each in self._fills)
        return DayReconciled(day, look.at, "", found, len(orders), fills, None if before is None else before.day)

    def _follows(self, before: date, day: date) -> bool:
        try:
            return self._calendar.next_session(before) == day
        except UnknownDay:
            return False


def _stand(close: EquityRecorded) -> Stand:
    return Stand(close.at, close.asset, close.positions)
