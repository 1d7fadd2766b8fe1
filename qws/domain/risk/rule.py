"""What a pre-trade rule is: a code, a limit, a unit, what a breach leads to, and a pure check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from qws.domain.market import Instrument, Quote
from qws.domain.orders import OrderRequest
from qws.domain.plan import Plan

_NOTHING: Mapping[str, int] = MappingProxyType({})
_UNKNOWN: Mapping[str, Decimal] = MappingProxyType({})


class Effect(StrEnum):
    """What a breach leads to: nothing of the plan is sent, less of it is, or trading is halted; or less is wanted from
    the beginning (the planner scales the target; a plan that was not scaled buys nothing)."""

    VETO = "veto"
    SHRINK = "shrink"
    SCALE = "scale"
    HALT = "halt"


@dataclass(frozen=True, slots=True)
class Breach:
    """A limit that a plan breaks: the rule's code, what was measured and what is allowed, and a sentence."""

    rule: str
    value: Decimal
    limit: Decimal
    unit: str
    text: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What a rule may look at besides the plan. CNY are 0 where nothing is known.

    `working` are orders of ours that may still trade, `sent_today` counts orders and cancels of the plan's day,
    `peak` is the highest close and `last_close` the newest one since trading was last resumed by hand,
    beginning with what the account was worth then; flows move the peak. `volumes` are shares that trade on an average
    day, of the names of which that is known.
    """

    quotes: Mapping[str, Quote]
    instruments: Mapping[str, Instrument]
    working: tuple[OrderRequest, ...]
    sent_today: int
    peak: Decimal
    last_close: Decimal
    reduces_only: bool
    volumes: Mapping[str, Decimal] = field(default_factory=lambda: _UNKNOWN)


@dataclass(frozen=True, slots=True)
class Finding:
    """What breaks a limit: how much was measured (the greater the worse), a sentence, and for rules that shrink a plan
    the most shares that may be traded of each name."""

    value: Decimal
    text: str
    most: Mapping[str, int] = field(default_factory=lambda: _NOTHING)


Check = Callable[[Plan, Facts, Decimal], Finding | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule as it is configured."""

    id: str
    limit: Decimal
    unit: str
    effect: Effect
    check: Check
