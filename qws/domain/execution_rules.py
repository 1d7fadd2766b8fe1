"""How a plan is carried out: deadlines, when buys leave, when an order that rests is priced again."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from qws.domain.rest import Absent


class Release(StrEnum):
    """When buys leave: as money becomes certain, or when all sells have ended."""

    PIPELINED = "pipelined"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class ChaseRules:
    """An order that rests for `after_s` seconds is priced again, at most `times` per name, and never farther than the
    fraction `slippage_max` from the price that the name was first sent at."""

    after_s: float
    times: int
    slippage_max: Decimal


@dataclass(frozen=True, slots=True)
class ExecutionRules:
    """Seconds of trading for sells and for buys, seconds between cancels, CNY never to be spent, seconds from which on
    quotes are too old to send by, when buys leave, when orders are chased,
    whether what never arrived is tried again, and how many orders and cancels leave in a second (0: any number)."""

    sell_wait_s: float
    buy_wait_s: float
    cancel_wait_s: float
    cash_reserve: Decimal
    price_age_max_s: float
    release: Release
    chase: ChaseRules
    absent: Absent
    second_orders_max: int = 0
