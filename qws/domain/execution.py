"""One plan on its way through the market: what may leave now, and what of it is over. RELIABILITY.md 4 (I1-I5), 6.3."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from qws.domain.affordable import fit_to_cash
from qws.domain.chase import Chase
from qws.domain.costs import Fee
from qws.domain.execution_rules import ExecutionRules, Release
from qws.domain.known_orders import NOT_SENT, STALE_PRICE
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest
from qws.domain.pace import Pace
from qws.domain.plan import Plan, PlanRow
from qws.domain.rest import SoFar
from qws.domain.run_orders import Leg, RunOrders
from qws.domain.tags import make_tag
from qws.errors import InvariantBroken

_CANCELS_MAX = 3
_ROUNDS_MAX = 60  # a fill that no list shows for so many rounds of cancels is waited for no longer
INTERRUPTED = "interrupted"


class Phase(StrEnum):
    """How far a run has come; `selling` may buy, too; `ending` waits for the last orders, `ended` has told so."""

    SELLING = "selling"
    BUYING = "buying"
    ENDING = "ending"
    ENDED = "ended"


class Execution(RunOrders):
    """The orders of one plan, and the shares of it that still have to leave."""

    def __init__(self, plan: Plan, rules: ExecutionRules, fee: Fee) -> None:
        super().__init__(plan.cash, fee)
        self.plan, self.day, self.rules, self.before = plan, plan.at.date(), rules, SoFar()
        self.phase, self.stop_reason = Phase.SELLING, ""
        self.chase, self._pace = Chase(rules.chase), Pace()
        self.asked: tuple[str, ...] = ()  # names whose prices are being read
        self._rows = {row.code: row for row in plan.rows}  # as they are priced now
        self._pending = {row.code: row.shares for row in plan.rows if row.side is not None and row.shares}  # in order
        self._ordered: dict[str, int] = {}  # shares of a name that left, those sent again counted once
        self._priced_at: dict[str, datetime] = {}
        self.reasons: dict[str, str] = {}
        self.timed: Phase | None = None
        self.opens_at: datetime | None = None  # when somebody looks again; a timer may come early
        self.owes_round = False  # a cancel round waits for the broker
        self.buys_held, self._is_overdue = "", False

    @property
    def key(self) -> tuple[str, int]:
        """Run and attempt: a timer or an order of another one means nothing here."""
        return self.plan.run_id, self.plan.attempt

    @property
    def identity(self) -> tuple[str, str, date, int]:
        """Run, target, day and attempt."""
        return self.plan.run_id, self.plan.target_id, self.day, self.plan.attempt

    @property
    def is_trading(self) -> bool:
        """Whether it sells or buys, and nothing asked for its end."""
        return self.phase in (Phase.SELLING, Phase.BUYING)

    def was_sent(self) -> bool:
        """Whether any order of the run may have left, in this attempt or before."""
        return self.before.was_sent or any(leg.was_sent() for leg in self.legs.values())

    def due(self) -> list[PlanRow]:
        """What may leave now, in this order: sells; buys when all sells are over, or as far as certain money pays."""
        if (room := self._pace.room()) == 0:
            return []
        rows = list(self._ready(Side.SELL)) if self.phase is Phase.SELLING else []
        if self.phase is Phase.BUYING:
            rows = list(self._ready(Side.BUY))
        elif self.phase is Phase.SELLING and self.rules.release is Release.PIPELINED:
            money = self._free()
            for row in self._ready(Side.BUY):
                money -= row.shares * row.price + row.fee
                if money < 0:
                    break
                rows.append(row)
        return rows[:room]

    def codes_to_price(self, rows: Iterable[PlanRow], now: datetime) -> tuple[str, ...]:
        """The names whose prices are too old to send by; they are to be read, and nothing leaves until then."""
        oldest = self.rules.price_age_max_s
        self.asked = tuple(
            row.code
            for row in rows
            if (now - self._priced_at.get(row.code, self.plan.at)).total_seconds() > oldest
        )  # fmt: skip
        return self.asked

    def send(self, rows: Iterable[PlanRow], now: datetime, most: int | None = None) -> list[OrderRequest]:
        """Let these rows leave, in `most` orders; in the end buys are cut to the money that is certain."""
        if self.phase is Phase.BUYING:
            rows = fit_to_cash(rows, self._free(), self._fee)
        requests: list[OrderRequest] = []
        room = min((each for each in (self._pace.room(), most) if each is not None), default=None)
        for row in rows:
            if row.shares < self._pending[row.code]:
                self.reasons[row.code] = row.reason or "lot"
            opened = self._open(row, None if room is None else room - len(requests), now)
            if later := sum(row.children[len(opened) :]):
                self._pending[row.code] = later
            else:
                del self._pending[row.code]
            requests += opened
        self._pace.note_sent([self.legs[request.tag] for request in requests])
        return requests

    def resting(self, now: datetime) -> tuple[str, ...]:
        """The names whose orders have rested long enough for their prices to be read again."""
        if self._is_overdue or self.asked or not self.is_trading:
            return ()
        side = Side.BUY if self.phase is Phase.BUYING else None  # sells that did not end in time are left alone
        legs = [leg for leg in self.open_legs(side) if self.chase.is_resting(leg, now)]
        self.asked = tuple(dict.fromkeys(leg.request.code for leg in legs))
        return self.asked

    def asked_rows(self) -> tuple[PlanRow, ...]:
        """The rows whose prices are being read."""
        return tuple(self._rows[code] for code in self.asked)

    def worst_prices(self) -> dict[str, Decimal]:
        """For names that were sent before: the worst price that the slippage budget allows."""
        found = {row.code: self.chase.worst(row.code, row.side) for row in self.asked_rows() if row.side is not None}
        return {code: price for code, price in found.items() if price is not None}

    def reprice(self, at: datetime, rows: Iterable[PlanRow]) -> list[Leg]:
        """Go on with rows that were priced again; orders that rest at a worse price are to be cancelled."""
        worse: list[Leg] = []
        self.asked = ()
        for row in rows:
            is_waiting = row.code in self._pending
            if not is_waiting and self.is_trading and not self._is_overdue:
                legs = [leg for leg in self.legs_of(row.code) if leg.can_be_cancelled() and leg.rest]
                worse += self.chase.judge(row, legs)
            if row.side is not None:
                self._rows[row.code], self._priced_at[row.code] = row, at
            elif is_waiting:
                del self._pending[row.code]
                self.reasons[row.code] = row.reason
        return worse

    def send_again(self, look: int) -> None:
        """Orders that were cancelled for a better price have ended for good: what is left of them may leave again."""
        for leg in self.chase.checked(look):
            self._put_back(leg)

    def hold_buys(self, reason: str) -> None:
        """Buy nothing more; what works goes on."""
        self.buys_held = reason
        self._drop(Side.BUY, reason)

    def on_order(self, order: BrokerOrder) -> bool:
        """Note what the broker says of an order; one that was too old to be handed over is priced again."""
        leg = self.legs.get(order.tag)
        was_open = leg is not None and not leg.is_settled()
        is_ours = super().on_order(order)
        if leg is not None and was_open and order.message == f"{NOT_SENT}: {STALE_PRICE}" and leg.is_settled():
            self._pace.note_late()
            self._put_back(leg)
        return is_ours

    def is_phase_over(self) -> bool:
        """Whether nothing of the present phase waits, works or may be sent again."""
        if self.asked or self.phase is Phase.ENDED:
            return False
        side = Side.SELL if self.phase is Phase.SELLING else None
        return not (any(self._waiting(side)) or self.awaited(side) or self.chase.waits(side))

    def turn(self) -> Phase:
        """Begin the next phase."""
        self.phase = Phase.BUYING if self.phase is Phase.SELLING else Phase.ENDED
        self._is_overdue = False
        return self.phase

    def needs_timer(self) -> bool:
        """Whether orders work in a phase whose end was not set; it is from now on."""
        is_new = self.timed is not self.phase and self.is_trading and self.awaited()
        self.timed = self.phase if is_new else self.timed
        return is_new

    def end_sending(self, reason: str) -> None:
        """Send nothing more of what waits; what works goes on. The first reason stays."""
        self.stop_reason = self.stop_reason or reason
        self._drop(None, reason)
        self.chase.forget()

    def stop(self, reason: str) -> bool:
        """Send nothing more; what works is cancelled and followed to its end. False when that had begun before.

        The first reason stays, unless it was only that an earlier life of this process was cut off.
        """
        if self.phase is not Phase.ENDED and self.stop_reason in ("", INTERRUPTED):
            self.stop_reason = reason
        if self.phase in (Phase.ENDING, Phase.ENDED):
            return False
        self.phase, self.asked = Phase.ENDING, ()
        self._pending.clear()
        self.chase.forget()
        return True

    def cancel_round(self, today: date) -> list[Leg]:
        """The orders to cancel now. One that was cancelled so often in vain is waited for no longer: it stays reserved.

        An order that the broker never confirmed is waited for: its lists will show it or prove it absent that day.
        """
        self._is_overdue, self.asked = True, ()
        side = Side.SELL if self.phase is Phase.SELLING else None
        self._drop(side)
        self.chase.forget(side)
        is_past, legs = today != self.day, self.open_legs(side)
        for leg in legs:
            leg.rounds += leg.order is not None and leg.order.status.is_terminal  # what traded is not told
        tired = [leg for leg in legs if leg.cancels >= _CANCELS_MAX or leg.rounds >= _ROUNDS_MAX or is_past]
        self.given_up.update(leg.request.tag for leg in tired)
        asked = [leg for leg in legs if leg.can_be_cancelled() and leg.request.tag not in self.given_up]
        for leg in asked:
            leg.cancels += 1
        return asked

    def ordered(self, code: str) -> int:
        """The shares of a name that left; those that left again count once."""
        asked = sum(leg.request.shares for leg in self.legs_of(code))
        return self._ordered.get(code, min(asked, self._rows[code].shares))

    def _free(self) -> Decimal:
        """Certain money that no open order may take, less what is kept back."""
        return self.cash - self.owed - self.rules.cash_reserve

    def _waiting(self, side: Side | None) -> Iterator[PlanRow]:
        """The rows of a side that wait to be sent, in the plan's order, each with the shares that are left of it."""
        for code in tuple(self._pending):
            if side not in (None, self._rows[code].side):
                continue
            row = self.left_of(self._rows[code], self._pending[code])
            if row.shares or self.under_way(code):
                yield row
            else:  # no order covers the rest, and none will
                self.reasons[code] = "lot"
                del self._pending[code]

    def _ready(self, side: Side) -> Iterator[PlanRow]:
        """Those of them of which no order is unknown (RELIABILITY.md I1c)."""
        unknown = {leg.request.code for leg in self.open_legs(side) if not leg.order_id}
        return (row for row in self._waiting(side) if row.shares and row.code not in unknown)

    def _drop(self, side: Side | None, reason: str = "") -> None:
        """Send nothing of a side that waits."""
        for code in [code for code in self._pending if side in (None, self._rows[code].side)]:
            del self._pending[code]
            if reason:
                self.reasons[code] = reason

    def _may_leave(self, side: Side) -> bool:
        """Whether this side's time has not passed."""
        if self.phase is Phase.SELLING:
            return side is Side.BUY or not self._is_overdue
        return self.phase is Phase.BUYING and side is Side.BUY and not self._is_overdue

    def _put_back(self, leg: Leg) -> None:
        """Let the rest of an order that has ended leave again, unless its time is over."""
        code, side = leg.request.code, leg.request.side
        if not self._may_leave(side):
            return
        if side is Side.BUY and self.buys_held:
            self.reasons[code] = self.buys_held
        else:
            pending = self._pending | {code: self._pending.get(code, 0) + leg.rest}
            self._pending = {each: pending[each] for each in self._rows if each in pending}

    def _open(self, row: PlanRow, room: int | None, now: datetime) -> list[OrderRequest]:
        """Turn a row into orders, at most `room`; never more than the plan wants is under way (RELIABILITY.md I2)."""
        taken = self.filled(row.code) + self.under_way(row.code)
        if taken + row.shares > self._rows[row.code].shares:
            raise InvariantBroken(f"{row.code}: {taken} shares traded or under way, {row.shares} more exceed the plan")
        if row.side is None:
            return []
        self._ordered[row.code] = max(taken + row.shares, self._ordered.get(row.code, 0))
        self.chase.note_sent(row)
        requests: list[OrderRequest] = []
        for shares in row.children[:room]:
            tag = make_tag(self.day, self.plan.target_id, self.plan.attempt, len(self.legs))
            requests.append(OrderRequest(tag, row.code, row.side, shares, row.price))
            self.adopt(requests[-1], now)
        return requests
