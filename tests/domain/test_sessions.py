from __future__ import annotations

from datetime import date, time
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.codes import classify
from qws.domain.halts import halt_level, halt_until
from qws.domain.market import Board, Kind
from qws.domain.sessions import Phase, PhaseRules
from qws.tables import load_rules

RULES = load_rules()
OLD, NEW = date(2026, 7, 3), date(2026, 7, 6)


def at(code: str, day: date, clock: str) -> PhaseRules:
    known = classify(code)
    assert known is not None
    assert known.board is not None
    return RULES.sessions.phase_at(known.board, known.kind, day, time.fromisoformat(clock))


@pytest.mark.parametrize(
    ("clock", "phase", "limit", "market", "cancel"),
    [
        ("00:00:00", "pre_open", False, False, False),
        ("09:14:59.999999", "pre_open", False, False, False),
        ("09:15:00", "open_call_cancellable", True, False, True),
        ("09:20:00", "open_call_locked", True, False, False),
        ("09:25:00", "open_pause", False, False, False),
        ("09:30:00", "continuous", True, True, True),
        ("11:30:00", "lunch", False, False, False),
        ("13:00:00", "continuous", True, True, True),
        ("14:56:59", "continuous", True, True, True),
        ("14:57:00", "close_call", True, False, False),
        ("15:00:00", "closed", False, False, False),
        ("23:59:59", "closed", False, False, False),
    ],
)
def test_a_stock_goes_through_the_phases_of_the_day(
    clock: str, phase: str, limit: bool, market: bool, cancel: bool
) -> None:
    rules = at("600519.SH", NEW, clock)

    assert rules.phase is Phase(phase)
    assert (rules.accepts_limit_order, rules.accepts_market_order, rules.accepts_cancel) == (limit, market, cancel)


@pytest.mark.parametrize(
    ("code", "day", "phase"),
    [
        ("510300.SH", OLD, "continuous"),
        ("510300.SH", NEW, "close_call"),
        ("508056.SH", OLD, "continuous"),
        ("159915.SZ", OLD, "close_call"),
        ("113050.SH", NEW, "continuous"),
        ("123107.SZ", NEW, "close_call"),
        ("920002.BJ", NEW, "close_call"),
        ("600519.SH", date(2018, 8, 17), "continuous"),
        ("600519.SH", date(2018, 8, 20), "close_call"),
    ],
)
def test_the_last_three_minutes_depend_on_instrument_and_day(code: str, day: date, phase: str) -> None:
    assert at(code, day, "14:58:00").phase is Phase(phase)


@pytest.mark.parametrize(
    ("code", "day", "opens"),
    [
        ("688981.SH", OLD, "09:30:00"),
        ("300750.SZ", OLD, "09:15:00"),
        ("600519.SH", NEW, "09:30:00"),
        ("000001.SZ", NEW, "09:15:00"),
        ("510300.SH", NEW, "09:30:00"),
        ("159915.SZ", NEW, "09:15:00"),
        ("600519.SH", OLD, None),
        ("510300.SH", OLD, None),
        ("161725.SZ", NEW, None),
        ("113050.SH", NEW, None),
        ("920002.BJ", NEW, None),
    ],
)
def test_after_hours_orders_are_taken_from_the_morning_until_1530_where_offered(
    code: str, day: date, opens: str | None
) -> None:
    clocks = ("09:14:59", "09:15:00", "09:30:00", "11:30:00", "13:00:00", "15:29:59", "15:30:00")
    accepted = [clock for clock in clocks if at(code, day, clock).accepts_after_hours]

    expected = [clock for clock in clocks[1:6] if clock >= opens and clock != "11:30:00"] if opens else []
    assert accepted == expected


@given(clock=st.times(), board=st.sampled_from([Board.SH_MAIN, Board.SZ_MAIN, Board.SZ_CHINEXT, Board.BJ]))
def test_every_instant_belongs_to_one_phase_of_an_ordered_timetable(clock: time, board: Board) -> None:
    starts = [row.start for row in RULES.sessions.timetable(board, Kind.STOCK, NEW)]
    rules = RULES.sessions.phase_at(board, Kind.STOCK, NEW, clock)

    assert starts == sorted(starts)
    assert starts[0] == time(0)
    assert rules.accepts_market_order is (rules.phase is Phase.CONTINUOUS)


def test_hours_of_an_unknown_instrument_are_an_error() -> None:
    with pytest.raises(ValueError, match="no trading hours"):
        RULES.sessions.phase_at(Board.SH_BOND, Kind.STOCK, NEW, time(10))


@pytest.mark.parametrize(
    ("price", "hit", "clock", "resume"),
    [
        ("25.99", "0", "10:00:00", None),
        ("26.00", "0", "10:00:00", "10:10:00"),
        ("26.00", "0.30", "10:20:00", None),
        ("32.00", "0.30", "10:20:00", "10:30:00"),
        ("33.00", "0", "10:00:00", "10:10:00"),
        ("26.50", "0.60", "10:30:00", None),
        ("14.00", "0", "10:00:00", "10:10:00"),
        ("14.01", "0", "10:00:00", None),
        ("8.00", "0.30", "10:00:00", "10:10:00"),
        ("26.00", "0", "14:50:00", "14:57:00"),
        ("26.00", "0", "14:46:59", "14:56:59"),
        ("26.00", "0", "14:57:00", None),
        ("26.00", "0", "11:25:00", "13:05:00"),
        ("26.00", "0", "11:20:00", "13:00:00"),
    ],
)
def test_a_stock_without_limits_halts_once_for_each_level(price: str, hit: str, clock: str, resume: str | None) -> None:
    rule = RULES.halts.at(None, NEW)
    assert rule is not None

    got = halt_until(rule, D("20.00"), D(price), D(hit), time.fromisoformat(clock))

    assert got == (None if resume is None else time.fromisoformat(resume))


def test_the_level_reached_is_the_highest_one() -> None:
    rule = RULES.halts.at(None, NEW)
    assert rule is not None

    levels = [halt_level(rule, D("20.00"), D(price)) for price in ("20.00", "26.00", "14.00", "32.00", "8.00")]

    assert levels == [D(0), D("0.30"), D("0.30"), D("0.60"), D("0.60")]
