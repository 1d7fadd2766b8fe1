from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest

from qws.domain.market import Board, Kind, Level, Quote, Side
from qws.tables import load_rules

RULES = load_rules()
DAY = date(2026, 9, 1)


def quote(code: str, bids: tuple[Level, ...], asks: tuple[Level, ...], last: D | None) -> Quote:
    at = datetime(2026, 9, 1, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
    return Quote(code=code, at=at, last=last, prev_close=D("9.90"), bids=bids, asks=asks)


@pytest.mark.parametrize(
    ("code", "tick", "buy_min", "buy_step", "order_max", "market_max", "after_hours_max"),
    [
        ("600519.SH", "0.01", 100, 100, 1_000_000, 1_000_000, 1_000_000),
        ("000001.SZ", "0.01", 100, 100, 1_000_000, 1_000_000, 1_000_000),
        ("300750.SZ", "0.01", 100, 100, 300_000, 150_000, 1_000_000),
        ("688981.SH", "0.01", 200, 1, 100_000, 50_000, 1_000_000),
        ("689009.SH", "0.01", 200, 1, 100_000, 50_000, 1_000_000),
        ("920002.BJ", "0.01", 100, 1, 1_000_000, 1_000_000, None),
        ("510300.SH", "0.001", 100, 100, 1_000_000, 1_000_000, 1_000_000),
        ("180101.SZ", "0.001", 100, 100, 1_000_000_000, None, None),
        ("113050.SH", "0.001", 10, 10, 1_000_000, None, None),
    ],
)
def test_a_record_carries_tick_lots_and_maxima_of_its_board(
    code: str,
    tick: str,
    buy_min: int,
    buy_step: int,
    order_max: int,
    market_max: int | None,
    after_hours_max: int | None,
) -> None:
    record = RULES.instrument(code, DAY, D(10))
    lot = RULES.lot(record)

    assert (record.tick, record.buy_min, record.buy_step, record.order_max) == (D(tick), buy_min, buy_step, order_max)
    assert (lot.market_max, lot.after_hours_max) == (market_max, after_hours_max)


def test_flags_reach_the_record() -> None:
    record = RULES.instrument("518880.SH", DAY, D("5.000"), suspended=True, st=True, same_day_sell=True)

    assert (record.suspended, record.st, record.same_day_sell) == (True, True, True)


def test_only_bonds_turn_around_by_their_kind() -> None:
    turned = [RULES.instrument(code, DAY, D(10)).same_day_sell for code in ("113050.SH", "510300.SH", "508056.SH")]

    assert turned == [True, False, False]


@pytest.mark.parametrize(
    ("code", "day", "prev_close", "text"),
    [
        ("999999.SH", DAY, "10", "not a tradable code"),
        ("000001.SH", DAY, "10", "index"),
        ("204001.SH", DAY, "1.5", "no trading rules"),
        ("600519.SH", date(2016, 12, 30), "10", "no trading rules"),
        ("688981.SH", date(2019, 7, 19), "10", "no trading rules"),
        ("830799.BJ", date(2025, 10, 9), "10", "no trading rules"),
        ("600519.SH", DAY, "0", "above zero"),
    ],
)
def test_what_cannot_trade_has_no_record(code: str, day: date, prev_close: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        RULES.instrument(code, day, D(prev_close))


def test_an_old_beijing_code_has_a_record_until_the_switch() -> None:
    assert RULES.instrument("830799.BJ", date(2025, 10, 8), D(10)).limit_up == D("13.00")


def test_the_cage_reads_its_base_from_the_quote() -> None:
    record = RULES.instrument("600000.SH", DAY, D("9.90"))
    full = quote("600000.SH", (Level(D("10.00"), 100),), (Level(D("10.25"), 100),), D("10.01"))
    empty = quote("600000.SH", (), (), None)

    bounds = [RULES.cage_bound(record, side, book) for book in (full, empty) for side in (Side.BUY, Side.SELL)]

    assert bounds == [D("10.46"), D("9.80"), D("10.10"), D("9.70")]


@pytest.mark.parametrize("code", ["510300.SH", "113050.SH", "508056.SH", "900901.SH"])
def test_funds_bonds_and_b_shares_have_no_cage(code: str) -> None:
    assert RULES.cage_bound(RULES.instrument(code, DAY, D(10)), Side.BUY, quote(code, (), (), None)) is None


@pytest.mark.parametrize(
    ("code", "day", "st", "cap"),
    [
        ("600001.SH", DAY, True, 500_000),
        ("600001.SH", DAY, False, None),
        ("920002.BJ", date(2026, 8, 30), True, None),
        ("920002.BJ", date(2026, 8, 31), True, 200_000),
    ],
)
def test_purchases_of_one_st_stock_are_capped_by_day(code: str, day: date, st: bool, cap: int | None) -> None:
    assert RULES.st_buy_cap(RULES.instrument(code, day, D(2), st=st)) == cap


@pytest.mark.parametrize(
    ("code", "day", "side", "limit", "shares", "valid"),
    [
        ("600519.SH", DAY, "buy", "10.50", 100, True),
        ("600519.SH", DAY, "buy", "10.00", 100, True),
        ("600519.SH", DAY, "buy", "9.99", 100, False),
        ("600519.SH", DAY, "sell", "10.00", 100, True),
        ("600519.SH", DAY, "sell", "10.01", 100, False),
        ("600519.SH", DAY, "buy", "10.505", 100, False),
        ("600519.SH", DAY, "buy", "10.50", 150, False),
        ("600519.SH", date(2026, 7, 3), "buy", "10.50", 100, False),
        ("688981.SH", date(2026, 7, 3), "buy", "10.50", 200, True),
        ("300750.SZ", DAY, "buy", "10.50", 1_000_000, True),
        ("300750.SZ", DAY, "buy", "10.50", 1_000_100, False),
        ("920002.BJ", DAY, "buy", "10.50", 100, False),
        ("161725.SZ", DAY, "buy", "10.50", 100, False),
        ("113050.SH", DAY, "buy", "10.50", 10, False),
    ],
)
def test_an_after_hours_order_must_reach_the_close_and_keep_the_lot_rules(
    code: str, day: date, side: str, limit: str, shares: int, valid: bool
) -> None:
    record = RULES.instrument(code, day, D(10))

    assert RULES.is_valid_after_hours(record, Side(side), D(limit), D("10.00"), shares, shares) is valid


def test_a_suspended_stock_has_no_after_hours_trading() -> None:
    record = RULES.instrument("600519.SH", DAY, D(10), suspended=True)

    assert not RULES.is_valid_after_hours(record, Side.BUY, D(11), D(10), 100, 0)


@pytest.mark.parametrize(
    ("day", "second", "today", "high"),
    [
        (DAY, 299, 19_999, False),
        (DAY, 300, 300, True),
        (DAY, 1, 20_000, True),
        (date(2025, 7, 6), 300, 20_000, False),
    ],
)
def test_an_account_is_high_frequency_from_either_threshold_on(day: date, second: int, today: int, high: bool) -> None:
    assert RULES.is_high_frequency(day, busiest_second=second, today=today) is high


def test_each_kind_has_its_own_tick() -> None:
    ticks = [
        RULES.tick(board, kind, DAY)
        for board, kind in (
            (Board.SH_MAIN, Kind.B_SHARE),
            (Board.SZ_MAIN, Kind.B_SHARE),
            (Board.SH_BOND, Kind.REPO),
        )
    ]

    assert ticks == [D("0.001"), D("0.01"), D("0.005")]
    with pytest.raises(ValueError, match="no tick"):
        RULES.tick(Board.SH_BOND, Kind.STOCK, DAY)
