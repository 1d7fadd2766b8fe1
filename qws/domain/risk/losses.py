"""Rules about what was lost: since the highest close, since the last one. They stop the buying, or all trading, or
scale every target down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from qws.domain.caps import Caps
from qws.domain.market import Side
from qws.domain.plan import Plan
from qws.domain.risk.rule import Facts, Finding

_ZERO = Decimal(0)


class Worth:
    """What the account was worth, in CNY, 0 where nothing is known: now, at the last close, at the highest one."""

    def __init__(self) -> None:
        self.peak, self.last_close, self.now = _ZERO, _ZERO, _ZERO

    def close(self, total: Decimal, flow: Decimal | None) -> None:
        """What it was worth after a close, and what was paid in since the close before.

        Money that comes or goes scales the peak: it is neither a gain nor a loss. None, not known, does nothing.
        """
        unmoved = total - (flow or _ZERO)
        before = self.peak * total / unmoved if unmoved > 0 else _ZERO
        self.peak, self.last_close, self.now = max(before, total), total, total

    def begin_anew(self) -> None:
        """The losses until now are taken as they are."""
        self.peak = self.last_close = self.now


@dataclass(frozen=True, slots=True)
class ScaleDown:
    """What is left of every weight after a loss of more than a limit: fractions, a limit of 0 is none."""

    drawdown_max: Decimal
    day_loss_max: Decimal
    to: Decimal

    def rule(self, total: Decimal, worth: Worth) -> str:
        """The rule that scales a target of an account of this worth, "" when none does."""
        if self.drawdown_max and _lost(total, worth.peak) > self.drawdown_max:
            return "drawdown"
        return "day_loss" if self.day_loss_max and _lost(total, worth.last_close) > self.day_loss_max else ""


def drawdown(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The fall of total asset from its highest recorded close, as a fraction of that."""
    return _found(plan, facts.peak, limit, "highest close")


def day_loss(plan: Plan, facts: Facts, limit: Decimal) -> Finding | None:
    """The fall of total asset from its last recorded close, as a fraction of that."""
    return _found(plan, facts.last_close, limit, "last close")


def _found(plan: Plan, before: Decimal, limit: Decimal, what: str) -> Finding | None:
    if (lost := _lost(plan.total_asset, before)) <= limit:
        return None
    text = f"total asset {plan.total_asset} is {lost:.4f} below the {what} of {before}, the limit is {limit}"
    return Finding(lost, text, {row.code: 0 for row in plan.side(Side.BUY)})


def _lost(total: Decimal, before: Decimal) -> Decimal:
    return 1 - total / before if before > 0 else _ZERO


def caps_of(scale: ScaleDown | None, worth: Worth, total: Decimal, exits: Mapping[str, str]) -> Caps:
    """What bounds the weights of a target: a loss that scales them (None: none does), and names that stops ended."""
    rule = scale.rule(total, worth) if scale is not None else ""
    return Caps(scale.to, rule, exits) if scale is not None and rule else Caps(exits=exits)
