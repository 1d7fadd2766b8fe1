"""The market clock over virtual days and weeks of the real calendar."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import cycle

import anyio
import pytest

from actors.market_clock import MarketClock
from qws.domain.schedule import Moment
from qws.messages import (
    ControlOrdered,
    EquityDue,
    EquityRecorded,
    PlanningDue,
    RebalanceDue,
    RunFinished,
    RunMissed,
    SessionPhaseChanged,
    TargetAccepted,
    TargetWaits,
)
from qws.runtime.actor import Actor
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.runtime.message import Envelope, Message
from qws.runtime.system import System
from qws.tables import load_calendar
from tests.support.builders import DAY, NEXT_DAY, HandClock, a_schedule, a_target, an_asset, at
from tests.support.journals import MemoryJournal

ONE = {"600000.SH": "0.5"}


class Feeder(Actor):
    """Tells prepared messages at their times."""

    on_crash = "halt"

    def __init__(self, clock: LoopClock, script: Sequence[tuple[datetime, TargetAccepted | ControlOrdered]]) -> None:
        self._clock, self._script = clock, script

    async def source(self) -> AsyncIterator[TargetAccepted | ControlOrdered | EquityRecorded]:
        for when, message in self._script:
            await self._clock.sleep_until(when)
            yield message


class Recorder(Actor):
    """Answers what nobody else listens to; records a day's equity once."""

    on_crash = "halt"

    def on_session_phase_changed(self, msg: SessionPhaseChanged) -> None: ...

    def on_rebalance_due(self, msg: RebalanceDue) -> RunFinished:
        return RunFinished.without_trades(msg, "completed", "", "", msg.send_at)

    def on_equity_recorded(self, msg: EquityRecorded) -> None: ...

    def on_target_waits(self, msg: TargetWaits) -> None: ...

    def on_run_missed(self, msg: RunMissed) -> None: ...

    def on_equity_due(self, msg: EquityDue) -> EquityRecorded:
        return EquityRecorded(msg.day, at("15:10:00", msg.day), "close", "", an_asset("1"), (), None)


@dataclass
class Weeks:
    """Virtual weeks of one clock with a journal that survives its lives."""

    script: Sequence[tuple[datetime, TargetAccepted | ControlOrdered]] = ()
    journal: MemoryJournal = field(default_factory=MemoryJournal)

    def live(self, start: datetime, end: datetime, kind: type[LoopClock] = LoopClock) -> Weeks:
        async def life() -> None:
            clock = kind(start)
            script = [entry for entry in self.script if start <= entry[0] < end]
            makers = [lambda: Feeder(clock, script), lambda: MarketClock(clock, a_schedule(), carries=False), Recorder]
            system = System(makers, clock=clock, journal=self.journal)
            with anyio.move_on_after((end - start).total_seconds()):
                await system.run()

        anyio.run(life, backend_options={"loop_factory": VirtualLoop})
        return self

    def days_of(self, kind: type[Message]) -> Counter[date]:
        return Counter(envelope.body.day for envelope in self.journal.of(kind))  # type: ignore[attr-defined]

    def fired(self, kind: type[Message]) -> list[tuple[str, Envelope]]:
        return [(f"{envelope.at:%m-%d %H:%M:%S}", envelope) for envelope in self.journal.of(kind)]


SEPTEMBER, OCTOBER = at("00:00:00", date(2026, 9, 21)), at("00:00:00", date(2026, 10, 17))


SESSIONS = [day for n in range(26) if load_calendar().is_session(day := SEPTEMBER.date() + timedelta(days=n))]


def daily_targets() -> list[tuple[datetime, TargetAccepted]]:
    times = ("08:00:00", "09:27:00", "10:15:00", "12:10:00", "14:00:00")
    return [
        (at(when, day), a_target(ONE, days=(day,), target_id=f"{n:02d}" + "c" * 62, when=when))
        for n, (when, day) in enumerate(zip(cycle(times), SESSIONS, strict=False))
    ]


def test_over_weeks_with_holidays_every_session_day_runs_once_and_records_once_and_no_other_day_does() -> None:
    weeks = Weeks(daily_targets()).live(SEPTEMBER, OCTOBER)

    assert len(SESSIONS) == 14
    assert weeks.days_of(RebalanceDue) == weeks.days_of(EquityDue) == Counter(SESSIONS)
    assert [when[6:] for when, _ in weeks.fired(RebalanceDue)][:5] == [
        "09:25:00",
        "09:27:00",
        "10:15:00",
        "13:00:03",
        "14:00:00",
    ]
    assert {when[6:] for when, _ in weeks.fired(EquityDue)} == {"15:10:00"}


def test_weeks_cut_by_restarts_fire_the_same_runs_and_records() -> None:
    weeks = Weeks(daily_targets())
    start = SEPTEMBER
    hours = 0
    while start < OCTOBER:
        hours = (hours + 7) % 31 + 1
        end = min(start + timedelta(hours=hours, minutes=17), OCTOBER)
        weeks.live(start, end)
        start = end

    assert weeks.days_of(RebalanceDue) == Counter(SESSIONS)
    assert weeks.days_of(EquityRecorded) == Counter(SESSIONS)


@pytest.mark.parametrize(("start", "count"), [("09:20:00", 1), ("10:30:00", 1), ("12:00:00", 1), ("15:00:00", 1)])
def test_a_start_in_the_middle_of_the_day_catches_up_once(start: str, count: int) -> None:
    weeks = Weeks([(at("08:00:00"), a_target(ONE))]).live(at("07:00:00"), at("08:30:00"))

    weeks.live(at(start), at("20:00:00"))
    weeks.live(at("20:00:00"), at("21:00:00"))

    assert weeks.days_of(RebalanceDue)[DAY] == count
    assert weeks.days_of(EquityRecorded)[DAY] == 1


def test_phases_are_told_in_order_with_the_one_of_the_start_first() -> None:
    weeks = Weeks().live(at("09:17:00"), at("16:00:00"))

    assert [envelope.body.phase for envelope in weeks.journal.of(SessionPhaseChanged)] == [  # type: ignore[attr-defined]
        "open_call_cancellable",
        "open_call_locked",
        "open_pause",
        "continuous",
        "lunch",
        "continuous",
        "close_call",
        "closed",
    ]


def test_beyond_the_calendar_the_clock_says_unknown_each_hour_and_fires_nothing() -> None:
    evening = at("20:00:00", date(2026, 12, 31))
    script = [(evening + timedelta(hours=20), ControlOrdered("rebalance", "me"))]

    weeks = Weeks(script).live(evening, evening + timedelta(days=2))

    phases = [envelope.body.phase for envelope in weeks.journal.of(SessionPhaseChanged)]  # type: ignore[attr-defined]
    assert phases == ["closed"] + ["unknown"] * 47
    assert weeks.days_of(EquityDue) == Counter([date(2026, 12, 31)])
    assert weeks.days_of(RebalanceDue) == Counter()


def test_a_machine_that_slept_over_days_does_not_fire_for_them_but_says_that_it_did_not() -> None:
    monday = date(2026, 11, 23)

    async def story() -> list[Message]:
        clock = HandClock(at("20:00:00"))
        actor = MarketClock(clock, a_schedule(), carries=False)
        actor.recall_target_accepted(a_target(ONE, days=(DAY, NEXT_DAY, monday)))
        source = actor.source()
        heard: list[Message] = [await anext(source) for _ in range(3)]
        clock.time = at("10:00:00", monday)
        return heard + [await anext(source) for _ in range(6)]

    heard = asyncio.run(story())

    assert heard[1:3] == [PlanningDue(DAY, "schedule", moment=Moment("default", at("09:25:00"))), EquityDue(DAY)]
    assert heard[3] == RunMissed(NEXT_DAY, "default", at("09:25:00", NEXT_DAY))
    assert heard[4] == PlanningDue(monday, "schedule", moment=Moment("default", at("09:25:00", monday)))
    assert {message.day for message in heard[5:]} == {monday}  # type: ignore[attr-defined]


class Corrected(LoopClock):
    """The clock of a PC that is eight hours ahead until it asks the network."""

    _ahead, _asks_s = timedelta(hours=8), 60.0

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self._look_again_s = 30.0

    def now(self) -> datetime:
        return super().now() + (self._ahead if asyncio.get_running_loop().time() < self._asks_s else timedelta(0))


def test_a_clock_that_is_set_back_while_the_process_runs_hides_nothing_of_the_day() -> None:
    weeks = Weeks([(at("16:52:00"), a_target(ONE, when="08:51:00"))])  # a time that is set back before it comes
    weeks.live(at("08:50:00"), at("17:00:00"), Corrected)

    assert [when for when, _ in weeks.fired(RebalanceDue)] == ["11-19 09:25:00"]
    assert [when for when, _ in weeks.fired(EquityDue)] == ["11-19 16:50:00", "11-19 15:10:00"]
