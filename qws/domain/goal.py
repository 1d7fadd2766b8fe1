"""What a run wants, and by which rules it is planned."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from qws.domain.allocator import AllocationRules
from qws.domain.caps import NO_CAPS, Caps
from qws.domain.costs import Costs
from qws.domain.legaliser import CageMargin
from qws.domain.market import Kind, Side
from qws.domain.orders import OrderRequest
from qws.domain.rest import Rest
from qws.domain.rules import RuleBook
from qws.domain.target_records import Mode, Weight


class Sizing(StrEnum):
    """When shares are settled for a run that waits for the session: on the quotes it is sent with, or when planned."""

    AT_SEND = "at_send"
    AT_PLAN = "at_plan"


@dataclass(frozen=True, slots=True)
class PlanRules:
    """How a plan is made: the rule book, the account's costs, book levels to price from, the oldest quote in seconds,
    CNY never to be spent, the kinds that are ours to trade, codes never to be touched; how weights become shares, and
    how far to stay inside the price cage."""

    book: RuleBook
    costs: Costs
    sell_level: int
    buy_level: int
    quote_age_max_s: float
    cash_reserve: Decimal
    managed: frozenset[Kind]
    protected: frozenset[str]
    allocation: AllocationRules
    margin: CageMargin

    def level(self, side: Side) -> int:
        """The level of the book that orders of this side are priced from."""
        return self.buy_level if side is Side.BUY else self.sell_level


@dataclass(frozen=True, slots=True)
class Goal:
    """What a run wants: the weights of a target, and the codes of rows that were filtered out of its file.

    A filtered row says that something was meant for its code: the holding is kept, never sold for being absent. Of a
    target that was tried before only the `rest` is traded. While orders are `unsettled`, nothing of their codes is
    traded, and the money that they may still take is not spent; codes whose orders were `lost` are left alone too.
    With a `mode` but full, so is what is held and not among the weights; those of a delta are already what it leads to.
    `caps` bound the weights; what they end is sold whatever is `filtered`, not listed, or left by the `rest`.
    """

    run_id: str
    target_id: str
    attempt: int
    preview: bool
    weights: tuple[Weight, ...]
    filtered: frozenset[str]
    rest: Rest
    unsettled: tuple[OrderRequest, ...]
    lost: frozenset[str]
    mode: Mode
    caps: Caps = NO_CAPS
