"""Orders that a later plan has to reckon with: those that may still trade, and those that were lost on their way."""

from __future__ import annotations

from datetime import date

from qws.domain.known_orders import NEVER_ARRIVED
from qws.domain.orders import BrokerOrder, OrderRequest
from qws.domain.tags import day_part, same_attempt_part, same_day_part


class Unsettled:
    """The orders of one day, whichever run they are of (RELIABILITY.md 6.5)."""

    def __init__(self) -> None:
        self._open: dict[str, OrderRequest] = {}  # by tag
        self._past: dict[str, OrderRequest] = {}  # those that ended, which is not always true
        self._runs: dict[str, str] = {}  # by what the tags of a run's orders share
        self._unanswered: set[str] = set()  # tags of orders that were handed over, and nobody knows what came of it
        self._lost: set[tuple[str, str, str]] = set()  # part of the day, run, code
        self._heirs: set[tuple[str, str]] = set()  # part of the day, run

    def intend(self, run_id: str, order: OrderRequest) -> None:
        """An order is about to be handed over, or may have been in an earlier life."""
        self._open[order.tag], self._runs[same_attempt_part(order.tag)] = order, run_id

    def hand_over(self, run_id: str, order: OrderRequest) -> None:
        """An order is about to be handed over by this life of the process."""
        self.intend(run_id, order)
        self._unanswered.add(order.tag)

    def note(self, order: BrokerOrder) -> None:
        """What the broker says of an order.

        One that a restart cut off before its answer, and that then never arrived, was most likely never handed over:
        it is not lost, and may be planned again.
        """
        if not order.status.is_terminal and order.tag in self._past:
            self._open[order.tag] = self._past.pop(order.tag)
        if order.tag not in self._open:
            return
        if not order.status.is_terminal:
            self._unanswered |= {order.tag} if not order.order_id else set()
            return
        self._past[order.tag] = self._open.pop(order.tag)
        if not order.order_id and order.message.startswith(NEVER_ARRIVED) and order.tag in self._unanswered:
            self._lost.add((same_day_part(order.tag), self._runs[same_attempt_part(order.tag)], order.code))
        self._unanswered.discard(order.tag)

    def open_on(self, day: date) -> tuple[OrderRequest, ...]:
        """Orders of this day that may still trade."""
        today = day_part(day)
        for memory in (self._open, self._past, self._runs):
            for tag in [each for each in memory if same_day_part(each) != today]:
                del memory[tag]
        return tuple(self._open.values())

    def go_on(self, day: date, run_id: str) -> None:
        """A run that nobody asked for takes the place of the day's others: what they lost it lost."""
        self._heirs.add((day_part(day), run_id))

    def lost_on(self, day: date, run_id: str) -> frozenset[str]:
        """Names of which an order of this run, or of those whose place it took, never arrived."""
        today = day_part(day)
        self._lost = {each for each in self._lost if each[0] == today}
        self._heirs = {each for each in self._heirs if each[0] == today}
        return frozenset(code for _, run, code in self._lost if run == run_id or (today, run_id) in self._heirs)
