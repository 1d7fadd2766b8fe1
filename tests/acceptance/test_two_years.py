"""Two years in virtual time, with every holiday, through a PC that is switched off and on again: each due run once."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from itertools import groupby

import pytest

from qws.cli.home import make_home
from qws.config import make_config
from qws.domain.schedule import Moment
from qws.messages import TargetAccepted
from tests.acceptance.two_years import (
    CATCH_UP,
    EQUITY_AT,
    FIRST,
    LAST,
    LAST_ORDER_AT,
    LONG_ENOUGH,
    PLAN_AT,
    RUNS,
    TURN,
    Story,
    at,
    drop,
    live,
    moments,
    offs,
    sessions,
)

pytestmark = pytest.mark.timeout(400)  # two years of minutes


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = make_home(tmp_path_factory.mktemp("two years") / "home")
    months = groupby(sessions(), key=lambda day: (day.year, day.month))
    for _, days in months:
        listed = list(days)
        drop(home, f"{listed[0]}", listed)
    base = {"intake": {"scan_s": 3600}, "paper": {"seed": 5, "always_open": False}}
    first = make_config({**base, "schedule": {"runs": RUNS}}, "test")
    second = {"runs": RUNS, "on_drop": "schedule", "catch_up_s": CATCH_UP.total_seconds()}
    later = make_config({**base, "schedule": second}, "test")
    story, begin = Story(), at(FIRST, time(0))
    for off, on in [*offs(), (at(LAST, time(23, 59)), at(LAST, time(23, 59)))]:
        live(home, first if begin.date() < TURN else later, story, begin, off)
        begin = on
    return story


def newest(story: Story, moment: Moment, until: datetime) -> TargetAccepted | None:
    """What a moment takes when it is looked at: its newest target, and only if that was there by then."""
    day = moment.at.date()
    own = [each for each in story.targets.get(day, []) if moment.name != "alpha" or each.name.startswith("alpha")]
    own = [each for each in own if each.at <= until]
    return own[-1] if own and own[-1].at <= moment.at else None


def test_every_moment_of_two_years_is_made_or_missed_once_and_none_else_is(story: Story) -> None:
    known = set(moments())

    assert story.made.keys() | story.missed.keys() <= known
    assert {moment for moment, times in story.made.items() if len(times) > 1} == set()
    assert {moment for moment, times in story.missed.items() if len(times) > 1} == set()
    assert story.made.keys() & story.missed.keys() == set()
    assert all(newest(story, moment, moment.at) for moment in (*story.made, *story.missed))
    assert {moment.name for moment in story.made} == {moment.name for moment in story.missed} == {
        "default", "late", "alpha", "friday",
    }  # fmt: skip


def test_what_was_due_while_the_program_lived_was_made_on_time(story: Story) -> None:
    due = [moment for moment in moments() if story.saw(moment.at)]
    expected = {moment: target for moment in due if (target := newest(story, moment, moment.at)) is not None}
    late = {
        moment
        for moment, target in expected.items()
        if moment not in story.made and not (moment.name == "default" and has_run(story, moment, target.target_id))
    }

    assert len(expected) > 600
    assert late == set()
    for moment, target in expected.items():
        if moment in story.made:
            ((when, target_id),) = story.made[moment]
            assert (when - moment.at < timedelta(seconds=1), target_id) == (True, target.target_id)


def has_run(story: Story, moment: Moment, target_id: str) -> bool:
    other = story.others.get((moment.at.date(), target_id))
    return other is not None and other <= moment.at


def test_what_was_due_while_the_pc_was_off_is_made_up_for_in_time_or_told(story: Story) -> None:
    made = missed = void = 0
    for moment in moments():
        start = story.next_start(moment.at)
        if story.saw(moment.at) or start is None or newest(story, moment, moment.at) is None:
            continue
        window = CATCH_UP if moment.at.date() >= TURN else at(moment.at.date(), LAST_ORDER_AT) - moment.at
        if moment in story.made:
            ((when, _),) = story.made[moment]
            is_refused = moment.name == "default" and moment.at.date() < TURN and when.date() == moment.at.date()
            assert when - moment.at <= window or is_refused
            made += 1
        elif moment in story.missed:
            (told,) = story.missed[moment]
            assert told - moment.at > window or any(moment.at < each.at <= told for each in story.made)
            missed += 1
        else:  # a newer target had come, or its target had run
            assert newest(story, moment, start + timedelta(minutes=1)) is None or moment.name == "default"
            void += 1

    assert made > 10
    assert missed > 20
    assert void < 20


def test_in_the_second_year_a_target_waits_for_the_next_run(story: Story) -> None:
    waited = [
        (target, min((m.at for m, made in story.made.items() if made[0][1] == target.target_id), default=None))
        for day, targets in story.targets.items()
        for target in targets
        if day >= TURN and len(target.days) == 1 and target.at.time() > PLAN_AT
    ]

    assert len(waited) > 20
    assert any(first is None for _, first in waited)  # dropped after the last run of the day
    for target, first in waited:
        assert first is None or first >= target.at
        assert (target.at.date(), target.target_id) not in story.others or first is not None


def test_every_session_on_which_the_program_lived_long_enough_has_a_run(story: Story) -> None:
    for day in sessions():
        lived = story.lived(at(day, PLAN_AT), at(day, LAST_ORDER_AT))
        if lived > LONG_ENOUGH and story.saw(at(day, PLAN_AT)):
            ends = story.results.get(day, [])
            assert any(end.status in ("completed", "incomplete") for end in ends), f"{day}: {ends}"


def test_every_run_has_one_end_and_no_attempt_is_due_twice(story: Story) -> None:
    assert {run_id: times for run_id, times in story.ends.items() if times > 1} == {}
    assert [due for due, times in story.attempts.items() if times > 1] == []
    assert {run_id for run_id, _ in story.attempts} == set(story.ends)
    assert sum(story.attempts.values()) > len(story.ends)  # some were cut off and went on


def test_nothing_is_due_while_the_exchanges_or_the_pc_are_off(story: Story) -> None:
    assert story.results.keys() <= set(sessions())
    unseen = [day for day in sessions() if not story.lived(at(day, PLAN_AT), at(day, EQUITY_AT))]
    assert len(unseen) > 10
    refused = {day: [(end.status, end.reason) for end in story.results[day]] for day in unseen if day in story.results}
    assert {tuple(ends) for ends in refused.values()} <= {(("refused", "session_over"),)}  # switched on in the evening
    assert all(story.lived(at(day, EQUITY_AT), at(day, time(23, 59))) for day in refused)


def test_every_close_that_the_program_saw_is_recorded_once(story: Story) -> None:
    seen = [day for day in sessions() if story.lived(at(day, EQUITY_AT), at(day, time(23, 59))) > timedelta(minutes=1)]

    assert set(story.closes.values()) == {1}
    assert set(seen) <= story.closes.keys() <= set(sessions())
