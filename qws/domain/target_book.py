"""The targets that may be planned: what they want, what changes came to, and what is left of those that were tried."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from qws.domain.account import Snapshot
from qws.domain.newest import in_force
from qws.domain.orders import OrderRequest
from qws.domain.plan import Outcome
from qws.domain.rest import Rest, carried
from qws.domain.tags import is_of_target
from qws.domain.target_modes import changed_weights, without_value
from qws.domain.target_records import DayTarget, Mode, Weight

_Key = tuple[str, date]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one attempt is to reach: a target and its own `day`, the codes of its filtered rows, what of it is left; the
    weights that its changes came to, None while nobody fixed them."""

    target_id: str
    day: date
    target: DayTarget
    filtered: frozenset[str]
    rest: Rest
    fixed: tuple[Weight, ...] | None = None

    @property
    def is_open(self) -> bool:
        """Whether its weights are still to be fixed, from a snapshot."""
        return self.target.mode is Mode.DELTA and self.fixed is None

    def is_fixed_by(self, snapshot: Snapshot) -> bool:
        """Whether this look fixes its weights; an account worth nothing or owing cash may be one not yet loaded."""
        return self.is_open and snapshot.asset.total > 0 and snapshot.asset.cash >= 0

    def weights(self, snapshot: Snapshot, age_max_s: float) -> tuple[Weight, ...]:
        """The weights to reach: the file's own, or what its changes lead to by quotes that are not older."""
        if self.is_open:
            return changed_weights(self.target.weights, snapshot, age_max_s)
        return self.target.weights if self.fixed is None else self.fixed


class TargetBook:
    """Remembers targets by id and day, for as long as they may be carried over."""

    def __init__(self) -> None:
        self._targets: dict[_Key, tuple[DayTarget, frozenset[str]]] = {}
        self._fixed: dict[_Key, tuple[Weight, ...]] = {}
        self._begun: set[str] = set()  # runs of which an order left, or was to
        self._rests: dict[str, Rest] = {}  # of runs that are planned again
        self._left: dict[_Key, Rest] = {}  # of targets that may be carried over to the next session
        self._strays: set[str] = set()  # tags at the broker that this journal does not know

    def accept(self, target_id: str, on: date, days: Sequence[DayTarget], filtered: frozenset[str]) -> None:
        """A file became a target for some days."""
        self._targets = in_force(self._targets, on)
        self._left = {key: rest for key, rest in self._left.items() if key in self._targets}
        self._fixed = {key: weights for key, weights in self._fixed.items() if key in self._targets}
        for target in days:
            self._targets[target_id, target.day] = target, filtered

    def fix(self, target_id: str, day: date, weights: tuple[Weight, ...]) -> None:
        """The changes of a target came to these weights, for all its attempts."""
        self._fixed[target_id, day] = weights

    def begin(self, run_id: str) -> None:
        """An order of this run left, or was to."""
        self._begun.add(run_id)

    def go_on(self, run_id: str, target_id: str) -> None:
        """A run takes the place of the one of its target that is on: it has begun if that had."""
        if any(f"-{target_id[:6]}" in each for each in self._begun):
            self._begun.add(run_id)

    def pause(self, run_id: str, rest: Rest) -> None:
        """The run goes on later, with what is left."""
        self._rests[run_id] = rest

    def end(self, run_id: str, target_id: str, day: date, outcomes: tuple[Outcome, ...]) -> None:
        """The run has ended; what it did may leave something for the next session."""
        self._begun.discard(run_id)
        self._rests.pop(run_id, None)
        if (key := (target_id, day)) in self._targets:
            rest = self._left.get(key, Rest())  # as it is, or all of it when nothing was ever sent
            self._left[key] = carried(outcomes) if outcomes else rest

    def wanted(self, run_id: str, target_id: str, day: date) -> Wanted | None:
        """What a run of this target is to reach on a day; None for a target that nobody knows."""
        key, left = (target_id, day), Rest()
        if key not in self._targets:  # carried over from an earlier session
            key = max((each for each in self._left if each[0] == target_id and each < key), default=key)
            left = self._left.get(key, left)
        if key not in self._targets:
            return None
        return Wanted(*key, *self._targets[key], self._rests.get(run_id, left), self._fixed.get(key))

    def stray(self, tag: str) -> None:
        """The broker has an order of ours that this journal does not know: a part of it was lost."""
        self._strays.add(tag)

    def why_not(
        self, wanted: Wanted, run_id: str, snapshot: Snapshot, unknown: Collection[OrderRequest], age_max_s: float
    ) -> tuple[str, str] | None:
        """Why nothing of it may be planned, as a code and a sentence; a run that has begun outlives its expiry.

        Changes are made once and from what is held for certain: not while orders of their names are `unknown`, nor
        when orders of this target are at the broker that this journal does not know.
        """
        if wanted.target.is_expired(snapshot.at) and run_id not in self._begun:
            until = wanted.target.expires_at
            return "expired_target", f"the target expired at {until:%Y-%m-%d %H:%M}: drop a new file"
        if not wanted.is_open:
            return None
        if any(is_of_target(tag, wanted.target_id) for tag in self._strays):
            return "unintended", "the broker has orders of this target that are not in the journal: drop a new file"
        changed = {each.code for each in wanted.target.weights if each.weight}
        if codes := ", ".join(sorted(changed & {order.code for order in unknown})):
            return "unknown", f"what became of orders in {codes} is unknown: `qws rebalance` when it is known"
        if codes := ", ".join(without_value(wanted.target.weights, snapshot, age_max_s)):
            return "no_quote", f"nobody can tell what {codes} weigh, so none is changed: `qws rebalance` later"
        return None
