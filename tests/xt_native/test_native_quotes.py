"""The vendor's own `xtdata`, unmodified, reads the simulated market through the fake native layer."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from datetime import datetime
from types import ModuleType

import pytest

from qws.gateways.sim.market import SHANGHAI
from qws.gateways.sim.quirks import Quirks
from qws.tables import load_calendar
from tests.gateways.sim_rig import DAY, NEXT_DAY, at
from tests.xt_native import Faults, SimTerminal, ThreadClock
from tests.xt_native.rig import BOUGHT, HELD, INDEX, PATIENCE_S, STOPPED, a_terminal, attached

Ticks = dict[str, dict[str, object]]


@pytest.fixture
def terminal() -> SimTerminal:
    return a_terminal()


@pytest.fixture
def xtdata(terminal: SimTerminal) -> Iterator[ModuleType]:
    with attached(terminal) as native:
        yield native.module("xtdata")
        assert native.errors == []


def put_to(terminal: SimTerminal, moment: datetime) -> None:
    assert isinstance(terminal.clock, ThreadClock)
    terminal.clock.put_to(moment)


def test_a_tick_is_the_quote_of_the_market_in_lots(xtdata: ModuleType, terminal: SimTerminal) -> None:
    terminal.faults.quotes_stuck_at = at("10:00:00")
    tick = xtdata.get_full_tick([BOUGHT])[BOUGHT]
    quote = terminal.ask(lambda: terminal.market.quote(BOUGHT, at("10:00:00")))

    assert quote is not None
    assert datetime.fromtimestamp(tick["time"] / 1000, SHANGHAI) == quote.at
    assert tick["askPrice"] == pytest.approx([float(level.price) for level in quote.asks])
    assert tick["askVol"] == [level.volume // 100 for level in quote.asks]
    assert tick["bidVol"] == [level.volume // 100 for level in quote.bids]
    assert tick["lastPrice"] != float(quote.last or 0)
    assert tick["lastPrice"] == pytest.approx(float(quote.last or 0))
    assert (tick["openInt"], tick["stockStatus"]) == (13, 3)
    assert tick["pvolume"] == 100 * tick["volume"]


def test_the_status_follows_the_day(xtdata: ModuleType, terminal: SimTerminal) -> None:
    wanted = {"09:10:00": 11, "09:20:00": 12, "10:00:00": 13, "12:00:00": 14, "14:58:00": 18, "15:10:00": 15}
    seen: dict[str, int] = {}
    for clock in wanted:
        put_to(terminal, at(clock))
        seen[clock] = xtdata.get_full_tick([BOUGHT])[BOUGHT]["openInt"]

    assert seen == wanted
    assert xtdata.get_full_tick([STOPPED])[STOPPED]["openInt"] == 20


def test_a_suspended_name_has_no_book_an_unknown_one_no_tick_and_a_market_all_of_them(xtdata: ModuleType) -> None:
    ticks = xtdata.get_full_tick([STOPPED, "999999.SH"])

    assert list(ticks) == [STOPPED]
    assert ticks[STOPPED]["askPrice"] == [0.0] * 5
    assert set(xtdata.get_full_tick(["SH"])) == {BOUGHT, HELD}
    with pytest.raises(TypeError):
        xtdata.get_full_tick(BOUGHT)


def test_the_record_has_limits_tick_and_names(xtdata: ModuleType) -> None:
    record, stopped = xtdata.get_instrument_detail(BOUGHT), xtdata.get_instrument_detail(STOPPED)

    assert (record["UpStopPrice"], record["DownStopPrice"]) == pytest.approx((11.0, 9.0))
    assert (record["PriceTick"], record["InstrumentStatus"], record["IsTrading"]) == (0.01, 0, True)
    assert record["TradingDay"] == f"{DAY:%Y%m%d}"
    assert (stopped["InstrumentStatus"], stopped["IsTrading"]) == (1, False)
    assert xtdata.get_instrument_detail("999999.SH") is None
    assert xtdata.get_instrument_detail(BOUGHT, iscomplete=True)["MaxLimitOrderVolume"] == 1_000_000


def test_trading_dates_are_midnights_in_china_and_holidays_closed_weekdays(xtdata: ModuleType) -> None:
    dates = [datetime.fromtimestamp(stamp / 1000, SHANGHAI) for stamp in xtdata.get_trading_dates("SH", count=5)]
    closed = [datetime.strptime(day, "%Y%m%d").replace(tzinfo=SHANGHAI).date() for day in xtdata.get_holidays()]
    calendar = load_calendar()

    assert dates[-1] == at("00:00:00")
    assert all(calendar.is_session(day.date()) and day.hour == 0 for day in dates)
    assert len(dates) == 5
    assert "20261001" in xtdata.get_holidays()
    assert not any(calendar.is_session(day) for day in closed)


def test_daily_bars_of_shares_and_indexes(xtdata: ModuleType) -> None:
    bars = xtdata.get_market_data_ex(["close", "preClose"], [BOUGHT, INDEX], "1d", "20261117", "20261130")

    assert list(bars[INDEX].index) == ["20261117", "20261118", "20261119"]
    assert list(bars[INDEX].columns) == ["close", "preClose"]
    assert bars[INDEX]["close"].tolist() == pytest.approx([3500.0] * 3)
    assert bars[BOUGHT]["close"].tolist() == pytest.approx([10.0] * 3)


def test_a_whole_quote_begins_with_a_snapshot_and_goes_on_with_what_changed(
    xtdata: ModuleType, terminal: SimTerminal
) -> None:
    pushes: queue.SimpleQueue[Ticks] = queue.SimpleQueue()
    number = xtdata.subscribe_whole_quote(["SH"], pushes.put)
    first = pushes.get(timeout=PATIENCE_S)
    put_to(terminal, at("10:30:00"))
    second = pushes.get(timeout=PATIENCE_S)
    xtdata.unsubscribe_quote(number)

    assert number > 0
    assert set(first) == {BOUGHT, HELD}
    assert second[BOUGHT]["timetag"] != first[BOUGHT]["timetag"]


def test_a_subscription_to_one_code_gives_lists_of_ticks(xtdata: ModuleType) -> None:
    pushes: queue.SimpleQueue[dict[str, list[dict[str, object]]]] = queue.SimpleQueue()
    xtdata.subscribe_quote(BOUGHT, "tick", callback=pushes.put)

    (tick,) = pushes.get(timeout=PATIENCE_S)[BOUGHT]
    assert tick["openInt"] == 13


def test_a_dead_terminal_raises_and_the_next_connection_has_no_subscription(
    xtdata: ModuleType, terminal: SimTerminal
) -> None:
    pushes: queue.SimpleQueue[Ticks] = queue.SimpleQueue()
    xtdata.subscribe_whole_quote([BOUGHT], pushes.put)
    pushes.get(timeout=PATIENCE_S)
    before = xtdata.get_client()
    terminal.die()
    with pytest.raises(Exception, match="无法连接xtquant服务"):
        xtdata.get_full_tick([BOUGHT])
    terminal.revive()

    assert xtdata.get_full_tick([BOUGHT])
    assert xtdata.get_client() is not before
    with pytest.raises(queue.Empty):
        pushes.get(timeout=3 * terminal.quote_interval_s)


def test_ticks_may_be_stuck_shallow_and_missing(xtdata: ModuleType, terminal: SimTerminal) -> None:
    terminal.faults.quotes_stuck_at = at("10:00:00")
    put_to(terminal, at("14:00:00", NEXT_DAY))
    old = xtdata.get_full_tick([BOUGHT])[BOUGHT]
    terminal.faults.quotes_stuck_at, terminal.faults.quirks = None, Quirks(shallow=1.0)
    shallow = xtdata.get_full_tick([BOUGHT])[BOUGHT]
    terminal.faults.quirks = Quirks(missing=1.0)

    assert old["timetag"] == f"{DAY:%Y%m%d} 10:00:00"
    assert [price > 0 for price in shallow["askPrice"]] == [True, False, False, False, False]
    assert xtdata.get_full_tick([BOUGHT]) == {}


def test_a_download_ends_when_its_progress_does(xtdata: ModuleType) -> None:
    progress: queue.SimpleQueue[dict[str, int]] = queue.SimpleQueue()
    xtdata.download_history_data2([BOUGHT, HELD], "1d", callback=progress.put)

    assert [progress.get(timeout=PATIENCE_S)["finished"] for _ in range(2)] == [1, 2]


def test_a_market_that_never_closes_trades_at_night() -> None:
    with attached(a_terminal(Faults(), start=at("23:30:00"), always_open=True)) as native:
        assert native.module("xtdata").get_full_tick([BOUGHT])[BOUGHT]["openInt"] == 13
