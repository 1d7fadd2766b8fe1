"""Orders and trades as MiniQMT means them (XTQUANT.md 4.1), and the one merge of what is heard about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import IntEnum

from qws.domain.market import Side


class OrderStatus(IntEnum):
    """MiniQMT's order_status. 51 and 52 wait for a cancel: they may still fill."""

    UNREPORTED = 48
    WAIT_REPORTING = 49
    REPORTED = 50
    REPORTED_CANCEL = 51
    PARTSUCC_CANCEL = 52
    PART_CANCEL = 53
    CANCELED = 54
    PART_SUCC = 55
    SUCCEEDED = 56
    JUNK = 57
    UNKNOWN = 255

    @property
    def is_terminal(self) -> bool:
        """Whether the order can no longer trade: 53, 54, 56 and 57 only."""
        return self in TERMINAL


TERMINAL = frozenset({OrderStatus.PART_CANCEL, OrderStatus.CANCELED, OrderStatus.SUCCEEDED, OrderStatus.JUNK})

# RELIABILITY.md 6.3, R6: a report never moves an order to a lower rank.
_RANK = {
    OrderStatus.UNKNOWN: 0,
    OrderStatus.UNREPORTED: 1,
    OrderStatus.WAIT_REPORTING: 2,
    OrderStatus.REPORTED: 3,
    OrderStatus.PART_SUCC: 4,
    OrderStatus.REPORTED_CANCEL: 5,
    OrderStatus.PARTSUCC_CANCEL: 5,
    OrderStatus.PART_CANCEL: 6,
    OrderStatus.CANCELED: 6,
    OrderStatus.SUCCEEDED: 6,
    OrderStatus.JUNK: 6,
}


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """A limit order to be sent: shares, CNY per share, and the tag that travels in `order_remark`."""

    tag: str
    code: str
    side: Side
    shares: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class BrokerOrder:
    """One row of the broker's order list. `traded` is cumulative shares, `price` the limit, in CNY."""

    order_id: str
    tag: str
    code: str
    side: Side
    shares: int
    price: Decimal
    traded: int
    status: OrderStatus
    message: str
    at: datetime

    @classmethod
    def unknown(cls, request: OrderRequest, at: datetime) -> BrokerOrder:
        """What is known of an order that was handed over and not answered: nothing."""
        return cls(
            "", request.tag, request.code, request.side, request.shares, request.price, 0, OrderStatus.UNKNOWN, "", at
        )


@dataclass(frozen=True, slots=True)
class Trade:
    """One fill: shares, CNY per share. `trade_id` is unique for a code and day; `fee` is None where not yet known."""

    trade_id: str
    order_id: str
    tag: str
    code: str
    side: Side
    shares: int
    price: Decimal
    at: datetime
    fee: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Stray:
    """A row of the broker's list that is ours and that nobody meant to be there (RELIABILITY.md 6.4, 6.5).

    `reason` is unintended (a tag that the journal does not know), duplicate (a second row under one tag), collision
    (other fields under our tag), mangled (a tag that cannot be read), or ghost (it had been written off).
    """

    order: BrokerOrder
    reason: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.order.order_id} [{self.order.tag}]"


@dataclass(frozen=True, slots=True)
class LinkRules:
    """Seconds between sweeps of working orders, and until a missing one is absent."""

    sweep_s: float
    absent_after_s: float


def merge(known: BrokerOrder | None, heard: BrokerOrder) -> BrokerOrder:
    """Fold a report into what is known: status never falls in rank, traded shares never fall, ids never change.

    Reports may be doubled, late or out of order (XTQUANT.md H11); the result is the same in any order. A row with the
    broker's id outranks what was only concluded without one: an order found absent may still turn up.
    """
    if known is None:
        return heard
    ahead = _evidence(heard) > _evidence(known)
    return replace(
        known,
        order_id=known.order_id or heard.order_id,
        traded=max(known.traded, heard.traded),
        status=heard.status if ahead else known.status,
        message=heard.message if ahead else known.message,
    )


def _evidence(order: BrokerOrder) -> tuple[bool, int, int, str]:
    return bool(order.order_id), _RANK[order.status], order.status, order.message
