"""A day held against the broker's own lists: orders, fills, holdings, cash. Pure; what differs is named and explained.

What trades, fees and flows explain is `qws.domain.flows`, the truth of the close; nothing is counted twice here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from qws.domain.account import Look
from qws.domain.costs import Costs
from qws.domain.drifts import is_bonus
from qws.domain.flows import Stand, Unexplained, unexplained
from qws.domain.orders import BrokerOrder, OrderStatus, Trade
from qws.domain.prices import half_up
from qws.domain.tags import is_ours

EXPLAINED = ("manual_trade", "transfer", "dividend", "fees")  # somebody's doing, earned, or guessed: nothing is wrong
_CENT, _SLACK = Decimal("0.01"), Decimal(1)
_FEES_FACTOR = 4  # as while a run is on: a difference of so many tolerances is still one of estimated fees


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that the broker's lists and our books say differently. `code` is stable, `subject` an order, a fill
    or a name; `explanation` is manual_trade, transfer, dividend, fees, missed_days or unexplained."""

    code: str
    subject: str
    ours: str
    theirs: str
    explanation: str

    @property
    def is_explained(self) -> bool:
        """Whether nothing is wrong."""
        return self.explanation in EXPLAINED


@dataclass(frozen=True, slots=True)
class Books:
    """What the journal says of a day: the last word on each order, fills since the close before, the two closes.

    `before` is None on the first day; `is_gapless` says that it is the close of the trading day before. `flow` is what
    the day's own close told of deposits less withdrawals, in CNY.
    """

    day: date
    orders: Mapping[str, BrokerOrder]
    fills: Sequence[Trade]
    before: Stand | None
    close: Stand
    flow: Decimal | None
    is_gapless: bool


def differences(books: Books, look: Look, costs: Costs) -> tuple[Difference, ...]:
    """Everything that differs, in the order orders, fills, trades of others, holdings, cash."""
    listed = _Listed(books, look)
    return (*listed.of_orders(), *listed.of_fills(), *_strangers(listed.foreign), *_of_account(books, look, costs))


class _Listed:
    """The broker's rows, and whose they are: the broker's id tells, else the tag of an order that has no id yet."""

    def __init__(self, books: Books, look: Look) -> None:
        self._orders, self._rows = books.orders, look.orders
        ids = {each.order_id: tag for tag, each in books.orders.items() if each.order_id}
        untold = {tag for tag, each in books.orders.items() if not each.order_id}
        self._tags = {row.order_id: ids.get(row.order_id, row.tag if row.tag in untold else "") for row in look.orders}
        self._ours = {_key(each): each for each in books.fills if each.at.date() == books.day}
        theirs = [each for each in look.trades if each.at.date() == books.day]
        self.foreign = [each for each in theirs if not (self._tags.get(each.order_id) or ids.get(each.order_id))]
        strange = set(map(_key, self.foreign))
        self._theirs = {_key(each): each for each in theirs if _key(each) not in strange}

    def of_orders(self) -> Iterator[Difference]:
        """An order that no list has, one that ended otherwise, one of ours that nobody meant."""
        rows = {tag: row for row in self._rows if (tag := self._tags[row.order_id])}
        for tag, order in sorted(self._orders.items()):
            row = rows.get(tag)
            is_due = order.status is not OrderStatus.JUNK and (order.order_id or not order.status.is_terminal)
            if row is None and is_due:
                yield Difference("order_missing", tag, _state(order), "", "unexplained")
            elif row is not None and _end(order) != _end(row):
                yield Difference("order_differs", tag, _state(order), _state(row), "unexplained")
        for row in self._rows:
            if not self._tags[row.order_id] and is_ours(row.tag):
                yield Difference("order_unknown", f"{row.order_id} [{row.tag}]", "", _state(row), "unexplained")

    def of_fills(self) -> Iterator[Difference]:
        """A fill that only one side knows, and one that both know otherwise."""
        for key in sorted(self._ours.keys() | self._theirs.keys()):
            ours, theirs = self._ours.get(key), self._theirs.get(key)
            if ours is None or theirs is None or (ours.shares, ours.price) != (theirs.shares, theirs.price):
                code = "fill_unheard" if ours is None else "fill_unlisted" if theirs is None else "fill_differs"
                yield Difference(code, " ".join(key), _traded(ours), _traded(theirs), "unexplained")


def _strangers(trades: Iterable[Trade]) -> Iterator[Difference]:
    """Trades that this program did not make, summed up by name and side; those under a tag of ours nobody meant."""
    sums: defaultdict[tuple[str, str, bool], list[Trade]] = defaultdict(list)
    for each in trades:
        sums[each.code, str(each.side), is_ours(each.tag)].append(each)
    for (code, side, has_our_tag), made in sorted(sums.items()):
        shares, amount = sum(each.shares for each in made), sum((each.shares * each.price for each in made), Decimal(0))
        theirs = f"{side} {shares} @ {half_up(amount / shares, Decimal('0.0001'))}" if shares else side
        yield Difference("foreign_trade", code, "", theirs, "unexplained" if has_our_tag else "manual_trade")


def _of_account(books: Books, look: Look, costs: Costs) -> Iterator[Difference]:
    """Holdings and cash: those of the close before, moved by all trades since, by fees and by flows."""
    if books.before is None:
        return
    now = Stand(look.at, look.asset, look.positions)
    found = unexplained(books.before, now, (*books.fills, *look.trades), costs)
    held = {each.code: each for each in books.before.positions if each.shares}
    values = {each.code: each.market_value / each.shares for each in (*held.values(), *now.positions) if each.shares}
    bonus = {code for code, count in found.shares.items() if code in held and _is_bonus(count, held[code].shares)}
    moved = sum(count * values.get(code, Decimal(0)) for code, count in found.shares.items() if code not in bonus)
    rest = found.money - (now.money - books.close.money)  # what the close saw
    is_sure = books.is_gapless or not found.shares  # else the close guessed, too
    is_told = bool(books.flow) and is_sure and abs(rest + moved - (books.flow or 0)) <= found.slack
    gap = "unexplained" if books.is_gapless else "missed_days"
    shares = {each.code: each.shares for each in look.positions}
    for code, count in found.shares.items():
        theirs, why = shares.get(code, 0), "dividend" if code in bonus else "transfer" if is_told else gap
        yield Difference("shares", code, str(theirs - count), str(theirs), why)
    if abs(found.money) > found.slack:
        why = _why_of_money(found, rest, books.flow, gap, is_told=is_told)
        yield Difference("cash", "", _cny(now.money - found.money), _cny(now.money), why)


def _why_of_money(found: Unexplained, rest: Decimal, flow: Decimal | None, gap: str, *, is_told: bool) -> str:
    """What moved since the close is moved for certain, and the next close tells it; what the close saw, it told."""
    if abs(rest) <= found.slack:
        return "transfer"
    if found.slack > _SLACK and abs(rest) <= _FEES_FACTOR * found.slack:
        return "fees"
    is_earned = flow == 0 and rest > 0 and all(count > 0 for count in found.shares.values())
    return "transfer" if is_told else "dividend" if is_earned else gap


def _is_bonus(count: int, held: int) -> bool:
    return count > 0 and is_bonus(Decimal(count), Decimal(held))


def _key(trade: Trade) -> tuple[str, str, str]:
    return trade.code, trade.order_id, trade.trade_id


def _end(order: BrokerOrder) -> tuple[bool, int]:
    return order.status.is_terminal, order.traded


def _state(order: BrokerOrder) -> str:
    return f"{order.code} {order.side} {order.traded}/{order.shares} {order.status.name.lower()}"


def _traded(trade: Trade | None) -> str:
    return "" if trade is None else f"{trade.side} {trade.shares} @ {trade.price}"


def _cny(amount: Decimal) -> str:
    return f"{half_up(amount, _CENT):,.2f}"
