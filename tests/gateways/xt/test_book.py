"""Which order is which, when remarks are cut, emptied or foreign."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from qws.domain.market import Side
from qws.domain.orders import BrokerOrder, OrderRequest, OrderStatus, Trade
from qws.gateways.xt.book import Book
from tests.gateways.sim_rig import at

NOW = at("10:00:00")
TAG = "q1abcdefghijkl01"
SENT = OrderRequest(TAG, "600000.SH", Side.BUY, 300, Decimal("10.00"))


def a_book(*requests: OrderRequest) -> Book:
    book = Book()
    book.begin(NOW.date())
    for request in requests or (SENT,):
        book.send(request, NOW)
    return book


def told(remark: str, order_id: str = "7", *, seconds: float = 1) -> BrokerOrder:
    row = BrokerOrder.unknown(SENT, NOW + timedelta(seconds=seconds))
    return replace(row, tag=remark, order_id=order_id, status=OrderStatus.REPORTED)


def a_trade(remark: str = "", order_id: str = "7") -> Trade:
    return Trade("t1", order_id, remark, "600000.SH", Side.BUY, 100, Decimal("10.00"), NOW)


def test_a_whole_remark_is_the_tag() -> None:
    assert a_book().named(told(TAG)).tag == TAG


def test_a_cut_remark_is_the_one_tag_that_begins_so() -> None:
    other = replace(SENT, tag="q1abcdefgh000000")

    assert a_book().named(told(TAG[:12])).tag == TAG
    assert a_book(SENT, other).named(told(TAG[:8])).tag == TAG[:8]
    assert a_book().named(told(TAG[:7])).tag == TAG[:7]


def test_the_answers_id_names_an_order_whose_remark_is_gone() -> None:
    book = a_book()
    book.answer(TAG, "7")

    assert book.named(told("")).tag == TAG
    assert book.joined(a_trade()).tag == TAG


def test_an_order_without_remark_is_the_only_one_sent_like_it() -> None:
    assert a_book().named(told("")).tag == TAG
    assert a_book(SENT, replace(SENT, tag="other")).named(told("")).tag == ""
    assert a_book(replace(SENT, shares=400)).named(told("")).tag == ""
    assert a_book(replace(SENT, price=Decimal("10.01"))).named(told("")).tag == ""
    assert a_book().named(told("", seconds=600)).tag == ""
    assert a_book().named(told("", seconds=-60)).tag == ""


def test_an_order_without_remark_is_foreign_where_remarks_come_back() -> None:
    book = a_book(SENT, replace(SENT, tag="q1other", code="600004.SH"))
    book.named(replace(told("q1other"), order_id="6", code="600004.SH"))

    assert book.named(told("")).tag == ""


def test_one_order_is_matched_once() -> None:
    book = a_book()

    assert book.named(told("", "7")).tag == TAG
    assert book.named(told("", "8")).tag == ""
    assert book.named(told("", "7")).tag == TAG


def test_an_order_of_somebody_else_keeps_its_remark() -> None:
    book = a_book()

    assert book.named(told("by hand")).tag == "by hand"
    assert book.knows("7")
    assert not book.knows("8")


def test_ends_are_remembered_until_the_next_day() -> None:
    book = a_book()
    book.named(replace(told(TAG), status=OrderStatus.REPORTED_CANCEL))
    assert not book.has_ended("7")
    book.named(replace(told(TAG), status=OrderStatus.CANCELED))
    book.joined(a_trade())
    assert (book.has_ended("7"), book.is_short((), NOW), book.has_trades) == (True, True, True)
    book.begin(NOW.date())
    assert book.has_ended("7")

    book.begin(NOW.date() + timedelta(days=1))

    assert (book.has_ended("7"), book.is_short((), NOW), book.has_trades) == (False, False, False)
    assert book.named(told("")).tag == ""


def test_only_orders_that_were_taken_must_be_in_the_list() -> None:
    book = a_book()
    book.answer(TAG, "7")
    assert book.is_short((), NOW)
    assert not book.is_short({"7"}, NOW)
    book.named(replace(told(TAG), status=OrderStatus.JUNK))

    assert not book.is_short((), NOW)


def test_an_order_of_others_need_not_be_in_the_list() -> None:
    book = a_book()
    book.named(replace(told(""), price=Decimal("9.99")))

    assert book.knows("7")
    assert not book.is_short((), NOW)


def looks(count: int, *, seconds: float) -> list[datetime]:
    return [NOW + timedelta(seconds=seconds * number) for number in range(count)]


def test_a_list_that_lacks_an_order_for_two_minutes_of_looks_bars_nobody_and_a_pause_is_no_look() -> None:
    book = a_book()
    book.answer(TAG, "7")

    assert [book.is_short((), now) for now in looks(14, seconds=10)] == [True] * 12 + [False] * 2
    assert not book.is_short({"7"}, NOW)
    assert [book.is_short((), now) for now in looks(5, seconds=3600)] == [True] * 5
    book.look_again()
    assert [book.is_short((), now) for now in looks(13, seconds=10)] == [True] * 12 + [False]


def test_no_trades_while_some_were_seen_is_no_list_for_two_minutes_of_looks() -> None:
    book = a_book()
    assert not book.lacks_trades(NOW)
    book.joined(a_trade())

    assert [book.lacks_trades(now) for now in looks(14, seconds=10)] == [True] * 12 + [False] * 2
    book.joined(a_trade())
    assert book.lacks_trades(NOW)


def concluded(book: Book, *, proves: bool = True, listed: tuple[BrokerOrder, ...] = ()) -> list[int]:
    """How many orders were turned down after each of five looks."""
    return [len(book.turned_down(listed, now, proves=proves)) for now in looks(5, seconds=10)]


@pytest.mark.parametrize("remark", [TAG, TAG[:12], ""])
@pytest.mark.parametrize("is_early", [False, True])
def test_an_error_that_names_an_order_ends_it_when_proofs_over_half_a_minute_lack_it(
    remark: str, *, is_early: bool
) -> None:
    book = a_book()
    if is_early and remark != TAG[:12]:
        book.note_error(remark, "7", "no money")
    book.answer(TAG, "7")
    if not is_early or remark == TAG[:12]:
        book.note_error(remark, "7", "no money")

    assert concluded(book, proves=False) == [0, 0, 0, 0, 0]
    book.look_again()
    assert concluded(book) == [0, 0, 0, 1, 1]
    assert not book.is_short((), NOW)


def test_an_error_of_somebody_else_or_of_what_the_list_shows_ends_nothing() -> None:
    book = a_book()
    book.answer(TAG, "7")
    book.note_error("gridbot", "7", "whose?")
    assert concluded(book) == [0, 0, 0, 0, 0]
    book.note_error(TAG, "", "of this one, it is said")
    assert concluded(book, listed=(told(TAG),)) == [0, 0, 0, 0, 0]
    book.named(replace(told(TAG), status=OrderStatus.SUCCEEDED))

    assert concluded(book) == [0, 0, 0, 0, 0]
