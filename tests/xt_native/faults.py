"""What a terminal, its counter and its link get wrong, each on request. XTQUANT.md sections 2 to 4."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import datetime

from qws.domain.orders import BrokerOrder, OrderStatus, Trade
from qws.gateways.sim.quirks import PERFECT, Quirks

Chance = int | float  # an int n: the next n times; a float p: each time with that probability


_CANCELLING = {
    OrderStatus.WAIT_REPORTING: OrderStatus.REPORTED_CANCEL,
    OrderStatus.REPORTED: OrderStatus.REPORTED_CANCEL,
    OrderStatus.PART_SUCC: OrderStatus.PARTSUCC_CANCEL,
}


@dataclass(frozen=True, slots=True)
class ForeignRow:
    """A position that is no share or fund of ours, in units and CNY; its value counts in the asset."""

    code: str
    volume: int
    sellable: int
    value: float


FOREIGN_ROWS = (
    ForeignRow("204001.SH", 1000, 0, 100_000.0),  # a reverse repo
    ForeignRow("730001.SH", 1000, 0, 0.0),  # a subscription
    ForeignRow("787001.SH", 500, 0, 0.0),
    ForeignRow("00700.HK", 100, 100, 35_000.0),  # through the stock connect
)


@dataclass
class Faults:
    """All off unless asked for; may be changed at any time. A late thing is `late_s` seconds late."""

    seed: int = 1
    late_s: float = 0.2

    connect_refused: Chance = 0  # -1, and the session id is not used up
    connect_hangs: Chance = 0  # until the terminal is closed
    stop_hangs: Chance = 0
    early_push: Chance = 0  # an account status arrives before the vendor's layer can take it
    subscribe_refused: Chance = 0  # -1

    order_lost: Chance = 0  # on its way to the counter: no answer, no row
    order_refused: Chance = 0  # response with order_id -1, no row, no on_order_error
    order_refused_loudly: Chance = 0  # on_order_error, then the response with -1
    order_junked: Chance = 0  # an order_id, statuses 49 and 50, then 57 and on_order_error
    order_unlisted: Chance = 0  # an order_id, then on_order_error, and never a row
    cancel_lost: Chance = 0  # no answer, no cancel
    cancel_refused: Chance = 0  # result -1, then on_cancel_error
    cancel_unconfirmed: Chance = 0  # result 0, statuses 51 or 52, and no cancel
    response_lost: Chance = 0  # of an order that was taken
    response_late: Chance = 0

    push_lost: Chance = 0  # of orders and trades, one draw for each
    push_doubled: Chance = 0
    push_late: Chance = 0
    push_shuffled: Chance = 0  # what happened together is told in any order
    trade_first: Chance = 0  # drawn once for an order: all its order pushes are late

    query_lost: Chance = 0
    query_late: Chance = 0
    query_empty: Chance = 0
    query_short: Chance = 0  # each row is missing or not
    queries: tuple[str, ...] = ()  # the senders these four apply to, such as "queryStockPositions"; (): all
    junk_row: bool = False  # one row of nonsense in every list
    foreign_rows: tuple[ForeignRow, ...] = ()
    asset_lag_s: float = 0.0  # asset and positions do not know fills that are younger

    remark_bytes: int | None = None  # remarks come back cut to so many bytes; 0: emptied
    replay: tuple[Trade, ...] = ()  # pushed at subscribing, out of a stale queue file

    quotes_hang: Chance = 0  # get_full_tick does not return until the terminal is closed
    quotes_stuck_at: datetime | None = None  # ticks are of that time: cached ones, or a silent quote server
    quirks: Quirks = PERFECT  # late, shallow, stale and missing ticks
    download_stalls: bool = False  # progress of a download stops half-way

    unconfirmed: set[str] = field(default_factory=set, repr=False)  # ids of orders whose cancel never came
    _draws: dict[str, random.Random] = field(default_factory=dict, repr=False)

    def strikes(self, name: str) -> bool:
        """Whether the named fault happens now; a count goes down by one when it does."""
        chance: Chance = getattr(self, name)
        if isinstance(chance, int):
            if chance > 0:
                setattr(self, name, chance - 1)
            return chance > 0
        return self.draw(name).random() < chance

    def delay_s(self, name: str) -> float:
        """How much later the named fault makes what it struck."""
        del name
        return self.late_s

    def remark(self, tag: str) -> str:
        """The remark that comes back for a tag."""
        limit = self.remark_bytes
        return tag if limit is None else tag.encode("gb18030")[:limit].decode("gb18030", "ignore")

    def status(self, order: BrokerOrder) -> OrderStatus:
        """The status that is shown of an order."""
        return _CANCELLING.get(order.status, order.status) if order.order_id in self.unconfirmed else order.status

    def strikes_query(self, name: str, sender: str) -> bool:
        """As `strikes`, for a query."""
        return (not self.queries or sender in self.queries) and self.strikes(name)

    def draw(self, name: str) -> random.Random:
        """The named source of chance."""
        return self._draws.setdefault(name, random.Random(f"{self.seed}:{name}"))
