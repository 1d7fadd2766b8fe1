"""From where on actors recall everything: the newest days with runs, runs without an end, and the newest close."""

from __future__ import annotations

from qws.store.horizon import first_to_remember

DUE = [(10 * number, f"2026-09-{number:02d}", f"R{number}") for number in range(1, 21)]
ENDED = {run_id for _, _, run_id in DUE}


def test_the_newest_days_with_runs_are_remembered() -> None:
    assert first_to_remember(DUE, ENDED, 195, 10) == 110
    assert first_to_remember([*DUE, (201, "2026-09-20", "R20b")], ENDED, 195, 1) == 195


def test_a_run_without_an_end_is_remembered_however_old() -> None:
    assert first_to_remember(DUE, ENDED - {"R4"}, 195, 10) == 40


def test_an_old_close_is_what_fills_are_counted_from() -> None:
    assert first_to_remember(DUE, ENDED, 35, 10) == 35
    assert first_to_remember(DUE, ENDED, 0, 10) == 110


def test_a_clock_that_was_wrong_moves_nothing() -> None:
    strange = [*DUE[:12], (125, "1970-01-01", "R0"), *DUE[12:]]

    assert first_to_remember(strange, ENDED | {"R0"}, 195, 10) == 120


def test_a_short_history_is_remembered_whole() -> None:
    assert first_to_remember(DUE[:10], ENDED, 95, 10) == 0
    assert first_to_remember([], (), 0, 10) == 0
