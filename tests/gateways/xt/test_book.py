"""Which order is which, when remarks are cut, emptied or foreign."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

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
    assert (book.has_ended("7"), book.has_orders, book.has_trades) == (True, True, True)
    book.begin(NOW.date())
    assert book.has_ended("7")

    book.begin(NOW.date() + timedelta(days=1))

    assert (book.has_ended("7"), book.has_orders, book.has_trades) == (False, False, False)
    assert book.named(told("")).tag == ""


def test_only_orders_that_were_taken_must_be_in_the_list() -> None:
    book = a_book()
    book.answer(TAG, "7")
    assert book.has_orders
    book.named(replace(told(TAG), status=OrderStatus.JUNK))

    assert not book.has_orders
