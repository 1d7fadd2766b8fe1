from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from actors.planner import Planner
from qws.domain.account import Position
from qws.domain.crosscheck import disagreements
from qws.domain.market import Quote, Side
from qws.domain.plan import Plan, PlanRow
from qws.domain.planner import Sizing
from qws.domain.rest import KEPT, Absent
from qws.domain.targets import DroppedRow
from qws.messages import PlanDrafted, PlanRefused, RecordDisputed, SnapshotTaken
from tests.support.builders import (
    BOOK,
    DAY,
    NEXT_DAY,
    RULES,
    RUN,
    TARGET,
    a_market_of,
    a_position,
    a_quote,
    a_snapshot,
    a_target,
    an_instrument,
    at,
)

A, B = "600000.SH", "600004.SH"


def taken(target_id: str = TARGET, day: object = DAY, *, preview: bool = False) -> SnapshotTaken:
    quotes, instruments = a_market_of(A, B)
    snapshot = a_snapshot("100000", (a_position(B, 1000),), quotes, instruments)
    return SnapshotTaken(RUN, target_id, day, 2, preview, snapshot)  # type: ignore[arg-type]


def answer_of(planner: Planner, snapshot: SnapshotTaken) -> PlanDrafted | PlanRefused | RecordDisputed:
    return next(planner.on_snapshot_taken(snapshot))


def drafted(answer: PlanDrafted | PlanRefused | RecordDisputed) -> Plan:
    assert isinstance(answer, PlanDrafted)
    return answer.plan


def test_a_target_and_a_snapshot_become_a_plan_of_that_run() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.on_target_accepted(a_target({A: "0.5"}))

    plan = drafted(answer_of(planner, taken(preview=True)))

    assert (plan.run_id, plan.target_id, plan.attempt, plan.preview) == (RUN, TARGET, 2, True)
    assert [(row.code, row.side) for row in plan.rows] == [(B, Side.SELL), (A, Side.BUY)]


def test_the_holding_of_a_filtered_row_is_kept() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.on_target_accepted(a_target({A: "0.5"}, dropped=(DroppedRow(3, B, "negative_weight", ""),)))

    plan = drafted(answer_of(planner, taken()))

    assert [(row.code, row.reason) for row in plan.rows if row.side is None] == [(B, "row_filtered")]


@pytest.mark.parametrize("snapshot", [taken("f" * 64), taken(day=NEXT_DAY)])
def test_without_the_target_of_the_day_nothing_is_planned_and_nothing_is_sold(snapshot: SnapshotTaken) -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.on_target_accepted(a_target({A: "0.5"}))

    answer = answer_of(planner, snapshot)

    assert isinstance(answer, PlanRefused)
    assert answer.reason == "unknown_target"


def test_a_restart_remembers_targets_of_the_last_weeks_and_later_only() -> None:
    later = DAY + KEPT + timedelta(days=1)
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.recall_target_accepted(a_target({A: "0.5"}, days=(DAY, NEXT_DAY)))
    planner.recall_target_accepted(replace(a_target({B: "0.5"}, target_id="b" * 64), at=at("08:00:00", later)))

    assert isinstance(answer_of(planner, taken()), PlanRefused)
    assert isinstance(answer_of(planner, taken(day=NEXT_DAY)), PlanDrafted)


HELD = (a_position(B, 1000),)


def a_book(code: str, middle: str) -> Quote:
    """Five levels a cent apart around a price, as they stand at the opening."""
    cents = Decimal(middle)
    bids = tuple(str(cents - Decimal(level) / 100) for level in range(1, 6))
    asks = tuple(str(cents + Decimal(level) / 100) for level in range(1, 6))
    return a_quote(code, middle, bids=bids, asks=asks, when="09:30:00")


def looked(
    when: str,
    *quotes: Quote,
    positions: tuple[Position, ...] = HELD,
    cash: str = "100000",
    run_id: str = RUN,
    attempt: int = 0,
) -> SnapshotTaken:
    """A snapshot of A and B at a time of day: before 09:30 it is that of a preview."""
    moment = at(when)
    book = tuple(replace(quote, at=moment) for quote in quotes)
    snapshot = a_snapshot(cash, positions, book, (an_instrument(A), an_instrument(B)), when)
    return SnapshotTaken(run_id, TARGET, DAY, attempt, moment < at("09:30:00"), snapshot)


def a_planner(sizing: Sizing) -> Planner:
    planner = Planner(RULES, sizing, Absent.HOLD)
    planner.recall_target_accepted(a_target({A: "0.5"}))
    return planner


def plans(sizing: Sizing, *snapshots: SnapshotTaken) -> list[Plan]:
    planner = a_planner(sizing)
    return [drafted(answer_of(planner, snapshot)) for snapshot in snapshots]


def row_of(plan: Plan, code: str) -> PlanRow:
    return next(row for row in plan.rows if row.code == code)


AT_0925 = looked("09:25:00", a_book(A, "10.00"), a_book(B, "10.00"))
DEARER = looked("09:30:03", a_book(A, "10.50"), a_book(B, "9.80"))
CHEAPER = looked("09:30:03", a_book(A, "9.50"), a_book(B, "10.20"))


@pytest.mark.parametrize("opened", [DEARER, CHEAPER])
def test_shares_settled_at_0925_stand_and_the_prices_are_those_of_the_opening(opened: SnapshotTaken) -> None:
    preview, sent = plans(Sizing.AT_PLAN, AT_0925, opened)

    quotes = {quote.code: quote for quote in opened.snapshot.quotes}
    assert (preview.preview, sent.preview, sent.at) == (True, False, at("09:30:03"))
    assert [(row.code, row.side, row.shares) for row in sent.rows] == [
        (row.code, row.side, row.shares) for row in preview.rows
    ]
    assert (row_of(sent, A).price, row_of(sent, B).price) == (quotes[A].asks[2].price, quotes[B].bids[4].price)
    assert row_of(sent, A).price != row_of(preview, A).price
    assert [row.reason for row in sent.rows] == ["", ""]


@pytest.mark.parametrize(("opened", "more"), [(DEARER, False), (CHEAPER, True)])
def test_sized_at_sending_the_shares_follow_the_opening_whatever_the_preview_said(
    opened: SnapshotTaken, *, more: bool
) -> None:
    preview, sent = plans(Sizing.AT_SEND, AT_0925, opened)

    assert (row_of(sent, A).shares > row_of(preview, A).shares) is more
    assert row_of(sent, A).shares != row_of(preview, A).shares
    assert [sent] == plans(Sizing.AT_SEND, opened)


def test_both_sizings_show_the_same_preview() -> None:
    assert plans(Sizing.AT_PLAN, AT_0925) == plans(Sizing.AT_SEND, AT_0925)


def test_a_restart_between_preview_and_sending_sizes_again() -> None:
    before = plans(Sizing.AT_PLAN, AT_0925, DEARER)[-1]

    (after,) = plans(Sizing.AT_PLAN, DEARER)

    assert [after] == plans(Sizing.AT_SEND, DEARER)
    assert row_of(after, A).shares != row_of(before, A).shares


def test_a_run_that_goes_on_after_a_restart_before_the_opening_keeps_the_shares_of_its_own_preview() -> None:
    second = looked("09:28:00", a_book(A, "10.80"), a_book(B, "10.00"), attempt=1)

    preview, sent = plans(Sizing.AT_PLAN, second, replace(DEARER, attempt=1))

    assert row_of(sent, A).shares == row_of(preview, A).shares


def test_a_second_preview_of_a_run_is_sized_on_its_own_quotes_and_stands_in_place_of_the_first() -> None:
    second = looked("09:28:00", a_book(A, "10.80"), a_book(B, "10.00"))

    first, shown, sent = plans(Sizing.AT_PLAN, AT_0925, second, DEARER)

    assert [shown] == plans(Sizing.AT_PLAN, second)
    assert row_of(sent, A).shares == row_of(shown, A).shares != row_of(first, A).shares


@pytest.mark.parametrize("other", [replace(AT_0925, run_id="20261119-bbbbbb"), replace(AT_0925, attempt=1)])
def test_the_preview_of_another_run_or_attempt_settles_nothing(other: SnapshotTaken) -> None:
    assert plans(Sizing.AT_PLAN, other, DEARER)[-1] == plans(Sizing.AT_SEND, DEARER)[0]
    assert plans(Sizing.AT_PLAN, AT_0925, other, DEARER)[-1] == plans(Sizing.AT_SEND, DEARER)[0]


def test_a_name_without_a_quote_at_0925_is_not_traded_at_the_opening_and_keeps_its_reason() -> None:
    blind = looked("09:25:00", a_book(B, "10.00"))

    sent, sized_again = (plans(sizing, blind, DEARER)[-1] for sizing in (Sizing.AT_PLAN, Sizing.AT_SEND))

    assert (row_of(sent, A).side, row_of(sent, A).shares, row_of(sent, A).reason) == (None, 0, "no_quote")
    assert (row_of(sent, B).side, row_of(sent, B).shares) == (Side.SELL, 1000)
    assert (row_of(sized_again, A).side, row_of(sized_again, A).reason) == (Side.BUY, "")


@pytest.mark.parametrize(
    ("book", "reason"),
    [
        ((), "no_quote"),
        ((a_quote(A, "11.00", bids=("11.00",), asks=()),), "limit_up"),
        ((a_quote(A, suspended=True),), "suspended"),
    ],
)
def test_a_name_that_cannot_be_bought_at_the_opening_is_not_bought_and_says_why(
    book: tuple[Quote, ...], reason: str
) -> None:
    opened = looked("09:30:03", *book, a_book(B, "10.00"))

    preview, sent = plans(Sizing.AT_PLAN, AT_0925, opened)

    assert row_of(preview, A).side is Side.BUY
    assert (row_of(sent, A).side, row_of(sent, A).reason) == (None, reason)
    assert row_of(sent, A).wanted == row_of(preview, A).wanted


@pytest.mark.parametrize("cash", ["40000", "10000", "0"])
def test_settled_buys_are_cut_to_the_cash_that_is_left(cash: str) -> None:
    opened = looked("09:30:03", a_book(A, "10.50"), a_book(B, "9.80"), cash=cash)

    preview, sent = plans(Sizing.AT_PLAN, AT_0925, opened)

    buy, sell = row_of(sent, A), row_of(sent, B)
    means = Decimal(cash) + sell.shares * sell.price - sell.fee
    assert 0 < buy.shares < row_of(preview, A).shares
    assert buy.shares * buy.price + buy.fee <= means < (buy.shares + 100) * buy.price + buy.fee
    assert buy.reason == "cash"


def test_a_settled_sale_is_cut_to_what_is_sellable_at_the_opening() -> None:
    opened = looked("09:30:03", a_book(A, "10.00"), a_book(B, "10.00"), positions=(a_position(B, 1000, 350),))

    sent = plans(Sizing.AT_PLAN, AT_0925, opened)[-1]

    assert (row_of(sent, B).side, row_of(sent, B).shares, row_of(sent, B).reason) == (Side.SELL, 350, "t_plus_1")


def test_what_came_into_the_account_after_0925_is_left_alone_and_what_was_bought_by_hand_counts() -> None:
    quotes = a_book(A, "10.00"), a_book(B, "10.00")
    bought_by_hand = looked("09:30:03", *quotes, positions=(a_position(A, 300, 0), a_position(B, 1000)))
    nothing_held = looked("09:25:00", *quotes, positions=())

    preview, sent = plans(Sizing.AT_PLAN, AT_0925, bought_by_hand)
    stranger = plans(Sizing.AT_PLAN, nothing_held, looked("09:30:03", *quotes))[-1]

    assert (row_of(sent, A).ends, row_of(sent, A).shares) == (row_of(preview, A).ends, row_of(preview, A).shares - 300)
    assert (row_of(stranger, B).side, row_of(stranger, B).reason) == (None, "not_planned")


def test_a_record_that_differs_from_the_tables_is_told_once_a_day_and_wins() -> None:
    planner = Planner(RULES, Sizing.AT_SEND, Absent.HOLD)
    planner.on_target_accepted(a_target({A: "0.5"}))
    told = taken()
    first, second = told.snapshot.instruments
    strange = replace(first, tick=Decimal("0.005"), limit_up=Decimal("12.00"))
    snapshot = replace(told, snapshot=replace(told.snapshot, instruments=(strange, second)))

    answers = [*planner.on_snapshot_taken(snapshot), *planner.on_snapshot_taken(snapshot)]

    told_of = [each for each in answers if isinstance(each, RecordDisputed)]
    fields = [(each.code, each.field, each.record, each.table) for each in told_of]
    assert fields == [
        (A, "tick", "0.005", "0.01"),
        (A, "limit_up", "12.00", "11.00"),
    ]
    assert sum(isinstance(each, PlanDrafted) for each in answers) == 2


def test_records_from_our_own_tables_are_never_disputed() -> None:
    for code in ("600000.SH", "688001.SH", "300750.SZ", "510300.SH", "920002.BJ"):
        for is_st in (False, True):
            record = BOOK.instrument(code, DAY, Decimal("9.87"), st=is_st)
            assert list(disagreements(record, BOOK)) == []
    free = replace(BOOK.instrument("600000.SH", DAY, Decimal(10)), limit_up=None, limit_down=None)
    wide = BOOK.instrument("510300.SH", DAY, Decimal("4.000"), star20=True)
    assert [*disagreements(free, BOOK), *disagreements(wide, BOOK)] == []
