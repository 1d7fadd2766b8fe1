"""Which faults a seed has, how often they strike, and how often they really happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from random import Random

GHOST_S = 100.0  # the longest way of a late order: less than absent_after_s
REMARK_EMPTIED, REMARK_MANGLED, ORDER_DOUBLED = 0.1, 0.1, 0.1
# Faults of single calls, pushes and quotes: how often at most, where a seed has them at all.
RATES = (
    {
        "order_never_left": 0.15,
        "ack_lost": 0.2,
        "ghost_order": 0.15,
        "reject_storm": 0.1,
        "push_lost": 0.5,
        "push_doubled": 0.5,
        "push_reordered": 0.5,
        "push_late": 0.4,
        "day_replayed": 1.0,
        "query_error": 0.3,
        "query_hang": 0.1,
        "query_stale": 0.3,
        "cancel_lost": 0.9,
        "cancel_unconfirmed": 0.9,
        "quote_missing": 0.15,
        "quote_stale": 0.15,
        "quote_shallow": 0.3,
        "quote_dirty": 0.1,
        "quote_error": 0.2,
        "hint_lost": 0.5,
        "file_held": 0.4,
        "filing_refused": 0.3,
        "inbox_unreachable": 0.2,
        "order_slow": 0.8,
    }
    | {
        kind: most
        for kind, most in {
            "remark_emptied": REMARK_EMPTIED,
            "remark_mangled": REMARK_MANGLED,
            "order_doubled": ORDER_DOUBLED,
        }.items()
        if most
    }
    | {"quote_absurd": 0.05, "positions_short": 0.2, "orders_short": 0.2, "trades_short": 0.2}
)  # what comes last leaves the dice of the others as they were
_ALL_DAY = ("positions_short", "orders_short", "trades_short")  # also while the close is recorded
_SHARE = 0.3  # of all seeds have a given fault
_COMMON = ("order_slow",)  # all seeds have these: what waits behind a slow call can be overtaken by everything


def draw_rates(seed: int, certain: Collection[str], most: Mapping[str, float] = RATES) -> dict[str, float]:
    """How often each fault strikes that a seed has, these among them."""
    draw, certain = Random(f"{seed}:weather"), (*_COMMON, *certain)
    return {kind: rate * draw.random() for kind, rate in most.items() if draw.random() < _SHARE or kind in certain}


class Weather:
    """Every fault has dice of its own, so that a change of one leaves the others as they were."""

    def __init__(self, seed: int, rates: Mapping[str, float]) -> None:
        self._rates = rates
        self._dice = {kind: Random(f"{seed}:{kind}") for kind in rates}
        self.happened: Counter[str] = Counter()
        self.is_foul = True

    def threatens(self, kind: str) -> bool:
        """Whether a fault strikes now; who asks notes it when it took effect."""
        is_time = self.is_foul or kind in _ALL_DAY
        return is_time and kind in self._rates and self._dice[kind].random() < self._rates[kind]

    def strikes(self, kind: str) -> bool:
        """Whether a fault strikes now, noted as one that happened."""
        if self.threatens(kind):
            self.note(kind)
            return True
        return False

    def note(self, kind: str) -> None:
        """A fault took effect."""
        self.happened[kind] += 1

    def between(self, kind: str, low: float, high: float) -> float:
        """How long or how much, of a fault that struck."""
        return self._dice[kind].uniform(low, high)
