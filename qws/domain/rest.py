"""What is left of a run that has ended, and what of it may be tried again. RELIABILITY.md 6.3 (R3), 6.5."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from qws.domain.plan import Outcome

FOLLOW_UP = "follow_up"
STOP, EXIT = "stop", "exit"  # the target goes on without a name; nothing is traded but what stops ended
AGAIN = ("recovery", FOLLOW_UP)  # triggers of a run's further attempts
STOPS = {"halt": "halted", "cancel": "cancelled"}  # what a command makes of a run
_ABSENT = "never_arrived"
# Reasons that time may cure: nothing of these names is under way, and the broker refused nothing.
_CURABLE = frozenset({"not_filled", "not_sent", "no_quote", "stale_quote", "stale_record"})
_TOGETHER = _CURABLE | {"cash"}  # what has no hope alone
# Reasons of orders that left, or were to leave: a run with one of these did not do all it planned.
UNDONE = frozenset({"not_filled", "not_sent", "rejected", "unknown", "slippage", "at_limit", "drift", _ABSENT})
_TOMORROW = _TOGETHER | UNDONE - {"unknown"} | {"limit_up", "limit_down", "suspended", "session_over", "t_plus_1"}
LEFT_OVER = frozenset({"not_filled", "session_over", "expired"})  # ends of a run that may be carried over
DAY_OVER = "refused", "session_over"  # how a run ends for which the day's last order time had passed
KEPT = timedelta(days=15)  # the longest closure of the exchanges, and some more
_SMALL, _SMALL_MAX = Decimal("0.05"), 3  # RELIABILITY.md 6.5
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Absent(StrEnum):
    """Whether an order that provably never arrived may be followed by another one on the same day."""

    HOLD = "hold"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class FollowUps:
    """How often a run that did not do all is planned again on its day, and after how many seconds."""

    times: int
    after_s: float


@dataclass(frozen=True, slots=True)
class SoFar:
    """What the attempts of a run did until now: how many were follow-ups, whether any order left, fees in CNY."""

    follow_ups: int = 0
    was_sent: bool = False
    outcomes: tuple[Outcome, ...] = ()
    fees: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class Rest:
    """What another attempt may trade: these codes (None: any); of the others, what became of them."""

    codes: frozenset[str] | None = None
    reasons: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def leaves(self, code: str) -> bool:
        """Whether a name is left alone."""
        return self.codes is not None and code not in self.codes


def rest_of(outcomes: Iterable[Outcome], absent: Absent, follow_ups: int) -> Rest:
    """What a run's next follow-up may trade, after so many; nothing when nothing has hope.

    What never arrived is among it only when that was allowed, in the first one, and then exits, and few names
    of little weight.
    """
    outcomes = tuple(outcomes)
    is_allowed = absent is Absent.AGAIN and not follow_ups
    lost = [each for each in outcomes if each.reason == _ABSENT and is_allowed]
    small = [each.code for each in lost if each.wanted and abs(each.wanted - each.achieved) <= _SMALL][:_SMALL_MAX]
    again = frozenset(small) | {each.code for each in lost if not each.wanted}
    is_hopeful = any(
        each.reason in _CURABLE and (each.planned > each.filled or each.wanted or each.achieved) for each in outcomes
    )
    if not is_hopeful and not again:
        return Rest(frozenset(), {each.code: each.reason for each in outcomes})
    codes = again | {each.code for each in outcomes if each.reason in _TOGETHER}
    return Rest(codes, {each.code: each.reason for each in outcomes if each.code not in codes})


def carried(outcomes: Iterable[Outcome]) -> Rest:
    """What the next session may trade of a target that was not reached."""
    return Rest(frozenset(each.code for each in outcomes if each.reason in _TOMORROW))
