"""What must hold at every instant: of each order that the system hands over and that the exchange takes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal

from qws.config import ExecutionSection
from qws.domain.execution_rules import Release
from qws.domain.known_orders import NEVER_ARRIVED
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus
from qws.domain.plan import Plan
from qws.domain.tags import is_ours, same_day_part
from qws.messages import (
    CancelOrder,
    ControlOrdered,
    FillReceived,
    LedgerDrift,
    OrderUpdated,
    PlaceOrder,
    PlanReady,
    PricesTaken,
    RunFinished,
    RunPaused,
    SnapshotTaken,
    WeightFileSettled,
)
from qws.ports import Calendar
from qws.runtime.message import ActorCrashed, Envelope
from tests.simulation.disk import PERSON
from tests.simulation.keys import Key, digit_of, key_of
from tests.simulation.others import Others
from tests.simulation.terminal import Terminal, shares_of
from tests.simulation.wanted import Wanted

_MOMENT = timedelta(milliseconds=50)
_PRICES_GOOD = timedelta(seconds=3)
_VIEW_OLD = timedelta(seconds=10)  # whatever stands in no list by then is hidden by nothing
_FOR_A_PERSON = "qws settle"
_CANCELS = 3  # what still works after so many is given up
_SESSIONS = ((time(9, 30, 3), time(11, 30)), (time(13, 0, 3), time(14, 56)))


@dataclass(frozen=True)
class Violation:
    """An invariant of RELIABILITY.md section 4 that did not hold, and how."""

    invariant: str
    text: str


class Witness:
    """Sees what is durable, what is handed over and what the exchange takes, and knows the exchange's own books."""

    def __init__(self, terminal: Terminal, others: Others, execution: ExecutionSection, calendar: Calendar) -> None:
        self._terminal, self._others, self._release = terminal, others, execution.release
        self.wanted = Wanted(self.blame, calendar, carries=execution.carry)
        self.listeners: list[Callable[[Envelope], None]] = [self.wanted.note]
        self.violations: list[Violation] = []
        self.held_back = timedelta(0)  # an adapter may keep an order so long before it leaves
        self.intents: dict[str, PlaceOrder] = {}
        self.handed: dict[str, datetime] = {}
        self.taken: Counter[str] = Counter()
        self.paths: set[str] = set()
        self.plans: dict[Key, Plan] = {}
        self.ask: Callable[[OrderRequest | None, datetime], None] = lambda order, now: None
        self._asked: set[str] = set()
        self._snapshots: dict[Key, SnapshotTaken] = {}
        self._priced: dict[Key, datetime] = {}
        self._taken_at: dict[str, datetime] = {}
        self._intended_at: dict[str, datetime] = {}
        self._cancels: Counter[str] = Counter()
        self._halted_at: datetime | None = None
        self._status: dict[str, BrokerOrder] = {}
        self._filled: Counter[str] = Counter()
        self._drifted: dict[Key, datetime] = {}
        self._money: defaultdict[Key, Decimal] = defaultdict(Decimal)  # what recorded fills brought and took

    def blame(self, invariant: str, text: str) -> None:
        """Something did not hold."""
        self.violations.append(Violation(invariant, text))

    def on_durable(self, batch: Sequence[Envelope]) -> None:
        """These messages are on the disk."""
        for envelope in batch:
            for listen in self.listeners:
                listen(envelope)
            match envelope.body:
                case OrderUpdated(order=order):
                    self._status[order.tag] = order
                    self._ask_somebody(order, envelope.at)
                case FillReceived(trade=trade) if trade.tag in self.intents:
                    amount, is_sell = trade.shares * trade.price, trade.side is Side.SELL
                    self._filled[trade.tag] += trade.shares
                    self._money[key_of(self.intents[trade.tag])] += (amount if is_sell else -amount) - (trade.fee or 0)
                case CancelOrder(tag=tag, run_id=run_id) if run_id:
                    self._cancels[tag] += 1
                case LedgerDrift(run_id=run_id, attempt=attempt, explanation=why) if why != "fees":
                    self._drifted[run_id, digit_of(attempt)] = envelope.at
                case ControlOrdered(command="halt", by=by):
                    self._halted_at = envelope.at
                    if by != PERSON:
                        self.ask(None, envelope.at)
                case ControlOrdered(command="resume"):
                    self._halted_at = None
                case WeightFileSettled(path=path):
                    self.paths.add(path)
                case ActorCrashed() as crash:
                    self.blame("tripwire", f"{crash.actor} raised {crash.error} on #{crash.poison}")
                case _:
                    self._on_step(envelope)

    def _on_step(self, envelope: Envelope) -> None:
        """One step of a run is on the disk."""
        match envelope.body:
            case SnapshotTaken(preview=False) as seen:
                self._snapshots[seen.run_id, digit_of(seen.attempt)] = seen
                self._expect_nothing_works(seen, envelope.at)
            case PlanReady(plan=plan) if not plan.preview:
                key = plan.run_id, digit_of(plan.attempt)
                self._priced[key] = plan.at
                if self.plans.setdefault(key, plan) is not plan:
                    self.blame("I8", f"{plan.run_id} attempt {plan.attempt} was planned again, #{envelope.id}")
                self.wanted.expect(plan, self._snapshots[key])
            case PricesTaken() as prices:
                self._priced[prices.run_id, digit_of(prices.attempt)] = prices.at
            case PlaceOrder() as intent:
                self._expect_room(intent, envelope.at)
                drifted_at = self._drifted.get(key_of(intent))
                if intent.order.side is Side.BUY and drifted_at is not None and envelope.at > drifted_at + _MOMENT:
                    self.blame("I5", f"{intent.order.tag} was to buy at {envelope.at:%H:%M:%S}, drift at {drifted_at}")
                self.intents[intent.order.tag], self._intended_at[intent.order.tag] = intent, envelope.at
                age = envelope.at - self._priced.get(key_of(intent), envelope.at)
                if age > _PRICES_GOOD:
                    self.blame("I18", f"{intent.order.tag} was to leave at a price that was {age} old")
            case RunPaused(end=end) | (RunFinished() as end):
                self._expect_its_orders_ended(end)
            case _:
                pass

    def _ask_somebody(self, order: BrokerOrder, now: datetime) -> None:
        """A person is asked about an order, once."""
        if order.status is OrderStatus.UNKNOWN and _FOR_A_PERSON in order.message and order.tag not in self._asked:
            self._asked.add(order.tag)
            self.ask(self.intents[order.tag].order, now)

    def on_exit(self, code: int) -> None:
        """The system stopped in order."""
        if code:
            self.blame("tripwire", f"the system ended with {code}")

    def on_handed(self, order: OrderRequest, now: datetime) -> None:
        """The system asks the broker to place an order."""
        tag, asked = order.tag, (now - self.held_back).time()
        if tag in self.handed:
            self.blame("I1b", f"{tag} was handed over at {self.handed[tag]:%H:%M:%S} and again at {now:%H:%M:%S}")
        self.handed[tag] = now
        intent = self.intents.get(tag)
        if intent is None or intent.order != order:
            self.blame("I6", f"{tag} was handed over at {now:%H:%M:%S.%f}, the journal has {intent}")
        if not self._others.has_gap and not any(start <= now.time() and asked < end for start, end in _SESSIONS):
            self.blame("I10", f"{tag} was handed over at {now:%H:%M:%S.%f}")
        if self._halted_at is not None and now > self._halted_at + _MOMENT + self.held_back:
            self.blame("I24", f"{tag} left at {now:%H:%M:%S.%f}, halted at {self._halted_at:%H:%M:%S.%f}")
        if intent is not None:
            self._expect_nothing_unknown(intent, now)
            waited = now - self._intended_at[tag]
            if waited > _PRICES_GOOD + _MOMENT + self.held_back and not self._others.has_gap:
                self.blame("I18", f"{tag} left at {now:%H:%M:%S} after it had waited for {waited}")

    def on_cancelled(self, order_id: str, now: datetime) -> None:
        """The system asks for a cancel."""
        meant = next((order for order in self._terminal.all_orders() if order.order_id == order_id), None)
        if meant is None or not is_ours(meant.tag):
            self.blame("I17", f"order {order_id} was cancelled at {now:%H:%M:%S}, it is {meant}")

    def on_taken(self, order: OrderRequest, now: datetime) -> None:
        """The exchange is about to take an order of ours."""
        self.taken[order.tag] += 1
        self._taken_at[order.tag] = now
        if self.taken[order.tag] > 1:
            self.blame("I1b", f"the exchange took {order.tag} again at {now:%H:%M:%S}")
        intent = self.intents.get(order.tag)
        if intent is None:
            return
        key, working = key_of(intent), [each for each in self._terminal.working() if self._others.is_ours(each)]
        for other in working:
            if other.code == order.code and key_of(self.intents[other.tag]) != key:
                self.blame("I1", f"{order.tag} was taken at {now:%H:%M:%S} beside {other.tag} of another attempt")
        self._expect_sells_first(intent, working, now)
        self._expect_no_excess(intent, working, now)

    def _expect_nothing_unknown(self, intent: PlaceOrder, now: datetime) -> None:
        day, code = same_day_part(intent.order.tag), intent.order.code
        for tag, other in self.intents.items():
            if (
                self._is_unknown(tag)
                and (same_day_part(tag), other.order.code) == (day, code)
                and key_of(other) != key_of(intent)
            ):
                self.blame("I1c", f"{intent.order.tag} left at {now:%H:%M:%S} while nobody knows of {tag}")

    def _expect_sells_first(self, intent: PlaceOrder, working: Sequence[BrokerOrder], now: datetime) -> None:
        """I4: no sell of the attempt waits, and either none works or the money is certain without it."""
        tag, key = intent.order.tag, key_of(intent)
        if intent.order.side is Side.SELL:
            return
        ours = {each: other for each, other in self.intents.items() if key_of(other) == key}
        for each, other in ours.items():
            is_sell, is_told = other.order.side is Side.SELL, each in self.handed or each in self._status
            is_later = self._intended_at[each] > self.handed.get(tag, now)  # than the buy left: it came late
            if is_sell and not is_told and not is_later and not self._is_too_old(each, now):
                self.blame("I4", f"{tag} buys at {now:%H:%M:%S} while {each} waits to sell")
        selling = [other.tag for other in self._not_given_up(key, working) if other.side is Side.SELL]
        if selling and self._release is Release.STRICT:
            self.blame("I4", f"{tag} buys at {now:%H:%M:%S} while {selling} still sell")
        owed = sum(
            (other.order.shares - self._filled[each]) * other.order.price
            for each, other in ours.items()
            if other.order.side is Side.BUY and each in self.handed and not self._has_ended(each)
        )
        if self.plans[key].cash + self._money[key] < owed:
            text = f"{self.plans[key].cash} and {self._money[key]} of fills"
            self.blame("I4", f"{tag} buys at {now:%H:%M:%S}: {owed} of open buys, {text}")

    def _is_too_old(self, tag: str, now: datetime) -> bool:
        """Whether an order waited until its price was too old: it never leaves (I18), also while that is untold.

        A strict run waits until it is told.
        """
        return self._release is Release.PIPELINED and now > self._intended_at[tag] + _PRICES_GOOD

    def _expect_room(self, intent: PlaceOrder, now: datetime) -> None:
        """I2, I1c: what traded, what may still trade and this is no more than planned, and nothing of it is unknown."""
        order, key = intent.order, key_of(intent)
        rows = self.plans[key].rows if key in self.plans else ()
        most = next((row.shares for row in rows if row.code == order.code), 0)
        taken = 0
        for tag, other in self.intents.items():
            if key_of(other) == key and other.order.code == order.code:
                known = self._status.get(tag)
                is_lost = known is not None and known.message.startswith(NEVER_ARRIVED)
                taken += self._filled[tag] if self._has_ended(tag) and not is_lost else other.order.shares
                if known is not None and self._is_unknown(tag):
                    self.blame("I1c", f"{order.tag} was to leave at {now:%H:%M:%S} while nobody knows of {tag}")
        if taken + order.shares > most:
            text = f"{taken} traded or under way, planned {most}"
            self.blame("I2", f"{order.tag} of {order.shares} {order.code} at {now:%H:%M:%S}: {text}")

    def _is_unknown(self, tag: str) -> bool:
        known = self._status.get(tag)
        return known is None or known.status is OrderStatus.UNKNOWN

    def _has_ended(self, tag: str) -> bool:
        known = self._status.get(tag)
        return known is not None and known.status.is_terminal

    def _expect_its_orders_ended(self, end: RunFinished) -> None:
        """I13: a run has ended when all its orders have, but those that no cancel ends."""
        working = [each for each in self._terminal.working() if self._others.is_ours(each)]
        for other in self._not_given_up((end.run_id, digit_of(end.attempt)), working):
            self.blame("I13", f"{end.run_id} attempt {end.attempt} ended at {end.at:%H:%M:%S}, {other.tag} works")

    def _not_given_up(self, key: Key, working: Sequence[BrokerOrder]) -> Iterator[BrokerOrder]:
        """Orders of an attempt that still work and were not cancelled in vain, again and again."""
        for other in working:
            if key_of(self.intents[other.tag]) == key and self._cancels[other.tag] < _CANCELS:
                yield other

    def _expect_nothing_works(self, seen: SnapshotTaken, now: datetime) -> None:
        """I12: nothing of ours is under way when the account is looked at to plan."""
        for other in self._terminal.working():
            is_seen = other.tag not in self._others.unreadable  # such a name is not traded meanwhile: I1, I1c
            if self._others.is_ours(other) and is_seen and now - self._taken_at[other.tag] > _VIEW_OLD:
                self.blame("I12", f"{seen.run_id} looked at {now:%H:%M:%S} while {other.tag} works")

    def _expect_no_excess(self, intent: PlaceOrder, working: Sequence[BrokerOrder], now: datetime) -> None:
        """Neither more nor less than the plan wants, whatever else is under way (RELIABILITY.md I2, I12)."""
        order, plan = intent.order, self.plans.get(key_of(intent))
        row = next((row for row in plan.rows if row.code == order.code), None) if plan is not None else None
        if row is None:
            self.blame("I6", f"{order.tag} is of no plan")
        elif order.code not in self._others.codes:
            held, under_way = self._terminal.held(order.code), shares_of(working, order.code, order.side)
            after = held + under_way + order.shares if order.side is Side.BUY else held - under_way - order.shares
            if after > row.wanted if order.side is Side.BUY else after < min(row.wanted, row.ends):
                text = f"holds {held}, {under_way} under way, {order.shares} more, wanted {row.wanted}"
                self.blame("I12", f"{order.tag} {order.side} {order.code} at {now:%H:%M:%S}: {text}")
