"""Check a file of rule vectors against qws.domain: `python -m tests.vectors FILE`; exit 1 when anything differs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path

from tests.vectors.groups import GROUPS
from tests.vectors.record import Given


@dataclass(frozen=True)
class Difference:
    """A vector that did not come out as expected."""

    group: str
    name: str
    given: object
    expected: object
    got: object


def check(document: Mapping[str, object]) -> tuple[int, tuple[Difference, ...]]:
    """How many vectors passed, and every one that did not; a group that is not known fails whole."""
    groups = document["groups"]
    if not isinstance(groups, dict):
        raise ValueError("groups must be an object")
    today = date.fromisoformat(str(document["as_of"]))
    passed = 0
    differences = []
    for group, content in groups.items():
        for vector in content["vectors"]:
            got = _answer(group, vector["in"], today)
            if _agrees(vector["out"], got):
                passed += 1
            else:
                differences.append(Difference(group, str(vector["id"]), vector["in"], vector["out"], got))
    return passed, tuple(differences)


def _answer(group: str, given: Mapping[str, object], today: date) -> object:
    run = GROUPS.get(group)
    if run is None:
        return f"unknown group {group}"
    try:
        return run(Given(given, today))
    except (ValueError, KeyError, ArithmeticError) as error:
        return f"{type(error).__name__}: {error}"


def _agrees(expected: object, got: object) -> bool:
    """Equal in every field the vector names; a field that the answer lacks differs."""
    if isinstance(expected, dict) and isinstance(got, dict):
        return all(key in got and _is_same(value, got[key]) for key, value in expected.items())
    return _is_same(expected, got)


def _is_same(expected: object, got: object) -> bool:
    """Equal, where decimal strings are equal as numbers: 5 is 5.00."""
    if isinstance(expected, list) and isinstance(got, list):
        return len(expected) == len(got) and all(map(_is_same, expected, got))
    if isinstance(expected, str) and isinstance(got, str) and expected != got:
        try:
            return Decimal(expected) == Decimal(got)
        except InvalidOperation:
            return False
    return expected == got


def main(path: Path) -> int:
    """Print every difference and the count; the exit code."""
    passed, differences = check(json.loads(path.read_text(encoding="utf-8")))
    for difference in differences:
        print(f"{difference.group} {difference.name}")
        print(f"  input    {json.dumps(difference.given, ensure_ascii=False)}")
        print(f"  expected {json.dumps(difference.expected, ensure_ascii=False)}")
        print(f"  got      {json.dumps(difference.got, ensure_ascii=False)}")
    print(f"{passed} passed, {len(differences)} failed")
    return 1 if differences else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tests.vectors FILE")
    sys.exit(main(Path(sys.argv[1])))
