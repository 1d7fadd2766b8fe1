"""A whole day on the virtual clock on which somebody trades at the terminal while a run is on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.messages import AccountDue, ExecutionEnded, FillReceived, LedgerDrift, PlaceOrder, RunFinished
from tests.support.builders import a_target, at
from tests.support.trading_day import TradingDay

A, B, C, D = "600000.SH", "000001.SZ", "300750.SZ", "600036.SH"
SCALE = 2000  # more than the books show at once: the run takes minutes
HELD = ((A, 20_000 * SCALE, 20_000 * SCALE), (B, 10_050 * SCALE, 10_050 * SCALE), (D, 5_000, 5_000))
TARGET = a_target({A: "0.05", C: "0.3", D: "0.00001"})


def a_day(hand: Sequence[tuple[datetime, OrderRequest]] = (), *, restarts: Sequence[datetime] = ()) -> TradingDay:
    day = TradingDay([(at("08:30:00"), TARGET)], HELD, Decimal(1_000_000) * SCALE, by_hand=hand)
    began = at("08:00:00")
    for moment in restarts:
        day.live(began, moment)
        began = moment + timedelta(seconds=2)
    day.live(began, at("18:00:00"))
    return day


def by_hand(when: datetime, shares: int) -> tuple[datetime, OrderRequest]:
    """Somebody sells at the terminal, at a price that fills at once."""
    quote = TradingDay([]).exchange.market.quote(D, when)
    assert quote is not None
    return when, OrderRequest("", D, Side.SELL, shares, quote.bids[-1].price)


def told(day: TradingDay) -> list[tuple[str, Decimal, str]]:
    return sorted((drift.code, drift.theirs - drift.ours, drift.explanation) for drift in day.told(LedgerDrift))


def test_a_day_without_strangers_tells_no_drift_and_looks_only_while_its_run_is_on() -> None:
    day = a_day()

    assert day.told(LedgerDrift) == []
    first, last = day.journal.of(PlaceOrder)[0].at, day.journal.of(ExecutionEnded)[-1].at
    looks = [each.at for each in day.journal.of(AccountDue)]
    assert looks[0] >= first + timedelta(seconds=5)
    assert looks[-1] <= last + timedelta(seconds=6)
    assert 10 < len(looks) <= (last - first).total_seconds() / 5 + 1


def test_a_trade_by_hand_during_the_run_is_told_once_with_its_explanation_and_respected() -> None:
    day = a_day([by_hand(at("09:30:10"), 1_000)])

    money, shares = told(day)
    assert (money[0], money[2], shares) == ("", "manual_trade", (D, Decimal(-1_000), "manual_trade"))
    assert 8_000 < money[1] < 9_000
    first = day.journal.of(LedgerDrift)[0]
    assert at("09:30:25") <= first.at <= at("09:30:35")
    assert day.held("18:00:00")[D] == 4_000 - sold_of(day, D)
    assert {position.code: position.shares for position in day.told(RunFinished)[-1].positions} == day.held("18:00:00")


@pytest.mark.parametrize("cut", ["09:30:08", "09:30:11", "09:30:20", "09:30:40"])
def test_a_trade_by_hand_around_a_restart_is_never_explained_otherwise_and_never_told_twice(cut: str) -> None:
    day = a_day([by_hand(at("09:30:10"), 1_000)], restarts=[at(cut)])

    drifts = [(drift.attempt, drift.code, drift.explanation) for drift in day.told(LedgerDrift)]
    assert len(drifts) == len(set(drifts))
    assert {explanation for _, _, explanation in drifts} <= {"manual_trade"}
    assert day.held("18:00:00")[D] == 4_000 - sold_of(day, D)
    assert day.told(RunFinished)[-1].status != "interrupted"


def sold_of(day: TradingDay, code: str) -> int:
    """Shares of a code that our own orders sold, less what they bought."""
    trades = [told.trade for told in day.told(FillReceived) if told.trade.code == code]
    return sum(trade.shares if trade.side is Side.SELL else -trade.shares for trade in trades)
