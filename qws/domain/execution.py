"""One plan on its way through the market: what is out, what it filled, what money is certain. RELIABILITY.md 4, 6.3."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from qws.domain.affordable import fit_to_cash
from qws.domain.costs import Fee
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade, merge
from qws.domain.plan import Plan, PlanRow
from qws.domain.tags import make_tag
from qws.errors import InvariantBroken

_CANCEL_ROUNDS_MAX = 3
_INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class ExecutionRules:
    """Seconds of trading for sells and for buys, seconds between cancels, CNY never to be spent, and seconds from
    which on the quotes of a plan are too old to send by."""

    sell_wait_s: float
    buy_wait_s: float
    cancel_wait_s: float
    cash_reserve: Decimal
    price_age_max_s: float


class Phase(StrEnum):
    """How far a run has come; `ending` waits for the last orders, `ended` has told so."""

    READY = "ready"
    SELLING = "selling"
    BUYING = "buying"
    ENDING = "ending"
    ENDED = "ended"


@dataclass(slots=True)
class Leg:
    """One order of a run: what was asked, what the broker last said, what has been booked."""

    request: OrderRequest
    order: BrokerOrder | None = None
    filled: int = 0
    amount: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)

    @property
    def order_id(self) -> str:
        """The broker's id, empty while it is not known."""
        return self.order.order_id if self.order is not None else ""

    @property
    def ids(self) -> tuple[str, str]:
        """The tag and the broker's id."""
        return self.request.tag, self.order_id

    def can_be_cancelled(self) -> bool:
        """Whether the broker knows the order and has not ended it."""
        return self.order is not None and bool(self.order.order_id) and not self.order.status.is_terminal

    def is_settled(self) -> bool:
        """Whether nothing more can come: the order is terminal and every share it traded is booked."""
        return self.order is not None and self.order.status.is_terminal and self.filled >= self.order.traded


@dataclass(slots=True)
class Execution:
    """The orders and the ledger of one plan. `cash` is certain money: the start, plus proceeds, less costs."""

    plan: Plan
    day: date
    cash: Decimal
    fees: Decimal = Decimal(0)
    phase: Phase = Phase.READY
    stop_reason: str = ""
    cancel_rounds: int = 0
    priced_at: datetime | None = None  # when the rows were priced again
    is_pricing: bool = False
    legs: dict[str, Leg] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    _seen: set[tuple[str, str, str]] = field(default_factory=set)
    _unsettled: dict[str, Leg] = field(default_factory=dict)
    _by_code: defaultdict[str, list[Leg]] = field(default_factory=lambda: defaultdict(list))

    @property
    def key(self) -> tuple[str, int]:
        """Run and attempt: a timer or an order of another one means nothing here."""
        return self.plan.run_id, self.plan.attempt

    @property
    def identity(self) -> tuple[str, str, date, int]:
        """Run, target, day and attempt."""
        return self.plan.run_id, self.plan.target_id, self.day, self.plan.attempt

    def sells(self) -> list[OrderRequest]:
        """Begin to sell: the sell orders, once."""
        self.phase = Phase.SELLING
        return self._open(self.plan.side(Side.SELL))

    def buys(self, reserve: Decimal, fee: Fee) -> list[OrderRequest]:
        """Begin to buy: the buy orders, once, cut to the money that is certain."""
        self.phase, self.cancel_rounds = Phase.BUYING, 0
        fitted = fit_to_cash(self.plan.side(Side.BUY), self.cash - reserve, fee)
        self.reasons.update({row.code: row.reason for row in fitted if row.reason})
        return self._open(row for row in fitted if row.shares)

    def codes_to_price(self, now: datetime, age_max_s: float) -> tuple[str, ...]:
        """The names to be sent next when their prices are too old to send by, to be waited for; or nothing."""
        if (now - (self.priced_at or self.plan.at)).total_seconds() <= age_max_s:
            return ()
        codes = tuple(row.code for row in self.plan.side(self.next_side))
        self.is_pricing = bool(codes)
        return codes

    @property
    def next_side(self) -> Side:
        """What is sent next."""
        return Side.SELL if self.phase is Phase.READY else Side.BUY

    def reprice(self, at: datetime, rows: tuple[PlanRow, ...]) -> None:
        """Go on with rows that were priced again at this time."""
        self.plan, self.priced_at, self.is_pricing = replace(self.plan, rows=rows), at, False

    def waits(self) -> bool:
        """Whether the present phase is not over: orders are open that were not given up, or all is told."""
        return self.phase is Phase.ENDED or self.is_pricing or not self._unsettled.keys() <= self.given_up

    def stop(self, reason: str) -> bool:
        """Send nothing more; what works is cancelled and followed to its end. False when that had begun before.

        The first reason stays, unless it was only that an earlier life of this process was cut off.
        """
        if self.phase is not Phase.ENDED and self.stop_reason in ("", _INTERRUPTED):
            self.stop_reason = reason
        if self.phase in (Phase.ENDING, Phase.ENDED):
            return False
        self.phase, self.cancel_rounds, self.is_pricing = Phase.ENDING, 0, False
        return True

    def cancel_round(self, today: date) -> list[Leg]:
        """The orders to cancel now. After some rounds without an answer wait no longer: they stay reserved.

        An order that the broker never confirmed is waited for: its lists will show it or prove it absent that day.
        """
        self.cancel_rounds, self.is_pricing = self.cancel_rounds + 1, False  # an answer that is late is asked for again
        is_past = today != self.day
        if self.cancel_rounds <= _CANCEL_ROUNDS_MAX and not is_past:
            return [leg for leg in self.open_legs() if leg.can_be_cancelled()]
        self.given_up.update(leg.request.tag for leg in self.open_legs() if leg.order_id or is_past)
        self.cancel_rounds = 0
        return []

    def verdict(self) -> tuple[str, str]:
        """How the run ended, and why it did not trade everything: two stable codes, the second empty when it did.

        completed, incomplete, superseded; or interrupted: to be planned again, as nothing of it is unknown.
        """
        is_known, is_complete = not self._unsettled, self.is_complete()
        reason = "unknown" if not is_known else self.stop_reason or ("" if is_complete else "not_filled")
        if not self.stop_reason and is_complete:
            return "completed", reason
        has_own_word = self.stop_reason == "superseded" or (self.stop_reason == _INTERRUPTED and is_known)
        return self.stop_reason if has_own_word else "incomplete", reason

    def adopt(self, request: OrderRequest) -> None:
        """Take over an order that an earlier life of this process journalled."""
        if request.tag not in self.legs:
            leg = self.legs[request.tag] = self._unsettled[request.tag] = Leg(request)
            self._by_code[request.code].append(leg)

    def on_order(self, order: BrokerOrder) -> bool:
        """Note what the broker says of an order; false when it is not of this run."""
        leg = self.legs.get(order.tag)
        if leg is None:
            return False
        leg.order = merge(leg.order, order)
        if order.traded > leg.request.shares:
            raise InvariantBroken(f"{order.tag} traded {order.traded} of {leg.request.shares} shares")
        self._note(leg)
        return True

    def on_fill(self, trade: Trade, fee: Fee) -> bool:
        """Book a fill, each once; false when it is not of this run. The minimum commission counts once per order."""
        leg = self.legs.get(trade.tag)
        key = (trade.code, trade.order_id, trade.trade_id)
        if leg is None or key in self._seen:
            return leg is not None
        self._seen.add(key)
        amount = trade.shares * trade.price
        leg.filled += trade.shares
        leg.amount += amount
        cost = trade.fee if trade.fee is not None else fee(trade.code, trade.side, 1, leg.amount) - leg.fees
        leg.fees += cost
        self.cash += amount - cost if trade.side is Side.SELL else -amount - cost
        self.fees += cost
        self._note(leg)
        return True

    def open_legs(self) -> list[Leg]:
        """Orders that may still trade."""
        return list(self._unsettled.values())

    def is_complete(self) -> bool:
        """Whether everything that was ordered traded."""
        return all(leg.filled == leg.request.shares for leg in self.legs.values())

    def residual(self, row: PlanRow) -> str:
        """Why less of a name was traded than wanted: a stable reason code, empty when nothing is missing."""
        legs = self._by_code[row.code]
        if any(leg.order is None or leg.order.status is OrderStatus.UNKNOWN for leg in legs):
            return "unknown"
        if any(leg.order is not None and leg.order.status is OrderStatus.JUNK for leg in legs):
            return "rejected"
        if any(leg.filled < leg.request.shares for leg in legs):
            return "not_filled"
        return self.reasons.get(row.code, row.reason if legs or row.side is None else "not_sent")

    def filled(self, code: str) -> int:
        """Shares of a name that this run traded."""
        return sum(leg.filled for leg in self._by_code[code])

    def _note(self, leg: Leg) -> None:
        if leg.is_settled():
            self._unsettled.pop(leg.request.tag, None)
        else:
            self._unsettled[leg.request.tag] = leg

    def _open(self, rows: Iterable[PlanRow]) -> list[OrderRequest]:
        requests: list[OrderRequest] = []
        for row in rows:
            assert row.side is not None
            for shares in row.children:
                tag = make_tag(self.day, self.plan.target_id, self.plan.attempt, len(self.legs))
                request = OrderRequest(tag, row.code, row.side, shares, row.price)
                self.adopt(request)
                requests.append(request)
        return requests


def unsent_status(reason: str) -> str:
    """The status of a run that was stopped before anything of it was sent."""
    return reason if reason in ("superseded", _INTERRUPTED) else "refused"
