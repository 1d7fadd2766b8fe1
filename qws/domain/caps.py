"""What bounds the weights of a target before they become shares: a loss scales them, a stop ends a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from types import MappingProxyType

from qws.domain.account import Snapshot
from qws.domain.targets import Weight

_STEP = Decimal("0.000001")
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Caps:
    """A factor for every weight and the rule that asks for it ("": none); names that are to be sold, and why."""

    factor: Decimal = Decimal(1)
    rule: str = ""
    exits: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def weight(self, code: str, wanted: Decimal) -> Decimal:
        """What is left of a weight."""
        return Decimal(0) if code in self.exits else wanted * self.factor

    def reason(self, code: str, wanted: Decimal) -> str:
        """Why it is less than the target says, "" when it is not."""
        return self.exits.get(code) or (self.rule if wanted else "")


NO_CAPS = Caps()


def as_held(snapshot: Snapshot, caps: Caps) -> tuple[Weight, ...]:
    """The weights of what is held, without what is to be sold: the target of a run that nobody wrote."""
    total = snapshot.asset.total
    kept = (each for each in snapshot.positions if each.code not in caps.exits and each.shares > 0 < total)
    return tuple(Weight(each.code, (each.market_value / total).quantize(_STEP, ROUND_DOWN)) for each in kept)
