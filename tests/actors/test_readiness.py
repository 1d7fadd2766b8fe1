"""When does the check before the open look, and what does it say of quotes that stand still?"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, time
from decimal import Decimal

import anyio

from actors.readiness import Readiness
from qws.app import schedule_of
from qws.config import make_config
from qws.domain.account import Asset
from qws.domain.readiness import Expected, Problem, ReadinessRules, Seen
from qws.errors import GatewayLost
from qws.messages import LinkReady, ReadinessChecked, RunFinished
from qws.preview import FrozenClock
from qws.runtime.clock import LoopClock, VirtualLoop
from qws.runtime.message import Started
from qws.tables import load_calendar
from qws.virtual import inline
from qws.watch import HomeWatch
from tests.support.builders import a_due, a_position, a_quote, an_asset, at
from tests.support.fake_broker import FakeBroker, FakeQuotes

RULES = ReadinessRules(time(9, 15), Expected.NEVER, 90.0, 0, 500)
CODE = "600000.SH"


class Market:
    """Shows a quote that was made when `made` says."""

    def __init__(self, clock: LoopClock, made: Callable[[datetime], datetime]) -> None:
        self._clock, self._made, self.looks = clock, made, list[str]()

    async def look(self, codes: Collection[str], *, is_linked: bool) -> Seen:
        now = self._clock.now()
        self.looks.append(f"{now:%H:%M:%S}")
        quote = replace(a_quote(CODE), at=self._made(now))
        return Seen(now, (), frozenset({CODE}), (quote,), 10_000)


def a_morning(began: str, ended: str, made: Callable[[datetime], datetime]) -> tuple[list[ReadinessChecked], list[str]]:
    """What is told from then to then, and when was looked."""
    told: list[ReadinessChecked] = []
    config = make_config({}, "test")
    calendar = load_calendar()

    async def body() -> list[str]:
        clock = LoopClock(at(began))
        market, note = Market(clock, made), told.append  # what was told stays when time is up
        actor = Readiness(market, clock, schedule_of(config, calendar), calendar, RULES)
        actor.on_link_ready(LinkReady())
        with anyio.move_on_after((at(ended) - at(began)).total_seconds()):
            async for each in actor.source():
                note(each)
        return market.looks

    return told, anyio.run(body, backend_options={"loop_factory": VirtualLoop})


def codes(told: list[ReadinessChecked]) -> list[tuple[str, list[str], tuple[str, ...], bool]]:
    return [(f"{each.at:%H:%M}", [every.code for every in each.problems], each.new, each.is_mended) for each in told]


def test_quotes_that_stand_still_are_told_and_the_pause_before_the_open_mends_nothing() -> None:
    told, looks = a_morning("09:00:00", "10:00:00", lambda now: min(now, at("09:14:00")))

    assert codes(told) == [("09:17", ["quotes_old"], ("quotes_old",), False)]
    assert looks[0] == "09:15:00"
    assert looks[-1] == "09:31:00"  # one look after the open, and no more


def test_quotes_of_yesterday_are_none_before_the_market_has_moved_for_a_while() -> None:
    told, _ = a_morning("09:00:00", "10:00:00", lambda now: now if now > at("09:15:30") else at("09:00:00"))

    assert codes(told) == [("09:17", [], (), False)]


def test_a_start_over_lunch_waits_for_quotes_of_the_afternoon() -> None:
    told, looks = a_morning(
        "12:50:00", "15:00:00", lambda now: max(at("11:30:00"), now) if now > at("13:00:00") else now
    )

    assert codes(told) == [("13:02", [], (), False)]
    assert looks[-1] == "13:02:01"


def test_a_quote_from_the_future_is_a_slow_clock() -> None:
    told, _ = a_morning("09:00:00", "09:16:00", lambda now: now.replace(second=30) if now.second < 20 else now)

    assert codes(told)[0] == ("09:15", ["clock_slow"], ("clock_slow",), False)


def test_a_new_life_tells_again_what_an_earlier_one_told_and_knows_what_is_mended() -> None:
    clock, calendar = FrozenClock(at("10:00:00")), load_calendar()
    watch = HomeWatch(FakeBroker(), FakeQuotes(), clock, inline, lambda: 10**12)

    async def first(*before: Problem) -> ReadinessChecked:
        actor = Readiness(watch, clock, schedule_of(make_config({}, "test"), calendar), calendar, RULES)
        actor.recall_readiness_checked(ReadinessChecked(at("09:00:00").date(), at("09:15:00"), before, (), False))
        actor.on_link_ready(LinkReady())
        return await anext(actor.source())

    assert anyio.run(first, Problem("halted")).is_mended
    assert not anyio.run(first).is_mended


def test_a_start_after_a_kill_waits_for_the_link_of_its_own_life() -> None:
    calendar = load_calendar()

    async def body() -> ReadinessChecked:
        clock = LoopClock(at("10:00:00"))
        actor = Readiness(Market(clock, lambda now: now), clock, schedule_of(make_config({}, "test"), calendar),
                          calendar, RULES)  # fmt: skip
        actor.recall_link_ready(LinkReady())  # of the life that was killed

        async def begin() -> None:
            actor.on_started(Started())
            await clock.sleep(5.0)
            actor.on_link_ready(LinkReady())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(begin)
            found = await anext(actor.source())
        return found

    told = anyio.run(body, backend_options={"loop_factory": VirtualLoop})
    assert codes([told]) == [("10:00", [], (), False)]
    assert told.at >= at("10:00:05")


def test_a_run_that_lost_orders_is_told_on_the_next_trading_day_only() -> None:
    calendar = load_calendar()
    due = a_due()
    lost = RunFinished.without_trades(due, "incomplete", "unknown", "", at("14:57:00"))

    async def problems(day: int) -> list[str]:
        clock = FrozenClock(at("10:00:00").replace(day=day))
        watch = HomeWatch(FakeBroker(), FakeQuotes(), clock, inline, lambda: 10**12)
        actor = Readiness(watch, clock, schedule_of(make_config({}, "test"), calendar), calendar, RULES)
        actor.recall_run_finished(lost)
        actor.on_link_ready(LinkReady())
        return [each.code for each in (await anext(actor.source())).problems]

    days = [calendar.next_session(due.day), calendar.next_session(calendar.next_session(due.day))]
    assert [anyio.run(problems, each.day) for each in days] == [["orders_unknown"], []]


def test_a_right_to_buy_has_no_quotes_and_needs_none() -> None:
    clock = FrozenClock(at("09:15:00"))
    held = (a_position("600001.SH", 100), a_position("SHRQ88.SH", 1000), a_position("000002.SZ", 0))
    watch = HomeWatch(FakeBroker(money=an_asset("1", held), holdings=held), FakeQuotes(), clock, inline, lambda: 10**12)

    async def codes_of(*wanted: str) -> frozenset[str]:
        return (await watch.look(wanted, is_linked=True)).codes

    assert anyio.run(codes_of, CODE) == {CODE, "600001.SH"}


def test_what_cannot_be_read_is_a_problem_and_never_an_exception() -> None:
    clock = FrozenClock(at("09:15:00"))
    broker = FakeBroker(account_errors=[GatewayLost("gone")] * 9)

    def full() -> int:
        raise OSError("no such device")

    async def faults(watch: HomeWatch) -> list[str]:
        seen = await watch.look((CODE,), is_linked=True)
        return [each.code for each in seen.faults]

    assert anyio.run(faults, HomeWatch(broker, FakeQuotes(), clock, inline, full)) == [
        "account_unreadable",
        "disk_unreadable",
    ]
    odd = FakeBroker(money=Asset(Decimal(1), Decimal(0), Decimal(0), Decimal(99)))
    assert anyio.run(faults, HomeWatch(odd, FakeQuotes(), clock, inline, lambda: 1)) == ["account_mismatch"]
