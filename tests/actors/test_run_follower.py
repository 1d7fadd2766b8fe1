"""The pause after a run that did not do all: it goes on, or something ends it, and either is told once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from actors.run_follower import RunFollower
from qws.domain.execution import INTERRUPTED
from qws.domain.plan import Outcome
from qws.domain.rest import FOLLOW_UP, FollowUps
from qws.messages import ControlOrdered, FollowUpDue, PlanningDue, RebalanceDue, RunFinished, RunPaused
from qws.runtime.message import Message, Started
from tests.support.builders import DAY, NEXT_DAY, HandClock, a_due, a_schedule, at
from tests.support.gate_rig import DUE, NEWER, end_of, ends, pause_of
from tests.support.outputs import Told, of, timers, told

PAUSE_S = 60.0
TRADED = (Outcome("600000.SH", Decimal("0.5"), Decimal("0.1"), 1000, 200, "not_filled"),)
TIMER = FollowUpDue(DUE.run_id, 0)
LIMIT = 3
_NAMES = {
    RunFinished: "run_finished",
    RunPaused: "run_paused",
    Started: "started",
    FollowUpDue: "follow_up_due",
    RebalanceDue: "rebalance_due",
    ControlOrdered: "control_ordered",
}


@dataclass
class Rig:
    """A follower and its clock; what it tells of a run it hears, as everybody does."""

    clock: HandClock
    actor: RunFollower
    journal: list[Message] = field(default_factory=list)

    def tell(self, message: Message) -> list[Told]:
        self.journal.append(message)
        answer = told(getattr(self.actor, f"on_{_NAMES[type(message)]}")(message))
        self.journal += [each for each in answer if isinstance(each, Message)]
        for end in of(RunFinished, answer):
            assert told(self.actor.on_run_finished(end)) == []
        return answer

    def reborn(self, *killed_at: Message) -> Rig:
        """A new life, after a kill right when these had been told."""
        rig = a_rig()
        rig.clock.time = self.clock.time
        rig.journal = [*self.journal, *killed_at]
        for message in rig.journal:
            recall = getattr(rig.actor, f"recall_{_NAMES.get(type(message))}", None)
            if recall is not None:
                recall(message)
        return rig


def a_rig(clock: str = "10:00:00", day: date = DAY, *, after_s: float = PAUSE_S, always_open: bool = False) -> Rig:
    hand = HandClock(at(clock, day))
    return Rig(hand, RunFollower(hand, a_schedule(always_open=always_open), FollowUps(LIMIT, after_s)))


def unfinished(due: RebalanceDue = DUE, outcomes: tuple[Outcome, ...] = TRADED) -> RunPaused:
    """An attempt that left something; without outcomes nothing of it was sent."""
    paused = pause_of(due, was_sent=bool(outcomes))
    end = paused.end if outcomes else end_of(due, "refused", "no_snapshot")
    return replace(paused, end=replace(end, outcomes=outcomes))


GO_ON = PlanningDue(DAY, FOLLOW_UP, unfinished())


def paused(clock: str = "10:00:00", end: RunPaused | None = None) -> Rig:
    rig = a_rig(clock)
    rig.tell(DUE)
    assert len(timers(FollowUpDue, rig.tell(end or unfinished()))) == 1
    return rig


def test_what_is_left_goes_on_after_the_pause_once() -> None:
    rig = a_rig()
    assert rig.tell(DUE) == []

    assert timers(FollowUpDue, rig.tell(unfinished())) == [(PAUSE_S, TIMER)]
    rig.clock.set("10:01:00")
    assert [rig.tell(TIMER) for _ in range(2)] == [[GO_ON], []]


def test_an_attempt_that_left_something_again_is_followed_by_the_next_one() -> None:
    rig = paused()
    rig.tell(TIMER)
    second = replace(DUE, attempt=1, trigger=FOLLOW_UP, before=unfinished())
    assert rig.tell(second) == []

    assert timers(FollowUpDue, rig.tell(unfinished(second))) == [(PAUSE_S, FollowUpDue(DUE.run_id, 1))]
    assert rig.tell(TIMER) == []  # the first attempt's
    assert rig.tell(FollowUpDue(DUE.run_id, 1)) == [PlanningDue(DAY, FOLLOW_UP, unfinished(second))]


@pytest.mark.parametrize("attempt", [0, 1, LIMIT, 2 * LIMIT])
def test_at_the_limit_of_follow_ups_the_run_ends_whatever_the_number_of_its_attempt(attempt: int) -> None:
    due = replace(DUE, attempt=attempt)
    for follow_ups in range(1, LIMIT + 2):
        rig, left = a_rig(), replace(unfinished(due), follow_ups=follow_ups)
        rig.tell(due)

        answer = rig.tell(left)

        assert len(timers(FollowUpDue, answer)) == (follow_ups <= LIMIT)
        assert of(RunFinished, answer) == ([] if follow_ups <= LIMIT else [left.end])


@pytest.mark.parametrize(
    "end",
    [
        end_of(DUE),
        end_of(DUE, "incomplete", "not_filled"),
        pause_of(DUE, INTERRUPTED),
        end_of(DUE, "refused", "no_snapshot"),
        end_of(DUE, "superseded", "superseded"),
    ],
)
def test_any_other_end_is_followed_by_nothing(end: Message) -> None:
    rig = a_rig()
    rig.tell(DUE)

    assert rig.tell(end) == rig.tell(TIMER) == []


@pytest.mark.parametrize("other", [FollowUpDue("20261119-bbbbbb", 0), FollowUpDue(DUE.run_id, 1)])
def test_the_timer_of_another_run_or_attempt_means_nothing(other: FollowUpDue) -> None:
    rig = paused()

    assert rig.tell(other) == []
    assert rig.tell(TIMER) == [GO_ON]


@pytest.mark.parametrize(
    ("clock", "wait_s"),
    [("11:28:59", PAUSE_S), ("11:29:00", 5463.0), ("11:29:59", 5404.0), ("12:30:00", 1803.0), ("12:59:30", PAUSE_S)],
)
def test_a_pause_that_would_end_over_lunch_ends_when_orders_may_leave_again(clock: str, wait_s: float) -> None:
    rig = a_rig(clock)
    rig.tell(DUE)

    assert timers(FollowUpDue, rig.tell(unfinished())) == [(wait_s, TIMER)]


@pytest.mark.parametrize(("clock", "has_time"), [("14:54:59.9", True), ("14:55:00", False), ("15:05:00", False)])
def test_without_time_left_in_the_session_the_run_ends_at_once(clock: str, *, has_time: bool) -> None:
    rig = a_rig(clock)
    rig.tell(DUE)

    answer = rig.tell(unfinished())

    assert ends(answer) == ([] if has_time else [(DUE.run_id, "incomplete", "not_filled")])
    assert all(end.outcomes == TRADED for end in of(RunFinished, answer))
    assert rig.tell(TIMER) == ([GO_ON] if has_time else [])


def test_without_time_left_a_run_ends_as_the_attempt_said_it_would() -> None:
    rig = a_rig("14:55:30")
    rig.tell(DUE)

    assert of(RunFinished, rig.tell(unfinished(outcomes=()))) == [unfinished(outcomes=()).end]


@pytest.mark.parametrize(("day", "clock"), [(NEXT_DAY, "00:00:30"), (date(2026, 12, 31), "14:00:00")])
def test_a_run_of_another_day_or_a_pause_beyond_the_calendar_ends_the_run(day: date, clock: str) -> None:
    rig = a_rig(clock, day, after_s=86_400.0)
    due = a_due(day=day if day.month == 12 else DAY)
    rig.tell(due)

    assert ends(rig.tell(unfinished(due))) == [(due.run_id, "incomplete", "not_filled")]


def test_an_always_open_market_follows_up_at_any_hour_of_the_same_day() -> None:
    rig = a_rig("23:58:00", always_open=True)
    rig.tell(DUE)
    assert timers(FollowUpDue, rig.tell(unfinished())) == [(PAUSE_S, TIMER)]

    rig = a_rig("23:59:30", always_open=True)
    rig.tell(DUE)
    assert ends(rig.tell(unfinished())) == [(DUE.run_id, "incomplete", "not_filled")]


@pytest.mark.parametrize(("clock", "day"), [("14:56:00", DAY), ("10:00:00", NEXT_DAY), ("09:00:00", date(2027, 1, 4))])
def test_a_machine_that_slept_through_the_pause_into_another_time_ends_the_run(clock: str, day: date) -> None:
    rig = paused()
    rig.clock.set(clock, day)

    assert ends(rig.tell(TIMER)) == [(DUE.run_id, "incomplete", "not_filled")]
    assert rig.tell(TIMER) == []


@pytest.mark.parametrize(
    ("message", "status", "reason"),
    [
        (NEWER, "superseded", "superseded"),
        (replace(DUE, run_id=f"{DUE.run_id}-1", attempt=1, trigger="manual"), "superseded", "superseded"),
        (ControlOrdered("halt", "me"), "incomplete", "halted"),
        (ControlOrdered("cancel", "me"), "incomplete", "cancelled"),
    ],
)
def test_what_comes_in_the_pause_ends_the_run_once_with_what_it_achieved(
    message: Message, status: str, reason: str
) -> None:
    rig = paused()

    (end,) = of(RunFinished, rig.tell(message))

    assert (end.run_id, end.attempt, end.status, end.reason) == (DUE.run_id, 0, status, reason)
    assert (end.outcomes, bool(end.text)) == (TRADED, True)
    assert rig.tell(message) == rig.tell(ControlOrdered("halt", "me")) == rig.tell(TIMER) == []


@pytest.mark.parametrize(("command", "reason"), [("halt", "halted"), ("cancel", "cancelled")])
def test_a_run_that_is_stopped_in_the_pause_before_anything_was_sent_is_refused(command: str, reason: str) -> None:
    rig = paused(end=unfinished(outcomes=()))

    assert ends(rig.tell(ControlOrdered(command, "me"))) == [(DUE.run_id, "refused", reason)]


@pytest.mark.parametrize("command", ["resume", "rebalance"])
def test_other_orders_of_a_person_do_not_end_the_pause(command: str) -> None:
    rig = paused()

    assert rig.tell(ControlOrdered(command, "me")) == []
    assert rig.tell(TIMER) == [GO_ON]


def test_an_end_that_somebody_else_tells_in_the_pause_is_the_last_word() -> None:
    rig = paused()

    assert rig.tell(end_of(DUE, "superseded", "superseded")) == []
    assert rig.tell(NEWER) == rig.tell(ControlOrdered("halt", "me")) == rig.tell(TIMER) == []


@pytest.mark.parametrize("clock", ["10:00:00", "14:55:30"])
@pytest.mark.parametrize("before", [NEWER, ControlOrdered("halt", "me"), ControlOrdered("cancel", "me")])
def test_a_run_that_was_overtaken_or_stopped_before_its_attempt_ended_is_left_to_the_gate(
    before: Message, clock: str
) -> None:
    rig = a_rig(clock)
    rig.tell(DUE)
    rig.tell(before)

    assert rig.tell(unfinished()) == rig.tell(TIMER) == []


def test_an_attempt_that_comes_too_late_does_not_end_the_pause_of_the_run_that_overtook_it() -> None:
    rig = paused()
    rig.tell(TIMER)
    assert rig.tell(NEWER) == []
    assert rig.tell(replace(DUE, attempt=1, trigger=FOLLOW_UP)) == []

    assert len(timers(FollowUpDue, rig.tell(unfinished(NEWER)))) == 1


def test_a_new_life_follows_up_what_goes_on_after_a_cut() -> None:
    rig = a_rig()
    recovery = replace(DUE, attempt=1, trigger="recovery")
    assert rig.tell(pause_of(DUE, INTERRUPTED)) == rig.tell(recovery) == []

    rig.clock.time += timedelta(minutes=5)

    assert timers(FollowUpDue, rig.tell(unfinished(recovery))) == [(PAUSE_S, FollowUpDue(DUE.run_id, 1))]
