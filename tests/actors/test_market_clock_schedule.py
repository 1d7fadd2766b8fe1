"""Further runs of the day, targets that wait for them, runs that were missed, and any target by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta

import anyio
import pytest

from actors.market_clock import MarketClock
from qws.domain.schedule import ListedRun, Moment, Schedule
from qws.domain.tags import ATTEMPT_MAX
from qws.messages import ControlOrdered, PlanningDue, RebalanceDue, RunFinished, RunMissed, TargetAccepted, TargetWaits
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.runtime.system import System
from tests.actors.test_market_clock_weeks import Feeder, Recorder
from tests.support.builders import DAY, NEXT_DAY, TARGET, HandClock, a_due, a_schedule, a_target, at
from tests.support.journals import MemoryJournal
from tests.support.outputs import of, told

ONE, OTHER = {"600000.SH": "0.5"}, "b" * 64
LATE = Moment("late", at("10:30:00"))


def scheduled(*, waits: bool = False, files: str = "", catch_up_s: float | None = None) -> Schedule:
    late = ListedRun("late", lambda day: (time(10, 30), time(14, 30)), files)
    return replace(a_schedule(), runs=(late,), waits=waits, catch_up_s=catch_up_s)


def a_clock(now: str, schedule: Schedule) -> tuple[HandClock, MarketClock]:
    clock = HandClock(at(now))
    return clock, MarketClock(clock, schedule, carries=False)


def runs(answer: object) -> list[tuple[str, str, int, Moment | None]]:
    return [(due.run_id, due.trigger, due.attempt, due.moment) for due in of(RebalanceDue, answer)]


def test_a_listed_run_plans_the_target_of_the_day_again_under_a_new_name() -> None:
    clock, actor = a_clock("08:00:00", scheduled())
    told(actor.on_target_accepted(a_target(ONE, when="08:00:00")))
    opening = Moment("default", at("09:25:00"))
    due = PlanningDue(DAY, "schedule", moment=LATE)

    clock.set("09:25:00")
    first = runs(actor.on_planning_due(PlanningDue(DAY, "schedule", moment=opening)))
    clock.set("10:30:00")
    again = [runs(actor.on_planning_due(due)) for _ in range(2)]

    assert first == [("20261119-aaaaaa", "schedule", 0, opening)]
    assert again == [[("20261119-aaaaaa-1", "schedule", 1, LATE)], []]


def test_a_target_that_comes_in_the_session_waits_for_the_next_run() -> None:
    clock, actor = a_clock("10:00:00", scheduled(waits=True))

    answer = told(actor.on_target_accepted(a_target(ONE, days=(DAY, NEXT_DAY), when="10:00:00")))

    assert answer == [TargetWaits(TARGET, (LATE, Moment("default", at("09:25:00", NEXT_DAY))), None)]
    clock.set("10:30:00")
    assert runs(actor.on_planning_due(PlanningDue(DAY, "schedule", moment=LATE))) == [
        ("20261119-aaaaaa", "schedule", 0, LATE)
    ]


def test_a_target_for_which_no_run_is_left_says_so_and_starts_by_hand() -> None:
    _, actor = a_clock("14:40:00", scheduled(waits=True))

    assert told(actor.on_target_accepted(a_target(ONE, when="14:40:00"))) == [TargetWaits(TARGET, (), DAY)]
    assert runs(actor.on_control_ordered(ControlOrdered("rebalance", "me"))) == [("20261119-aaaaaa", "manual", 0, None)]


def test_a_target_whose_file_a_run_does_not_take_waits_for_another_one() -> None:
    _, actor = a_clock("10:00:00", scheduled(waits=True, files="alpha*"))
    other = replace(a_target(ONE, when="10:00:00", target_id=OTHER), name="ALPHA2.csv")

    assert told(actor.on_target_accepted(a_target(ONE, when="10:00:00"))) == [TargetWaits(TARGET, (), DAY)]
    assert told(actor.on_target_accepted(other)) == [TargetWaits(OTHER, (LATE,), None)]


def test_a_target_that_was_there_in_time_and_is_told_late_runs_at_once() -> None:
    _, actor = a_clock("10:30:01", scheduled(waits=True))

    answer = told(actor.on_target_accepted(a_target(ONE, when="10:29:59")))

    assert of(PlanningDue, answer) == [PlanningDue(DAY, "schedule", moment=LATE)]


@pytest.mark.parametrize(("ordered", "started"), [(TARGET, ["20261119-aaaaaa"]), (OTHER, ["20261119-bbbbbb"])])
def test_a_person_may_start_any_target_of_the_day(ordered: str, started: list[str]) -> None:
    _, actor = a_clock("10:00:00", scheduled(waits=True))
    for target_id in (TARGET, OTHER):
        told(actor.on_target_accepted(a_target(ONE, target_id=target_id, when="10:00:00")))

    assert [run[0] for run in runs(actor.on_control_ordered(ControlOrdered("rebalance", "me", "", ordered)))] == started


def test_a_target_of_another_day_is_not_started_by_hand() -> None:
    _, actor = a_clock("10:00:00", scheduled())
    told(actor.on_target_accepted(a_target(ONE, days=(NEXT_DAY,), when="10:00:00")))

    assert told(actor.on_control_ordered(ControlOrdered("rebalance", "me", "", TARGET))) == []


def test_a_run_for_which_no_attempt_is_left_is_told_as_missed_so_that_it_is_not_due_again() -> None:
    _, actor = a_clock("10:30:00", scheduled())
    actor.recall_target_accepted(a_target(ONE))
    actor.recall_rebalance_due(a_due(attempt=ATTEMPT_MAX))

    answer = told(actor.on_planning_due(PlanningDue(DAY, "schedule", moment=LATE)))

    assert [end.reason for end in of(RunFinished, answer)] == ["attempts"]
    assert of(RunMissed, answer) == [RunMissed(DAY, "late", LATE.at)]


def test_the_schedule_of_a_day_without_a_target_is_silent() -> None:
    _, actor = a_clock("10:30:00", scheduled())

    assert runs(actor.on_planning_due(PlanningDue(DAY, "schedule", moment=LATE))) == []


@dataclass
class Days:
    """Lives of one clock over days, with one journal."""

    schedule: Schedule
    script: Sequence[tuple[datetime, TargetAccepted | ControlOrdered]]
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def live(self, start: datetime, end: datetime) -> Days:
        async def life() -> None:
            clock = LoopClock(start)
            script = [entry for entry in self.script if start <= entry[0] < end]
            makers = [lambda: Feeder(clock, script), lambda: MarketClock(clock, self.schedule, carries=False), Recorder]
            with anyio.move_on_after((end - start).total_seconds()):
                await System(makers, clock=clock, journal=self.journal).run()

        anyio.run(life, backend_options={"loop_factory": VirtualLoop})
        return self

    def made(self) -> list[tuple[str, str]]:
        return [
            (f"{envelope.at:%d %H:%M}", envelope.body.moment.name if envelope.body.moment else envelope.body.trigger)  # type: ignore[attr-defined]
            for envelope in self.journal.of(RebalanceDue)
        ]

    def missed(self) -> Counter[str]:
        return Counter(f"{envelope.body.at:%d %H:%M}" for envelope in self.journal.of(RunMissed))  # type: ignore[attr-defined]


SCRIPT = [(at("08:00:00"), a_target(ONE, days=(DAY, NEXT_DAY), when="08:00:00"))]


@pytest.mark.parametrize(
    ("catch_up_s", "lives", "made", "missed"),
    [
        (None, [("07:00:00", "20:00:00")], [("19 09:25", "default"), ("19 10:30", "late"), ("19 14:30", "late")], []),
        (  # killed within a second of what is due, and started again each time
            None,
            [("07:00:00", "09:25:01"), ("09:25:02", "10:30:01"), ("10:30:02", "14:29:59"), ("14:30:05", "16:00:00")],
            [("19 09:25", "default"), ("19 10:30", "late"), ("19 14:30", "late")],
            [],
        ),
        (  # off from before the open until after lunch: the latest is made up for
            None,
            [("07:00:00", "09:00:00"), ("13:10:00", "13:20:00"), ("13:30:00", "16:00:00"), ("17:00:00", "18:00:00")],
            [("19 13:10", "late"), ("19 14:30", "late")],
            ["19 09:25"],
        ),
        (1800.0, [("07:00:00", "10:29:00"), ("10:59:00", "20:00:00")], [("19 09:25", "default"), ("19 10:59", "late"),
                                                                     ("19 14:30", "late")], []),
        (1800.0, [("07:00:00", "10:29:00"), ("11:01:00", "11:02:00"), ("11:03:00", "20:00:00")],
         [("19 09:25", "default"), ("19 14:30", "late")], ["19 10:30"]),
        (0.0, [("07:00:00", "09:24:00"), ("09:26:00", "20:00:00")], [("19 10:30", "late"), ("19 14:30", "late")],
         ["19 09:25"]),
        (  # an evening start: the run of the day is started for the gate to refuse it, the others are told
            None,
            [("07:00:00", "09:00:00"), ("20:00:00", "21:00:00"), ("22:00:00", "23:00:00")],
            [("19 20:00", "default")],
            ["19 10:30", "19 14:30"],
        ),
    ],
)  # fmt: skip
def test_each_moment_is_made_or_missed_once_over_restarts(
    catch_up_s: float | None, lives: list[tuple[str, str]], made: list[tuple[str, str]], missed: list[str]
) -> None:
    days = Days(scheduled(catch_up_s=catch_up_s), SCRIPT)
    for start, end in lives:
        days.live(at(start), at(end))

    assert days.made() == made
    assert days.missed() == Counter(missed)


def test_a_whole_day_off_is_told_on_the_next_one_once() -> None:
    days = Days(scheduled(), SCRIPT).live(at("07:00:00"), at("09:00:00"))
    for hour in (0, 1, 2):
        days.live(at("08:00:00", NEXT_DAY) + timedelta(hours=hour), at("08:30:00", NEXT_DAY) + timedelta(hours=hour))

    assert days.missed() == Counter(["19 09:25", "19 10:30", "19 14:30"])
    assert days.made() == [("20 09:25", "default")]


def test_a_drop_that_a_kill_left_unstarted_is_started_by_the_next_life() -> None:
    days = Days(scheduled(), []).live(at("09:55:00"), at("10:00:00"))
    days.script = [(at("10:00:00"), a_target(ONE, when="10:00:00"))]
    days.schedule = scheduled(waits=True)  # this life holds it back
    days.live(at("10:00:00"), at("10:05:00"))
    days.schedule = scheduled()

    days.live(at("10:10:00"), at("10:20:00"))

    assert days.made() == [("19 10:10", "schedule")]
