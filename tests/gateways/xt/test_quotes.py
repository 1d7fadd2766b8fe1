"""Prices, records and closes of a terminal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from qws.domain.market import Instrument
from qws.errors import GatewayError
from qws.gateways.xt.calendar import XtCalendar
from qws.gateways.xt.quotes import QuoteLine, XtQuotes
from qws.gateways.xt.settings import Deadlines
from qws.gateways.xt.vendor import QuoteSide
from qws.tables import load_calendar, load_rules
from tests.conformance.brokers import BOUGHT, HELD, INDEX, STOPPED, TEN
from tests.gateways.sim_rig import DAY, NEXT_DAY, at
from tests.gateways.xt.test_ticks import DETAIL, TICK
from tests.gateways.xt.xt_rig import Stand, closed


class StillClock:
    """Shows what it is told."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    async def sleep_until(self, when: datetime) -> None:
        self.time = max(self.time, when)


class Answers:
    """What a vendor's quote module answers; counts how often a record is asked for."""

    def __init__(self) -> None:
        self.tick: dict[str, Any] = dict(TICK)
        self.detail: dict[str, Any] = dict(DETAIL)
        self.asked = self.port = 0
        vars(self)["get_market_data_ex"] = lambda *given, **named: {}  # nothing of the vendor's naming is ours

    def connect(self, *, port: int) -> None:
        self.port = port

    def get_full_tick(self, code_list: list[str]) -> Mapping[str, Mapping[str, Any]]:
        return dict.fromkeys([*code_list, "999999.SH"], self.tick)

    def get_instrument_detail(self, stock_code: str, *, iscomplete: bool) -> Mapping[str, Any] | None:
        self.asked += 1
        return self.detail if iscomplete else None

    def get_trading_dates(self, market: str, start_time: str, end_time: str, count: int) -> list[int]:
        return []

    def get_holidays(self) -> list[str]:
        return []


class AnsweredLine(QuoteLine):
    """A line to those answers, without a thread."""

    def __init__(self, answers: Answers) -> None:
        super().__init__("none", Deadlines())
        self._answers = answers

    async def ask(self, what: str, work: Callable[[QuoteSide], Any], more_s: float = 0.0) -> Any:
        return work(self._answers)


def test_codes_come_with_quotes_and_records_or_not_at_all(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        codes = [BOUGHT, HELD, STOPPED, "600099.SH", "204001.SH", INDEX]
        quotes, records = await stand.quotes.quotes(codes), await stand.quotes.instruments(codes)

        assert set(records) == {BOUGHT, HELD, STOPPED}
        assert set(records) <= set(quotes)
        assert quotes[STOPPED].suspended
        assert records[STOPPED].suspended
        assert await stand.quotes.quotes(()) == {}
        assert await stand.quotes.instruments(()) == {}
        assert TEN - timedelta(seconds=10) < quotes[BOUGHT].at < TEN + timedelta(seconds=10)

    closed(tmp_path, body)


def test_a_port_names_one_terminal_of_several(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        line = QuoteLine("xtquant", Deadlines(), port=58_611)
        quotes = XtQuotes(line, load_rules(), stand.clock)
        assert set(await quotes.quotes([BOUGHT])) == {BOUGHT}
        peer = await line.ask("where", lambda side: side.get_client().get_peer_addr())  # type: ignore[attr-defined]
        await quotes.close()

        assert peer.endswith(":58611")

    closed(tmp_path, body)


def test_a_close_is_known_after_the_close(tmp_path: Path) -> None:
    async def body(stand: Stand) -> None:
        assert await stand.quotes.index_close(INDEX, DAY) is None
        assert await stand.quotes.index_close(INDEX, NEXT_DAY) is None
        stand.clock.put_to(at("15:10:00"))

        assert await stand.quotes.index_close(INDEX, DAY) == Decimal("3500.00")
        assert await stand.quotes.index_close("000905.SH", DAY) is None

    closed(tmp_path, body)


def test_a_close_that_has_no_bar_yet_is_the_last_price_after_the_close() -> None:
    async def body() -> None:
        answers, clock = Answers(), StillClock(at("15:10:00"))
        quotes = XtQuotes(AnsweredLine(answers), load_rules(), clock)
        assert await quotes.index_close(INDEX, DAY) is None
        answers.tick["time"] = int(at("15:00:01").timestamp() * 1000)

        assert await quotes.index_close(INDEX, DAY) == Decimal("8.95")
        assert await quotes.index_close(INDEX, DAY - timedelta(days=1)) is None

    asyncio.run(body())


@pytest.mark.parametrize("found", [None, {}, {BOUGHT: None}, {BOUGHT: "busy"}, {BOUGHT: {}}])
def test_an_answer_without_quotes_or_records_has_none(found: Any) -> None:
    async def body() -> None:
        answers = Answers()
        vars(answers).update(get_full_tick=lambda codes: found, get_instrument_detail=lambda code, iscomplete: found)
        quotes = XtQuotes(AnsweredLine(answers), load_rules(), StillClock(TEN))

        assert await quotes.quotes([BOUGHT]) == {}
        assert await quotes.instruments([BOUGHT]) == {}

    asyncio.run(body())


def test_records_are_read_once_a_day_and_not_before_nine() -> None:
    async def body() -> None:
        answers, clock = Answers(), StillClock(at("08:50:00"))
        quotes = XtQuotes(AnsweredLine(answers), load_rules(), clock)

        async def record() -> Instrument:
            return (await quotes.instruments([BOUGHT]))[BOUGHT]

        await record()
        await record()
        assert answers.asked == 2
        clock.time = at("09:01:00")
        first = await record()
        assert await record() == first
        assert answers.asked == 3
        clock.time = at("09:01:00", NEXT_DAY)
        assert (await record()).day == DAY  # the terminal still shows yesterday's: asked again until it does not
        answers.detail |= {"TradingDay": f"{NEXT_DAY:%Y%m%d}", "PreClose": 9.5}
        assert (await record()).prev_close == Decimal("9.5")
        await record()
        assert answers.asked == 5

    asyncio.run(body())


def test_where_every_hour_is_a_session_a_record_of_another_day_is_todays() -> None:
    async def body() -> None:
        answers, clock = Answers(), StillClock(at("10:00:00", NEXT_DAY))
        for any_day, day in ((False, DAY), (True, NEXT_DAY)):
            quotes = XtQuotes(AnsweredLine(answers), load_rules(), clock, any_day=any_day)
            assert (await quotes.instruments([BOUGHT]))[BOUGHT].day == day

    asyncio.run(body())


def test_h19_quotes_that_stand_still_while_they_should_move_are_reported() -> None:
    async def body() -> None:
        answers, clock = Answers(), StillClock(at("10:00:10"))
        quotes = XtQuotes(AnsweredLine(answers), load_rules(), clock)
        for moment, stopped_s in (("10:00:10", 0), ("10:01:03", 60), ("11:45:00", 0), ("14:00:03", 14_400)):
            clock.time = at(moment)
            await quotes.quotes([BOUGHT])
            assert quotes.stopped_s == stopped_s
        answers.tick["time"] = int(at("14:00:00").timestamp() * 1000)
        await quotes.quotes([BOUGHT])

        assert quotes.stopped_s == 0

    asyncio.run(body())


def test_a_calendar_that_cannot_be_read_changes_nothing() -> None:
    async def body() -> bool:
        calendar = XtCalendar(AnsweredLine(Answers()), load_calendar())
        try:
            await calendar.refresh()
        except GatewayError as error:
            return "no trading days" in str(error) and calendar.is_session(date(2026, 11, 19))
        return False

    assert asyncio.run(body())
