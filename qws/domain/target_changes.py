"""What one target changes against another, for people to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from qws.domain.target_records import Mode

_DIGITS = 12


class Change(NamedTuple):
    """A name with both weights as fractions of total asset; `kind` is added, removed or changed."""

    code: str
    kind: str
    before: float
    after: float


def changes_between(old: Mapping[str, float], new: Mapping[str, float], mode: Mode) -> list[Change]:
    """What changes when a target of this mode follows another: the largest first; what stays is not among it.

    Only a full target removes what it does not list; the weights of a delta are added to those before it.
    """
    codes = old.keys() | new.keys() if mode is Mode.FULL else new.keys()
    found = []
    for code in codes:
        before, after = old.get(code, 0.0), new.get(code, 0.0)
        if mode is Mode.DELTA:
            after = max(0.0, round(before + after, _DIGITS))
        if before != after:
            kind = "added" if not before else "removed" if not after else "changed"
            found.append(Change(code, kind, before, after))
    return sorted(found, key=lambda each: (-abs(each.after - each.before), each.code))


def turnover(changes: Iterable[Change]) -> float:
    """The larger of what is bought and what is sold, as a fraction of total asset: half of all, cash included."""
    moved = [each.after - each.before for each in changes]
    return round(max(sum(each for each in moved if each > 0), -sum(each for each in moved if each < 0)), _DIGITS)
