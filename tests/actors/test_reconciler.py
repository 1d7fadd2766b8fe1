"""When is the day held against the broker's lists: once, when nothing moves and the broker answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import anyio

from actors.reconciler import Reconciler
from qws.domain.account import Asset
from qws.domain.orders import OrderStatus
from qws.errors import GatewayLost
from qws.messages import DayReconciled, EquityRecorded, FillReceived, OrderUpdated
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.runtime.message import ActorCrashed, Started
from qws.tables import load_calendar
from tests.support.builders import COSTS, DAY, NEXT_DAY, a_fill, a_report, an_asset, an_order, at
from tests.support.fake_broker import FakeBroker

AT = time(15, 30)


def close(day: date = DAY) -> EquityRecorded:
    return EquityRecorded(day, at("15:10:00", day), "close", "", an_asset("1000000"), (), None, None)


def evening(
    began: datetime,
    hours: float,
    broker: FakeBroker,
    prepare: Callable[[Reconciler], None] = lambda actor: actor.on_equity_recorded(close()),
    later: tuple[float, Callable[[Reconciler], None]] | None = None,
) -> list[tuple[str, DayReconciled]]:
    """What was told, and when, in so many hours; something may happen to the actor some seconds after the start."""
    told: list[tuple[str, DayReconciled]] = []

    async def body() -> None:
        clock, note = LoopClock(began), told.append
        actor = Reconciler(broker, clock, load_calendar(), COSTS, AT)
        prepare(actor)

        async def happen() -> None:
            if later is not None:
                await clock.sleep(later[0])
                later[1](actor)

        with anyio.move_on_after(hours * 3600):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(happen)
                async for each in actor.source():
                    note((f"{clock.now():%m-%d %H:%M}", each))

    anyio.run(body, backend_options={"loop_factory": VirtualLoop})
    return told


def when(told: list[tuple[str, DayReconciled]]) -> list[tuple[str, str]]:
    return [(moment, each.problem) for moment, each in told]


def test_an_evening_is_reconciled_once_and_a_weekend_is_not() -> None:
    friday, asked = at("09:00:00", NEXT_DAY), FakeBroker()

    told = evening(friday, 24 * 2.9, asked, lambda actor: actor.on_equity_recorded(close(NEXT_DAY)))

    assert NEXT_DAY.weekday() == 4
    assert when(told) == [("11-20 15:30", "")]


def test_after_a_crash_it_rests_so_that_what_fails_at_every_look_does_not_end_the_program() -> None:
    def crashed(actor: Reconciler) -> None:
        actor.recall_equity_recorded(close())
        actor.recall_actor_crashed(ActorCrashed("reconciler", "ValueError: no number", None))

    def started_again(actor: Reconciler) -> None:
        crashed(actor)
        actor.on_started(Started())

    assert when(evening(at("15:40:00"), 4, FakeBroker(), crashed)) == [("11-19 15:55", "")]
    assert when(evening(at("15:40:00"), 4, FakeBroker(), started_again)) == [("11-19 15:40", "")]


def test_what_an_earlier_life_did_is_not_done_again() -> None:
    done = DayReconciled(DAY, at("15:30:00"), "", (), 0, 0, None)

    def prepare(actor: Reconciler) -> None:
        actor.recall_equity_recorded(close())
        actor.recall_day_reconciled(done)

    assert evening(at("15:40:00"), 4, FakeBroker(), prepare) == []
    assert when(evening(at("15:40:00"), 4, FakeBroker())) == [("11-19 15:40", "")]


def test_it_waits_for_the_close_and_for_fills_to_be_old() -> None:
    late = (1795.0, lambda actor: actor.on_equity_recorded(close()))

    def fresh(actor: Reconciler) -> None:
        actor.on_equity_recorded(close())
        actor.on_fill_received(FillReceived(a_fill(an_order(), 100, when=at("15:29:50"))))

    assert when(evening(at("15:00:00"), 3, FakeBroker(), lambda actor: None, late)) == [("11-19 15:30", "")]
    after = (3600.0, late[1])
    assert when(evening(at("15:00:00"), 3, FakeBroker(), lambda actor: None, after)) == [("11-19 16:00", "")]
    assert when(evening(at("15:20:00"), 3, FakeBroker(), fresh)) == [("11-19 15:31", "")]


def test_a_broker_that_does_not_answer_is_asked_until_midnight() -> None:
    away = FakeBroker(account_errors=[GatewayLost("gone")] * 30)
    gone = FakeBroker(account_errors=[GatewayLost("gone")] * 3000)

    assert when(evening(at("15:20:00"), 6, away)) == [("11-19 16:00", "")]
    assert when(evening(at("15:20:00"), 10, gone)) == [("11-20 00:00", "gone")]


def test_an_account_that_never_adds_up_is_compared_after_some_looks() -> None:
    odd = Asset(an_asset("1000000").cash, an_asset("0").cash, an_asset("0").cash, an_asset("5").cash)

    (only,) = evening(at("15:20:00"), 6, FakeBroker(money=odd))

    assert only[0] == "11-19 15:34"
    assert [(each.code, each.theirs[:7]) for each in only[1].differences] == [("account_mismatch", "total 5")]


def test_lists_without_a_single_order_are_none_while_ours_had_some() -> None:
    def prepare(actor: Reconciler) -> None:
        actor.on_order_updated(OrderUpdated(a_report(an_order(), OrderStatus.CANCELED)))
        actor.on_equity_recorded(close())

    ((_, told),) = evening(at("15:20:00"), 10, FakeBroker(), prepare)

    assert (told.problem, told.differences) == ("no_lists", ())


def test_a_computer_that_slept_over_an_evening_says_nothing_of_the_next_morning() -> None:
    def prepare(actor: Reconciler) -> None:
        actor.on_equity_recorded(close())

    class Sleeper(LoopClock):
        """Wakes up the next morning."""

        async def sleep_until(self, moment: datetime) -> None:
            await super().sleep_until(moment + timedelta(hours=17) if moment.date() == DAY else moment)

    told: list[DayReconciled] = []

    async def body() -> None:
        note, actor = told.append, Reconciler(FakeBroker(), Sleeper(at("15:00:00")), load_calendar(), COSTS, AT)
        prepare(actor)
        with anyio.move_on_after(20 * 3600):
            async for each in actor.source():
                note(each)

    anyio.run(body, backend_options={"loop_factory": VirtualLoop})
    assert told == []
