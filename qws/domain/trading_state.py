"""Whether trading goes on, only reduces, or is halted; a person's word, and it survives restarts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class TradingState(StrEnum):
    """Everything is traded, nothing is, or only sells are."""

    ACTIVE = "active"
    HALTED = "halted"
    REDUCE_ONLY = "reduce_only"


STATE_OF: Mapping[str, TradingState] = MappingProxyType(
    {"resume": TradingState.ACTIVE, "halt": TradingState.HALTED, "reduce_only": TradingState.REDUCE_ONLY}
)


def state_after(state: TradingState, command: str) -> TradingState:
    """The state after a command; most commands change none."""
    return STATE_OF.get(command, state)
