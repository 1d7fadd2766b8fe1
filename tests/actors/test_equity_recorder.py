from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from actors.equity_recorder import EquityRecorder
from qws.errors import GatewayTimeout
from qws.messages import EquityDue, EquityRecorded, RunFinished
from qws.runtime.message import Later
from tests.support.builders import COSTS, DAY, NEXT_DAY, HandClock, a_due, a_position, an_asset, at
from tests.support.fake_broker import FakeBroker, FakeQuotes

HELD = (a_position("600000.SH", 1000),)
ASSET = an_asset("5000", HELD)


def a_recorder(
    errors: int = 0, clock: HandClock | None = None, index: str | None = "3400.12"
) -> tuple[EquityRecorder, FakeBroker]:
    broker = FakeBroker(money=ASSET, holdings=HELD, account_errors=[GatewayTimeout("slow")] * errors)
    quotes = FakeQuotes(index=None if index is None else Decimal(index))
    return EquityRecorder(broker, quotes, clock or HandClock(at("15:10:00")), COSTS), broker


def due(recorder: EquityRecorder, day: EquityDue | None = None) -> EquityRecorded | Later[EquityDue] | None:
    return asyncio.run(recorder.on_equity_due(day or EquityDue(DAY)))


def test_the_close_of_a_day_is_recorded_once() -> None:
    recorder, _ = a_recorder()

    answers = [due(recorder) for _ in range(3)]

    record = EquityRecorded(DAY, at("15:10:00"), "close", "", ASSET, HELD, Decimal("3400.12"))
    assert answers == [record, None, None]
    assert isinstance(due(recorder, EquityDue(NEXT_DAY)), EquityRecorded)


def test_a_day_that_was_recorded_before_a_restart_is_not_recorded_again() -> None:
    recorder, _ = a_recorder()
    recorder.recall_equity_recorded(EquityRecorded(DAY, at("15:10:00"), "close", "", ASSET, HELD, None))

    assert due(recorder) is None


def test_the_record_of_a_run_is_not_the_record_of_the_day() -> None:
    recorder, _ = a_recorder()
    recorder.recall_equity_recorded(EquityRecorded(DAY, at("10:05:00"), "run", "r", ASSET, HELD, None))

    assert isinstance(due(recorder), EquityRecorded)


def test_a_missing_benchmark_stays_a_gap() -> None:
    recorder, _ = a_recorder(index=None)

    answer = due(recorder)

    assert isinstance(answer, EquityRecorded)
    assert answer.benchmark is None


def test_a_broker_that_does_not_answer_is_asked_again_a_minute_later_on_the_same_day_only() -> None:
    clock = HandClock(at("15:10:00"))
    recorder, _ = a_recorder(errors=2, clock=clock)

    assert due(recorder) == Later(60.0, EquityDue(DAY))
    clock.set("00:00:10", NEXT_DAY)
    assert due(recorder) is None
    clock.set("15:12:00", DAY)
    assert isinstance(due(recorder), EquityRecorded)


def test_a_list_that_lacks_a_name_is_not_recorded_and_one_that_always_does_is_after_five_looks() -> None:
    recorder, broker = a_recorder()
    broker.holdings = ()

    assert due(recorder) == Later(60.0, EquityDue(DAY))
    broker.holdings = HELD
    record = due(recorder)
    assert isinstance(record, EquityRecorded)
    assert record.positions == HELD

    recorder, broker = a_recorder()
    broker.holdings = ()
    assert [isinstance(due(recorder), Later) for _ in range(6)] == [True] * 5 + [False]


def a_finish(status: str) -> RunFinished:
    return replace(RunFinished.without_trades(a_due(), status, "", "", at("10:05:00")), asset=ASSET, positions=HELD)


@pytest.mark.parametrize("status", ["completed", "incomplete", "superseded"])
def test_a_run_that_traded_is_recorded_with_its_account(status: str) -> None:
    recorder, _ = a_recorder()

    answer = recorder.on_run_finished(a_finish(status))

    assert answer == EquityRecorded(DAY, at("10:05:00"), "run", a_due().run_id, ASSET, HELD, None)


def test_a_run_that_never_looked_at_the_account_is_not_recorded() -> None:
    recorder, _ = a_recorder()

    assert recorder.on_run_finished(replace(a_finish("refused"), asset=None)) is None
