"""What the broker's lists say otherwise than our books is named, and what somebody did is no mistake."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qws.domain.account import Look, Position
from qws.domain.flows import Stand
from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.domain.reconciling import Books, differences
from tests.support.builders import COSTS, DAY, FEE, a_fill, a_position, a_report, an_asset, an_order, at

CODE, OTHER = "600000.SH", "000001.SZ"
HELD = (a_position(CODE, 1000), a_position(OTHER, 500))
ORDER = an_order(CODE)
BOUGHT = a_fill(ORDER, ORDER.shares, fee="5")
DONE = a_report(ORDER, OrderStatus.SUCCEEDED, ORDER.shares)


def books(**changes: object) -> Books:
    """A day after a close with 100,000 CNY, on which one order was bought; its own close saw that."""
    before = Stand(at("15:10:00").replace(day=18), an_asset("100000", HELD), HELD)
    held = (a_position(CODE, 1000 + ORDER.shares), HELD[1])
    close = Stand(at("15:10:00"), an_asset(cash(), held), held)
    day = Books(DAY, {ORDER.tag: DONE}, (BOUGHT,), before, close, Decimal(0), is_gapless=True)
    return replace(day, **changes)  # type: ignore[arg-type]


def cash(more: str = "0") -> Decimal:
    return Decimal(100_000) - BOUGHT.shares * BOUGHT.price - 5 + Decimal(more)


def look(
    more: str = "0",
    held: tuple[Position, ...] | None = None,
    orders: tuple[BrokerOrder, ...] = (DONE,),
    trades: tuple[Trade, ...] = (BOUGHT,),
) -> Look:
    held = held if held is not None else (a_position(CODE, 1000 + ORDER.shares), HELD[1])
    return Look(at("15:30:00"), an_asset(cash(more), held), held, orders, trades)


def closed(more: str, flow: str | None, held: tuple[Position, ...] | None = None) -> Books:
    """The close saw what the look sees, and told this flow."""
    seen = look(more, held)
    return books(close=Stand(at("15:10:00"), seen.asset, seen.positions), flow=None if flow is None else Decimal(flow))


def found(day: Books, seen: Look) -> list[tuple[str, str]]:
    return [(each.code, each.explanation) for each in differences(day, seen, COSTS)]


def test_a_day_that_agrees_has_no_differences() -> None:
    assert found(books(), look()) == []
    assert found(books(before=None), look("999")) == []  # nothing to count from


def test_an_order_that_is_not_listed_and_one_that_ended_otherwise_are_named() -> None:
    part = replace(DONE, status=OrderStatus.PART_CANCEL, traded=ORDER.shares - 100)

    assert found(books(), look(orders=())) == [("order_missing", "unexplained")]
    assert found(books(), look(orders=(part,))) == [("order_differs", "unexplained")]


@pytest.mark.parametrize("message", ["not sent: halted", "never arrived", "turned down"])
def test_an_order_that_never_got_there_is_not_missed(message: str) -> None:
    lost = replace(a_report(an_order(OTHER, index=7), OrderStatus.JUNK, order_id=""), message=message)

    assert found(books(orders={ORDER.tag: DONE, lost.tag: lost}), look()) == []


def test_an_order_nobody_knows_about_at_night_is_missing() -> None:
    lost = a_report(an_order(OTHER, index=7), OrderStatus.UNKNOWN, order_id="")

    assert found(books(orders={ORDER.tag: DONE, lost.tag: lost}), look()) == [("order_missing", "unexplained")]


def test_a_remark_that_got_lost_and_two_words_for_the_same_end_are_no_difference() -> None:
    ended = replace(DONE, tag="", status=OrderStatus.PART_CANCEL)

    assert found(books(), look(orders=(ended,), trades=(replace(BOUGHT, tag=""),))) == []


def test_a_second_order_under_our_tag_and_its_trades_are_named() -> None:
    twin, fill = replace(DONE, order_id="99"), replace(BOUGHT, order_id="99", trade_id="t99", shares=100)
    seen = look(str(-100 * fill.price - 5), (a_position(CODE, 1100 + ORDER.shares), HELD[1]), (DONE, twin))

    assert found(books(), replace(seen, trades=(BOUGHT, fill))) == [
        ("order_unknown", "unexplained"),
        ("foreign_trade", "unexplained"),
    ]


def test_fills_that_one_side_lacks_or_both_know_otherwise_are_named() -> None:
    more = replace(BOUGHT, trade_id="t77", shares=100)
    held = (a_position(CODE, 1100 + ORDER.shares), HELD[1])
    wide = look(str(-100 * more.price - 5), held)

    assert found(books(fills=(BOUGHT, more)), wide) == [("fill_unlisted", "unexplained")]
    assert found(books(), replace(wide, trades=(BOUGHT, more))) == [("fill_unheard", "unexplained")]
    dear = replace(BOUGHT, price=BOUGHT.price + 1)
    listed = look(str(-BOUGHT.shares), trades=(dear,))
    assert found(books(), listed) == [("fill_differs", "unexplained")]


def test_trades_by_hand_are_listed_as_such_and_explain_holdings_and_cash() -> None:
    by_hand = a_fill(OrderRequest("grid-7", OTHER, Side.SELL, 500, Decimal("9.50")), 500, fee="5")
    seen = look("4745", (a_position(CODE, 1000 + ORDER.shares),), trades=(BOUGHT, by_hand))

    (only,) = differences(books(), seen, COSTS)

    assert (only.code, only.subject, only.theirs, only.explanation) == (
        "foreign_trade", OTHER, f"sell 500 @ {by_hand.price:.4f}", "manual_trade",
    )  # fmt: skip
    assert only.is_explained


def test_shares_and_cash_that_nothing_explains_are_told_with_both_numbers() -> None:
    held = (a_position(CODE, 1000 + ORDER.shares + 37), HELD[1])

    shares, money = differences(closed("-250", "0", held), look("-250", held), COSTS)

    assert (shares.subject, shares.ours, shares.theirs) == (CODE, f"{1000 + ORDER.shares}", f"{1037 + ORDER.shares}")
    assert shares.explanation == money.explanation == "unexplained"
    assert (money.ours, money.theirs) == (f"{cash():,.2f}", f"{cash('-250'):,.2f}")


@pytest.mark.parametrize("amount", ["50000", "-800"])
def test_what_the_close_told_as_a_flow_is_explained(amount: str) -> None:
    assert found(closed(amount, amount), look(amount)) == [("cash", "transfer")]


def test_what_was_moved_after_the_close_is_a_transfer_and_what_was_earned_a_dividend() -> None:
    assert found(books(), look("7000")) == [("cash", "transfer")]
    assert found(closed("230", "0"), look("230")) == [("cash", "dividend")]
    assert found(closed("-230", "0"), look("-230")) == [("cash", "unexplained")]
    assert found(closed("5000", "4000"), look("5000")) == [("cash", "unexplained")]


def test_bonus_shares_are_a_dividend_and_shares_moved_in_a_transfer() -> None:
    bonus = (a_position(CODE, 1300 + ORDER.shares), HELD[1])
    moved = (a_position(CODE, 1000 + ORDER.shares), HELD[1], a_position("000002.SZ", 200, price="8.00"))

    assert found(closed("0", "0", bonus), look("0", bonus)) == [("shares", "dividend")]
    assert found(closed("0", "1600", moved), look("0", moved)) == [("shares", "transfer")]
    assert found(closed("0", "0", moved), look("0", moved)) == [("shares", "unexplained")]


def test_days_that_were_missed_are_the_explanation_of_what_is_left() -> None:
    gap = replace(closed("-230", "-100"), is_gapless=False)

    assert found(gap, look("-230")) == [("cash", "missed_days")]


def test_a_guess_of_the_close_about_days_that_were_missed_explains_nothing() -> None:
    sold = (a_position(CODE, 900 + ORDER.shares), HELD[1])
    day = closed("-49000", "-50000", sold)

    assert found(day, look("-49000", sold)) == [("shares", "transfer"), ("cash", "transfer")]
    assert found(replace(day, is_gapless=False), look("-49000", sold)) == [
        ("shares", "missed_days"),
        ("cash", "missed_days"),
    ]


def test_fees_that_were_guessed_may_be_off() -> None:
    untold = replace(BOUGHT, fee=None)
    guess = FEE(CODE, Side.BUY, BOUGHT.shares, BOUGHT.price)

    def days(off: str) -> list[tuple[str, str]]:
        more = str(5 - guess - Decimal(off))
        seen = replace(look(more), trades=(untold,))
        return found(replace(closed(more, None), fills=(untold,)), seen)

    assert days("3") == []
    assert days("15") == [("cash", "fees")]
    assert days("500") == [("cash", "unexplained")]


@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(1, 9), st.integers(500, 1500)), max_size=12))
def test_any_day_of_trades_by_anybody_agrees_when_all_are_listed(made: list[tuple[Side, int, int]]) -> None:
    trades = [
        replace(
            a_fill(OrderRequest("", CODE, side, lots * 100, Decimal(cents) / 100), lots * 100, fee="5"),
            trade_id=f"t{number}", order_id=f"o{number}",
        )
        for number, (side, lots, cents) in enumerate(made)
    ]  # fmt: skip
    signs = [1 if each.side is Side.BUY else -1 for each in trades]
    shares = sum(sign * each.shares for sign, each in zip(signs, trades, strict=True))
    money = sum((-sign * each.shares * each.price - 5 for sign, each in zip(signs, trades, strict=True)), Decimal(0))
    held = (a_position(CODE, 20_000 + ORDER.shares + shares), HELD[1])
    before = (a_position(CODE, 20_000), HELD[1])
    day = books(before=Stand(at("15:10:00").replace(day=18), an_asset("100000", before), before))

    kinds = set(found(day, look(str(money), held, trades=(BOUGHT, *trades))))

    assert kinds == ({("foreign_trade", "manual_trade")} if trades else set())
