from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.account import Asset, Look
from qws.domain.account_ledger import AccountLedger, Drift
from qws.domain.market import Side
from qws.domain.orders import OrderRequest
from qws.domain.tags import make_tag
from tests.support.account_truth import PRICE, Placed, Truth, moment
from tests.support.builders import COSTS, DAY, NEXT_DAY, TARGET, an_instrument, at

A, B, C = "600000.SH", "600004.SH", "000001.SZ"
LAG_S = 15.0
LAST = 40  # no order of ours changes after that second
Told = list[tuple[str, str]]
Note = Callable[[datetime], None]


def a_request(number: int, code: str, side: Side, shares: int) -> OrderRequest:
    return OrderRequest(make_tag(DAY, TARGET, 0, number), code, side, shares, PRICE)


def a_stranger(side: Side, code: str, shares: int, second: float, *, traded: bool, ends: float | None = None) -> Placed:
    """Somebody else's order, which trades at once or rests."""
    fills = ((second, shares),) if traded else ()
    return Placed(OrderRequest("grid-7", code, side, shares, PRICE), second, fills, ends)


def late_s(chance: Random) -> float:
    return chance.uniform(0, LAG_S - 0.5)


def some_orders(chance: Random) -> list[Placed]:
    """Orders of ours: sells of what is there, buys of what the money allows, in pieces, cancelled or left open."""
    placed = []
    for number in range(chance.randint(1, 4)):
        second = chance.uniform(0, LAST)
        times = sorted(chance.uniform(second, LAST) for _ in range(chance.choice((0, 1, 2, 4, 10))))
        rest = chance.choice((0, 100, 200)) if times else 100
        request = a_request(number, chance.choice((A, B, C)), chance.choice(list(Side)), 100 * len(times) + rest)
        ends = chance.uniform(times[-1] if times else second, LAST) if rest and chance.random() < 0.6 else None
        placed.append(Placed(request, second, tuple((when, 100) for when in times), ends))
    return placed


def news_of(chance: Random, ledger: AccountLedger, ours: list[Placed]) -> list[tuple[float, Note]]:
    """What the ledger is told and when: intents at once, reports and fills late, out of order, some twice."""
    news: list[tuple[float, Note]] = [(order.second, partial(ledger.intend, order.request)) for order in ours]
    for order in ours:
        news += [(second + late_s(chance), partial(ledger.note_order, order.row(second))) for second in order.changes()]
        for trade in order.trades():
            second = (trade.at - moment(0)).total_seconds()
            news += [(second + late_s(chance), partial(ledger.note_fill, trade)) for _ in range(chance.randint(1, 2))]
    return sorted(news, key=lambda each: each[0])


def lived(chance: Random, truth: Truth, ours: list[Placed], until: int) -> list[Drift]:
    """All drifts of looks each five seconds, while reports and answers come as late as they like."""
    ledger = AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))
    drifts, news = list[Drift](), news_of(chance, ledger, ours)
    for second in range(5, until, 5):
        while news and news[0][0] <= second:
            when, note = news.pop(0)
            note(moment(when))
        ages = late_s(chance), late_s(chance), late_s(chance), late_s(chance)
        drifts += ledger.compare(truth.look(second, ages)).drifts
    last = truth.look(until)
    drifts += ledger.compare(last).drifts
    if len(truth.placed) == len(ours):
        assert ledger.compare(last) == ((), True)
        assert (ledger.money, ledger.cash) == (last.asset.cash + last.asset.frozen, last.asset.cash)
        for position in last.positions:
            sums = ledger.shares(position.code), ledger.sellable(position.code)
            assert sums == (position.shares, position.sellable)
    return drifts


def an_account(*placed: Placed) -> Truth:
    return Truth(Decimal(50_000), {A: 3000, B: 3000, C: 3000}, list(placed))


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**9))
def test_without_strangers_nothing_drifts_whatever_the_order_of_reports_and_the_age_of_answers(seed: int) -> None:
    chance = Random(seed)
    ours = some_orders(chance)

    assert lived(chance, an_account(*ours), ours, 90) == []


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 10**9))
def test_a_trade_of_a_stranger_is_told_once_for_its_code_and_once_for_the_money(seed: int) -> None:
    chance = Random(seed)
    ours, side, code = some_orders(chance), chance.choice(list(Side)), chance.choice((A, B, C))
    stranger = a_stranger(side, code, 200, chance.uniform(1, LAST), traded=True)

    drifts = lived(chance, an_account(*ours, stranger), ours, 130)

    assert sorted(told(drifts)) == [("", "manual_trade"), (code, "manual_trade")]
    (shares,) = (drift.theirs - drift.ours for drift in drifts if drift.code)
    assert shares == (200 if side is Side.BUY else -200)


def watched(truth: Truth, until: int = 60, *, ours: tuple[Placed, ...] = ()) -> list[Drift]:
    """The drifts of looks each five seconds, without any delay."""
    ledger = AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))
    for order in ours:
        ledger.intend(order.request, moment(order.second))
        ledger.note_order(order.row(order.second), moment(order.second))
    return [drift for second in range(5, until, 5) for drift in ledger.compare(truth.look(second)).drifts]


def told(drifts: list[Drift]) -> Told:
    return [(drift.code, drift.explanation) for drift in drifts]


@pytest.mark.parametrize(
    ("amount", "explanation"),
    [
        ("-5000", "transfer"),
        ("20000", "transfer"),
        ("1230.00", "dividend"),  # 0.41 a share of 3000
        ("1234.57", "transfer"),  # no amount a share for any holding
        ("0.90", None),
    ],
)
def test_money_that_moves_without_a_trade_is_a_transfer_or_a_dividend(amount: str, explanation: str | None) -> None:
    truth = Truth(Decimal(50_000), {A: 3000}, moves=[(12, Decimal(amount))])

    assert told(watched(truth)) == ([("", explanation)] if explanation else [])


@pytest.mark.parametrize(
    ("more", "explanation"), [(300, "dividend"), (101, "transfer"), (-100, "unexplained"), (9100, "transfer")]
)
def test_shares_that_come_in_proportion_are_a_dividend(more: int, explanation: str) -> None:
    truth = Truth(Decimal(50_000), {A: 3000}, bonus=[(12, A, more)])

    (drift,) = watched(truth)

    assert drift == Drift(A, Decimal(3000), Decimal(3000 + more), explanation)


def test_an_order_of_a_stranger_that_rests_holds_money_or_shares_and_frees_them_again() -> None:
    buys, sells = (a_stranger(side, A, 500, 12, traded=False) for side in (Side.BUY, Side.SELL))
    before = a_stranger(Side.BUY, A, 700, -5, traded=False, ends=12)
    sold_before = a_stranger(Side.SELL, A, 700, -5, traded=False, ends=12)

    for stranger, code, sign in ((buys, "", -1), (sells, A, -1), (before, "", 1), (sold_before, A, 1)):
        (drift,) = watched(Truth(Decimal(50_000), {A: 3000}, [stranger]))
        assert (drift.code, drift.explanation) == (code, "manual_order")
        assert (drift.theirs - drift.ours) * sign > 0


def test_what_our_own_resting_orders_hold_is_no_drift_and_hides_none() -> None:
    ours = (Placed(a_request(0, A, Side.SELL, 1000), 1), Placed(a_request(1, B, Side.BUY, 300), 2))
    truth = Truth(Decimal(50_000), {A: 3000}, [*ours])

    assert watched(truth, ours=ours) == []
    truth.placed.append(a_stranger(Side.SELL, A, 500, 12, traded=False))
    assert told(watched(truth, ours=ours)) == [(A, "manual_order")]


def test_an_answer_that_is_empty_loading_or_contradicts_itself_neither_counts_nor_begins_the_count_anew() -> None:
    truth = Truth(Decimal(50_000), {A: 3000}, moves=[(1, Decimal(-5000))])
    ledger = AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))
    nothing = Asset(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    money_only = Asset(Decimal(45_000), Decimal(0), Decimal(0), Decimal(45_000))
    said: Told = []
    for second in range(5, 45, 5):
        good = truth.look(second)
        for bad in (
            Look(good.at, nothing, (), (), ()),
            Look(good.at, money_only, (), (), ()),
            replace(good, positions=()),
            replace(good, asset=replace(good.asset, total=Decimal(1))),
        ):
            assert ledger.compare(bad) == ((), False)
        said += told(list(ledger.compare(good).drifts))

    assert said == [("", "transfer")]


def test_a_difference_must_stand_for_three_looks_and_as_long_as_answers_lag() -> None:
    for every_s, looks in ((5, 4), (1, 16), (10, 3), (60, 3)):
        ledger, truth = AccountLedger(COSTS, LAG_S), Truth(Decimal(50_000), {A: 3000}, moves=[(0.5, Decimal(-5000))])
        ledger.begin(truth.snapshot(), moment(0))
        found = [bool(ledger.compare(truth.look(number * every_s)).drifts) for number in range(1, looks + 3)]
        assert found == [False] * (looks - 1) + [True, False, False]


def test_equal_fills_in_a_row_that_are_told_late_are_no_drift_however_alike_the_looks_are() -> None:
    fills = tuple((float(second), 100) for second in range(1, 100))
    order, late_s = Placed(a_request(0, A, Side.BUY, 9900), 0.5, fills), 3
    truth, ledger = Truth(Decimal(200_000), {}, [order]), AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))
    ledger.intend(order.request, moment(0))
    trades = order.trades()
    for second in range(1, 110):
        if second > late_s and second - late_s <= len(trades):
            ledger.note_order(order.row(second - late_s), moment(second))
            ledger.note_fill(trades[second - late_s - 1], moment(second))
        if second % 5 == 0:
            assert ledger.compare(truth.look(second, (0, 0, late_s, late_s))).drifts == ()
    assert ledger.compare(truth.look(130)) == ((), True)


def test_empty_positions_are_believed_when_a_stranger_sold_them() -> None:
    truth = Truth(Decimal(50_000), {A: 3000}, [a_stranger(Side.SELL, A, 3000, 12, traded=True)])

    assert sorted(told(watched(truth))) == [("", "manual_trade"), (A, "manual_trade")]


@pytest.mark.parametrize(("off", "explanation"), [("0", None), ("-7", None), ("-20", "fees"), ("-200", "transfer")])
def test_fees_that_the_broker_does_not_tell_are_estimated_within_a_bound(off: str, explanation: str | None) -> None:
    order = Placed(a_request(0, A, Side.SELL, 1000), 1, ((2, 1000),))
    truth = Truth(Decimal(50_000), {A: 3000}, [order], moves=[(2, Decimal(off))])
    ledger = AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))
    ledger.intend(order.request, moment(1))
    ledger.note_order(order.row(2), moment(2))
    ledger.note_fill(replace(order.trades()[0], fee=None), moment(2))

    drifts = [drift for second in range(5, 60, 5) for drift in ledger.compare(truth.look(second)).drifts]

    assert told(drifts) == ([("", explanation)] if explanation else [])


def test_what_was_bought_today_is_not_sellable_unless_the_record_says_so() -> None:
    order = Placed(a_request(0, A, Side.BUY, 1000), 1, ((2, 1000),))
    truth, record = Truth(Decimal(50_000), {}, [order]), an_instrument(A)
    for instrument, sellable in ((record, 0), (replace(record, same_day_sell=True), 1000)):
        ledger = AccountLedger(COSTS, LAG_S)
        ledger.begin(replace(truth.snapshot(), instruments=(instrument,)), moment(0))
        ledger.intend(order.request, moment(1))
        assert (ledger.frozen, ledger.shares(A)) == (1000 * PRICE + COSTS.on(DAY)(A, Side.BUY, 1000, PRICE), 0)
        ledger.note_order(order.row(2), moment(2))
        ledger.note_fill(order.trades()[0], moment(2))
        assert (ledger.shares(A), ledger.sellable(A), ledger.frozen) == (1000, sellable, Decimal(0))


def test_a_snapshot_that_lags_behind_the_fills_before_it_does_not_open_wrong_books() -> None:
    order = Placed(a_request(0, A, Side.SELL, 1000), 1, ((2, 1000),))
    truth = Truth(Decimal(50_000), {A: 3000}, [order])
    ledger = AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))
    ledger.intend(order.request, moment(1))
    ledger.note_order(order.row(2), moment(2))
    ledger.note_fill(order.trades()[0], moment(2))

    ledger.begin(replace(truth.snapshot(0), at=moment(4)), moment(4))

    assert (ledger.money, ledger.shares(A)) == (truth.asset(4).cash, 2000)
    assert [drift for second in range(5, 60, 5) for drift in ledger.compare(truth.look(second)).drifts] == []


def test_a_snapshot_after_a_trade_by_hand_opens_the_books_as_they_are() -> None:
    truth = Truth(Decimal(50_000), {A: 3000}, [a_stranger(Side.SELL, A, 500, 12, traded=True)])
    ledger = AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))

    ledger.begin(truth.snapshot(20), moment(20))

    assert [drift for second in range(25, 90, 5) for drift in ledger.compare(truth.look(second)).drifts] == []


def test_books_of_another_day_prove_nothing() -> None:
    truth = Truth(Decimal(50_000), {A: 3000}, moves=[(1, Decimal(-5000))])
    ledger = AccountLedger(COSTS, LAG_S)
    ledger.begin(truth.snapshot(), moment(0))

    looks = [replace(truth.look(second), at=at(f"10:00:{second}", NEXT_DAY)) for second in range(10, 60, 5)]

    assert [ledger.compare(look) for look in looks] == [((), True)] * len(looks)
