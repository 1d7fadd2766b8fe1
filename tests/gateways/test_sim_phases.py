from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest

from qws.domain.orders import BrokerOrder, OrderStatus
from qws.domain.sessions import Phase, PhaseRules
from qws.tables import load_rules
from tests.gateways.sim_rig import (
    DAY,
    FixedBars,
    a_market,
    an_exchange,
    at,
    bar,
    buy,
    fills,
    later,
    play,
    status_of,
    statuses,
)

S = OrderStatus
OLD_DAY = date(2026, 7, 3)  # the last session before funds in Shanghai got a closing auction
QUEUED = (Phase.OPEN_PAUSE, Phase.LUNCH)
WIDE = bar("10.00", "10.40", "9.80", "10.20", "10.00")
FUND = bar("4.000", "4.100", "3.900", "4.050", "4.000")
BARS = FixedBars({"600000.SH": WIDE, "000001.SZ": WIDE, "920002.BJ": WIDE, "510300.SH": FUND, "159919.SZ": FUND})


def minutes(day: date) -> Iterator[datetime]:
    now = at("09:10:00", day)
    while now <= at("15:05:00", day):
        yield now
        now += timedelta(minutes=1)


def rules_at(code: str, now: datetime) -> PhaseRules:
    instrument = load_rules().instrument(code, now.date(), Decimal(10))
    return load_rules().sessions.phase_at(instrument.board, instrument.kind, now.date(), now.time())


@pytest.mark.parametrize("day", [OLD_DAY, DAY])
@pytest.mark.parametrize("code", sorted(BARS.bars))
def test_every_minute_takes_orders_and_cancels_as_the_timetable_says(code: str, day: date) -> None:
    exchange = an_exchange(a_market(BARS), at("09:10:00", day))
    for now in minutes(day):
        rules = rules_at(code, now)
        order_id = exchange.submit(buy(code, 200, "3.80" if code[0] in "15" else "9.50"), now)
        events = play(exchange, later(now, 1))
        if rules.accepts_limit_order or rules.phase in QUEUED:
            taken = () if rules.phase in QUEUED else (S.REPORTED,)
            assert statuses(events, order_id) == [S.WAIT_REPORTING, *taken], now
        else:
            assert statuses(events, order_id) == [S.WAIT_REPORTING, S.JUNK], now
            assert status_of(exchange, order_id, later(now, 1)).message.startswith("PHASE_CLOSED"), now
            continue
        exchange.cancel(order_id, later(now, 1))
        (answer,) = exchange.advance(later(now, 1))
        assert isinstance(answer, BrokerOrder)
        assert (answer.status is S.REPORTED_CANCEL) is rules.accepts_cancel, now
        assert answer.message.startswith("CANCEL_NOT_ALLOWED") is not rules.accepts_cancel, now
    assert exchange.asset(at("15:05:00", day)).frozen == 0


def test_what_the_table_must_say_for_a_stock() -> None:
    taken = {
        clock: (rules.accepts_limit_order or rules.phase in QUEUED, rules.accepts_cancel)
        for clock in ("09:14", "09:15", "09:20", "09:25", "09:30", "11:30", "13:00", "14:57", "15:00")
        for rules in [rules_at("600000.SH", at(f"{clock}:00"))]
    }

    assert taken == {
        "09:14": (False, False),
        "09:15": (True, True),
        "09:20": (True, False),
        "09:25": (True, False),
        "09:30": (True, True),
        "11:30": (True, False),
        "13:00": (True, True),
        "14:57": (True, False),
        "15:00": (False, False),
    }


@pytest.mark.parametrize(
    ("code", "day", "trades_on"),
    [("510300.SH", OLD_DAY, True), ("510300.SH", DAY, False), ("159919.SZ", OLD_DAY, False)],
)
def test_a_fund_in_shanghai_traded_to_the_end_before_it_got_a_closing_auction(
    code: str, day: date, *, trades_on: bool
) -> None:
    market = a_market(BARS)
    exchange = an_exchange(market, at("14:58:00", day))
    order_id = exchange.submit(buy(code, 100, "4.200"), at("14:58:00", day))
    soon = fills(play(exchange, at("14:58:02", day)), order_id)
    end = fills(play(exchange, at("15:00:00", day)), order_id)

    assert len(soon) == (1 if trades_on else 0)
    assert [(fill.at, fill.price) for fill in end] == ([] if trades_on else [(at("15:00:00", day), Decimal("4.050"))])
