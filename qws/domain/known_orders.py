"""What is known of the day's orders: intents, pushes and lists folded into one. RELIABILITY.md 6.3, XTQUANT.md H11."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from qws.domain.absence import Absence, is_held_for
from qws.domain.account import Look, Snapshot
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Stray, Trade, merge
from qws.domain.tags import day_part, is_mangled, is_ours, same_day_part

NEVER_ARRIVED = "never arrived"
NOT_SENT = "not sent"
TURNED_DOWN = "turned down"  # so begins what is told of an order that the broker refused and lists nowhere
STALE_PRICE = "stale_price"
ASK = "a person must say"  # so begins what is told of an order that nothing else can settle
_CONCLUDED = (NEVER_ARRIVED, TURNED_DOWN)  # not what a row of the broker's says
_CANCELS_MAX = 3  # of one order that nobody wants: brokers throttle programs that insist (XTQUANT.md 4.1)
_CLOCKS_DIFFER = timedelta(seconds=10)


class KnownOrders:
    """Each change and each fill comes out once, whatever is lost, doubled, late or out of order.

    Whose row it is tells the broker's id when its answer named it, else the tag in the remark, else a match of code,
    side, shares, price and time that only one order and only one row fit; else a person.
    """

    def __init__(self, absent_after_s: float) -> None:
        self._absence = Absence(absent_after_s)
        self._orders: dict[str, BrokerOrder] = {}
        self._tags: dict[str, str] = {}  # by the broker's id
        self._trades: set[tuple[date, str, str, str]] = set()
        self._filled: Counter[str] = Counter()
        self._early: list[Trade] = []  # fills of rows of which nobody knows yet whose they are
        self._before: Snapshot | None = None
        self._befores: dict[str, Snapshot | None] = {}  # by tag: the account before it left
        self._strays: set[str] = set()  # the broker's ids of rows that are none of the orders that were meant
        self._found: list[Stray] = []
        self._unwanted: set[str] = set()  # tags of orders that are to be cancelled wherever they turn up
        self._cancels: Counter[str] = Counter()
        self._day_part = ""

    def intend(self, request: OrderRequest, good_until: datetime, now: datetime) -> None:
        """An order is about to be handed over, or may have been: nothing is known of it."""
        self._begin(same_day_part(request.tag))
        self._orders[request.tag] = BrokerOrder.unknown(request, min(now, good_until))
        self._befores[request.tag] = self._before
        self._absence.expect(request.tag, now)

    def _begin(self, part: str) -> None:
        """A new day: orders are good for the day, no list shows yesterday's again, and ids may come again."""
        if part > self._day_part:
            self._day_part = part
            memories = self._orders, self._tags, self._trades, self._filled, self._early, self._strays, self._cancels
            for memory in memories:
                memory.clear()
            self._befores.clear()
            self._unwanted.clear()
            self._absence.forget()

    def note_account(self, before: Snapshot) -> None:
        """What the account held back before the next orders leave; prices are not kept for a whole day."""
        self._before = replace(before, quotes=(), instruments=())

    def note_order(self, order: BrokerOrder) -> None:
        """Take an order as it is told."""
        self._begin(same_day_part(order.tag))
        self._orders[order.tag] = order
        if order.order_id:
            self._tags[order.order_id] = order.tag
            self._strays.discard(order.order_id)  # a person said so
        if order.status.is_terminal:
            self._absence.found(order.tag)
            self._befores.pop(order.tag, None)

    def note_trade(self, trade: Trade) -> None:
        """Take a fill as it is told."""
        self._trades.add(_key(trade))
        self._filled[trade.tag] += trade.shares

    def note_stray(self, stray: Stray) -> None:
        """Take a row that should not be there as it is told; it is not told again."""
        if is_ours(stray.order.tag):
            self._begin(same_day_part(stray.order.tag))
        if stray.reason == "ghost":  # it is the order that was meant, only too late
            self._unwanted.add(stray.order.tag)
            self._absence.be_warier()
        else:
            self._strays.add(stray.order.order_id)

    def has_open(self, today: date) -> bool:
        """Whether news may come: an order of today still works, or trades that its status counts were not told."""
        return bool(self._early) or any(
            _is_of(tag, today) and (not order.status.is_terminal or self._filled[tag] < order.traded)
            for tag, order in self._orders.items()
        )

    def withdraw(self, tag: str, why: str) -> BrokerOrder:
        """An order that was never handed over, or never arrived: it ends here."""
        self.note_order(replace(self._orders[tag], status=OrderStatus.JUNK, message=why))
        return self._orders[tag]

    def settle(self, tag: str, order_id: str, rows: Sequence[BrokerOrder], today: date) -> BrokerOrder | None:
        """A person says what became of an order: it is that row of the list, or "" when it never arrived.

        None when nobody needs to be asked about the order: it is of another day, has ended, or the list shows it.
        """
        order, is_listed = self._orders.get(tag), tag in map(self._tag_of, rows)
        if order is None or order.status.is_terminal or is_listed or not _is_of(tag, today):
            return None
        row = next((each for each in rows if each.order_id == order_id), None)
        if not order_id:
            return self.withdraw(tag, NEVER_ARRIVED)
        if row is None or self._tag_of(row) or not _fits(order, row):
            self.note_order(replace(order, message=f"{ASK}: the broker's order {order_id} cannot be this one"))
        else:
            self.note_order(merge(order, replace(row, tag=tag)))
        return self._orders[tag]

    def unwant_open(self) -> None:
        """Nobody wants the orders any more that are open now, or of which nothing is known."""
        self._unwanted |= {tag for tag, order in self._orders.items() if not order.status.is_terminal}

    def to_cancel(self, rows: Iterable[BrokerOrder]) -> Iterator[BrokerOrder]:
        """Rows that nobody wants and that may still trade, each a few times."""
        for row in rows:
            is_unwanted = row.order_id in self._strays or self._tag_of(row) in self._unwanted
            if is_unwanted and not row.status.is_terminal and self._cancels[row.order_id] < _CANCELS_MAX:
                self._cancels[row.order_id] += 1
                yield row

    def merge_orders(self, heard: Iterable[BrokerOrder], today: date) -> Iterator[BrokerOrder]:
        """What is new about our orders of today."""
        self._begin(day_part(today))
        for row in heard:
            tag = self._tag_of(row) or self._tag_of_mangled(row, today)
            if not _is_of(tag, today) or row.order_id in self._strays:
                continue
            known, order = self._orders.get(tag), row if row.tag == tag else replace(row, tag=tag)
            if known is None or (reason := _contradiction(known, order)):
                self._find(order, "unintended" if known is None else reason)
                continue
            if _is_ghost(known, order):
                if tag not in self._unwanted:
                    self._find(order, "ghost")
                known = replace(known, status=OrderStatus.UNKNOWN, message="")  # what was concluded was wrong
            merged = merge(known, order)
            if merged != known:
                self.note_order(merged)
                yield merged

    def strays(self) -> list[Stray]:
        """Rows of ours that should not be there, each once."""
        found, self._found = self._found, []
        return found

    def merge_trades(self, heard: Iterable[Trade], today: date) -> Iterator[Trade]:
        """The fills of our orders of today that were not told.

        A fill of a row that is not known yet waits for it; one of a stray is none of ours, and the account will differ.
        """
        early, self._early = self._early, []
        for trade in (*early, *heard):
            tag = self._tag_of(trade)
            if not _is_of(tag, today) or _key(trade) in self._trades or trade.order_id in self._strays:
                continue
            if self._tags.get(trade.order_id) != tag:
                self._early += [trade] if trade not in self._early else []
                continue
            self.note_trade(ours := trade if trade.tag == tag else replace(trade, tag=tag))
            yield ours

    def look(self, rows: Iterable[BrokerOrder], now: datetime) -> bool:
        """Count a look at the list; whether an order was missed so long that its fate may be decided.

        A list without what is known to be there proves nothing; what was refused need not be there.
        """
        seen, today = {self._tag_of(row) for row in rows}, now.date()
        known = (tag for tag, each in self._orders.items() if each.order_id and each.status is not OrderStatus.JUNK)
        self._absence.look(seen, now, proves=all(tag in seen for tag in known if _is_of(tag, today)))
        return bool(self._absence.overdue())

    def look_again(self, now: datetime) -> None:
        """The connection was lost: what is missing is missing only from now on."""
        self._absence.begin_again(now)

    def decide(self, look: Look) -> Iterator[BrokerOrder]:
        """What became of orders that were missed so long: matched to a row, proven absent, or for a person to say."""
        seen = {self._tag_of(row) for row in look.orders}  # also what was only just known to be ours
        for tag, is_proven in self._absence.overdue().items():
            if tag in seen:
                continue
            order = self._orders[tag]
            rows = [row for row in look.orders if not self._is_named(row) and _fits(order, row)]
            is_held = is_held_for(order, look, self._befores[tag])
            is_free = self._absence.is_free(tag, is_held=is_held)
            if not order.order_id and len(rows) == 1 and self._is_only_match(tag, rows[0]):
                merged = merge(order, replace(rows[0], tag=tag, message="matched by code, side, shares, price, time"))
                self.note_order(merged)
                yield merged
            elif is_proven and not order.order_id and not rows and not is_held:
                if is_free:
                    yield self.withdraw(tag, NEVER_ARRIVED)
            elif (why := _for_a_person(order, rows)) != order.message:
                self.note_order(replace(order, message=why))
                yield self._orders[tag]

    def _is_only_match(self, tag: str, row: BrokerOrder) -> bool:
        """Whether no other order fits a row, and it came in time: later ones may be of a person who saw it missing."""
        return [tag] == self._rivals(row) and row.at <= self._orders[tag].at + self._absence.longest()

    def _tag_of(self, row: BrokerOrder | Trade) -> str:
        if is_ours(row.tag):
            return row.tag
        tag = self._tags.get(row.order_id, "")
        return tag if same_day_part(tag) == day_part(row.at.date()) else ""  # ids come again on other days

    def _is_named(self, row: BrokerOrder) -> bool:
        return bool(self._tag_of(row)) or bool(row.tag and not is_mangled(row.tag, row.at.date()))

    def _tag_of_mangled(self, row: BrokerOrder, today: date) -> str:
        """Whose row has a remark that was a tag of ours: nobody else's, so the only order that it fits."""
        if not is_mangled(row.tag, today) or row.order_id in self._strays:
            return ""
        rivals = self._rivals(row)
        if len(rivals) != 1:
            self._find(row, "mangled")
            return ""
        return rivals[0]

    def _rivals(self, row: BrokerOrder) -> list[str]:
        """The tags of orders that may be this row: nothing is known of them, and all that was asked for fits."""
        return [
            tag
            for tag, order in self._orders.items()
            if not order.order_id and not order.status.is_terminal and _fits(order, row)
        ]

    def _find(self, row: BrokerOrder, reason: str) -> None:
        if row.order_id not in self._strays:
            self.note_stray(stray := Stray(row, reason))
            self._found.append(stray)


def is_turned_down(order: BrokerOrder) -> bool:
    """Whether the broker refused an order that was handed over."""
    return order.status is OrderStatus.JUNK and not order.message.startswith((NOT_SENT, NEVER_ARRIVED))


def _is_ghost(known: BrokerOrder, heard: BrokerOrder) -> bool:
    """Whether an order may trade after all that was written off; one that the broker refused never will."""
    is_written_off = known.status.is_terminal and (not known.order_id or known.message.startswith(_CONCLUDED))
    return is_written_off and bool(heard.order_id) and (heard.status is not OrderStatus.JUNK or heard.traded > 0)


def _is_of(tag: str, today: date) -> bool:
    return is_ours(tag) and same_day_part(tag) == day_part(today)


def _key(trade: Trade) -> tuple[date, str, str, str]:
    return trade.at.date(), trade.code, trade.order_id, trade.trade_id


def _contradiction(known: BrokerOrder, heard: BrokerOrder) -> str:
    """Why a row cannot be the order whose tag it has; empty when it can."""
    if heard.traded > heard.shares:
        return "collision"
    if known.order_id and heard.order_id and known.order_id != heard.order_id:
        return "duplicate"
    asked = (known.code, known.side, known.shares, known.price)
    return "" if asked == (heard.code, heard.side, heard.shares, heard.price) else "collision"


def _fits(order: BrokerOrder, row: BrokerOrder) -> bool:
    return not _contradiction(replace(order, order_id=""), row) and row.at >= order.at - _CLOCKS_DIFFER


def _for_a_person(order: BrokerOrder, rows: Sequence[BrokerOrder]) -> str:
    why = "the lists do not show it, but they lack others too, or the account holds back what it needs"
    if order.order_id:
        why = f"the broker called it {order.order_id}, the lists do not show it"
    elif rows:
        why = f"{', '.join(sorted(row.order_id for row in rows))} at the broker may be it, without a readable remark"
    return f"{ASK} with `qws settle` what it is: {why}"
