"""What must hold at every instant: of each order that the system hands over and that the exchange takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.domain.plan import Plan
from qws.domain.tags import is_ours, same_day_part
from qws.messages import (
    ControlOrdered,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    SellsOverdue,
    WeightFileSettled,
)
from qws.runtime.message import ActorCrashed, Envelope
from tests.simulation.terminal import Terminal, shares_of

_MOMENT = timedelta(milliseconds=50)
_SESSIONS = ((time(9, 30, 3), time(11, 30)), (time(13, 0, 3), time(14, 56)))
Key = tuple[str, str]  # run and, as it stands in the tag, attempt


@dataclass(frozen=True)
class Violation:
    """An invariant of RELIABILITY.md section 4 that did not hold, and how."""

    invariant: str
    text: str


class Witness:
    """Sees what is durable, what is handed over and what the exchange takes, and knows the exchange's own books."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.violations: list[Violation] = []
        self.intents: dict[str, PlaceOrder] = {}
        self.handed: dict[str, datetime] = {}
        self.taken: Counter[str] = Counter()
        self.paths: set[str] = set()
        self.plans: dict[Key, Plan] = {}
        self.strangers: set[str] = set()  # codes that somebody else traded
        self.dirty: set[str] = set()  # codes of which a wrong book was shown
        self.has_cash_gone = self.has_gap = False
        self._overdue: set[str] = set()
        self._halted_at: datetime | None = None
        self._status: dict[str, BrokerOrder] = {}

    def blame(self, invariant: str, text: str) -> None:
        """Something did not hold."""
        self.violations.append(Violation(invariant, text))

    def on_durable(self, batch: Sequence[Envelope]) -> None:
        """These messages are on the disk."""
        for envelope in batch:
            match envelope.body:
                case PlaceOrder() as intent:
                    self.intents[intent.order.tag] = intent
                case PlanReady(plan=plan) if not plan.preview:
                    key = plan.run_id, _digit(plan.attempt)
                    if self.plans.setdefault(key, plan) is not plan:
                        self.blame("I8", f"{plan.run_id} attempt {plan.attempt} was planned again, #{envelope.id}")
                case OrderUpdated(order=order):
                    self._status[order.tag] = order
                case SellsOverdue(run_id=run_id):
                    self._overdue.add(run_id)
                case ControlOrdered(command="halt"):
                    self._halted_at = envelope.at
                case ControlOrdered(command="resume"):
                    self._halted_at = None
                case WeightFileSettled(path=path):
                    self.paths.add(path)
                case ActorCrashed() as crash:
                    self.blame("tripwire", f"{crash.actor} raised {crash.error} on #{crash.poison}")
                case _:
                    pass

    def on_exit(self, code: int) -> None:
        """The system stopped in order."""
        if code:
            self.blame("tripwire", f"the system ended with {code}")

    def on_stranger(self, code: str, side: Side) -> None:
        """Somebody else traded."""
        self.strangers.add(code)
        self.has_cash_gone |= side is Side.BUY

    def on_dirty_quote(self, code: str) -> None:
        """A wrong book was shown."""
        self.dirty.add(code)

    def on_handed(self, order: OrderRequest, now: datetime) -> None:
        """The system asks the broker to place an order."""
        tag, clock = order.tag, now.time()
        if tag in self.handed:
            self.blame("I1b", f"{tag} was handed over at {self.handed[tag]:%H:%M:%S} and again at {now:%H:%M:%S}")
        self.handed[tag] = now
        intent = self.intents.get(tag)
        if intent is None or intent.order != order:
            self.blame("I6", f"{tag} was handed over at {now:%H:%M:%S.%f}, the journal has {intent}")
        if not self.has_gap and not any(start <= clock < end for start, end in _SESSIONS):
            self.blame("I10", f"{tag} was handed over at {now:%H:%M:%S.%f}")
        if self._halted_at is not None and now > self._halted_at + _MOMENT:
            self.blame("I24", f"{tag} left at {now:%H:%M:%S.%f}, halted at {self._halted_at:%H:%M:%S.%f}")
        if intent is not None:
            self._expect_nothing_unknown(intent, now)

    def on_cancelled(self, order_id: str, now: datetime) -> None:
        """The system asks for a cancel."""
        meant = next((order for order in self._terminal.all_orders() if order.order_id == order_id), None)
        if meant is None or not is_ours(meant.tag):
            self.blame("I17", f"order {order_id} was cancelled at {now:%H:%M:%S}, it is {meant}")

    def on_taken(self, order: OrderRequest, now: datetime) -> None:
        """The exchange is about to take an order of ours."""
        self.taken[order.tag] += 1
        if self.taken[order.tag] > 1:
            self.blame("I1b", f"the exchange took {order.tag} again at {now:%H:%M:%S}")
        intent = self.intents.get(order.tag)
        if intent is None:
            return
        key, working = _key(intent), [each for each in self._terminal.working() if is_ours(each.tag)]
        for other in working:
            if other.code == order.code and _key(self.intents[other.tag]) != key:
                self.blame("I1", f"{order.tag} was taken at {now:%H:%M:%S} beside {other.tag} of another attempt")
        self._expect_sells_first(intent, working, now)
        self._expect_no_excess(intent, working, now)

    def _expect_nothing_unknown(self, intent: PlaceOrder, now: datetime) -> None:
        day, code = same_day_part(intent.order.tag), intent.order.code
        for tag, other in self.intents.items():
            known = self._status.get(tag)
            is_open = known is None or known.status is OrderStatus.UNKNOWN
            if is_open and (same_day_part(tag), other.order.code) == (day, code) and _key(other) != _key(intent):
                self.blame("I1c", f"{intent.order.tag} left at {now:%H:%M:%S} while nobody knows of {tag}")

    def _expect_sells_first(self, intent: PlaceOrder, working: Sequence[BrokerOrder], now: datetime) -> None:
        if intent.order.side is Side.BUY and intent.run_id not in self._overdue:
            for other in working:
                if other.side is Side.SELL and _key(self.intents[other.tag]) == _key(intent):
                    self.blame("I4", f"{intent.order.tag} buys at {now:%H:%M:%S} while {other.tag} still sells")

    def _expect_no_excess(self, intent: PlaceOrder, working: Sequence[BrokerOrder], now: datetime) -> None:
        """Neither more nor less than the plan wants, whatever else is under way (RELIABILITY.md I2, I12)."""
        order, plan = intent.order, self.plans.get(_key(intent))
        row = next((row for row in plan.rows if row.code == order.code), None) if plan is not None else None
        if row is None:
            self.blame("I6", f"{order.tag} is of no plan")
        elif order.code not in self.strangers:
            held, under_way = self._terminal.held(order.code), shares_of(working, order.code, order.side)
            after = held + under_way + order.shares if order.side is Side.BUY else held - under_way - order.shares
            if after > row.wanted if order.side is Side.BUY else after < row.wanted:
                text = f"holds {held}, {under_way} under way, {order.shares} more, wanted {row.wanted}"
                self.blame("I12", f"{order.tag} {order.side} {order.code} at {now:%H:%M:%S}: {text}")


def _key(intent: PlaceOrder) -> Key:
    return intent.run_id, intent.order.tag[-3]


def _digit(attempt: int) -> str:
    return "0123456789abcdefghijklmnopqrstuvwxyz"[attempt]
