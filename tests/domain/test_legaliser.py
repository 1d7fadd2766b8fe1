"""Whatever the legaliser emits, a checker accepts that was written from the reject matrix, RULES.md section 16."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qws.domain.legaliser import CageMargin, Context, Illegal, Legalised, Wish, legalise
from qws.domain.market import Instrument, Kind, Level, Quote, Side
from tests.support.builders import BOOK, an_instrument, at
from tests.support.reject_matrix import phase, rejection, to_tick

DAYS = (date(2023, 6, 1), date(2025, 3, 3), date(2026, 7, 3), date(2026, 7, 6), date(2026, 11, 19))
CODES = (
    "600000.SH", "000001.SZ", "001215.SZ", "300750.SZ", "309801.SZ", "688001.SH", "689009.SH", "920002.BJ",
    "510300.SH", "501018.SH", "508000.SH", "159915.SZ", "161725.SZ", "180101.SZ", "113050.SH", "123001.SZ",
    "900901.SH", "200002.SZ",
)  # fmt: skip
MARGIN = CageMargin(3.0, D("0.25"))
CLOCKS = (time(10, 5), time(13, 5), time(9, 16), time(14, 58))
MINUTES = [time(9 + n // 60, n % 60) for n in range(6 * 60 + 36)]
PLENTY = 10_000_000


def assert_accepted(outcome: Legalised, context: Context, live: Quote) -> None:
    sellable, bought = context.sellable, context.bought_today
    for order in outcome.children:
        assert rejection(order, replace(context, quote=live), sellable, bought) == "", order
        sellable, bought = (
            (sellable, bought + order.shares) if order.side is Side.BUY else (sellable - order.shares, bought)
        )


def a_book(record: Instrument, last: D | None, gap: int, bids: int, asks: int, age_s: float, moment: datetime) -> Quote:
    centre, step = last or record.prev_close, gap * record.tick
    sides = [tuple(Level(centre + sign * n * step, 500) for n in range(first, 6)) for sign, first in ((-1, 0), (1, 1))]
    kept = [
        tuple(
            level for level in side[:depth]
            if level.price >= (record.limit_down or record.tick) and level.price <= (record.limit_up or level.price)
        )
        for side, depth in zip(sides, (bids, asks), strict=True)
    ]  # fmt: skip
    return Quote(record.code, moment - timedelta(seconds=age_s), last, record.prev_close, kept[0], kept[1])


def a_case(
    code: str, day: date, minute: time, ticks: int, status: tuple[int | None, int, int], flags: int, balance: int,
    price: int, shares: int,
) -> Case:  # fmt: skip
    """Any board, type, day, minute, book and balance; every second one at an hour that takes orders."""
    listing_day, maximum, bought = status
    clock = minute if flags % 2 else CLOCKS[flags // 2 % 4]
    tick = BOOK.instrument(code, day, D(1)).tick
    record = BOOK.instrument(
        code, day, ticks * tick, st=bought > 0, suspended=flags // 16 % 32 == 1, star20=flags // 512 % 2 == 1,
        listing_day=listing_day,
    )  # fmt: skip
    record = replace(record, order_max=min(maximum, record.order_max))
    moment = datetime.combine(day, clock, at("10:00:00").tzinfo)
    low, high = record.limit_down or max(tick, record.prev_close / 2), record.limit_up or record.prev_close * 3
    last = to_tick(low + (high - low) * (flags // 1024 % 41) / 40, tick, ROUND_FLOOR)
    last = min(max(last, record.limit_down or tick), record.limit_up or last)
    age_s, depths = (0.0, 3.0, 3.1, 600.0)[flags % 4], flags // 64 % 36
    quote = a_book(record, last if flags % 7 else None, 1 + flags % 37, depths % 6, depths // 6, age_s, moment)
    halted = record.limit_up is None and flags % 5 == 2
    sellable = (balance, shares, balance % 1000, balance - 3)[flags // 32 % 4]
    seen = None if flags % 41 == 1 else replace(quote, suspended=flags % 43 == 2)
    context = Context(BOOK, moment, record, seen, sellable, bought, MARGIN, halted)
    wished = record.prev_close * price / 1000 * (10 if listing_day and flags % 5 == 1 else 1)
    return context, Wish(Side.BUY if flags // 8 % 2 else Side.SELL, shares, wished)


Case = tuple[Context, Wish]
cases: st.SearchStrategy[Case] = st.builds(
    a_case,
    st.sampled_from(CODES),
    st.sampled_from(DAYS),
    st.sampled_from(MINUTES),
    st.integers(1, 60_000),
    st.sampled_from([(None, 10**9, 0), (None, 10**9, 199_850), (None, 5000, 499_700), (6, 300, 0), (1, 10**9, 0),
                     (3, 10**9, 600_000), (None, 100, 0)]),
    st.integers(0, 1_000_000),
    st.integers(0, 2_500_000),
    st.one_of(st.integers(990, 1300), st.integers(850, 1010), st.integers(1, 2500)),
    st.one_of(st.integers(0, 900), st.integers(100, 2_500_000)),
)  # fmt: skip


@settings(max_examples=10_000, deadline=None)
@given(cases)
def test_the_exchange_accepts_all_that_is_emitted_and_what_is_missing_has_a_reason(case: Case) -> None:
    context, wish = case
    outcome = legalise(wish, context)

    assert not outcome.children or context.quote is not None
    if context.quote is not None:
        assert_accepted(outcome, context, context.quote)
    assert sum(child.shares for child in outcome.children) + outcome.unplaced == wish.shares
    assert bool(outcome.unplaced) == bool(outcome.reason)
    assert not outcome.reason or Illegal(outcome.reason)
    for child in outcome.children:
        assert (child.code, child.side) == (context.instrument.code, wish.side)
        assert child.shares > 0
        assert child.price <= wish.price if wish.side is Side.BUY else child.price >= wish.price
        assert child.price == wish.price or outcome.clamp in ("tick", "limit", "cage")


@settings(max_examples=2500, deadline=None)
@given(cases)
def test_an_exit_leaves_completely_with_its_odd_lot_while_orders_are_taken(case: Case) -> None:
    context, _ = case
    record = context.instrument
    exit_wish = Wish(Side.SELL, max(0, context.sellable), record.prev_close * D("0.01"))  # any price is good enough
    outcome = legalise(exit_wish, context)

    takes = phase(record.board, record.kind, record.day, context.at.time())
    quote = context.quote
    is_seen = quote is not None and (context.halted or not quote.suspended)
    if takes and is_seen and not record.suspended and record.order_max >= 2 * record.buy_min:
        assert (outcome.unplaced, outcome.reason) == (0, "")


@settings(max_examples=1000, deadline=None)
@given(cases, st.integers(-40, 40))
def test_a_stale_quote_keeps_a_distance_that_survives_a_small_move_of_the_book(case: Case, drift: int) -> None:
    """The live base may be a quarter of the cage's width, 0.5%, worse than the snapshot that we priced from."""
    context, wish = case
    quote, record = context.quote, context.instrument
    if quote is None or (context.at - quote.at).total_seconds() <= MARGIN.quote_age_max_s or record.kind is Kind.CB:
        return
    factor = 1 + D(drift) / 40 * D("0.0048")
    moved = [
        tuple(Level(to_tick(level.price * factor, record.tick, rounding), level.volume) for level in side)
        for side, rounding in ((quote.bids, ROUND_FLOOR), (quote.asks, ROUND_CEILING))
    ]
    live = replace(quote, bids=moved[0], asks=moved[1])
    outcome = legalise(wish, context)

    base = (quote.asks or quote.bids) if wish.side is Side.BUY else (quote.bids or quote.asks)
    if base and base[0].price > 5 and quote.bids and quote.asks:
        assert_accepted(outcome, context, live)


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("side", list(Side))
def test_every_minute_of_the_day_is_answered_by_orders_or_by_the_closed_phase(code: str, side: Side) -> None:
    record = an_instrument(code, "10.00")
    for minute in MINUTES:
        moment = datetime.combine(record.day, minute, at("10:00:00").tzinfo)
        context = Context(BOOK, moment, record, a_book(record, D("10.00"), 2, 5, 5, 0, moment), PLENTY, 0, MARGIN)
        outcome = legalise(Wish(side, 30_000, D("10.00")), context)

        is_open = bool(phase(record.board, record.kind, record.day, minute))
        assert bool(outcome.children) == is_open
        assert outcome.reason == ("" if is_open else "phase_closed")


def outcome_of(
    code: str, side: Side, shares: int, price: str, sellable: int = 0, when: str = "10:00:00", **changes: object
) -> Legalised:
    record = an_instrument(code, "10.00")
    quote = a_book(record, D("10.00"), 1, 5, 5, 0, at(when))
    context = Context(BOOK, at(when), record, quote, sellable, 0, MARGIN)
    return legalise(Wish(side, shares, D(price)), replace(context, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "side", "shares", "price", "sellable", "children", "paid", "clamp", "reason"),
    [
        ("600000.SH", Side.BUY, 1250, "10.019", 0, (1200,), "10.01", "tick", "lot"),
        ("600000.SH", Side.BUY, 99, "10.01", 0, (), None, "", "min_order"),
        ("600000.SH", Side.BUY, 100, "10.90", 0, (100,), "10.21", "cage", ""),
        ("600000.SH", Side.BUY, 100, "8.99", 0, (), None, "", "limit_down"),
        ("600000.SH", Side.SELL, 100, "11.01", 100, (), None, "", "limit_up"),
        ("600000.SH", Side.SELL, 299, "9.991", 299, (299,), "10.00", "tick", ""),
        ("600000.SH", Side.SELL, 298, "10.00", 299, (200,), "10.00", "", "lot"),
        ("600000.SH", Side.SELL, 299, "10.00", 199, (199,), "10.00", "", "t_plus_1"),
        ("600000.SH", Side.SELL, 100, "9.00", 100, (100,), "9.80", "cage", ""),
        ("600000.SH", Side.SELL, 1_000_050, "10.00", 1_000_050, (999_950, 100), "10.00", "", ""),
        ("300750.SZ", Side.BUY, 650_000, "10.00", 0, (300_000, 300_000, 50_000), "10.00", "", ""),
        ("688001.SH", Side.BUY, 100_150, "10.00", 0, (99_950, 200), "10.00", "", ""),
        ("688001.SH", Side.SELL, 150, "10.00", 150, (150,), "10.00", "", ""),
        ("688001.SH", Side.SELL, 150, "10.00", 250, (), None, "", "min_order"),
        ("510300.SH", Side.BUY, 100, "10.9999", 0, (100,), "10.999", "tick", ""),
    ],
)
def test_worked_table(
    code: str, side: Side, shares: int, price: str, sellable: int, children: tuple[int, ...], paid: str | None,
    clamp: str, reason: str,
) -> None:  # fmt: skip
    outcome = outcome_of(code, side, shares, price, sellable)

    assert tuple(child.shares for child in outcome.children) == children
    assert {child.price for child in outcome.children} == (set() if paid is None else {D(paid)})
    assert (outcome.clamp, outcome.reason) == (clamp, reason)


@pytest.mark.parametrize(
    ("side", "price", "when", "halted", "paid", "reason"),
    [
        (Side.BUY, "99.00", "09:16:00", False, "90.00", ""),  # 900% of the issue price
        (Side.SELL, "99.00", "09:16:00", False, None, "limit_up"),
        (Side.BUY, "99.00", "10:00:00", False, "10.21", ""),  # only the cage: base 10.01
        (Side.BUY, "99.00", "10:00:00", True, "11.00", ""),
        (Side.SELL, "1.00", "10:00:00", True, "9.00", ""),
        (Side.BUY, "99.00", "14:58:00", False, "11.00", ""),
        (Side.BUY, "8.99", "14:58:00", False, None, "limit_down"),
    ],
)
def test_the_first_days_have_ranges_of_their_own(
    side: Side, price: str, when: str, halted: bool, paid: str | None, reason: str
) -> None:
    record = BOOK.instrument("600000.SH", at(when).date(), D("10.00"), listing_day=1)
    outcome = outcome_of("600000.SH", side, 100, price, 100, when, instrument=record, halted=halted)

    assert [child.price for child in outcome.children] == ([] if paid is None else [D(paid)])
    assert outcome.reason == reason


@pytest.mark.parametrize(("code", "bought", "shares"), [
    ("600000.SH", 0, 500_000), ("300750.SZ", 499_850, 100), ("600000.SH", 500_000, 0), ("920002.BJ", 150_000, 50_000),
])  # fmt: skip
def test_no_more_of_an_st_stock_is_bought_than_a_day_allows(code: str, bought: int, shares: int) -> None:
    record = BOOK.instrument(code, at("10:00:00").date(), D("10.00"), st=True)
    outcome = outcome_of(code, Side.BUY, 600_000, "10.00", instrument=record, bought_today=bought)

    assert sum(child.shares for child in outcome.children) == shares
    assert outcome.reason == "st_cap"


def test_a_record_of_another_day_opens_nothing() -> None:
    record = BOOK.instrument("600000.SH", date(2026, 11, 18), D("10.00"))

    assert outcome_of("600000.SH", Side.BUY, 100, "10.00", instrument=record).reason == "phase_closed"
