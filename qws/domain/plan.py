"""What a plan is: one row per name, with the orders it needs or the reason it is not traded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from qws.domain.market import Side

STOPS_ONLY = "stops"  # the target of a run that only sells what a stop ended; it has no file


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One name of a plan.

    `held`, `sellable`, `wanted` and `shares` are shares; `price` is the limit in CNY per share and `price_from` says
    which quote level or fallback gave it; `mark` is the price at which the name is valued. `shares` is 0 and `side`
    None when nothing is to be done; `reason` is a stable code whenever less is traded than wanted ("" otherwise).
    The lot sizes are those of the day's instrument record, so that a buy can be cut to the money without it.
    """

    code: str
    weight: Decimal
    held: int
    sellable: int
    wanted: int
    side: Side | None
    shares: int
    children: tuple[int, ...]
    price: Decimal
    price_from: str
    mark: Decimal
    fee: Decimal
    reason: str
    buy_min: int = 0
    buy_step: int = 0
    order_max: int = 0

    @property
    def ends(self) -> int:
        """The shares held when everything of the row has traded."""
        return self.held + (self.shares if self.side is Side.BUY else -self.shares)

    def without_trade(self, reason: str) -> PlanRow:
        """The row when nothing of it is sent, and why."""
        return replace(self, side=None, shares=0, children=(), fee=Decimal(0), reason=reason)


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows of a rebalance, sells first, in the order they are sent. Money in CNY; a preview is not sent.

    `scaled_by` is the rule of a loss that made every weight smaller, `capped` are names that a stop ends.
    """

    run_id: str
    target_id: str
    attempt: int
    preview: bool
    at: datetime
    total_asset: Decimal
    cash: Decimal
    rows: tuple[PlanRow, ...]
    scaled_by: str = ""
    capped: tuple[str, ...] = ()

    @property
    def is_exit_only(self) -> bool:
        """Whether no file wants what is in the rows: only what a stop ended is traded."""
        return self.target_id == STOPS_ONLY

    def side(self, side: Side) -> tuple[PlanRow, ...]:
        """The rows that trade on this side, in order."""
        return tuple(row for row in self.rows if row.side is side and row.shares)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one name: weights as fractions of total asset at the prices when the run ended."""

    code: str
    wanted: Decimal
    achieved: Decimal
    planned: int
    filled: int
    reason: str
