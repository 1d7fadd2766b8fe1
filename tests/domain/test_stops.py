"""When a held name crosses its stop, and the many things that must not make it do so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from qws.domain.account import Position
from qws.domain.bars import DailyBar
from qws.domain.market import Kind, Quote
from qws.domain.stops import Crossing, Stopped, StopRules, StopWatch, View
from qws.domain.targets import DayTarget, Weight
from tests.support.builders import DAY, NEXT_DAY, a_position, a_quote, an_instrument, at

A = "600000.SH"
BEFORE = DAY - timedelta(days=1)
HELD = replace(a_position(A, 1000), cost_price=Decimal("10.00"))
RULES = StopRules(Decimal("0.05"), Decimal("0.05"), Decimal(0), 15.0, 15.0, frozenset({Kind.STOCK}), frozenset())
TRAILING = replace(RULES, stop_loss=Decimal(0), take_profit=Decimal(0), trailing_atr=Decimal(2))


def quoted(last: str | None, when: str, **other: object) -> Quote:
    bid = () if last is None else (last,)
    return a_quote(A, last, **{"bids": bid, "when": when, **other})  # type: ignore[arg-type]


def view(quote: Quote | None, when: str) -> View:
    quotes: Mapping[str, Quote] = {} if quote is None else {A: quote}
    return View(at(when), quotes, {A: an_instrument(A)}, BEFORE, 15.0)


def a_watch(rules: StopRules = RULES, held: Position = HELD, closed: str = "10.00") -> StopWatch:
    watch = StopWatch(rules)
    watch.close(BEFORE, [replace(held, market_value=held.shares * Decimal(closed))])
    return watch


def looks(watch: StopWatch, *seen: Quote | None, held: Position = HELD) -> list[tuple[Crossing, ...]]:
    return [watch.look([held], view(each, f"10:00:{15 * place:02d}")) for place, each in enumerate(seen)]


def prices(*lasts: str | None, **other: object) -> list[Quote]:
    return [quoted(last, f"10:00:{15 * place:02d}", **other) for place, last in enumerate(lasts)]


@pytest.mark.parametrize(("last", "rule", "level"), [("9.50", "stop_loss", "9.50"), ("10.50", "take_profit", "10.50")])
def test_two_looks_beyond_the_level_are_a_crossing(last: str, rule: str, level: str) -> None:
    first, second = looks(a_watch(), *prices(last, last))

    assert first == ()
    assert second == (Crossing(A, rule, Decimal(level), Decimal(last), 1000, 1000),)


def test_a_price_short_of_its_level_crosses_nothing() -> None:
    assert looks(a_watch(), *prices("9.51", "9.51", "10.49", "10.49")[:3]) == [(), (), ()]


STALE = quoted("9.00", "09:59:00")
ONE = prices("9.00", "9.00")[0]


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param([ONE, ONE], id="the same quote twice"),
        pytest.param([STALE, STALE], id="an old quote"),
        pytest.param([None, None], id="no quote"),
        pytest.param([ONE, None, quoted("9.00", "10:00:30")], id="a look without a quote between"),
        pytest.param([ONE, quoted("10.00", "10:00:15"), quoted("9.00", "10:00:30")], id="a good price between"),
        pytest.param(prices("9.00", "9.00", suspended=True), id="suspended"),
        pytest.param(prices("5.00", "5.00"), id="below the day's limit"),
        pytest.param(prices(None, None), id="no trade"),
        pytest.param(prices("9.00", "9.00", bids=("9.99",)), id="somebody bids more"),
        pytest.param(prices("9.00", "9.00", prev_close="9.00"), id="another reference than the record's"),
    ],
)
def test_a_doubtful_quote_sells_nothing(seen: list[Quote | None]) -> None:
    assert {found for each in looks(a_watch(), *seen) for found in each} == set()


def test_an_ex_date_a_missing_close_and_an_unknown_cost_compare_with_nothing() -> None:
    low = prices("9.00", "9.00")
    unknown = replace(HELD, cost_price=Decimal(0))

    assert looks(a_watch(closed="20.00"), *low)[1] == ()  # the reference is 10.00 today
    assert looks(StopWatch(RULES), *low)[1] == ()
    assert looks(a_watch(held=unknown), *low, held=unknown)[1] == ()


def test_a_list_that_lacks_a_name_for_once_does_not_end_its_stop() -> None:
    watch = a_watch()
    watch.look([], view(None, "09:59:45"))

    assert looks(watch, *prices("9.00", "9.00"))[1] != ()


def test_a_look_of_before_lunch_is_not_the_one_before() -> None:
    watch = a_watch()
    watch.look([HELD], view(quoted("9.00", "11:29:50"), "11:29:50"))

    assert watch.look([HELD], view(quoted("9.00", "13:00:05"), "13:00:05")) == ()
    assert watch.look([HELD], view(quoted("9.00", "13:00:20"), "13:00:20")) != ()


HALF = (Decimal("20.00"), Decimal("10.00"))  # the close before an ex-date, and the reference then
CASH = (Decimal("10.50"), Decimal("10.00"))


@pytest.mark.parametrize("knows", ["bars", "its own look"])
@pytest.mark.parametrize(
    ("before", "costs", "last", "rule"),
    [
        pytest.param(HALF, ["21.00", "21.00", "21.00"], "10.00", None, id="the broker has not adjusted the cost"),
        pytest.param(HALF, ["21.00", "21.00", "21.00"], "9.97", "stop_loss", id="nor has it, and the price fell"),
        pytest.param(HALF, ["21.00", "21.00", "20.80"], "10.00", None, id="a small buy is not an adjustment"),
        pytest.param(HALF, ["19.00", "19.00", "19.00"], "10.00", None, id="a goal is not nearer while nobody adjusted"),
        pytest.param(HALF, ["21.00", "10.50", "10.50"], "9.97", "stop_loss", id="it was adjusted on the ex-date"),
        pytest.param(HALF, ["21.00", "21.00", "10.50"], "10.00", None, id="it was adjusted on the day after"),
        pytest.param(HALF, ["21.00", "21.00", "10.50"], "9.97", "stop_loss", id="it was adjusted, and the price fell"),
        pytest.param(CASH, ["10.60", "10.60", "10.60"], "10.00", None, id="money was paid and the cost not adjusted"),
    ],
)
def test_a_cost_of_before_an_ex_date_is_compared_as_the_reference_was_changed(
    knows: str, before: tuple[Decimal, Decimal], costs: list[str], last: str, rule: str | None
) -> None:
    """The ex-date is the session before DAY; its close is its reference."""
    close, reference = before
    first, watch = BEFORE - timedelta(days=1), StopWatch(RULES)
    at_first, at_ex, now = (replace(HELD, cost_price=Decimal(each)) for each in costs)
    watch.close(first, [replace(at_first, market_value=1000 * close)])
    if knows == "bars":
        bar = DailyBar(first, close, close, close, close, 1000)
        ex = DailyBar(BEFORE, reference, reference, reference, reference, 1000)
        watch.note_bars({A: (bar, ex)})
    else:
        then = at("10:00:00", BEFORE)
        quote, record = replace(quoted("10.00", "10:00:00"), at=then), replace(an_instrument(A), day=BEFORE)
        seen = View(then, {A: quote}, {A: record}, first, 15.0)
        assert watch.look([at_first], seen) == ()
    watch.close(BEFORE, [replace(at_ex, market_value=1000 * reference)])

    found = looks(watch, *prices(last, last), held=now)[1]

    assert [each.rule for each in found] == ([rule] if rule else [])


def test_one_high_quote_alone_lifts_no_trailing_stop() -> None:
    days = [DAY - timedelta(days=each) for each in range(30, 0, -1)]
    bars = tuple(DailyBar(day, Decimal("10.20"), Decimal("9.80"), Decimal(10), Decimal(10), 1000) for day in days)
    for high, is_crossed in ((["10.90"], False), (["10.90", "10.90"], True)):
        watch = StopWatch(TRAILING)
        watch.close(days[0], [HELD])
        watch.note_bars({A: bars})
        assert (looks(watch, *prices(*high, "10.00", "10.00"))[-1] != ()) is is_crossed


def test_a_trailing_stop_follows_the_highest_price_since_the_name_is_held() -> None:
    """Two times an ATR of 0.40 below 10.20, not below the 12.00 of before it was held."""
    days = [DAY - timedelta(days=each) for each in range(30, 0, -1)]
    calm = DailyBar(days[0], Decimal("10.20"), Decimal("9.80"), Decimal(10), Decimal(10), 1000)
    bars = [replace(calm, day=day) for day in days]
    bars[0] = replace(bars[0], high=Decimal(12))
    watch = StopWatch(TRAILING)
    watch.close(days[-10], [HELD])
    watch.note_bars({A: tuple(bars)})

    (level,) = {each.level for found in looks(watch, *prices("9.30", "9.30")) for each in found}
    assert Decimal("9.30") < level < Decimal("9.41")  # 10.20 less two ATR, of which that 12.00 is still a little
    assert looks(watch, *prices("9.45", "9.45"))[1] == ()
    watch.note_bars({A: tuple(bars[-5:])})
    assert looks(watch, *prices("9.05", "9.05"))[1] == ()  # too few days
    unheld = StopWatch(TRAILING)
    unheld.note_bars({A: tuple(bars)})
    assert looks(unheld, *prices("9.05", "9.05"))[1] == ()  # bought today


def test_a_name_is_out_until_a_later_file_names_it_for_a_later_day() -> None:
    def target(day: object, weight: str) -> DayTarget:
        return DayTarget(day, (Weight(A, Decimal(weight)),))  # type: ignore[arg-type]

    stopped = Stopped()
    stopped.note_target([target(NEXT_DAY, "0.3")])  # before the stop: it knew nothing of it
    stopped.stop(A, "stop_loss", DAY)
    assert stopped.on(DAY) == stopped.on(NEXT_DAY) == {A: "stop_loss"}
    stopped.note_target([target(DAY, "0.3"), target(NEXT_DAY, "0")])
    assert stopped.on(NEXT_DAY) == {A: "stop_loss"}
    stopped.note_target([target(NEXT_DAY, "0.3")])
    assert (stopped.on(DAY), stopped.on(NEXT_DAY)) == ({A: "stop_loss"}, {})
    stopped.stop(A, "trailing_stop", NEXT_DAY)
    assert stopped.on(NEXT_DAY) == {A: "trailing_stop"}
