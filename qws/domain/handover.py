"""May an order still be handed over? The last lock before the broker."""

from __future__ import annotations

from datetime import date, datetime

from qws.domain.calendar import UnknownDay
from qws.domain.known_orders import STALE_PRICE
from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.domain.schedule import Schedule
from qws.domain.tags import make_tag, same_attempt_part
from qws.domain.trading_state import TradingState


class Handover:
    """Halted trading, a program that stops, an attempt that was ended, a price of another moment: nothing leaves."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._ended: dict[str, str] = {}  # attempts that were stopped, and why
        self.state, self.is_stopping = TradingState.ACTIVE, False

    def end(self, day: date, target_id: str, attempt: int, reason: str) -> None:
        """No order of this attempt leaves any more."""
        self._ended[same_attempt_part(make_tag(day, target_id, attempt, 0))] = reason

    def obstacle(self, order: OrderRequest, good_until: datetime, now: datetime) -> str:
        """Why an order must not be handed over now; empty when it may."""
        if self.state is TradingState.HALTED or self.is_stopping:
            return "halted" if self.state is TradingState.HALTED else "stopping"
        if self.state is TradingState.REDUCE_ONLY and order.side is Side.BUY:
            return "reduce_only"
        if ended := self._ended.get(same_attempt_part(order.tag)):
            return ended
        if self._schedule.next_send(now) != now:
            return "session_over"
        return STALE_PRICE if now > good_until else ""

    def is_pause(self, now: datetime) -> bool:
        """Whether orders will be accepted later today, or nobody knows: what is on its way may wait as well."""
        try:
            return self._schedule.next_send(now) not in (None, now)
        except UnknownDay:
            return True
