"""Legal order quantities and how a large order is split. RULES.md section 4."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from qws.domain.market import Side


class Lots(Protocol):
    """Whatever knows the lot sizes of a name, in shares: an instrument record, a plan row."""

    @property
    def code(self) -> str: ...
    @property
    def buy_min(self) -> int: ...
    @property
    def buy_step(self) -> int: ...
    @property
    def order_max(self) -> int: ...


@dataclass(frozen=True, slots=True)
class LotRule:
    """A board's quantities in shares: buy minimum and step, and the largest single orders (None: not offered)."""

    buy_min: int
    buy_step: int
    limit_max: int
    market_max: int | None
    after_hours_max: int | None


def is_legal_buy(instrument: Lots, shares: int) -> bool:
    """Whether the lot rules allow a buy of `shares`; the largest order size is not looked at."""
    return shares > 0 and largest_legal_buy(instrument, shares) == shares


def is_legal_sell(instrument: Lots, sellable: int, shares: int) -> bool:
    """Whether the odd-lot rule allows a sell of `shares` out of `sellable`; the largest size is not looked at."""
    return 0 < shares <= sellable and largest_legal_sell(instrument, sellable, shares) == shares


def largest_legal_buy(instrument: Lots, shares: int) -> int:
    """The greatest legal buy of at most `shares`, 0 if there is none."""
    if shares < instrument.buy_min:
        return 0
    return shares - (shares - instrument.buy_min) % instrument.buy_step


def largest_legal_sell(instrument: Lots, sellable: int, shares: int) -> int:
    """The greatest legal sell of at most `shares` out of `sellable`, 0 if there is none.

    A balance below the minimum, or its remainder on a lot board, leaves in one order, exactly once.
    """
    wanted = max(0, min(shares, sellable))
    if instrument.buy_step == 1:
        return wanted if wanted >= instrument.buy_min or wanted == sellable else 0
    lot = instrument.buy_min
    odd = sellable % lot
    with_odd = wanted - (wanted - odd) % lot if wanted >= odd else 0
    return max(wanted - wanted % lot, with_odd)


def smallest_legal_sell(instrument: Lots, sellable: int, shares: int) -> int:
    """The least legal sell of at least `shares` out of `sellable`, 0 if there is none."""
    if not 0 < shares <= sellable:
        return 0
    if instrument.buy_step == 1:
        return min(max(shares, instrument.buy_min), sellable)
    lot = instrument.buy_min
    whole = -(-shares // lot) * lot
    with_odd = shares + (sellable - shares) % lot
    return with_odd if whole > sellable else min(whole, with_odd)


def split(instrument: Lots, side: Side, shares: int, sellable: int = 0) -> tuple[int, ...]:
    """Cut a legal order into legal children of at most `order_max`, in the order they must be sent.

    No tail below the board's minimum is left, and an odd remainder sits in exactly one child.
    Raises ValueError when the order itself breaks the lot rules.
    """
    is_legal = is_legal_buy(instrument, shares) if side is Side.BUY else is_legal_sell(instrument, sellable, shares)
    if not is_legal:
        raise ValueError(f"{instrument.code}: {side} of {shares} breaks the lot rules (sellable {sellable})")
    cap = instrument.order_max - instrument.order_max % instrument.buy_step
    if shares > cap and cap < 2 * instrument.buy_min:
        raise ValueError(f"{instrument.code}: {shares} cannot be cut into orders of at most {instrument.order_max}")
    children = []
    left = shares
    while left > cap:
        tail = left - cap
        child = cap if tail >= instrument.buy_min else left - instrument.buy_min
        children.append(child)
        left -= child
    return (*children, left)
