"""Which names are taken, and when a file counts as finished (RELIABILITY.md 1.5, 3.D)."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.drops import (
    Drop,
    Look,
    Settling,
    is_ignored,
    name_refusal,
    refusal_notice,
    renamed_here,
    safe_name,
)
from qws.domain.targets import Refusal

SETTLE_S, IN_PLACE_S = 0.0625, 1.0


def a_drop(name: str = "x.csv", *, size: int = 9, mtime: int = 5, inode: int = 1, whole: bool = False) -> Drop:
    return Drop(name, Look(size, mtime, mtime, inode), whole, None)


@pytest.mark.parametrize(
    ("codes", "is_moved", "remedy"),
    [(["duplicate"], True, ""), (["bad_weight"], True, "drop it"), (["symlink"], False, "remove it")],
)
def test_a_notice_ends_with_a_remedy_unless_nothing_is_wrong_with_the_file(
    codes: list[str], remedy: str, *, is_moved: bool
) -> None:
    reasons = [Refusal(code, "so it is") for code in codes]
    *_, last = refusal_notice("x.csv", datetime(2026, 11, 23, tzinfo=UTC), reasons, is_moved=is_moved).splitlines()

    assert remedy in last
    assert ("so it is" in last) is (not remedy)


def settling() -> Settling:
    return Settling(SETTLE_S, IN_PLACE_S)


@pytest.mark.parametrize(
    "name",
    ["~$w.xlsx", "w.csv.tmp", "w.PART", "w.csv.crdownload", ".gitkeep", ".w.csv", "w.csv.reason.txt", "Thumbs.db"],
)
def test_unfinished_and_foreign_names_are_left_alone(name: str) -> None:
    assert is_ignored(name)


@pytest.mark.parametrize("name", ["w.csv", "w.txt", "w", "w.json", "w.csv~", "a~$b.csv", "tmp"])
def test_other_names_deserve_an_answer(name: str) -> None:
    assert not is_ignored(name)


@pytest.mark.parametrize(
    "name",
    [
        *("CON.csv", "nul.xlsx", "com1.csv", "Lpt9.2026.csv", "a.csv:stream.csv", "a|b.csv", "a\\..\\b.csv", "x.csv "),
        *("a\nb.csv", "a\u202eb.csv", "\udcff.csv", "权" * 61 + ".csv"),
    ],
)
def test_names_that_not_every_system_can_keep_are_refused(name: str) -> None:
    refusal = name_refusal(name)

    assert refusal is not None
    assert refusal.code == "bad_name"
    assert "weights.csv" in refusal.text
    assert safe_name(name) != name


@pytest.mark.parametrize(
    "name", ["权重　3月.csv", "targets 2026-11-23 (1).xlsx", "CONSOLE.csv", "a.b.c.XLS", "'=1+1.csv"]
)
def test_ordinary_names_stay_as_they_are(name: str) -> None:
    assert name_refusal(name) is None
    assert safe_name(name) == name


@given(st.text(st.characters(), min_size=1, max_size=300))
def test_a_safe_name_can_be_written_anywhere(name: str) -> None:
    safe = safe_name(name)

    assert name_refusal(safe) is None
    assert os.path.basename(safe) == safe  # noqa: PTH119
    assert safe not in {"", ".", ".."}


def test_a_whole_file_is_finished_after_the_short_wait() -> None:
    wait = settling()

    assert wait.look([a_drop(whole=True)], (), 0) == []
    assert wait.wait_s(0) == SETTLE_S
    assert wait.look([a_drop(whole=True)], (), SETTLE_S) == [a_drop(whole=True)]


def test_a_hint_that_comes_after_the_first_look_makes_a_file_whole() -> None:
    wait = settling()
    wait.look([a_drop()], (), 0)

    assert wait.look([a_drop()], ("x.csv",), SETTLE_S) == [a_drop()]


def test_a_file_written_in_place_waits_longer_and_a_change_starts_the_wait_again() -> None:
    wait = settling()
    longer = a_drop(size=10, mtime=6)

    assert wait.look([a_drop()], (), 0) == []
    assert wait.look([a_drop()], (), 0.9) == []
    assert wait.look([longer], (), 0.95) == []
    assert wait.look([longer], (), 1.9) == []
    assert wait.look([longer], (), 1.95) == [longer]


def test_a_file_that_grows_after_it_was_renamed_is_written_in_place() -> None:
    wait = settling()
    wait.look([a_drop()], ("x.csv",), 0)
    longer = a_drop(size=10, mtime=6)

    assert wait.look([longer], (), 0.03) == []
    assert wait.look([longer], (), 0.5) == []
    assert wait.look([longer], (), 1.03) == [longer]


def test_without_a_settle_time_the_first_look_suffices_for_a_whole_file_alone() -> None:
    wait = Settling(0, IN_PLACE_S)

    assert wait.look([a_drop("a.csv"), a_drop("b.csv", whole=True, mtime=1)], (), 0) == [
        a_drop("b.csv", whole=True, mtime=1)
    ]


def test_an_empty_file_always_waits_long() -> None:
    wait = settling()
    wait.look([a_drop(size=0, whole=True)], (), 0)

    assert wait.look([a_drop(size=0, whole=True)], (), 0.5) == []
    assert wait.look([a_drop(size=0, whole=True)], (), 1) != []


def test_a_hundred_files_wait_together_and_are_told_oldest_first() -> None:
    wait = settling()
    drops = [a_drop(f"{number:02}.csv", mtime=number // 2, inode=number, whole=True) for number in range(100)]
    wait.look(list(reversed(drops)), (), 0)

    assert wait.look(list(reversed(drops)), (), SETTLE_S) == drops


def test_a_newer_file_does_not_overtake_an_older_one_that_only_waits() -> None:
    wait = settling()
    older, newer = a_drop("older.csv", mtime=1), a_drop("newer.csv", mtime=2, inode=2, whole=True)
    wait.look([newer, older], (), 0)

    assert wait.look([newer, older], (), 0.5) == []
    assert wait.wait_s(0.5) == 0.5
    assert wait.look([newer, older], (), 1) == [older, newer]


def test_a_file_that_somebody_holds_does_not_delay_the_others() -> None:
    wait = settling()
    held, newer = a_drop("held.csv", mtime=1, whole=True), a_drop("newer.csv", mtime=2, inode=2, whole=True)
    wait.look([held], (), 0)
    assert wait.look([held], (), SETTLE_S) == [held]
    wait.postpone(held, SETTLE_S)
    wait.look([held, newer], (), 0.1)

    assert wait.look([held, newer], (), 0.2) == [newer]
    wait.forget(newer)
    assert wait.look([held], (), 0.3) == []
    wait.hurry()
    assert wait.look([held], (), 0.4) == [held]


def test_what_was_answered_is_not_told_again_until_it_is_another_thing() -> None:
    wait = settling()
    odd = replace(a_drop(), refusal=Refusal("symlink", "put the file itself here"))
    touched = replace(odd, look=replace(odd.look, mtime_ns=9))
    wait.look([odd], (), 0)
    assert wait.look([odd], (), 1) == [odd]
    wait.answered(odd)

    assert wait.look([touched], (), 5) == []
    assert wait.wait_s(5) == float("inf")
    another = replace(odd, look=replace(odd.look, inode=2))
    assert wait.look([another], (), 6) == []
    assert wait.look([another], (), 7) == [another]


@given(
    st.lists(st.tuples(st.floats(0.01, 0.9), st.booleans(), st.booleans()), min_size=1, max_size=30),
)
def test_nothing_is_finished_before_it_was_quiet_for_its_time(
    steps: list[tuple[float, bool, bool]],
) -> None:
    wait, now, mtime, looks = settling(), 0.0, 0, list[tuple[float, int]]()
    for pause, is_changed, is_hinted in steps:
        now, mtime = now + pause, mtime + is_changed
        looks.append((now, mtime))
        finished = wait.look([a_drop(mtime=mtime)], ("x.csv",) if is_hinted else (), now)
        quiet_since = now
        for (before, one), (_, other) in pairwise(reversed([(0.0, -1), *looks])):
            if one != other:
                quiet_since = before
                break

        assert not finished or now - quiet_since >= SETTLE_S


def test_a_file_that_took_the_place_of_an_unfinished_one_is_whole() -> None:
    appeared = {"a.csv", "b.csv", "c.xlsx", "d.csv"}
    gone = {"a.csv.tmp", "b.tmp", "~$c.xlsx", "dd.csv", "d.txt"}

    assert renamed_here(appeared, gone) == {"a.csv", "b.csv", "c.xlsx"}
