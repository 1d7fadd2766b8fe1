"""What ticks and instrument records mean. XTQUANT.md 4.3."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from qws.domain.market import Board, Kind, Level
from qws.gateways.xt.ticks import instrument_of, quote_of
from qws.tables import load_rules
from tests.gateways.sim_rig import DAY, NEXT_DAY, at

RULES = load_rules()
CODE = "600000.SH"
TICK: dict[str, Any] = {  # as a terminal gave it, with prices of another name
    "time": int(at("10:00:03").timestamp() * 1000), "lastPrice": 8.950000000000001, "lastClose": 9.04,
    "volume": 511244, "pvolume": 51124386, "stockStatus": 3, "openInt": 13,
    "askPrice": [8.96, 8.97, 8.98, 8.99, 9.0], "askVol": [100, 200, 300, 400, 500],
    "bidPrice": [8.950000000000001, 8.94, 8.93, 8.92, 8.91], "bidVol": [10, 20, 30, 40, 50],
}  # fmt: skip
DETAIL: dict[str, Any] = {
    "InstrumentName": "浦发银行", "PreClose": 9.04, "UpStopPrice": 9.94, "DownStopPrice": 8.14, "PriceTick": 0.01,
    "InstrumentStatus": 0, "IsTrading": False, "TradingDay": f"{DAY:%Y%m%d}", "MaxLimitOrderVolume": 1_000_000,
}  # fmt: skip


def test_volumes_are_lots_times_milliseconds_and_prices_clean() -> None:
    quote = quote_of(CODE, TICK)

    assert quote is not None
    assert quote.at == at("10:00:03")
    assert (str(quote.last), str(quote.prev_close)) == ("8.950", "9.040")
    assert quote.bids[0] == Level(Decimal("8.95"), 1000)
    assert quote.asks[-1] == Level(Decimal("9.00"), 50_000)
    assert not quote.suspended


def test_a_lot_of_convertible_bonds_is_ten() -> None:
    quote = quote_of("113001.SH", TICK)

    assert quote is not None
    assert quote.bids[0].volume == 100


@pytest.mark.parametrize(
    "changed",
    [{"askPrice": [0.0] * 5}, {"askPrice": []}, {"askPrice": None}, {"askPrice": [0.0, 0, 0, 0, 0], "askVol": [9] * 5}],
)
def test_a_level_without_price_is_not_there(changed: dict[str, Any]) -> None:
    quote = quote_of(CODE, TICK | changed)

    assert quote is not None
    assert quote.asks == ()
    assert len(quote.bids) == 5


def test_a_thin_book_is_as_deep_as_it_is() -> None:
    quote = quote_of(CODE, TICK | {"askPrice": [8.96, 0.0, 8.98, 0.0, 0.0], "askVol": [1, 5, 0, 0, 0]})

    assert quote is not None
    assert quote.asks == (Level(Decimal("8.96"), 100),)


@pytest.mark.parametrize("changed", [{"time": 0}, {"time": None}, {"lastClose": 0.0}, {"lastClose": float("nan")}])
def test_a_tick_without_a_time_or_a_previous_close_is_none(changed: dict[str, Any]) -> None:
    assert quote_of(CODE, TICK | changed) is None


def test_no_trade_yet_is_no_last_price() -> None:
    quote = quote_of(CODE, TICK | {"lastPrice": 0.0})

    assert quote is not None
    assert quote.last is None


@pytest.mark.parametrize(
    ("told", "is_suspended"),
    [({"openInt": 13, "stockStatus": 3}, False), ({"openInt": 17, "stockStatus": 7}, True),
     ({"openInt": 20, "stockStatus": 10}, True), ({"openInt": 0, "stockStatus": 7}, True),
     ({"openInt": 0, "stockStatus": 17}, True), ({"openInt": 15, "stockStatus": 5}, False),
     ({"openInt": 16, "stockStatus": 6}, True), ({"openInt": None, "stockStatus": None}, False),
     ({"openInt": 12, "stockStatus": 2}, False), ({"openInt": 123_456, "stockStatus": 3}, False)],
)  # fmt: skip
def test_the_status_of_a_security_comes_in_two_forms(told: dict[str, Any], *, is_suspended: bool) -> None:
    quote = quote_of(CODE, TICK | told)

    assert quote is not None
    assert quote.suspended is is_suspended


def test_a_record_has_the_terminals_limits_and_our_lots() -> None:
    record = instrument_of(CODE, DETAIL, DAY, RULES)

    assert record is not None
    assert (record.board, record.kind, record.day) == (Board.SH_MAIN, Kind.STOCK, DAY)
    assert (record.limit_up, record.limit_down) == (Decimal("9.94"), Decimal("8.14"))
    assert (record.tick, record.buy_min, record.order_max) == (Decimal("0.01"), 100, 1_000_000)
    assert not record.st
    assert not record.suspended


@pytest.mark.parametrize(
    ("up", "down"), [(999_999.999, 0.01), (1_000_000.0, 0.01), (100_000.0, 0.001), (99_999.99, 0.01)]
)
def test_huge_limits_are_none(up: float, down: float) -> None:
    record = instrument_of(CODE, DETAIL | {"UpStopPrice": up, "DownStopPrice": down}, DAY, RULES)

    assert record is not None
    assert (record.limit_up, record.limit_down) == (None, None)


@pytest.mark.parametrize("changed", [{"UpStopPrice": 0.0}, {"DownStopPrice": None}, {"UpStopPrice": float("nan")}])
def test_limits_that_are_not_told_are_those_of_the_tables(changed: dict[str, Any]) -> None:
    record = instrument_of(CODE, DETAIL | changed, DAY, RULES)

    assert record is not None
    assert (record.limit_up, record.limit_down) == (Decimal("9.94"), Decimal("8.14"))


@pytest.mark.parametrize("name", ["ST中安", "*ST海航", "S*ST前锋", "SST华新", "XD*ST海", "DRST中安"])
def test_a_name_tells_special_treatment_and_a_count_of_days_a_halt(name: str) -> None:
    record = instrument_of(CODE, DETAIL | {"InstrumentName": name, "InstrumentStatus": 3}, DAY, RULES)

    assert record is not None
    assert record.st
    assert record.suspended


@pytest.mark.parametrize("name", ["浦发银行", "XD浦发银", "TST科技", ""])
def test_other_names_tell_none(name: str) -> None:
    record = instrument_of(CODE, DETAIL | {"InstrumentName": name}, DAY, RULES)

    assert record is not None
    assert not record.st


@pytest.mark.parametrize("most", [float("inf"), float("nan"), 1e300, -1, 0, None, "1000"])
def test_a_largest_order_that_means_nothing_is_that_of_the_tables(most: object) -> None:
    told = instrument_of(CODE, DETAIL | {"MaxLimitOrderVolume": most}, DAY, RULES)
    ours = RULES.instrument(CODE, DAY, Decimal("9.04"))

    assert told is not None
    assert told.order_max == ours.order_max


@pytest.mark.parametrize("time", [float("nan"), float("inf"), 1e300, 10**30, -1, 0, None, "1790000000000"])
def test_a_tick_of_no_time_is_no_quote(time: object) -> None:
    assert quote_of(CODE, TICK | {"time": time}) is None


def test_the_record_is_of_the_day_it_names() -> None:
    old = instrument_of(CODE, DETAIL, NEXT_DAY, RULES)
    unnamed = instrument_of(CODE, DETAIL | {"TradingDay": "0"}, NEXT_DAY, RULES)

    assert old is not None
    assert unnamed is not None
    assert (old.day, unnamed.day) == (DAY, NEXT_DAY)
    assert unnamed.day - old.day == timedelta(days=1)


@pytest.mark.parametrize("most", [0, None, -1, 50])
def test_an_order_maximum_that_says_nothing_is_not_used(most: object) -> None:
    record = instrument_of(CODE, DETAIL | {"MaxLimitOrderVolume": most}, DAY, RULES)

    assert record is not None
    assert record.order_max == 1_000_000


def test_a_stricter_order_maximum_holds() -> None:
    record = instrument_of(CODE, DETAIL | {"MaxLimitOrderVolume": 100_000}, DAY, RULES)

    assert record is not None
    assert record.order_max == 100_000


def test_what_cannot_be_traded_has_no_record() -> None:
    assert instrument_of("000001.SH", DETAIL, DAY, RULES) is None
    assert instrument_of(CODE, DETAIL | {"PreClose": 0.0}, DAY, RULES) is None
