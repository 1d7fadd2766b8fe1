"""Memory with a bound forgets what nobody asks for any more, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta

from qws.domain.newest import Newest, in_force
from qws.domain.rest import KEPT

DAY = date(2026, 9, 1)


def test_the_oldest_key_makes_room_even_when_it_was_asked_for_again() -> None:
    newest: Newest[list[int]] = Newest(list, 3)
    for number in range(5):
        newest[str(number)].append(number)
        newest["1"].append(number)

    assert newest == {"3": [3], "4": [4], "1": [4]}


def test_targets_of_days_long_over_go_and_those_of_later_days_stay() -> None:
    ahead = {("plan", DAY + timedelta(days=number)): number for number in range(250)}
    old = {("old", DAY - KEPT - timedelta(days=1)): -1, ("kept", DAY - KEPT): -2}

    assert in_force(old | ahead, DAY) == {("kept", DAY - KEPT): -2} | ahead


def test_of_many_targets_of_a_day_the_newest_stay_in_their_order() -> None:
    kept = {(f"t{number}", DAY): number for number in range(200)} | {("other", DAY + timedelta(days=1)): 200}

    found = in_force(kept, DAY)

    assert list(found.values()) == [*range(160, 200), 200]
