"""The stop watcher looks, tells once and makes a run due; it never does anything on what it does not know."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from actors.stop_watcher import StopWatcher
from qws.domain.bars import DailyBar
from qws.domain.market import Instrument, Kind, Quote
from qws.domain.plan import STOPS_ONLY
from qws.domain.stops import StopRules
from qws.errors import GatewayLost
from qws.messages import ControlOrdered, EquityRecorded, PlanningDue, RunFinished, StopTriggered
from tests.support.builders import (
    DAY,
    HandClock,
    a_due,
    a_position,
    a_quote,
    a_schedule,
    an_asset,
    an_instrument,
    at,
)
from tests.support.fake_broker import FakeBroker, FakeQuotes

A, B = "600000.SH", "600004.SH"
RULES = StopRules(Decimal("0.05"), Decimal(0), Decimal(0), 15.0, 15.0, frozenset({Kind.STOCK}), frozenset({B}))
HELD = tuple(replace(a_position(code, 1000), cost_price=Decimal(10)) for code in (A, B))
CLOSE = EquityRecorded(
    DAY - timedelta(days=1), at("10:00:00") - timedelta(days=1), "close", "", an_asset("0", HELD), HELD, None
)


class MovingQuotes(FakeQuotes):
    """Quotes of now at one price."""

    def __init__(self, clock: HandClock, last: str = "9.40") -> None:
        bars = {
            code: (DailyBar(DAY - timedelta(days=1), Decimal(10), Decimal(10), Decimal(10), Decimal(10), 1),)
            for code in (A, B)
        }
        super().__init__(records={code: an_instrument(code) for code in (A, B)}, bars=bars)
        self._clock, self.last = clock, last
        self.bars_errors: list[GatewayLost] = []
        self.asked_bars: list[tuple[str, ...]] = []

    async def daily_bars(self, codes: Collection[str], days: int) -> Mapping[str, tuple[DailyBar, ...]]:
        if self.bars_errors:
            raise self.bars_errors.pop(0)
        self.asked_bars.append(tuple(codes))
        return await super().daily_bars(codes, days)

    async def quotes(self, codes: object) -> Mapping[str, Quote]:
        if self.errors:
            raise self.errors.pop(0)
        now = self._clock.now()
        return {code: replace(a_quote(code, self.last, bids=(self.last,)), at=now) for code in (A, B)}

    async def instruments(self, codes: object) -> Mapping[str, Instrument]:
        return self.records


class Rig:
    """A watcher, its world, and what it told until a moment."""

    def __init__(self, began: str = "10:00:00", held: tuple[object, ...] = HELD) -> None:
        self.clock = HandClock(at(began))
        self.quotes = MovingQuotes(self.clock)
        self.broker = FakeBroker(money=an_asset("0", HELD), holdings=held)  # type: ignore[arg-type]
        self.actor = StopWatcher(self.broker, self.quotes, self.clock, a_schedule(), RULES)

    def told(self, until: str = "10:01:05") -> list[StopTriggered | PlanningDue]:
        async def work() -> list[StopTriggered | PlanningDue]:
            found: list[StopTriggered | PlanningDue] = []
            source: AsyncIterator[StopTriggered | PlanningDue] = _until(self, at(until))
            async for each in source:
                found.append(each)
                if isinstance(each, StopTriggered) and (due := self.actor.on_stop_triggered(each)) is not None:
                    found.append(due)
            return found

        return asyncio.run(work())


async def _until(rig: Rig, end: object) -> AsyncIterator[StopTriggered | PlanningDue]:
    real = rig.clock.sleep

    async def sleep(seconds: float) -> None:
        if rig.clock.now() >= end:  # type: ignore[operator]
            raise TimeoutError
        await real(seconds)

    rig.clock.sleep = sleep  # type: ignore[method-assign]
    try:
        async with aclosing(rig.actor.source()) as source:  # type: ignore[type-var]
            async for each in source:
                yield each
    except TimeoutError:
        return
    finally:
        rig.clock.sleep = real  # type: ignore[method-assign]


def words(told: list[StopTriggered | PlanningDue]) -> list[str]:
    return [each.code if isinstance(each, StopTriggered) else each.trigger for each in told]


def test_a_crossing_is_told_once_and_a_protected_name_never() -> None:
    assert words(Rig().told()) == [A, "exit"]


def test_a_run_that_is_on_goes_on_without_the_name_but_not_one_that_only_sells() -> None:
    for target_id, ended, trigger in (("a" * 64, False, "stop"), ("a" * 64, True, "exit"), (STOPS_ONLY, False, "exit")):
        rig, due = Rig(), replace(a_due(), target_id=target_id)
        rig.actor.on_rebalance_due(due)
        if ended:
            rig.actor.on_run_finished(RunFinished.without_trades(due, "completed", "", "", at("10:00:00")))
        assert words(rig.told()) == [A, trigger]


def test_a_run_that_a_person_ends_does_not_go_on() -> None:
    for command in ("cancel", "halt"):
        rig = Rig()
        rig.actor.on_rebalance_due(a_due())
        rig.actor.on_control_ordered(ControlOrdered(command, "me"))
        rig.actor.on_control_ordered(ControlOrdered("resume", "me"))  # before its orders are cancelled
        assert words(rig.told()) == [A, "exit"]


def test_a_run_that_is_on_goes_on_without_a_name_that_cannot_be_sold_today() -> None:
    rig = Rig(held=(replace(HELD[0], sellable=0),))
    rig.actor.on_rebalance_due(a_due())

    assert words(rig.told()) == [A, "stop"]


def test_what_a_stop_left_is_tried_again_but_not_beside_a_run_nor_while_halted_nor_before_it_can_be_sold() -> None:
    first = Rig()
    (stop, _) = first.told()
    assert isinstance(stop, StopTriggered)
    later = "10:16:30"
    for told, sellable, wanted in (
        ((), 1000, ["exit", "exit"]),
        ((), 0, []),
        ((a_due(),), 1000, []),
        ((ControlOrdered("halt", "me"),), 1000, []),
        ((ControlOrdered("halt", "me"), ControlOrdered("resume", "me")), 1000, ["exit", "exit"]),
    ):
        rig = Rig(held=(replace(HELD[0], sellable=sellable),))
        rig.actor.recall_stop_triggered(stop)
        for each in told:
            if isinstance(each, ControlOrdered):
                rig.actor.recall_control_ordered(each)
            else:
                rig.actor.recall_rebalance_due(each)
        assert words(rig.told(later)) == wanted


def test_while_halted_a_crossing_is_told_and_nothing_is_due() -> None:
    rig = Rig()
    rig.actor.on_control_ordered(ControlOrdered("halt", "me"))

    assert words(rig.told()) == [A]


def test_daily_bars_that_are_not_to_be_had_hold_up_no_look_and_are_asked_for_again() -> None:
    rig = Rig()
    rig.actor.recall_equity_recorded(CLOSE)
    rig.quotes.bars_errors = [GatewayLost("gone")]
    assert words(rig.told()) == [A, "exit"]
    late = Rig()
    late.quotes.bars_errors = [GatewayLost("gone")]
    assert words(late.told()) == []  # nobody knows the close before
    assert words(late.told("10:17:30")) == [A, "exit"]


def test_daily_bars_that_come_late_are_asked_for_again() -> None:
    """A terminal may download the session before only in the course of the morning."""
    rig = Rig()
    newest, rig.quotes.bars = rig.quotes.bars, {}
    assert words(rig.told()) == []
    rig.quotes.bars = {code: (replace(bar, day=bar.day - timedelta(days=1)),) for code, (bar,) in newest.items()}
    assert words(rig.told("10:17:30")) == []
    rig.quotes.bars = newest
    assert words(rig.told("10:34:00")) == [A, "exit"]


def test_daily_bars_of_many_names_come_in_portions_and_once_a_day() -> None:
    """One answer for a thousand names would be more than the socket of the exchange carries."""
    codes = [f"600{number:03d}.SH" for number in range(120)]
    rig = Rig(held=tuple(a_position(code, 1000) for code in codes))
    rig.quotes.bars = dict.fromkeys(codes, rig.quotes.bars[A])

    rig.told()

    assert sorted(code for asked in rig.quotes.asked_bars for code in asked) == sorted(set(codes) - {B})
    assert max(map(len, rig.quotes.asked_bars)) <= 50


def test_before_the_open_at_lunch_and_without_answers_nothing_is_told() -> None:
    assert Rig("09:20:00").told("09:25:00") == []
    assert Rig("11:31:00").told("11:35:00") == []
    assert Rig("14:56:30").told("14:59:00") == []
    deaf = Rig()
    deaf.quotes.errors = [GatewayLost("gone")] * 100
    assert deaf.told() == []


@pytest.mark.parametrize(("target_id", "wanted"), [("a" * 64, ["exit"]), (STOPS_ONLY, [])])
def test_a_run_with_a_stop_that_is_refused_as_expired_is_followed_at_once_by_one_of_the_stop_alone(
    target_id: str, wanted: list[str]
) -> None:
    rig, again = Rig(), replace(a_due(attempt=1), run_id="20261119-aaaaaa-1", target_id=target_id)
    rig.actor.on_rebalance_due(a_due())
    assert words(rig.told()) == [A, "stop"]

    rig.actor.on_rebalance_due(again)
    rig.actor.on_run_finished(RunFinished.without_trades(a_due(), "superseded", "superseded", "", at("10:01:06")))
    rig.actor.on_run_finished(RunFinished.without_trades(again, "refused", "expired_target", "", at("10:01:07")))

    assert words(rig.told("10:02:30")) == wanted
