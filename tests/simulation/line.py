"""The line to the broker, which outlives the process: outages, answers that stand still, ids that begin anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Protocol, TypeVar

from qws.domain.account import Position
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.ports import BrokerEvent, LinkDown, LinkUp
from qws.runtime.clock import SHANGHAI
from tests.simulation.life import Outside
from tests.simulation.others import Others
from tests.simulation.terminal import Terminal
from tests.simulation.weather import Weather

T = TypeVar("T")
_STALE_S = 3.0  # with a late order's way, less than the quarantine of 10 s
_SHORT_S = 10.0
_SEEN = Decimal("0.003")  # of the account: nobody can miss a holding of less (RELIABILITY.md I12)
_LOADING_S = 2.0
_MANGLED = 14  # characters of a tag that some terminals keep
_NEVER = datetime(2000, 1, 1, tzinfo=SHANGHAI)
_CANCELLING = {
    OrderStatus.WAIT_REPORTING: OrderStatus.REPORTED_CANCEL,
    OrderStatus.REPORTED: OrderStatus.REPORTED_CANCEL,
    OrderStatus.PART_SUCC: OrderStatus.PARTSUCC_CANCEL,
}


class Watcher(Protocol):
    """Who watches what the system hands to the broker."""

    def on_handed(self, order: OrderRequest, now: datetime) -> None:
        """It asks to place an order."""
        ...

    def on_cancelled(self, order_id: str, now: datetime) -> None:
        """It asks for a cancel, by the broker's true id."""
        ...


class Line:
    """Between process and terminal. `reuses_ids` lets order and trade ids begin anew each day."""

    def __init__(
        self,
        terminal: Terminal,
        outside: Outside,
        weather: Weather,
        watcher: Watcher,
        others: Others,
        *,
        reuses_ids: bool,
    ) -> None:
        self.terminal, self.outside, self.weather = terminal, outside, weather
        self.watcher, self.others = watcher, others
        self.down_until = self.loading_until = self.silent_until = _NEVER
        self.hang_up()
        self._owes_up = False
        self.unconfirmed: set[str] = set()
        self._remarks: dict[str, str] = {}  # of orders whose tag the terminal lost, and what it shows instead
        self._reuses_ids = reuses_ids
        self._views: dict[str, tuple[datetime, object]] = {}
        self._hidden: dict[str, tuple[datetime, frozenset[str]]] = {}

    def hang_up(self) -> None:
        """Nobody listens."""
        self.tell: Callable[[BrokerEvent], None] = lambda event: None
        self.wake: Callable[[], None] = lambda: None

    def fail(self, when: datetime, until: datetime, *, is_announced: bool) -> None:
        """Nothing goes through from now until then."""
        self.weather.note("disconnect_announced" if is_announced else "disconnect_silent")
        self.down_until = max(self.down_until, until)
        if is_announced:
            self.tell(LinkDown("the terminal closed the connection"))
            self._owes_up = True
        self.outside.at(until, self._heal)

    def repair(self, when: datetime) -> None:
        """Whatever was wrong with the line is over."""
        if self.is_down(when):
            self.down_until = when
            self._heal(when)

    def is_down(self, now: datetime) -> bool:
        """Whether nothing goes through."""
        return now < self.down_until

    def is_loading(self, now: datetime) -> bool:
        """Whether the terminal answers, and does not yet know everything."""
        return now < self.loading_until

    def seen(self, what: str, now: datetime, answer: T) -> T:
        """The answer as the terminal gives it: it may stand still for some seconds, and never goes back."""
        until, old = self._views.get(what, (_NEVER, answer))
        if now < until:
            if old != answer:
                self.weather.note("query_stale")
            return self._shortened(what, now, old)  # type: ignore[return-value]
        if self.weather.threatens("query_stale"):
            stands_s = self.weather.between("query_stale", 0.5, _STALE_S)
            self._views[what] = now + timedelta(seconds=stands_s), answer
        return self._shortened(what, now, answer)

    def _shortened(self, what: str, now: datetime, answer: T) -> T:
        """The answer without some rows, or without any, for some seconds."""
        if not isinstance(answer, tuple):
            return answer
        fault, (until, hidden) = f"{what}_short", self._hidden.get(what, (_NEVER, frozenset[str]()))
        if now >= until:
            if not self.weather.threatens(fault):
                return answer
            part = self.weather.between(fault, 0.1, 1.5)  # a third of the lists is empty
            least = self.terminal.asset(now).total * _SEEN
            seen = [row for row in answer if not isinstance(row, Position) or row.market_value > least]
            hidden = frozenset(_key(row) for row in seen if self.weather.between(fault, 0, 1) < part)
            self._hidden[what] = now + timedelta(seconds=self.weather.between(fault, 0, _SHORT_S)), hidden
        shown = tuple(row for row in answer if _key(row) not in hidden)
        if len(shown) < len(answer):
            self.weather.note(fault)
        return shown  # type: ignore[return-value]

    def order_shown(self, order: BrokerOrder) -> BrokerOrder:
        """An order as the terminal shows it."""
        if not self._reuses_ids and not self.unconfirmed and not self._remarks:
            return order
        status, tag = order.status, self._remarks.get(order.order_id, order.tag)
        if order.order_id in self.unconfirmed:
            status = _CANCELLING.get(status, status)
        return replace(order, order_id=self.shown_id(order.order_id, order.at), tag=tag, status=status)

    def trade_shown(self, trade: Trade) -> Trade:
        """A fill as the terminal shows it."""
        if not self._reuses_ids and not self._remarks:
            return trade
        trade_id, order_id = self.shown_id(trade.trade_id, trade.at), self.shown_id(trade.order_id, trade.at)
        return replace(trade, trade_id=trade_id, order_id=order_id, tag=self._remarks.get(trade.order_id, trade.tag))

    def spoil(self, order: OrderRequest, order_id: str, when: datetime) -> None:
        """What the broker may do to an order that it has just taken: lose its remark, or take it twice."""
        weather = self.weather
        for fault, shown in (("remark_emptied", ""), ("remark_mangled", order.tag[:_MANGLED])):
            if weather.strikes(fault):  # at once, or when it was seen whole before
                since = when + timedelta(seconds=max(0.0, weather.between(fault, -5, 5)))
                self.outside.at(since, partial(self._lose_remark, order.tag, order_id, shown))
        if weather.strikes("order_doubled"):
            later = when + timedelta(seconds=weather.between("order_doubled", 0.05, 10))
            self.outside.at(later, lambda moment: self._double(order, moment))

    def _lose_remark(self, tag: str, order_id: str, shown: str, when: datetime) -> None:
        del when
        self.others.unreadable.add(tag)
        self._remarks[order_id] = shown

    def _double(self, order: OrderRequest, when: datetime) -> None:
        self.terminal.double(order, when)
        self.others.double(order, when)
        self.wake()

    def true_id(self, order_id: str, now: datetime) -> str:
        """The exchange's own id of an order of today."""
        return str(int(order_id) + self._offset(now))

    def shown_id(self, id_: str, at: datetime) -> str:
        return str(int(id_) - self._offset(at))

    def _offset(self, at: datetime) -> int:
        return self.terminal.serial_before(at.date()) if self._reuses_ids else 0

    def _heal(self, when: datetime) -> None:
        if self._owes_up and not self.is_down(when):
            self._owes_up = False
            self.loading_until = when + timedelta(seconds=_LOADING_S)
            self.tell(LinkUp())
            if self.weather.threatens("day_replayed"):
                self.weather.note("day_replayed")
                for trade in self.terminal.trades(when):
                    self.tell(self.trade_shown(trade))
                for order in self.terminal.orders(when):
                    self.tell(self.order_shown(order))


def _key(row: object) -> str:
    """What a row of a list is about."""
    match row:
        case Position(code=key) | BrokerOrder(order_id=key) | Trade(trade_id=key):
            return key
        case _:
            raise TypeError(f"no row of a list: {row}")
