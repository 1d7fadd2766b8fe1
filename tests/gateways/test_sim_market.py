from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.market import Side
from qws.gateways.sim.bars import Bar
from qws.gateways.sim.files import FileBars
from qws.gateways.sim.tape import SESSION_GRID, Tape, in_ticks
from tests.gateways.sim_rig import DAY, FixedBars, a_market, at, bar, flat, later
from tests.gateways.test_sim_bars import CODES, REAL_PRICES, SESSIONS

CODE = "600000.SH"
CONTINUOUS = SESSION_GRID.step_at(14 * 3600 + 57 * 60)  # from here on the closing auction
LIMIT_UP = bar("11.00", "11.00", "11.00", "11.00", "10.00")
LIMIT_DOWN = bar("9.00", "9.00", "9.00", "9.00", "10.00")


@settings(max_examples=60)
@given(st.integers(0, 10**6), CODES, SESSIONS)
def test_the_path_starts_at_the_open_touches_high_and_low_and_ends_at_the_close(
    seed: int, code: str, day: date
) -> None:
    market = a_market(seed=seed)
    quoted = [market.quote(code, at("09:30:00", day)), market.quote(code, at("15:00:00", day))]
    listing = market.listing(code, day)
    assert listing is not None
    assert listing.tape is not None
    path = [listing.price(listing.tape.price(step)) for step in range(SESSION_GRID.steps + 1)]
    source = market.bars.bar(code, day)

    assert source is not None
    assert (path[0], max(path), min(path), path[-1]) == (source.open, source.high, source.low, source.close)
    assert [quote.last for quote in quoted if quote is not None] == [source.open, source.close]


@settings(max_examples=200)
@given(st.integers(0, 10**6), CODES, SESSIONS, st.integers(0, CONTINUOUS - 1))
def test_the_book_is_ordered_on_tick_inside_the_limits_and_never_crossed(
    seed: int, code: str, day: date, step: int
) -> None:
    market = a_market(seed=seed)
    now = later(at("00:00:00", day), SESSION_GRID.second_of(step))
    quote, instrument = market.quote(code, now), market.instrument(code, now)
    assert quote is not None
    assert instrument is not None
    bids, asks = [level.price for level in quote.bids], [level.price for level in quote.asks]

    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert not bids or not asks or bids[0] < asks[0]
    assert quote.last in (bids[:1] + asks[:1])
    assert all(price % instrument.tick == 0 for price in bids + asks)
    assert instrument.limit_up is not None
    assert instrument.limit_down is not None
    assert all(instrument.limit_down <= price <= instrument.limit_up for price in bids + asks)
    assert all(level.volume > 0 and level.volume % 100 == 0 for level in quote.bids + quote.asks)
    assert len(bids) <= 5
    assert len(asks) <= 5


def test_a_level_is_worth_about_a_million_and_the_book_changes_every_three_seconds() -> None:
    market = a_market()
    quotes = [market.quote(CODE, later(at("10:00:00"), 3 * step)) for step in range(300)]
    values = [level.price * level.volume for quote in quotes if quote is not None for level in quote.asks]

    assert 600_000 < median(values) < 1_600_000
    assert len({quote.asks for quote in quotes if quote is not None}) > 290
    assert market.quote(CODE, at("10:00:00")) == market.quote(CODE, at("10:00:02.999999"))


def test_a_cheap_name_has_a_spread_of_a_tick_and_an_expensive_one_of_several() -> None:
    market = a_market(FixedBars({"600000.SH": flat("10.00"), "600519.SH": flat("1500.00")}))
    spreads = {}
    for code in ("600000.SH", "600519.SH"):
        quotes = [market.quote(code, later(at("10:00:00"), 3 * step)) for step in range(100)]
        spreads[code] = median(quote.asks[0].price - quote.bids[0].price for quote in quotes if quote is not None)

    assert spreads["600000.SH"] == Decimal("0.01")
    assert spreads["600519.SH"] > Decimal("0.05")


def test_a_locked_name_shows_one_side_only() -> None:
    market = a_market(FixedBars({"600000.SH": LIMIT_UP, "600001.SH": LIMIT_DOWN, "600004.SH": flat("10.00")}))
    up, down, normal = (market.quote(code, at("10:00:00")) for code in ("600000.SH", "600001.SH", "600004.SH"))
    assert up is not None
    assert down is not None
    assert normal is not None

    assert up.asks == ()
    assert (up.bids[0].price, up.last) == (Decimal("11.00"), Decimal("11.00"))
    assert down.bids == ()
    assert (down.asks[0].price, down.last) == (Decimal("9.00"), Decimal("9.00"))
    queued, usual = (sum(level.volume for level in quote.bids) for quote in (up, normal))
    assert queued > 4 * usual


def test_a_suspended_name_has_its_last_close_and_no_book() -> None:
    market = a_market(FixedBars({}, {CODE: Decimal("12.34")}))
    quote, instrument = market.quote(CODE, at("10:00:00")), market.instrument(CODE, at("10:00:00"))

    assert quote is not None
    assert (quote.suspended, quote.last, quote.bids, quote.asks) == (True, Decimal("12.34"), (), ())
    assert instrument is not None
    assert instrument.suspended
    assert market.last_price(CODE, at("10:00:00")) == Decimal("12.34")


def test_an_unknown_code_and_an_index_have_neither_quote_nor_record() -> None:
    market = a_market()

    for code in ("999999.SH", "000300.SH", "nonsense"):
        assert market.quote(code, at("10:00:00")) is None
        assert market.instrument(code, at("10:00:00")) is None


def test_the_opening_price_is_known_from_the_end_of_the_auction_on() -> None:
    market = a_market(FixedBars({CODE: bar("10.10", "10.30", "9.90", "10.20", "10.00")}))
    early, uncrossed = market.quote(CODE, at("09:14:59")), market.quote(CODE, at("09:27:00"))
    assert early is not None
    assert uncrossed is not None

    assert (early.last, early.bids, early.asks, early.prev_close) == (None, (), (), Decimal("10.00"))
    assert uncrossed.last == Decimal("10.10")
    assert uncrossed.at == at("09:25:00")
    assert (len(uncrossed.bids), len(uncrossed.asks)) == (1, 1)


def test_lunch_stands_still_and_the_evening_shows_the_close() -> None:
    market = a_market(FixedBars({CODE: bar("10.10", "10.30", "9.90", "10.20", "10.00")}))
    noon, evening = market.quote(CODE, at("12:15:00")), market.quote(CODE, at("20:00:00"))
    assert noon is not None
    assert evening is not None

    assert noon == market.quote(CODE, at("11:30:00"))
    assert noon.at == at("11:30:00")
    assert (evening.last, evening.bids, evening.asks) == (Decimal("10.20"), (), ())
    assert evening.at == at("15:00:00")


def test_a_day_off_shows_the_session_before() -> None:
    market = a_market()
    saturday = market.quote(CODE, at("10:00:00", DAY + timedelta(days=2)))

    assert saturday == market.quote(CODE, at("15:00:00", DAY + timedelta(days=1)))
    assert market.quote(CODE, at("10:00:00", date(2031, 1, 6))) is None


def test_an_always_open_market_trades_at_midnight_on_a_sunday() -> None:
    market = a_market(always_open=True)
    sunday = at("00:00:00", date(2026, 11, 22))
    first, last = market.quote(CODE, sunday), market.quote(CODE, later(sunday, 86_399))
    source = market.bars.bar(CODE, sunday.date())

    assert first is not None
    assert last is not None
    assert source is not None
    assert first.last == source.open
    assert first.asks
    assert last.at == later(sunday, 86_397)


def test_a_gap_that_leaves_the_limits_is_taken_for_a_corporate_action() -> None:
    market = a_market(FixedBars({CODE: bar("5.10", "5.30", "5.00", "5.20", "10.00")}))
    wild = a_market(FixedBars({CODE: bar("5.10", "9.30", "5.00", "9.20", "10.00")}))
    record, free = market.instrument(CODE, at("10:00:00")), wild.instrument(CODE, at("10:00:00"))

    assert record is not None
    assert (record.prev_close, record.limit_up) == (Decimal("5.10"), Decimal("5.61"))
    assert free is not None
    assert (free.limit_up, free.limit_down) == (None, None)


@given(st.integers(1, 400), st.lists(st.integers(0, 60), min_size=4, max_size=4), st.integers(0, 99))
def test_any_bar_makes_a_legal_path(floor: int, spread: list[int], seed: int) -> None:
    tick = Decimal("0.01")
    low, middle, other, high = (tick * (floor + part) for part in sorted(spread))
    market = a_market(FixedBars({CODE: Bar(middle, high, low, other, middle)}), seed=seed)
    listing = market.listing(CODE, DAY)
    assert listing is not None
    assert listing.tape is not None
    path = [listing.tape.price(step) for step in range(SESSION_GRID.steps + 1)]

    assert (max(path), min(path)) == (in_ticks(high, tick), in_ticks(low, tick))


def test_the_first_trade_behind_an_endless_queue_is_in_the_first_book_that_reaches_the_limit() -> None:
    market = a_market()
    listing = market.listing(CODE, DAY)
    assert listing is not None
    tape = listing.tape
    assert isinstance(tape, Tape)
    limit = tape.price(1000) - 5

    found = tape.first_trade(Side.BUY, limit, 10**12, 1000, tape.end)

    assert found < tape.end
    assert tape.touch(found)[1] <= limit or tape.price(found) < limit
    assert all(tape.touch(step)[1] > limit for step in range(1000, found))


def test_the_same_seed_gives_the_same_day_in_every_process() -> None:
    script = (
        "from tests.gateways.sim_rig import *\n"
        "market = a_market(seed=11)\n"
        "for code in ('600000.SH', '159915.SZ', '688981.SH'):\n"
        "    for step in range(0, 4800, 400):\n"
        "        print(market.quote(code, later(at('09:30:00'), 3 * step)))\n"
        "exchange = an_exchange(market, at('10:00:00'))\n"
        "ask = market.quote('600000.SH', at('10:00:00')).asks[1].price\n"
        "exchange.submit(buy('600000.SH', 5000, ask), at('10:00:00'))\n"
        "print(play(exchange, at('10:05:00')))\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True, encoding="utf-8", check=True, env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    ]  # fmt: skip

    assert runs[0] == runs[1]
    assert "SUCCEEDED" in runs[0]


def test_real_days_keep_their_bars() -> None:
    if not REAL_PRICES.is_file():
        pytest.skip(f"{REAL_PRICES.name} is not here")
    bars = FileBars(REAL_PRICES)
    market = a_market(bars)
    day = date(2022, 6, 20)

    for code in bars.codes(day)[::10]:
        listing, source = market.listing(code, day), bars.bar(code, day)
        assert listing is not None
        assert listing.tape is not None
        assert source is not None
        path = [listing.price(listing.tape.price(step)) for step in range(SESSION_GRID.steps + 1)]
        assert (path[0], max(path), min(path), path[-1]) == (source.open, source.high, source.low, source.close)
