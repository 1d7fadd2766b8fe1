"""Our own books of one account, compared with queries that lag, repeat or come empty. RELIABILITY.md sections 3C, 4."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import NamedTuple

from qws.domain.account import Look, Snapshot, does_not_add_up
from qws.domain.costs import Costs
from qws.domain.drifts import FEE_OF_AMOUNT, FEE_OF_ORDER, Causes, Difference, Question, Standing, Verdict, What
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade, merge

_SLACK = Decimal(1)  # CNY: cents that the broker rounds otherwise
_FEES_FACTOR = 4  # a difference of up to so many tolerances is still one of fees
_UNCERTAIN = (OrderStatus.UNKNOWN, OrderStatus.UNREPORTED)


class Drift(NamedTuple):
    """A difference that stands: CNY for the code "", otherwise shares; `explanation` is a stable code."""

    code: str
    ours: Decimal
    theirs: Decimal
    explanation: str


class Comparison(NamedTuple):
    """Differences to be told, each once. `agrees`: the answers are of now, and what they differ in was told."""

    drifts: tuple[Drift, ...]
    agrees: bool


class _Fill(NamedTuple):
    at: datetime  # by the broker's clock
    noted: datetime  # by ours
    code: str
    shares: int
    money: Decimal


@dataclass(slots=True)
class _Own:
    """One order of ours: what is known of it, and what it traded so far."""

    order: BrokerOrder
    filled: int = 0
    amount: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    is_estimated: bool = False

    @property
    def rest(self) -> int:
        """Shares that are held for what may still trade, or has traded and is not booked."""
        order = self.order
        return max((order.traded if order.status.is_terminal else order.shares) - self.filled, 0)

    @property
    def is_certain(self) -> bool:
        """Whether the broker confirmed the order, and every share that it says traded is booked."""
        return self.order.status not in _UNCERTAIN and self.filled >= self.order.traded


class AccountLedger:
    """Money and shares of one account on one day: the snapshot of a plan, and our own fills since then.

    An answer may be as old as `lag_s` seconds, and reports come as late as that: an answer is compared with all that
    was true in that time, and a difference counts when it stays (`Standing`).
    """

    def __init__(self, costs: Costs, lag_s: float) -> None:
        self._costs, self._lag = costs, timedelta(seconds=lag_s)
        self._base: Snapshot | None = None
        self._same_day = frozenset[str]()  # codes that may be sold on the day they are bought
        self._money, self._spread = Decimal(0), Decimal(0)  # cash and what is frozen; how far fees may be off
        self._shares, self._sellable = Counter[str](), Counter[str]()
        self._own: dict[str, _Own] = {}
        self._recent: deque[_Fill] = deque()
        self._seen: set[tuple[str, str, str]] = set()  # the fills of its day
        self._changed: datetime | None = None  # anything of ours
        self._traded: dict[str, datetime] = {}  # a code of ours; "" for any
        self._standing = Standing(self._lag)
        self._told: list[tuple[str, str, Decimal]] = []

    @property
    def money(self) -> Decimal:
        """Cash and frozen cash in CNY: moves with fills only."""
        return self._money

    @property
    def frozen(self) -> Decimal:
        """CNY that open buys hold, at their limits and with fees, and what was frozen when the books began."""
        before = self._base.asset.frozen if self._base is not None else Decimal(0)
        return before + sum((self._held_by(own) for own in self._own.values()), Decimal(0))

    @property
    def cash(self) -> Decimal:
        """CNY that may be spent."""
        return self._money - self.frozen

    def is_of(self, moment: datetime) -> bool:
        """Whether the books are of this day."""
        return self._base is not None and self._base.at.date() == moment.date()

    def shares(self, code: str) -> int:
        """Shares held."""
        return self._shares[code]

    def sellable(self, code: str) -> int:
        """Shares that may be sold now: none bought today, none that an open sell holds (RULES.md section 11)."""
        return self._sellable[code] - self._selling()[code]

    def begin(self, snapshot: Snapshot, now: datetime) -> None:
        """Open the books for a plan made of this snapshot.

        Soon after something changed a snapshot may lag: books of the day that explain it go on, and know better.
        """
        self._forget(now)
        self._standing.clear()
        self._told.clear()
        is_same_day, is_still = self.is_of(snapshot.at), self._stands_still(now)
        if is_same_day and not is_still and self._explains(snapshot):
            self._own = {tag: own for tag, own in self._own.items() if own.rest}
            return
        self._base, self._money = snapshot, snapshot.asset.cash + snapshot.asset.frozen
        self._same_day = frozenset(each.code for each in snapshot.instruments if each.same_day_sell)
        self._shares = Counter({each.code: each.shares for each in snapshot.positions})
        self._sellable = Counter({each.code: each.sellable for each in snapshot.positions})
        self._spread, self._changed = Decimal(0), None
        self._traded.clear()
        self._own.clear()
        self._recent.clear()
        if not is_same_day:
            self._seen.clear()

    def intend(self, order: OrderRequest, now: datetime) -> None:
        """An order is about to be handed over."""
        self._own[order.tag] = _Own(BrokerOrder.unknown(order, now))
        self._changed = now

    def note_order(self, order: BrokerOrder, now: datetime) -> None:
        """What the broker says of an order."""
        if own := self._own.get(order.tag):
            own.order, self._changed = merge(own.order, order), now

    def note_fill(self, trade: Trade, now: datetime) -> None:
        """Book a fill of ours, each once."""
        key = trade.code, trade.order_id, trade.trade_id
        if key in self._seen or not self.is_of(trade.at):
            return
        self._seen.add(key)
        sign, cost = (1 if trade.side is Side.BUY else -1), self._cost(trade)
        shares, money = sign * trade.shares, -sign * trade.shares * trade.price - cost
        self._recent.append(_Fill(trade.at, now, trade.code, shares, money))
        self._money += money
        self._shares[trade.code] += shares
        if trade.side is Side.SELL or trade.code in self._same_day:
            self._sellable[trade.code] += shares
        self._changed = self._traded[""] = self._traded[trade.code] = now

    def note_told(self, code: str, explanation: str, size: Decimal) -> None:
        """A drift is told: it is not told again."""
        self._told.append((code, explanation, size))

    def compare(self, look: Look) -> Comparison:
        """Hold the broker's answers against the books.

        Answers of another day, or that prove nothing, neither count nor begin the count anew.
        """
        if self._base is None or not self.is_of(look.at):
            return Comparison((), agrees=True)
        look = look.named({own.order.order_id: tag for tag, own in self._own.items() if own.order.order_id})
        if self._proves_nothing(look):
            return Comparison((), agrees=False)
        self._forget(look.at)
        fees_max = _FEES_FACTOR * self._tolerance if self._own else Decimal(0)
        causes, drifts, agrees = Causes(self._base, look, self._lag, fees_max), list[Drift](), True
        for question in self._questions(look):
            verdict, found = self._standing.judge(question, look.at)
            agrees = agrees and verdict is not Verdict.OPEN
            if verdict is Verdict.DIFFERS and self._is_news(found, explanation := causes.of(found)):
                self.note_told(found.code, explanation, found.size)
                drifts.append(Drift(found.code, question.said[0], question.theirs, explanation))
        return Comparison(tuple(drifts), agrees)

    @property
    def _tolerance(self) -> Decimal:
        """CNY that money may differ by: cents, and what estimated fees may be off."""
        return _SLACK + self._spread

    def _questions(self, look: Look) -> Iterator[Question]:
        """What is compared. What open orders hold is compared only while the broker has confirmed all of them."""
        asset, held, nothing = look.asset, {each.code: each for each in look.positions}, Decimal(0)
        moneys, shares = self._said()
        is_certain = all(own.is_certain for own in self._own.values())
        yield Question(What.MONEY, "", asset.cash + asset.frozen, moneys, self._tolerance, self._traded.get(""))
        if is_certain and abs(asset.cash + asset.frozen - self._money) <= self._tolerance:
            fees = sum((self._full_fee(own) + FEE_OF_ORDER for own in self._own.values() if own.rest), nothing)
            yield Question(What.CASH, "", asset.cash, [self.cash], self._tolerance + fees, self._changed)
        selling = self._selling()
        for code in sorted(held.keys() | shares.keys()):
            theirs = held[code].shares if code in held else 0
            yield Question(
                What.SHARES, code, Decimal(theirs), shares.get(code, [nothing]), nothing, self._traded.get(code)
            )
            if is_certain and code in held and theirs == self._shares[code]:
                sellable = Decimal(self._sellable[code] - selling[code])
                yield Question(What.SELLABLE, code, Decimal(held[code].sellable), [sellable], nothing, self._changed)

    def _said(self) -> tuple[list[Decimal], dict[str, list[Decimal]]]:
        """Money, and shares by code, at every moment that an answer may be of; the newest first."""
        fills = sorted(self._recent, key=lambda fill: fill.at)[::-1]
        moneys = list(accumulate((-fill.money for fill in fills), initial=self._money))
        shares = {code: [Decimal(held)] for code, held in self._shares.items()}
        for fill in fills:
            shares[fill.code].append(shares[fill.code][-1] - fill.shares)
        return moneys, shares

    def _is_news(self, found: Difference, explanation: str) -> bool:
        return not any(
            (code, cause) == (found.code, explanation) and abs(size - found.size) <= found.slack
            for code, cause, size in self._told
        )

    def _proves_nothing(self, look: Look) -> bool:
        """Answers that contradict each other, are empty, or know more of our orders than we were told."""
        is_blank = not look.positions and not look.foreign_trades and any(self._shares.values())
        if is_blank or (not look.asset.total and self._money) or does_not_add_up(look.asset, look.positions):
            return True
        traded = Counter[str]()
        for trade in look.trades:
            traded[trade.tag] += trade.shares
        if any(traded[tag] > own.filled for tag, own in self._own.items()):
            return True
        known = ((self._own[order.tag].order, order) for order in look.orders if order.tag in self._own)
        return any(merge(ours, theirs) != ours for ours, theirs in known)

    def _explains(self, snapshot: Snapshot) -> bool:
        moneys, shares = self._said()
        money, held = snapshot.asset.cash + snapshot.asset.frozen, {each.code: each for each in snapshot.positions}
        return any(abs(money - each) <= self._tolerance for each in moneys) and all(
            (held[code].shares if code in held else 0) in shares.get(code, (0,)) for code in held.keys() | shares.keys()
        )

    def _cost(self, trade: Trade) -> Decimal:
        """The fee of a fill: the broker's, or an estimate, by which the tolerance grows."""
        amount = trade.shares * trade.price
        own = self._own.get(trade.tag) or _Own(_order_of(trade))
        own.filled += trade.shares
        own.amount += amount
        cost = trade.fee
        if cost is None:
            cost = self._costs.on(trade.at.date())(trade.code, trade.side, 1, own.amount) - own.fees
            self._spread += amount * FEE_OF_AMOUNT + (0 if own.is_estimated else FEE_OF_ORDER)
            own.is_estimated = True
        own.fees += cost
        return cost

    def _held_by(self, own: _Own) -> Decimal:
        if own.order.side is Side.SELL or not own.rest:
            return Decimal(0)
        return own.rest * own.order.price + max(self._full_fee(own) - own.fees, Decimal(0))

    def _full_fee(self, own: _Own) -> Decimal:
        """What the order costs when all of it trades at its limit."""
        order = own.order
        return self._costs.on(order.at.date())(order.code, order.side, order.shares, order.price)

    def _selling(self) -> Counter[str]:
        """Shares by code that open sells hold."""
        selling = Counter[str]()
        for own in self._own.values():
            if own.order.side is Side.SELL:
                selling[own.order.code] += own.rest
        return selling

    def _stands_still(self, now: datetime) -> bool:
        """Whether nothing of ours changed for so long that no answer can be of a time before."""
        return self._changed is None or now - self._changed >= self._lag

    def _forget(self, now: datetime) -> None:
        while self._recent and now - self._recent[0].noted > self._lag:
            self._recent.popleft()


def _order_of(trade: Trade) -> BrokerOrder:
    """An order of which nothing but a fill is known."""
    known = trade.order_id, trade.tag, trade.code, trade.side, trade.shares, trade.price, trade.shares
    return BrokerOrder(*known, OrderStatus.UNKNOWN, "", trade.at)
