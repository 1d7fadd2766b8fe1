from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from qws.domain.market import Side
from qws.messages import (
    AccountDue,
    FillReceived,
    FillsReconciled,
    RunFinished,
)
from qws.runtime.message import Later
from tests.support.account_truth import Truth, moment
from tests.support.builders import NEXT_DAY, RUN, a_due, a_quote, at
from tests.support.outputs import of, told
from tests.support.tracker_rig import (
    ACCOUNT_S,
    DUE,
    ENDED,
    SELL,
    A,
    B,
    Life,
    a_life,
    an_account,
    by_hand,
    kinds,
)


def test_books_that_agree_are_reconciled_at_once_with_the_account_and_quotes_of_the_moment() -> None:
    life = a_life(an_account())

    (end,) = told(asyncio.run(life.tracker.on_execution_ended(ENDED)))

    assert isinstance(end, FillsReconciled)
    truth = life.broker.truth
    assert (end.snapshot.positions, end.snapshot.asset) == (truth.positions(4), truth.asset(4))
    assert (end.snapshot.at, end.snapshot.quotes) == (moment(4), (a_quote(A),))


def test_the_first_look_comes_after_the_first_order_and_the_last_before_the_end() -> None:
    life = Life(an_account())
    snapshot, *rest = life.trades()
    life.hear([snapshot, life.snapshot(preview=True)])
    assert life.due == []
    life.hear(rest)

    assert life.due == [(ACCOUNT_S, DUE)]
    assert life.until(26) == []
    assert (life.broker.looks, len(life.due)) == (5, 1)
    life.end()
    looks = life.broker.looks
    life.until(60)
    assert (life.broker.looks, life.due) == (looks, [])


@pytest.mark.parametrize("age_s", [3.0, 10.0])
def test_answers_that_lag_are_no_drift_and_the_end_waits_for_those_of_now(age_s: float) -> None:
    life = a_life(an_account())
    life.broker.age_s = age_s

    (end,) = life.end()

    assert life.drifts == []
    assert end.snapshot.positions == life.broker.truth.positions(100)
    assert 3 + age_s <= life.second() <= 5 + age_s


def test_answers_that_stand_still_for_as_long_as_they_may_are_no_drift() -> None:
    life = a_life(an_account())
    for second in (5, 10, 15):
        life.broker.age_s = second - 0.2  # as before the first fill
        assert life.until(second) == []
    life.broker.age_s = 0

    assert life.until(60) == []


def test_a_trade_by_hand_is_told_once_while_the_run_is_on_and_not_again_at_its_end() -> None:
    life = a_life(an_account(by_hand(B, Side.BUY, 500, 7)))

    drifts = life.until(25)

    ((_, money, _), shares) = kinds(drifts)
    assert shares == (B, Decimal(500), "manual_trade")
    assert -5010 < money < -5000
    assert {(drift.run_id, drift.attempt) for drift in drifts} == {(RUN, 0)}
    before = life.second()
    assert (len(life.until(60)), len(life.end()), len(life.drifts)) == (2, 1, 2)
    assert life.second() <= max(before, 60) + 1


def test_a_trade_by_hand_at_the_end_is_told_before_the_run_has_ended() -> None:
    life = a_life(an_account(by_hand(A, Side.SELL, 100, 4.5)))
    life.until(5)

    life.end()

    assert [(code, why) for code, _, why in kinds(life.drifts)] == [("", "manual_trade"), (A, "manual_trade")]
    assert life.second() < 40


def test_a_withdrawal_is_a_transfer_and_shares_in_proportion_a_dividend() -> None:
    truth = an_account()
    truth.moves, truth.bonus = [(6, Decimal(-12_345))], [(7, A, 200)]  # five new shares for ten held

    assert kinds(a_life(truth).until(60)) == [
        ("", Decimal(-12_345), "transfer"),
        (A, Decimal(200), "dividend"),
    ]


@pytest.mark.parametrize(("off", "explanation"), [("-12", None), ("-40", "fees"), ("-5000", "transfer")])
def test_fees_that_were_not_told_may_be_off_by_a_bound(off: str, explanation: str | None) -> None:
    truth = an_account()
    truth.moves = [(1, Decimal(off))]
    life = Life(truth)
    life.clock.time = moment(0.2)
    untold = [
        FillReceived(replace(message.trade, fee=None)) if isinstance(message, FillReceived) else message
        for message in life.trades()
    ]
    life.hear(untold)

    assert [drift.explanation for drift in life.until(60)] == ([explanation] if explanation else [])


def test_a_broker_that_does_not_answer_tells_no_drift_and_the_looks_go_on() -> None:
    truth = an_account()
    truth.moves = [(6, Decimal(-12_345))]
    life = a_life(truth)
    life.broker.is_silent = True
    assert life.until(60) == []
    life.broker.is_silent = False
    assert life.until(70) == []
    assert kinds(life.until(90)) == [("", Decimal(-12_345), "transfer")]


def test_a_broker_that_does_not_answer_is_asked_again_later_and_never_read_as_flat() -> None:
    life = a_life(an_account())
    life.broker.is_silent = True

    first = asyncio.run(life.tracker.on_execution_ended(ENDED))
    life.broker.is_silent = False
    second = asyncio.run(life.tracker.on_execution_ended(ENDED))

    assert first == [Later(30.0, ENDED)]
    assert len(of(FillsReconciled, second)) == 1


def test_an_end_without_the_lists_is_told_with_what_was_read() -> None:
    life = a_life(an_account())
    life.broker.has_no_lists = True

    (end,) = life.end()

    assert end.snapshot.positions == life.broker.truth.positions(100)


def test_a_name_that_was_sold_out_is_no_drift_when_the_broker_no_longer_lists_it() -> None:
    sold = replace(SELL, request=replace(SELL.request, shares=1000), fills=((1, 1000),))
    life = Life(Truth(Decimal(50_000), {A: 1000}, [sold]))
    life.hear(life.trades([sold]))
    life.until(2)

    assert (len(life.end()), life.drifts) == (1, [])


def test_the_looks_end_with_the_run_whoever_ends_it_and_with_the_day() -> None:
    told_over, overnight = a_life(an_account()), a_life(an_account())
    told_over.tracker.on_run_finished(RunFinished.without_trades(a_due(), "refused", "halted", "", at("10:00:04")))
    told_over.until(60)
    overnight.clock.set("09:30:00", NEXT_DAY)
    overnight.note(asyncio.run(overnight.tracker.on_account_due(DUE)))

    assert (told_over.broker.looks, told_over.due) == (0, [])
    assert (overnight.broker.looks, len(overnight.due)) == (0, 1)  # the one that is handled here


def test_timers_of_another_attempt_or_two_at_once_mean_nothing() -> None:
    life = a_life(an_account())
    life.until(5)
    stray = [asyncio.run(life.tracker.on_account_due(due)) for due in (DUE, AccountDue(RUN, 1), AccountDue("other", 0))]

    assert stray == [[], [], []]
    assert life.broker.looks == 1


def test_a_new_attempt_begins_its_books_anew() -> None:
    life = a_life(an_account(by_hand(B, Side.BUY, 500, 7)))
    assert len(life.until(40)) == 2

    life.hear([life.snapshot(attempt=1)])

    assert (life.until(120), life.broker.looks) == (life.drifts, 8)
    assert len(life.drifts) == 2
