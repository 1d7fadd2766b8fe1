"""Which run sells what a stop ended, at once or later; a day's attempts never run out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from qws.domain.plan import STOPS_ONLY
from qws.domain.tags import ATTEMPT_MAX
from qws.messages import RunFinished
from qws.stop_turns import StopTurns
from tests.support.builders import NEXT_DAY, a_due, at

NOW = at("10:00:00")
EXIT = a_due(target_id=STOPS_ONLY, trigger="exit")


def test_a_day_on_which_names_cross_all_the_time_has_a_run_left_for_the_last_of_them() -> None:
    turns, now, runs = StopTurns(), at("09:30:15"), 0
    while now < at("14:56:00"):
        is_lunch = at("11:30:00") <= now < at("13:00:00")
        if not is_lunch and (turns.may_at_once(now) or turns.may_again(now)):
            turns.due(now)
            due = replace(EXIT, run_id=f"{EXIT.run_id}-{runs}", attempt=runs)
            turns.begin(due)
            turns.end(RunFinished.without_trades(due, "completed", "", "", now))
            runs += 1
            last = now
        now += timedelta(seconds=15)

    assert ATTEMPT_MAX / 2 < runs <= ATTEMPT_MAX + 1
    assert now - last <= timedelta(minutes=15)
    assert turns.may_at_once(at("09:30:15", NEXT_DAY))


def test_when_no_attempt_is_left_nothing_is_tried() -> None:
    turns, last = StopTurns(), replace(EXIT, attempt=ATTEMPT_MAX)
    turns.begin(last)
    turns.end(RunFinished.without_trades(last, "completed", "", "", NOW))

    assert not turns.may_again(NOW)
    assert not turns.may_at_once(NOW)


def test_what_goes_on_and_is_refused_is_sold_without_it_at_once_but_a_run_that_only_sells_waits() -> None:
    for due, is_at_once in ((a_due(), True), (EXIT, False)):
        turns = StopTurns()
        turns.begin(due)
        turns.due(NOW)
        turns.end(RunFinished.without_trades(due, "refused", "expired_target", "", NOW))
        assert turns.may_again(NOW + timedelta(seconds=15)) is is_at_once
